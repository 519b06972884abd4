"""Credential refresh before a lease is taken: no reservation is held during a refresh."""

from __future__ import annotations

from aioinstructure.transport.call_context import CallContext, Handler
from aioinstructure.transport.renewal import Renewal
from aioinstructure.transport.server_clock import ServerClock
from aioinstructure.wire.message import Response

__all__ = ["refresh_credential_layer"]


def refresh_credential_layer(inner: Handler, renewal: Renewal, clock: ServerClock) -> Handler:
    """Wait for the renewal of the credential if it needs one."""

    async def handle(context: CallContext) -> Response:
        if renewal.is_needed(clock.wall()):
            await renewal.wait()
        return await inner(context)

    return handle
