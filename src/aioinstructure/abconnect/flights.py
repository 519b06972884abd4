"""Identical reads at the same time are one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from attrs import define, field

from aioinstructure.errors import Error
from aioinstructure.wire.message import Response

__all__ = ["Flights"]


@define(eq=False)
class Flights:
    """Calls under way, by what makes them the same.

    The first caller sends, in its own task; those who join wait for its answer, or its error. If
    it is cancelled, one of those who joined sends instead.
    """

    _futures: dict[Hashable, asyncio.Future[Response | None]] = field(factory=dict, init=False)

    async def join(self, key: Hashable, send: Callable[[], Awaitable[Response]]) -> Response:
        """The answer to a call that is under way, or to one that is sent now."""
        loop = asyncio.get_running_loop()
        while (flight := self._futures.get(key)) is not None and flight.get_loop() is loop:
            if (answer := await asyncio.shield(flight)) is not None:
                return answer
        future = self._futures[key] = loop.create_future()
        try:
            answer = await send()
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
