"""Peak memory while 200,000 items stream by: flat, whatever the length of the list.

Pages of 100 courses come over a transport that makes them up one at a time, so that nothing but
the client can hold them. Prints the peak at a tenth of the way and at the end; the bound is their
ratio, 1.
"""

from __future__ import annotations

import asyncio
import tracemalloc

from aioinstructure import Canvas
from aioinstructure.testing import FakeTransport, VirtualLoop, reply
from aioinstructure.wire.message import Request, Response

ITEMS = 200_000
SIZE = 100
ORIGIN = "https://canvas.test"


def page(request: Request) -> Response:
    """A page of courses with a bookmark to the next one."""
    _, _, mark = request.url.rpartition("page=")
    start = int(mark) if "?page=" in request.url else 0
    courses = [
        {"id": n, "name": f"Course {n}", "created_at": "2026-01-12T07:00:00Z", "new_field": "x"}
        for n in range(start, start + SIZE)
    ]
    more = f"{ORIGIN}/api/v1/courses?page={start + SIZE}" if start + SIZE < ITEMS else None
    return reply(courses, next=more, headers={"x-request-cost": "0.1"})


async def main() -> None:
    """Stream, and look at the peak now and then."""
    transport = FakeTransport([page])
    async with Canvas(ORIGIN, token="t" * 64, transport=transport) as canvas:
        tracemalloc.start()
        count = 0
        early = 0
        async for _ in canvas.courses.list():
            count += 1
            if count % SIZE == 0:
                transport.requests.clear()
            if count == ITEMS // 10:
                _, early = tracemalloc.get_traced_memory()
        _, late = tracemalloc.get_traced_memory()
    print(f"{count:,} items: peak {early / 1024:.0f} KB after a tenth, {late / 1024:.0f} KB at the")
    print(f"end: {late / early:.3f} of it (flat is 1)")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
