"""Streams, and how a plain list becomes one. Writes nothing.

A stream reads its list page by page from a cursor, and yields batches: raw objects, and the cursor
after them. A cursor names the last objects that were read. If none of them is on its page any more,
the list has changed and is read again from its start.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, Literal, TypeAlias

from attrs import frozen

from aioinstructure._text import short_repr
from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.errors import (
    BadRequest,
    IncompleteError,
    InputError,
    NotFound,
)
from aioinstructure.paging.cursor import id_of
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.report import RejectedRow, SkippedParent
from aioinstructure.sync.sinks.base import Row
from aioinstructure.wire.message import Response
from aioinstructure.wire.redact import shown

__all__ = [
    "Batch",
    "Clients",
    "Reader",
    "Start",
    "Stream",
    "list_reader",
    "page_of",
    "restarting",
    "resume_or_restart",
    "row_of",
]

logger = logging.getLogger("aioinstructure.sync")

Clients: TypeAlias = Canvas | ABConnect
Reader: TypeAlias = Callable[[Any, str | None], AsyncIterator["Batch"]]
Start: TypeAlias = Callable[..., Paginator[Any]]

_SHOWN: Final = 200

_TRIES: Final = 3
"""How often a list that changes while it is read is tried before that is an error."""


@frozen
class Batch:
    """What one step of a stream has read.

    Attributes:
        rows: The objects.
        cursor: The position after them; None to read the list from its start.
        total: The number of objects of the stream, if the server reports it.
        requests: The number of responses that were read.
        skipped: The number of parents without an object that the caller may see.
        skipped_parents: These parents, with the reasons.
        page: The path of the response that the rows came in.
        rejected: The objects that have no id, or could not be read.
    """

    rows: list[Row]
    cursor: str | None
    total: int | None = None
    requests: int = 1
    skipped: int = 0
    skipped_parents: Sequence[SkippedParent] = ()
    page: str = ""
    rejected: Sequence[RejectedRow] = ()


@frozen
class Stream:
    """One list that can be synced.

    Attributes:
        name: Its name, which is also the name of its table.
        service: The service that it comes from.
        read: Yields the batches after a cursor, or all batches.
        start: The list that is read, from its start; takes a page_size.
        per_row: The number of additional calls for each object of that list.
        continues: Whether the next run continues after the end (events), where other streams are
            read again.
    """

    name: str
    service: Literal["canvas", "abconnect"]
    read: Reader
    start: Start
    per_row: int = 0
    continues: bool = False


def row_of(raw: Any, page: str) -> Row | RejectedRow:
    """Return the row of a raw object; why there is none, if it has no id."""
    found = id_of(raw)
    if found is None:
        return RejectedRow("", page, f"no id, expected a number or text: {short_repr(raw, _SHOWN)}")
    return Row(str(found), raw)


def page_of(response: Response) -> str:
    """The path that a response is for, as a report shows it."""
    return "" if response.request is None else shown(response.request.path, _SHOWN)


def list_reader(start: Start, *, counts_rest: bool = False) -> Reader:
    """Return the reader of a plain list.

    Args:
        start: Creates the list.
        counts_rest: Whether the total of a page counts only the objects from that page on.
    """

    async def read_once(client: Clients, cursor: str | None) -> AsyncGenerator[Batch]:
        pages = await resume_or_restart(client, cursor) or start(client)
        before = 0
        async for page in pages.pages():
            total = page.total
            if total is not None and counts_rest:
                total += before
            before += len(page.raw)
            path = page_of(page.response)
            found = [row_of(raw, path) for raw in page.raw]
            yield Batch(
                [row for row in found if isinstance(row, Row)],
                str(pages.cursor),
                total,
                page=path,
                rejected=[row for row in found if isinstance(row, RejectedRow)],
            )

    return restarting(read_once)


def restarting(read_once: Callable[[Any, str | None], AsyncGenerator[Batch]]) -> Reader:
    """Return a reader that starts again when the list changes while it is read."""

    async def read(client: Clients, cursor: str | None) -> AsyncIterator[Batch]:
        for left in reversed(range(_TRIES)):
            changed = None
            try:
                async with aclosing(read_once(client, cursor)) as batches:
                    async for batch in batches:
                        yield batch
            except IncompleteError as error:
                changed = error
            if changed is None:
                return
            cursor = None
            yield Batch([], None, requests=0)  # the next run must not resume from there either
            if not left:
                raise changed

    return read


async def resume_or_restart(client: Clients, cursor: str | None) -> Paginator[Any] | None:
    """Return the list after a cursor; None without a cursor, or if it cannot be resumed.

    Canvas bookmarks expire, and a cursor may be from an earlier version of the library.
    """
    if cursor is None:
        return None
    try:
        pages = client.resume(cursor)
        await pages
    except (InputError, BadRequest, NotFound) as error:
        logger.warning("cannot resume from a checkpoint, the stream restarts: %s", error)
        return None
    return pages
