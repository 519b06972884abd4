"""Turn an answer that says no into our error, so that everything above sees errors only."""

from __future__ import annotations

from aioinstructure.clock import Clock
from aioinstructure.transport.call_context import Exchange, Handler
from aioinstructure.wire.message import Response
from aioinstructure.wire.responses import judge

__all__ = ["judge_layer"]


def judge_layer(inner: Handler, clock: Clock) -> Handler:
    """Raise what the answer means."""

    async def handle(exchange: Exchange) -> Response:
        response = await inner(exchange)
        if 200 <= response.status < 300:
            return response
        return judge(exchange.request, response, now=clock.wall())

    return handle
