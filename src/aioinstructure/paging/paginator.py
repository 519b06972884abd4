"""Lists: typed async iterators over pages that hold a page or two and can be resumed.

Each loop over a list is a `PageReader`; a place in it is a `Cursor`. Knows no service: where items and
next pages are, its client says.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, TypeVar

from aioinstructure.endpoints.route import Call, Route
from aioinstructure.errors import InputError
from aioinstructure.paging.cursor import Cursor, Place, id_of
from aioinstructure.paging.page_reader import Items, PageReader
from aioinstructure.paging.result_page import ResultPage, Source

__all__ = ["Cursor", "Paginator"]

T = TypeVar("T")


class Paginator(Generic[T]):
    """A list of the server's, fetched page by page as it is read.

    `async for` gives the items; `await` gives the first page; `.pages()` gives pages. Each loop
    starts anew. The next page is fetched while one is read; leaving the loop cancels that at once.
    `async with` ends it for certain where garbage collection is late.

    Raises:
        InputError: A second loop while one runs, two tasks at one loop, or no number for `take`.
        IncompleteError: The list changed while it was read, or its links run in a circle.
        DecodeError: There is no list, or an item is not what its model says; those before it were
            handed out.
        Error: A page could not be had, as any call: see `aioinstructure.errors`.

    Example:
        async for course in canvas.courses.list():
            print(course.name)
    """

    def __init__(self, source: Source, call: Call[T], *, place: Place | None = None) -> None:
        self._source = source
        self._call = call
        self._place = place
        self._walk: weakref.ref[PageReader[T]] | None = None
        self._first: ResultPage[T] | None = None
        self._mark: tuple[Call[T], ResultPage[T], int] | None = None

    @property
    def cursor(self) -> Cursor[T]:
        """The place behind the item (or page) that was read last; the start before the first."""
        if self._mark is None:
            place = self._place or self._source.place_of(self._call, 0, None)
            return Cursor(place.encode())
        call, page, done = self._mark
        if done == len(page.raw) and page.cursor is not None:
            return page.cursor  # the start of the next page, which saves reading this one again
        last_id = id_of(page.raw[done - 1]) if done else None
        return Cursor(self._source.place_of(call, done, last_id).encode())

    @property
    def route(self) -> Route:
        """The endpoint that is listed."""
        return self._call.route

    def __aiter__(self) -> AsyncIterator[T]:
        return Items(self._start())

    def pages(self) -> AsyncIterator[ResultPage[T]]:
        """The pages instead of their items."""
        return self._start()

    def _start(self, *, ahead: bool = True) -> PageReader[T]:
        if self._walk is not None and (walk := self._walk()) is not None and not walk.ended:
            raise InputError(
                f"two loops over one list ({self.route.name}): call the endpoint again for another"
            )
        self._mark = None
        first, self._first = self._first, None
        walk = PageReader(self, first, ahead=ahead)
        self._walk = weakref.ref(walk)
        return walk

    def __await__(self) -> Generator[Any, None, ResultPage[T]]:
        return self._first_page().__await__()

    async def _first_page(self) -> ResultPage[T]:
        if self._first is None:
            self._first = await self._source.fetch_page(self._call)
        return self._first

    async def collect(self) -> list[T]:
        """All items, in memory."""
        return [item async for item in self]

    async def take(self, n: int) -> list[T]:
        """The first `n` items, with no request more than they need."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise InputError(f"take needs a number from 0 up, not {n!r}")
        if n == 0:
            return []
        found: list[T] = []
        async for item in Items(self._start(ahead=False)):
            found.append(item)
            if len(found) == n:
                break
        return found

    async def first(self) -> T | None:
        """The first item, or None if there is none."""
        return next(iter(await self.take(1)), None)

    async def __aenter__(self) -> Paginator[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the loop that runs, and wait until its request is gone."""
        if self._walk is not None and (walk := self._walk()) is not None:
            await walk.aclose()

    def __repr__(self) -> str:
        return f"<Pages of {self.route.name} at {self._call.path}>"
