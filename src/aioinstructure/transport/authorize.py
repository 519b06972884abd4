"""Authorization as the last step: an AB Connect signature expires, and a queue may be long."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import evolve

from aioinstructure.clock import Clock
from aioinstructure.errors import TransportError
from aioinstructure.transport.call_context import (
    CallContext,
    Handler,
    OnBody,
    StreamingTransport,
    Transport,
)
from aioinstructure.transport.renewal import Renewal
from aioinstructure.wire.message import Request, Response

__all__ = ["authorize_layer"]


def authorize_layer(transport: Transport, renewal: Renewal, clock: Clock) -> Handler:
    """Send an authorized copy; the response refers to the request without the credential."""
    credential = renewal.credential

    async def handle(context: CallContext) -> Response:
        ready = credential.authorize(context.request, clock.wall())
        context.generation = renewal.generation
        context.in_flight = True
        try:
            if context.on_body is None:
                response = await transport.send(ready, context.on_head)
            else:
                response = await _streamed(transport, ready, context, context.on_body)
        except TransportError as error:
            error.request = context.request
            raise
        return Response(response.status, response.headers, response.body, context.request)

    return handle


async def _streamed(
    transport: Transport, ready: Request, context: CallContext, on_body: OnBody
) -> Response:
    """Return the response; the body of a 2xx goes to `on_body`."""
    if isinstance(transport, StreamingTransport):
        return await transport.stream(ready, context.on_head, on_body)
    response = await transport.send(ready, context.on_head)
    if not 200 <= response.status < 300:
        return response
    await on_body(_chunks(response.body))
    return evolve(response, body=b"")


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body
