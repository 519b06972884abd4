"""How long a Retry-After of the bucket stops a queue.

A refusal that says when to come back stops all calls. Then one call asks again; the others follow
once it was answered. If it is refused too, the next pause may be longer:

    pause k = min(Retry-After, 60 s x 2^k, 300 s), k = 0, 1, 2 ...

If that call has no response after 5 s, another one asks: it may hang. So a header that asks for a
day does not stop a sync for a day, and a server that is away for an hour gets some twenty calls.
"""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field

__all__ = ["RefusalPause"]

FIRST: Final = 60.0
"""The longest first pause, in seconds."""

LONGEST: Final = 300.0
"""The longest pause, in seconds."""

PATIENCE: Final = 5.0
"""Seconds for which all wait for the response of the call that asks."""


@define
class RefusalPause:
    """The pause of one queue. All times are loop time in seconds.

    Args:
        first: The longest first pause, in seconds; each further one may be twice as long.
        longest: The longest pause, in seconds.

    Attributes:
        until: When the next call may be sent.
        began: When the present pause began; calls that were sent by then say nothing new.
        refusals: The refusals in a row that had a Retry-After; with 0 there is no pause.
    """

    first: float = FIRST
    longest: float = LONGEST
    until: float = field(default=-math.inf, init=False)
    began: float = field(default=-math.inf, init=False)
    refusals: int = field(default=0, init=False)
    _asked_at: float = field(default=-math.inf, init=False)

    def wait(self, now: float) -> float:
        """Seconds until a call may be sent: 0 is now."""
        asking = min(max(0.0, self._asked_at + PATIENCE - now), PATIENCE)
        return max(asking, self.left(now))

    def left(self, now: float) -> float:
        """Seconds that are left of the pause."""
        return min(max(0.0, self.until - now), self.longest)  # the clock may have gone back

    def sent(self, now: float) -> None:
        """Record that a call was sent: after a pause, the only one until it ends."""
        if self.refusals:
            self._asked_at = now

    def ended(self, sent_at: float, *, answered: bool) -> None:
        """Record the end of a call that was not refused."""
        if sent_at <= self.began:
            return
        self._asked_at = -math.inf
        if answered:
            self.refusals, self.until = 0, -math.inf

    def refused(self, sent_at: float, now: float, retry_after: float | None) -> None:
        """Record a refusal, with what it asked for."""
        if sent_at > self.began:
            self._asked_at = -math.inf
            if retry_after:
                self.refusals += 1
                self.began = now
                self.until = now
        if retry_after and self.refusals:
            longest = min(self.first * 2.0 ** min(self.refusals - 1, 10), self.longest)
            self.until = max(self.until, now + min(retry_after, longest))
