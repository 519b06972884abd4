"""A simulator and the clients that reach it, by one of three ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from attrs import define, evolve

from aioinstructure import (
    ABConnect,
    Canvas,
    Request,
    Response,
)
from aioinstructure.simulator import Simulator
from aioinstructure.testing import FakeTransport, SimulatorTransport
from aioinstructure.transport.call_context import Transport
from aioinstructure.transport.http import USER_AGENT

Way = Literal["fake", "process", "tcp"]


def told(simulator: Simulator) -> Callable[[Request], Response]:
    """What a `FakeTransport` answers: the simulator's words, which it has at once or not at all."""

    def answer(request: Request) -> Response:
        if "user-agent" not in request.headers:  # as over HTTP
            request = evolve(request, headers=request.headers.with_field("user-agent", USER_AGENT))
        exchange = simulator.handle(request)
        try:
            exchange.send(None)
        except StopIteration as end:
            response: Response = end.value
            return response
        exchange.close()
        raise AssertionError(f"the simulator took its time for {request.path}")

    return answer


@define
class House:
    """A simulator, and how to reach it."""

    simulator: Simulator
    origin: str
    way: Way

    @property
    def virtual(self) -> bool:
        """Whether waiting takes no time."""
        return self.way != "tcp"

    @property
    def holds(self) -> bool:
        """Whether the server can hold an answer back; a fake has its answers at once."""
        return self.way != "fake"

    def _transport(self) -> Transport:
        if self.way == "fake":
            return FakeTransport([told(self.simulator)])
        return SimulatorTransport(self.simulator)

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        if self.way != "tcp":
            options.setdefault("transport", self._transport())
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
