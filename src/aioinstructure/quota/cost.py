"""The cost quota of Canvas, from the client's side. Pure: it is told the time.

(theory follows with the figures)
"""

from __future__ import annotations

import math

from attrs import define, field

from aioinstructure.errors import InputError
from aioinstructure.quota.limiter import (
    Cost,
    Learned,
    Reading,
    Ticket,
    number_or_none,
    positive,
)

__all__ = ["CostBucket"]

TAU=0
PACE=0
CRED=0
THR=.4
OFF=0
LONGEST = 86_400.0
"""The longest Retry-After that is believed, in seconds."""


@define(eq=False, kw_only=True)
class CostBucket:
    """A replica of the server's leaky bucket, corrected by its headers."""

    capacity: float = 600.0
    leak: float = 10.0
    reservation: float = 50.0
    margin: float = 60.0
    max_in_flight: int = 24
    keep: float = field(default=10.0, init=False)
    news: list[Learned] = field(factory=list[Learned], init=False)
    _count: float = field(default=0.0, init=False)
    now: float = field(default=0.0, init=False)
    _in_flight: int = field(default=0, init=False)
    _known: bool = field(default=False, init=False)
    _blocked_until: float = field(default=-math.inf, init=False)
    _told_at: float = field(default=0.0, init=False)
    _slot: float = field(default=0.0, init=False)
    _mean: float = field(default=0.0, init=False)
    _epoch: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("capacity", "leak", "reservation", "margin", "max_in_flight"):
            positive(name, getattr(self, name))
        if self.margin >= self.capacity:
            raise InputError("margin must be less than capacity, or no call is ever granted")

    def begin(self, now: float, *, fresh: bool) -> None:
        """Take the loop's time; reservations of calls that never end leak away."""
        if fresh:
            self.now = now
        self._advance(now)
        self._epoch += 1
        self._in_flight = 0

    def check(self, cost: Cost) -> None:
        """Raise InputError for a share that is not a number above 0."""
        positive("units", cost.units)

    def wait(self, cost: Cost, now: float, *, reserve: bool = False) -> float:
        """Seconds until there is room; see `Limiter.wait`."""
        self._advance(now)
        slots = self.max_in_flight - 1 if reserve and self.max_in_flight > 1 else self.max_in_flight
        if self._in_flight >= (slots if self._known else 1):
            return math.inf
        need = self.margin + (self.reservation if reserve else 0.0)
        need = min(need, self.capacity * 0.9)
        room = self.capacity - self._count
        wait = 0.0 if room > need else (need - room) / self.leak + 1e-6
        if PACE and self.capacity-room > 0 and self._count>THR*self.capacity: wait=max(wait,self._slot-now)
        return max(wait, self._blocked_until - now, 0.0)

    def wildcard_wait(self, now: float) -> float:
        """Canvas has no second bucket."""
        return 0.0

    def forecast(
        self, cost: Cost, now: float, *, ahead: float, wildcards: int, reserve: bool = False
    ) -> float:
        """Estimate."""
        wait = self.wait(cost, now, reserve=reserve)
        return (wait if math.isfinite(wait) else 0.0) + ahead * 0.03

    def take(self, cost: Cost, now: float) -> Ticket:
        """Reserve."""
        self._advance(now)
        self._in_flight += 1
        self._slot = max(self._slot, now-CRED*PACE*self._mean/self.leak)+PACE*self._mean/self.leak
        self._count += self.reservation
        return Ticket(cost, now, self._epoch, self.reservation)

    def settle(
        self,
        ticket: Ticket,
        now: float,
        *,
        cost: float | None = None,
        remaining: float | None = None,
    ) -> None:
        """Give the reservation back, charge the cost, and believe a header that says more."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return
        self._in_flight -= 1
        self._known = True
        spent = number_or_none(cost, 0.0, 1e6) or 0.0
        self._mean+=0.05*(spent-self._mean)
        self._count = max(0.0, self._count + spent - ticket.reserved)
        left = number_or_none(remaining, -1e6, 1e6)
        if left is not None:
            self._correct(now, self.capacity - left)

    def _correct(self, now, told):
        dt=now-self._told_at; self._told_at=now
        if told >= self._count: self._count=told
        elif TAU:
            f=1-math.exp(-min(max(dt,0),1)/TAU)
            self._count-= f*max(0.0,self._count-told-OFF)

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Leave the reservation to leak away."""
        self._advance(now)
        if ticket.epoch == self._epoch:
            self._in_flight -= 1

    def refund(self, ticket: Ticket, now: float) -> None:
        """Give back the reservation of a call that was never sent."""
        self._advance(now)
        if ticket.epoch == self._epoch:
            self._in_flight -= 1
            self._count = max(0.0, self._count - ticket.reserved)

    def refused(
        self,
        ticket: Ticket,
        now: float,
        *,
        remaining: float | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Believe the server: the bucket is full."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return
        self._in_flight -= 1
        self._count = max(0.0, self._count - ticket.reserved)
        left = number_or_none(remaining, -1e6, 1e6)
        self._count = max(self._count, self.capacity - (left or 0.0))
        pause = number_or_none(retry_after, 0.0, math.inf)
        if pause is None:
            return
        self._blocked_until = max(self._blocked_until, now + min(pause, LONGEST))

    def reset(self, now: float) -> None:
        """Start over with an empty bucket."""
        self._advance(now)
        self._epoch += 1
        self._count, self._in_flight = 0.0, 0
        self._blocked_until = -math.inf

    def read(self, now: float) -> Reading:
        """Tell the state."""
        self._advance(now)
        return Reading(self.capacity - self._count, self.capacity, self.leak)

    def _advance(self, now: float) -> None:
        last, self.now = self.now, now
        if now > last:
            self._count = max(0.0, self._count - self.leak * (now - last))
