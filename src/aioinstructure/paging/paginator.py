"""Lists: typed async iterators over pages that hold a page or two and can be resumed.

Each loop over a list is a `PageReader`; a position in it becomes a `Cursor`. Knows no service.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, Self, TypeVar

from attrs import evolve

from aioinstructure._public import public
from aioinstructure.endpoints.route import Call, Route
from aioinstructure.errors import InputError
from aioinstructure.paging.cursor import Cursor, CursorState, already_read
from aioinstructure.paging.page_reader import ItemReader, PageReader, ReadPosition
from aioinstructure.paging.page_source import PageSource
from aioinstructure.paging.restartable import Restartable
from aioinstructure.paging.result_page import ResultPage
from aioinstructure.wire.redact import shown

__all__ = ["Paginator"]

T = TypeVar("T")


@public
class Paginator(Restartable[T], Generic[T]):
    """A list on the server, fetched page by page while it is read.

    `async for` yields the items; `await` gives the first page; `.pages()` yields pages. Each loop
    starts again from the beginning. The next page is fetched while one is read; leaving the loop
    cancels that at once. `async with` guarantees it where garbage collection is late.

    Raises:
        InputError: A second loop while one runs, two tasks in one loop, or an invalid number for `take`.
        IncompleteError: The list changed while it was read, its pages run in a cycle, or the
            server left out where it goes on.
        DecodeError: There is no list, an item is not what its model says, or the link to the next
            page is invalid; the items before it were yielded.
        Error: A page could not be fetched, as for any call: see `aioinstructure.errors`.

    Example:
        async for course in canvas.courses.list():
            print(course.name)
    """

    def __init__(
        self, source: PageSource, call: Call[T], *, state: CursorState | None = None
    ) -> None:
        self._source = source
        self._call = call
        self._state = state
        self._reader: weakref.ref[PageReader[T]] | None = None
        self._position: ReadPosition[T] | None = None
        self._first: ResultPage[T] | None = None

    @property
    def cursor(self) -> Cursor[T]:
        """The position after the item (or page) read last; the start before the first."""
        state = None if self._position is None else self._position.state(self._source)
        return Cursor((state or self._start_state()).encode())

    def _start_state(self) -> CursorState:
        return self._state or self._source.state_for(self._call, 0, ())

    @property
    def route(self) -> Route:
        """The operation that lists."""
        return self._call.route

    def _name(self) -> str:
        return f"list ({self.route.name})" if self.route.name else "list"

    def _new_loop(self) -> ItemReader[T]:
        return self._items(prefetch=True)

    def _items(self, *, prefetch: bool) -> ItemReader[T]:
        return ItemReader(self._read_pages(prefetch=prefetch), self._source, self.route.returns)

    def _read_pages(self, *, prefetch: bool) -> PageReader[T]:
        first, self._first = self._first, None
        reader = PageReader(self._source, self._call, self._state, first, prefetch=prefetch)
        self._reader = weakref.ref(reader)
        self._position = reader.position
        return reader

    def _check_no_loop(self) -> None:
        reader = None if self._reader is None else self._reader()
        if reader is not None and not reader.ended:
            raise InputError(
                f"two loops over one {self._name()}: call the operation again for the second loop"
            )

    def pages(self) -> AsyncIterator[ResultPage[T]]:
        """The pages instead of their items."""
        self._check_no_loop()
        return self._read_pages(prefetch=True)

    def __await__(self) -> Generator[Any, None, ResultPage[T]]:
        return self._first_page().__await__()

    async def _first_page(self) -> ResultPage[T]:
        if self._first is None:
            self._first = await self._source.fetch_page(self._call)
        page = self._first
        if self._state is None:
            return page
        read = already_read(page.raw, self._state, len(page.response.body))
        return evolve(page, raw=page.raw[read:])

    async def collect(self) -> list[T]:
        """All items, in memory."""
        return [item async for item in self]

    async def take(self, n: int) -> list[T]:
        """The first `n` items, with no more requests than they need."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise InputError(f"take needs a number from 0 up, not {n!r}")
        if n == 0:
            return []
        self._check_no_loop()
        found: list[T] = []
        async for item in self._items(prefetch=False):
            found.append(item)
            if len(found) == n:
                break
        return found

    async def first(self) -> T | None:
        """The first item, or None if there is none."""
        return next(iter(await self.take(1)), None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the loop that runs, and wait until its request has ended."""
        if self._reader is not None and (reader := self._reader()) is not None:
            await reader.aclose()

    def __repr__(self) -> str:
        return f"<Paginator of {self.route.name or 'a path'} at {shown(self._call.target, 500)}>"
