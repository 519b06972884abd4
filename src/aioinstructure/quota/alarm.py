"""The timer of a scheduler: one at a time, and what it says of a clock that leapt."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from attrs import define, field

__all__ = ["Alarm"]

LEAP = 5.0
"""Seconds by which a timer may be late before the time in between counts as unexplained."""

SAME = 1e-6
"""Seconds between two times that are the same."""


@define(eq=False)
class Alarm:
    """A timer that is set again and again.

    Args:
        ring: Called when its time has come.
    """

    ring: Callable[[], None]
    _at: float = field(default=math.inf, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def set(self, loop: asyncio.AbstractEventLoop | None, now: float, wait: float) -> None:
        """Set it to a time; inf is never."""
        when = now + wait
        if self._timer is not None:
            if abs(when - self._at) < SAME:
                return
            self.cancel()
        if loop is None or loop.is_closed() or not math.isfinite(when):
            return
        self._at = when
        self._timer = loop.call_later(wait, self._ring)

    def cancel(self) -> None:
        """Let it be silent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def is_late(self, now: float) -> bool:
        """Whether it should have rung long ago: the clock leapt, or the loop hung. True once."""
        if self._timer is None or now <= self._at + LEAP:
            return False
        self._at = now
        return True

    def _ring(self) -> None:
        self.ring()
