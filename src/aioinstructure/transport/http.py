"""The network layer, on aiohttp: the only client module that imports it, on first use.

URLs are sent byte for byte (yarl would rewrite `%2E` and bookmarks), redirects are not followed,
and every failure in aiohttp is converted to an error of the library here.

One call of `send` is one request on the wire. aiohttp alone would send GET, HEAD, OPTIONS, TRACE,
PUT and DELETE a second time after a lost connection, which neither the quota nor the caller of a
write would know of.
"""

from __future__ import annotations

import asyncio
import ssl as tls
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, field

from aioinstructure._version import __version__
from aioinstructure.errors import (
    ClientClosed,
    ConfigurationError,
    ConnectError,
    DeadlineError,
    Error,
)
from aioinstructure.transport.call_context import OnBody, OnHead
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.redact import scrub, shown
from aioinstructure.wire.responses import no_response_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiohttp

__all__ = ["USER_AGENT", "HttpTransport"]

USER_AGENT = f"aioinstructure/{__version__}"
"""The default User-Agent."""

_CHUNK = 65_536
"""The chunk size of a streamed body, in bytes."""

_DETAIL = 300
"""The most characters of a text of aiohttp, which may quote the server."""


@define(eq=False)
class HttpTransport:
    """Sends requests with an aiohttp session, which is opened on first use unless given.

    Args:
        session: An open session; the caller owns it, and it is never closed here.
        headers: Sent with every request, unless the request has the same field.
        timeout: Seconds for one attempt, from connecting to the last byte of the body.
        ssl: A context with the caller's own certificate authorities; None for the default.
        proxy: The URL of a proxy.
        trust_env: Read proxies from the environment.
        connections: The maximum number of connections; the quota decides how many are needed.
    """

    session: aiohttp.ClientSession | None = field(default=None, repr=False)
    headers: dict[str, str] = field(factory=dict)
    timeout: float = 60.0
    ssl: tls.SSLContext | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    trust_env: bool = False
    connections: int = 100
    _now: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _closed: bool = field(default=False, init=False)
    _base: dict[str, str] = field(factory=dict, init=False, repr=False)
    _extra: dict[str, Any] = field(factory=dict, init=False, repr=False)

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """See Transport."""
        return await self._send(request, on_head, None)

    async def stream(self, request: Request, on_head: OnHead | None, on_body: OnBody) -> Response:
        """See StreamingTransport."""
        return await self._send(request, on_head, on_body)

    async def _send(
        self, request: Request, on_head: OnHead | None, on_body: OnBody | None
    ) -> Response:
        import aiohttp  # noqa: PLC0415 - two thirds of the import time of the package
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        session = await self._session()
        proxy = self.proxy or (_proxy_of(request.url) if self.trust_env else None)
        body, headers = _body(request)
        try:
            async with session.request(
                request.method,
                URL(request.url, encoded=True),
                headers={**self._base, **headers},
                data=body,
                allow_redirects=False,
                raise_for_status=False,  # overrides the session's setting: a layer does that
                proxy=proxy,
                **self._extra,
            ) as response:
                found = Headers(response.headers.items())
                if on_head is not None:
                    on_head(response.status, found)
                if on_body is not None and 200 <= response.status < 300:
                    await on_body(response.content.iter_chunked(_CHUNK))
                    return Response(response.status, found)
                return Response(response.status, found, await response.read())
        except _ConnectionLost as lost:
            failure = lost.error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = error
        # Raise outside of the handler, so that the failure is not the context of the new error. A
        # traceback shows the cause: do not chain one that holds the request or the signed URL.
        shown = f"{failure} {failure!r}"
        safe = scrub(shown) == shown and not isinstance(failure, aiohttp.ClientResponseError)
        raise _translate(failure, request, self._closed) from (failure if safe else None)

    async def _session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise ClientClosed("the client is closed")
        last = self._now
        if last is not None and not last.closed and self._loop is asyncio.get_running_loop():
            return last
        self._now = opened = self._open()
        await self._close(last)
        return opened

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415

        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            if self._loop.is_running():
                raise ClientClosed("the client belongs to another event loop that is still running")
            if self.session is not None:
                raise ClientClosed("the given session belongs to another event loop")
        if self.session is not None and self.session.closed:
            raise ClientClosed("the given session is closed")
        self._loop = loop
        self._base = dict(Headers(self.headers))
        self._extra = {"timeout": aiohttp.ClientTimeout(total=self.timeout)}
        if self.ssl is not None:
            self._extra["ssl"] = self.ssl
        # Those of a request replace those of its session: add these, which a session does not
        # publish. The first is outermost, so that the others see the errors of aiohttp.
        given: Sequence[aiohttp.ClientMiddlewareType] = getattr(self.session, "_middlewares", ())
        self._extra["middlewares"] = (_send_once, *given)
        if self.session is not None:
            return self.session
        # Without its trust_env: that also reads passwords from ~/.netrc, and then refuses to send
        # a request that already has an Authorization header.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.connections, limit_per_host=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the session, if it was opened here."""
        self._closed = True
        now, self._now = self._now, None
        await self._close(now)

    def __del__(self) -> None:
        # The attribute is missing if the constructor failed.
        session = getattr(self, "_now", None)
        if session is None or session is self.session or session.closed:
            return
        warnings.warn(
            "a client was not closed: use `async with`, or await its close()",
            ResourceWarning,
            stacklevel=2,
        )
        session.detach()  # the session would warn too; the connections are closed all the same

    async def _close(self, session: aiohttp.ClientSession | None) -> None:
        if session is not None and session is not self.session:
            with suppress(RuntimeError):  # its loop may be closed
                await session.close()


class _ConnectionLost(Exception):
    """The connection was lost after the request may have been sent; aiohttp does not handle it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Replace the errors after which aiohttp would send the request again."""
    import aiohttp  # noqa: PLC0415

    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise  # nothing was sent
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLost(error) from error


def _body(request: Request) -> tuple[Any, dict[str, str]]:
    """Return the body for aiohttp, and the headers with the length of a source that knows it."""
    headers = dict(request.headers.lower)
    source = request.source
    if source is None:
        return request.body, headers
    if source.length is not None:
        headers["content-length"] = str(source.length)
    return source.chunks(), headers


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment defines for a URL."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - a tenth of the import

    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _translate(error: Exception, request: Request, closed: bool) -> Error:
    """Return the library's error for one of aiohttp's; `closed` if no request can follow."""
    import aiohttp  # noqa: PLC0415

    what = f"{request.method} {request.url.partition('?')[0]}"
    detail = shown(str(error), _DETAIL) or type(error).__name__
    if isinstance(
        error,
        aiohttp.ClientConnectorError
        | aiohttp.ConnectionTimeoutError
        | aiohttp.ClientHttpProxyError,
    ):
        return ConnectError(f"cannot connect: {what}: {detail}")
    if isinstance(error, ValueError):
        return ConfigurationError(f"the request cannot be sent: {what}: {detail}")
    if isinstance(error, TimeoutError) and request.idempotent:
        return DeadlineError(f"the request timed out: {what}")
    return no_response_error(request, detail, can_repeat=not closed)
