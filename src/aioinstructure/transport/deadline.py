"""One budget in seconds for queueing, attempts and the body together."""

from __future__ import annotations

import asyncio

from aioinstructure.errors import (
    DeadlineError,
    Error,
    QuotaError,
    ResponseError,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.quota import Scheduler
from aioinstructure.transport.call_context import Exchange, Handler
from aioinstructure.wire.message import Response
from aioinstructure.wire.redact import scrub

__all__ = ["deadline_layer"]


def deadline_layer(inner: Handler, scheduler: Scheduler) -> Handler:
    """Set the deadline, and tell what was lost when it passes."""

    async def handle(exchange: Exchange) -> Response:
        seconds = exchange.options.deadline
        if seconds is None:
            return await inner(exchange)
        exchange.deadline_at = asyncio.get_running_loop().time() + seconds
        limit = asyncio.timeout_at(exchange.deadline_at)
        try:
            async with limit:
                return await inner(exchange)
        except TimeoutError as error:
            if not limit.expired():
                raise  # somebody else's, such as of an auth that could not renew its token
            raise _lost(exchange, scheduler) from error

    return handle


def _lost(exchange: Exchange, scheduler: Scheduler) -> Error:
    request = exchange.request
    seconds = exchange.options.deadline
    what = f"{request.method} {scrub(request.path)}"
    if exchange.in_flight:
        if request.idempotent:
            return DeadlineError(f"no answer within {seconds} s: {what}", request=request)
        return UnknownOutcome(
            f"no answer within {seconds} s, it may have happened: {what}", request=request
        )
    wait = scheduler.wait_estimate(exchange.cost, lane=exchange.options.lane)
    if exchange.last_error is not None:
        return with_wait(exchange.last_error, wait)
    return QuotaError(f"nothing could be sent within {seconds} s: {what}", wait=wait)


def with_wait(error: Error, wait: float) -> Error:
    """The error, told how long another attempt would have had to wait."""
    if isinstance(error, TransportError | ResponseError):
        error.wait = wait
    return error
