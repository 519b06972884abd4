"""A simulator, and clients that reach it in one of three ways."""

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


def simulated(simulator: Simulator) -> Callable[[Request], Response]:
    """A reply function for `FakeTransport`; fails if the simulator does not respond at once."""

    def answer(request: Request) -> Response:
        if "user-agent" not in request.headers:  # HttpTransport adds it
            request = evolve(request, headers=request.headers.with_field("user-agent", USER_AGENT))
        exchange = simulator.handle(request)
        try:
            exchange.send(None)
        except StopIteration as end:
            response: Response = end.value
            return response
        exchange.close()
        raise AssertionError(f"the simulator did not respond at once to {request.path}")

    return answer


@define
class Harness:
    """A simulator and how to reach it."""

    simulator: Simulator
    origin: str
    way: Way

    @property
    def virtual(self) -> bool:
        """Whether waiting takes no time."""
        return self.way != "tcp"

    @property
    def holds(self) -> bool:
        """Whether the server can delay a response; a fake responds at once."""
        return self.way != "fake"

    def _transport(self) -> Transport:
        if self.way == "fake":
            return FakeTransport([simulated(self.simulator)])
        return SimulatorTransport(self.simulator)

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        if self.way != "tcp":
            options.setdefault("transport", self._transport())
        return options

    def canvas(self, **options: Any) -> Canvas:
        """Create a Canvas client; by default with the valid token."""
        options.setdefault("token", self.simulator.canvas_token)
        return Canvas(self.origin, **self._options(options))

    def abconnect(self, **options: Any) -> ABConnect:
        """Create an AB Connect client; by default with the valid key."""
        options.setdefault("partner_id", self.simulator.partner_id)
        options.setdefault("partner_key", self.simulator.partner_key)
        return ABConnect(base_url=self.origin, **self._options(options))
