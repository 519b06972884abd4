"""The scenarios of scenarios.py: one function for each, from a seed to figures."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from aiolimiter import AsyncLimiter

from aioinstructure.errors import QueueFull, QuotaError
from aioinstructure.quota import Cost, CostBucket, Outcome, Scheduler
from aioinstructure.wire.quota_report import QuotaReport
from quota_models import (
    Bucket,
    Caller,
    CanvasWorld,
    Oracle,
    Ours,
    TokenWorld,
    Workers,
    for_seconds,
    run,
    saturate,
    token_client,
)

Figures: TypeAlias = dict[str, float]
Maker: TypeAlias = Callable[[CanvasWorld], Caller]
Scenario: TypeAlias = Callable[[int], Figures]

SECONDS = 200.0
"""Virtual seconds of the runs with one client."""

SLOW_REFUSALS = (0.02, 0.1)


def ours(world: CanvasWorld) -> Ours:
    """A client of Canvas."""
    return Ours(world, Scheduler(CostBucket()))


def limited(world: CanvasWorld) -> Workers:
    """Workers with aiolimiter at the rate of calls that the leak allows, if each costs 0.3."""
    limiter = AsyncLimiter(10, 10 / 33.0)
    return Workers(world, 24, limiter.acquire)


PEERS: dict[str, Maker] = {
    "width 5": partial(Workers, width=5),
    "width 10": partial(Workers, width=10),
    "aiolimiter": limited,
}


def _world(seed: int, bucket: Bucket | None = None, **options: Any) -> CanvasWorld:
    rng = random.Random(seed)  # noqa: S311 - reproducible
    return CanvasWorld(rng, bucket or Bucket(), **options)


def alone(
    seed: int,
    maker: Maker = ours,
    *,
    limits: tuple[float, float, float] = (600.0, 10.0, 50.0),
    changes: tuple[tuple[float, dict[str, float]], ...] = (),
    **options: Any,
) -> Figures:
    """100 callers without end: the share of the oracle, and refusals."""

    def spent(make: Maker) -> tuple[float, int]:
        async def scenario() -> tuple[float, int]:
            world = _world(seed, Bucket(*limits), **options)
            for at, change in changes:
                world.at(at, **change)
            await saturate(make(world), 100, SECONDS)
            return world.units(), world.refusals()

        found: tuple[float, int] = run(scenario)
        return found

    units, refused = spent(maker)
    return {"share": units / spent(Oracle)[0], "refused": refused}


def given_up(seed: int, maker: Maker = ours) -> Figures:
    """Row 1: ten callers give up after a second; a call takes 0.7 s."""

    async def scenario(limit: float | None) -> tuple[int, int]:
        world = _world(seed, latency=0.7)
        client, finished = maker(world), 0

        async def caller() -> None:
            nonlocal finished
            while True:
                try:
                    async with asyncio.timeout(limit):
                        await client.call()
                    finished += 1
                except TimeoutError:
                    pass

        await for_seconds(SECONDS, *(caller() for _ in range(10)))
        return finished, world.refusals()

    finished, refused = run(partial(scenario, 1.0))
    return {"share": finished / run(partial(scenario, None))[0], "refused": refused}


def cut(seed: int, part: float) -> Figures:
    """Row 2: some calls are given up 0.1 s after they were sent."""

    async def scenario() -> Figures:
        world = _world(seed)
        client = ours(world)

        async def caller() -> None:
            while True:
                await client.call(give_up=0.1 if world.rng.random() < part else None)

        await for_seconds(SECONDS, *(caller() for _ in range(100)))
        return {"share": world.served() / (32 * SECONDS), "refused": world.refusals()}

    found: Figures = run(scenario)
    return found


def with_deadline(seed: int) -> Figures:
    """Row 3: 50 callers with a deadline of a second; what the server serves with and without."""

    async def scenario(deadline: float | None) -> tuple[float, float, int]:
        world = _world(seed)
        client, turned_away, finished = ours(world), 0, 0
        loop = asyncio.get_running_loop()

        async def caller() -> None:
            nonlocal turned_away, finished
            while True:
                began = loop.time()
                try:
                    await client.call(deadline=deadline)
                    finished += deadline is None or loop.time() - began <= deadline
                except QuotaError as error:
                    turned_away += 1
                    await asyncio.sleep(min(1.0, max(0.05, error.wait)))

        await for_seconds(60.0, *(caller() for _ in range(50)))
        return world.served(), finished, turned_away

    served, finished, turned_away = run(partial(scenario, 1.0))
    return {
        "share": served / run(partial(scenario, None))[0],
        "in time": finished / max(1, served),
        "turned away a second": turned_away / 60,
    }


def processes(
    seed: int,
    count: int,
    maker: Maker = ours,
    *,
    joins: float | None = None,
    since: float = 20.0,
    **options: Any,
) -> Figures:
    """Rows 4 to 6: independent clients of one token, 40 callers each."""
    seconds = 120.0

    async def scenario() -> Figures:
        world = _world(seed, **options)

        async def process(number: int) -> None:
            await asyncio.sleep(world.rng.uniform(0, 2) if joins is None else joins * number)
            await saturate(maker(world), 40, seconds - world.now, number)

        await for_seconds(seconds, *(process(number) for number in range(count)))
        units = [world.units(number, since) for number in range(count)]
        squares = sum(each * each for each in units)
        return {
            "Jain": sum(units) ** 2 / (count * squares),
            "poorest": min(units) / (sum(units) / count),
            "units/s": sum(units) / (seconds - since),
            "refused": world.refusals(),
        }

    found: Figures = run(scenario)
    return found


def bursts(seed: int) -> Figures:
    """Row 7: another client sends 12 calls at once each 20 s."""

    async def scenario() -> Figures:
        world = _world(seed, refusal=SLOW_REFUSALS)

        async def other() -> None:
            while True:
                await asyncio.sleep(20.0)
                for _ in range(12):
                    _ = world.send("other")

        await for_seconds(300.0, other(), saturate(ours(world), 100, 300.0))
        return {"share": world.served("we") / (32 * 300), "refused": world.refusals("we")}

    found: Figures = run(scenario)
    return found


def deadlines_beside_bulk(
    seed: int, maker: Maker = ours, *, deadline: float, cost: float, lane: str
) -> Figures:
    """Row 11: calls with a deadline beside 200 bulk callers: turned away, but would be in time."""

    async def scenario(limit: float | None) -> tuple[int, int, int]:
        world = _world(seed, cost=cost)
        client = maker(world)
        loop = asyncio.get_running_loop()
        late = turned_away = total = 0

        async def probe() -> None:
            nonlocal late, turned_away
            began = loop.time()
            options: dict[str, Any] = {}
            if isinstance(client, Ours):
                options = {"lane": lane, "deadline": limit}
            try:
                await client.call(cost=cost, **options)
            except QuotaError:
                turned_away += 1
            else:
                late += loop.time() - began > deadline

        async def probes() -> None:
            nonlocal total
            async with asyncio.TaskGroup() as group:
                while world.now < 90:
                    await asyncio.sleep(0.4)
                    total += 1
                    group.create_task(probe())

        options = {"lane": "bulk"} if isinstance(client, Ours) else {}
        bulk = asyncio.ensure_future(saturate(client, 200, 150.0, **options))
        await asyncio.sleep(10.0)
        await for_seconds(130.0, probes())
        bulk.cancel()
        await asyncio.gather(bulk, return_exceptions=True)
        return late, turned_away, total

    late, turned_away, total = run(partial(scenario, deadline))
    if maker is not ours:
        return {"late": late / total}
    without = run(partial(scenario, None))[0]
    return {"turned away": max(0, turned_away - without) / total, "late": late / total}


def forecast(seed: int, cost: float) -> Figures:
    """Row 12: predicted and true waits with 1,000 queued calls; the part that is right."""

    async def scenario() -> Figures:
        world = _world(seed, cost=cost)
        client = ours(world)
        await for_seconds(20.0, *(client.call(lane="bulk") for _ in range(100)))
        loop = asyncio.get_running_loop()
        right = 0
        queued = [asyncio.ensure_future(client.call(lane="bulk")) for _ in range(1000)]
        await asyncio.sleep(1.0)
        for _ in range(20):
            predicted, began = client.scheduler.wait_estimate(Cost("list"), "bulk"), loop.time()
            lease = await client.scheduler.acquire(Cost("list"), lane="bulk", flow=object())
            waited = loop.time() - began
            lease.end(Outcome.UNSENT)
            right += abs(predicted - waited) <= 0.25 * waited + 0.5
            await asyncio.sleep(0.5)
        for each in queued:
            each.cancel()
        await asyncio.gather(*queued, return_exceptions=True)
        return {"right": right / 20}

    found: Figures = run(scenario)
    return found


def interactive(seed: int, *, callers: int, cost: float, latency: float) -> Figures:
    """Row 13: the 95th percentile of the wait of interactive calls beside heavy bulk ones."""

    async def scenario() -> Figures:
        world = _world(seed)
        client = ours(world)
        waits: list[float] = []
        loop = asyncio.get_running_loop()

        async def probe() -> None:
            began = loop.time()
            lease = await client.scheduler.acquire(Cost("one"))
            waits.append(loop.time() - began)
            found = await world.send("probe")
            report = QuotaReport(cost=found.cost, remaining=found.remaining)
            lease.end(Outcome.ANSWERED if found.served else Outcome.REFUSED, report)

        async def probes() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(150):
                    await asyncio.sleep(1.0)
                    group.create_task(probe())

        bulk = saturate(client, callers, 180.0, cost=cost, latency=latency, key="big", lane="bulk")
        await for_seconds(180.0, bulk, probes())
        waits.sort()
        return {"p95 s": waits[int(0.95 * len(waits))], "refused": world.refusals()}

    found: Figures = run(scenario)
    return found


def first_calls(seed: int) -> Figures:
    """Row 15: the first call of a token takes 20 s; four background calls of 20 s after a pause."""

    async def scenario() -> Figures:
        world = _world(seed)
        client = ours(world)
        loop = asyncio.get_running_loop()

        async def timed(lane: Any) -> float:
            began = loop.time()
            await client.call(lane=lane)
            return loop.time() - began

        first = asyncio.ensure_future(client.call(latency=20.0, lane="bulk"))
        await asyncio.sleep(0.01)
        others = max(await asyncio.gather(timed("bulk"), timed("bulk")))
        await first
        await asyncio.sleep(40.0)
        back = [
            asyncio.ensure_future(client.call(latency=20.0, lane="background")) for _ in range(4)
        ]
        await asyncio.sleep(0.01)
        urgent = await timed("interactive")
        await asyncio.gather(*back)
        return {"others s": others, "interactive s": urgent}

    found: Figures = run(scenario)
    return found


def outage(seed: int) -> Figures:
    """Row 17: AB Connect refuses everything from 60 to 90 s."""

    async def scenario() -> Figures:
        world = TokenWorld(random.Random(seed))  # noqa: S311 - reproducible
        client = token_client()
        world.at(60, is_down=True)
        world.at(90, is_down=False)
        await for_seconds(150.0, *(world.caller(client) for _ in range(30)))
        back = next((s for s in range(90, 140) if world.served(s, s + 5) >= 22.5), 999)
        return {"back s": back - 90, "refused": world.refusals(60)}

    found: Figures = run(scenario)
    return found


def rates(
    seed: int, *, seconds: float, changes: tuple[tuple[float, dict[str, Any]], ...]
) -> Figures:
    """Row 18: AB Connect's limit changes; calls served, and refused."""

    async def scenario() -> Figures:
        world = TokenWorld(random.Random(seed))  # noqa: S311 - reproducible
        client = token_client()
        for at, change in changes:
            world.at(at, **change)
        await for_seconds(seconds, *(world.caller(client) for _ in range(30)))
        return {"served": world.served(), "refused": world.refusals()}

    found: Figures = run(scenario)
    return found


def wildcards(seed: int) -> Figures:
    """Row 19: the server's bucket for wildcards is half of the usual one."""

    async def scenario() -> Figures:
        world = TokenWorld(random.Random(seed), wildcard_rate=1.0, wildcard_burst=1.0)  # noqa: S311
        client = token_client()
        wild = [world.caller(client, "wild", wildcard=True) for _ in range(9)]
        await for_seconds(300.0, *wild, *(world.caller(client, "plain") for _ in range(30)))
        return {
            "plain/s": world.served(20, who="plain") / 280,
            "wildcard/s": world.served(20, who="wild") / 280,
            "refused": world.refusals(),
        }

    found: Figures = run(scenario)
    return found


def lanes(seed: int) -> Figures:
    """Row 21: three saturated lanes for an hour, and a full queue of background calls."""

    async def scenario() -> Figures:
        world = _world(seed)
        client = Ours(world, Scheduler(CostBucket(), max_queue=100))
        lanes: tuple[Any, ...] = ("interactive", "bulk", "background")
        calls = [saturate(client, 60, 600.0, lane, lane=lane) for lane in lanes]
        await for_seconds(600.0, *calls)
        shares = {f"{lane}/s": world.served(lane) / 600 for lane in lanes}
        full = [asyncio.ensure_future(client.call(lane="background")) for _ in range(130)]
        await asyncio.sleep(0.01)
        admitted = 1.0
        try:
            await client.call()
        except QueueFull:
            admitted = 0.0
        for each in full:
            each.cancel()
        await asyncio.gather(*full, return_exceptions=True)
        return {**shares, "admitted": admitted}

    found: Figures = run(scenario)
    return found
