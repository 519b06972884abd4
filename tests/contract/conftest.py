"""The same tests in one process and over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.simulator.app import start
from tests.contract.house import House


@pytest.fixture(
    params=[
        pytest.param("in process", id="virtual"),
        pytest.param("over tcp", id="tcp", marks=pytest.mark.real_loop),
    ]
)
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A small world, in virtual time or over the loopback."""
    simulator = Simulator(knobs=Knobs(standards=800, events=80))
    if request.param == "in process":
        yield House(simulator, "https://simulator.test", virtual=True)
        return
    server = await start(simulator)
    try:
        yield House(simulator, server.origin, virtual=False)
    finally:
        await server.close()
        await asyncio.sleep(0)
