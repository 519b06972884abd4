"""Lists: typed async iterators over pages that hold a page or two and can be resumed.

Each loop over a list is a `Walk`; a place in it is a `Cursor`. Knows no service: where items and
next pages are, its client says.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from attrs import field, frozen

from aioinstructure.cursor import Cursor, Place, id_of
from aioinstructure.errors import DecodeError, InputError
from aioinstructure.route import Call, Route
from aioinstructure.walk import Items, Walk
from aioinstructure.wire.message import Response

__all__ = ["Cursor", "Page", "Pages"]

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        raw: Its items as the server sent them.
        response: The whole answer.
        total: How many items the whole list has, where the server says so.
        next: The call for the page behind it; None on the last one.
        cursor: The place behind this page. None where the list ends here, unless it is one that
            grows at its end (events): then what is behind it can be asked for later.
    """

    raw: list[Any] = field(repr=lambda raw: f"<{len(raw)} items>")
    response: Response
    total: int | None
    next: Call[T] | None = field(repr=False)
    cursor: Cursor[T] | None = field(repr=False)
    _structure: Callable[[Any], T] = field(repr=False, alias="structure")

    @property
    def items(self) -> list[T]:
        """Its items as models, converted on each access.

        Raises:
            DecodeError: One of them is not what its model says.
        """
        try:
            return [self._structure(item) for item in self.raw]
        except DecodeError as error:
            error.response = self.response
            raise


class Source(Protocol):
    """What a list needs of its client."""

    async def fetch_page(self, call: Call[T]) -> Page[T]:
        """Send the call and take the answer apart."""
        ...

    def place_of(self, call: Call[Any], skip: int, last_id: Any) -> Place:
        """What a cursor in this page says."""
        ...

    def converter_for(self, tp: Any) -> Callable[[Any], Any]:
        """The function that makes a raw item a model."""
        ...

    def ahead_of(self, call: Call[T], page: Page[T]) -> Sequence[Call[T]]:
        """The calls behind a page that may be made before that page is read, in order."""
        ...

    def check_of(self, call: Call[Any], place: Place | None) -> Check | None:
        """What notices that the list changes while it is read, if anything can."""
        ...


class Check(Protocol):
    """Looks at the pages of one walk."""

    def see(self, page: Page[Any]) -> None:
        """Raise IncompleteError if the page does not go on where the last one ended."""
        ...

    def start_of(self, path: str) -> str:
        """The path of the first page of the list that a page is of."""
        ...


class Pages(Generic[T]):
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
        self._walk: weakref.ref[Walk[T]] | None = None
        self._first: Page[T] | None = None
        self._mark: tuple[Call[T], Page[T], int] | None = None

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

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages instead of their items."""
        return self._start()

    def _start(self, *, ahead: bool = True) -> Walk[T]:
        if self._walk is not None and (walk := self._walk()) is not None and not walk.ended:
            raise InputError(
                f"two loops over one list ({self.route.name}): call the endpoint again for another"
            )
        self._mark = None
        first, self._first = self._first, None
        walk = Walk(self, first, ahead=ahead)
        self._walk = weakref.ref(walk)
        return walk

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._first_page().__await__()

    async def _first_page(self) -> Page[T]:
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

    async def __aenter__(self) -> Pages[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the loop that runs, and wait until its request is gone."""
        if self._walk is not None and (walk := self._walk()) is not None:
            await walk.aclose()

    def __repr__(self) -> str:
        return f"<Pages of {self.route.name} at {self._call.path}>"


def items_in(body: Any, path: tuple[str, ...], response: Response) -> list[Any]:
    """The items of a list's body: at the end of the path, lists on the way joined.

    Raises:
        DecodeError: There is no list.
    """
    level = [body]
    for name in path:
        level = list(_step(level, name, path, response))
    if path:
        return level
    if not isinstance(body, list):
        raise DecodeError(
            "no list", paths=[f"expected a list, got {body!r:.60} @ $"], response=response
        )
    return body


def _step(level: list[Any], name: str, path: tuple[str, ...], response: Response) -> Iterator[Any]:
    for parent in level:
        inner = parent.get(name) if isinstance(parent, Mapping) else None
        if isinstance(inner, list):
            yield from inner
        elif isinstance(inner, Mapping) and name != path[-1]:
            yield inner
        elif inner is not None or name not in (parent if isinstance(parent, Mapping) else ()):
            where = ".".join(path)
            raise DecodeError(
                "no list", paths=[f"expected a list at {where} @ $"], response=response
            )
