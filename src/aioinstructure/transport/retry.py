"""Try again, where that is safe and worth it.

Throttles come back through the queue as often as the deadline allows; they say nothing about the
server's health and spend no budget. Connection failures and 5xx of idempotent calls are repeated
three times with full jitter (0 to 0.5, 1, 2 seconds; at most 20), out of a budget that keeps a
broken server from being stormed: 20 % of the calls of late, plus 10.
"""

from __future__ import annotations

import asyncio
import random

from attrs import define, field

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.errors import (
    ConnectError,
    Error,
    NotFound,
    QuotaError,
    ResponseError,
    Throttled,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.transport.deadline import with_wait
from aioinstructure.transport.throttle import refused_by_bucket
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.responses import is_credential_error

__all__ = ["RetryBudget", "retry_layer"]

ATTEMPTS = 4
_BASE = 0.5
_LONGEST = 20.0


_TRANSIENT = frozenset({408, 500, 502, 503, 504})


def may_retry(error: Error, request: Request) -> bool:
    """Whether the same request may be sent again after this failure.

    A connection that was never made is always safe. No answer, or a failing server, is safe for
    idempotent requests only.
    """
    if isinstance(error, ConnectError):
        return True
    if not request.idempotent or isinstance(error, UnknownOutcome):
        return False
    if isinstance(error, TransportError):
        return True
    return isinstance(error, ResponseError) and error.status in _TRANSIENT


@define
class RetryBudget:
    """How many retries are left, in units of one.

    Each call adds `share`, each retry takes one; it never holds more than `most`, so that a quiet
    hour does not pay for a storm.
    """

    share: float = 0.2
    reserve: float = 10.0
    most: float = 100.0
    _left: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.reserve

    def earn(self) -> None:
        """Count a call."""
        self._left = min(self.most, self._left + self.share)

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
        """Seconds before another attempt; None if there is to be none."""
        if isinstance(error, Throttled):
            self.throttles += 1
            return self._after_throttle(error)
        if is_credential_error(error) and not self.renewed and self.credential.invalidate():
            self.renewed = True
            return 0.0
        self.failures += 1
        if not may_retry(error, request) or self.failures >= ATTEMPTS or not self.budget.spend():
            return None
        asked = getattr(error, "retry_after", None)
        return float(asked) if asked is not None else self._jitter(self.failures)

    def _after_throttle(self, error: Throttled) -> float:
        """None, mostly: the scheduler was told, and knows when the bucket has room.

        But a limit of one endpoint (Canvas's page view queries answer 429 in JSON) is no business
        of the bucket's: without a pause it would be asked in a circle.
        """
        response = error.response
        told = error.retry_after is not None or (
            refused_by_bucket(response) and response.rate_limit_remaining is not None
        )
        return 0.0 if told or self.throttles == 1 else self._jitter(self.throttles - 1)

    def _jitter(self, count: int) -> float:
        return self.rng.uniform(0.0, min(_LONGEST, _BASE * 2.0 ** min(count - 1, 10)))


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
                raise with_wait(context.last_error, error.wait) from error
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
    return (
        context.no_response_error
        and context.request.method == "DELETE"
        and isinstance(error, NotFound)
    )


async def _sleep(seconds: float, context: CallContext, clock: Clock) -> None:
    """Sleep, or raise the last error at once if the deadline would pass meanwhile."""
    error = context.last_error
    ends = context.deadline_at
    asked = getattr(error, "retry_after", None) or 0.0
    if error is not None and ends is not None and clock.monotonic() + max(seconds, asked) >= ends:
        raise with_wait(error, max(seconds, asked))
    if seconds > 0:
        await asyncio.sleep(seconds)
