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
from aioinstructure.transport.call_context import Exchange, Handler
from aioinstructure.wire.message import Headers, Response
from aioinstructure.wire.responses import is_refusal, retry_after

__all__ = ["refused_by_bucket", "throttle_layer"]

# Statuses whose body must be read before anybody knows whether they are a throttle.
_DOUBTFUL = frozenset({403, 429})


def refused_by_bucket(response: Response) -> bool:
    """Whether it was the bucket that refused, not a limit of the endpoint's own.

    A request that Canvas has let through is charged, and its answer tells the cost: a 429 of that
    kind (the queries of page views have one) says nothing about the bucket.
    """
    return is_refusal(response) and response.request_cost is None


def throttle_layer(inner: Handler, scheduler: Scheduler, clock: Clock) -> Handler:
    """Hold a lease while the request is with the server.

    An answer settles it on its head, before the body is read. A request that was sent and not
    answered keeps what it took; one that was surely never sent gives it back.
    """

    async def handle(exchange: Exchange) -> Response:
        options = exchange.options
        lease = await scheduler.acquire(
            exchange.cost,
            lane=options.lane,
            flow=options.flow,
            weight=options.weight,
            deadline=exchange.deadline_at,
            again=exchange.attempts > 1,
        )

        def on_head(status: int, headers: Headers) -> None:
            if status not in _DOUBTFUL:
                lease.settle(
                    cost=headers.number("x-request-cost"),
                    remaining=headers.number("x-rate-limit-remaining"),
                )

        exchange.on_head = on_head
        try:
            response = await inner(exchange)
            if response.status not in _DOUBTFUL:
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
            exchange.unanswered = True
            raise
        finally:
            # Neither does anything if the lease has ended: the first ending counts.
            if exchange.in_flight:
                lease.abandon()
            else:
                lease.refund()
        return response

    return handle
