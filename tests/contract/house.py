"""A simulator and the clients that reach it, in one process or over TCP."""

from __future__ import annotations

from typing import Any

from attrs import define

from aioinstructure import ABConnect, Canvas
from aioinstructure.simulator import Simulator
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
