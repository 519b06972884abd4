"""The aiohttp layer: what is sent, what is returned, and what can fail in between."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import random
import socket
import ssl
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aioresponses import aioresponses

from aioinstructure import (
    ABConnect,
    Canvas,
    ClientClosed,
    ConfigurationError,
    ConnectError,
    DeadlineError,
    DecodeError,
    Error,
    OriginError,
    RedirectError,
    Request,
    ResponseError,
    ServerError,
    TransportError,
    UnknownOutcome,
    __version__,
)
from aioinstructure.auth.credentials import BearerToken, Credential, PartnerSignature
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.transport.call_context import CallContext, Options
from aioinstructure.transport.http import HttpTransport
from aioinstructure.transport.pipeline import Components, build
from aioinstructure.wire.message import Headers, Response
from tests.transport.rig import KEY, TOKEN

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
AGENT = {"User-Agent": "tests"}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect to the loopback directly, whatever the environment of the tests says."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Seen:
    """A web server that records its requests, and responds with a list."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.headers: list[Any] = []
        self.bodies: list[bytes] = []
        self.origin = ""
        self.respond: Callable[[web.BaseRequest], web.StreamResponse] = lambda _: web.json_response(
            [{"id": 1}]
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.lines.append(f"{request.method} {request.raw_path}")
        self.headers.append(request.headers)
        self.bodies.append(await request.read())
        return self.respond(request)


@asynccontextmanager
async def web_server() -> AsyncIterator[Seen]:
    seen = Seen()
    runner = web.ServerRunner(web.Server(seen.handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    seen.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield seen
    finally:
        await runner.cleanup()


@pytest.fixture
async def seen() -> AsyncIterator[Seen]:
    async with web_server() as server:
        yield server


class NoPause(random.Random):
    """Jitter without a pause."""

    def uniform(self, a: float, b: float) -> float:
        return a


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


# --- requests: mocked aiohttp --------------------------------------------------------------


async def test_a_request_and_its_response(mocked: aioresponses) -> None:
    """Method, headers and body are sent; status, headers and body are returned, head first."""
    mocked.put("https://canvas.test/api/v1/x?a=1", body=b"[1]", headers={"X-Request-Cost": "0.5"})
    heads: list[tuple[int, Headers]] = []
    transport = HttpTransport(headers=AGENT)
    request = Request("PUT", "https://canvas.test/api/v1/x?a=1", Headers({"accept": "x"}), b"{}")
    response = await transport.send(
        request, lambda status, headers: heads.append((status, headers))
    )
    assert (response.status, response.body, response.request_cost) == (200, b"[1]", 0.5)
    assert [(status, headers["X-Request-Cost"]) for status, headers in heads] == [(200, "0.5")]
    (calls,) = mocked.requests.values()
    options = calls[0].kwargs
    assert options["data"] == b"{}"
    assert options["headers"] == {
        "accept-encoding": "gzip, deflate",
        "user-agent": "tests",
        "accept": "x",
    }
    assert options["allow_redirects"] is False
    await transport.close()


@pytest.mark.parametrize(
    ("raised", "read", "write"),
    [
        (aiohttp.ServerDisconnectedError(), TransportError, UnknownOutcome),
        (aiohttp.ClientPayloadError("cut"), TransportError, UnknownOutcome),
        (aiohttp.ClientOSError(104, "reset"), TransportError, UnknownOutcome),
        (ConnectionResetError("reset"), TransportError, UnknownOutcome),
        (aiohttp.SocketTimeoutError("slow"), DeadlineError, UnknownOutcome),
        (TimeoutError(), DeadlineError, UnknownOutcome),
        (aiohttp.ConnectionTimeoutError("slow"), ConnectError, ConnectError),
        (aiohttp.InvalidURL("x"), ConfigurationError, ConfigurationError),
        (ValueError("no such header"), ConfigurationError, ConfigurationError),
    ],
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)
async def test_every_aiohttp_error_is_translated(
    mocked: aioresponses, raised: Exception, read: type[Error], write: type[Error]
) -> None:
    """By its meaning for the request, not by its origin."""
    mocked.get("https://canvas.test/x", exception=raised)
    mocked.post("https://canvas.test/x", exception=raised)
    transport = HttpTransport(headers=AGENT)
    with pytest.raises(read) as of_read:
        await transport.send(Request("GET", "https://canvas.test/x"))
    with pytest.raises(write) as of_write:
        await transport.send(Request("POST", "https://canvas.test/x", idempotent=False))
    assert type(of_read.value) is read
    assert type(of_write.value) is write
    await transport.close()


# --- requests: over a socket -----------------------------------------------------------------

LETTERS = [
    "/api/v1/courses/sis_course_id:CS%2F101%2E11%C3%A9",
    "/api/v1/courses?page=bookmark:WyJhIiwxXQ&per_page=10",
    "/api/v1/courses?page=bookmark%3AWyJhIiwxXQ%3D%3D&include[]=term&include%5B%5D=teachers",
    "/rest/v4.1/standards?filter[standards]=(level%20le%202)%20and%20(guid%20eq%20'A')",
    "/api/v1/x?a=%2e%2E&b=+&c=%20&d=%41&e=~!$'()*,;:@/?",
    "/api/v1/x//y/../z/./?q",
]


@pytest.mark.real_loop
@pytest.mark.parametrize("path", LETTERS)
async def test_a_url_is_sent_byte_for_byte(seen: Seen, path: str) -> None:
    """Nothing encodes, normalizes or sorts again what the wire layer has made."""
    transport = HttpTransport(headers=AGENT)
    await transport.send(Request("GET", seen.origin + path))
    await transport.close()
    assert seen.lines == [f"GET {path}"]


@pytest.mark.real_loop
async def test_a_sis_id_arrives_as_canvas_needs_it(seen: Seen) -> None:
    """From the argument of the method to the request line."""
    seen.respond = lambda _: web.json_response({"id": 2})
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        await canvas.courses.get("sis_course_id:CS/101.11é")
    assert seen.lines == ["GET /api/v1/courses/sis_course_id:CS%2F101%2E11%C3%A9"]


@pytest.mark.real_loop
async def test_a_user_agent_is_always_sent_and_can_be_chosen(seen: Seen) -> None:
    """The default names the library and its version; the caller's replaces it. Only one is sent."""
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        await canvas.request("GET", "/x")
    async with Canvas(seen.origin, token=TOKEN, user_agent="sync/1.0 (ops@example.edu)") as canvas:
        await canvas.request("GET", "/x")
    transport = HttpTransport(headers={"User-Agent": "default", "X-More": "1"})
    await transport.send(Request("GET", seen.origin, Headers({"User-Agent": "its own"})))
    await transport.close()
    agents = [headers.getall("User-Agent") for headers in seen.headers]
    assert agents == [
        [f"aioinstructure/{__version__}"],
        ["sync/1.0 (ops@example.edu)"],
        ["its own"],
    ]
    assert seen.headers[2]["X-More"] == "1"


@pytest.mark.real_loop
async def test_credential_body_and_type_arrive(seen: Seen) -> None:
    """The token in its header, the body as JSON."""
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        await canvas.request("POST", "/api/v1/x", json={"a": None})
    assert seen.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert seen.headers[0]["Content-Type"] == "application/json"
    assert seen.headers[0]["Accept"] == "application/json"
    assert seen.bodies == [b'{"a":null}']


@pytest.mark.real_loop
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(seen: Seen, status: int) -> None:
    """RedirectError within the origin, OriginError to another one; one request in both cases."""
    targets = iter([f"{seen.origin}/login", "/login", "https://elsewhere.invalid/", "//evil.test/"])
    seen.respond = lambda _: web.Response(status=status, headers={"Location": next(targets)})
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        for error in (RedirectError, RedirectError, OriginError, OriginError):
            with pytest.raises(error):
                await canvas.request("GET", "/x")
    assert len(seen.lines) == 4


@pytest.mark.real_loop
async def test_no_cookie_is_kept(seen: Seen) -> None:
    """A session cookie beside a token would change how Canvas handles a call."""

    def respond(_: object) -> web.Response:
        response = web.json_response([])
        response.set_cookie("_normandy_session", "abc")
        return response

    seen.respond = respond
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        await canvas.request("GET", "/x")
        await canvas.request("GET", "/x")
    assert all("Cookie" not in headers for headers in seen.headers)


@pytest.mark.real_loop
async def test_fields_sent_twice_are_joined(seen: Seen) -> None:
    """As HTTP allows: two Link fields are one list."""

    def respond(_: object) -> web.Response:
        response = web.json_response([])
        response.headers.add("Link", "<a>; rel=x")
        response.headers.add("LINK", "<b>; rel=y")
        return response

    seen.respond = respond
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        assert (await canvas.request("GET", "/x")).headers["link"] == "<a>; rel=x, <b>; rel=y"


@pytest.mark.real_loop
async def test_a_compressed_body_is_unpacked(seen: Seen) -> None:
    """Canvas compresses lists."""
    packed = gzip.compress(b"[1,2,3]")
    seen.respond = lambda _: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    async with Canvas(seen.origin, token=TOKEN) as canvas:
        assert (await canvas.request("GET", "/x")).json() == [1, 2, 3]


# --- sessions ------------------------------------------------------------------------------------


@pytest.mark.real_loop
async def test_an_injected_session_is_used_and_never_closed(seen: Seen) -> None:
    """The caller owns it, and its `raise_for_status` is ignored."""
    seen.respond = lambda _: web.json_response({"errors": []}, status=422)
    async with aiohttp.ClientSession(raise_for_status=True, headers={"X-Mine": "1"}) as session:
        async with Canvas(seen.origin, token=TOKEN, session=session) as canvas:
            with pytest.raises(ResponseError, match="422"):
                await canvas.request("GET", "/x")
        assert not session.closed
        assert seen.headers[0]["X-Mine"] == "1"
        assert seen.headers[0]["User-Agent"].startswith("aioinstructure/")


@pytest.mark.real_loop
async def test_an_injected_session_that_is_closed_is_an_error(seen: Seen) -> None:
    """Before the first call, and between two calls."""
    session = aiohttp.ClientSession()
    canvas = Canvas(seen.origin, token=TOKEN, session=session)
    await canvas.request("GET", "/x")
    await session.close()
    for client in (canvas, Canvas(seen.origin, token=TOKEN, session=session)):
        with pytest.raises(ClientClosed, match="closed"):
            await client.request("GET", "/x")


@pytest.mark.real_loop
async def test_use_after_close(seen: Seen) -> None:
    """A closed client and its views send nothing more; closing again is no error."""
    canvas = Canvas(seen.origin, token=TOKEN)
    view = canvas.with_options(lane="bulk")
    await view.request("GET", "/x")
    await view.close()
    await view.request("GET", "/x")
    await canvas.close()
    await canvas.close()
    for client in (canvas, view):
        with pytest.raises(ClientClosed):
            await client.request("GET", "/x")
    assert len(seen.lines) == 2
    assert canvas.quota.snapshot().in_flight == 0


@pytest.mark.real_loop
async def test_closing_ends_calls_in_flight(served: Serve) -> None:
    """A call that hangs when the client is closed ends with an error of the library."""
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: object) -> None:
        arrived.set()
        await reader.read()

    async with served(silent) as origin:
        canvas = Canvas(origin, token=TOKEN)
        task = asyncio.create_task(canvas.request("GET", "/x"))
        await arrived.wait()
        await canvas.close()
        with pytest.raises(Error):
            await asyncio.wait_for(task, 5)


def test_another_event_loop_after_the_first_has_ended() -> None:
    """`asyncio.run` twice with one client: the second run opens its own connections."""
    lines: list[str] = []

    async def once(canvas: list[Canvas]) -> None:
        async with web_server() as seen:
            seen.respond = lambda _: web.json_response([], headers={"Connection": "close"})
            if not canvas:
                canvas.append(Canvas("http://127.0.0.1:9", token=TOKEN, transport=transport))
            await transport.send(Request("GET", f"{seen.origin}/x"))
            lines.extend(seen.lines)

    transport = HttpTransport(headers=AGENT)
    clients: list[Canvas] = []
    for _ in range(3):
        asyncio.run(once(clients))
    asyncio.run(clients[0].close())
    assert lines == ["GET /x"] * 3


def test_another_event_loop_while_the_first_still_runs() -> None:
    """A client belongs to one loop at a time: ClientClosed, and nothing is sent."""

    async def outer() -> None:
        async with web_server() as seen, Canvas(seen.origin, token=TOKEN) as canvas:
            await canvas.request("GET", "/x")

            def elsewhere() -> None:
                with pytest.raises(ClientClosed, match="another event loop"):
                    asyncio.run(canvas.request("GET", "/x"))

            await asyncio.to_thread(elsewhere)
            await canvas.request("GET", "/x")
            assert len(seen.lines) == 2

    asyncio.run(outer())


def test_an_http_transport_alone_refuses_a_second_loop_too() -> None:
    """Not only the scheduler checks: clients may share a transport."""

    async def outer() -> None:
        async with web_server() as seen:
            transport = HttpTransport(headers=AGENT)
            await transport.send(Request("GET", seen.origin))

            def elsewhere() -> None:
                with pytest.raises(ClientClosed, match="another event loop"):
                    asyncio.run(transport.send(Request("GET", seen.origin)))

            await asyncio.to_thread(elsewhere)
            await transport.close()

    asyncio.run(outer())


def test_an_injected_session_cannot_change_its_loop() -> None:
    """It belongs to the first loop: ClientClosed instead of a hang in the second."""
    sessions: list[aiohttp.ClientSession] = []
    transports: list[HttpTransport] = []

    async def once() -> None:
        async with web_server() as seen:
            seen.respond = lambda _: web.json_response([], headers={"Connection": "close"})
            if not sessions:
                sessions.append(aiohttp.ClientSession())
                transports.append(HttpTransport(sessions[0], headers=AGENT))
            await transports[0].send(Request("GET", seen.origin))

    asyncio.run(once())
    with pytest.raises(ClientClosed, match="another event loop"):
        asyncio.run(once())
    asyncio.run(sessions[0].close())


@pytest.mark.real_loop
async def test_the_proxy_of_the_environment(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """`trust_env` reads proxies and their exceptions, but never a password from ~/.netrc."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anonymous password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", seen.origin)
    options: dict[str, Any] = {"token": TOKEN, "allow_http": True}
    with pytest.warns(UserWarning, match="plain http"):
        trusting = Canvas("http://canvas.invalid", trust_env=True, **options)
    async with trusting:
        await trusting.request("GET", "/through")
    assert seen.lines == ["GET http://canvas.invalid/through"]
    assert seen.headers[0].getall("Authorization") == [f"Bearer {TOKEN}"]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with Canvas(seen.origin, token=TOKEN, trust_env=True) as direct:
        await direct.request("GET", "/direct")
    async with Canvas(seen.origin, token=TOKEN, proxy=seen.origin) as given:
        await given.request("GET", "/given")
    assert seen.lines[1:] == ["GET /direct", f"GET {seen.origin}/given"]


# --- network failures ------------------------------------------------------------------

CRLF = b"\r\n"


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(CRLF * 2)


def raw(data: bytes) -> Callable[..., Any]:
    """A server that responds with these bytes and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(data)
        await writer.drain()

    return serve


async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def talks_first(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.edu ESMTP\r\n")


async def hangs_in_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1,")
    await reader.read()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.transport.abort()


async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Return the request in an error message, credential included, as some servers do."""
    head = await read_head(reader)
    line = head.split(CRLF)[0].decode()
    shown = "; ".join(part.decode() for part in head.split(CRLF) if b"uthorization" in part)
    body = f'{{"errors":[{{"message":"cannot {line} with {shown}"}}]}}'.encode()
    writer.write(
        b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body
    )


async def echoes_as_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await read_head(reader)
    body = b"<h1>" + head.replace(CRLF, b" ") + b"</h1>"
    head = b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    writer.write(head + body)


async def echoes_as_garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"NO HTTP " + await read_head(reader))


OK = b"HTTP/1.1 200 OK\r\n"
LAST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n"
SERVERS: dict[str, tuple[Callable[..., Any], type[Error], type[Error]]] = {
    "closes at once": (raw(b""), TransportError, UnknownOutcome),
    "closes in the head": (raw(b"HTTP/1.1 200 O"), TransportError, UnknownOutcome),
    "closes in the body": (
        raw(OK + b"Content-Length: 99\r\n\r\n[1,"),
        TransportError,
        UnknownOutcome,
    ),
    "closes in a chunk": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1,"),
        TransportError,
        UnknownOutcome,
    ),
    "bad chunk": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[1,2]\r\n"),
        TransportError,
        TransportError,
    ),
    "no http": (raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), TransportError, TransportError),
    "echo that is no http": (echoes_as_garbage, TransportError, TransportError),
    "endless header": (raw(OK + b"X: " + b"y" * 100_000), TransportError, TransportError),
    "wrong encoding": (
        raw(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n[12]"),
        TransportError,
        UnknownOutcome,
    ),
    "resets": (resets, TransportError, UnknownOutcome),
    "hangs": (hangs, DeadlineError, UnknownOutcome),
    "hangs in the body": (hangs_in_body, DeadlineError, UnknownOutcome),
    "echo": (echoes, ServerError, ServerError),
    "echo as a page": (echoes_as_page, ServerError, ServerError),
}
BEARER = "bearer"
SIGNED = "signed"


def credential_of(kind: str) -> Credential:
    return BearerToken(TOKEN) if kind == BEARER else PartnerSignature("some-partner-id", KEY)


async def end_of(
    url: str, credential: Credential, method: str, transport: HttpTransport
) -> tuple[Error, list[str]]:
    """The error that a call ends with, and the secrets that its attempts have sent."""
    secrets: list[str] = [TOKEN, KEY]

    class Spying:
        """Records what is sent, and passes it on."""

        async def send(self, request: Request, on_head: Any = None) -> Response:
            for pair in request.url.partition("?")[2].split("&"):
                name, _, value = pair.partition("=")
                if name == "auth.signature":
                    secrets.append(value)
                    secrets.append(
                        value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
                    )
            return await transport.send(request, on_head)

        async def close(self) -> None:
            await transport.close()

    scheduler = Scheduler(TokenBucket(1000, 1000))
    parts = Components(Spying(), scheduler, credential, rng=NoPause())
    request = Request(method, url, idempotent=method == "GET")
    with pytest.raises(Error) as caught:
        await build(parts)(CallContext(request, Options(), Cost()))
    await transport.close()
    assert scheduler.snapshot().in_flight == 0
    assert "authorization" not in repr(getattr(caught.value, "request", None))
    return caught.value, secrets


def all_that_is_shown(error: BaseException) -> Iterator[str]:
    """Every text of an error and of its causes."""
    yield "".join(traceback.format_exception(error))
    yield from (str(error), repr(error), repr(error.args))
    yield repr(getattr(error, "request", None))
    yield repr(getattr(error, "response", None))
    yield repr(getattr(error, "errors", None))
    for inner in (error.__cause__, error.__context__):
        if inner is not None:
            yield from all_that_is_shown(inner)


@pytest.mark.real_loop
@pytest.mark.parametrize("kind", [BEARER, SIGNED])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", SERVERS)
async def test_bad_servers_end_in_the_right_error_and_show_no_credential(
    served: Serve, caplog: pytest.LogCaptureFixture, name: str, method: str, kind: str
) -> None:
    """No text of the error, of its chain or of any log has a token, a key or a signature."""
    serve, read, write = SERVERS[name]
    caplog.set_level(logging.DEBUG)
    async with served(serve) as origin:
        transport = HttpTransport(headers=AGENT, timeout=0.15 if "hangs" in name else 60)
        error, secrets = await end_of(f"{origin}/x?q=1", credential_of(kind), method, transport)
    assert type(error) is (read if method == "GET" else write)
    assert kind == BEARER or len(secrets) > 2
    for text in (*all_that_is_shown(error), caplog.text, repr(transport)):
        assert not any(secret in text for secret in secrets)


@pytest.mark.real_loop
@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n[12]",
        b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 400 " + b"O" * 5_000 + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"SSH\x1b[2J\xff\r\n\r\n",
        LAST + b"X-Request-Context-Id: \xff\x1b[2J\r\n\r\n",
        LAST + b"X-Request-Context-Id: \xff\xe2\x80\xae\r\n\r\n",
    ],
    ids=["bad gzip", "long status line", "long reason", "no http", "control in id", "bytes in id"],
)
async def test_what_a_server_says_is_one_printable_line(served: Serve, answer: bytes) -> None:
    """Also where aiohttp quotes the server, in several lines."""
    async with served(raw(answer)) as origin:
        error, _ = await end_of(f"{origin}/x", BearerToken(TOKEN), "POST", HttpTransport())
    assert isinstance(error, TransportError | ResponseError)
    assert str(error).isprintable()
    assert str(error).encode()
    assert len(str(error)) < 500


@pytest.mark.real_loop
@pytest.mark.parametrize("kind", [BEARER, SIGNED])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_refused_connection(
    caplog: pytest.LogCaptureFixture, scheme: str, method: str, kind: str
) -> None:
    """ConnectError, for writes too, after four attempts."""
    caplog.set_level(logging.DEBUG)
    url = f"{scheme}://127.0.0.1:{free_port()}/x"
    error, secrets = await end_of(url, credential_of(kind), method, HttpTransport())
    assert type(error) is ConnectError
    for text in (*all_that_is_shown(error), caplog.text):
        assert not any(secret in text for secret in secrets)


@pytest.mark.real_loop
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_tls_against_a_plain_port(served: Serve, method: str) -> None:
    """The handshake fails before anything is sent."""
    async with served(talks_first) as origin:
        url = f"https{origin.removeprefix('http')}/x"
        context = ssl.create_default_context()
        error, _ = await end_of(url, BearerToken(TOKEN), method, HttpTransport(ssl=context))
    assert type(error) is ConnectError


@pytest.mark.real_loop
async def test_a_connection_that_takes_too_long() -> None:
    """No connection within the timeout: certainly not sent."""
    with socket.socket() as full:  # a listener whose queue is full does not respond
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                with suppress(BlockingIOError):
                    filler.connect(("127.0.0.1", port))
            transport = HttpTransport(timeout=0.1)
            url = f"http://127.0.0.1:{port}/x"
            error, secrets = await end_of(url, credential_of(SIGNED), "POST", transport)
        finally:
            for filler in fillers:
                filler.close()
    assert type(error) in (ConnectError, UnknownOutcome)
    for text in all_that_is_shown(error):
        assert not any(secret in text for secret in secrets)


@pytest.mark.real_loop
async def test_a_proxy_that_refuses() -> None:
    """The request was certainly not sent."""
    gone = HttpTransport(proxy=f"http://user:{KEY}@127.0.0.1:{free_port()}")
    error, secrets = await end_of("https://canvas.test/x", credential_of(SIGNED), "POST", gone)
    assert type(error) is ConnectError
    for text in (*all_that_is_shown(error), repr(gone)):
        assert not any(secret in text for secret in secrets)


@pytest.mark.real_loop
async def test_a_proxy_that_asks_for_a_password(served: Serve) -> None:
    """407 to CONNECT comes before the request."""
    async with served(raw(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as origin:
        proxied = HttpTransport(proxy=origin)
        error, _ = await end_of("https://canvas.test/x", credential_of(SIGNED), "POST", proxied)
    assert type(error) is ConnectError


@pytest.mark.real_loop
async def test_a_session_with_its_own_password_is_a_configuration_error(seen: Seen) -> None:
    """Aiohttp sends only one Authorization: an error at once, without a retry or a request."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # until aiohttp 4
        password = aiohttp.BasicAuth("user", KEY)
        session = aiohttp.ClientSession(auth=password)
    async with session:
        canvas = Canvas(seen.origin, token=TOKEN, session=session)
        with pytest.raises(ConfigurationError, match="cannot be sent"):
            await canvas.request("GET", "/x")
    assert seen.lines == []
    assert canvas.quota.snapshot().in_flight == 0


@pytest.mark.real_loop
async def test_a_body_that_is_not_json_is_not_shown(served: Serve) -> None:
    """A page that echoes the request, with status 200: DecodeError, without a credential."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        size = b"Content-Length: %d\r\n\r\n" % len(head)
        writer.write(OK + b"Content-Type: text/html\r\n" + size + head)

    async with served(page) as origin, Canvas(origin, token=TOKEN) as canvas:
        with pytest.raises(DecodeError, match=r"expected JSON, got .* of text/html") as caught:
            await canvas.courses.get(1)
    for text in (*all_that_is_shown(caught.value), repr(caught.value.response)):
        assert TOKEN not in text


def test_no_repr_shows_a_credential() -> None:
    """Neither of clients, nor of anything that a user gets from them."""
    canvas = Canvas("https://canvas.test", token=TOKEN, proxy=f"http://u:{KEY}@proxy.test")
    ab = ABConnect(partner_id="partner", partner_key=KEY, transport=FakeTransport([reply({})]))
    for client in (canvas, ab):
        shown = [client, client.quota, client.with_options(lane="bulk"), *vars(client).values()]
        for thing in shown:
            assert TOKEN not in repr(thing)
            assert KEY not in repr(thing)
    assert KEY not in repr(credential_of(SIGNED))
    assert base64.b64encode(TOKEN.encode()).decode() not in repr(canvas)


# --- cancelled at every await --------------------------------------------------------------------


@pytest.mark.real_loop
async def test_cancelling_a_call_over_tcp_at_every_turn_leaks_no_connection(seen: Seen) -> None:
    """Whenever the call is cancelled, the next one works and nothing is left over."""
    for turns in range(500):
        async with Canvas(seen.origin, token=TOKEN) as canvas:
            task = asyncio.create_task(canvas.request("GET", "/x"))
            for _ in range(turns):
                await asyncio.sleep(0)
            done = task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert canvas.quota.snapshot().in_flight == 0
            if turns % 10 == 0:
                assert (await canvas.request("GET", "/x")).status == 200
        if done:
            break
    assert turns > 3
