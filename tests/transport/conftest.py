"""aioresponses with any supported aiohttp, and raw servers on the loopback."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses]:
    """Responses of aiohttp without a socket.

    aioresponses 0.7 makes a ClientResponse without the `stream_writer` that aiohttp 3.14 requires,
    and that earlier releases do not accept.
    """

    class Complete(aiohttp.ClientResponse):
        def __init__(self, *args: Any, **options: Any) -> None:
            options.setdefault("stream_writer", SimpleNamespace(output_size=0))
            super().__init__(*args, **options)

    if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
        monkeypatch.setattr("aioresponses.core.ClientResponse", Complete)
    with aioresponses() as mock:
        yield mock


@pytest.fixture
def served() -> Callable[[Handler], Any]:
    """A server that runs a function for each connection; yields its origin."""

    @asynccontextmanager
    async def serve(handle: Handler) -> AsyncIterator[str]:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handle(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(one, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.close()
            await server.wait_closed()

    return serve
