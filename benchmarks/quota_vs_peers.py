"""The same work by each peer on the same simulator with its limits enforced, over real HTTP.

AB Connect: pages in bulk by 20 workers (16 and 32 for the backoff peers), and at the same time one
interactive call every 2 seconds. Canvas: concurrent listings of 0.3 s each. Prints the wall time
relative to the minimum that the limit allows, refused calls, calls that were given up (lost), and
the 95th percentile of the wait of an interactive call. A peer that loses calls does not count as
faster.

Takes about eight minutes by default; --pages and --listings make it shorter. --json names a file
for the results.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import canvasapi  # type: ignore[import-untyped]  # has no type hints
import tenacity
from aiolimiter import AsyncLimiter
from attrs import asdict, define
from pyrate_limiter import Limiter, Rate
from yarl import URL

from aioinstructure import ABConnect, Canvas
from aioinstructure.auth.credentials import PartnerSignature
from aioinstructure.cli import demo
from aioinstructure.wire.message import Request

BURST, RATE = 25, 5.0
EVERY = 2.0
LATENCY = 0.3
GIVE_UP = 6
"""Attempts of the backoff peers: more than most programs make."""

Call = Callable[[str], Awaitable[bool]]
"""Makes one call, "bulk" or "interactive"; returns whether it finally succeeded."""


@define
class Result:
    """The result of a peer."""

    service: str
    peer: str
    calls: int
    seconds: float
    floor: float
    refused: int = 0
    lost: int = 0
    p95: float | None = None

    def row(self) -> str:
        """A line of the table."""
        p95 = "-" if self.p95 is None else f"{self.p95:.2f}"
        over = f"{self.seconds / self.floor:.2f}" + ("*" if self.lost else " ")
        return (
            f"{self.service:<11} {self.peer:<30} {self.seconds:7.1f} {over:>8}"
            f" {self.refused:8} {self.lost:6} {p95:>10}"
        )


class Bench:
    """Runs all peers on one simulator, which is reset before each."""

    def __init__(self, env: dict[str, str], pages: int, listings: int) -> None:
        self.env = env
        self.pages = pages
        self.listings = listings
        self.results: list[Result] = []

    async def control(self, session: aiohttp.ClientSession, path: str) -> Any:
        """Call the simulator's control API."""
        url = f"{self.env['ABCONNECT_URL']}/_control/{path}"
        method = "GET" if path == "stats" else "POST"
        async with session.request(method, url, json={}) as answer:
            return await answer.json()

    async def measure(
        self, service: str, peer: str, calls: int, floor: float, work: Callable[[], Awaitable[Any]]
    ) -> None:
        """Run a peer on a reset server; `work` returns (lost, interactive waits, seconds)."""
        async with aiohttp.ClientSession() as session:
            await self.control(session, "reset")
            start = time.perf_counter()
            lost, waits, seconds = await work()
            stats = await self.control(session, "stats")
        result = Result(service, peer, calls, seconds or time.perf_counter() - start, floor)
        result.refused = stats[service]["refused"]
        result.lost = lost
        if waits:
            result.p95 = statistics.quantiles(waits, n=20)[-1]
        self.results.append(result)
        print(result.row(), flush=True)

    # --- AB Connect -----------------------------------------------------------------------------

    async def abconnect(self, peer: str, call: Call, workers: int) -> None:
        """Read pages in bulk, with an interactive call every two seconds."""

        async def work() -> tuple[int, list[float], float]:
            left = iter(range(self.pages))
            lost = 0
            waits: list[float] = []

            async def worker() -> None:
                nonlocal lost
                for _ in left:
                    lost += not await call("bulk")

            async def interactive() -> None:
                nonlocal lost
                while True:
                    await asyncio.sleep(EVERY)
                    start = time.perf_counter()
                    lost += not await call("interactive")
                    waits.append(
                        time.perf_counter() - start - demo.KNOBS["abconnect_latency_seconds"]
                    )

            side = asyncio.create_task(interactive())
            start = time.perf_counter()
            await asyncio.gather(*(worker() for _ in range(workers)))
            seconds = time.perf_counter() - start
            side.cancel()
            await asyncio.wait([side])
            return lost, waits, seconds

        # The interactive calls take tokens too: one in ten.
        floor = (self.pages - BURST) / (RATE - 1 / EVERY)
        await self.measure("abconnect", peer, self.pages, floor, work)

    async def abconnect_peers(self) -> None:
        """Run two limiters, two kinds of backoff, and the library."""
        env = self.env
        signature = PartnerSignature(env["ABCONNECT_PARTNER_ID"], env["ABCONNECT_PARTNER_KEY"])
        base = Request("GET", f"{env['ABCONNECT_URL']}/rest/v4.1/standards?limit=100")
        url = signature.authorize(base, time.time()).url
        async with aiohttp.ClientSession() as session:

            async def once() -> int:
                async with session.get(URL(url, encoded=True)) as answer:
                    await answer.read()
                    return answer.status

            limiter = AsyncLimiter(24, 4.8)

            async def by_aiolimiter(_: str) -> bool:
                async with limiter:
                    return await once() == 200

            pyrate = Limiter(Rate(5, 1000))

            async def by_pyrate(_: str) -> bool:
                await asyncio.wrap_future(pool.submit(pyrate.try_acquire, "ab"))
                return await once() == 200

            async def by_backoff(_: str) -> bool:
                retrying = tenacity.AsyncRetrying(
                    wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
                    stop=tenacity.stop_after_attempt(GIVE_UP),
                    retry=tenacity.retry_if_result(lambda status: status == 429),
                    retry_error_callback=lambda _: 429,
                )
                return await retrying(once) == 200

            with ThreadPoolExecutor(32) as pool:
                await self.abconnect("aiolimiter (24 in 4.8 s)", by_aiolimiter, 20)
                await self.abconnect("pyrate-limiter (5 in 1 s)", by_pyrate, 20)
            await self.abconnect("backoff, 16 tasks", by_backoff, 16)
            await self.abconnect("backoff, 32 tasks", by_backoff, 32)
        ab = ABConnect(
            base_url=env["ABCONNECT_URL"],
            partner_id=env["ABCONNECT_PARTNER_ID"],
            partner_key=env["ABCONNECT_PARTNER_KEY"],
        )
        views = {"interactive": ab, "bulk": ab.with_options(lane="bulk")}
        places = itertools.count()  # identical concurrent reads would be one request

        async def ours(lane: str) -> bool:
            params = {"limit": 100, "offset": next(places)}
            answer = await views[lane].request("GET", "/rest/v4.1/standards", params=params)
            return answer.status == 200

        async with ab:
            await self.abconnect("aioinstructure", ours, 20)

    # --- Canvas ---------------------------------------------------------------------------------

    async def canvas(self, peer: str, work: Callable[[], Awaitable[int]]) -> None:
        """Run concurrent listings; the minimum time is that of 12 at once, the most allowed."""

        async def timed() -> tuple[int, list[float], float]:
            start = time.perf_counter()
            lost = await work()
            return lost, [], time.perf_counter() - start

        floor = self.listings * LATENCY / 12
        await self.measure("canvas", peer, self.listings, floor, timed)

    async def canvas_peers(self) -> None:
        """Run canvasapi with one and eight threads, backoff with 16 and 32 tasks, and the library."""
        env = self.env
        url = f"{env['CANVAS_URL']}/api/v1/courses?per_page=10"
        headers = {"Authorization": f"Bearer {env['CANVAS_TOKEN']}", "User-Agent": "bench"}

        async def threads(number: int) -> int:
            client = canvasapi.Canvas(env["CANVAS_URL"], env["CANVAS_TOKEN"])

            def listing() -> bool:
                try:
                    return bool(client.get_courses(per_page=10)[0].id)
                except canvasapi.exceptions.CanvasException:
                    return False

            with ThreadPoolExecutor(number) as pool:
                tasks = [pool.submit(listing) for _ in range(self.listings)]
                found = await asyncio.gather(*(asyncio.wrap_future(task) for task in tasks))
            return sum(not ok for ok in found)

        async def backoff(number: int) -> int:
            async with aiohttp.ClientSession(headers=headers) as session:

                async def once() -> int:
                    async with session.get(url) as answer:
                        await answer.read()
                        return answer.status

                async def worker(left: Any) -> int:
                    lost = 0
                    for _ in left:
                        retrying = tenacity.AsyncRetrying(
                            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
                            stop=tenacity.stop_after_attempt(GIVE_UP),
                            retry=tenacity.retry_if_result(lambda status: status != 200),
                            retry_error_callback=lambda _: 429,
                        )
                        lost += await retrying(once) != 200
                    return lost

                left = iter(range(self.listings))
                return sum(await asyncio.gather(*(worker(left) for _ in range(number))))

        async def ours() -> int:
            async with Canvas(env["CANVAS_URL"], token=env["CANVAS_TOKEN"]) as canvas:
                lists = (canvas.courses.list(page_size=10) for _ in range(self.listings))
                pages = await asyncio.gather(*lists)
            return sum(len(page.items) != 10 for page in pages)

        await self.canvas("canvasapi, one at a time", lambda: threads(1))
        await self.canvas("canvasapi, 8 threads", lambda: threads(8))
        await self.canvas("backoff, 16 tasks", lambda: backoff(16))
        await self.canvas("backoff, 32 tasks", lambda: backoff(32))
        await self.canvas("aioinstructure", ours)


async def main(pages: int, listings: int, path: str | None) -> None:
    """Run all peers, print the table, write the JSON."""
    demo.KNOBS.update({"abconnect_latency_jitter_seconds": 0.02, "canvas_cost": 0.25})
    demo.KNOBS.update({"canvas_latency_seconds": LATENCY, "canvas_latency_jitter_seconds": 0.0})
    async with demo.simulator() as env:
        bench = Bench(env, pages, listings)
        print(f"{'service':<11} {'peer':<30} {'seconds':>7} {'of floor':>8} {'refused':>8} "
              f"{'lost':>6} {'p95 wait s':>10}")  # fmt: skip
        await bench.canvas_peers()
        await bench.abconnect_peers()
    print("* lost calls, so not the same work")
    if path:
        with open(path, "w") as file:  # noqa: ASYNC230, PTH123 - at the very end
            json.dump([asdict(result) for result in bench.results], file, indent=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--listings", type=int, default=300)
    parser.add_argument("--json")
    given = parser.parse_args()
    asyncio.run(main(given.pages, given.listings, given.json))
