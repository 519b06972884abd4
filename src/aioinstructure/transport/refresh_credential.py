"""Credential refresh before a lease is taken: no reservation is held during a refresh."""

from __future__ import annotations

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.wire.message import Response

__all__ = ["refresh_credential_layer"]


def refresh_credential_layer(inner: Handler, credential: Credential, clock: Clock) -> Handler:
    """Refresh the credential if it needs to be."""

    async def handle(context: CallContext) -> Response:
        if credential.needs_refresh(clock.wall()):
            await credential.refresh()
        return await inner(context)

    return handle
