"""Shared fixtures: `clock`, `simulator` and clients, from the plugin that the package ships."""

from __future__ import annotations

from hypothesis import settings

# The duration of an example depends on the machine and on coverage: no deadline. Long searches run
# in `nox -s adversity`, which selects the other profile.
settings.register_profile("suite", deadline=None, max_examples=40)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("suite")

pytest_plugins = ["aioinstructure.testing.pytest_plugin"]
