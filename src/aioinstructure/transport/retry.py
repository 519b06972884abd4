"""Retries where they are safe and useful: the policy as a value, and the layer that applies it.

Throttled calls return to the queue as often as the deadline allows: they say nothing about the
server's health and spend no retry budget. Other failures of calls that may be repeated are retried
with full jitter, from a budget that protects a broken server from a flood.

The layer also remembers, for each call, that an attempt of a write may have taken effect: the error
of a later attempt must not say otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

from attrs import define, field, frozen

from aioinstructure._public import public
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
from aioinstructure.transport.renewal import Renewal
from aioinstructure.transport.server_clock import ServerClock
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import shown
from aioinstructure.wire.responses import is_credential_error, is_stand_in

__all__ = ["Recovery", "RetryBudget", "RetryPolicy", "retry_layer"]

log = logging.getLogger("aioinstructure.http")

_LONG: Final = 10.0
"""Seconds of a wait that is logged."""

_PATH: Final = 300


@public
@frozen
class RetryPolicy:
    """How often and when a failed call is repeated. Pass another one as `Canvas(retry=...)`.

    Retried are calls whose connection failed, and idempotent calls without a response or with a
    transient status: 408, and every 5xx except 501 (not implemented) and 505 (HTTP version). A read
    is also repeated once if a web page or an empty body came with status 200 instead of JSON.
    The pause before retry n is random, from 0 to `base` x 2^(n-1) seconds: 0.5, 1, 2 by default.
    A Retry-After of the server replaces it, unless it is above `max_retry_after` of the client:
    then the call is not repeated. A wait of more than 10 s is logged as a warning.

    Args:
        attempts: The maximum number of attempts, including the first. 1 never retries.
        base: The longest pause before the first retry, in seconds.
        longest: The longest pause, in seconds.
        budget_share: What each call adds to the retry budget: 0.2 allows one retry per five calls.
        budget_reserve: The initial budget, in retries.
        budget_most: The maximum budget, so that a quiet hour does not allow a flood of retries.

    Raises:
        InputError: A number is out of range.
    """

    attempts: int = 4
    base: float = 0.5
    longest: float = 20.0
    budget_share: float = 0.2
    budget_reserve: float = 10.0
    budget_most: float = 100.0

    def __attrs_post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise InputError(f"attempts must be an integer of 1 or more, not {self.attempts!r}")
        for name in ("base", "longest", "budget_share", "budget_reserve", "budget_most"):
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 0 <= value < float("inf"):
                raise InputError(f"{name} must be a finite number of 0 or more, not {value!r}")

    def may_retry(self, error: Error, request: Request) -> bool:
        """Whether the same request may be sent again after this error."""
        if isinstance(error, TransportError) and error.is_final:
            return False
        if isinstance(error, ConnectError):
            return True
        if not request.idempotent or isinstance(error, UnknownOutcome):
            return False
        if isinstance(error, TransportError):
            return True
        return isinstance(error, ResponseError) and is_transient(error.status)

    def pause(self, retry: int, rng: random.Random) -> float:
        """Seconds before a retry; retries count from 1."""
        return rng.uniform(0.0, min(self.longest, self.base * 2.0 ** min(retry - 1, 10)))


def is_transient(status: int) -> bool:
    """Whether the next attempt may return another status."""
    return status == 408 or (500 <= status < 600 and status not in (501, 505))


@define
class RetryBudget:
    """The number of retries left to a client and its views."""

    policy: RetryPolicy
    _left: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.policy.budget_reserve

    def earn(self) -> None:
        """Count a call."""
        self._left = min(self.policy.budget_most, self._left + self.policy.budget_share)

    def spend(self) -> bool:
        """Take one retry, if one is left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


@frozen
class Recovery:
    """What the calls of a client and its views have in common when they fail.

    Attributes:
        renewal: Renews a credential that was refused.
        server_clock: Learns the server's time from such a refusal.
        budget: The retries that are left, and their policy.
        rng: Draws the pauses.
        max_retry_after: The longest Retry-After, in seconds, after which a call is repeated.
    """

    renewal: Renewal
    server_clock: ServerClock
    budget: RetryBudget
    rng: random.Random
    max_retry_after: float


@define
class _Attempts:
    """What one call has tried, and therefore what it may try next."""

    recovery: Recovery
    failures: int = 0
    refused: bool = False
    had_stand_in: bool = False

    def pause_after(self, error: Error, context: CallContext) -> float | None:
        """Seconds before the next attempt; None if there must be none."""
        if isinstance(error, Throttled):
            return self._after_throttle(error, context)
        if self._may_authorize_again(error, context):
            self.refused = True
            return 0.0
        if not self.recovery.budget.policy.may_retry(error, context.request):
            return None
        wait = getattr(error, "retry_after", None)
        if wait is not None and wait > self.recovery.max_retry_after:
            return None
        pause = self.pause_after_failure()
        return pause if pause is None or wait is None else float(wait)

    def pause_after_failure(self) -> float | None:
        """Seconds before the next attempt, if the policy and the budget allow one; else None."""
        self.failures += 1
        budget = self.recovery.budget
        if self.failures >= budget.policy.attempts or not budget.spend():
            return None
        return budget.policy.pause(self.failures, self.recovery.rng)

    def pause_after_stand_in(self) -> float | None:
        """Seconds before the next attempt, which there is once; None if there must be none."""
        if self.had_stand_in:
            return None
        self.had_stand_in = True
        return self.pause_after_failure()

    def _may_authorize_again(self, error: Error, context: CallContext) -> bool:
        """Once per call, after a refusal of this request; that of a token request is final."""
        if self.refused or not is_credential_error(error) or not _is_ours(error, context):
            return False
        if isinstance(error, ResponseError):
            self.recovery.server_clock.learn(error.response)
        return self.recovery.renewal.after_refusal(context.generation)

    def _after_throttle(self, error: Throttled, context: CallContext) -> float | None:
        """0: the scheduler has the report, and knows when a call of the route can be sent again.

        None after a limit of the endpoint itself that lasts too long.
        """
        wait = error.retry_after
        is_too_long = wait is not None and wait > self.recovery.max_retry_after
        return None if context.is_limited and is_too_long else 0.0


def retry_layer(inner: Handler, recovery: Recovery, clock: Clock) -> Handler:
    """Retry calls where the policy and the budget allow it."""

    async def handle(context: CallContext) -> Response:
        recovery.budget.earn()
        tried: _Attempts | None = None  # created at the first failure: most calls have none
        while True:
            context.attempts += 1
            outcome: Response | Error
            try:
                outcome = await inner(context)
            except QuotaError as error:
                if context.last_error is None:
                    raise
                raise context.last_error.with_wait(error.wait).ending_deadline() from error
            except Error as error:
                context.in_flight = False
                outcome = context.last_error = _with_history(context, error)
                if _already_gone(context, error):
                    return Response(204, request=context.request)
                tried = tried or _Attempts(recovery)
                pause = tried.pause_after(error, context)
            else:
                if not context.expects_json or not is_stand_in(outcome):
                    return outcome
                tried = tried or _Attempts(recovery)
                pause = tried.pause_after_stand_in()
            if pause is None:
                return _ended(outcome)
            await _sleep(pause, context, clock)

    return handle


def _ended(outcome: Response | Error) -> Response:
    if isinstance(outcome, Error):
        raise outcome
    return outcome


def _with_history(context: CallContext, error: Error) -> Error:
    """The error to raise for an attempt, in view of the attempts before it.

    If an earlier attempt of a write may have taken effect, the error says so. One that cannot say
    so, or says that nothing was sent, becomes the cause of an UnknownOutcome.
    """
    if isinstance(error, TransportError | ResponseError):
        if not context.may_have_happened:
            context.may_have_happened = _is_ours(error, context) and error.may_have_happened
            return error
        if not isinstance(error, ConnectError):
            return error if error.may_have_happened else error.with_earlier_attempt()
    elif not context.may_have_happened:
        return error
    unknown = UnknownOutcome(
        f"an earlier attempt may have taken effect, and the last one failed: {error}",
        request=context.request,
    )
    unknown.__cause__ = error
    return unknown


def _is_ours(error: Error, context: CallContext) -> bool:
    """Whether the error is about this request; that of a credential refresh is about another."""
    return isinstance(error, TransportError | ResponseError) and error.request is context.request


def _already_gone(context: CallContext, error: Error) -> bool:
    """A retried DELETE that finds nothing has succeeded if an earlier one got no response."""
    return context.unanswered and context.request.method == "DELETE" and isinstance(error, NotFound)


async def _sleep(seconds: float, context: CallContext, clock: Clock) -> None:
    """Sleep, or raise the last error at once if the deadline would pass in the meantime."""
    error = context.last_error
    ends = context.deadline_at
    wait = getattr(error, "retry_after", None) or 0.0
    if error is not None and ends is not None and clock.monotonic() + max(seconds, wait) >= ends:
        raise error.with_wait(max(seconds, wait)).ending_deadline()
    if seconds > _LONG:
        request = context.request
        log.warning(
            "%s %s waits %.0f s before its next attempt: %s",
            request.method, shown(request.path, _PATH), seconds, error or "a web page came",
        )  # fmt: skip
    if seconds > 0:
        await asyncio.sleep(seconds)
