"""What a scheduler tells of itself: events for a listener, and a snapshot on demand."""

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
    """A call has come back, to its flow's head."""

    key: str
    lane: Lane


@frozen
class Sent:
    """A call was let through after `waited` seconds."""

    key: str
    lane: Lane
    waited: float


@frozen
class Answered:
    """A call was answered `took` seconds after it was let through."""

    key: str
    lane: Lane
    took: float
    report: QuotaReport


@frozen
class Refused:
    """The server refused a call for want of quota."""

    key: str
    lane: Lane
    report: QuotaReport


@frozen
class LimitLearned:
    """A limit of the server differs from what was believed; see `Learned` for the names."""

    limit: str
    value: float


QuotaEvent: TypeAlias = Queued | Retried | Sent | Answered | Refused | LimitLearned
"""Anything that a listener is called with."""


@frozen
class Snapshot:
    """A scheduler at one moment.

    Args:
        name: The name it was given.
        level: What is left to spend, in tokens (AB Connect) or units (Canvas).
        capacity: The most that `level` can be.
        rate: What comes back a second.
        blocked: Seconds until the server may be asked again after a Retry-After; else 0.
        in_flight: Calls let through and not ended.
        queued: Calls that wait, for each lane.
        throttles: Calls that the server refused so far.
        granted: Calls let through so far.
        wait: Seconds that an interactive call would wait now: an estimate.
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
