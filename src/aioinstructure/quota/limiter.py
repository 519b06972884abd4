"""The Limiter protocol, between the pure state machines and the scheduler.

A limiter knows the limit of one server. It knows no lanes, futures or clocks: every method receives
the time. It must not import asyncio.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from attrs import define, field, frozen

from aioinstructure.errors import InputError
from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = [
    "ONE",
    "Cost",
    "Learned",
    "Limiter",
    "LimiterState",
    "Ticket",
    "number_or_none",
    "positive",
]


@frozen
class Cost:
    """What a call takes from the quota.

    Args:
        key: The route, such as "courses.list"; cost and reservation are learned by route.
        units: Tokens (AB Connect: always 1); the share of a flow is counted in them too.
        bucket: A secondary bucket from which the call also takes one token, such as AB Connect's
            "wildcard"; "" for none.
    """

    key: str = ""
    units: float = 1.0
    bucket: str = ""


ONE = Cost()
"""One token, without a route."""


@define(eq=False)
class Ticket:
    """What a limiter gave to one call; passed back when the call ends.

    Args:
        cost: What the call takes.
        at: When it was granted, in loop time.
        epoch: The server bucket that it was taken from; tickets of an earlier one change nothing.
        reserved: What was reserved for it (units of the Canvas quota).
        expected: Its expected final cost (units of the Canvas quota).
        serial: The number of the grant.
        is_urgent: Whether it is of the interactive lane.
    """

    cost: Cost
    at: float
    epoch: int
    reserved: float = 0.0
    expected: float = 0.0
    serial: int = 0
    is_urgent: bool = field(default=False, kw_only=True)


@frozen
class Learned:
    """A limit that differs from the believed one.

    Args:
        limit: "capacity", "leak", "reservation", "rate" or "shared"; followed by a colon and the
            route if it applies to that route only.
        value: The new value, in the unit of the limit.
    """

    limit: str
    value: float


@frozen
class LimiterState:
    """The state of a limiter at one moment.

    Args:
        level: What is left to spend, in tokens or units.
        capacity: The maximum of `level`.
        rate: What is added, in tokens or units per second.
        learned: The limits that differ from the configured ones, by name.
    """

    level: float
    capacity: float
    rate: float
    learned: Mapping[str, float] = field(factory=dict[str, float])


class Limiter(Protocol):
    """A replica of one server bucket. `now` is loop time in seconds; it may go back."""

    @property
    def reserve_seconds(self) -> float:
        """Seconds after an interactive call for which the quota of another one is kept free."""
        ...

    @property
    def is_reported(self) -> bool:
        """Whether responses report the quota: then the bucket's own refusals can be recognized."""
        ...

    @property
    def pending_changes(self) -> list[Learned]:
        """Limits learned since the list was last cleared; the reader clears it."""
        ...

    @property
    def now(self) -> float:
        """The last time that was passed in; 0 before the first."""
        ...

    def begin(self, now: float, *, fresh: bool) -> None:
        """Adopt an event loop.

        With `fresh` it is the first one, and its time is the start. Otherwise calls in flight
        belong to a loop that is gone, and will never end.
        """
        ...

    def check(self, cost: Cost) -> None:
        """Raise InputError for a cost that could never be granted."""
        ...

    def wait(self, cost: Cost, now: float, *, urgent: bool = False, reserve: bool = False) -> float:
        """Seconds until the call may be sent: 0 is now, inf is not before a response arrives.

        The call is interactive if `urgent`. With `reserve`, the quota of one interactive call must
        remain. Secondary buckets are not considered: see `bucket_wait`.
        """
        ...

    def bucket_wait(self, bucket: str, now: float) -> float:
        """Seconds until a secondary bucket allows a call."""
        ...

    def latency(self, cost: Cost) -> float:
        """Seconds that a call of the route usually takes once it was sent; 0 if unknown."""
        ...

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
        """Estimate the seconds until a call may be sent.

        `ahead` units are granted before it; `ahead_in_bucket` calls wait for its secondary bucket.
        """
        ...

    def take(self, cost: Cost, now: float, *, urgent: bool = False) -> Ticket:
        """Spend what the call takes, whether or not `wait` returns 0."""
        ...

    def settle(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Record a response and its report."""
        ...

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Record that nobody waits for the response of a call that was sent."""
        ...

    def refund(self, ticket: Ticket, now: float) -> None:
        """Give back what a call took that was not sent."""
        ...

    def refused(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Record that the server refused the call: the replica was wrong."""
        ...

    def set_rate(self, rate: float, burst: float | None, now: float) -> None:
        """Change the configured limit; raises InputError if the limiter has no such rate."""
        ...

    def leap(self, now: float) -> None:
        """Adopt a time that is later than any call explains: the clock leapt, or the loop hung."""
        ...

    def reset(self, now: float) -> None:
        """Start again with a new bucket on the server; learned limits are kept."""
        ...

    def read(self, now: float) -> LimiterState:
        """Return the state at `now`."""
        ...


def positive(name: str, value: float) -> float:
    """Return `value` if it is a finite number above 0, otherwise raise InputError."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be a finite number above 0, not {value!r}")
    return value


def number_or_none(value: float | None, low: float, high: float) -> float | None:
    """Return the value of a header if it is from `low` to `high`, otherwise None."""
    if value is None or not low <= value <= high:  # NaN is never in range
        return None
    return value
