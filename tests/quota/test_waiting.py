"""Deadlines of calls that wait: each ends in time, with one timer for all."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from aioinstructure.errors import QuotaError
from aioinstructure.quota import Lease, Outcome, Scheduler, TokenBucket
from aioinstructure.wire.quota_report import QuotaReport
from tests.quota.quota_servers import seeded


def now() -> float:
    return asyncio.get_running_loop().time()


def blocked() -> Scheduler:
    """Its server stops answering after the first grant, so that no prediction holds."""
    return Scheduler(TokenBucket(1000.0, 1.0, start_level=0.0))


async def held(scheduler: Scheduler) -> None:
    """Let the server stop all calls for a minute."""
    lease = await scheduler.acquire()
    lease.end(Outcome.REFUSED, QuotaReport(retry_after=60.0))


async def outcome(scheduler: Scheduler, deadline: float) -> tuple[float, bool]:
    """When a bulk call ended, and whether it was granted."""
    try:
        lease: Lease = await scheduler.acquire(lane="bulk", deadline=deadline)
    except QuotaError:
        return now(), False
    lease.end(Outcome.ANSWERED)
    return now(), True


async def test_each_call_is_rejected_at_its_own_deadline() -> None:
    """Calls that a refusal keeps waiting are rejected at their deadlines, whatever their order."""
    scheduler, start = blocked(), now()
    deadlines = [start + 1.0 + seconds / 10 for seconds in range(300)]
    seeded(4).shuffle(deadlines)
    calls = [asyncio.create_task(outcome(scheduler, deadline)) for deadline in deadlines]
    calls.append(asyncio.create_task(outcome(scheduler, start + 100.0)))
    await held(scheduler)
    for call, deadline in zip(calls, deadlines, strict=False):
        ended, granted = await call
        assert not granted
        assert ended == pytest.approx(deadline, abs=0.001)
    ended, granted = await calls[-1]
    assert granted
    assert 60.0 <= ended - start <= 62.0


class Owner:
    """For whom a call waits."""


async def test_deadlines_of_calls_that_are_gone_are_forgotten() -> None:
    """What cancelled calls leave until their deadlines does not grow with their number."""
    scheduler = blocked()
    last = asyncio.create_task(outcome(scheduler, now() + 3600.0))
    await held(scheduler)
    owners: list[weakref.ref[Owner]] = []

    async def cancelled() -> None:
        owner = Owner()
        owners.append(weakref.ref(owner))
        call = asyncio.create_task(scheduler.acquire(deadline=now() + 900.0, owner=owner))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    for _ in range(1_000):
        await cancelled()
    gc.collect()
    assert sum(owner() is not None for owner in owners) <= 100
    await last
    gc.collect()
    assert not any(owner() is not None for owner in owners)
