"""The state that one call carries through the pipeline: request, options and progress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Protocol, TypeAlias, runtime_checkable

from attrs import define, field, frozen

from aioinstructure._types import Lane
from aioinstructure.errors import Error
from aioinstructure.quota import Cost
from aioinstructure.wire.message import Headers, Request, Response

__all__ = [
    "AnonymousFlow",
    "CallContext",
    "Handler",
    "OnBody",
    "OnHead",
    "Options",
    "StreamingTransport",
    "Transport",
]

OnHead: TypeAlias = Callable[[int, Headers], None]
"""Called with the status and headers of a response, before its body is read."""

OnBody: TypeAlias = Callable[[AsyncIterator[bytes]], Awaitable[None]]
"""Consumes the body of a 2xx response in chunks; each attempt calls it again, from the start."""


class Transport(Protocol):
    """Sends one request and reads its response. All network I/O happens here."""

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """Return the response, whatever its status.

        Args:
            request: With its credential; the URL is sent unchanged.
            on_head: Called once with status and headers, before the body is read.

        Raises:
            TransportError: There was no response. `UnknownOutcome` if the request is not
                idempotent, or if it is a write and the transport was closed meanwhile.
        """
        ...

    async def close(self) -> None:
        """Close everything that the transport opened itself."""
        ...


@runtime_checkable
class StreamingTransport(Transport, Protocol):
    """A transport that can stream a response body instead of holding it in memory."""

    async def stream(self, request: Request, on_head: OnHead | None, on_body: OnBody) -> Response:
        """As `send`, but the body of a 2xx response goes to `on_body`."""
        ...


class AnonymousFlow:
    """The flow of calls without a named flow: each view and each list has its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<anonymous flow>"


@frozen
class Options:
    """How calls are queued. Views of a client differ only in these options.

    Attributes:
        lane: "interactive", "bulk" or "background".
        flow: Calls of one flow share its turns in the lane; None gives each view and each list its
            own flow.
        weight: The share of the flow.
        deadline: Seconds for queueing, attempts and the body together; None for no limit.
    """

    lane: Lane = "interactive"
    flow: Hashable = None
    weight: float = 1.0
    deadline: float | None = None


@define(eq=False)
class CallContext:
    """The state of one call. Layers read its options and update its state.

    Attributes:
        deadline_at: Loop time of the deadline.
        attempts: How many attempts were started.
        generation: The generation of the credential that the last attempt carried.
        in_flight: Whether an attempt is with the transport, or was when the call was cancelled.
        unanswered: Whether an attempt that may have arrived got no response.
        may_have_happened: Whether this is a write of which an attempt may have taken effect: it got
            no response, or one that leaves this open.
        expects_json: Whether this is a read whose result is JSON.
        is_limited: Whether the endpoint refused the last attempt by a limit of its own.
        last_error: The error of the last attempt.
    """

    request: Request
    options: Options
    cost: Cost
    deadline_at: float | None = None
    attempts: int = 0
    generation: int = 0
    in_flight: bool = False
    unanswered: bool = False
    may_have_happened: bool = False
    expects_json: bool = False
    is_limited: bool = False
    last_error: Error | None = None
    on_head: OnHead | None = field(default=None, repr=False)
    on_body: OnBody | None = field(default=None, repr=False)


Handler: TypeAlias = Callable[[CallContext], Awaitable[Response]]
