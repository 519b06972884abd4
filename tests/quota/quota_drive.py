"""Clients in virtual time that take leases, cross a network, and call a server model."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aioinstructure.quota import Cost, Outcome, Scheduler
from aioinstructure.wire.quota_report import QuotaReport
from tests.quota.quota_servers import CanvasServer, Network, TokenServer

ONE = Cost()


@dataclass
class Tally:
    """The results of a run."""

    done: int = 0
    refusals: int = 0
    spent: float = 0.0
    refused_at: list[float] = field(default_factory=list)
    done_at: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    last_sent: float = 0.0


@dataclass
class CanvasRun:
    """A Canvas server behind a network, with calls through one scheduler."""

    server: CanvasServer
    scheduler: Scheduler
    rng: random.Random
    cost: float = 0.3
    latency: float = 0.3
    network: Network | None = None
    with_headers: bool = True
    tally: Tally = field(default_factory=Tally)

    def draw(self, mean: float) -> float:
        return mean * self.rng.uniform(0.7, 1.3)

    async def call(
        self,
        key: str = "list",
        *,
        cost: float | None = None,
        latency: float | None = None,
        **options: Any,
    ) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        again = False
        while True:
            lease = await self.scheduler.acquire(Cost(key), again=again, **options)
            sent = loop.time()
            if self.network:
                await self.network.cross()
            admitted, reserved = self.server.arrive(loop.time(), key)
            if admitted:
                await asyncio.sleep(self.draw(self.latency if latency is None else latency))
                charge = self.draw(self.cost if cost is None else cost)
            else:
                charge = 0.001
            remaining = self.server.finish(loop.time(), charge, reserved)
            if self.network:
                await self.network.cross()
            reported = remaining if self.with_headers else None
            if admitted:
                lease.end(
                    Outcome.ANSWERED,
                    QuotaReport(cost=charge if self.with_headers else None, remaining=reported),
                )
                self.tally.done += 1
                self.tally.spent += charge
                self.tally.waits.append(sent - start)
                return
            lease.end(Outcome.REFUSED, QuotaReport(remaining=reported))
            self.tally.refusals += 1
            self.tally.refused_at.append(sent)
            again = True

    async def saturate(self, seconds: float, tasks: int = 100, **options: Any) -> Tally:
        """Keep `tasks` callers busy for some time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds

        async def worker() -> None:
            while loop.time() < end:
                await self.call(**options)

        workers = [asyncio.create_task(worker()) for _ in range(tasks)]
        await asyncio.sleep(seconds)
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self.tally.seconds = seconds
        return self.tally


async def other_client(
    server: CanvasServer, rate: float, rng: random.Random, cost: float = 1.5, latency: float = 0.3
) -> None:
    """Another client of the token, which spends `rate` units a second and ignores headers."""
    loop = asyncio.get_running_loop()

    async def one() -> None:
        admitted, reserved = server.arrive(loop.time())
        if admitted:
            await asyncio.sleep(latency * rng.uniform(0.7, 1.3))
        server.finish(loop.time(), cost * rng.uniform(0.7, 1.3) if admitted else 0.001, reserved)

    calls: set[asyncio.Task[None]] = set()
    try:
        while True:
            await asyncio.sleep(rng.expovariate(rate / cost))
            task = asyncio.create_task(one())
            calls.add(task)
            task.add_done_callback(calls.discard)
    finally:
        for task in calls:
            task.cancel()


@dataclass
class TokenRun:
    """An AB Connect server behind a network, with calls through one scheduler."""

    server: TokenServer
    scheduler: Scheduler
    rng: random.Random
    network: Network
    service: Callable[[random.Random], float]
    tally: Tally = field(default_factory=Tally)

    async def call(self, cost: Cost = ONE, **options: Any) -> None:
        loop = asyncio.get_running_loop()
        start, again = loop.time(), False
        while True:
            lease = await self.scheduler.acquire(cost, again=again, **options)
            sent = loop.time()
            await self.network.cross()
            admitted = self.server.arrive(loop.time(), wildcard=bool(cost.bucket))
            await asyncio.sleep(self.service(self.rng) if admitted else 0.01)
            await self.network.cross()
            if admitted:
                lease.end(Outcome.ANSWERED)
                self.tally.done += 1
                self.tally.done_at.append(loop.time())
                self.tally.last_sent = max(self.tally.last_sent, sent)
                self.tally.waits.append(sent - start)
                return
            lease.end(Outcome.REFUSED)
            self.tally.refusals += 1
            self.tally.refused_at.append(sent)
            again = True

    async def pages(self, pages: int, workers: int, **options: Any) -> float:
        """Read so many pages; return the seconds until the last call was granted."""
        loop = asyncio.get_running_loop()
        start, left = loop.time(), iter(range(pages))

        async def worker() -> None:
            for _ in left:
                await self.call(**options)

        await asyncio.gather(*(worker() for _ in range(workers)))
        return self.tally.last_sent - start
