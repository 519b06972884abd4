"""Make the credential fresh before a lease is taken: no reservation is held during a refresh."""

from __future__ import annotations

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.transport.call_context import Exchange, Handler
from aioinstructure.wire.message import Response

__all__ = ["credential_layer"]


def credential_layer(inner: Handler, credential: Credential, clock: Clock) -> Handler:
    """Refresh what is stale."""

    async def handle(exchange: Exchange) -> Response:
        if credential.stale(clock.wall()):
            await credential.refresh()
        return await inner(exchange)

    return handle
