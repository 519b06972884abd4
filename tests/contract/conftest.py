"""Run the same tests over a fake transport, in one process and over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.simulator.server import start
from tests.contract.harness import Harness


@pytest.fixture(
    params=[
        pytest.param("fake", id="fake"),
        pytest.param("process", id="virtual"),
        pytest.param("tcp", id="tcp", marks=pytest.mark.real_loop),
    ]
)
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    """A simulator with little data: by a `FakeTransport`, in the same process, or over loopback."""
    simulator = Simulator(knobs=Knobs(standards=800, events=80))
    if request.param != "tcp":
        yield Harness(simulator, "https://simulator.test", request.param)
        return
    server = await start(simulator)
    try:
        yield Harness(simulator, server.origin, "tcp")
    finally:
        await server.close()
        await asyncio.sleep(0)
