"""The throttles of both servers as arithmetic. No clock, no loop: the time is an argument.

Canvas keeps one leaky bucket for each access token. Its state is a `count` of units and the time
it was last `touched`. Each touch first applies the leak since then: `outflow` units per second,
from the complete count including reservations, never below 0. A request touches it twice:

- On arrival it adds a reservation (`up_front_cost`, 50). It is refused if the count, which now
  includes its own reservation, has reached the high-water mark `hwm` (600). So it is admitted if
  the count was below 550. The count never exceeds `maximum` (800): in a flood, part of a
  reservation can be cut off.
- At its end it adds `cost - reservation` in one step. The full reservation is refunded, no matter
  how much of it has leaked or was cut off: a long request earns credit, and a flood of refused
  ones lowers the count. A refused request also takes this step, with a tiny cost of its own. A
  request that raised an exception gets its reservation back and costs nothing.

`X-Rate-Limit-Remaining` is `hwm - count` after the second step. So a refused request can report a
positive number, and the number includes requests that are still in flight.

AB Connect has a token bucket for each account: `rate` tokens per second up to `burst`. A call
takes one token, and is refused if there is less than one. Wildcard calls also take a token from a
second, smaller bucket. The token of the first bucket is taken first, and is lost if the second
bucket refuses (neither order is documented).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from random import Random

__all__ = ["BackgroundClient", "LeakyBucket", "LeakyRules", "TokenBucket"]

_EXPIRY = 3600.0  # seconds after which the server's store forgets an untouched bucket


@frozen
class LeakyRules:
    """The throttle settings of one Canvas client.

    Args:
        hwm: The high-water mark, at which the bucket is full.
        maximum: The upper limit of the count.
        outflow: Units that leak per second.
        enabled: Whether a full bucket refuses requests. The count is kept in any case.
        background: Units per second that another client with the same token spends, evenly.
    """

    hwm: float = 600.0
    maximum: float = 800.0
    outflow: float = 10.0
    enabled: bool = True
    background: float = 0.0


@define
class LeakyBucket:
    """The bucket of one Canvas access token, as the module docstring describes it."""

    count: float = 0.0
    touched: float | None = None

    def increment(self, delta: float, now: float, rules: LeakyRules) -> float:
        """Apply the leak, add `delta`, clamp, and return the new count.

        If the clock steps back, nothing leaks, but `touched` is still set.
        """
        touched = now if self.touched is None else self.touched
        count = self.count if now - touched <= _EXPIRY else 0.0
        drain = rules.outflow - rules.background
        if now > touched and (count > 0 or drain < 0):
            count -= drain * (now - touched)
        count = max(count, 0.0)  # before adding: idle time earns no credit
        count = min(max(count + delta, 0.0), rules.maximum)
        self.count, self.touched = count, now
        return count

    def arrive(self, reservation: float, now: float, rules: LeakyRules) -> bool:
        """Add the reservation of a request; return whether it is admitted."""
        count = self.increment(reservation, now, rules)
        return count < rules.hwm or not rules.enabled

    def leave(self, cost: float, reservation: float, now: float, rules: LeakyRules) -> float:
        """End a request, admitted or refused; return the remaining units for its header."""
        return rules.hwm - self.increment(cost - reservation, now, rules)


@define
class TokenBucket:
    """A bucket of AB Connect. It holds `level` tokens when it is first touched."""

    level: float
    touched: float | None = None

    def fill(self, now: float, rate: float, burst: float) -> None:
        """Add the tokens that have accrued since the last touch."""
        if self.touched is not None and now > self.touched:
            self.level += rate * (now - self.touched)
        self.level = min(self.level, burst)
        self.touched = now if self.touched is None else max(now, self.touched)

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Take one token if there is one. A refused call costs nothing."""
        self.fill(now, rate, burst)
        # Tolerates float rounding: a bucket that should hold one token must not refuse.
        if self.level < 1.0 - 1e-9:
            return False
        self.level = max(0.0, self.level - 1.0)
        return True


@define
class BackgroundClient:
    """Another client with the same key: `per_second` calls on average, at random times."""

    random: Random
    due: float | None = field(default=None, init=False)

    def catch_up(
        self, bucket: TokenBucket, now: float, rate: float, burst: float, per_second: float
    ) -> None:
        """Make the calls that are due by `now`, each at its own time."""
        if per_second <= 0:
            self.due = None
            return
        if self.due is None:
            self.due = now + self.random.expovariate(per_second)
        while self.due <= now:
            bucket.take(self.due, rate, burst)
            self.due += self.random.expovariate(per_second)
