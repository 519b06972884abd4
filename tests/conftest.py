"""Shared fixtures: `clock`, `simulator` and clients, from the plugin that the package ships."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

from aioinstructure.testing import VirtualLoop

# The duration of an example depends on the machine and on coverage: no deadline. Long searches run
# in `nox -s adversity`, which selects the other profile.
settings.register_profile("suite", deadline=None, max_examples=40)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("suite")

pytest_plugins = ["aioinstructure.testing.pytest_plugin"]

Loops = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories(item: pytest.Item) -> Loops:
    """All tests run in virtual time, but those with real sockets, processes or threads.

    These run on the loop of asyncio, or on that of the module in AIOINSTRUCTURE_LOOP.
    """
    if not item.get_closest_marker("real_loop"):
        return {"virtual": VirtualLoop}
    module = os.environ.get("AIOINSTRUCTURE_LOOP")
    if module is None:
        return {"real": asyncio.SelectorEventLoop}
    return {module: importlib.import_module(module).new_event_loop}
