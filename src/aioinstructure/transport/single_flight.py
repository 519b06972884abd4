"""Identical reads at the same time are one request."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Final

from attrs import define, evolve, field

from aioinstructure.errors import DeadlineError, Error, QuotaError
from aioinstructure.transport.call_context import AnonymousFlow, CallContext, Handler
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import scrub

__all__ = ["SingleFlight", "single_flight_layer"]

_GRACE: Final = 0.05
"""Seconds in which nothing more can be sent. A caller that has joined waits so much longer than its
deadline: the error of the caller that sent, due at the same moment, says more."""

_LEAST: Final = 0.001
"""Seconds that are left at least, so that the scheduler decides whether it is too late."""


def single_flight_layer(inner: Handler, flights: SingleFlight, shares_reads: bool) -> Handler:
    """Let identical GETs that are queued alike share one answer."""
    if not shares_reads:
        return inner

    async def handle(context: CallContext) -> Response:
        if context.request.method == "GET":
            return await flights.join(context, inner)
        try:
            return await inner(context)
        finally:
            flights.forget()  # reads in flight may show the state before this write

    return handle


@define(eq=False)
class SingleFlight:
    """Calls in flight, by what makes them the same: all that is sent, and how it is queued.

    The first caller sends, in its own task; those who join wait for its answer, or its error. If
    it is cancelled, or its deadline passes before theirs, one of those who joined sends instead,
    with what is left of its own time.
    """

    _futures: dict[Hashable, asyncio.Future[Response | None]] = field(factory=dict, init=False)

    async def join(self, context: CallContext, send: Handler) -> Response:
        """The answer to a call that is in flight, or to this one, which is sent now.

        Named flows are kept apart: each has its own place in the queue, and one that is full must
        not hold up another.
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
            answer = await _joined(flight, ends, request)
            if answer is not None:
                return answer
            left = None if ends is None else ends - loop.time()
        future = self._futures[key] = loop.create_future()
        if left != options.deadline:
            context.options = evolve(options, deadline=max(left or 0.0, _LEAST))
        try:
            answer = await send(context)
        except Error as error:
            future.set_exception(error)
            future.exception()  # seen: perhaps no one has joined
            raise
        else:
            future.set_result(answer)
            return answer
        finally:
            if self._futures.get(key) is future:
                del self._futures[key]
            if not future.done():
                future.set_result(None)

    def forget(self) -> None:
        """Let no one join the calls in flight; those who did get their answer."""
        self._futures.clear()


async def _joined(
    flight: asyncio.Future[Response | None], ends: float | None, request: Request
) -> Response | None:
    """The answer that another call brings; None if it brings none, and there is time to send."""
    try:
        async with asyncio.timeout_at(None if ends is None else ends + _GRACE):
            return await asyncio.shield(flight)
    except (DeadlineError, QuotaError):
        # It began earlier, so its time was up earlier. Without deadlines it is the error of all.
        if ends is None or ends - asyncio.get_running_loop().time() < _GRACE:
            raise
        return None
    except TimeoutError as error:
        what = f"{request.method} {scrub(request.path)}"
        raise DeadlineError(f"no answer in time: {what}", request=request) from error
