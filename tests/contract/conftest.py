"""The same tests in one process and over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define

from aioinstructure import ABConnect, Canvas
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.simulator.app import start
from aioinstructure.testing import SimulatorTransport


@define
class House:
    """A simulator, and how to reach it."""

    simulator: Simulator
    origin: str
    virtual: bool

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        if self.virtual:
            options.setdefault("transport", SimulatorTransport(self.simulator))
        return options

    def canvas(self, **options: Any) -> Canvas:
        """A Canvas client; with the good token unless another is given."""
        options.setdefault("token", self.simulator.canvas_token)
        return Canvas(self.origin, **self._options(options))

    def abconnect(self, **options: Any) -> ABConnect:
        """An AB Connect client; with the good key unless another is given."""
        options.setdefault("partner_id", self.simulator.partner_id)
        options.setdefault("partner_key", self.simulator.partner_key)
        return ABConnect(base_url=self.origin, **self._options(options))


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
