"""Peak memory while reading long lists: constant for any length.

Reads 200,000 Canvas courses by bookmarks, and 248,969 AB Connect standards by offset, whose pages
are fetched concurrently. A transport generates the pages one at a time, so that only the client can
hold them. Prints the peaks after a tenth of the list and at its end; the ideal ratio is 1.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

from aioinstructure import ABConnect, Canvas
from aioinstructure.testing import FakeTransport, VirtualLoop, reply
from aioinstructure.wire.message import Request, Response

COURSES = 200_000
STANDARDS = 248_969
SIZE = 100
CANVAS = "https://canvas.test"


def courses(request: Request) -> Response:
    """A page of courses with a bookmark for the next page."""
    _, _, mark = request.url.rpartition("page=")
    start = int(mark) if "?page=" in request.url else 0
    page = [
        {"id": n, "name": f"Course {n}", "created_at": "2026-01-12T07:00:00Z", "new_field": "x"}
        for n in range(start, start + SIZE)
    ]
    more = f"{CANVAS}/api/v1/courses?page={start + SIZE}" if start + SIZE < COURSES else None
    return reply(page, next=more, headers={"x-request-cost": "0.1"})


def standards(request: Request) -> Response:
    """A page of standards by offset."""
    start = int(dict(parse_qsl(request.path.partition("?")[2])).get("offset", "0"))
    end = min(STANDARDS, start + SIZE)
    page = [
        {
            "type": "standards",
            "id": f"{n:08x}-7053-11DF-8EBF-BE719DFF4B22",
            "attributes": {"seq": n},
        }
        for n in range(start, end)
    ]
    links = {"next": request.url.partition("?")[0]} if end < STANDARDS else {}
    meta = {"count": STANDARDS, "limit": SIZE, "offset": start}
    return reply({"data": page, "links": links, "meta": meta})


async def stream(name: str, items: AsyncIterator[Any], total: int, fake: FakeTransport) -> None:
    """Read to the end, and print the peaks."""
    tracemalloc.start()
    count = early = 0
    async for _ in items:
        count += 1
        if count % SIZE == 0:
            fake.requests.clear()
        if count == total // 10:
            _, early = tracemalloc.get_traced_memory()
    _, late = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == total
    print(
        f"{count:,} {name}: peak {early / 1024:.0f} KB after a tenth, {late / 1024:.0f} KB at the"
        f" end: ratio {late / early:.3f} (ideal: 1)"
    )


async def main() -> None:
    """Read both lists."""
    fake = FakeTransport([courses])
    async with Canvas(CANVAS, token="t" * 64, transport=fake) as canvas:
        await stream("courses", aiter(canvas.courses.list()), COURSES, fake)
    fake = FakeTransport([standards], seconds=0.3)
    async with ABConnect(partner_id="p", partner_key="k", transport=fake) as ab:
        await stream("standards", aiter(ab.standards.list(fields=["seq"])), STANDARDS, fake)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
