"""Authorize the request last, since an AB Connect signature expires and a queue may be long."""

from __future__ import annotations

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.errors import TransportError
from aioinstructure.transport.call_context import CallContext, Handler, Transport
from aioinstructure.wire.message import Response

__all__ = ["authorize_layer"]


def authorize_layer(transport: Transport, credential: Credential, clock: Clock) -> Handler:
    """Send a copy that has the credential; the answer refers to the request that has none."""

    async def handle(context: CallContext) -> Response:
        ready = credential.authorize(context.request, clock.wall())
        context.in_flight = True
        try:
            if context.on_body is None:
                answer = await transport.send(ready, context.on_head)
            else:
                answer = await transport.send(ready, context.on_head, context.on_body)
        except TransportError as error:
            error.request = context.request
            raise
        return Response(answer.status, answer.headers, answer.body, context.request)

    return handle
