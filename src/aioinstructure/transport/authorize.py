"""Authorization as the last step: an AB Connect signature expires, and a queue may be long.

It is also the first step on the way back: servers echo requests. What the credential has added to
the request is removed from the response here, so that no layer above can show it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Final
from urllib.parse import unquote

from attrs import define, evolve, field

from aioinstructure.errors import TransportError
from aioinstructure.transport.call_context import (
    CallContext,
    Handler,
    OnBody,
    StreamingTransport,
    Transport,
)
from aioinstructure.transport.renewal import Renewal
from aioinstructure.transport.server_clock import ServerClock
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import Secrets

__all__ = ["authorize_layer"]


def authorize_layer(transport: Transport, renewal: Renewal, clock: ServerClock) -> Handler:
    """Send an authorized copy; the response refers to the request without the credential."""
    credential = renewal.credential
    sent = _SentSecrets()

    async def handle(context: CallContext) -> Response:
        ready = credential.authorize(context.request, clock.wall())
        secrets = sent.of(context.request, ready)
        context.generation = renewal.generation
        context.in_flight = True
        try:
            if context.on_body is None:
                response = await transport.send(ready, context.on_head)
            else:
                response = await _streamed(transport, ready, context, context.on_body)
        except TransportError as error:
            error.request = context.request
            _remove(secrets, error)
            raise
        response = secrets.removed_from(response)
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


_NO_SECRET: Final = re.compile(r"partner[._]id|user[._]id|auth[._]expires", re.IGNORECASE)
"""Query parameters of a signature that may be shown."""


@define
class _SentSecrets:
    """What the credential of a client adds to its requests; found again when that changes."""

    _headers: list[str] = field(factory=list[str], init=False, repr=False)
    _pairs: list[str] = field(factory=list[str], init=False, repr=False)
    _secrets: Secrets = field(factory=Secrets, init=False, repr=False)

    def of(self, before: Request, ready: Request) -> Secrets:
        """What was added to a request, in all forms in which a server may send it back."""
        old = before.headers.lower
        headers = [text for name, text in ready.headers.lower.items() if old.get(name) != text]
        pairs: list[str] = []
        if ready.url != before.url:
            known = before.url.partition("?")[2].split("&")
            pairs = [each for each in ready.url.partition("?")[2].split("&") if each not in known]
        if headers != self._headers or pairs != self._pairs:
            self._headers, self._pairs = headers, pairs
            self._secrets = Secrets.of(*_values(headers, pairs))
        return self._secrets


def _values(headers: list[str], pairs: list[str]) -> Iterator[str]:
    for text in headers:
        yield text
        yield text.rpartition(" ")[2]  # without "Bearer"
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not _NO_SECRET.fullmatch(unquote(name)):
            yield unquote(value)


def _remove(secrets: Secrets, error: TransportError) -> None:
    """Remove them from the message, and a cause that shows one."""
    error.args = tuple(secrets.removed(arg) if isinstance(arg, str) else arg for arg in error.args)
    cause = error.__cause__
    if cause is not None and secrets.are_in(f"{cause} {cause!r}"):
        error.__cause__ = None
