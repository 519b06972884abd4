"""The network layer, on aiohttp: the only client module that imports it, on first use.

URLs are sent byte for byte (yarl would rewrite `%2E` and bookmarks), redirects are not followed,
bodies are decoded by `transport/body.py`, and every failure in aiohttp is converted to an error of
the library here.

One call of `send` is one request on the wire. aiohttp alone would send GET, HEAD, OPTIONS, TRACE,
PUT and DELETE a second time after a lost connection, which neither the quota nor the caller of a
write would know of.
"""

from __future__ import annotations

import asyncio
import ssl as tls
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import define, field

from aioinstructure._version import __version__
from aioinstructure.errors import (
    ClientClosed,
    ConfigurationError,
    ConnectError,
    DeadlineError,
    Error,
    TransportError,
)
from aioinstructure.transport.body import (
    ACCEPTED,
    BodyDecoder,
    BodyTooLarge,
    BrokenBody,
    read_body,
)
from aioinstructure.transport.call_context import OnBody, OnHead
from aioinstructure.transport.proxy import Proxy
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.redact import scrub, shown, without_frames
from aioinstructure.wire.responses import is_cut_json, no_response_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiohttp

__all__ = ["MAX_BODY", "USER_AGENT", "HttpTransport"]

USER_AGENT = f"aioinstructure/{__version__}"
"""The default User-Agent."""

MAX_BODY: Final = 64 * 2**20
"""The default for the most bytes of a decoded body."""

_CHUNK: Final = 65_536
"""The chunk size of a streamed body, in bytes."""

_FIELD: Final = 65_536
"""The most bytes of one header field; aiohttp's 8,190 are too few for some Link headers."""

_DETAIL: Final = 300
"""The most characters of a text of aiohttp, which may quote the server."""


@define(eq=False)
class HttpTransport:
    """Sends requests with an aiohttp session, which is opened on first use unless given.

    Args:
        session: An open session; the caller owns it, and it is never closed here.
        headers: Sent with every request, unless the request has the same field.
        timeout: Seconds for one attempt, from connecting to the last byte of the body.
        ssl: A context with the caller's own certificate authorities; None for the default.
        proxy: The URL of a proxy, with its user and password if it needs them.
        trust_env: Read proxies from the environment.
        connections: The maximum number of connections; the quota decides how many are needed.
        max_body: The most bytes of a decoded response body; a streamed one has no limit.

    Raises:
        ConfigurationError: The proxy is no URL.
    """

    session: aiohttp.ClientSession | None = field(default=None, repr=False)
    headers: dict[str, str] = field(factory=dict)
    timeout: float = 60.0
    ssl: tls.SSLContext | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    trust_env: bool = False
    connections: int = 100
    max_body: int = MAX_BODY
    _proxy: Proxy = field(init=False, repr=False)
    _now: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _closed: bool = field(default=False, init=False)
    _base: dict[str, str] = field(factory=dict, init=False, repr=False)
    _extra: dict[str, Any] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._proxy = Proxy.of(self.proxy)

    async def send(
        self, request: Request, on_head: OnHead | None = None, on_body: OnBody | None = None
    ) -> Response:
        """See Transport, and for `on_body` StreamingTransport."""
        # A traceback may show the locals of its frames. So an error is raised here, where none of
        # them holds a credential, and not where the request is sent.
        try:
            outcome = await self._outcome(request, on_head, on_body)
        except asyncio.CancelledError as error:
            raise error.with_traceback(None)  # noqa: B904 - itself, without the frames of aiohttp
        if isinstance(outcome, Error):
            raise outcome
        return outcome

    async def _outcome(
        self, request: Request, on_head: OnHead | None, on_body: OnBody | None
    ) -> Response | Error:
        """Send the request; return its response, or the error to raise."""
        import aiohttp  # noqa: PLC0415 - two thirds of the import time of the package
        from yarl import URL  # noqa: PLC0415 - comes with aiohttp

        session = await self._session()
        proxy = self._proxy_for(request.url)
        reading = _Reading(request.method, self.max_body, on_head, on_body)
        try:
            async with session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=self._headers(request, proxy),
                data=request.body if request.source is None else request.source.chunks(),
                allow_redirects=False,
                raise_for_status=False,  # overrides the session's setting: a layer does that
                **_proxied(request, proxy),
                **self._extra,
            ) as reading.response:
                found = await reading.read()
        except _ConnectionLost as lost:
            failure: Exception = lost.error
        except BodyTooLarge:
            return self._too_large(request)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, BrokenBody) as error:
            if not reading.has_failed_with(error):
                raise  # of the caller's `on_body`
            failure = error
        else:
            if found.status == 407:
                return proxy.refusal(request)
            return proxy.secrets.removed_from(found) if found.status >= 300 else found
        # Outside of the handler, so that the failure is not the context of the new error. A
        # traceback shows the cause: do not chain one that holds the request or the signed URL.
        translated = _translated(failure, request, proxy, self._closed)
        text = f"{failure} {failure!r}"
        is_safe = scrub(text) == text and not isinstance(failure, aiohttp.ClientResponseError)
        if is_safe and not proxy.is_used:
            translated.__cause__ = without_frames(failure)
        return translated

    stream = send

    def _proxy_for(self, url: str) -> Proxy:
        if self.proxy is None and self.trust_env:
            return Proxy.of(_proxy_of(url))
        return self._proxy

    def _headers(self, request: Request, proxy: Proxy) -> dict[str, str]:
        headers = {**self._base, **request.headers.lower}
        if request.source is not None and request.source.length is not None:
            headers["content-length"] = str(request.source.length)
        if proxy.authorization and request.url.startswith("http:"):  # the proxy reads it
            headers["proxy-authorization"] = proxy.authorization
        return headers

    def _too_large(self, request: Request) -> Error:
        return TransportError(
            f"{_name(request)}: the response is larger than max_body, {self.max_body:,} bytes",
            request=request,
            is_final=True,
        )

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
        self._base = {"accept-encoding": ACCEPTED, **Headers(self.headers)}
        self._extra = {
            "timeout": aiohttp.ClientTimeout(total=self.timeout),
            "auto_decompress": False,
            "max_line_size": _FIELD,
            "max_field_size": _FIELD,
        }
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


@define(eq=False)
class _Reading:
    """Reads one response. Its repr shows nothing of it, since a traceback may show the locals."""

    method: str
    max_body: int
    on_head: OnHead | None = field(repr=False)
    on_body: OnBody | None = field(repr=False)
    response: Any = field(default=None, init=False, repr=False)
    _is_streaming: bool = field(default=False, init=False)
    _failure: Exception | None = field(default=None, init=False, repr=False)

    async def read(self) -> Response:
        """The response, with its body unless `on_body` has taken it."""
        status, headers = self.response.status, Headers(self.response.headers.items())
        if self.on_head is not None:
            self.on_head(status, headers)
        if self.on_body is not None and 200 <= status < 300:
            self._is_streaming = True
            await self.on_body(self._chunks(headers))
            if self._failure is not None:  # which `on_body` has ignored
                raise self._failure
            return Response(status, headers)
        body = await read_body(self.response.content, headers, self.max_body)
        response = Response(status, headers, body)
        if self._ends_with_connection(headers) and is_cut_json(response):
            raise BrokenBody("the response broke off: its JSON has no end")
        return response

    def _ends_with_connection(self, headers: Headers) -> bool:
        """Whether the body has no length, so that only its content shows that it is complete."""
        return "content-length" not in headers.lower and "transfer-encoding" not in headers.lower

    async def _chunks(self, headers: Headers) -> AsyncIterator[bytes]:
        import aiohttp  # noqa: PLC0415

        try:
            decoder = BodyDecoder(headers.get("content-encoding", ""))
            async for chunk in self.response.content.iter_chunked(_CHUNK):
                for piece in decoder.feed(chunk):
                    yield piece
            decoder.finish()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, BrokenBody) as error:
            self._failure = error
            raise

    def has_failed_with(self, error: Exception) -> bool:
        """Whether the error is of the connection, not of the caller's `on_body`."""
        return not self._is_streaming or error is self._failure


def _proxied(request: Request, proxy: Proxy) -> dict[str, Any]:
    """The arguments of aiohttp for a proxy."""
    if not proxy.authorization or request.url.startswith("http:"):
        return {"proxy": proxy.address}
    return {
        "proxy": proxy.address,
        "proxy_headers": {"Proxy-Authorization": proxy.authorization},
    }


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment defines for a URL."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - a tenth of the import

    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _name(request: Request) -> str:
    return f"{request.method} {request.path.partition('?')[0]}"


def _translated(error: Exception, request: Request, proxy: Proxy, closed: bool) -> Error:
    """Return the library's error for one of aiohttp's; `closed` if no request can follow."""
    import aiohttp  # noqa: PLC0415

    what = _name(request)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy.refusal(request, error.status)
    detail = shown(proxy.secrets.removed(str(error)), _DETAIL) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return ConnectError(f"cannot connect: {what}: {detail}")
    if isinstance(error, aiohttp.ClientResponseError):
        return TransportError(
            f"the response is no valid HTTP: {what}: {detail}",
            request=request,
            is_final=True,
        )
    if isinstance(error, ValueError):
        return ConfigurationError(f"the request cannot be sent: {what}: {detail}")
    if isinstance(error, TimeoutError) and request.idempotent:
        return DeadlineError(f"the request timed out: {what}")
    return no_response_error(request, detail, can_repeat=not closed)
