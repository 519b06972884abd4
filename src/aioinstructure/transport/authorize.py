"""Authorize the request last, since an AB Connect signature expires and a queue may be long."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import evolve

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.errors import TransportError
from aioinstructure.transport.call_context import (
    CallContext,
    Handler,
    StreamingTransport,
    Transport,
)
from aioinstructure.wire.message import Request, Response

__all__ = ["authorize_layer"]


def authorize_layer(transport: Transport, credential: Credential, clock: Clock) -> Handler:
    """Send a copy that has the credential; the answer refers to the request that has none."""

    async def handle(context: CallContext) -> Response:
        ready = credential.authorize(context.request, clock.wall())
        context.in_flight = True
        try:
            answer = await _sent(transport, ready, context)
        except TransportError as error:
            error.request = context.request
            raise
        return Response(answer.status, answer.headers, answer.body, context.request)

    return handle


async def _sent(transport: Transport, ready: Request, context: CallContext) -> Response:
    """The answer; its body goes to `on_body`, if that is set and the status is 2xx."""
    on_body = context.on_body
    if on_body is None:
        return await transport.send(ready, context.on_head)
    if isinstance(transport, StreamingTransport):
        return await transport.stream(ready, context.on_head, on_body)
    answer = await transport.send(ready, context.on_head)
    if not 200 <= answer.status < 300:
        return answer
    await on_body(_chunks(answer.body))
    return evolve(answer, body=b"")


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body
