"""CPU time of one request compared with bare aiohttp that sends the same URL and headers.

The server is the simulator in another process, without throttles; only the CPU time of this process
is measured. Goal: at most 40 microseconds more. Rounds alternate, and the median of their
differences counts. The parts are measured without a network, with a transport that responds at
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp
from yarl import URL

from aioinstructure import Canvas
from aioinstructure.cli import demo
from aioinstructure.endpoints.lookup import routes_of
from aioinstructure.quota import Cost, CostBucket, Outcome, Scheduler
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.transport.http import HttpTransport
from aioinstructure.wire.message import Request
from aioinstructure.wire.quota_report import QuotaReport

REQUESTS = 2000
WORKERS = 8
ROUNDS = 7
AIM_MICROSECONDS = 40.0

Once = Callable[[], Awaitable[Any]]


@contextlib.asynccontextmanager
async def server() -> AsyncGenerator[dict[str, str]]:
    """Start the simulator without throttles and latency."""
    demo.KNOBS.update({"throttle_enabled": False, "canvas_latency_seconds": 0.0})
    demo.KNOBS.update({"canvas_latency_jitter_seconds": 0.0, "canvas_cost": 0.0})
    async with demo.simulator() as env:
        yield env


async def cpu(once: Once, requests: int = REQUESTS) -> tuple[float, float]:
    """Measure microseconds of CPU per request, and requests per second."""
    left = iter(range(requests))

    async def worker() -> None:
        for _ in left:
            await once()

    wall, start = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    used = time.process_time() - start
    return used / requests * 1e6, requests / (time.perf_counter() - wall)


async def compare(env: dict[str, str]) -> None:
    """Compare a complete call with bare aiohttp."""
    url = env["CANVAS_URL"] + "/api/v1/users/self"
    headers = {
        "authorization": f"Bearer {env['CANVAS_TOKEN']}",
        "accept": "application/json",
        "user-agent": "bench",
    }
    target = URL(url, encoded=True)
    # Canvas's default limits allow 12 calls at once; with fewer WORKERS, nothing queues.
    canvas = Canvas(env["CANVAS_URL"], token=env["CANVAS_TOKEN"], user_agent="bench")
    transport = HttpTransport(headers={"user-agent": "bench"})
    request = Request("GET", url, {k: v for k, v in headers.items() if k != "user-agent"})
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session, canvas:

        async def bare() -> None:
            async with session.get(target, headers=headers, allow_redirects=False) as answer:
                await answer.read()

        ways: dict[str, Once] = {
            "bare aiohttp": bare,
            "HttpTransport alone": lambda: transport.send(request),
            "complete canvas.request()": lambda: canvas.request("GET", "/api/v1/users/self"),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for once in ways.values():
            await cpu(once, 200)
        for _ in range(ROUNDS):
            for name, once in ways.items():
                found[name].append(await cpu(once))
        await transport.close()
    base = [used for used, _ in found["bare aiohttp"]]
    print(f"{'loopback, one process':<34} {'CPU us':>8} {'over bare':>10} {'requests/s':>11}")
    for name, rounds in found.items():
        used = statistics.median(u for u, _ in rounds)
        over = statistics.median(u - b for (u, _), b in zip(rounds, base, strict=True))
        rate = statistics.median(r for _, r in rounds)
        print(f"{name:<34} {used:8.1f} {over:10.1f} {rate:11.0f}")
    print(f"goal: at most {AIM_MICROSECONDS:.0f} us over bare (the last line)\n")


async def parts() -> None:
    """Measure each part of the library, without a network."""
    route = next(route for route in routes_of(Canvas) if route.name == "courses.get")
    call = route.bind({"id": 5})
    answer = reply({"id": 5, "name": "Algebra"})
    fake = FakeTransport([lambda _: answer])
    canvas = Canvas("https://canvas.test", token="t" * 64, transport=fake)
    scheduler = Scheduler(CostBucket(reservation=0.001))

    async def lease() -> None:
        (await scheduler.acquire(Cost(key="courses.get"))).end(
            Outcome.ANSWERED, QuotaReport(cost=0.0, remaining=600.0)
        )

    async def bind() -> None:
        route.bind({"id": 5})

    ways: dict[str, Once] = {
        "bind the arguments": bind,
        "lease: acquire and settle": lease,
        "fake transport alone": lambda: fake.send(Request("GET", "https://canvas.test/")),
        "pipeline over it, lease included": lambda: canvas.send(call),
        "the same, bound and decoded": lambda: canvas.courses.get(5),
    }
    print(f"{'part':<34} {'CPU us':>8}")
    for name, once in ways.items():
        await cpu(once, 500)
        used = statistics.median([(await cpu(once))[0] for _ in range(ROUNDS)])
        fake.requests.clear()
        print(f"{name:<34} {used:8.1f}")


async def main() -> None:
    """Measure complete calls, then the parts."""
    async with server() as env:
        await compare(env)
    await parts()


if __name__ == "__main__":
    asyncio.run(main())
