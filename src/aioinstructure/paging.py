"""Lists: typed async iterators over pages that hold a page or two and can be resumed.

A cursor is at least once: the page it points into is fetched again, and what was handed out is
skipped, by the id of the last item if it is still there, else by count. It holds no credential,
and is checked like any other input when it comes back.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import orjson
from attrs import evolve, field, frozen

from aioinstructure.endpoint import Call, Route
from aioinstructure.errors import DecodeError, IncompleteError, InputError
from aioinstructure.wire.message import Response

__all__ = ["Cursor", "Page", "Pages"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_VERSION = 1
_RESTARTS = 5
"""How often a list that heals itself starts anew before it gives up."""


class Cursor(str, Generic[T]):
    """A place in a list, as text without any credential. Give it to `client.resume`."""

    __slots__ = ()


@frozen
class Place:
    """What a cursor says.

    Attributes:
        origin: The service that the list came from.
        route: The name of the endpoint.
        path: Path and query of the page, below the service's base.
        skip: How many of its items were handed out.
        last_id: The id of the last of them, if it has one.
        as_user: The user that was masqueraded as.
    """

    origin: str
    route: str
    path: str
    skip: int = 0
    last_id: Any = None
    as_user: Any = None

    def encode(self) -> str:
        """The text of the cursor."""
        return orjson.dumps(
            [_VERSION, self.origin, self.route, self.as_user, self.path, self.skip, self.last_id]
        ).decode()

    @classmethod
    def decode(cls, text: str) -> Place:
        """What the text says.

        Raises:
            InputError: It is no cursor, or one of another version.
        """
        try:
            version, origin, route, as_user, path, skip, last_id = orjson.loads(text.encode())
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(f"no cursor: {text!r:.100}") from error
        if type(version) is not int or version != _VERSION:
            raise InputError(f"a cursor of version {version!r:.100}, not {_VERSION}")
        words = all(isinstance(word, str) for word in (origin, route, path))
        ids = all(type(found) in (int, str, type(None)) for found in (as_user, last_id))
        if not words or not ids or type(skip) is not int or skip < 0:
            raise InputError(f"no cursor: {text!r:.100}")
        return cls(origin, route, path, skip, last_id, as_user)


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
        """Its items as models, converted on each access."""
        return [self._structure(item) for item in self.raw]


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


class Pages(Generic[T]):
    """A list of the server's, fetched page by page as it is read.

    `async for` gives the items; `await` gives the first page; `.pages()` gives pages. Each loop
    starts anew. The next page is fetched while one is read; leaving the loop cancels that at once.
    `async with` ends it for certain where garbage collection is late.

    Example:
        async for course in canvas.courses.list():
            print(course.name)
    """

    def __init__(self, source: Source, call: Call[T], *, place: Place | None = None) -> None:
        self._source = source
        self._call = call
        self._place = place
        self._walk: weakref.ref[_Walk[T]] | None = None
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
        return _Items(self._start())

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages instead of their items."""
        return self._start()

    def _start(self, *, ahead: bool = True) -> _Walk[T]:
        if self._walk is not None and (walk := self._walk()) is not None and not walk.ended:
            raise InputError(
                f"two loops over one list ({self.route.name}): call the endpoint again for another"
            )
        self._mark = None
        first, self._first = self._first, None
        walk = _Walk(self, first, ahead=ahead)
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
        async for item in _Items(self._start(ahead=False)):
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


class _Walk(Generic[T]):
    """One way through the pages. Its prefetch holds no reference to it, so dropping it ends all."""

    __slots__ = (
        "__weakref__",
        "_ahead",
        "_busy",
        "_check",
        "_given",
        "_next",
        "_page",
        "_pages",
        "_restarts",
        "_seen",
        "_tasks",
        "ended",
    )

    def __init__(self, pages: Pages[T], first: Page[T] | None, *, ahead: bool) -> None:
        self._pages = pages
        self._page = first
        self._next: Call[T] | None = pages._call
        self._tasks: dict[str, asyncio.Task[Page[T]]] = {}  # by path, in order
        self._ahead = ahead
        self._check = pages._source.check_of(pages._call, pages._place)
        self._given: set[Any] | None = set() if pages._call.on_change == "restart" else None
        self._restarts = 0
        self._busy = False
        self._seen: set[int] = set()  # hashes of the paths that were asked for
        self.ended = False

    def __aiter__(self) -> _Walk[T]:
        return self

    async def __anext__(self) -> Page[T]:
        call, page = await self._fetch()
        if page is None or call is None:
            self.ended = True
            raise StopAsyncIteration
        self._pages._mark = (call, page, len(page.raw))
        return page

    async def advance(self) -> tuple[Call[T], Page[T], int] | None:
        """The next page with how many of its items are to be skipped; None behind the last."""
        first = self._next is self._pages._call
        call, page = await self._fetch()
        if page is None or call is None:
            self.ended = True
            return None
        skip = _skip(page.raw, self._pages._place) if first and self._pages._place else 0
        return call, page, skip

    async def _fetch(self) -> tuple[Call[T] | None, Page[T] | None]:
        call = self._next
        if self._busy:
            raise InputError(f"two tasks read one loop ({self._pages.route.name}) at once")
        if call is None or self.ended:
            return None, None
        self._busy = True
        try:
            call, page = await self._checked(call)
        except BaseException:
            self._drop()
            raise
        finally:
            self._busy = False
        if self.ended:  # closed while it was on its way
            return None, None
        self._next = page.next if page.raw else None
        self._look_ahead(call, page)
        return call, self._unseen(page)

    def _look_ahead(self, call: Call[T], page: Page[T]) -> None:
        """Ask for pages before they are read; forget those that will not be."""
        wanted = self._pages._source.ahead_of(call, page) if self._ahead and self._next else ()
        paths = {each.path for each in wanted}
        for path in [path for path in self._tasks if path not in paths]:
            self._tasks.pop(path).cancel()
        for each in wanted:
            if each.path not in self._tasks and hash(each.path) not in self._seen:
                task = asyncio.create_task(self._pages._source.fetch_page(each))
                task.add_done_callback(_look_at)
                self._tasks[each.path] = task

    async def _checked(self, call: Call[T]) -> tuple[Call[T], Page[T]]:
        """The page, if it goes on where the last one ended; else the first one, if so wished."""
        while True:
            page = await self._obtain(call)
            try:
                if self._check is not None:
                    self._check.see(page)
            except IncompleteError:
                if self._given is None or self._restarts >= _RESTARTS:
                    raise
                self._restarts += 1
                call = self._again()
            else:
                return call, page

    def _unseen(self, page: Page[T]) -> Page[T]:
        """The page without what was handed out before the list began anew."""
        if self._given is None:
            return page
        ids = [id_of(item) for item in page.raw]
        if None in ids:  # it could not be told from what was handed out: no beginning anew
            self._given = None
            return page
        if self._restarts:
            fresh = [item for item in page.raw if id_of(item) not in self._given]
            page = evolve(page, raw=fresh)
        self._given.update(ids)
        return page

    def _again(self) -> Call[T]:
        """Back to the first page, with nothing under way."""
        source, first = self._pages._source, self._pages._call
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._seen.clear()
        self._check = source.check_of(first, None)
        return first

    async def _obtain(self, call: Call[T]) -> Page[T]:
        if hash(call.path) in self._seen:
            raise IncompleteError(
                f"the list runs in a circle: it leads back to {call.path}",
                expected="a page that was not read yet",
                got=call.path,
            )
        self._seen.add(hash(call.path))
        if self._page is not None:
            page, self._page = self._page, None
            return page
        task = self._tasks.pop(call.path, None)
        if task is None:
            return await self._pages._source.fetch_page(call)
        return await task  # cancelled with us

    def __del__(self) -> None:
        self._drop()

    def _drop(self) -> list[asyncio.Task[Page[T]]]:
        self.ended = True
        tasks = [task for task in self._tasks.values() if not task.get_loop().is_closed()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        return tasks

    async def aclose(self) -> None:
        """Cancel what is under way and wait for its end."""
        if tasks := self._drop():
            await asyncio.wait(tasks)


def _look_at(task: asyncio.Task[Any]) -> None:
    """Take note of how a prefetch ended: an error of a page that nobody asked for is no error."""
    if not task.cancelled():
        task.exception()


class _Items(Generic[T]):
    """The items of a walk, converted one by one: those before a bad one are handed out."""

    __slots__ = ("_call", "_done", "_length", "_page", "_pages", "_raw", "_structure", "_walk")

    def __init__(self, walk: _Walk[T]) -> None:
        self._walk = walk
        self._pages = walk._pages
        self._structure = self._pages._source.converter_for(self._pages.route.returns)
        self._call: Call[T] | None = None
        self._page: Page[T] | None = None
        self._raw: list[Any] = []
        self._done = 0
        self._length = 0

    def __aiter__(self) -> _Items[T]:
        return self

    async def __anext__(self) -> T:
        while self._done >= self._length:
            found = await self._walk.advance()
            if found is None:
                raise StopAsyncIteration
            self._call, self._page, self._done = found
            self._raw = self._page.raw
            self._length = len(self._raw)
            if self._done:
                self._pages._mark = (self._call, self._page, self._done)
        try:
            item: T = self._structure(self._raw[self._done])
        except DecodeError as error:
            self._walk._drop()
            error.response = None if self._page is None else self._page.response
            raise
        self._done += 1
        # One tuple an item: a cursor is made of it only when somebody asks.
        self._pages._mark = (self._call, self._page, self._done)  # type: ignore[assignment]  # a call came with the page
        return item


def id_of(item: Any) -> Any:
    """The id of a raw item, or its GUID, if it has a plain one."""
    found = item.get("id", item.get("guid")) if isinstance(item, Mapping) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _skip(raw: list[Any], place: Place) -> int:
    """How many items of a page that is read again were handed out before."""
    if place.skip and place.last_id is not None:
        for index, item in enumerate(raw):
            if id_of(item) == place.last_id:
                return index + 1
    return min(place.skip, len(raw))


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
