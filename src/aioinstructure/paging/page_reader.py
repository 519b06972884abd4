"""Walks: one way through the pages of a list, fetched ahead, and through their items.

A walk knows the order of pages and what is under way; what a page is, and where the next one is,
it is told by the list (`paging`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import evolve

from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError, IncompleteError, InputError
from aioinstructure.paging.cursor import id_of, skipped

if TYPE_CHECKING:
    from aioinstructure.paging.paginator import Paginator
    from aioinstructure.paging.result_page import Check, ResultPage

__all__ = ["Items", "PageReader"]

T = TypeVar("T")

_RECENT = 128
"""How many pages back a circle is noticed at once."""

_RESTARTS = 5
"""How often a list that heals itself starts anew before it gives up."""


class CycleDetector:
    """The pages that were asked for, in a memory that does not grow.

    The last ones are all known. Of those before one is, the farther back the longer the way is
    (Brent's way to find a circle): so a circle of any length is noticed, a long one some rounds
    late.
    """

    __slots__ = ("_anchor", "_count", "_recent")

    def __init__(self) -> None:
        self._recent: dict[int, None] = {}
        self._anchor: int | None = None
        self._count = 0

    def __contains__(self, path: str) -> bool:
        return (mark := hash(path)) == self._anchor or mark in self._recent

    def add(self, path: str) -> None:
        self._recent[hash(path)] = None
        self._count += 1
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        if self._count & (self._count - 1) == 0:  # a power of two
            self._anchor = hash(path)


class PageReader(Generic[T]):
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
        "_tasks",
        "_trail",
        "ended",
    )

    def __init__(self, pages: Paginator[T], first: ResultPage[T] | None, *, ahead: bool) -> None:
        self._pages = pages
        self._page = first
        self._next: Call[T] | None = pages._call
        self._tasks: dict[str, asyncio.Task[ResultPage[T]]] = {}  # by path, in order
        self._ahead = ahead
        self._check = pages._source.check_of(pages._call, pages._place)
        self._given: set[Any] | None = set() if pages._call.on_change == "restart" else None
        self._restarts = 0
        self._busy = False
        self._trail = CycleDetector()
        self.ended = False

    def __aiter__(self) -> PageReader[T]:
        return self

    async def __anext__(self) -> ResultPage[T]:
        call, page = await self._fetch()
        if page is None or call is None:
            self.ended = True
            raise StopAsyncIteration
        self._pages._mark = (call, page, len(page.raw))
        return page

    async def advance(self) -> tuple[Call[T], ResultPage[T], int] | None:
        """The next page with how many of its items are to be skipped; None behind the last."""
        call, page = await self._fetch()
        if page is None or call is None:
            self.ended = True
            return None
        place = self._pages._place if call is self._pages._call else None
        return call, page, 0 if place is None else skipped(page.raw, place)

    async def _fetch(self) -> tuple[Call[T] | None, ResultPage[T] | None]:
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
        return call, self._without_duplicates(page)

    def _look_ahead(self, call: Call[T], page: ResultPage[T]) -> None:
        """Ask for pages before they are read; forget those that will not be."""
        wanted = self._pages._source.ahead_of(call, page) if self._ahead and self._next else ()
        paths = {each.path for each in wanted}
        for path in [path for path in self._tasks if path not in paths]:
            _cancel(self._tasks.pop(path))
        for each in wanted:
            if each.path not in self._tasks and each.path not in self._trail:
                task = asyncio.create_task(self._pages._source.fetch_page(each))
                task.add_done_callback(_look_at)
                self._tasks[each.path] = task

    async def _checked(self, call: Call[T]) -> tuple[Call[T], ResultPage[T]]:
        """The page, if it goes on where the last one ended; else the first one, if so wished."""
        while True:
            page = await self._obtain(call)
            check = self._check
            if check is None:
                return call, page
            try:
                check.see(page)
            except IncompleteError:
                if self._given is None or self._restarts >= _RESTARTS:
                    raise
                self._restarts += 1
                call = self._restart(check)
            else:
                return call, page

    def _without_duplicates(self, page: ResultPage[T]) -> ResultPage[T]:
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

    def _restart(self, check: Check) -> Call[T]:
        """Back to the first page, with nothing under way.

        That of the list, also where the walk began at a cursor: what has moved before that place
        would never come.
        """
        first = self._pages._call
        first = first.at(check.start_of(first.path))
        self._forget()
        self._trail = CycleDetector()
        self._check = self._pages._source.check_of(first, None)
        return first

    async def _obtain(self, call: Call[T]) -> ResultPage[T]:
        if call.path in self._trail:
            raise IncompleteError(
                f"the list runs in a circle: it leads back to {call.path}",
                expected="a page that was not read yet",
                got=call.path,
            )
        self._trail.add(call.path)
        if self._page is not None:
            page, self._page = self._page, None
            return page
        task = self._tasks.pop(call.path, None)
        if task is not None and (task.done() or _is_here(task)):
            try:
                return await task  # cancelled with us
            except asyncio.CancelledError:
                if not task.cancelled() or _is_cancelled():
                    raise
        elif task is not None:
            _cancel(task)
        # Nothing was asked for, or what was ended with its event loop, or at another's hand.
        return await self._pages._source.fetch_page(call)

    def __del__(self) -> None:
        self._drop()

    def _drop(self) -> list[asyncio.Task[ResultPage[T]]]:
        self.ended = True
        return self._forget()

    def _forget(self) -> list[asyncio.Task[ResultPage[T]]]:
        """Cancel what is under way."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            _cancel(task)
        return tasks

    async def aclose(self) -> None:
        """Cancel what is under way and wait for its end."""
        # What another event loop had under way would never end while this one runs.
        if tasks := [task for task in self._drop() if _is_here(task)]:
            await asyncio.wait(tasks)


def _is_here(task: asyncio.Task[Any]) -> bool:
    """Whether it is one of the event loop that runs: loops end, lists may live on."""
    return task.get_loop() is asyncio.get_running_loop()


def _cancel(task: asyncio.Task[Any]) -> None:
    if not task.get_loop().is_closed():  # with which it was dropped
        task.cancel()


def _is_cancelled() -> bool:
    """Whether the task that runs is to end, not just something that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _look_at(task: asyncio.Task[Any]) -> None:
    """Take note of how a prefetch ended: an error of a page that nobody asked for is no error."""
    if not task.cancelled():
        task.exception()


class Items(Generic[T]):
    """The items of a walk, converted one by one: those before a bad one are handed out."""

    __slots__ = ("_call", "_done", "_length", "_page", "_pages", "_raw", "_structure", "_walk")

    def __init__(self, walk: PageReader[T]) -> None:
        self._walk = walk
        self._pages = walk._pages
        self._structure = self._pages._source.converter_for(self._pages.route.returns)
        self._call: Call[T] | None = None
        self._page: ResultPage[T] | None = None
        self._raw: list[Any] = []
        self._done = 0
        self._length = 0

    def __aiter__(self) -> Items[T]:
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
            self._length = 0  # and no more of this page
            error.response = None if self._page is None else self._page.response
            raise
        self._done += 1
        # One tuple an item: a cursor is made of it only when somebody asks.
        self._pages._mark = (self._call, self._page, self._done)  # type: ignore[assignment]  # a call came with the page
        return item
