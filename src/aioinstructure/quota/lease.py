"""The right to send one call, and its outcome. Independent of lanes and waiting."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = ["Lease", "Outcome"]


class Outcome(Enum):
    """The outcome of a call."""

    ANSWERED = "answered"
    """A response came; a lease can end as soon as its head has arrived."""

    REFUSED = "refused"
    """The server refused it for lack of quota: 429, or 403 with the text of the throttle."""

    LIMITED = "limited"
    """It passed the bucket, and the endpoint refused it by a limit of its own."""

    UNANSWERED = "unanswered"
    """It was sent and no response came: what it took stays taken."""

    UNSENT = "unsent"
    """It was not sent: what it took is given back."""


class Lease:
    """The right to send one call. It ends once; later calls of `end` do nothing."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[Outcome, QuotaReport], None]) -> None:
        self._end: Callable[[Outcome, QuotaReport], None] | None = end

    @property
    def ended(self) -> bool:
        """Whether its outcome has been reported."""
        return self._end is None

    def end(self, outcome: Outcome, report: QuotaReport = NO_REPORT) -> None:
        """Report the outcome of the call, and what its response says about the quota."""
        end, self._end = self._end, None
        if end is not None:
            end(outcome, report)
