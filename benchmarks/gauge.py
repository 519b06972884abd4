"""Draw a bucket over time: its level at the server, admitted calls and refused calls.

    python benchmarks/gauge.py docs/guides/limits.png

100 tasks make 300 AB Connect calls in three ways: with exponential backoff, with aiolimiter alone,
and with this library. After 20 seconds the account's limit falls from 5 to 3 calls a second,
without notice. Runs in virtual time on the simulator, whose bucket is drawn; the network has
jitter.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import matplotlib as mpl
from aiolimiter import AsyncLimiter
from attrs import define, field

from aioinstructure.auth.credentials import PartnerSignature
from aioinstructure.quota import (
    Answered,
    QuotaEvent,
    Refused,
    Scheduler,
    TokenBucket,
)
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import VirtualLoop, abconnect_of
from aioinstructure.wire.message import Request

mpl.use("Agg")
from matplotlib import pyplot as plt

TASKS = 100
CALLS = 300
CUT_AT, CUT_TO = 20.0, 3.0
FLOOR = CUT_AT + (CALLS - 25 - 5 * CUT_AT) / CUT_TO
SAMPLE = 0.05


@define
class Gauge:
    """The bucket during one kind of client.

    Attributes:
        name: The title of the panel.
        levels: Pairs of a time in seconds and the tokens at the server.
        admitted: Times of admitted calls.
        refused: Times of refused calls.
        seconds: Time until the last response.
        start: Loop time of the first call.
    """

    name: str
    levels: list[tuple[float, float]] = field(factory=list)
    admitted: list[float] = field(factory=list)
    refused: list[float] = field(factory=list)
    seconds: float = 0.0
    start: float = 0.0


async def watch(name: str, way: Callable[[Simulator, Gauge], Awaitable[None]]) -> Gauge:
    """Run one kind of client on a new simulator, and sample its bucket."""
    loop = asyncio.get_running_loop()
    knobs = Knobs(
        abconnect_latency_seconds=0.15,
        network_out_seconds=0.03,
        network_back_seconds=0.03,
        network_jitter_seconds=0.03,
    )
    simulator = Simulator(seed=1, knobs=knobs)
    start = loop.time()
    gauge = Gauge(name, start=start)

    async def sample() -> None:
        while True:
            if loop.time() - start >= CUT_AT:
                simulator.knobs.rate = CUT_TO
            level = simulator.abconnect.tokens_left(simulator.partner_id)
            gauge.levels.append((loop.time() - start, level))
            await asyncio.sleep(SAMPLE)

    side = asyncio.create_task(sample())
    await way(simulator, gauge)
    gauge.seconds = loop.time() - start
    side.cancel()
    return gauge


async def tasks(call: Callable[[], Awaitable[None]]) -> None:
    """Make all calls with a hundred tasks."""
    left = iter(range(CALLS))

    async def worker() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(worker() for _ in range(TASKS)))


async def bare(simulator: Simulator, gauge: Gauge) -> bool:
    """Make one call without a client; returns whether it was admitted."""
    loop = asyncio.get_running_loop()
    credential = PartnerSignature(simulator.partner_id, simulator.partner_key)
    request = Request("GET", "https://abconnect.test/rest/v4.1/standards?limit=100")
    sent = loop.time()
    answer = await simulator.handle(credential.authorize(request, time.time()))
    (gauge.admitted if answer.status == 200 else gauge.refused).append(sent - gauge.start)
    return answer.status == 200


async def backoff(simulator: Simulator, gauge: Gauge) -> None:
    """Retry after a random pause whose limit doubles, up to ten seconds."""
    rng = random.Random(1)  # noqa: S311 - jitter

    async def call() -> None:
        pause = 0.5
        while not await bare(simulator, gauge):
            await asyncio.sleep(rng.uniform(0, pause))
            pause = min(10.0, 2 * pause)

    await tasks(call)


async def aiolimiter_alone(simulator: Simulator, gauge: Gauge) -> None:
    """Use the limiter with the numbers 25 and 5; refused calls are retried at once."""
    limiter = AsyncLimiter(25, 5)

    async def call() -> None:
        while True:
            async with limiter:
                if await bare(simulator, gauge):
                    return

    await tasks(call)


async def ours(simulator: Simulator, gauge: Gauge) -> None:
    """Use the library with its defaults; a listener records each attempt."""
    loop = asyncio.get_running_loop()

    def note(event: QuotaEvent) -> None:
        if isinstance(event, Answered):
            gauge.admitted.append(loop.time() - gauge.start)
        elif isinstance(event, Refused):
            gauge.refused.append(loop.time() - gauge.start)

    quota = Scheduler(TokenBucket(), listener=note)
    places = itertools.count()  # identical concurrent reads would be one request
    async with abconnect_of(simulator, quota=quota) as ab:

        async def call() -> None:
            params = {"limit": 100, "offset": next(places)}
            await ab.request("GET", "/rest/v4.1/standards", params=params)

        await tasks(call)


def draw(gauges: list[Gauge], path: Path) -> None:
    """Draw one panel per kind of client, on one time axis."""
    figure, panels = plt.subplots(len(gauges), 1, figsize=(9, 6.5), sharex=True)
    for panel, gauge in zip(panels, gauges, strict=True):
        times, levels = zip(*gauge.levels, strict=True)
        panel.plot(times, levels, color="#4477aa", linewidth=1, label="tokens at the server")
        panel.eventplot(
            [gauge.admitted, gauge.refused],
            lineoffsets=[-3, -7],
            linelengths=3,
            linewidths=0.6,
            colors=["#228833", "#cc3311"],
        )
        panel.axvline(FLOOR, color="grey", linestyle=":", linewidth=1)
        panel.set_title(
            f"{gauge.name}: {gauge.seconds:.0f} s, {len(gauge.refused):,} refused",
            loc="left",
            fontsize=10,
        )
        panel.set_yticks([-7, -3, 0, 25], ["refused", "admitted", "0", "25"])
    panels[-1].set_xlabel(
        f"seconds; after {CUT_AT:.0f} s the limit is {CUT_TO:.0f} a second; dotted: the floor"
    )
    figure.tight_layout()
    figure.savefig(path, dpi=110)


async def main(path: Path) -> None:
    """Run the three clients and draw them."""
    gauges = [
        await watch("100 tasks with backoff", backoff),
        await watch("aiolimiter(25, 5) alone", aiolimiter_alone),
        await watch("aioinstructure", ours),
    ]
    for gauge in gauges:
        over = gauge.seconds / FLOOR
        print(f"{gauge.name:<26} {over:5.2f} of the floor, {len(gauge.refused):6,} refused")
    draw(gauges, path)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "gauge.png")))
