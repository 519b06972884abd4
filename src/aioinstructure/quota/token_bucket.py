"""The token bucket of AB Connect, from the client's side. Pure: it is told the time.

The server adds 5 tokens a second up to 25 and takes one a call; an empty bucket answers 429, with
no header that would tell its level. Calls with a wildcard (`fields[...]=*`) pass a second bucket
of 2 a second as well.

- Burst 24, one token of margin: calls are delayed by different amounts on their way, so that the
  server sees them closer together than they were sent. burst <= 25 - 5 x (spread in seconds).
  With 25, a full burst meets a 429 in a third of the runs. The long-run rate is exactly 5.00/s.
- The wildcard bucket has burst 1, for the same reason. A call takes from both or from neither.
- A 429 is one event, however many calls in flight meet it: the level falls to 0 and the rate to
  0.85 of itself, once. The 429 of a call sent before the last cut changes nothing; 24 cuts in a
  row would leave a fiftieth of the rate.
- Two such events tell the server's rate, since its bucket was empty at both: it gave what it got
  in between. We then go on at 0.92 of that, so that its bucket fills a little.
- The rate grows by 0.02/s every second up to the configured one, four times slower from the known
  rate to a tenth above it. Where the server falls from 5/s to 3/s this meets a 429 in 0.6 % of
  the calls (1.2 % without the known rate) at all of the 3/s; two strangers on one key meet 49 in
  ten minutes (79 without), at 0.998 of the server's rate.
- Beyond the configured rate only with `probe`, by 10 % a second while calls wait, until the server
  refuses, and not within 20 s after a 429.
- Nobody knows the server's level at the start. The first burst is as large as configured, and the
  first 429 drains the replica; who knows better hands in `start_level`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import define, field

from aioinstructure.errors import InputError
from aioinstructure.quota.limiter import (
    Cost,
    Learned,
    LimiterState,
    Ticket,
    number_or_none,
    positive,
)
from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = ["TokenBucket"]

CUT = 0.85
"""What is left of the rate after a 429."""

KNOWN = 0.92
"""What is left of the server's rate once it is known, so that its bucket fills a little."""

GROWTH = 0.02
"""How much the rate grows every second after a cut, in tokens a second."""

SLOW = 0.25
"""The share of that growth from the known rate to a tenth above it."""

QUIET = 20.0
"""Seconds after a refusal in which nothing is probed."""

PROBE = math.log(1.1)
"""The exponent of growth beyond the configured rate: 10 % every second."""

ENOUGH = 5
"""Calls between two refusals, from which the rate between them can be told."""

EPSILON = 1e-9
"""Tokens or seconds that may be missing: a sum of floats may fall short of its due for ever."""

LONGEST = 86_400.0
"""The longest Retry-After that is believed, in seconds."""


def _secondary() -> dict[str, tuple[float, float]]:
    return {"wildcard": (2.0, 1.0)}


@define(eq=False)
class TokenBucket:
    """A replica of the server's two buckets, one token short of it.

    Args:
        rate: Tokens a second, in the long run.
        burst: The most tokens that can be saved up.
        secondary: Rate and burst of the buckets that some calls also take one from, by name.
        start_level: The level at first use; the burst if None.
        start_age: How many seconds ago `start_level` was read, by the wall clock: a process that
            starts again hands in the last one's level and the time since.
        probe: Whether to look for a higher rate than configured while calls wait.
    """

    rate: float = field(default=5.0)
    burst: float = field(default=24.0)
    secondary: Mapping[str, tuple[float, float]] = field(factory=_secondary, kw_only=True)
    start_level: float | None = field(default=None, kw_only=True)
    start_age: float = field(default=0.0, kw_only=True)
    probe: bool = field(default=False, kw_only=True)
    reserve_seconds: float = field(default=math.inf, init=False)
    pending_changes: list[Learned] = field(factory=list[Learned], init=False)
    _level: float = field(default=0.0, init=False)
    _levels: dict[str, float] = field(factory=dict[str, float], init=False)
    now: float = field(default=0.0, init=False)
    _pace: float = field(default=0.0, init=False)
    _cut_at: float = field(default=-math.inf, init=False)
    _known: float = field(default=math.inf, init=False)
    _answered: int = field(default=0, init=False)
    _blocked_until: float = field(default=-math.inf, init=False)
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
        self._levels = {name: burst for name, (_, burst) in self.secondary.items()}
        self._pace = self.rate

    def set_rate(self, rate: float, burst: float | None, now: float) -> None:
        """Change the configured limit; what is saved up stays, as far as the new burst allows."""
        positive("rate", rate)
        if burst is not None and positive("burst", burst) < 1:
            raise InputError("burst must be at least 1, or no call is ever granted")
        self._advance(now)
        self.rate = self._pace = rate
        self._known = math.inf
        self.burst = self.burst if burst is None else burst
        self._level = min(self._level, self.burst)

    def begin(self, now: float, *, fresh: bool) -> None:
        """Take the loop's time; calls that never end have cost their token all the same."""
        if fresh:
            self.now = now
        self._advance(now)

    def check(self, cost: Cost) -> None:
        """Raise InputError for a cost that the bucket can never hold."""
        if positive("units", cost.units) > self.burst:
            raise InputError(f"{cost.units} tokens at once are more than the burst, {self.burst}")

    def wait(self, cost: Cost, now: float, *, reserve: bool = False) -> float:
        """Seconds until enough tokens are there; see `Limiter.wait`."""
        self._advance(now)
        keep = min(1.0, self.burst - cost.units) if reserve else 0.0
        missing = cost.units + keep - self._level
        wait = self._refill(missing) if missing > EPSILON else 0.0
        wait = max(wait, self._blocked_until - now)
        return wait if wait > EPSILON else 0.0

    def bucket_wait(self, bucket: str, now: float) -> float:
        """Seconds until a secondary bucket holds a token; 0 for one that is not known."""
        if bucket not in self._levels:
            return 0.0
        self._advance(now)
        missing = 1.0 - self._levels[bucket]
        return missing / self.secondary[bucket][0] if missing > EPSILON else 0.0

    def forecast(
        self, cost: Cost, now: float, *, ahead: float, ahead_in_bucket: int, reserve: bool = False
    ) -> float:
        """Seconds until the tokens of all who go before and this call's own are there."""
        self._advance(now)
        keep = min(1.0, self.burst - cost.units) if reserve else 0.0
        missing = ahead + cost.units + keep - self._level
        wait = self._refill(missing) if missing > EPSILON else 0.0
        if cost.bucket in self._levels:
            missing = ahead_in_bucket + 1.0 - self._levels[cost.bucket]
            wait = max(wait, missing / self.secondary[cost.bucket][0])
        return max(wait, self._blocked_until - now, 0.0)

    def take(self, cost: Cost, now: float) -> Ticket:
        """Take from both buckets at once."""
        self._advance(now)
        self._level -= cost.units
        if cost.bucket in self._levels:
            self._levels[cost.bucket] -= 1.0
        return Ticket(cost, now, self._epoch)

    def settle(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Count it: AB Connect does not report its level."""
        self._answered += 1

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Nothing changes: a call that was sent has cost its token."""

    def refund(self, ticket: Ticket, now: float) -> None:
        """Put the tokens of a call that was never sent back into both buckets."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return
        self._level = min(self.burst, self._level + ticket.cost.units)
        if (bucket := ticket.cost.bucket) in self._levels:
            self._levels[bucket] = min(self.secondary[bucket][1], self._levels[bucket] + 1.0)

    def refused(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Drain the bucket and cut the rate, once for all the calls that met the same 429."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return
        pause = number_or_none(report.retry_after, 0.0, math.inf)
        if pause is not None:
            self._blocked_until = max(self._blocked_until, now + min(pause, LONGEST))
        if ticket.at <= self._cut_at:
            return
        self._level = min(self._level, 0.0)
        self._cut(now)

    def _cut(self, now: float) -> None:
        """Slow down; from the second time on we know how fast the server is.

        Its bucket was empty then and is empty now, so that it gave what it got.
        """
        elapsed, answered = now - self._cut_at, self._answered
        self._cut_at, self._answered = now, 0
        self._known = self._pace
        if 0.0 < elapsed < LONGEST and answered >= ENOUGH:
            self._known = min(self._pace, max(self._pace / 2, answered / elapsed))
        self._pace = min(CUT * self._pace, KNOWN * self._known)
        self.pending_changes.append(Learned("rate", self._pace))

    def reset(self, now: float) -> None:
        """Start over with a full bucket; the rate found stays."""
        self._advance(now)
        self._epoch += 1
        self._level = self.burst
        self._levels = {name: burst for name, (_, burst) in self.secondary.items()}
        self._blocked_until = self._cut_at = -math.inf

    def read(self, now: float) -> LimiterState:
        """Tell level and rate at `now`."""
        self._advance(now)
        differs = self._pace != self.rate
        return LimiterState(
            level=max(0.0, self._level),
            capacity=self.burst,
            rate=self._pace,
            blocked=max(0.0, self._blocked_until - now),
            learned={"rate": self._pace} if differs else {},
        )

    def _advance(self, now: float) -> None:
        """Add what has come back since the last look."""
        elapsed = now - self.now
        if elapsed == 0:
            return
        self.now = now
        if not elapsed > 0:  # the clock went back: nothing has come, and nothing blocks longer
            self._cut_at = min(self._cut_at, now)
            self._blocked_until = min(self._blocked_until, now + LONGEST)
            return
        for name, (rate, burst) in self.secondary.items():
            self._levels[name] = min(burst, self._levels[name] + rate * elapsed)
        if self._pace == self.rate and not self.probe:
            self._level = min(self.burst, self._level + self.rate * elapsed)
            return
        self._grow(elapsed)

    def _grow(self, elapsed: float) -> None:
        """Refill at a rate that grows meanwhile."""
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
        """Say how fast the rate grows now, and up to which rate."""
        for growth, until in (
            (GROWTH, min(self._known, self.rate)),
            (SLOW * GROWTH, min(1.1 * self._known, self.rate)),
            (GROWTH, self.rate),
        ):
            if self._pace < until:
                return growth, until
        return 0.0, math.inf

    def _refill(self, missing: float) -> float:
        """Seconds until `missing` tokens have come, at a rate that grows meanwhile."""
        pace = self._pace
        growth, until = self._leg()
        if not growth:
            return missing / pace
        climb = (until - pace) / growth
        climbed = climb * (pace + until) / 2
        if missing > climbed:
            return climb + (missing - climbed) / until
        return (math.sqrt(pace * pace + 2 * growth * missing) - pace) / growth
