"""Retries, where they are safe and worth it: the policy as one value, and the layer that applies it.

Throttled calls return to the queue as often as the deadline allows: they say nothing about the
server's health and spend no retry budget. Other failures of calls that may be repeated are retried
with full jitter, out of a budget that keeps a broken server from being flooded.
"""

from __future__ import annotations

import asyncio
import random

from attrs import define, field, frozen

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.errors import (
    ConnectError,
    Error,
    InputError,
    NotFound,
    QuotaError,
    ResponseError,
    Throttled,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.quota_report import refused_by_bucket
from aioinstructure.wire.responses import is_credential_error

__all__ = ["RetryBudget", "RetryPolicy", "retry_layer"]


@frozen
class RetryPolicy:
    """How often and when a failed call is repeated. Give another one as `Canvas(retry=...)`.

    Repeated are calls whose connection could not be made, and idempotent calls without an answer or
    with a transient status: 408, and every 5xx but 501 (not implemented) and 505 (HTTP version).
    The pause before retry n is random, from 0 to `base` x 2^(n-1) seconds: 0.5, 1, 2 by default.
    A Retry-After of the server replaces it.

    Args:
        attempts: How often a call is sent at most, the first time included. 1 never repeats.
        base: The longest pause before the first retry, in seconds.
        longest: The longest pause, in seconds.
        budget_share: What each call adds to the budget of retries: 0.2 allows one retry for five
            calls.
        budget_reserve: The budget at the start, in retries.
        budget_most: The most that it can be, so that a quiet hour does not pay for a flood.

    Raises:
        InputError: A number that is out of range.
    """

    attempts: int = 4
    base: float = 0.5
    longest: float = 20.0
    budget_share: float = 0.2
    budget_reserve: float = 10.0
    budget_most: float = 100.0

    def __attrs_post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise InputError(f"attempts must be a number from 1 up, not {self.attempts!r}")
        for name in ("base", "longest", "budget_share", "budget_reserve", "budget_most"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise InputError(f"{name} must be a number from 0 up, not {value!r}")

    def may_retry(self, error: Error, request: Request) -> bool:
        """Whether the same request may be sent again after this failure."""
        if isinstance(error, ConnectError):
            return True
        if not request.idempotent or isinstance(error, UnknownOutcome):
            return False
        if isinstance(error, TransportError):
            return True
        return isinstance(error, ResponseError) and is_transient(error.status)

    def pause(self, retry: int, rng: random.Random) -> float:
        """Seconds before a retry, which count from 1."""
        return rng.uniform(0.0, min(self.longest, self.base * 2.0 ** min(retry - 1, 10)))


def is_transient(status: int) -> bool:
    """Whether a status may be another one at the next attempt."""
    return status == 408 or (500 <= status < 600 and status not in (501, 505))


@define
class RetryBudget:
    """How many retries are left to a client and its views."""

    policy: RetryPolicy
    _left: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.policy.budget_reserve

    def earn(self) -> None:
        """Count a call."""
        self._left = min(self.policy.budget_most, self._left + self.policy.budget_share)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


@define
class _Attempts:
    """What one call has tried, and so what it may try next."""

    credential: Credential
    budget: RetryBudget
    rng: random.Random
    failures: int = 0
    throttles: int = 0
    renewed: bool = False

    def pause_after(self, error: Error, request: Request) -> float | None:
        """Seconds before another attempt; None if there must be none."""
        policy = self.budget.policy
        if isinstance(error, Throttled):
            self.throttles += 1
            return self._after_throttle(error)
        if is_credential_error(error) and not self.renewed and self.credential.invalidate():
            self.renewed = True
            return 0.0
        self.failures += 1
        if not policy.may_retry(error, request) or self.failures >= policy.attempts:
            return None
        if not self.budget.spend():
            return None
        asked = getattr(error, "retry_after", None)
        return float(asked) if asked is not None else policy.pause(self.failures, self.rng)

    def _after_throttle(self, error: Throttled) -> float:
        """None, mostly: the scheduler has the report, and knows when the bucket has room.

        But a limit of one endpoint (Canvas's page view queries answer 429 in JSON) is none of the
        bucket: without a pause the call would be repeated without end.
        """
        response = error.response
        is_known = error.retry_after is not None or (
            refused_by_bucket(response) and response.rate_limit_remaining is not None
        )
        if is_known or self.throttles == 1:
            return 0.0
        return self.budget.policy.pause(self.throttles - 1, self.rng)


def retry_layer(
    inner: Handler,
    credential: Credential,
    clock: Clock,
    budget: RetryBudget,
    rng: random.Random,
) -> Handler:
    """Repeat what may be repeated."""

    async def handle(context: CallContext) -> Response:
        budget.earn()
        tried: _Attempts | None = None  # made by the first failure: most calls have none
        while True:
            context.attempts += 1
            try:
                return await inner(context)
            except QuotaError as error:
                if context.last_error is None:
                    raise
                raise context.last_error.with_wait(error.wait) from error
            except Error as error:
                context.in_flight = False
                context.last_error = error
                if _already_gone(context, error):
                    return Response(204, request=context.request)
                tried = tried or _Attempts(credential, budget, rng)
                pause = tried.pause_after(error, context.request)
                if pause is None:
                    raise
            await _sleep(pause, context, clock)

    return handle


def _already_gone(context: CallContext, error: Error) -> bool:
    """A repeated DELETE that finds nothing has succeeded, if an earlier one got no answer."""
    return context.unanswered and context.request.method == "DELETE" and isinstance(error, NotFound)


async def _sleep(seconds: float, context: CallContext, clock: Clock) -> None:
    """Sleep, or raise the last error at once if the deadline would pass meanwhile."""
    error = context.last_error
    ends = context.deadline_at
    asked = getattr(error, "retry_after", None) or 0.0
    if error is not None and ends is not None and clock.monotonic() + max(seconds, asked) >= ends:
        raise error.with_wait(max(seconds, asked))
    if seconds > 0:
        await asyncio.sleep(seconds)
