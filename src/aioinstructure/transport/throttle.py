"""A lease of the quota for each attempt, ended by what became of it."""

from __future__ import annotations

from aioinstructure.clock import Clock
from aioinstructure.errors import (
    ClientClosed,
    ConfigurationError,
    ConnectError,
    TransportError,
)
from aioinstructure.quota import Scheduler
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Headers, Response
from aioinstructure.wire.responses import is_throttled, retry_after

__all__ = ["refused_by_bucket", "throttle_layer"]

# Statuses whose body must be read before anybody knows whether they are a throttle.
_NEEDS_BODY = frozenset({403, 429})


def refused_by_bucket(response: Response) -> bool:
    """Whether it was the bucket that refused, not a limit of the endpoint's own.

    A request that Canvas has let through is charged, and its answer tells the cost: a 429 of that
    kind (the queries of page views have one) says nothing about the bucket.
    """
    return is_throttled(response) and response.request_cost is None


def throttle_layer(inner: Handler, scheduler: Scheduler, clock: Clock) -> Handler:
    """Hold a lease while the request is with the server.

    An answer settles it on its head, before the body is read. A request that was sent and not
    answered keeps what it took; one that was surely never sent gives it back.
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
        )

        def on_head(status: int, headers: Headers) -> None:
            if status not in _NEEDS_BODY:
                lease.settle(
                    cost=headers.number("x-request-cost"),
                    remaining=headers.number("x-rate-limit-remaining"),
                )

        context.on_head = on_head
        try:
            response = await inner(context)
            if response.status not in _NEEDS_BODY:
                on_head(response.status, response.headers)  # a transport need not call it
            elif refused_by_bucket(response):
                lease.refused(
                    remaining=response.rate_limit_remaining,
                    retry_after=retry_after(response, now=clock.wall()),
                )
            else:
                lease.settle(cost=response.request_cost, remaining=response.rate_limit_remaining)
        except (ConnectError, ClientClosed, ConfigurationError):
            lease.refund()
            raise
        except TransportError:
            context.no_response_error = True
            raise
        finally:
            # Neither does anything if the lease has ended: the first ending counts.
            if context.in_flight:
                lease.abandon()
            else:
                lease.refund()
        return response

    return handle
