"""Many objects by their GUIDs in few calls: batches of a hundred, and single calls gathered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from attrs import define, field, frozen

from aioinstructure.abconnect.json_api.resources import Resource, check_guid
from aioinstructure.abconnect.whole import WINDOW
from aioinstructure.errors import Error, InputError

__all__ = ["BATCH", "BatchResult", "Batcher", "in_batches"]

R = TypeVar("R", bound=Resource)
BATCH: Final = 100
"""GUIDs a call: as many as a page holds, in a URL of about five thousand characters."""


@frozen
class BatchResult(Generic[R]):
    """What `get_many` found.

    Attributes:
        items: The objects in the order asked, each once a time that it was asked for.
        missing: The GUIDs that are unknown, or not shown to you.
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
    """Read objects by batches, a few side by side; GUIDs are compared without case.

    Not all at once: in the queue each batch would stand before calls that are made later.
    """
    if isinstance(ids, str):
        raise InputError(f"ids must be a list of GUIDs, not {ids!r:.100}")
    asked = [check_guid("ids", each) for each in ids]
    wanted: dict[str, str] = {}
    for guid in asked:
        wanted.setdefault(guid.lower(), guid)
    spelled = list(wanted.values())
    batches = iter([spelled[start : start + BATCH] for start in range(0, len(spelled), BATCH)])
    found: dict[str, R] = {}

    async def work() -> None:
        for batch in batches:  # one iterator for all: each batch is read once
            async for item in read(batch):
                if item.id is not None:
                    found[item.id.lower()] = item

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(WINDOW, -(-len(spelled) // BATCH))):
                group.create_task(work())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return BatchResult(
        items=[found[guid.lower()] for guid in asked if guid.lower() in found],
        missing=[guid for guid in spelled if guid.lower() not in found],
    )


@define(eq=False)
class Batcher(Generic[R]):
    """Gathers single calls that are made within a moment of each other into one.

    Args:
        read_many: Reads a batch, as `get_many` does.
        wait: Seconds that the first call waits for others.

    Example:
        get = ab.standards.batcher(fields=["statement"])
        first, second = await asyncio.gather(get(one), get(two))
    """

    _read_many: Callable[[list[str]], Awaitable[BatchResult[R]]] = field(alias="read_many")
    wait: float = 0.005
    _query_pairs: dict[str, asyncio.Future[R | None]] = field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def __call__(self, guid: str) -> R | None:
        """The object, or None if it is unknown or not shown to you."""
        check_guid("guid", guid)  # here: within a batch it would be everybody's error
        future = self._query_pairs.get(guid.lower())
        if future is None or future.get_loop() is not asyncio.get_running_loop():
            future = self._query_pairs[guid.lower()] = asyncio.get_running_loop().create_future()
            if len(self._query_pairs) == 1:
                self._start(self.wait)
            elif len(self._query_pairs) == BATCH:
                self._start(0.0)
        return await asyncio.shield(future)

    def _start(self, wait: float) -> None:
        task = asyncio.create_task(self._flush(wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush(self, wait: float) -> None:
        await asyncio.sleep(wait)
        asked, self._query_pairs = self._query_pairs, {}
        if not asked:
            return
        try:
            found = await self._read_many(list(asked))
            by_guid = {item.id.lower(): item for item in found if item.id is not None}
            for guid, future in asked.items():
                if not future.done():
                    future.set_result(by_guid.get(guid))
        except Error as error:
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # seen: its caller may have left
        finally:
            for future in asked.values():
                future.cancel()  # does nothing where there is an answer
