"""What all tests share: virtual time for every coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from aioinstructure.clock import Clock
from aioinstructure.testing import VirtualLoop, virtual_clock


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of tests that talk to threads, processes or sockets."""
    config.addinivalue_line("markers", "real_loop: run on a loop with the real clock")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Time is virtual, unless a test is marked `real_loop`."""
    if item.get_closest_marker("real_loop"):
        return {"real": asyncio.SelectorEventLoop}
    return {"virtual": VirtualLoop}


@pytest.fixture
async def clock() -> Clock:
    """A clock by the virtual loop that the test runs on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return virtual_clock(loop)
