"""A lease of the quota for each attempt, ended by what became of it."""

from __future__ import annotations

from aioinstructure.clock import Clock
from aioinstructure.errors import ConnectError, TransportError
from aioinstructure.quota import Scheduler
from aioinstructure.transport.exchange import Exchange, Handler
from aioinstructure.wire.message import Headers, Response
from aioinstructure.wire.verdict import is_refusal, retry_after

__all__ = ["throttle_layer"]

# Statuses whose body must be read before anybody knows whether they are a throttle.
_DOUBTFUL = frozenset({403, 429})


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
                head = Response(status, headers)
                lease.settle(cost=head.request_cost, remaining=head.rate_limit_remaining)

        exchange.on_head = on_head
        exchange.sent = exchange.in_flight = True
        try:
            response = await inner(exchange)
            if is_refusal(response):
                lease.refused(
                    remaining=response.rate_limit_remaining,
                    retry_after=retry_after(response, now=clock.wall()),
                )
            else:
                lease.settle(cost=response.request_cost, remaining=response.rate_limit_remaining)
        except ConnectError:
            lease.refund()
            raise
        except TransportError:
            exchange.unanswered = True
            raise
        finally:
            exchange.in_flight = False
            lease.abandon()  # does nothing if it has ended: the first ending counts
        return response

    return handle
