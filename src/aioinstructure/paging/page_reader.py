"""Page reader: one reading of a list's pages, fetched ahead, and of their items.

It knows the order of pages and what is in flight. The list's pager says where the next page is.
"""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field

from aioinstructure.conversion.shared import converter_for
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError, Error, IncompleteError, InputError, ResponseError
from aioinstructure.paging.consistency import ConsistencyCheck, RepeatedItemsCheck
from aioinstructure.paging.cursor import Cursor, CursorState, already_read, id_of, ids_of
from aioinstructure.paging.page_source import PageSource
from aioinstructure.paging.progress import ProgressCheck
from aioinstructure.paging.reading_options import BadItem
from aioinstructure.paging.result_page import ResultPage

__all__ = ["ItemReader", "PageReader", "ReadPosition"]

T = TypeVar("T")

_RESTARTS = 5
"""How often a list that restarts itself does so before it gives up."""


@define(eq=False)
class ReadPosition(Generic[T]):
    """How far a list has been read; its reader moves it, the list makes cursors of it.

    Attributes:
        call: The call of the current page; None before the first.
        page: The current page, complete.
        unread: Its items that are yielded: without those before a cursor, or before a restart.
        done: How many of these were yielded.
        before: The ids of the items read last before this page, newest first.
    """

    call: Call[T] | None = None
    page: ResultPage[T] | None = None
    unread: list[Any] = field(factory=list)
    done: int = 0
    before: tuple[Any, ...] = ()

    def move(
        self, call: Call[T], page: ResultPage[T], unread: list[Any], resumed_after: tuple[Any, ...]
    ) -> None:
        """Begin another page.

        An empty page after another one changes nothing: the last item read is still the position.
        """
        if not page.raw and self.page is not None:
            return
        self.before = ids_of(self.unread[: self.done], self.before) or resumed_after
        self.call, self.page, self.unread, self.done = call, page, unread, 0

    def state(self, source: PageSource) -> CursorState | None:
        """What a cursor at this position says; None before the first page."""
        if self.call is None or self.page is None:
            return None
        raw = self.page.raw
        if self.done == len(self.unread) and self.page.next_error is None:
            call, read = source.pager_for(self.call).resume_point(self.call, self.page)
            if call != self.call:
                return source.state_for(call, read, ids_of(raw)[:read])
        ids = ids_of(self.unread[: self.done], self.before)
        read = len(raw) - len(self.unread) + self.done
        return source.state_for(self.call, read, ids, len(self.page.response.body))


class PageReader(Generic[T]):
    """One reading of the pages. Its prefetch holds no reference to it: dropping it cancels all.

    Args:
        source: The client.
        call: The call for the first page.
        state: The cursor that the reading resumes, if it does.
        first: The first page, where it has been fetched already.
        prefetch: Whether to request pages before they are read.
    """

    __slots__ = (
        "__weakref__",
        "_busy",
        "_call",
        "_check",
        "_first",
        "_next",
        "_next_error",
        "_pager",
        "_prefetch",
        "_progress",
        "_restarts",
        "_seen",
        "_source",
        "_state",
        "_tasks",
        "ended",
        "position",
    )

    def __init__(
        self,
        source: PageSource,
        call: Call[T],
        state: CursorState | None,
        first: ResultPage[T] | None,
        *,
        prefetch: bool,
    ) -> None:
        self._source = source
        self._call = call
        self._state = state
        self._first = first
        self._prefetch = prefetch
        self._pager = source.pager_for(call)
        self._next: Call[T] | None = call
        self._next_error: Error | None = None
        self._tasks: dict[Call[T], asyncio.Task[ResultPage[T]]] = {}  # in the order of the list
        self._check = self._consistency_check(call)
        restarts = "restart" in (call.on_change, source.reading.on_change)
        self._seen: set[Any] | None = set() if restarts else None
        self._restarts = 0
        self._busy = False
        self._progress = ProgressCheck()
        self.ended = False
        self.position: ReadPosition[T] = ReadPosition()

    @property
    def route_name(self) -> str:
        """The name of the operation that lists."""
        return self._call.route.name

    def __aiter__(self) -> PageReader[T]:
        return self

    async def __anext__(self) -> ResultPage[T]:
        try:
            page = await self.advance()
        except ResponseError as error:
            raise error.with_traceback(None)  # noqa: B904 - as in `Namespace`
        if page is None:
            raise StopAsyncIteration
        position = self.position
        position.done = len(position.unread)
        if position.page is not page:  # an empty one, after which the position is where it was
            return page if page.cursor is None else evolve(page, state=position.state(self._source))
        return page if position.unread is page.raw else evolve(page, raw=position.unread)

    async def advance(self) -> ResultPage[T] | None:
        """Move the position to the start of the next page; None after the last."""
        if self._busy:
            raise InputError("two tasks iterate over the same list at once")
        if self._next_error is not None and not self.ended:
            self.drop()
            raise self._next_error
        call = self._next
        if call is None or self.ended:
            self.ended = True
            return None
        self._busy = True
        try:
            call, page, read = await self._consistent_page(call)
            following = self._progress.next_after(call, page, self._pager)
        except BaseException:  # a cancellation too
            self.drop()
            raise
        finally:
            self._busy = False
        if self.ended:  # closed while the page was on its way
            return None
        self._next, self._next_error = following, page.next_error
        self._look_ahead(call, page)
        resumed_after = () if self._state is None else self._state.last_ids
        self._state = None
        unread = self._without_duplicates(page.raw[read:] if read else page.raw)
        self.position.move(call, page, unread, resumed_after)
        return page

    def _look_ahead(self, call: Call[T], page: ResultPage[T]) -> None:
        """Request pages before they are read; cancel those that will not be."""
        wanted: tuple[Call[T], ...] = ()
        if self._prefetch and self._next is not None:
            wanted = tuple(self._pager.calls_ahead(call, page))
        for early in [each for each in self._tasks if each not in wanted]:
            _cancel(self._tasks.pop(early))
        for each in wanted:
            if each not in self._tasks and not self._progress.has_seen(each):
                task = asyncio.create_task(self._source.fetch_page(each))
                task.add_done_callback(_retrieve)
                self._tasks[each] = task

    async def _consistent_page(self, call: Call[T]) -> tuple[Call[T], ResultPage[T], int]:
        """The next page, with how many of its items come before the cursor.

        It continues where the last one ended; otherwise the list restarts, with `on_change="restart"`.
        """
        while True:
            page = await self._obtain(call)
            self._progress.see_items(call, page)
            try:
                read = 0
                if self._state is not None:
                    read = already_read(page.raw, self._state, len(page.response.body))
                if self._check is not None:
                    self._check.see(page)
            except IncompleteError:
                if self._seen is None or self._restarts >= _RESTARTS:
                    raise
                self._restarts += 1
                call = self._restart()
            else:
                return call, page, read

    def _without_duplicates(self, raw: list[Any]) -> list[Any]:
        """The items without those that were read before the list restarted."""
        if self._seen is None:
            return raw
        ids = [id_of(item) for item in raw]
        if None in ids:  # such an item could not be recognised: no restart
            self._seen = None
            return raw
        if self._restarts:
            raw = [item for item in raw if id_of(item) not in self._seen]
        self._seen.update(ids)
        return raw

    def _restart(self) -> Call[T]:
        """Return to the first page of the list, with nothing in flight.

        Also where the reading began at a cursor: items that moved before it would never come.
        """
        first = self._pager.first_call(self._call)
        self._cancel_all()
        self._progress = ProgressCheck()
        self._check = self._consistency_check(first)
        self._state = None
        return first

    def _consistency_check(self, call: Call[T]) -> ConsistencyCheck | None:
        check = self._pager.consistency_check(call)
        if check is None and self._source.reading.on_change is not None:
            return RepeatedItemsCheck()
        return check

    async def _obtain(self, call: Call[T]) -> ResultPage[T]:
        self._progress.see_call(call)
        if self._first is not None:
            page, self._first = self._first, None
            return page
        task = self._tasks.pop(call, None)
        if task is not None and (task.done() or _is_here(task)):
            try:
                return await task  # cancelled with us
            except asyncio.CancelledError:
                if not task.cancelled() or _is_cancelled():
                    raise
        elif task is not None:
            _cancel(task)
        # Nothing is in flight, or it has ended with its event loop, or another task cancelled it.
        return await self._source.fetch_page(call)

    def __del__(self) -> None:
        self.drop()

    def drop(self) -> list[asyncio.Task[ResultPage[T]]]:
        """End the reading, and cancel what is in flight."""
        self.ended = True
        return self._cancel_all()

    def _cancel_all(self) -> list[asyncio.Task[ResultPage[T]]]:
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            _cancel(task)
        return tasks

    async def aclose(self) -> None:
        """Cancel what is in flight, and wait until it has ended."""
        # A task of another event loop would never end while this one runs.
        if tasks := [task for task in self.drop() if _is_here(task)]:
            await asyncio.wait(tasks)


def _is_here(task: asyncio.Task[Any]) -> bool:
    """Whether its event loop is the running one: loops end, lists may live on."""
    return task.get_loop() is asyncio.get_running_loop()


def _cancel(task: asyncio.Task[Any]) -> None:
    if not task.get_loop().is_closed():  # with which it was dropped
        task.cancel()


def _is_cancelled() -> bool:
    """Whether the running task itself is being cancelled, not only what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Mark a prefetch's error as seen: the error of an unread page is no error."""
    if not task.cancelled():
        task.exception()


class ItemReader(Generic[T]):
    """The items of a reading, converted one by one: those before a bad one are yielded."""

    __slots__ = ("__weakref__", "_length", "_position", "_raw", "_reader", "_source", "_structure")

    def __init__(self, reader: PageReader[T], source: PageSource, returns: Any) -> None:
        self._reader = reader
        self._position = reader.position
        self._source = source
        self._structure = converter_for(returns)
        self._raw: list[Any] = []
        self._length = 0

    @property
    def ended(self) -> bool:
        """Whether the reading has ended."""
        return self._reader.ended

    def __aiter__(self) -> ItemReader[T]:
        return self

    async def __anext__(self) -> T:
        position = self._position
        while True:
            while position.done >= self._length:
                try:
                    page = await self._reader.advance()
                except ResponseError as error:
                    raise error.with_traceback(None)  # noqa: B904 - as in `Namespace`
                if page is None:
                    raise StopAsyncIteration
                self._raw = position.unread
                self._length = len(self._raw)
            try:
                item: T = self._structure(self._raw[position.done])
            except DecodeError as error:
                self._leave_out(error)
            else:
                position.done += 1
                return item

    def _leave_out(self, error: DecodeError) -> None:
        """Pass the next item by, or end the reading before it and raise its error."""
        position, source = self._position, self._source
        error.response = None if position.page is None else position.page.response
        position.done += 1
        state = position.state(source)
        error.cursor = None if state is None else Cursor(state.encode())
        raw, route = self._raw[position.done - 1], self._reader.route_name
        try:
            source.reading.take(BadItem(raw, error, route, error.cursor))
        except BaseException:  # also one of the caller's function
            position.done -= 1  # the list's own cursor is that of what was yielded
            self._reader.drop()
            self._length = 0  # and no more of this page
            raise
