"""Identical reads at the same time are one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from attrs import define, field

from aioinstructure.errors import DeadlineError, Error, QuotaError
from aioinstructure.transport.call_context import Options
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import scrub

__all__ = ["SingleFlight"]

_GRACE: Final = 0.05
"""Seconds in which nothing more can be sent. By so many, who joined waits longer than its deadline:
the error of the one who sent, which is due at the same moment, says more."""


@define(eq=False)
class SingleFlight:
    """Calls under way, by what makes them the same: all that is sent, and how it is queued.

    The first caller sends, in its own task; those who join wait for its answer, or its error. If
    it is cancelled, or its deadline passes before theirs do, one of those who joined sends instead,
    with what is left of its own time.
    """

    _futures: dict[Hashable, asyncio.Future[Response | None]] = field(factory=dict, init=False)

    async def join(
        self,
        request: Request,
        options: Options,
        send: Callable[[float | None], Awaitable[Response]],
    ) -> Response:
        """The answer to a call that is under way, or to one that is sent now.

        Args:
            request: The call.
            options: How it is queued. Named flows are kept apart: each has its own place in the
                queue, and one that is full must not hold up another.
            send: Sends it, with a deadline in seconds.
        """
        key = (
            request.url,
            request.route,
            request.idempotent,
            options.lane,
            options.flow,
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
        try:
            answer = await send(left)
        except Error as error:
            future.set_exception(error)
            future.exception()  # seen: perhaps nobody has joined
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
        """Let nobody join the calls that are under way; those who did have their answer."""
        self._futures.clear()


async def _joined(
    flight: asyncio.Future[Response | None], ends: float | None, request: Request
) -> Response | None:
    """The answer that another call brings; None if it brings none, and there is time to send."""
    try:
        async with asyncio.timeout_at(None if ends is None else ends + _GRACE):
            return await asyncio.shield(flight)
    except (DeadlineError, QuotaError):
        # It began earlier, so its time was up earlier. Without deadlines it is everybody's error.
        if ends is None or ends - asyncio.get_running_loop().time() < _GRACE:
            raise
        return None
    except TimeoutError as error:
        what = f"{request.method} {scrub(request.path)}"
        raise DeadlineError(f"no answer in time: {what}", request=request) from error
