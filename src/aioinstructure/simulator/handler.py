"""The services by name, and the path of one request through faults and its service.

A service is one entry in `SERVICES`: a class with the members of `Gateway`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from aioinstructure.simulator.abconnect.gateway import ABConnectGateway
from aioinstructure.simulator.canvas.gateway import CanvasGateway
from aioinstructure.simulator.http.faults import fault_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aioinstructure.simulator.http.faults import Fault
    from aioinstructure.simulator.http.parsing import Pairs
    from aioinstructure.simulator.http.responses import Reply
    from aioinstructure.simulator.simulator import Simulator
    from aioinstructure.wire.message import Request

__all__ = ["SERVICES", "Gateway", "handle"]


class Gateway(Protocol):
    """A service as its clients see it."""

    is_jsonapi: ClassVar[bool]
    """Whether its errors have the form of JSON:API."""

    @staticmethod
    def claims(path: str) -> bool:
        """Whether a path belongs to the service."""
        ...

    def env(self, origin: str) -> dict[str, str]:
        """The environment variables for a client of the service at an origin."""
        ...

    async def handle(self, request: Request, path: str, pairs: Pairs, fault: Fault | None) -> Reply:
        """Throttle and answer one request."""
        ...


SERVICES: Final[Mapping[str, Callable[[Simulator], Gateway]]] = {
    "canvas": CanvasGateway,
    "abconnect": ABConnectGateway,
}
"""What makes each service, by name. The first one that claims a path answers it."""


async def handle(simulator: Simulator, request: Request, path: str, pairs: Pairs) -> Reply:
    """The reply of the service that a request belongs to, or of a gateway in front of it.

    Raises:
        ConnectionResetError: A fault closed the connection.
    """
    service = next(each for each in simulator.services.values() if each.claims(path))
    fault = simulator.faults.take(request.method, request.path)
    if fault is not None and fault.stage == "gateway":
        reply = await fault_reply(fault, jsonapi=service.is_jsonapi)
        if reply is not None:
            return reply
        fault = None
    return await service.handle(request, path, pairs, fault)
