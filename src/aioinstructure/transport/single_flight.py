"""Identical concurrent reads as one request."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Hashable
from typing import Final

from attrs import define, evolve, field

from aioinstructure.errors import DeadlineError, DeadlineExceeded, Error
from aioinstructure.transport.call_context import AnonymousFlow, CallContext, Handler
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import scrub

__all__ = ["SingleFlight", "own_copy", "single_flight_layer"]

_GRACE: Final = 0.05
"""Seconds that are too short to send a request. A caller that has joined waits this much longer
than its deadline: the error of the caller that sent, due at the same time, says more."""

_LEAST: Final = 0.001
"""The minimum of seconds left, so that the scheduler decides whether it is too late."""


def single_flight_layer(inner: Handler, flights: SingleFlight, shares_reads: bool) -> Handler:
    """Let identical GETs with the same queueing options share one response."""
    if not shares_reads:
        return inner

    async def handle(context: CallContext) -> Response:
        if context.request.method == "GET":
            # A body that is streamed reaches one caller only.
            is_shared = context.on_body is None
            return await (flights.join(context, inner) if is_shared else inner(context))
        try:
            return await inner(context)
        finally:
            flights.forget()  # reads in flight may show the state before this write

    return handle


@define(eq=False)
class SingleFlight:
    """Calls in flight, by all that is sent and how it is queued.

    The first caller sends, in its own task; callers that join wait for its response or error. If
    the first caller is cancelled, or its deadline passes before theirs, one of those that joined
    sends instead, in the time that it has left.
    """

    _futures: dict[Hashable, asyncio.Future[Response | None]] = field(factory=dict, init=False)

    async def join(self, context: CallContext, send: Handler) -> Response:
        """Return the response of an identical call in flight; without one, send this call.

        Named flows are kept separate: each has its own place in the queue, and a full one must not
        delay another.
        """
        request, options = context.request, context.options
        key = (
            request.url,
            request.route,
            request.idempotent,
            options.lane,
            None if isinstance(options.flow, AnonymousFlow) else options.flow,
            options.deadline,
        )
        loop = asyncio.get_running_loop()
        left = options.deadline
        ends = None if left is None else loop.time() + left
        while (flight := self._futures.get(key)) is not None and flight.get_loop() is loop:
            response = await _joined(flight, ends, request)
            if response is not None:
                return response
            left = None if ends is None else ends - loop.time()
        future = self._futures[key] = loop.create_future()
        if left != options.deadline:
            context.options = evolve(options, deadline=max(left or 0.0, _LEAST))
        try:
            response = await send(context)
        except Error as error:
            future.set_exception(own_copy(error))
            future.exception()  # mark as retrieved: perhaps no one has joined
            raise
        else:
            future.set_result(response)
            return response
        finally:
            if self._futures.get(key) is future:
                del self._futures[key]
            if not future.done():
                future.set_result(None)

    def forget(self) -> None:
        """Let no one join the calls in flight; those that have joined get their response."""
        self._futures.clear()


async def _joined(
    flight: asyncio.Future[Response | None], ends: float | None, request: Request
) -> Response | None:
    """The response of another call; None if it has none and there is time to send."""
    try:
        async with asyncio.timeout_at(None if ends is None else ends + _GRACE):
            return await asyncio.shield(flight)
    except DeadlineExceeded as error:
        # It started earlier, so its time ended earlier. Without deadlines the error is everyone's.
        if ends is None or ends - asyncio.get_running_loop().time() < _GRACE:
            raise own_copy(error)  # noqa: B904 - with its own cause
        return None
    except Error as error:
        raise own_copy(error)  # noqa: B904 - with its own cause
    except TimeoutError as error:
        what = f"{request.method} {scrub(request.path)}"
        raise DeadlineError(f"no response before the deadline: {what}", request=request) from error


def own_copy(error: Error) -> Error:
    """A copy for one caller: tracebacks, contexts and notes of callers must not mix."""
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    return own
