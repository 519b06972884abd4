"""What can be synced, and how each stream is read. Writes nothing.

A stream reads its list page by page from a cursor, and gives batches: raw objects, and the cursor
behind them. `course_paces` has no list in Canvas: it walks the courses and asks for each one's
pace, several at a time, in the order of the courses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from attrs import frozen

from aioinstructure.abconnect import ABConnect
from aioinstructure.abconnect.query import F
from aioinstructure.canvas import Canvas
from aioinstructure.endpoint import Call, routes_of
from aioinstructure.errors import Forbidden, NotFound, Unauthorized
from aioinstructure.paging import Pages
from aioinstructure.sync.sinks.base import Row
from aioinstructure.wire.verdict import blames_credential

__all__ = ["STREAMS", "Batch", "Stream"]

Clients: TypeAlias = Canvas | ABConnect

_WINDOW: Final = 24
"""Calls of a fan-out at once; the quota lets fewer through where that is wiser."""


@frozen
class Batch:
    """What one step of a stream has read.

    Attributes:
        rows: The objects.
        cursor: The place behind them; None if the list is at its end and cannot be gone on with.
        total: How many objects the stream will have, where the server says so.
        requests: How many answers they came in.
        skipped: How many parents had none that the caller may see.
    """

    rows: list[Row]
    cursor: str | None
    total: int | None = None
    requests: int = 1
    skipped: int = 0


@frozen
class Stream:
    """One thing that can be synced.

    Attributes:
        name: Also the name of its table.
        service: Whose it is.
        read: Gives the batches behind a cursor, or all.
        continues: Whether a finished stream goes on behind its end the next time (events), where
            others are read anew.
    """

    name: str
    service: Literal["canvas", "abconnect"]
    read: Callable[[Any, str | None], AsyncIterator[Batch]]
    continues: bool = False


def _row(raw: Any) -> Row:
    return Row(str(raw["id"]), raw)


def _pages(
    start: Callable[[Any], Pages[Any]], *, by_key: bool = False
) -> Callable[[Clients, str | None], AsyncIterator[Batch]]:
    """The reader of a plain list. By key, a page's total counts only what is not behind it."""

    async def read(client: Clients, cursor: str | None) -> AsyncIterator[Batch]:
        pages = start(client) if cursor is None else client.resume(cursor)
        before = 0
        async for page in pages.pages():
            total = page.total if page.total is None or not by_key else before + page.total
            before += len(page.raw)
            yield Batch([_row(raw) for raw in page.raw], str(pages.cursor), total)

    return read


async def _course_paces(canvas: Canvas, cursor: str | None) -> AsyncIterator[Batch]:
    """The pace of each course that has one, in the order of the courses."""
    new = next(route for route in routes_of(Canvas) if route.name == "course_paces.new")
    courses = canvas.courses.list() if cursor is None else canvas.resume(cursor)
    window: deque[tuple[str, asyncio.Task[Row | None]]] = deque()
    try:
        async for course in courses:
            call = new.bind({"course_id": course.id})
            task = asyncio.create_task(_pace(canvas, call))
            window.append((str(courses.cursor), task))
            while len(window) > _WINDOW or (window and window[0][1].done()):
                yield await _oldest(window)
        while window:
            yield await _oldest(window)
    finally:
        for _, task in window:
            task.cancel()
        await asyncio.gather(*(task for _, task in window), return_exceptions=True)


async def _oldest(window: deque[tuple[str, asyncio.Task[Row | None]]]) -> Batch:
    """What the first task of the window found, and those behind it that are done already."""
    rows: list[Row] = []
    asked = 0
    place = ""
    while window and (not asked or window[0][1].done()):
        place, task = window[0]
        found = await task
        window.popleft()
        asked += 1
        if found is not None:
            rows.append(found)
    return Batch(rows, place, requests=asked, skipped=asked - len(rows))


async def _pace(canvas: Canvas, call: Call[Any]) -> Row | None:
    """The pace of one course, or None if it has none, or none for the caller's eyes."""
    try:
        response = await canvas.send(call)
    except (NotFound, Forbidden):
        return None
    except Unauthorized as error:
        if blames_credential(error):
            raise
        return None
    pace = response.json().get("course_pace")
    # Canvas makes a pace up where none is saved; it has no id.
    return _row(pace) if isinstance(pace, Mapping) and pace.get("id") is not None else None


_STANDARD_FIELDS: Final = (
    "guid",
    "number",
    "statement",
    "label",
    "level",
    "seq",
    "status",
    "date_modified_utc",
    "disciplines.subjects",
    "education_levels.grades",
    "document.guid",
    "section.guid",
    "parent",
)

# Without the two others a copy would keep what was retired meanwhile as if it were in force.
_MIRROR: Final = F.status.in_("active", "deleted", "obsolete")

STREAMS: Final[Mapping[str, Stream]] = {
    stream.name: stream
    for stream in (
        Stream("courses", "canvas", _pages(lambda canvas: canvas.courses.list(include=["term"]))),
        Stream("course_paces", "canvas", _course_paces),
        Stream(
            "standards",
            "abconnect",
            # Without a unique sort the order is by relevance, and pages overlap.
            _pages(
                lambda ab: ab.standards.list(filter=_MIRROR, fields=_STANDARD_FIELDS, sort=["guid"])
            ),
        ),
        Stream(
            "events",
            "abconnect",
            _pages(lambda ab: ab.events.since(0), by_key=True),
            continues=True,
        ),
    )
}
"""All streams by name, in the order that a report lists them."""
