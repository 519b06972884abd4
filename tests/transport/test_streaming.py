"""Large bodies in both directions: in chunks, complete on each attempt, and nothing left over."""

from __future__ import annotations

import asyncio
import hashlib
import random
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from aioinstructure import NotFound, Request, Response, ServerError, UnknownOutcome
from aioinstructure.auth.credentials import BearerToken
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.transport.call_context import CallContext, Options, StreamingTransport
from aioinstructure.transport.http import HttpTransport
from aioinstructure.transport.pipeline import Components, build
from tests.transport.bulk_server import BLOCK

MEGABYTES = 64
BLOCKS = MEGABYTES * 2**20 // len(BLOCK)
LIMIT = 4 * 2**20
"""How many bytes the client may hold at once, to send or to read 64 MB."""


Send = Callable[[CallContext], Coroutine[Any, Any, Response]]


class NoPause(random.Random):
    """Jitter without a pause."""

    def uniform(self, a: float, b: float) -> float:
        return a


@define
class Blocks:
    """A body source: the same block many times."""

    blocks: int
    has_length: bool = True
    pauses_after: int | None = None
    starts: int = field(default=0, init=False)
    paused: asyncio.Event = field(factory=asyncio.Event, init=False)

    @property
    def length(self) -> int | None:
        return self.blocks * len(BLOCK) if self.has_length else None

    async def chunks(self) -> AsyncIterator[bytes]:
        self.starts += 1
        for number in range(self.blocks):
            if number == self.pauses_after:
                self.paused.set()
                await asyncio.Event().wait()
            yield BLOCK


@define
class Sink:
    """Consumes a body: counts its bytes and hashes them."""

    sizes: list[int] = field(factory=list, init=False)
    digests: list[str] = field(factory=list, init=False)

    async def __call__(self, chunks: AsyncIterator[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        self.sizes.append(size)
        self.digests.append(digest.hexdigest())


def digest_of(blocks: int) -> str:
    digest = hashlib.sha256()
    for _ in range(blocks):
        digest.update(BLOCK)
    return digest.hexdigest()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The server, in a process of its own."""
    script = Path(__file__).with_name("bulk_server.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def handler_on(transport: Any, *, shares_reads: bool = False) -> Send:
    """The pipeline of a client with this transport, and retries without a pause."""
    quota = Scheduler(TokenBucket(1000, 1000))
    parts = Components(
        transport, quota, BearerToken("t0ken"), rng=NoPause(), shares_reads=shares_reads
    )
    handle = build(parts)

    async def send(context: CallContext) -> Response:
        return await handle(context)

    return send


def context_of(request: Request, **more: Any) -> CallContext:
    return CallContext(request, Options(), Cost(), **more)


@asynccontextmanager
async def http() -> AsyncIterator[HttpTransport]:
    transport = HttpTransport()
    try:
        yield transport
    finally:
        await transport.close()


async def stats(origin: str) -> Any:
    async with http() as transport:
        return (await transport.send(Request("GET", f"{origin}/stats"))).json()


async def refuse(origin: str, times: int) -> None:
    async with http() as transport:
        await transport.send(Request("GET", f"{origin}/refuse?times={times}"))


async def only_the_asker_is_connected(origin: str) -> None:
    """Ask until the server has seen that all other connections are closed."""
    async with asyncio.timeout(5):
        while (await stats(origin))["connections"] > 1:  # noqa: ASYNC110 - asks another process
            await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


# --- over a socket --------------------------------------------------------------------------------


@pytest.mark.real_loop
@pytest.mark.parametrize("has_length", [True, False], ids=["length", "chunked"])
async def test_a_large_source_is_sent_without_holding_it(origin: str, has_length: bool) -> None:
    """64 MB arrive byte for byte, while the client holds a few MB; a known length is sent."""
    await refuse(origin, 0)
    source = Blocks(BLOCKS, has_length)
    async with http() as transport:
        await transport.send(Request("GET", f"{origin}/warm"))
        tracemalloc.start()
        try:
            request = Request("PUT", f"{origin}/upload", source=source)
            response = await handler_on(transport)(context_of(request))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    found = response.json()
    assert found["length"] == MEGABYTES * 2**20
    assert found["sha256"] == digest_of(BLOCKS)
    assert found["content_length"] == (str(MEGABYTES * 2**20) if has_length else None)
    assert found["transfer_encoding"] == (None if has_length else "chunked")
    assert peak < LIMIT


@pytest.mark.real_loop
async def test_a_large_response_is_read_without_holding_it(origin: str) -> None:
    """64 MB reach `on_body` byte for byte; the response has its status and no body."""
    await refuse(origin, 0)
    sink = Sink()
    heads: list[int] = []
    async with http() as transport:
        await transport.send(Request("GET", f"{origin}/warm"))
        tracemalloc.start()
        try:
            request = Request("GET", f"{origin}/download?blocks={BLOCKS}")
            context = context_of(
                request, on_body=sink, on_head=lambda status, _: heads.append(status)
            )
            response = await handler_on(transport)(context)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (sink.sizes, sink.digests) == ([MEGABYTES * 2**20], [digest_of(BLOCKS)])
    assert (response.status, response.body) == (200, b"")
    assert peak < LIMIT


@pytest.mark.real_loop
async def test_the_head_comes_before_the_body(origin: str) -> None:
    """The quota needs the headers as soon as they are there."""
    await refuse(origin, 0)
    events: list[str] = []

    async def read(chunks: AsyncIterator[bytes]) -> None:
        events.extend([f"{len(chunk) > 0}" async for chunk in chunks])

    async with http() as transport:
        request = Request("GET", f"{origin}/download?blocks=1")
        await transport.stream(request, lambda status, _: events.append(f"{status}"), read)
    assert events[0] == "200"
    assert set(events[1:]) == {"True"}


@pytest.mark.real_loop
@pytest.mark.parametrize("has_length", [True, False], ids=["length", "chunked"])
async def test_a_retry_sends_the_complete_source_again(origin: str, has_length: bool) -> None:
    """503 first: the second attempt starts at the first byte."""
    await refuse(origin, 2)
    source = Blocks(20, has_length)
    async with http() as transport:
        request = Request("PUT", f"{origin}/upload", source=source)
        response = await handler_on(transport)(context_of(request))
    assert response.status == 200
    uploads = (await stats(origin))["uploads"]
    assert [each["sha256"] for each in uploads] == [digest_of(20)] * 3
    assert source.starts == 3
    await only_the_asker_is_connected(origin)


@pytest.mark.real_loop
async def test_a_server_that_answers_before_the_body_ends_leaves_nothing(origin: str) -> None:
    """An early 503 is retried; the upload that it cuts off keeps no task and no connection."""
    await refuse(origin, 1)
    async with http() as transport:
        request = Request("PUT", f"{origin}/early", source=Blocks(BLOCKS))
        response = await handler_on(transport)(context_of(request))
        assert response.status == 200
    await only_the_asker_is_connected(origin)


@pytest.mark.real_loop
async def test_a_source_is_not_repeated_if_the_request_must_not_be(origin: str) -> None:
    """A POST is sent once; the server has read it before it refuses."""
    await refuse(origin, 1)
    source = Blocks(5)
    async with http() as transport:
        request = Request("POST", f"{origin}/upload", idempotent=False, source=source)
        with pytest.raises(ServerError):
            await handler_on(transport)(context_of(request))
    assert source.starts == 1


@pytest.mark.real_loop
async def test_the_body_of_an_error_is_not_streamed(origin: str) -> None:
    """It is text for the error message: `on_body` gets the body of the good response only."""
    await refuse(origin, 1)
    sink = Sink()
    async with http() as transport:
        request = Request("GET", f"{origin}/download?blocks=3")
        await handler_on(transport)(context_of(request, on_body=sink))
        assert sink.sizes == [3 * len(BLOCK)]
        await refuse(origin, 9)
        with pytest.raises(ServerError, match="not now"):
            await handler_on(transport)(context_of(request, on_body=sink))
    assert len(sink.sizes) == 1


@pytest.mark.real_loop
async def test_cancelling_an_upload_leaves_nothing(origin: str) -> None:
    """In the middle of the body: no task, and the connection is closed, not used again."""
    await refuse(origin, 0)
    source = Blocks(BLOCKS, pauses_after=3)
    async with http() as transport:
        request = Request("PUT", f"{origin}/upload", source=source)
        task = asyncio.create_task(handler_on(transport)(context_of(request)))
        await source.paused.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await only_the_asker_is_connected(origin)
        assert (await transport.send(Request("GET", f"{origin}/warm"))).status == 200


@pytest.mark.real_loop
async def test_cancelling_a_download_leaves_nothing(origin: str) -> None:
    """While `on_body` reads: the rest of the body is not awaited."""
    await refuse(origin, 0)
    arrived = asyncio.Event()

    async def read(chunks: AsyncIterator[bytes]) -> None:
        async for _ in chunks:
            arrived.set()

    async with http() as transport:
        request = Request("GET", f"{origin}/hang?blocks=2")
        task = asyncio.create_task(handler_on(transport)(context_of(request, on_body=read)))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await only_the_asker_is_connected(origin)


@pytest.mark.real_loop
async def test_a_source_that_fails_is_not_a_success(origin: str) -> None:
    """A body that ends early must not look complete; nothing is left open."""
    await refuse(origin, 0)

    @define
    class Failing(Blocks):
        """A source that raises after its first block."""

        async def chunks(self) -> AsyncIterator[bytes]:
            self.starts += 1
            yield BLOCK
            raise LookupError("the file is gone")

    async with http() as transport:
        request = Request("POST", f"{origin}/upload", idempotent=False, source=Failing(5))
        with pytest.raises((UnknownOutcome, LookupError)):
            await handler_on(transport)(context_of(request))
        await only_the_asker_is_connected(origin)
    assert (await stats(origin))["uploads"] == []


# --- without a socket -----------------------------------------------------------------------------


def test_http_streams_and_a_plain_transport_does_not() -> None:
    """The protocol is checked at run time."""
    assert isinstance(HttpTransport(), StreamingTransport)
    assert not isinstance(FakeTransport([]), StreamingTransport)


async def test_a_transport_that_cannot_stream_gives_the_body_at_once() -> None:
    """`on_body` is called in the same way, and only for a good response."""
    sink = Sink()
    transport = FakeTransport([reply(status=503), reply(body=b"abc"), reply(status=404)])
    request = Request("GET", "https://canvas.test/file")
    response = await handler_on(transport)(context_of(request, on_body=sink))
    assert (response.status, response.body, sink.sizes) == (200, b"", [3])
    with pytest.raises(NotFound):
        await handler_on(transport)(context_of(request, on_body=sink))
    assert sink.sizes == [3]


async def test_a_streamed_read_is_not_shared() -> None:
    """Each caller gets the body, where identical reads at the same time are one request."""
    transport = FakeTransport([lambda _: reply(body=b"abc")], seconds=1.0)
    handle = handler_on(transport, shares_reads=True)
    request = Request("GET", "https://ab.test/file")
    sinks = [Sink(), Sink()]
    await asyncio.gather(*(handle(context_of(request, on_body=sink)) for sink in sinks))
    assert [sink.sizes for sink in sinks] == [[3], [3]]
    plain, _, streamed = await asyncio.gather(
        handle(context_of(request)),
        handle(context_of(request)),
        handle(context_of(request, on_body=Sink())),
    )
    assert (plain.body, streamed.body) == (b"abc", b"")
    assert len(transport.requests) == 4


async def test_an_error_of_the_reader_is_raised() -> None:
    """It is the caller's own: it is neither retried nor translated."""
    transport = FakeTransport([reply(body=b"abc")])

    async def read(_: AsyncIterator[bytes]) -> None:
        raise LookupError("no space")

    request = Request("GET", "https://canvas.test/file")
    with pytest.raises(LookupError, match="no space"):
        await handler_on(transport)(context_of(request, on_body=read))
    assert len(transport.requests) == 1


async def test_the_source_is_not_shown() -> None:
    """A repr of the request does not hold what is sent."""
    request = Request("PUT", "https://canvas.test/file", source=Blocks(1))
    assert "Blocks" not in repr(request)
    assert "Blocks" not in repr(Response(200, request=request))
