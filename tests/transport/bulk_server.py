"""A web server for large bodies; run in a process of its own, so that its memory does not count.

Prints its port. Bodies are made and counted in chunks. `/stats` says what it has seen, and how many
connections are open.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from aiohttp import web

BLOCK = bytes(range(256)) * 256
"""64 KB; every body is a repetition of it."""


class Bulk:
    """What was received, and which refusals are left."""

    def __init__(self) -> None:
        self.uploads: list[dict[str, Any]] = []
        self.refusals = 0
        self.server: web.Server | None = None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/stats":
            open_now = 0 if self.server is None else len(self.server.connections)
            return web.json_response({"uploads": self.uploads, "connections": open_now})
        if request.path == "/refuse":
            self.refusals, self.uploads = int(request.query["times"]), []
            return web.json_response({})
        if request.path == "/early":  # answers before the body has arrived
            return web.Response(status=503 if self._refuses() else 200)
        if request.method == "GET":
            return await self._download(request)
        return await self._upload(request)

    def _refuses(self) -> bool:
        self.refusals -= 1
        return self.refusals >= 0

    async def _upload(self, request: web.BaseRequest) -> web.StreamResponse:
        digest, length = hashlib.sha256(), 0
        async for chunk in request.content.iter_any():
            digest.update(chunk)
            length += len(chunk)
        seen = {
            "length": length,
            "sha256": digest.hexdigest(),
            "content_length": request.headers.get("Content-Length"),
            "transfer_encoding": request.headers.get("Transfer-Encoding"),
        }
        self.uploads.append(seen)
        return web.json_response(seen, status=503 if self._refuses() else 200)

    async def _download(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._refuses():
            return web.Response(status=503, body=b"not now")
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(request.query.get("blocks", "0"))):
            await response.write(BLOCK)
        if request.path == "/hang":
            await asyncio.Event().wait()
        return response


async def main() -> None:
    bulk = Bulk()
    bulk.server = web.Server(bulk.handle, access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(bulk.server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - how the tests find it
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
