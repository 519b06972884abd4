"""Read many objects by GUID in few calls: batches of 100, and single calls combined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from attrs import define, field, frozen

from aioinstructure.abconnect.json_api.resources import Resource, check_guid, normalized_guid
from aioinstructure.errors import Error, InputError, ResponseError
from aioinstructure.paging.pagers import AHEAD

__all__ = ["BATCH", "BatchResult", "Batcher", "in_batches"]

R = TypeVar("R", bound=Resource)
BATCH: Final = 100
"""GUIDs per call: as many as a page holds, in a URL of about 5,000 characters."""


@frozen
class BatchResult(Generic[R]):
    """The result of `get_many`.

    Attributes:
        items: The objects in the order of the request, one for each time that it was requested.
        missing: The GUIDs that are unknown or not visible to you.
    """

    items: list[R]
    missing: list[str]

    def __iter__(self) -> Iterator[R]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


async def in_batches(
    ids: Iterable[str], read: Callable[[list[str]], AsyncIterator[R]]
) -> BatchResult[R]:
    """Read objects in batches, a few concurrently; GUIDs are compared case-insensitively.

    Not all concurrently: all batches would then be ahead of later calls in the queue.
    """
    if isinstance(ids, str):
        raise InputError(f"ids must be a list of GUIDs, not {ids!r:.100}")
    guids = [check_guid("ids", each) for each in ids]
    wanted: dict[str, str] = {}
    for guid in guids:
        wanted.setdefault(guid.lower(), guid)
    spelled = list(wanted.values())
    batches = iter([spelled[start : start + BATCH] for start in range(0, len(spelled), BATCH)])
    found: dict[str, R] = {}

    async def work() -> None:
        for batch in batches:  # one shared iterator: each batch is read once
            async for item in read(batch):
                if guid := normalized_guid(item.id):
                    found[guid] = item

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AHEAD, -(-len(spelled) // BATCH))):
                group.create_task(work())
    except ExceptionGroup as errors:
        error = errors.exceptions[0]
        if isinstance(error, ResponseError):
            error = error.with_traceback(None)  # as in `Namespace`
        raise error from None
    return BatchResult(
        items=[found[guid.lower()] for guid in guids if guid.lower() in found],
        missing=[guid for guid in spelled if guid.lower() not in found],
    )


@define(eq=False)
class Batcher(Generic[R]):
    """Combines single calls that are made within a short time into one request.

    Args:
        read_many: Reads a batch, as `get_many` does.
        wait: Seconds that the first call waits for others.

    Example:
        get = ab.standards.batcher(fields=["statement"])
        first, second = await asyncio.gather(get(one), get(two))
    """

    _read_many: Callable[[list[str]], Awaitable[BatchResult[R]]] = field(alias="read_many")
    wait: float = 0.005
    _pending: dict[str, asyncio.Future[R | None]] = field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def __call__(self, guid: str) -> R | None:
        """Return the object, or None if it is unknown or not visible to you."""
        check_guid("guid", guid)  # here, since in the batch it would fail for all callers
        future = self._pending.get(guid.lower())
        if future is None or future.get_loop() is not asyncio.get_running_loop():
            future = self._pending[guid.lower()] = asyncio.get_running_loop().create_future()
            if len(self._pending) == 1:
                self._start(self.wait)
            elif len(self._pending) == BATCH:
                self._start(0.0)
        return await asyncio.shield(future)

    def _start(self, wait: float) -> None:
        task = asyncio.create_task(self._flush(wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush(self, wait: float) -> None:
        await asyncio.sleep(wait)
        asked, self._pending = self._pending, {}
        if not asked:
            return
        try:
            found = await self._read_many(list(asked))
            by_guid = {normalized_guid(item.id): item for item in found}
            for guid, future in asked.items():
                if not future.done():
                    future.set_result(by_guid.get(guid))
        except BaseException as error:
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # mark as retrieved: its caller may be cancelled
            if not isinstance(error, Error):
                raise
