"""The queue: lanes, with flows of waiters. Pure: it orders calls, without time or limits.

Within a lane, flows take turns by weight (self-clocked fair queueing: each flow stores the round
at which its next call is due, and a new flow joins the current round, so that no flow saves up
turns while idle). Within a flow, calls are in order of arrival. A lighter call does not pass the
next call of its lane, so that heavy calls are never starved; but a call that waits for the wildcard
bucket is passed by those that do not need it, including those of its own flow.

Every operation costs O(log flows), including the removal of a waiter. How much is ahead of a call
is read from an ordered copy of the flows' sizes, which is made again after one change in 32 waiters.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from attrs import define, field

from aioinstructure._types import Lane
from aioinstructure.quota.limiter import Cost

__all__ = ["LANES", "RANK", "Lanes", "Waiter"]

LANES: Final[tuple[Lane, ...]] = ("interactive", "bulk", "background")
"""The lanes, most urgent first."""

RANK: Final[dict[str, int]] = {lane: rank for rank, lane in enumerate(LANES)}
"""The position of each lane in LANES."""

SLACK = 64
"""Dead entries that a heap may hold beyond one for each living flow."""

STALE = 32
"""The sizes of flows are ordered again after this part of the waiters came or went."""


@define(eq=False)
class Waiter:
    """A call that waits.

    Args:
        cost: What it takes from the quota.
        lane: Its lane.
        flow: Its flow; any hashable value.
        weight: The flow's share; the last waiter to arrive sets it.
        since: When it arrived, in loop time.
        order: Its position in the flow; set by the queue.
    """

    cost: Cost
    lane: Lane
    flow: Hashable
    weight: float
    since: float
    order: int = field(default=0, init=False)


W = TypeVar("W", bound=Waiter)


@define(eq=False)
class _Flow(Generic[W]):
    """The waiting calls of one flow, by secondary bucket, and the round that is due next."""

    due: float
    weight: float
    lines: dict[str, OrderedDict[int, W]] = field(factory=dict)
    listed: set[str] = field(factory=set)
    size: int = 0


_NONE: Final[frozenset[str]] = frozenset()


class _Sizes:
    """The flows of a lane by turns that they have left, to sum what they get in some turns."""

    __slots__ = ("_sizes", "_turns", "_weights", "expires")

    def __init__(self, flows: Iterable[tuple[int, float]], expires: int) -> None:
        ordered = sorted((size / weight, size, weight) for size, weight in flows)
        self._turns = [turns for turns, _, _ in ordered]
        self._sizes = [0, *itertools.accumulate(size for _, size, _ in ordered)]
        self._weights = [0.0, *itertools.accumulate(weight for _, _, weight in ordered)]
        self.expires = expires

    def within(self, turns: float) -> float:
        """The calls that all flows get in that many turns: sum of min(size, turns x weight)."""
        ended = bisect_right(self._turns, turns)
        return self._sizes[ended] + turns * (self._weights[-1] - self._weights[ended])


@define(eq=False)
class _LaneQueue(Generic[W]):
    """One lane: its flows, and a heap of flows by round for each secondary bucket ("" for none)."""

    size: int = 0
    units: float = 0.0
    in_bucket: dict[str, int] = field(factory=dict[str, int])
    flows: dict[Hashable, _Flow[W]] = field(factory=dict[Hashable, _Flow[W]])
    _round: float = 0.0
    _heaps: dict[str, list[tuple[float, int, _Flow[W]]]] = field(factory=dict)
    _turns: Iterator[int] = field(factory=itertools.count)
    _changes: int = 0
    _sizes: _Sizes | None = None

    def add(self, waiter: W, *, first: bool) -> None:
        bucket = waiter.cost.bucket
        flow = self.flows.get(waiter.flow)
        if flow is None:
            due = self._round + waiter.cost.units / waiter.weight
            flow = self.flows[waiter.flow] = _Flow(due, waiter.weight)
        flow.weight = waiter.weight
        line = flow.lines.get(bucket)
        if line is None:
            line = flow.lines[bucket] = OrderedDict()
        line[waiter.order] = waiter
        if first:
            line.move_to_end(waiter.order, last=False)
        if bucket not in flow.listed:
            flow.listed.add(bucket)
            heapq.heappush(self._heaps.setdefault(bucket, []), (flow.due, next(self._turns), flow))
        flow.size += 1
        self.size += 1
        self._changes += 1
        self.units += waiter.cost.units
        if bucket:
            self.in_bucket[bucket] = self.in_bucket.get(bucket, 0) + 1

    def head(self, blocked: frozenset[str]) -> W | None:
        """The next call that needs no blocked bucket."""
        chosen: W | None = None
        due = 0.0
        for bucket in self._heaps:
            if bucket in blocked:
                continue
            flow = self._top(bucket)
            if flow is None:
                continue
            waiter = next(iter(flow.lines[bucket].values()))
            if chosen is None or (flow.due, waiter.order) < (due, chosen.order):
                chosen, due = waiter, flow.due
        return chosen

    def remove(self, waiter: W, *, granted: bool) -> bool:
        bucket = waiter.cost.bucket
        flow = self.flows.get(waiter.flow)
        line = flow.lines.get(bucket) if flow else None
        if flow is None or line is None or line.pop(waiter.order, None) is None:
            return False
        flow.size -= 1
        self.size -= 1
        self._changes += 1
        self.units -= waiter.cost.units
        if bucket:
            self.in_bucket[bucket] -= 1
        if granted:
            self._round = max(self._round, flow.due)
            flow.due += waiter.cost.units / flow.weight
        if not flow.size:
            del self.flows[waiter.flow]
            self._tidy()
        return True

    def ahead(self, key: Hashable, weight: float) -> float:
        """Units granted before a new call of flow `key`: its own, and the shares of the others."""
        if not self.size:
            return 0.0
        sizes = self._sizes
        if sizes is None or self._changes >= sizes.expires:
            expires = self._changes + 1 + self.size // STALE
            flows = ((flow.size, flow.weight) for flow in self.flows.values())
            sizes = self._sizes = _Sizes(flows, expires)
        flow = self.flows.get(key)
        mine = flow.size if flow else 0
        calls = max(mine, sizes.within((mine + 1) / weight))
        return self.units * min(1.0, calls / self.size)

    def _top(self, bucket: str) -> _Flow[W] | None:
        """The flow that is due first; outdated heap entries are corrected."""
        heap = self._heaps[bucket]
        while heap:
            due, _, flow = heap[0]
            if not flow.lines[bucket]:
                heapq.heappop(heap)
                flow.listed.discard(bucket)
            elif due != flow.due:
                heapq.heapreplace(heap, (flow.due, next(self._turns), flow))
            else:
                return flow
        return None

    def _tidy(self) -> None:
        """Forget rounds when no call waits, and remove dead entries when there are too many."""
        if not self.flows:
            self._round, self.units, self._sizes = 0.0, 0.0, None
            self._heaps.clear()
            return
        for bucket, heap in self._heaps.items():
            if len(heap) > 2 * len(self.flows) + SLACK:
                heap[:] = [entry for entry in heap if entry[2].lines[bucket]]
                heapq.heapify(heap)


@define(eq=False)
class Lanes(Generic[W]):
    """All calls that wait, in three lanes."""

    _queues: list[_LaneQueue[W] | None] = field(factory=lambda: [None] * len(LANES))
    _orders: Iterator[int] = field(factory=lambda: itertools.count(1))
    size: int = 0
    in_bucket: dict[str, int] = field(factory=dict[str, int])
    """The number of waiters for each secondary bucket; buckets without waiters are absent."""

    def add(self, waiter: W, *, first: bool = False) -> None:
        """Put a waiter at the end of its flow, or with `first` at its head."""
        order = next(self._orders)
        waiter.order = -order if first else order
        rank = RANK[waiter.lane]
        queue = self._queues[rank]
        if queue is None:
            queue = self._queues[rank] = _LaneQueue()
        queue.add(waiter, first=first)
        self.size += 1
        if bucket := waiter.cost.bucket:
            self.in_bucket[bucket] = self.in_bucket.get(bucket, 0) + 1

    def first(self, blocked: frozenset[str] = _NONE) -> W | None:
        """The next call of all lanes that needs none of the `blocked` secondary buckets."""
        for queue in self._queues:
            if queue is not None and queue.size:
                waiter = queue.head(blocked)
                if waiter is not None:
                    return waiter
        return None

    def head(self, lane: Lane, blocked: frozenset[str] = _NONE) -> W | None:
        """The next call of a lane that needs none of the `blocked` secondary buckets."""
        queue = self._queues[RANK[lane]]
        return queue.head(blocked) if queue is not None and queue.size else None

    def remove(self, waiter: W, *, granted: bool) -> bool:
        """Remove a waiter; if granted, use up its flow's turn. Return False if it is not queued."""
        queue = self._queues[RANK[waiter.lane]]
        if queue is None or not queue.remove(waiter, granted=granted):
            return False
        self.size -= 1
        if bucket := waiter.cost.bucket:
            self.in_bucket[bucket] -= 1
            if not self.in_bucket[bucket]:
                del self.in_bucket[bucket]
        return True

    def change_costs(self, key: str, cost_of: Callable[[Cost], Cost]) -> None:
        """Queue the calls of a route again with other costs, in their order."""
        found = [waiter for waiter in self.all() if waiter.cost.key == key]
        for waiter in sorted(found, key=lambda waiter: waiter.order):
            self.remove(waiter, granted=False)
            waiter.cost = cost_of(waiter.cost)
            self.add(waiter)

    def ahead(self, lane: Lane, flow: Hashable, weight: float) -> float:
        """Units granted before a call that arrives now."""
        rank = RANK[lane]
        before = sum(queue.units for queue in self._queues[:rank] if queue is not None)
        own = self._queues[rank]
        return before + (own.ahead(flow, weight) if own is not None else 0.0)

    def count(self, lane: Lane) -> int:
        """The number of calls that wait in a lane."""
        queue = self._queues[RANK[lane]]
        return queue.size if queue is not None else 0

    def ahead_in_bucket(self, lane: Lane, bucket: str, ahead: float) -> float:
        """Calls for a secondary bucket that are granted before one that arrives now.

        Of those in this and more urgent lanes, the same part as of all calls: `ahead` units.
        """
        queues = [queue for queue in self._queues[: RANK[lane] + 1] if queue is not None]
        waiting = sum(queue.units for queue in queues)
        part = min(1.0, ahead / waiting) if waiting else 0.0
        return part * sum(queue.in_bucket.get(bucket, 0) for queue in queues)

    def all(self) -> Iterator[W]:
        """All waiters, in no particular order."""
        for queue in self._queues:
            if queue is not None:
                for flow in queue.flows.values():
                    for line in flow.lines.values():
                        yield from line.values()
