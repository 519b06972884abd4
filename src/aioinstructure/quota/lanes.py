"""Lanes of flows of waiters. Pure: it says who is next, and knows neither time nor limits.

Within a lane, flows take turns by weight (self-clocked fair queueing: each flow carries the round
at which its next call is due, and a flow that comes in joins the present round, so that nobody
saves up turns while idle). Within a flow, order of arrival. The next call of a lane is not passed
by a lighter one, so that heavy calls are never starved; but a call that waits for the wildcard
bucket is passed by those that do not need it, of its own flow too.

Every operation costs O(log flows), removing a waiter included.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

from attrs import define, field

from aioinstructure._types import Lane
from aioinstructure.quota.limiter import Cost

__all__ = ["LANES", "RANK", "Lanes", "Waiter"]

LANES: Final[tuple[Lane, ...]] = ("interactive", "bulk", "background")
"""The lanes, the most urgent first."""

RANK: Final[dict[str, int]] = {lane: rank for rank, lane in enumerate(LANES)}
"""The place of a lane among them."""

SLACK = 64
"""Dead entries that a heap may hold beyond one for each living flow."""


@define(eq=False)
class Waiter:
    """A call that waits.

    Args:
        cost: What it asks of the quota.
        lane: Its lane.
        flow: Whose turn it takes; any value that can be a key.
        weight: The flow's share; the last waiter to come decides.
        since: When it came, in seconds of the loop.
        order: Its place in the flow; the queue's own.
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
    due: float
    weight: float
    lines: tuple[OrderedDict[int, W], OrderedDict[int, W]]
    listed: list[bool] = field(factory=lambda: [False, False])


@define(eq=False)
class _LaneQueue(Generic[W]):
    """One lane: its flows, and for plain and wildcard calls a heap of the flows by round."""

    size: int = 0
    units: float = 0.0
    wildcards: int = 0
    flows: dict[Hashable, _Flow[W]] = field(factory=dict[Hashable, _Flow[W]])
    _round: float = 0.0
    _heaps: tuple[list[tuple[float, int, _Flow[W]]], list[tuple[float, int, _Flow[W]]]] = field(
        factory=lambda: ([], [])
    )
    _turns: Iterator[int] = field(factory=itertools.count)

    def add(self, waiter: W, *, first: bool) -> None:
        kind = waiter.cost.wildcard
        flow = self.flows.get(waiter.flow)
        if flow is None:
            due = self._round + waiter.cost.units / waiter.weight
            flow = self.flows[waiter.flow] = _Flow(
                due, waiter.weight, (OrderedDict(), OrderedDict())
            )
        flow.weight = waiter.weight
        flow.lines[kind][waiter.order] = waiter
        if first:
            flow.lines[kind].move_to_end(waiter.order, last=False)
        if not flow.listed[kind]:
            flow.listed[kind] = True
            heapq.heappush(self._heaps[kind], (flow.due, next(self._turns), flow))
        self.size += 1
        self.units += waiter.cost.units
        self.wildcards += kind

    def head(self, *, wildcards: bool) -> W | None:
        plain = self._top(0)
        if not (wildcards and self.wildcards):
            return next(iter(plain.lines[0].values())) if plain else None
        wild = self._top(1)
        if wild is None:
            return next(iter(plain.lines[0].values())) if plain else None
        second = next(iter(wild.lines[1].values()))
        if plain is None:
            return second
        first = next(iter(plain.lines[0].values()))
        return first if (plain.due, first.order) <= (wild.due, second.order) else second

    def remove(self, waiter: W, *, granted: bool) -> bool:
        flow = self.flows.get(waiter.flow)
        line = flow.lines[waiter.cost.wildcard] if flow else None
        if flow is None or line is None or line.pop(waiter.order, None) is None:
            return False
        self.size -= 1
        self.units -= waiter.cost.units
        self.wildcards -= waiter.cost.wildcard
        if granted:
            self._round = max(self._round, flow.due)
            flow.due += waiter.cost.units / flow.weight
        if not (flow.lines[0] or flow.lines[1]):
            del self.flows[waiter.flow]
            self._tidy()
        return True

    def ahead(self, key: Hashable, weight: float) -> float:
        """Units that go before a new call of the flow `key`: its own, and the others' shares."""
        flow = self.flows.get(key)
        mine = sum(len(line) for line in flow.lines) if flow else 0
        turns = (mine + 1) / weight
        others = 0.0
        for other in itertools.islice(self.flows.values(), 256):
            if other is not flow:
                waiting = len(other.lines[0]) + len(other.lines[1])
                others += min(waiting, turns * other.weight)
        if len(self.flows) > 256:
            others *= len(self.flows) / 256
        average = self.units / self.size if self.size else 1.0
        return min(self.units, (mine + others) * average)

    def _top(self, kind: int) -> _Flow[W] | None:
        """The flow that is due first; heap entries that have become wrong are put right."""
        heap = self._heaps[kind]
        while heap:
            due, _, flow = heap[0]
            if not flow.lines[kind]:
                heapq.heappop(heap)
                flow.listed[kind] = False
            elif due != flow.due:
                heapq.heapreplace(heap, (flow.due, next(self._turns), flow))
            else:
                return flow
        return None

    def _tidy(self) -> None:
        """Forget rounds when nobody waits, and dead entries when they are too many."""
        if not self.flows:
            self._round, self.units = 0.0, 0.0
            for heap in self._heaps:
                heap.clear()
            return
        for kind, heap in enumerate(self._heaps):
            if len(heap) > 2 * len(self.flows) + SLACK:
                heap[:] = [entry for entry in heap if entry[2].lines[kind]]
                heapq.heapify(heap)


@define(eq=False)
class Lanes(Generic[W]):
    """All who wait, in three lanes."""

    _bands: list[_LaneQueue[W] | None] = field(factory=lambda: [None] * len(LANES))
    _orders: Iterator[int] = field(factory=lambda: itertools.count(1))
    size: int = 0
    wildcards: int = 0

    def add(self, waiter: W, *, first: bool = False) -> None:
        """Put a waiter at its flow's end, or with `first` at its head."""
        order = next(self._orders)
        waiter.order = -order if first else order
        rank = RANK[waiter.lane]
        band = self._bands[rank]
        if band is None:
            band = self._bands[rank] = _LaneQueue()
        band.add(waiter, first=first)
        self.size += 1
        self.wildcards += waiter.cost.wildcard

    def first(self, *, wildcards: bool = True) -> W | None:
        """Who is next of all; without `wildcards`, of those who need no wildcard."""
        for band in self._bands:
            if band is not None and band.size:
                waiter = band.head(wildcards=wildcards)
                if waiter is not None:
                    return waiter
        return None

    def head(self, lane: Lane, *, wildcards: bool = True) -> W | None:
        """Who is next in a lane."""
        band = self._bands[RANK[lane]]
        return band.head(wildcards=wildcards) if band is not None and band.size else None

    def remove(self, waiter: W, *, granted: bool) -> bool:
        """Take a waiter out, and use up its flow's turn if it was granted. False if not in."""
        band = self._bands[RANK[waiter.lane]]
        if band is None or not band.remove(waiter, granted=granted):
            return False
        self.size -= 1
        self.wildcards -= waiter.cost.wildcard
        return True

    def ahead(self, lane: Lane, flow: Hashable, weight: float) -> float:
        """Units that are granted before a call that comes now."""
        rank = RANK[lane]
        before = sum(band.units for band in self._bands[:rank] if band is not None)
        own = self._bands[rank]
        return before + (own.ahead(flow, weight) if own is not None else 0.0)

    def count(self, lane: Lane) -> int:
        """How many wait in a lane."""
        band = self._bands[RANK[lane]]
        return band.size if band is not None else 0

    def wildcards_ahead(self, lane: Lane) -> int:
        """How many wait for the wildcard bucket in this lane and the more urgent ones."""
        bands = self._bands[: RANK[lane] + 1]
        return sum(band.wildcards for band in bands if band is not None)

    def all(self) -> Iterator[W]:
        """Everybody, in no order that means anything."""
        for band in self._bands:
            if band is not None:
                for flow in band.flows.values():
                    for line in flow.lines:
                        yield from line.values()
