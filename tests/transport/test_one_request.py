"""One lease is one request on the wire, and no error hides that a write may have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest

from aioinstructure import (
    Canvas,
    ClientClosed,
    Conflict,
    Error,
    NotFound,
    ResponseError,
    RetryPolicy,
    Throttled,
    TransportError,
    Unauthorized,
    UnknownOutcome,
    Unprocessable,
)
from tests.transport.rig import TOKEN

pytestmark = pytest.mark.real_loop

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
AT_ONCE = RetryPolicy(base=0.0)
"""Retries without pauses."""

WRITES = ["PUT", "DELETE", "POST", "PATCH"]
READS = ["GET", "HEAD", "OPTIONS"]


class Server:
    """Reads each request completely. Answers the first ones, and ends the connection at the others.

    Args:
        answers: Status, further fields and body of the first answers.
        resets: Whether it resets connections instead of closing them.

    Attributes:
        when_lost: Called before a connection is ended.
    """

    def __init__(self, *answers: bytes, resets: bool = False) -> None:
        self.answers = list(answers)
        self.resets = resets
        self.when_lost: Callable[[], object] = lambda: None
        self.lines: list[str] = []
        self.fields: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length or 0))
            self.lines.append(head.split(b" HTTP")[0].decode())
            self.fields.append(head)
            if not self.answers:
                break
            writer.write(b"HTTP/1.1 " + self.answers.pop(0))
        self.when_lost()
        if self.resets:
            writer.transport.abort()


def answer(status: str, body: bytes = b"{}", fields: bytes = b"") -> bytes:
    return b"%b\r\nContent-Length: %d\r\n%b\r\n%b" % (status.encode(), len(body), fields, body)


OK = answer("200 OK")


def client(origin: str, **options: Any) -> Canvas:
    options.setdefault("retry", AT_ONCE)
    return Canvas(origin, token=TOKEN, **options)


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("method", WRITES)
async def test_a_write_that_must_not_be_repeated_arrives_once(
    served: Serve, method: str, is_warm: bool, resets: bool
) -> None:
    """On a new connection and on one that was used before: UnknownOutcome after one arrival."""
    server = Server(*[OK] * is_warm, resets=resets)
    async with served(server) as origin, client(origin) as canvas:
        if is_warm:
            await canvas.request("GET", "/warm")
        with pytest.raises(UnknownOutcome) as caught:
            await canvas.request(method, "/x", json={"a": 1}, idempotent=False)
        granted = canvas.quota.snapshot().granted
    assert caught.value.may_have_happened
    assert server.lines.count(f"{method} /x") == 1
    assert granted == len(server.lines) == 1 + is_warm
    assert server.connections == 1


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("method", [*READS, *WRITES])
async def test_each_arrival_has_its_own_lease(
    served: Serve, method: str, is_warm: bool, resets: bool
) -> None:
    """A call with four attempts takes four leases and arrives four times."""
    server = Server(*[OK] * is_warm, resets=resets)
    async with served(server) as origin, client(origin) as canvas:
        if is_warm:
            await canvas.request("GET", "/warm")
        with pytest.raises(TransportError, match="no complete response") as caught:
            await canvas.request(method, "/x", idempotent=True)
        granted = canvas.quota.snapshot().granted
    assert caught.value.may_have_happened is (method in WRITES)
    assert server.lines.count(f"{method} /x") == 4
    assert granted == len(server.lines)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_connection_that_ends_before_the_request_is_read_is_one_attempt(
    served: Serve, method: str
) -> None:
    """The server cannot be asked what it has read: one connection for each lease."""
    connections = 0

    async def leaves(_: object, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1

    async with served(leaves) as origin, client(origin) as canvas:
        with pytest.raises(TransportError):
            await canvas.request(method, "/x")
        assert connections == canvas.quota.snapshot().granted == 4


async def test_the_middlewares_of_a_given_session_are_kept(served: Serve) -> None:
    """They run in their order, once for each attempt, and see the errors of aiohttp."""
    steps: list[str] = []

    async def first(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        steps.append("first")
        request.headers["X-First"] = "1"
        return await send(request)

    async def second(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        steps.append("second")
        try:
            return await send(request)
        except aiohttp.ClientError as error:
            steps.append(type(error).__name__)
            raise

    server = Server(OK)
    session = aiohttp.ClientSession(middlewares=(first, second))
    async with served(server) as origin, session, client(origin, session=session) as canvas:
        await canvas.request("GET", "/warm")
        with pytest.raises(TransportError):
            await canvas.request("GET", "/x")
        assert canvas.quota.snapshot().granted == 5
    assert steps == ["first", "second", *["first", "second", "ServerDisconnectedError"] * 4]
    assert all(b"X-First: 1" in fields for fields in server.fields)
    assert len(server.lines) == 5


@pytest.mark.parametrize("method", WRITES)
async def test_a_refused_connection_does_not_deny_a_lost_write(method: str) -> None:
    """The server reads the write and stops: UnknownOutcome, not ConnectError."""
    listeners: list[asyncio.Server] = []
    server = Server()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server(reader, writer)
        writer.close()

    listeners.append(await asyncio.start_server(handle, "127.0.0.1", 0))
    server.when_lost = listeners[0].close
    port = listeners[0].sockets[0].getsockname()[1]
    async with client(f"http://127.0.0.1:{port}") as canvas:
        with pytest.raises(UnknownOutcome, match=r"earlier attempt .* cannot connect") as caught:
            await canvas.request(method, "/x", json={}, idempotent=True)
        assert canvas.quota.snapshot().in_flight == 0
    assert caught.value.may_have_happened
    assert server.lines == [f"{method} /x"]
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"


REFUSALS: dict[str, tuple[bytes, type[ResponseError]]] = {
    "401": (answer("401 Unauthorized"), Unauthorized),
    "404": (answer("404 Not Found"), NotFound),
    "409": (answer("409 Conflict"), Conflict),
    "422": (answer("422 Unprocessable Entity"), Unprocessable),
    "429": (
        answer(
            "429 Too Many Requests",
            b"429 Too Many Requests (Rate Limit Exceeded)\n",
            b"Content-Type: text/plain\r\nRetry-After: 600\r\n",
        ),
        Throttled,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_does_not_deny_a_lost_write(served: Serve, name: str) -> None:
    """The first attempt is read and lost, the second is refused: the refusal says so."""
    refusal, kind = REFUSALS[name]
    server = Server()

    server.when_lost = lambda: server.answers.append(refusal)
    async with served(server) as origin, client(origin, deadline=60) as canvas:
        with pytest.raises(kind) as caught:
            await canvas.request("PUT", "/x", json={})
    assert caught.value.may_have_happened
    assert server.lines == ["PUT /x"] * 2


@pytest.mark.parametrize("attempts", [1, 4])
@pytest.mark.parametrize("is_idempotent", [False, True])
@pytest.mark.parametrize("method", WRITES)
async def test_closing_the_client_does_not_deny_a_write_in_flight(
    served: Serve, method: str, is_idempotent: bool, attempts: int
) -> None:
    """UnknownOutcome at once, whether the write may be repeated or not."""
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: object) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    # A pause before a retry would exceed the limit of this test.
    policy = RetryPolicy(attempts=attempts, base=1e6, longest=1e6)
    async with served(silent) as origin:
        canvas = client(origin, retry=policy)
        task = asyncio.create_task(canvas.request(method, "/x", idempotent=is_idempotent))
        await arrived.wait()
        await canvas.close()
        with pytest.raises(UnknownOutcome) as caught:
            await asyncio.wait_for(task, 10)
    assert caught.value.may_have_happened


@pytest.mark.parametrize("method", WRITES)
async def test_closing_a_given_session_does_not_deny_a_write_in_flight(
    served: Serve, method: str
) -> None:
    """The retry finds the session closed; the first attempt may have arrived all the same."""
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: object) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    session = aiohttp.ClientSession()
    async with served(silent) as origin, client(origin, session=session) as canvas:
        task = asyncio.create_task(canvas.request(method, "/x", idempotent=True))
        await arrived.wait()
        await session.close()
        with pytest.raises(UnknownOutcome, match="session is closed"):
            await asyncio.wait_for(task, 10)


async def test_closing_the_client_says_that_a_read_was_closed(served: Serve) -> None:
    """A read has no effect: ClientClosed, as before."""
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: object) -> None:
        arrived.set()
        await reader.read()

    async with served(silent) as origin:
        canvas = client(origin)
        task = asyncio.create_task(canvas.request("GET", "/x"))
        await arrived.wait()
        await canvas.close()
        with pytest.raises(Error) as caught:
            await asyncio.wait_for(task, 10)
    assert type(caught.value) is ClientClosed
