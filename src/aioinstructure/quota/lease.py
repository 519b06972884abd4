"""The right to send one call, and how it ends. Knows nothing of lanes or waiting."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = ["Lease", "Outcome"]


class Outcome(Enum):
    """What became of a call."""

    ANSWERED = "answered"
    """It was answered; a lease can end as soon as the head of the answer has arrived."""

    REFUSED = "refused"
    """The server refused it for lack of quota: 429, or 403 with the text of the throttle."""

    UNANSWERED = "unanswered"
    """It was sent and no answer came: what it took stays taken."""

    UNSENT = "unsent"
    """It was never sent: what it took is given back."""


class Lease:
    """The right to send one call. It ends once: later endings do nothing."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[Outcome, QuotaReport], None]) -> None:
        self._end: Callable[[Outcome, QuotaReport], None] | None = end

    def end(self, outcome: Outcome, report: QuotaReport = NO_REPORT) -> None:
        """Say what became of the call, and what its answer reports about the quota."""
        end, self._end = self._end, None
        if end is not None:
            end(outcome, report)
