"""The network, by aiohttp: the only client-side module that imports it, and that on first use.

URLs go out to the letter (yarl would rewrite `%2E` and bookmarks), no redirect is followed, and
every failure of aiohttp's becomes one of ours, here and nowhere else.
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
from aioinstructure.wire.redact import scrub
from aioinstructure.wire.responses import no_response_error

if TYPE_CHECKING:
    import aiohttp

__all__ = ["USER_AGENT", "HttpTransport"]

USER_AGENT = f"aioinstructure/{__version__}"
"""What a client calls itself unless its user says otherwise."""


_CHUNK = 65_536
"""Bytes of a streamed body at a time."""


@define(eq=False)
class HttpTransport:
    """Sends by an aiohttp session, which it opens on first use unless it is given one.

    Args:
        session: An open session; it stays the caller's and is never closed here.
        headers: Sent with every request, unless the request has its own.
        timeout: Seconds for one attempt, from connecting to the last byte of the body.
        ssl: A context with the caller's own authorities; None verifies as usual.
        proxy: The URL of a proxy.
        trust_env: Read proxies from the environment.
        connections: How many at once; the quota decides how many are needed.
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
                raise_for_status=False,  # a layer of the pipeline does that, whatever the session's
                proxy=proxy,
                **self._extra,
            ) as answer:
                found = Headers(answer.headers.items())
                if on_head is not None:
                    on_head(answer.status, found)
                if on_body is not None and 200 <= answer.status < 300:
                    await on_body(answer.content.iter_chunked(_CHUNK))
                    return Response(answer.status, found)
                return Response(answer.status, found, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = error
        # Raised outside of the handler, so that the failure is not the context of the new error. A
        # cause is shown with the traceback: one that holds the request or the signed URL is not
        # chained.
        shown = f"{failure} {failure!r}"
        safe = scrub(shown) == shown and not isinstance(failure, aiohttp.ClientResponseError)
        raise _translate(failure, request) from (failure if safe else None)

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
                raise ClientClosed("the client belongs to another event loop, which still runs")
            if self.session is not None:
                raise ClientClosed("the session that the client was given had another event loop")
        if self.session is not None and self.session.closed:
            raise ClientClosed("the session that the client was given is closed")
        self._loop = loop
        self._base = dict(Headers(self.headers))
        self._extra = {"timeout": aiohttp.ClientTimeout(total=self.timeout)}
        if self.ssl is not None:
            self._extra["ssl"] = self.ssl
        if self.session is not None:
            return self.session
        # Not its trust_env: that would look for passwords in ~/.netrc, too, and then refuse to
        # send our Authorization beside them.
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
        # Half built, where its constructor has failed.
        session = getattr(self, "_now", None)
        if session is None or session is self.session or session.closed:
            return
        warnings.warn(
            "a client was not closed: use `async with`, or await its close()",
            ResourceWarning,
            stacklevel=2,
        )

    async def _close(self, session: aiohttp.ClientSession | None) -> None:
        if session is not None and session is not self.session:
            with suppress(RuntimeError):  # its loop may be gone
                await session.close()


def _body(request: Request) -> tuple[Any, dict[str, str]]:
    """What aiohttp sends, and the headers with the length of a source that knows it."""
    headers = dict(request.headers.lower)
    source = request.source
    if source is None:
        return request.body, headers
    if source.length is not None:
        headers["content-length"] = str(source.length)
    return source.chunks(), headers


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment has for a URL."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - a tenth of the import

    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _translate(error: Exception, request: Request) -> Error:
    """Our error for one of aiohttp's."""
    import aiohttp  # noqa: PLC0415

    what = f"{request.method} {request.url.partition('?')[0]}"
    detail = scrub(str(error)) or type(error).__name__
    if isinstance(
        error,
        aiohttp.ClientConnectorError
        | aiohttp.ConnectionTimeoutError
        | aiohttp.ClientHttpProxyError,
    ):
        return ConnectError(f"no connection: {what}: {detail}")
    if isinstance(error, ValueError):
        return ConfigurationError(f"it cannot be sent like this: {what}: {detail}")
    if isinstance(error, TimeoutError) and request.idempotent:
        return DeadlineError(f"no answer in time: {what}")
    return no_response_error(request, detail)
