"""What an answer says about the quota: one value, read from the headers here and nowhere else.

Canvas sends `X-Request-Cost` and `X-Rate-Limit-Remaining` with each answer that it charges; both
services may send `Retry-After`.
Source: the page on throttling of the Canvas developer portal.
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from attrs import frozen

from aioinstructure.wire.message import Headers, Response

__all__ = ["NO_REPORT", "QuotaReport", "is_throttled", "refused_by_bucket"]

_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]*)?")


@frozen
class QuotaReport:
    """What one answer says about the quota; None where it says nothing.

    Attributes:
        cost: What was charged for the call, in units.
        remaining: What is left, in units, less what is reserved for other calls; may be negative.
        retry_after: Seconds to wait before the next call.
    """

    cost: float | None = None
    remaining: float | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, headers: Headers, now: float) -> QuotaReport:
        """The report in the headers of an answer.

        Args:
            headers: Of the answer.
            now: Wall time in seconds, for a Retry-After that is a date.
        """
        cost = headers.number("x-request-cost")
        remaining = headers.number("x-rate-limit-remaining")
        pause = _retry_after(headers, now) if "retry-after" in headers.lower else None
        if cost is None and remaining is None and pause is None:
            return NO_REPORT
        return cls(cost, remaining, pause)


NO_REPORT: Final = QuotaReport()
"""Of an answer that says nothing, or of none."""


def _retry_after(headers: Headers, now: float) -> float | None:
    """Seconds of the Retry-After header, in either of its forms; None if it is neither."""
    text = headers.lower["retry-after"].strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)


def is_throttled(response: Response) -> bool:
    """Whether a rate limit refused the call: 429, or Canvas's 403 in plain text.

    Self-hosted Canvas answers 403 with the text "Rate Limit Exceeded", hosted Canvas 429 since
    October 2025. A 403 in JSON is a missing permission.
    """
    return response.status == 429 or (
        response.status == 403
        and "json" not in response.headers.get("content-type", "").lower()
        and b"Rate Limit Exceeded" in response.body[:400]
    )


def refused_by_bucket(response: Response) -> bool:
    """Whether the bucket refused the call, and not a limit of the endpoint itself.

    A call that Canvas lets through is charged, and its answer reports the cost: a 429 of that kind
    (the queries of page views have one) says nothing about the bucket.
    """
    return is_throttled(response) and response.request_cost is None
