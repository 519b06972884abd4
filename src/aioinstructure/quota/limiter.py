"""What a limiter is: the words between the pure state machines and the scheduler.

A limiter knows one server's limit and nothing of lanes, futures or clocks: every method is told
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
    """What a call asks of the quota.

    Args:
        key: The route, such as "courses.list": cost and reservation are learned by it.
        units: Tokens (AB Connect: always 1); a flow's share is counted in them too.
        bucket: The name of a secondary bucket that it also takes one from, such as AB Connect's
            "wildcard"; "" for none.
    """

    key: str = ""
    units: float = 1.0
    bucket: str = ""


ONE = Cost()
"""One token of no route in particular."""


@define(eq=False)
class Ticket:
    """What a limiter gave out for one call, to be handed back with the call's end.

    Args:
        cost: What was asked.
        at: When it was given, in seconds of the loop.
        epoch: Which server bucket it was taken from: an older one's tickets change nothing.
        reserved: What was put aside for it (units of the Canvas quota).
        expected: What it is thought to cost in the end (units of the Canvas quota).
        serial: The number of the grant.
    """

    cost: Cost
    at: float
    epoch: int
    reserved: float = 0.0
    expected: float = 0.0
    serial: int = 0


@frozen
class Learned:
    """A limit that turned out to differ from what was believed.

    Args:
        limit: "capacity", "leak", "reservation", "rate" or "shared"; with the route after a
            colon where it holds for that route only.
        value: What is believed now, in the limit's own unit.
    """

    limit: str
    value: float


@frozen
class LimiterState:
    """The state of a limiter at one moment.

    Args:
        level: What is left to spend, in tokens or units.
        capacity: The most that `level` can be.
        rate: What comes back, in tokens or units a second.
        blocked: Seconds until the server may be asked again after a Retry-After; else 0.
        learned: The limits that differ from the configured ones, by name.
    """

    level: float
    capacity: float
    rate: float
    blocked: float = 0.0
    learned: Mapping[str, float] = field(factory=dict[str, float])


class Limiter(Protocol):
    """A replica of one server bucket. `now` is loop time in seconds; going back is harmless."""

    @property
    def reserve_seconds(self) -> float:
        """Seconds after an interactive arrival for which room is kept for the next one."""
        ...

    @property
    def pending_changes(self) -> list[Learned]:
        """Limits learned since the list was last cleared; whoever reads it clears it."""
        ...

    @property
    def now(self) -> float:
        """The last time that it was told; 0 before the first."""
        ...

    def begin(self, now: float, *, fresh: bool) -> None:
        """Be used by an event loop from now on.

        With `fresh` it is the first one, and its time begins here. Else calls in flight belong to
        a loop that is gone, and will never end.
        """
        ...

    def check(self, cost: Cost) -> None:
        """Raise InputError for a cost that could never be granted."""
        ...

    def wait(self, cost: Cost, now: float, *, reserve: bool = False) -> float:
        """Seconds until the call may go: 0 is now, inf is not before an answer comes.

        With `reserve`, room for one interactive call must be left over. Secondary
        buckets are not looked at here: see `bucket_wait`.
        """
        ...

    def bucket_wait(self, bucket: str, now: float) -> float:
        """Seconds until a call may go as far as a secondary bucket is concerned."""
        ...

    def forecast(
        self, cost: Cost, now: float, *, ahead: float, ahead_in_bucket: int, reserve: bool = False
    ) -> float:
        """Seconds until a call may go: an estimate.

        `ahead` units are granted before it; `ahead_in_bucket` calls wait for its secondary bucket.
        """
        ...

    def take(self, cost: Cost, now: float) -> Ticket:
        """Spend what the call asks, whether or not `wait` says 0."""
        ...

    def settle(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Note an answer, with what it reports."""
        ...

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Note that a call was sent and not answered: what it took stays taken."""
        ...

    def refund(self, ticket: Ticket, now: float) -> None:
        """Give back what a call took that was never sent."""
        ...

    def refused(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Note that the server refused the call: it knows better than the replica."""
        ...

    def set_rate(self, rate: float, burst: float | None, now: float) -> None:
        """Change the configured limit by hand; raises InputError where it has no such rate."""
        ...

    def reset(self, now: float) -> None:
        """Start over with a new bucket on the server; what was learned of its limits stays."""
        ...

    def read(self, now: float) -> LimiterState:
        """Tell the state at `now`."""
        ...


def positive(name: str, value: float) -> float:
    """Return `value` if it is a finite number above zero, and raise InputError otherwise."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be a finite number above 0, not {value!r}")
    return value


def number_or_none(value: float | None, low: float, high: float) -> float | None:
    """Return what a header said if it can be true, that is from `low` to `high`; else None."""
    if value is None or not low <= value <= high:  # NaN is in no range
        return None
    return value
