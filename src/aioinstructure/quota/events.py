"""What a scheduler reports: events for a listener, and a snapshot on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from aioinstructure._types import Lane
from aioinstructure.wire.quota_report import QuotaReport

__all__ = [
    "Answered",
    "LimitLearned",
    "Queued",
    "QuotaEvent",
    "Refused",
    "Retried",
    "Sent",
    "Snapshot",
]


@frozen
class Queued:
    """A call has to wait."""

    key: str
    lane: Lane


@frozen
class Retried:
    """A call has returned to the head of its flow."""

    key: str
    lane: Lane


@frozen
class Sent:
    """A call was granted after `waited` seconds."""

    key: str
    lane: Lane
    waited: float


@frozen
class Answered:
    """A response arrived `took` seconds after the grant."""

    key: str
    lane: Lane
    took: float
    report: QuotaReport


@frozen
class Refused:
    """The server refused a call for lack of quota."""

    key: str
    lane: Lane
    report: QuotaReport


@frozen
class LimitLearned:
    """A limit of the server differs from the believed one; see `Learned` for the names."""

    limit: str
    value: float


QuotaEvent: TypeAlias = Queued | Retried | Sent | Answered | Refused | LimitLearned
"""Any event that a listener receives."""


@frozen
class Snapshot:
    """The state of a scheduler at one moment.

    Args:
        name: The name of the scheduler.
        level: What is left to spend, in tokens (AB Connect) or units (Canvas).
        capacity: The maximum of `level`.
        rate: What is added per second.
        blocked: Seconds until the next call is allowed after a Retry-After; else 0.
        in_flight: Calls that were granted and have not ended.
        queued: Calls that wait, by lane.
        throttles: Calls that the server has refused so far.
        granted: Calls granted so far.
        wait: Estimated seconds that an interactive call would wait now.
        learned: The limits that differ from the configured ones, by name.
    """

    name: str
    level: float
    capacity: float
    rate: float
    blocked: float
    in_flight: int
    queued: Mapping[Lane, int]
    throttles: int
    granted: int
    wait: float
    learned: Mapping[str, float] = field(factory=dict[str, float])

    def __str__(self) -> str:
        blocked = f", blocked for {self.blocked:.3g} s" if self.blocked else ""
        return (
            f"{self.name}: {self.level:.4g} of {self.capacity:.4g} left, {self.rate:.4g}/s, "
            f"{self.in_flight} in flight, {sum(self.queued.values())} queued{blocked}"
        )
