"""What real servers and the gateways in front of them answer, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from aioinstructure import (
    Canvas,
    ConnectError,
    DecodeError,
    InputError,
    RetryPolicy,
    ServerError,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.transport.http import HttpTransport
from aioinstructure.wire.message import Request
from tests.transport.rig import TOKEN

pytestmark = pytest.mark.real_loop

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
AT_ONCE = RetryPolicy(base=0.0)
JSON = b"Content-Type: application/json\r\n"


class Answers:
    """Answers each request with the next bytes and closes; the last ones are repeated."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.partition(b":")[2]))
        self.requests += 1
        data = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        for start in range(0, len(data), 1 << 16):
            writer.write(data[start : start + (1 << 16)])
            await writer.drain()


def answer(body: bytes, *, head: bytes = JSON, status: bytes = b"200 OK") -> bytes:
    """A complete response with a length."""
    return (
        b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n"
        % (status, len(body), head)
        + body
    )


def until_close(body: bytes, head: bytes = JSON) -> bytes:
    """A response that ends with its connection."""
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\n%s\r\n" % head + body


def canvas_at(origin: str, **options: Any) -> Canvas:
    options.setdefault("retry", AT_ONCE)
    return Canvas(origin, token=TOKEN, quota=Scheduler(TokenBucket(1000, 1000)), **options)


COURSE = json.dumps({"id": 1, "name": "Algebra"}).encode()
ZIPPED = gzip.compress(COURSE)
GZIP = JSON + b"Content-Encoding: gzip\r\n"

BROKEN_OFF = {
    "gzip cut": answer(ZIPPED[:-12], head=GZIP),
    "gzip without trailer": answer(ZIPPED[:-8], head=GZIP),
    "half a trailer": answer(ZIPPED[:-4], head=GZIP),
    "JSON cut at close": until_close(COURSE[:-3]),
    "JSON text cut at close": until_close(b'{"id":1,"name":"Al'),
    "gzip cut at close": until_close(ZIPPED[:-5], GZIP),
    "length not reached": answer(COURSE)[:-5],
}


@pytest.mark.parametrize("name", BROKEN_OFF)
async def test_a_read_that_broke_off_is_repeated(served: Serve, name: str) -> None:
    """The second answer is complete, and is the result."""
    server = Answers(BROKEN_OFF[name], answer(COURSE))
    async with served(server) as origin, canvas_at(origin) as canvas:
        assert (await canvas.courses.get(1)).name == "Algebra"
    assert server.requests == 2


@pytest.mark.parametrize("name", BROKEN_OFF)
async def test_an_answer_that_always_breaks_off_is_an_error(served: Serve, name: str) -> None:
    """TransportError for a read; UnknownOutcome for a write, which is sent once."""
    server = Answers(BROKEN_OFF[name])
    async with served(server) as origin, canvas_at(origin) as canvas:
        with pytest.raises(TransportError) as read:
            await canvas.courses.get(1)
        assert server.requests == 4
        with pytest.raises(UnknownOutcome):
            await canvas.request("POST", "/api/v1/x", json={})
        assert server.requests == 5
    assert type(read.value) is TransportError


@pytest.mark.parametrize(
    "body",
    [until_close(COURSE), until_close(ZIPPED, GZIP), answer(ZIPPED, head=GZIP)],
    ids=["close", "gzip and close", "gzip"],
)
async def test_a_complete_answer_is_read(served: Serve, body: bytes) -> None:
    """In the same forms."""
    async with served(Answers(body)) as origin, canvas_at(origin) as canvas:
        assert (await canvas.courses.get(1)).name == "Algebra"


@pytest.mark.parametrize("status", [b"101 Switching Protocols", b"000 None", b"102 Processing"])
async def test_a_status_that_is_none_is_no_answer(served: Serve, status: bytes) -> None:
    """TransportError for a read, UnknownOutcome or TransportError for a write."""
    response = b"HTTP/1.1 %s\r\nConnection: close\r\n\r\n" % status
    async with served(Answers(response)) as origin, canvas_at(origin) as canvas:
        with pytest.raises(TransportError):
            await canvas.courses.get(1)
        with pytest.raises(TransportError) as write:
            await canvas.request("POST", "/api/v1/x", json={})
    assert write.value.may_have_happened


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_part_that_was_not_requested_is_no_answer(served: Serve, method: str) -> None:
    """A 206 without Range would be a list that is silently short."""
    part = answer(COURSE).replace(b"200 OK", b"206 Partial Content", 1)
    async with served(Answers(part)) as origin, canvas_at(origin) as canvas:
        with pytest.raises(UnknownOutcome if method == "POST" else TransportError, match="206"):
            await canvas.request(method, "/api/v1/x", json={} if method == "POST" else None)
        found = await canvas.request("GET", "/api/v1/x", headers={"Range": "bytes=0-9"})
    assert found.status == 206


# --- heads ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_large_head_is_an_answer(served: Serve, method: str) -> None:
    """Links repeat a long query five times; a policy header has 10 kB."""
    many = b'Link: <x?%s>; rel="next"\r\nContent-Security-Policy: %s\r\n' % (
        b"a" * 60_000,
        b"b" * 10_000,
    )
    server = Answers(answer(b"[]", head=JSON + many))
    async with served(server) as origin, canvas_at(origin) as canvas:
        response = await canvas.request(method, "/api/v1/x")
    assert len(response.headers["link"]) > 60_000


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize(
    "head",
    [b"X: " + b"y" * 70_000 + b"\r\n", b"no field at all\r\n", b"X: a\x00b\r\n"],
    ids=["too long", "no field", "control"],
)
async def test_a_head_that_cannot_be_read_is_not_repeated(
    served: Serve, head: bytes, method: str
) -> None:
    """There was an answer: TransportError, which says of a write that it may have taken effect."""
    server = Answers(answer(b"[]", head=head))
    async with served(server) as origin, canvas_at(origin) as canvas:
        with pytest.raises(TransportError, match="no valid HTTP") as caught:
            await canvas.request(method, "/api/v1/x")
    assert type(caught.value) is TransportError
    assert caught.value.is_final
    assert caught.value.may_have_happened == (method != "GET")
    assert len(str(caught.value)) < 500
    assert server.requests == 1


# --- bounds --------------------------------------------------------------------------------


def bomb(megabytes: int) -> bytes:
    stream = zlib.compressobj(wbits=31)
    block = bytes(1 << 20)
    return b"".join(stream.compress(block) for _ in range(megabytes)) + stream.flush()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
@pytest.mark.parametrize("form", ["gzip", "plain"])
async def test_a_body_beyond_the_limit(
    served: Serve, form: str, status: bytes, method: str
) -> None:
    """One attempt, an error that names the limit, and less memory than twice the limit."""
    limit = 4 << 20
    body, head = (bomb(64), GZIP) if form == "gzip" else (bytes(2 * limit), JSON)
    server = Answers(answer(body, head=head, status=status))
    async with served(server) as origin, canvas_at(origin, max_body=limit) as canvas:
        tracemalloc.start()
        try:
            with pytest.raises(TransportError, match=r"max_body, 4,194,304 bytes") as caught:
                await canvas.request(method, "/api/v1/x")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2 * limit
    assert server.requests == 1
    assert caught.value.may_have_happened == (method == "POST")


async def test_a_body_at_the_limit_is_read(served: Serve) -> None:
    """The limit counts decoded bytes."""
    body = b"[" + b" " * 10_000 + b"]"
    response = answer(gzip.compress(body), head=GZIP)
    async with served(Answers(response)) as origin:
        async with canvas_at(origin, max_body=len(body)) as canvas:
            assert (await canvas.request("GET", "/api/v1/x")).json() == []
        async with canvas_at(origin, max_body=len(body) - 1) as canvas:
            with pytest.raises(TransportError, match="max_body"):
                await canvas.request("GET", "/api/v1/x")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "64 MiB", None])
def test_a_limit_that_is_none(value: Any) -> None:
    """An integer of 1 or more."""
    with pytest.raises(InputError, match="max_body"):
        Canvas("https://canvas.test", token=TOKEN, max_body=value)


async def test_a_streamed_body_is_decoded_and_has_no_limit(served: Serve) -> None:
    """Its reader gets it in pieces of at most a megabyte."""
    sizes: list[int] = []

    async def count(chunks: Any) -> None:
        sizes.extend([len(chunk) async for chunk in chunks])

    async with served(Answers(answer(bomb(8), head=GZIP))) as origin:
        transport = HttpTransport(max_body=1000)
        response = await transport.stream(Request("GET", f"{origin}/x"), None, count)
        await transport.close()
    assert (response.status, response.body) == (200, b"")
    assert sum(sizes) == 8 << 20
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize("ignores", [True, False])
async def test_a_streamed_body_that_breaks_off(served: Serve, ignores: bool) -> None:
    """An error of the library, also where the reader ignores what it got."""

    async def read(chunks: Any) -> None:
        try:
            async for _ in chunks:
                pass
        except Exception:
            if not ignores:
                raise

    async with served(Answers(BROKEN_OFF["gzip cut"])) as origin:
        transport = HttpTransport()
        with pytest.raises(TransportError, match="broke off"):
            await transport.stream(Request("GET", f"{origin}/x"), None, read)
        await transport.close()


async def test_an_error_of_the_reader_of_a_streamed_body_is_its_own(served: Serve) -> None:
    """A ValueError of the caller is not one of the network."""

    async def refuse(_: Any) -> None:
        raise ValueError("mine")

    async with served(Answers(answer(COURSE))) as origin:
        transport = HttpTransport()
        with pytest.raises(ValueError, match="mine"):
            await transport.stream(Request("GET", f"{origin}/x"), None, refuse)
        await transport.close()


# --- gateways ------------------------------------------------------------------------------

PAGE = b"<!DOCTYPE html><html><head><title>Down for\n maintenance &amp; back</title></head></html>"
STAND_INS = {
    "page": answer(PAGE, head=b"Content-Type: text/html\r\n"),
    "page as JSON": answer(b"\xef\xbb\xbf\r\n" + PAGE),
    "empty": answer(b""),
}


@pytest.mark.parametrize("name", STAND_INS)
async def test_a_stand_in_page_is_tried_again_once(served: Serve, name: str) -> None:
    """For reads of an object and of a list."""
    server = Answers(STAND_INS[name], answer(COURSE), STAND_INS[name], answer(b"[" + COURSE + b"]"))
    async with served(server) as origin, canvas_at(origin) as canvas:
        assert (await canvas.courses.get(1)).id == 1
        assert [course.id for course in await canvas.courses.list().collect()] == [1]
    assert server.requests == 4


@pytest.mark.parametrize("name", STAND_INS)
async def test_a_stand_in_page_that_stays_is_an_error(served: Serve, name: str) -> None:
    """After two attempts; it names the title of a page."""
    server = Answers(STAND_INS[name])
    async with served(server) as origin, canvas_at(origin) as canvas:
        with pytest.raises(DecodeError) as caught:
            await canvas.courses.get(1)
    assert server.requests == 2
    what = "an empty body" if name == "empty" else "a web page: Down for maintenance & back"
    assert str(caught.value) == f"expected JSON, got {what}"


@pytest.mark.parametrize("name", STAND_INS)
async def test_a_write_is_never_tried_again_after_a_page(served: Serve, name: str) -> None:
    """Nor is a raw request, whose caller reads what came."""
    server = Answers(STAND_INS[name])
    async with served(server) as origin, canvas_at(origin) as canvas:
        for method in ("POST", "PUT", "GET"):
            assert (await canvas.request(method, "/api/v1/x")).status == 200
    assert server.requests == 3


async def test_a_wait_that_is_too_long_is_an_error(served: Serve) -> None:
    """A server that asks for more than `max_retry_after` gets no second request."""
    refused = answer(b"", status=b"503 Busy", head=b"Retry-After: 301\r\n")
    server = Answers(refused)
    async with served(server) as origin, canvas_at(origin) as canvas:
        with pytest.raises(ServerError) as caught:
            await canvas.courses.get(1)
    assert caught.value.retry_after == 301
    assert server.requests == 1


async def test_a_proxy_of_the_network_that_wants_a_password(served: Serve) -> None:
    """407 without a proxy of ours: nothing reached the server, and another attempt is useless."""
    server = Answers(answer(b"", status=b"407 Proxy Authentication Required"))
    async with served(server) as origin, canvas_at(origin) as canvas:
        with pytest.raises(ConnectError, match="407") as caught:
            await canvas.request("POST", "/api/v1/x", json={})
    assert not caught.value.may_have_happened
    assert server.requests == 1
