"""Microseconds per grant with 20,000 waiters, compared with aiolimiter; bytes of idle schedulers.

Both grant as fast as they can: the rate is far above the speed of the process, so that the time is
that of queueing, granting and waking. The idle schedulers are created and used once, as in a server
that acts for 10,000 users, each with a token.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
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


async def ours(flows: int) -> float:
    """Seconds of CPU for all grants, of which at most one does not queue."""
    scheduler = Scheduler(TokenBucket(RATE, 100.0, start_level=0.0))

    async def call(flow: int) -> None:
        lease = await scheduler.acquire(COST, lane="bulk", flow=flow)
        lease.end(Outcome.ANSWERED)

    return await measured([call(number % flows) for number in range(WAITERS)])


async def theirs() -> float:
    """The same with aiolimiter, which starts empty."""
    limiter = AsyncLimiter(100.0, 100.0 / RATE)
    await limiter.acquire(100.0)

    async def call(_: int) -> None:
        await limiter.acquire()

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
    peer = best(theirs)
    print(f"{WAITERS:,} waiters, Python {sys.version.split()[0]}      us a grant   to aiolimiter")
    print(f"aiolimiter                               {peer:10.1f}           1.00")
    for flows in (1, 100):
        each = best(partial(ours, flows))
        print(
            f"Scheduler, {flows:3} flows                     {each:10.1f}     {each / peer:10.2f}"
        )
    print(f"\n{IDLE:,} idle schedulers                 bytes each      of 2,048")
    for limiter in (TokenBucket, CostBucket):
        size = asyncio.run(idle(limiter))
        print(f"{limiter.__name__:40} {size:10.0f}     {size / 2048:10.2f}")


if __name__ == "__main__":
    main()
