"""A log record for each attempt: request, result and duration, without the credential."""

from __future__ import annotations

import logging

from aioinstructure.clock import Clock
from aioinstructure.errors import Error
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Response
from aioinstructure.wire.redact import shown

__all__ = ["log_attempts_layer"]

log = logging.getLogger("aioinstructure.http")

_PATH = 1_000  # the next page is on a path that the server wrote


def log_attempts_layer(inner: Handler, clock: Clock) -> Handler:
    """Log each attempt at DEBUG; costs one comparison if DEBUG is off."""

    async def handle(context: CallContext) -> Response:
        if not log.isEnabledFor(logging.DEBUG):
            return await inner(context)
        request = context.request
        start = clock.monotonic()
        outcome = "cancelled"
        try:
            response = await inner(context)
            outcome = str(response.status)
        except Error as error:
            outcome = type(error).__name__
            raise
        else:
            return response
        finally:
            log.debug(
                "%s %s -> %s in %.3f s, queueing included (attempt %d, %s)",
                request.method,
                shown(request.path, _PATH),
                outcome,
                clock.monotonic() - start,
                context.attempts,
                request.route or "no route",
            )

    return handle
