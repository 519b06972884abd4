"""Microseconds per grant with 20,000 waiters, with and without deadlines; bytes of idle schedulers.

The peers are a bare task that waits for a future, which nothing can undercut, and aiolimiter. All
grant as fast as they can: the rate is far above the speed of the process, so that the time is that
of queueing, granting and waking. Goals: twice the bare future, three times with deadlines. The idle
schedulers are created and used once, as in a server that acts for 10,000 users, each with a token.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from aiolimiter import AsyncLimiter

from aioinstructure.quota import (
    Cost,
    CostBucket,
    Outcome,
    Scheduler,
    TokenBucket,
)
from aioinstructure.wire.quota_report import QuotaReport

WAITERS = 20_000
IDLE = 10_000
RATE = 40_000.0
ROUNDS = 3
COST = Cost("courses.list")


async def ours(flows: int, seconds: float | None = None) -> float:
    """Seconds of CPU for all grants, of which at most one does not queue."""
    scheduler = Scheduler(TokenBucket(RATE, 100.0, start_level=0.0))
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds

    async def call(flow: int) -> None:
        lease = await scheduler.acquire(COST, lane="bulk", flow=flow, deadline=deadline)
        lease.end(Outcome.ANSWERED)

    return await measured([call(number % flows) for number in range(WAITERS)])


async def theirs() -> float:
    """The same with aiolimiter, which starts empty."""
    limiter = AsyncLimiter(100.0, 100.0 / RATE)
    await limiter.acquire(100.0)

    async def call(_: int) -> None:
        await limiter.acquire()

    return await measured([call(number) for number in range(WAITERS)])


async def bare() -> float:
    """The same with futures alone, which one callback resolves in turn, 100 at a time."""
    loop = asyncio.get_running_loop()
    waiting: deque[asyncio.Future[None]] = deque()

    async def call(_: int) -> None:
        future: asyncio.Future[None] = loop.create_future()
        waiting.append(future)
        await future

    def grant() -> None:
        for _ in range(min(100, len(waiting))):
            waiting.popleft().set_result(None)
        if waiting:
            loop.call_later(100.0 / RATE, grant)

    loop.call_later(100.0 / RATE, grant)
    return await measured([call(number) for number in range(WAITERS)])


async def measured(calls: list[Coroutine[Any, Any, None]]) -> float:
    """Seconds of CPU until all calls are done."""
    gc.collect()
    start = time.process_time()
    await asyncio.gather(*calls)
    return time.process_time() - start


def best(make: Callable[[], Coroutine[Any, Any, float]]) -> float:
    """Microseconds per grant in the fastest round."""
    return min(asyncio.run(make()) for _ in range(ROUNDS)) / WAITERS * 1e6


async def idle(limiter: type[TokenBucket | CostBucket]) -> float:
    """Bytes per scheduler that was used once and is idle."""

    async def used() -> Scheduler:
        scheduler = Scheduler(limiter())
        (await scheduler.acquire(COST)).end(
            Outcome.ANSWERED, QuotaReport(cost=0.1, remaining=600.0)
        )
        return scheduler

    await used()
    gc.collect()
    tracemalloc.start()
    kept = [await used() for _ in range(IDLE)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept)


def main() -> None:
    """Print both tables."""
    least = best(bare)
    rows: list[tuple[str, Callable[[], Coroutine[Any, Any, float]], float | None]] = [
        ("aiolimiter", theirs, None),
        ("Scheduler, 1 flow", partial(ours, 1), 2.0),
        ("Scheduler, 100 flows", partial(ours, 100), 2.0),
        ("Scheduler, 1 flow, deadlines", partial(ours, 1, 3600.0), 3.0),
        ("Scheduler, 100 flows, deadlines", partial(ours, 100, 3600.0), 3.0),
    ]
    print(
        f"{WAITERS:,} waiters, Python {sys.version.split()[0]}      us a grant   to a future   goal"
    )
    print(f"{'a bare future':40} {least:10.1f}          1.00")
    for name, make, goal in rows:
        each = best(make)
        aim = f"{goal:6.1f}" if goal else ""
        print(f"{name:40} {each:10.1f} {each / least:13.2f} {aim}")
    print(f"\n{IDLE:,} idle schedulers                 bytes each      of 2,048")
    for limiter in (TokenBucket, CostBucket):
        size = asyncio.run(idle(limiter))
        print(f"{limiter.__name__:40} {size:10.0f}     {size / 2048:10.2f}")


if __name__ == "__main__":
    main()
