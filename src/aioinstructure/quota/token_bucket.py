"""The token bucket of AB Connect, as a client-side replica. Pure: every method receives the time.

The server adds 5 tokens a second up to 25, and a call takes one. An empty bucket returns 429; no
header reports its level. Calls with a wildcard (`fields[...]=*`) also take from a second bucket of
2 tokens a second.

- The burst is 24, a margin of one token: calls are delayed differently on their way, so the server
  receives them closer together than they were sent. burst <= 25 - 5 x (spread in seconds).
  With 25, a full burst gets a 429 in a third of the runs. The long-run rate is exactly 5.00/s.
- The wildcard bucket has burst 1, for the same reason. A call takes from both buckets or neither.
- A 429 is one event, however many calls in flight get it: the level falls to 0 and the rate to
  0.85 of its value, once. The 429 of a call sent before the last cut changes nothing; 24
  consecutive cuts would leave a fiftieth of the rate.
- Two such events with responses in between reveal the server's rate, since its bucket was empty at
  both: it granted what it gained. The rate is then 0.92 of that, so that the server's bucket fills
  a little.
- Two such events without a response in between are an outage, or a far slower server. The rate is
  halved, to 0.4/s at least, but the last good rate is not forgotten.
- The rate grows by 0.02/s every second to the last good one; after an outage, once there is a
  response, to 0.92 of it in ten seconds. Then it grows by 0.005/s every second to a tenth above
  that, and after that within 15 s to the configured one. After an outage of 30 s, 4.5/s are back within 15 s. If the server falls from 5/s
  to 2/s, a dozen calls in 500 s get a 429; if it falls to 0.5/s and returns, so does the client,
  within 20 s.
- The 429 of a wildcard call, while the server responds to others, is that of the wildcard bucket:
  that is drained and slowed down, and the main rate stays.
- The rate grows beyond the configured one only with `probe`: by 10 % a second while calls wait,
  until the server refuses, and not within 20 s after a 429.
- The server's level is unknown at the start. The first burst is as large as configured, and the
  first 429 drains the replica. A caller that knows the level passes `start_level`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from attrs import define, field

from aioinstructure.errors import InputError
from aioinstructure.quota.limiter import (
    Cost,
    Learned,
    LimiterState,
    Ticket,
    positive,
)
from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = ["TokenBucket"]

CUT = 0.85
"""What is left of the rate after a 429."""

KNOWN = 0.92
"""What is left of the server's rate once it is known, so that its bucket fills a little."""

SLOWEST = 0.4
"""The lowest rate of an outage, in tokens per second: one call in 2.5 s asks."""

SLOWEST_SECONDARY = 0.1
"""The lowest rate of a secondary bucket, in tokens per second."""

CLIMB = 10.0
"""Seconds in which the rate returns to the last good one, once there are responses again."""

CREEP = 0.005
"""Growth every second from there to a tenth above it, in tokens per second; more if the good rate
is less than 0.4 of the configured one, as its inverse."""

GROWTH = 0.02
"""The least growth every second beyond that, and before the first response."""

SEARCH = 15.0
"""Seconds in which the rate grows from there to the configured one."""

QUIET = 20.0
"""Seconds after a refusal without probing."""

PROBE = math.log(1.1)
"""The exponent of growth beyond the configured rate: 10 % every second."""

IN_USE = 2.0
"""Seconds after a response within which the 429 of a wildcard call is that of the wildcard bucket."""

LATENCY_SHARE = 0.05
"""The share of the newest call in the average latency."""

ENOUGH = 5
"""The minimum number of responses between two refusals to derive the rate from."""

EPSILON = 1e-9
"""Tokens or seconds that may be missing: float sums may never quite reach their due value."""

_SECONDARY: Final[Mapping[str, tuple[float, float]]] = {"wildcard": (2.0, 1.0)}
"""Rate and burst of the bucket for calls whose fields have a wildcard."""


@define(eq=False)
class TokenBucket:
    """A replica of the server's two buckets, each one token smaller.

    Args:
        rate: Tokens per second, in the long run.
        burst: The maximum number of saved tokens.
        secondary: Rate and burst of the buckets from which some calls also take a token, by name.
        start_level: The level at first use; None for the burst.
        start_age: The age of `start_level` in seconds of wall time: a restarted process passes the
            level of the last one and the time since.
        probe: Whether to look for a higher rate than configured while calls wait.
    """

    rate: float = field(default=5.0)
    burst: float = field(default=24.0)
    secondary: Mapping[str, tuple[float, float]] = field(default=_SECONDARY, kw_only=True)
    start_level: float | None = field(default=None, kw_only=True)
    start_age: float = field(default=0.0, kw_only=True)
    probe: bool = field(default=False, kw_only=True)
    reserve_seconds: float = field(default=math.inf, init=False)
    is_reported: bool = field(default=False, init=False)
    pending_changes: list[Learned] = field(factory=list[Learned], init=False)
    _level: float = field(default=0.0, init=False)
    _levels: dict[str, float] = field(factory=dict[str, float], init=False)  # of those not full
    now: float = field(default=0.0, init=False)
    _pace: float = field(default=0.0, init=False)
    _cut_at: float = field(default=-math.inf, init=False)
    _known: float = field(default=math.inf, init=False)  # the last good rate
    _previous: float = field(default=math.inf, init=False)  # and the one before the last cut
    _answered_at: float = field(default=-math.inf, init=False)
    _was_out: bool = field(default=False, init=False)  # the last cut was that of an outage
    _answered: int = field(default=0, init=False)  # responses to calls sent after the last cut
    _measured: int = field(default=0, init=False)  # responses since `_mark`
    _mark: float = field(default=-math.inf, init=False)
    _slower: dict[str, tuple[float, float]] = field(factory=dict, init=False)  # rate, last cut
    _seconds: float | None = field(default=None, init=False)  # that a call usually takes
    _epoch: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        rates = {"": (self.rate, self.burst), **self.secondary}
        for name, (rate, burst) in rates.items():
            positive(f"{name} rate".strip(), rate)
            if positive(f"{name} burst".strip(), burst) < 1:
                raise InputError(
                    f"{f'{name} burst'.strip()} must be at least 1, or no call is granted"
                )
        start = self.burst if self.start_level is None else self.start_level
        if not math.isfinite(start) or not math.isfinite(self.start_age):
            raise InputError("start_level and start_age must be finite")
        grown = start + self.rate * max(0.0, self.start_age)
        self._level = max(0.0, min(self.burst, grown))
        self._pace = self.rate

    def set_rate(self, rate: float, burst: float | None, now: float) -> None:
        """Change the configured limit; saved tokens are kept, up to the new burst."""
        positive("rate", rate)
        if burst is not None and positive("burst", burst) < 1:
            raise InputError("burst must be at least 1, or no call is ever granted")
        self._advance(now)
        self.rate = self._pace = rate
        self._known = self._previous = math.inf
        self.burst = self.burst if burst is None else burst
        self._level = min(self._level, self.burst)

    def begin(self, now: float, *, fresh: bool) -> None:
        """Adopt the time of the loop; calls that never end still cost their token."""
        if fresh:
            self.now = now
        self._advance(now)

    def check(self, cost: Cost) -> None:
        """Raise InputError for a cost above the burst, which can never be granted."""
        if not 0.0 < cost.units <= self.burst and positive("units", cost.units) > self.burst:
            raise InputError(f"a call of {cost.units} tokens exceeds the burst of {self.burst}")

    def wait(self, cost: Cost, now: float, *, urgent: bool = False, reserve: bool = False) -> float:
        """Seconds until there are enough tokens; see `Limiter.wait`."""
        self._advance(now)
        keep = min(1.0, self.burst - cost.units) if reserve else 0.0
        missing = cost.units + keep - self._level
        wait = self._refill(missing) if missing > EPSILON else 0.0
        return wait if wait > EPSILON else 0.0

    def bucket_wait(self, bucket: str, now: float) -> float:
        """Seconds until a secondary bucket has a token; 0 for an unknown one."""
        if bucket not in self.secondary:
            return 0.0
        self._advance(now)
        missing = 1.0 - self._level_of(bucket)
        return missing / self._rate_of(bucket) if missing > EPSILON else 0.0

    def latency(self, cost: Cost) -> float:
        """Seconds that a call usually takes, of any route; 0 if unknown."""
        return self._seconds or 0.0

    def forecast(
        self,
        cost: Cost,
        now: float,
        *,
        ahead: float,
        ahead_in_bucket: float,
        urgent: bool = False,
        reserve: bool = False,
    ) -> float:
        """Seconds until the tokens of all calls ahead and of this one are available."""
        self._advance(now)
        keep = min(1.0, self.burst - cost.units) if reserve else 0.0
        missing = ahead + cost.units + keep - self._level
        wait = self._refill(missing) if missing > EPSILON else 0.0
        if cost.bucket in self.secondary:
            missing = ahead_in_bucket + 1.0 - self._level_of(cost.bucket)
            wait = max(wait, missing / self._rate_of(cost.bucket))
        return max(wait, 0.0)

    def take(self, cost: Cost, now: float, *, urgent: bool = False) -> Ticket:
        """Take tokens from both buckets at once."""
        self._advance(now)
        self._level -= cost.units
        if cost.bucket in self.secondary:
            self._levels[cost.bucket] = self._level_of(cost.bucket) - 1.0
        return Ticket(cost, now, self._epoch)

    def settle(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Count the response: AB Connect does not report its level."""
        self._answered_at = now
        self._answered += ticket.at > self._cut_at
        self._measured += 1
        took = now - ticket.at
        before = took if self._seconds is None else self._seconds
        self._seconds = max(0.0, before + LATENCY_SHARE * (took - before))

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Do nothing: a call that was sent has cost its token."""

    def refund(self, ticket: Ticket, now: float) -> None:
        """Return the tokens of a call that was not sent to both buckets."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return
        self._level = min(self.burst, self._level + ticket.cost.units)
        if (bucket := ticket.cost.bucket) in self._levels:
            self._add(bucket, 1.0)

    def refused(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Drain the bucket that refused, and slow it down once for all calls that it refused."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return
        bucket = ticket.cost.bucket
        if bucket in self.secondary and now - self._answered_at <= IN_USE:
            self._cut_secondary(bucket, ticket.at, now)
        elif ticket.at > self._cut_at:
            self._level = min(self._level, 0.0)
            self._cut(now)

    def _cut(self, now: float) -> None:
        """Slow down the main bucket; see the module for the law."""
        if not math.isfinite(self._known):
            self._known = self._previous = self._pace
            self._pace *= CUT
            self._mark, self._measured = now, 0
        elif not self._answered:
            self._was_out = True
            self._known = self._previous
            self._pace = max(SLOWEST, self._pace / 2)
            self._mark, self._measured = now, 0
        else:
            self._was_out = False
            self._previous = self._known
            elapsed = now - self._mark
            if self._measured >= ENOUGH and elapsed > 0:
                rate = self._measured / elapsed
                self._known = min(self._pace, max(self._pace / 2, rate))
                self._mark, self._measured = now, 0
            self._pace = min(CUT * self._pace, KNOWN * self._known)
        self._cut_at, self._answered = now, 0
        self.pending_changes.append(Learned("rate", self._pace))

    def _cut_secondary(self, bucket: str, sent_at: float, now: float) -> None:
        """Slow down a secondary bucket."""
        rate = self.secondary[bucket][0]
        pace, cut_at = self._slower.get(bucket, (rate, -math.inf))
        if sent_at > cut_at:
            self._levels[bucket] = min(self._level_of(bucket), 0.0)
            self._slower[bucket] = (max(min(rate, SLOWEST_SECONDARY), CUT * pace), now)

    def leap(self, now: float) -> None:
        """Adopt the time, but of the tokens gained since then believe one at most."""
        before = dict.fromkeys(self.secondary, 0.0) | self._levels
        most = min(self._level, 1.0)
        self._advance(now)
        self._level = most
        self._levels = {name: min(level, 0.0) for name, level in before.items()}

    def reset(self, now: float) -> None:
        """Start again with a full bucket; the learned rate is kept."""
        self._advance(now)
        self._epoch += 1
        self._level = self.burst
        self._levels.clear()
        self._cut_at = -math.inf

    def read(self, now: float) -> LimiterState:
        """Return level and rate at `now`."""
        self._advance(now)
        differs = self._pace != self.rate
        return LimiterState(
            level=max(0.0, self._level),
            capacity=self.burst,
            rate=self._pace,
            learned={"rate": self._pace} if differs else {},
        )

    def _advance(self, now: float) -> None:
        """Add the tokens gained since the last call."""
        elapsed = now - self.now
        if elapsed == 0:
            return
        self.now = now
        if not elapsed > 0:  # the clock went back: nothing was added, and no block becomes longer
            self._cut_at = min(self._cut_at, now)
            self._answered_at = min(self._answered_at, now)
            return
        if self._levels:
            for bucket in list(self._levels):
                self._add(bucket, self._rate_of(bucket) * elapsed)
        for bucket, (pace, cut_at) in list(self._slower.items()) if self._slower else ():
            if (faster := pace + CREEP * elapsed) < self.secondary[bucket][0]:
                self._slower[bucket] = (faster, cut_at)
            else:
                del self._slower[bucket]
        if self._pace == self.rate and not self.probe:
            self._level = min(self.burst, self._level + self.rate * elapsed)
            return
        self._grow(elapsed)

    def _rate_of(self, bucket: str) -> float:
        """The rate of a secondary bucket."""
        return self._slower.get(bucket, self.secondary[bucket])[0]

    def _level_of(self, bucket: str) -> float:
        """The level of a secondary bucket."""
        return self._levels.get(bucket, self.secondary[bucket][1])

    def _add(self, bucket: str, tokens: float) -> None:
        """Add tokens to a secondary bucket; a full one is forgotten."""
        level = self._levels[bucket] + tokens
        if level < self.secondary[bucket][1]:
            self._levels[bucket] = level
        else:
            del self._levels[bucket]

    def _grow(self, elapsed: float) -> None:
        """Refill at a rate that grows in the meantime."""
        before = self._level
        quiet = self.now - self._cut_at < QUIET
        growth, until = self._leg()
        while growth and elapsed > 0:
            climb = min(elapsed, (until - self._pace) / growth)
            self._level += climb * (self._pace + growth * climb / 2)
            self._pace = until if climb < elapsed else self._pace + growth * climb
            elapsed -= climb
            growth, until = self._leg() if elapsed > 0 else (0.0, until)
        if self.probe and not quiet and before < 2.0 and self._pace >= self.rate:
            self._pace *= math.exp(PROBE * min(elapsed, 1.0))
        self._level = min(self.burst, self._level + self._pace * elapsed)

    def _leg(self) -> tuple[float, float]:
        """Return how fast the rate grows now, and up to which rate."""
        climb, first = GROWTH, self._known
        if self._was_out and self._answered:
            climb, first = max(GROWTH, self._known / CLIMB), KNOWN * self._known
        creep, search = CREEP, GROWTH
        if self._known < self.rate:
            creep = CREEP * max(1.0, 0.4 * self.rate / self._known)
            search = max(GROWTH, (self.rate - self._known) / SEARCH)
        most = (
            self.rate if not self.probe or math.isinf(self._known) else max(self.rate, self._known)
        )
        for growth, until in (
            (climb, min(first, most)),
            (creep, min(1.1 * self._known, most)),
            (search, self.rate),
        ):
            if self._pace < until:
                return growth, until
        return 0.0, math.inf

    def _refill(self, missing: float) -> float:
        """Seconds until `missing` tokens are added, at a rate that grows in the meantime."""
        pace = self._pace
        growth, until = self._leg()
        if not growth:
            return missing / pace
        climb = (until - pace) / growth
        climbed = climb * (pace + until) / 2
        if missing > climbed:
            return climb + (missing - climbed) / until
        return (math.sqrt(pace * pace + 2 * growth * missing) - pace) / growth
