"""The same work by each peer against the same simulator, limits in force, over real HTTP.

AB Connect: a bulk of pages by 20 workers (16 and 32 for the backoff peers), and one interactive
call every 2 seconds beside it. Canvas: parallel listings of 0.3 s each. Told are the wall time over
the floor that the limit leaves, what the server refused, calls that were given up, and the 95th
percentile of what an interactive call waited. A peer that loses calls is not quoted as faster.

Takes about eight minutes at the defaults; --pages and --listings make it shorter. Writes JSON to
the file that --json names.
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
import canvasapi  # type: ignore[import-untyped]  # it is a peer: untyped
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
"""Attempts of the backoff peers, which is more than most programs make."""

Call = Callable[[str], Awaitable[bool]]
"""Does one call, by "bulk" or "interactive"; says whether it succeeded in the end."""


@define
class Result:
    """What a peer did."""

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
    """One simulator, which is reset before each peer."""

    def __init__(self, env: dict[str, str], pages: int, listings: int) -> None:
        self.env = env
        self.pages = pages
        self.listings = listings
        self.results: list[Result] = []

    async def control(self, session: aiohttp.ClientSession, path: str) -> Any:
        """Ask the simulator itself."""
        url = f"{self.env['ABCONNECT_URL']}/_control/{path}"
        method = "GET" if path == "stats" else "POST"
        async with session.request(method, url, json={}) as answer:
            return await answer.json()

    async def measure(
        self, service: str, peer: str, calls: int, floor: float, work: Callable[[], Awaitable[Any]]
    ) -> None:
        """Run a peer on a fresh server; `work` gives (lost, waits of interactive calls)."""
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
        """A bulk of pages, and an interactive call every two seconds until it ends."""

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

        # The interactive calls spend tokens too: one in ten, over the time of the floor.
        floor = (self.pages - BURST) / (RATE - 1 / EVERY)
        await self.measure("abconnect", peer, self.pages, floor, work)

    async def abconnect_peers(self) -> None:
        """Ours and four ways of others."""
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
        places = itertools.count()  # the same page twice at once would be one request

        async def ours(lane: str) -> bool:
            params = {"limit": 100, "offset": next(places)}
            answer = await views[lane].request("GET", "/rest/v4.1/standards", params=params)
            return answer.status == 200

        async with ab:
            await self.abconnect("ours", ours, 20)

    # --- Canvas ---------------------------------------------------------------------------------

    async def canvas(self, peer: str, work: Callable[[], Awaitable[int]]) -> None:
        """Listings in parallel; the floor is 12 at once, which no reservation forbids."""

        async def timed() -> tuple[int, list[float], float]:
            start = time.perf_counter()
            lost = await work()
            return lost, [], time.perf_counter() - start

        floor = self.listings * LATENCY / 12
        await self.measure("canvas", peer, self.listings, floor, timed)

    async def canvas_peers(self) -> None:
        """Ours, canvasapi in one and eight threads, and backoff in 16 and 32 tasks."""
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
        await self.canvas("ours", ours)


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
    print("* lost calls: not the same work")
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
