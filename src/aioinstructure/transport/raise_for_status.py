"""Conversion of error responses to errors, so that the layers above handle only errors."""

from __future__ import annotations

from aioinstructure.clock import Clock
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Response
from aioinstructure.wire.responses import raise_for_status

__all__ = ["raise_for_status_layer"]


def raise_for_status_layer(inner: Handler, clock: Clock) -> Handler:
    """Raise the error of an error response."""

    async def handle(context: CallContext) -> Response:
        response = await inner(context)
        return raise_for_status(context.request, response, now=clock.wall())

    return handle
