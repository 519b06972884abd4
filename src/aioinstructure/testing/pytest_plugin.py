"""Fixtures for pytest and pytest-asyncio: virtual time, an in-process simulator and its clients.

In your conftest.py:

    pytest_plugins = ["aioinstructure.testing.pytest_plugin"]

Coroutine tests then run on a `VirtualLoop`; mark a test `real_loop` if it uses threads, processes
or sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.clock import Clock
from aioinstructure.simulator import Simulator
from aioinstructure.testing import (
    VirtualLoop,
    abconnect_of,
    canvas_of,
    virtual_clock,
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the `real_loop` marker."""
    config.addinivalue_line("markers", "real_loop: run on a loop with the real clock")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Use virtual time, unless the test is marked `real_loop`."""
    if item.get_closest_marker("real_loop"):
        return {"real": asyncio.SelectorEventLoop}
    return {"virtual": VirtualLoop}


@pytest_asyncio.fixture
async def clock() -> Clock:
    """The clock of the test's event loop."""
    loop = asyncio.get_running_loop()
    return virtual_clock(loop) if isinstance(loop, VirtualLoop) else Clock()


@pytest_asyncio.fixture
async def simulator(clock: Clock) -> Simulator:
    """A simulated Canvas and AB Connect; change its `knobs`, add `faults`, read its `stats()`."""
    return Simulator(seed=1, wall=clock.wall)


@pytest_asyncio.fixture
async def canvas(simulator: Simulator, clock: Clock) -> AsyncIterator[Canvas]:
    """A client for the simulator's Canvas."""
    async with canvas_of(simulator, clock=clock) as client:
        yield client


@pytest_asyncio.fixture
async def abconnect(simulator: Simulator, clock: Clock) -> AsyncIterator[ABConnect]:
    """A client for the simulator's AB Connect."""
    async with abconnect_of(simulator, clock=clock) as client:
        yield client
