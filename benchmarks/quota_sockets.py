"""600 concurrent Canvas listings over real sockets, compared with fixed numbers of workers.

The simulator runs in another process with its limits enforced (capacity and reservation as given);
each listing takes 0.3 s there. The workers have no scheduler and retry refused calls. Goal: no
refusal, and at most 1.15 times the time of the best number of workers without a refusal.
"""

from __future__ import annotations

import argparse
import asyncio
import time

import aiohttp

from aioinstructure import Canvas
from aioinstructure.cli import demo

AIM = 1.15


async def reset(env: dict[str, str]) -> None:
    """Reset the buckets and the counts."""
    async with aiohttp.ClientSession() as session:
        await session.post(f"{env['CANVAS_URL']}/_control/reset", json={})


async def refused(env: dict[str, str]) -> int:
    """How many calls the server has refused."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{env['CANVAS_URL']}/_control/stats") as answer,
    ):
        return int((await answer.json())["canvas"]["refused"])


async def fixed(env: dict[str, str], listings: int, width: int) -> float:
    """Seconds with `width` workers, which retry a refused call after 0.5 s."""
    headers = {"Authorization": f"Bearer {env['CANVAS_TOKEN']}", "User-Agent": "bench"}
    url = f"{env['CANVAS_URL']}/api/v1/courses?per_page=10"
    left = iter(range(listings))

    async def worker(session: aiohttp.ClientSession) -> None:
        for _ in left:
            while True:
                async with session.get(url) as answer:
                    await answer.read()
                if answer.status == 200:
                    break
                await asyncio.sleep(0.5)

    start = time.perf_counter()
    async with aiohttp.ClientSession(headers=headers) as session:
        await asyncio.gather(*(worker(session) for _ in range(width)))
    return time.perf_counter() - start


async def ours(env: dict[str, str], listings: int) -> float:
    """Seconds with all calls at once, through the scheduler."""
    start = time.perf_counter()
    async with Canvas(env["CANVAS_URL"], token=env["CANVAS_TOKEN"]) as canvas:
        bulk = canvas.with_options(lane="bulk")
        await asyncio.gather(*(bulk.courses.list(page_size=10) for _ in range(listings)))
    return time.perf_counter() - start


async def main(listings: int, widths: range, knobs: dict[str, float]) -> None:
    """Measure every number of workers, then the library."""
    demo.KNOBS.update({"canvas_latency_seconds": 0.3, "canvas_latency_jitter_seconds": 0.0})
    demo.KNOBS.update({"canvas_cost": 0.3, **knobs})
    best = float("inf")
    async with demo.simulator() as env:
        for width in widths:
            await reset(env)
            seconds = await fixed(env, listings, width)
            count = await refused(env)
            print(f"{width:3} workers {seconds:6.1f} s, {count:5} refused", flush=True)
            best = min(best, seconds) if not count else best
        await reset(env)
        seconds = await ours(env, listings)
        count = await refused(env)
    print(
        f"scheduler   {seconds:6.1f} s, {count:5} refused: {seconds / best:.2f} of the best width"
    )
    print(f"goal: at most {AIM}, 0 refused")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=600)
    parser.add_argument("--from", dest="low", type=int, default=9)
    parser.add_argument("--to", dest="high", type=int, default=14)
    parser.add_argument("--capacity", type=float, default=600.0)
    parser.add_argument("--reservation", type=float, default=50.0)
    given = parser.parse_args()
    limits = {
        "hwm": given.capacity,
        "maximum": given.capacity * 4 / 3,
        "up_front_cost": given.reservation,
    }
    asyncio.run(main(given.listings, range(given.low, given.high + 1), limits))
