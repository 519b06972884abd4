"""The fixtures that are shipped serve the project's own tests: `clock`, `simulator`, clients."""

from __future__ import annotations

pytest_plugins = ["aioinstructure.pytest_plugin"]
