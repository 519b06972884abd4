"""What a response says about the quota, read from the headers here and nowhere else.

Canvas sends `X-Request-Cost` and `X-Rate-Limit-Remaining` with each response that it charges; both
services may send `Retry-After`.
Source: Canvas developer portal, page on throttling.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from aioinstructure.wire.message import Headers, Response

__all__ = ["NO_REPORT", "QuotaReport", "is_throttled", "refused_by_bucket"]

_SECONDS = re.compile(r"[0-9]{1,300}(\.[0-9]*)?(e\+?[0-9]{1,2})?", re.ASCII)


@frozen
class QuotaReport:
    """What one response says about the quota; None where it says nothing.

    Attributes:
        cost: What the call was charged, in units.
        remaining: What remains, in units, less what is reserved for other calls; may be negative.
        retry_after: Seconds to wait before the next call.
    """

    cost: float | None = None
    remaining: float | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, headers: Headers, now: float) -> QuotaReport:
        """Read the report from the headers of a response.

        Args:
            headers: The headers of the response.
            now: Wall time in seconds, for a Retry-After that is a date in a response without one.
        """
        cost = headers.number("x-request-cost")
        remaining = headers.number("x-rate-limit-remaining")
        pause = _retry_after(headers, now) if "retry-after" in headers.lower else None
        if cost is None and remaining is None and pause is None:
            return NO_REPORT
        return cls(cost, remaining, pause)


NO_REPORT: Final = QuotaReport()
"""The report of a response without quota headers, or of no response."""


def _retry_after(headers: Headers, now: float) -> float | None:
    """The seconds of the Retry-After header, in either of its forms; None if it is invalid.

    A date is compared with the Date of the response, since the local clock may be wrong.
    """
    text = headers.lower["retry-after"].strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until = headers.date("retry-after")
    if until is None:
        return None
    sent = headers.date("date")
    return max(0.0, until - (now if sent is None else sent))


def is_throttled(response: Response) -> bool:
    """Whether a rate limit refused the call: 429, or the plain-text 403 of Canvas.

    Self-hosted Canvas responds with 403 and the text "Rate Limit Exceeded", hosted Canvas with 429
    since October 2025. A 403 in JSON is a missing permission, unless it has a Retry-After.
    """
    if response.status != 403:
        return response.status == 429
    is_text = not _is_json(response) and b"Rate Limit Exceeded" in response.body[:400]
    return is_text or "retry-after" in response.headers.lower


def _is_json(response: Response) -> bool:
    return "json" in response.headers.get("content-type", "").lower()


def refused_by_bucket(response: Response, *, is_reported: bool) -> bool:
    """Whether the bucket refused a call that was throttled, not a limit of the endpoint itself.

    Canvas charges a call that passes the bucket, and reports the cost in the response; its own
    refusal is plain text (`is_reported`). A 429 with a cost or in JSON (page view queries have such
    a limit) says nothing about the bucket. With AB Connect, every 429 is one of its buckets.
    """
    return not is_reported or (response.request_cost is None and not _is_json(response))
