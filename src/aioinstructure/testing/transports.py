"""Transports without a network: replies from a list, or from a simulator in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import orjson
from attrs import define, evolve, field

from aioinstructure._types import UNSET
from aioinstructure.errors import Error
from aioinstructure.simulator import Simulator
from aioinstructure.transport.call_context import OnHead
from aioinstructure.transport.http import USER_AGENT
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.responses import no_response_error

__all__ = ["FakeTransport", "Reply", "SimulatorTransport", "reply"]

Reply: TypeAlias = "Response | Error | Callable[[Request], Response]"


def reply(
    json: Any = UNSET,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    next: str | None = None,  # noqa: A002 - the relation's own name
) -> Response:
    """Create a response for a `FakeTransport`.

    Args:
        json: The body as JSON values, used if `body` is not given. Without both, the body is empty.
        status: The HTTP status.
        headers: Additional header fields.
        body: The body as bytes.
        next: The URL of the next page, for the Link header.
    """
    fields = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    if next is not None:
        fields["link"] = f'<{next}>; rel="next"'
    if body is None:
        body = b"" if json is UNSET else orjson.dumps(json)
    return Response(status, fields, body)


def _listed(replies: Iterable[Reply]) -> list[Reply]:
    return list(replies)


@define(eq=False)
class FakeTransport:
    """Replies from a list, and records the requests.

    Args:
        replies: Responses, library errors to raise, or functions from a request to a response, in
            order. If the last reply is a function, it serves all further requests.
        seconds: How long each reply takes, in loop time.

    Attributes:
        requests: The requests sent, credentials included.
        closed: Whether it was closed.
    """

    _replies: list[Reply] = field(converter=_listed)
    seconds: float = 0.0
    requests: list[Request] = field(factory=list, init=False)
    closed: bool = field(default=False, init=False)

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """See Transport."""
        self.requests.append(request)
        if not self._replies:
            raise AssertionError(f"no reply left for {request.method} {request.path}")
        is_rest = len(self._replies) == 1 and callable(self._replies[0])
        response = self._replies[0] if is_rest else self._replies.pop(0)
        await asyncio.sleep(self.seconds)
        if isinstance(response, Error):
            raise response
        if callable(response):
            response = response(request)
        if on_head is not None:
            on_head(response.status, response.headers)
        return response

    async def close(self) -> None:
        """See Transport."""
        self.closed = True

    @property
    def paths(self) -> list[str]:
        """The paths and queries of the requests, in order."""
        return [request.path for request in self.requests]


@define(eq=False)
class SimulatorTransport:
    """Passes requests to a simulator in the same process, without a socket."""

    simulator: Simulator

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """See Transport."""
        if request.source is not None:
            body = b"".join([chunk async for chunk in request.source.chunks()])
            request = evolve(request, body=body, source=None)
        if "user-agent" not in request.headers:  # HttpTransport adds it
            request = evolve(request, headers=request.headers.with_field("user-agent", USER_AGENT))
        try:
            response = await self.simulator.handle(request)
        except ConnectionResetError as error:
            raise no_response_error(request, str(error)) from error
        if on_head is not None:
            on_head(response.status, response.headers)
        return response

    async def close(self) -> None:
        """See Transport."""
