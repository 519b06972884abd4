"""Calls that wait for their lease, and one timer for the deadlines of all of them."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable

from attrs import define, field

from aioinstructure.quota.lanes import Waiter
from aioinstructure.quota.lease import Lease

__all__ = ["Deadlines", "Waiting"]

SPARE = 64
"""Entries of calls that no longer wait, before they are removed, beyond one for each that does."""


@define(eq=False)
class Waiting(Waiter):
    """A waiter with what is needed to wake it.

    Args:
        owner: For whom it waits; see `Scheduler.dismiss`.
        lease: What it was granted.
        future: What its caller awaits, if the lease is not granted at once.
    """

    owner: object = field(default=None)
    lease: Lease | None = field(default=None, init=False)
    future: asyncio.Future[Lease] | None = field(default=None, init=False)

    @property
    def is_waiting(self) -> bool:
        """Whether its caller waits for the future."""
        return self.future is not None and not self.future.done()

    def fail(self, error: Exception) -> None:
        """Raise an error in its caller, if that waits."""
        if self.future is not None and not self.future.done():
            self.future.set_exception(error)


@define(eq=False)
class Deadlines:
    """The calls of one event loop that wait until a time.

    Args:
        loop: The loop.
        now: Returns the time.
        expire: Called for each call that still waits when its time has come.
    """

    loop: asyncio.AbstractEventLoop
    now: Callable[[], float]
    expire: Callable[[Waiting], None]
    _heap: list[tuple[float, int, Waiting]] = field(factory=list, init=False)
    _added: int = field(default=0, init=False)
    _tidy_at: int = field(default=SPARE, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _at: float = field(default=math.inf, init=False)

    def add(self, call: Waiting, now: float, at: float) -> None:
        """Expire `call` at a time, unless it no longer waits then."""
        heap = self._heap
        if len(heap) >= self._tidy_at:
            heap[:] = [entry for entry in heap if entry[2].is_waiting]
            heapq.heapify(heap)
            self._tidy_at = 2 * len(heap) + SPARE
        self._added += 1
        heapq.heappush(heap, (at, self._added, call))
        if at < self._at:
            self._set(now)

    def close(self) -> None:
        """Forget all."""
        self._heap.clear()
        self._cancel()

    def _set(self, now: float) -> None:
        self._cancel()
        self._at = self._heap[0][0]
        self._timer = self.loop.call_later(max(0.0, self._at - now), self._ring)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._at = None, math.inf

    def _ring(self) -> None:
        self._cancel()
        now, heap = self.now(), self._heap
        while heap and heap[0][0] <= now:
            call = heapq.heappop(heap)[2]
            if call.is_waiting:
                self.expire(call)
        while heap and not heap[0][2].is_waiting:
            heapq.heappop(heap)
        if heap:
            self._set(now)
