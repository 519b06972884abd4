"""Fixtures for pytest and pytest-asyncio: virtual time, an in-process simulator and its clients.

In the conftest.py at the root of your project:

    pytest_plugins = ["aioinstructure.testing.pytest_plugin"]

Coroutine tests that use one of the fixtures, or are marked `virtual_time`, then run on a
`VirtualLoop`, unless they are marked `real_loop` since they use threads, processes or sockets. All
other tests keep their event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

import pytest

_NEEDED = (1, 4)


def _check_pytest_asyncio() -> None:
    """Raise an error of one sentence where pytest-asyncio is missing, or too old for the loops."""
    try:
        found = version("pytest-asyncio")
    except PackageNotFoundError:
        raise pytest.UsageError(
            "aioinstructure.testing.pytest_plugin needs pytest-asyncio:"
            ' pip install "aioinstructure[testing]"'
        ) from None
    if tuple(int(part) for part in found.split(".")[:2] if part.isdecimal()) < _NEEDED:
        raise pytest.UsageError(
            "aioinstructure.testing.pytest_plugin needs pytest-asyncio 1.4 or newer, not"
            f' {found}: pip install --upgrade "aioinstructure[testing]"'
        )


_check_pytest_asyncio()

import pytest_asyncio  # noqa: E402 - after the check that it is there

from aioinstructure.abconnect import ABConnect  # noqa: E402 - as above
from aioinstructure.canvas import Canvas  # noqa: E402
from aioinstructure.clock import Clock  # noqa: E402
from aioinstructure.simulator import Simulator  # noqa: E402
from aioinstructure.testing import (  # noqa: E402
    VirtualLoop,
    abconnect_of,
    canvas_of,
    virtual_clock,
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line("markers", "real_loop: run on an event loop with the real clock")
    config.addinivalue_line("markers", "virtual_time: run on an event loop whose clock jumps")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Use virtual time for the tests that ask for it."""
    if item.get_closest_marker("real_loop"):
        return {"real": asyncio.SelectorEventLoop}
    if item.get_closest_marker("virtual_time") or _uses_a_fixture_of_ours(item):
        return {"virtual": VirtualLoop}
    return {"usual": asyncio.new_event_loop}


def _uses_a_fixture_of_ours(item: pytest.Item) -> bool:
    """Whether a test requests one, itself or through another; one of that name may be another's."""
    info = getattr(item, "_fixtureinfo", None)  # pytest has no public way
    found = {} if info is None else info.name2fixturedefs
    return any(definitions[-1].func.__module__ == __name__ for definitions in found.values())


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
