"""The throttles of both servers as arithmetic. No clock, no loop: every step is told the time.

Canvas keeps one leaky bucket for each access token. Its state is a `count` of units and the time
it was last `touched`. Whoever touches it first lets leak what has leaked since: `outflow` units a
second, off the whole count, reservations included, and never below 0. A request touches it
twice:

- On arrival it adds a reservation (`up_front_cost`, 50). It is refused if the count, which now
  holds its own reservation, has reached the high-water mark `hwm` (600): so it is let through
  while the count was below 550. The count never passes `maximum` (800), so that part of a
  reservation may be lost in a flood.
- At its end it adds `cost - reservation` in one step. The full reservation is given back, no
  matter how much of it has leaked or was cut off: a long request earns credit, and a flood of
  refused ones lowers the count. A refused request goes through this step too, with its own tiny
  cost; one that raised gives back the reservation and costs nothing.

`X-Rate-Limit-Remaining` is `hwm - count` behind the second step: a refused request can read a
positive number there, and requests still in flight are inside it.

AB Connect has a token bucket for each account: `rate` tokens a second up to `burst`, one taken by
a call, which is refused when there is less than one. Wildcard calls take one of a second, smaller
bucket as well. The gateway's token is spent first, and is lost if the second bucket refuses
(neither order is documented).
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
    """The numbers of one client of Canvas.

    Args:
        hwm: The high-water mark, at which the bucket is full.
        maximum: What the count never passes.
        outflow: Units that leak in a second.
        enabled: Whether a full bucket refuses anybody. The count is kept in any case.
        background: Units a second that somebody else spends of the same token, evenly.
    """

    hwm: float = 600.0
    maximum: float = 800.0
    outflow: float = 10.0
    enabled: bool = True
    background: float = 0.0


@define
class LeakyBucket:
    """The bucket of one access token of Canvas; the module tells the theory."""

    count: float = 0.0
    touched: float | None = None

    def increment(self, delta: float, now: float, rules: LeakyRules) -> float:
        """Lets leak what has leaked, adds `delta`, clamps, and gives the new count.

        A clock that steps back lets nothing leak, and `touched` follows it all the same.
        """
        touched = now if self.touched is None else self.touched
        count = self.count if now - touched <= _EXPIRY else 0.0
        drain = rules.outflow - rules.background
        if now > touched and (count > 0 or drain < 0):
            count -= drain * (now - touched)
        count = max(count, 0.0)  # before adding: idle time is no credit
        count = min(max(count + delta, 0.0), rules.maximum)
        self.count, self.touched = count, now
        return count

    def arrive(self, reservation: float, now: float, rules: LeakyRules) -> bool:
        """Takes the reservation of a request; whether it is let through."""
        count = self.increment(reservation, now, rules)
        return count < rules.hwm or not rules.enabled

    def leave(self, cost: float, reservation: float, now: float, rules: LeakyRules) -> float:
        """Ends a request, refused or not; gives what its header says is remaining."""
        return rules.hwm - self.increment(cost - reservation, now, rules)


@define
class TokenBucket:
    """A bucket of AB Connect. It is as full as `level` says when it is first touched."""

    level: float
    touched: float | None = None

    def fill(self, now: float, rate: float, burst: float) -> None:
        """Adds what has come in since it was last touched."""
        if self.touched is not None and now > self.touched:
            self.level += rate * (now - self.touched)
        self.level = min(self.level, burst)
        self.touched = now if self.touched is None else max(now, self.touched)

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Takes one token if there is one. A refused call costs nothing."""
        self.fill(now, rate, burst)
        # Sums of floats: a bucket that is due to hold one token must not refuse for 1e-15.
        if self.level < 1.0 - 1e-9:
            return False
        self.level = max(0.0, self.level - 1.0)
        return True


@define
class BackgroundClient:
    """Somebody else with the same key: calls at random moments, on the average `per_second`."""

    random: Random
    due: float | None = field(default=None, init=False)

    def catch_up(
        self, bucket: TokenBucket, now: float, rate: float, burst: float, per_second: float
    ) -> None:
        """Makes the calls that came before `now`, each at its own moment."""
        if per_second <= 0:
            self.due = None
            return
        if self.due is None:
            self.due = now + self.random.expovariate(per_second)
        while self.due <= now:
            bucket.take(self.due, rate, burst)
            self.due += self.random.expovariate(per_second)
