"""The fixtures that are shipped serve the project's own tests: `clock`, `simulator`, clients."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something of the machine, and of coverage, only.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

pytest_plugins = ["aioinstructure.pytest_plugin"]
