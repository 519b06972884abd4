"""One time limit for queueing, attempts and the body together."""

from __future__ import annotations

import asyncio

from aioinstructure.errors import (
    DeadlineError,
    Error,
    QuotaError,
    UnknownOutcome,
)
from aioinstructure.quota import Scheduler
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Response
from aioinstructure.wire.redact import scrub, without_frames

__all__ = ["deadline_layer"]


def deadline_layer(inner: Handler, scheduler: Scheduler) -> Handler:
    """Set the deadline, and raise the error that describes the situation when it passes."""

    async def handle(context: CallContext) -> Response:
        seconds = context.options.deadline
        if seconds is None:
            return await inner(context)
        context.deadline_at = asyncio.get_running_loop().time() + seconds
        limit = asyncio.timeout_at(context.deadline_at)
        try:
            async with limit:
                return await inner(context)
        except TimeoutError as error:
            if isinstance(error, Error) or not limit.expired():
                raise  # one of ours, or another timeout, such as that of a credential refresh
            raise _deadline_error(context, scheduler) from without_frames(error)

    return handle


def _deadline_error(context: CallContext, scheduler: Scheduler) -> Error:
    request = context.request
    seconds = context.options.deadline
    what = f"{request.method} {scrub(request.path)}"
    if context.in_flight:
        if request.idempotent:
            return DeadlineError(f"no response within {seconds} s: {what}", request=request)
        unknown = UnknownOutcome(
            f"no response within {seconds} s, the write may have taken effect: {what}",
            request=request,
        )
        return unknown.ending_deadline()
    wait = scheduler.wait_estimate(context.cost, lane=context.options.lane)
    if context.last_error is not None:
        return context.last_error.with_wait(wait).ending_deadline()
    return QuotaError(f"not sent within {seconds} s: {what}", wait=wait)
