"""What can be synced, and how each stream is read. Writes nothing.

A stream reads its list page by page from a cursor, and gives batches: raw objects, and the cursor
behind them. `course_paces` has no list in Canvas: it walks the courses and asks for each one's
pace, several at a time, in the order of the courses.

A cursor names the last object that was written. A list that is gone on with is read from the page
of that object: if it no longer stands where it stood, what follows is not what followed then, and
the list is read from its start.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, Literal, TypeAlias

from attrs import evolve, frozen

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.errors import (
    BadRequest,
    DecodeError,
    IncompleteError,
    InputError,
    NotFound,
)
from aioinstructure.paging.cursor import Place, id_of
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.sinks.base import Row

__all__ = [
    "Batch",
    "Clients",
    "Reader",
    "Start",
    "Stream",
    "list_reader",
    "resume_or_restart",
    "row_of",
]

Clients: TypeAlias = Canvas | ABConnect
Reader: TypeAlias = Callable[[Any, str | None], AsyncIterator["Batch"]]
Start: TypeAlias = Callable[..., Paginator[Any]]


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


def row_of(raw: Any) -> Row:
    """The row of a raw object."""
    found = id_of(raw)
    if found is None:
        raise DecodeError("no object with an id", paths=[f"expected an id, got {raw!r:.60} @ $"])
    return Row(str(found), raw)


def list_reader(start: Start, *, by_key: bool = False) -> Reader:
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
    pages = await resume_or_restart(client, cursor) or start(client)
    before = 0
    async for page in pages.pages():
        total = None if page.total is None else before + page.total
        before += len(page.raw)
        yield Batch([row_of(raw) for raw in page.raw], str(pages.cursor), total)


async def _by_place(start: Start, client: Clients, cursor: str | None) -> AsyncGenerator[Batch]:
    pages = await resume_or_restart(client, cursor) or start(client)
    here = Place.decode(pages.cursor)
    async for page in pages.pages():
        raw = page.raw
        last = raw[here.skip - 1] if 0 < here.skip <= len(raw) else None
        if here.skip and id_of(last) != here.last_id:
            raise IncompleteError("the list has changed since it was read up to here")
        rows = [row_of(each) for each in raw[here.skip :]]
        if raw:
            here = evolve(here, skip=len(raw), last_id=id_of(raw[-1]))
        yield Batch(rows, here.encode(), page.total)
        if page.next is not None:
            here = evolve(here, path=page.next.path, skip=0, last_id=None)


async def resume_or_restart(client: Clients, cursor: str | None) -> Paginator[Any] | None:
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
