"""What one call carries down the pipeline: its request, its options and how far it has come."""

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
"""Called with the status and the headers of an answer, before its body is read."""

OnBody: TypeAlias = Callable[[AsyncIterator[bytes]], Awaitable[None]]
"""Consumes the body of a good answer in chunks; called again, from the start, by each attempt."""


class Transport(Protocol):
    """Sends one request and reads the answer; the only thing that does I/O."""

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """The answer, whatever it says.

        Args:
            request: With its credential; the URL is sent unchanged.
            on_head: Called once with status and headers, before the body is read.

        Raises:
            TransportError: There was none. `UnknownOutcome` for a request that is not idempotent.
        """
        ...

    async def close(self) -> None:
        """Close what it has opened itself."""
        ...


@runtime_checkable
class StreamingTransport(Transport, Protocol):
    """A transport that need not hold the body of an answer in memory."""

    async def stream(self, request: Request, on_head: OnHead | None, on_body: OnBody) -> Response:
        """As `send`, but the body of an answer with a 2xx status goes to `on_body`."""
        ...


class AnonymousFlow:
    """The flow of calls for which no flow is named: each view is one, and each list."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<anonymous flow>"


@frozen
class Options:
    """How calls are queued; views of a client differ in these alone.

    Attributes:
        lane: "interactive", "bulk" or "background".
        flow: Who shares the lane fairly; None makes a flow of each view and of each list.
        weight: The share of the flow.
        deadline: Seconds for queueing, attempts and the body together; None waits for ever.
    """

    lane: Lane = "interactive"
    flow: Hashable = None
    weight: float = 1.0
    deadline: float | None = None


@define(eq=False)
class CallContext:
    """One call on its way. Layers read the options and keep the state; nobody else holds it.

    Attributes:
        deadline_at: Loop time at which it must be over.
        attempts: How many were begun.
        in_flight: Whether one is with the transport, or was when the call was cancelled.
        unanswered: Whether one ended without an answer after it may have arrived.
        last_error: What the last attempt ended with.
    """

    request: Request
    options: Options
    cost: Cost
    deadline_at: float | None = None
    attempts: int = 0
    in_flight: bool = False
    unanswered: bool = False
    last_error: Error | None = None
    on_head: OnHead | None = field(default=None, repr=False)
    on_body: OnBody | None = field(default=None, repr=False)


Handler: TypeAlias = Callable[[CallContext], Awaitable[Response]]
