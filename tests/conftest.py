"""The fixtures that are shipped serve the project's own tests: `clock`, `simulator`, clients."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something of the machine, and of coverage, only. Long searches are
# for `nox -s adversity`, which asks for the other profile.
settings.register_profile("suite", deadline=None, max_examples=40)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("suite")

pytest_plugins = ["aioinstructure.testing.pytest_plugin"]
