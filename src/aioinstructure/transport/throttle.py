"""A quota lease for each attempt, ended with its outcome.

`retry` decides whether a call that the quota refused is sent again.
"""

from __future__ import annotations

from aioinstructure.clock import Clock
from aioinstructure.errors import (
    ClientClosed,
    ConfigurationError,
    ConnectError,
    TransportError,
)
from aioinstructure.quota import Outcome, Scheduler
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Headers, Response
from aioinstructure.wire.quota_report import QuotaReport, is_throttled, refused_by_bucket

__all__ = ["throttle_layer"]

# Statuses whose body says whether the quota or something else refused the call.
_NEEDS_BODY = frozenset({403, 429})


def throttle_layer(
    inner: Handler, scheduler: Scheduler, clock: Clock, owner: object, max_retry_after: float
) -> Handler:
    """Hold a lease while the request is with the server.

    The lease ends when the head of a response arrives, before the body is read. Of a request that
    was sent but got no response, the limiter knows when the server has ended it; one that was
    certainly not sent gives back what it took. The owner can end the waiting: `Scheduler.dismiss`.
    """

    async def handle(context: CallContext) -> Response:
        options = context.options
        lease = await scheduler.acquire(
            context.cost,
            lane=options.lane,
            flow=options.flow,
            weight=options.weight,
            deadline=context.deadline_at,
            again=context.attempts > 1,
            owner=owner,
        )

        def on_head(status: int, headers: Headers) -> None:
            if status not in _NEEDS_BODY:
                lease.end(Outcome.ANSWERED, QuotaReport.of(headers, clock.wall()))

        context.on_head = on_head
        try:
            response = await inner(context)
            if not lease.ended:
                report = QuotaReport.of(response.headers, clock.wall())
                outcome = _outcome(response, is_reported=scheduler.is_reported)
                too_long = (report.retry_after or 0.0) > max_retry_after
                context.is_limited = outcome is Outcome.LIMITED
                if context.is_limited and too_long:
                    outcome = Outcome.ANSWERED  # each call ends by it, and none waits for it
                lease.end(outcome, report)
        except (ConnectError, ClientClosed, ConfigurationError):
            lease.end(Outcome.UNSENT)
            raise
        except TransportError:
            context.unanswered = True
            raise
        finally:
            # Does nothing if the lease has already ended.
            lease.end(Outcome.UNANSWERED if context.in_flight else Outcome.UNSENT)
        return response

    return handle


def _outcome(response: Response, *, is_reported: bool) -> Outcome:
    if response.status not in _NEEDS_BODY or not is_throttled(response):
        return Outcome.ANSWERED
    by_bucket = refused_by_bucket(response, is_reported=is_reported)
    return Outcome.REFUSED if by_bucket else Outcome.LIMITED
