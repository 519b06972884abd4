"""What can be synced, and how each stream is read. Writes nothing.

A stream reads its list page by page from a cursor, and gives batches: raw objects, and the cursor
behind them. `course_paces` has no list in Canvas: it walks the courses and asks for each one's
pace, several at a time, in the order of the courses.

A cursor names the last object that was written. A list that is gone on with is read from the page
of that object: if it no longer stands where it stood, what follows is not what followed then, and
the list is read from its start.
"""

from __future__ import annotations

import asyncio
import difflib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Literal, TypeAlias

from attrs import evolve, frozen

from aioinstructure.abconnect import ABConnect
from aioinstructure.abconnect.query import F
from aioinstructure.canvas import Canvas
from aioinstructure.cursor import Place, id_of
from aioinstructure.endpoint import Call, routes_of
from aioinstructure.errors import (
    BadRequest,
    ConfigurationError,
    DecodeError,
    Forbidden,
    IncompleteError,
    InputError,
    NotFound,
    Unauthorized,
)
from aioinstructure.paging import Pages
from aioinstructure.sync.sinks.base import Row
from aioinstructure.wire.verdict import blames_credential

__all__ = ["STREAMS", "Batch", "Stream", "checked", "client_of"]

Clients: TypeAlias = Canvas | ABConnect
Reader: TypeAlias = Callable[[Any, str | None], AsyncIterator["Batch"]]
Start: TypeAlias = Callable[..., Pages[Any]]

_WINDOW: Final = 24
"""Calls of a fan-out at once; the quota lets fewer through where that is wiser."""

_TRIES: Final = 3
"""How often a list that changes while it is read is read from its start, before that is an error."""


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
        start: The list that is walked, from its start; takes a page_size.
        per_row: How many more calls each object of that list takes.
        continues: Whether a finished stream goes on behind its end the next time (events), where
            others are read anew.
    """

    name: str
    service: Literal["canvas", "abconnect"]
    read: Reader
    start: Start
    per_row: int = 0
    continues: bool = False


def _row(raw: Any) -> Row:
    found = id_of(raw)
    if found is None:
        raise DecodeError("no object with an id", paths=[f"expected an id, got {raw!r:.60} @ $"])
    return Row(str(found), raw)


def _pages(start: Start, *, by_key: bool = False) -> Reader:
    """The reader of a plain list.

    By key, a page begins behind the last object instead of at a number, so that nothing can shift;
    its total counts only what is not behind it.
    """

    async def read(client: Clients, cursor: str | None) -> AsyncIterator[Batch]:
        for left in reversed(range(_TRIES)):
            walk = _by_key(start, client, cursor) if by_key else _by_place(start, client, cursor)
            changed = None
            try:
                async with aclosing(walk) as batches:
                    async for batch in batches:
                        yield batch
            except IncompleteError as error:
                changed = error
            if changed is None:
                return
            cursor = None
            yield Batch([], None, requests=0)  # also the next run is not to go on from there
            if not left:
                raise changed

    return read


async def _by_key(start: Start, client: Clients, cursor: str | None) -> AsyncGenerator[Batch]:
    pages = await _behind(client, cursor) or start(client)
    before = 0
    async for page in pages.pages():
        total = None if page.total is None else before + page.total
        before += len(page.raw)
        yield Batch([_row(raw) for raw in page.raw], str(pages.cursor), total)


async def _by_place(start: Start, client: Clients, cursor: str | None) -> AsyncGenerator[Batch]:
    pages = await _behind(client, cursor) or start(client)
    here = Place.decode(pages.cursor)
    async for page in pages.pages():
        raw = page.raw
        last = raw[here.skip - 1] if 0 < here.skip <= len(raw) else None
        if here.skip and id_of(last) != here.last_id:
            raise IncompleteError("the list has changed since it was read up to here")
        rows = [_row(each) for each in raw[here.skip :]]
        if raw:
            here = evolve(here, skip=len(raw), last_id=id_of(raw[-1]))
        yield Batch(rows, here.encode(), page.total)
        if page.next is not None:
            here = evolve(here, path=page.next.path, skip=0, last_id=None)


async def _behind(client: Clients, cursor: str | None) -> Pages[Any] | None:
    """The list behind a cursor; None if there is none, or the server no longer takes it.

    Bookmarks of Canvas grow old, and a cursor may be one of an earlier version of ours.
    """
    if cursor is None:
        return None
    try:
        pages = client.resume(cursor)
        await pages
    except (InputError, BadRequest, NotFound):
        return None
    return pages


async def _course_paces(canvas: Canvas, cursor: str | None) -> AsyncIterator[Batch]:
    """The pace of each course that has one, in the order of the courses."""
    new = next(route for route in routes_of(Canvas) if route.name == "course_paces.new")
    courses = await _behind(canvas, cursor) or canvas.courses.list()
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
    body = canvas._json(response)
    pace = body.get("course_pace") if isinstance(body, Mapping) else None
    # Canvas makes a pace up where none is saved; it has no id.
    return _row(pace) if id_of(pace) is not None else None


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

# Relations are left out: of more than 25 only the first 10 would come.
_ASSET_FIELDS: Final = (
    "guid",
    "client_id",
    "asset_type",
    "title",
    "date_modified_utc",
    "date_alignments_modified_utc",
    "custom_attributes",
    "disciplines",
    "education_levels",
)


def _courses(canvas: Canvas, page_size: int | None = None) -> Pages[Any]:
    return canvas.courses.list(include=["term"], page_size=page_size)


def _standards(ab: ABConnect, page_size: int | None = None) -> Pages[Any]:
    # Without a unique sort the order is by relevance, and pages overlap.
    return ab.standards.list(
        filter=_MIRROR, fields=_STANDARD_FIELDS, sort=["guid"], page_size=page_size
    )


def _assets(ab: ABConnect, page_size: int | None = None) -> Pages[Any]:
    return ab.assets.list(fields=_ASSET_FIELDS, sort=["guid"], page_size=page_size)


def _events(ab: ABConnect, page_size: int | None = None) -> Pages[Any]:
    return ab.events.since(0, page_size=page_size)


STREAMS: Final[Mapping[str, Stream]] = {
    stream.name: stream
    for stream in (
        Stream("courses", "canvas", _pages(_courses), _courses),
        Stream("course_paces", "canvas", _course_paces, _courses, per_row=1),
        Stream("standards", "abconnect", _pages(_standards), _standards),
        Stream("assets", "abconnect", _pages(_assets), _assets),
        Stream("events", "abconnect", _pages(_events, by_key=True), _events, continues=True),
    )
}
"""All streams by name, in the order that a report lists them."""


def checked(names: Sequence[str]) -> list[Stream]:
    """The streams of these names.

    Raises:
        InputError: One is unknown, or named twice, or there is none.
    """
    if not names:
        raise InputError(f"name a stream: {', '.join(STREAMS)}")
    for name in names:
        if name not in STREAMS:
            near = difflib.get_close_matches(name, STREAMS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"no stream {name!r}{hint} There are: {', '.join(STREAMS)}")
    if len(set(names)) != len(names):
        raise InputError(f"a stream is named twice: {', '.join(names)}")
    return [STREAMS[name] for name in names]


def client_of(stream: Stream, canvas: Canvas | None, abconnect: ABConnect | None) -> Clients:
    """The client that a stream is read by.

    Raises:
        ConfigurationError: It is missing.
    """
    client = canvas if stream.service == "canvas" else abconnect
    if client is None:
        raise ConfigurationError(f"the stream {stream.name!r} needs {stream.service}=")
    return client
