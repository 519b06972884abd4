"""Callers that give up, shared tokens, outages: benchmarks/scenarios.py in short, as properties."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure.errors import ClientClosed, QueueFull, QuotaError
from aioinstructure.quota import Cost, CostBucket, Outcome, Scheduler, TokenBucket
from aioinstructure.wire.quota_report import QuotaReport
from tests.quota.quota_drive import CanvasRun, TokenRun
from tests.quota.quota_servers import CanvasServer, Network, TokenServer, seeded

LIST = Cost("list")


def now() -> float:
    return asyncio.get_running_loop().time()


def rig(seed: int, server: CanvasServer | None = None, **options: Any) -> CanvasRun:
    rng = seeded(seed)
    return CanvasRun(
        server or CanvasServer(), Scheduler(CostBucket()), rng, network=Network(rng), **options
    )


async def call_and_go(run: CanvasRun, patience: float) -> bool:
    """A call that is given up after some time; the server ends it all the same."""
    lease = await run.scheduler.acquire(LIST)
    loop = asyncio.get_running_loop()
    admitted, reserved = run.server.arrive(loop.time())
    seconds = run.draw(run.latency) if admitted else 0.01
    charge = run.draw(run.cost) if admitted else 0.001
    end = loop.time() + seconds
    left: asyncio.Future[float] = loop.create_future()

    def finish() -> None:
        remaining = run.server.finish(loop.time(), charge, reserved)
        if not left.done():
            left.set_result(remaining)

    loop.call_at(end, finish)
    done, _ = await asyncio.wait([left], timeout=patience)
    if not done:
        lease.end(Outcome.UNANSWERED)
        return False
    outcome = Outcome.ANSWERED if admitted else Outcome.REFUSED
    lease.end(outcome, QuotaReport(cost=charge if admitted else None, remaining=left.result()))
    return admitted


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
async def test_calls_that_are_given_up_cost_no_quota(seed: int, part: float) -> None:
    """However many are cut 0.1 s after they were sent, the server stays busy."""
    run = rig(seed)

    async def caller() -> None:
        while True:
            await call_and_go(run, 0.1 if run.rng.random() < part else math.inf)

    callers = [asyncio.create_task(caller()) for _ in range(50)]
    await asyncio.sleep(60)
    for each in callers:
        each.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert run.server.admitted >= 0.85 * 32 * 60
    assert run.server.refusals <= 3


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "answer", "give up", "refund"]), st.floats(0, 1.5)),
        min_size=1,
        max_size=40,
    )
)
def test_no_reservation_outlives_its_call(steps: Any) -> None:
    """With nothing out, the replica holds no reservation two latencies after the last call."""
    bucket, time, tickets = CostBucket(), 0.0, []
    bucket.begin(0.0, fresh=True)
    for what, seconds in steps:
        time += seconds
        if what == "take":
            tickets.append(bucket.take(LIST, time))
        elif tickets:
            ticket = tickets.pop()
            if what == "answer":
                bucket.settle(ticket, time, QuotaReport(cost=0.1))
            else:
                (bucket.abandon if what == "give up" else bucket.refund)(ticket, time)
    for ticket in tickets:
        bucket.abandon(ticket, time)
    longest = 1.5 * 40 * 1.5
    assert bucket.read(time + longest + 1.0).level == pytest.approx(600.0, abs=1.0)


@given(
    remaining=st.lists(st.floats(50, 600), min_size=3, max_size=30),
    cost=st.floats(0.01, 12),
    part=st.floats(0, 0.999),
    refused=st.booleans(),
)
def test_the_wait_is_never_longer_than_necessary(
    remaining: Any, cost: float, part: float, refused: bool
) -> None:
    """A timer that is set by it does not come after the moment at which a call may go."""
    bucket, time = CostBucket(), 0.0
    bucket.begin(0.0, fresh=True)
    for left in remaining:
        ticket = bucket.take(LIST, time)
        time += 0.2
        bucket.settle(ticket, time, QuotaReport(cost=cost, remaining=left))
    if refused:
        bucket.refused(bucket.take(LIST, time), time, QuotaReport(remaining=20.0))
    while (wait := bucket.wait(LIST, time)) == 0:
        bucket.take(LIST, time)
    if math.isfinite(wait) and part * wait < wait - 1e-3:
        assert bucket.wait(LIST, time + part * wait) > 0


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("seed", [1, 2])
async def test_clients_of_one_token_share_it(seed: int, count: int) -> None:
    """Independent programs that know nothing of each other: fair parts, hardly a refusal."""
    rng, server = seeded(seed), CanvasServer()
    runs = [
        CanvasRun(server, Scheduler(CostBucket()), rng, network=Network(rng)) for _ in range(count)
    ]
    warm = [asyncio.create_task(run.saturate(140.0, 30)) for run in runs]
    await asyncio.sleep(20.0)
    before = [run.tally.spent for run in runs]
    await asyncio.gather(*warm)
    spent = [run.tally.spent - was for run, was in zip(runs, before, strict=True)]
    fair = sum(spent) / count
    assert all(0.45 * fair <= each <= 1.8 * fair for each in spent), spent
    assert sum(spent) >= 9.0 * 120
    assert server.refusals <= 6


async def test_a_second_program_gets_its_part() -> None:
    """The first one has had the token alone for 60 s."""
    rng, server = seeded(4), CanvasServer()
    runs = [CanvasRun(server, Scheduler(CostBucket()), rng, network=Network(rng)) for _ in range(2)]
    first = asyncio.create_task(runs[0].saturate(200.0, 40))
    await asyncio.sleep(60.0)
    second = asyncio.create_task(runs[1].saturate(140.0, 40))
    await asyncio.sleep(30.0)
    before = [run.tally.spent for run in runs]
    await asyncio.gather(first, second)
    spent = [run.tally.spent - was for run, was in zip(runs, before, strict=True)]
    assert min(spent) >= 0.35 * sum(spent), spent


async def test_deadlines_do_not_idle_the_server() -> None:
    """Callers with a deadline of 1 s: as many calls are served as without."""

    async def served(deadline: float | None) -> int:
        run = rig(7)
        loop = asyncio.get_running_loop()

        async def caller() -> None:
            while True:
                try:
                    limit = None if deadline is None else loop.time() + deadline
                    await run.call(deadline=limit)
                except QuotaError as error:
                    await asyncio.sleep(min(1.0, max(0.05, error.wait)))

        callers = [asyncio.create_task(caller()) for _ in range(50)]
        await asyncio.sleep(40)
        for each in callers:
            each.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        return run.server.admitted

    assert await served(1.0) >= 0.9 * await served(None)


async def test_interactive_calls_with_a_deadline_beside_bulk() -> None:
    """None is turned away that would be answered in time."""
    run = rig(3, cost=1.5)
    bulk = asyncio.create_task(run.saturate(80.0, 100, lane="bulk"))
    await asyncio.sleep(10)
    for _ in range(60):
        await asyncio.sleep(1.0)
        began = now()
        await run.call(deadline=began + 2.0)
        assert now() - began <= 2.0
    await bulk


@settings(max_examples=10)
@given(seconds=st.floats(1.0, 120.0), seed=st.integers(0, 100))
async def test_the_rate_returns_after_an_outage(seconds: float, seed: int) -> None:
    """Whatever its length: within 15 s, with at most 10 refusals and one each two seconds."""
    rng = seeded(seed)
    server = TokenServer()
    run = TokenRun(server, Scheduler(TokenBucket()), rng, Network(rng, 0.02, 0.02), lambda _: 0.2)
    loop = asyncio.get_running_loop()

    def change(rate: float) -> None:
        server.arrive(loop.time())
        server.rate, server.level = rate, 0.0

    loop.call_later(30.0, change, 0.0)
    loop.call_later(30.0 + seconds, change, 5.0)
    callers = [asyncio.create_task(run.pages(10**6, 1, lane="bulk")) for _ in range(20)]
    await asyncio.sleep(30.0)
    before = server.refusals
    await asyncio.sleep(seconds)
    refused = server.refusals - before
    await asyncio.sleep(15.0)
    admitted = server.admitted
    await asyncio.sleep(10.0)
    rate = (server.admitted - admitted) / 10.0
    for each in callers:
        each.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert refused <= 10 + seconds / 2
    assert rate >= 4.4


async def test_a_refused_wildcard_slows_down_wildcards_only() -> None:
    """The server's bucket for them is half of the usual one."""
    rng = seeded(1)
    server = TokenServer(wildcard_rate=1.0, wildcard_capacity=1.0, wildcard_level=1.0)
    run = TokenRun(server, Scheduler(TokenBucket()), rng, Network(rng, 0.02, 0.02), lambda _: 0.2)
    wild = TokenRun(server, run.scheduler, rng, run.network, run.service)
    tasks = [asyncio.create_task(run.pages(10**6, 20)), asyncio.create_task(pages_of(wild, 9))]
    await asyncio.sleep(200)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert run.tally.done >= 3.9 * 200
    assert wild.tally.done >= 0.7 * 200


async def pages_of(run: TokenRun, workers: int) -> None:
    async def worker() -> None:
        while True:
            await run.call(Cost(bucket="wildcard"))

    await asyncio.gather(*(worker() for _ in range(workers)))


async def test_background_calls_get_their_turns() -> None:
    """Bulk calls that wait as long do not take all of the aging grants."""
    run = rig(1)
    others = {lane: rig(2, run.server) for lane in ("bulk", "background")}
    for each in others.values():
        each.scheduler = run.scheduler
    await asyncio.gather(
        run.saturate(200.0, 40),
        *(each.saturate(200.0, 40, lane=lane) for lane, each in others.items()),
    )
    assert others["background"].tally.done >= 0.3 * others["bulk"].tally.done > 20


async def test_a_full_queue_of_one_lane_does_not_close_the_others() -> None:
    """Each lane has its own bound."""
    scheduler = Scheduler(TokenBucket(0.1, 1), max_queue=3)
    await scheduler.acquire()
    waiting = [asyncio.create_task(scheduler.acquire(lane="background")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull, match="3 background calls"):
        await scheduler.acquire(lane="background")
    urgent = asyncio.create_task(scheduler.acquire())
    await asyncio.sleep(25)
    assert urgent.done()
    for each in waiting:
        each.cancel()


async def test_calls_that_wait_end_when_their_client_is_closed() -> None:
    """Those of another client of the same scheduler go on waiting."""
    scheduler, ours, theirs = Scheduler(TokenBucket(0.1, 1)), object(), object()
    await scheduler.acquire()
    scheduler.dismiss(ours)  # nothing waits
    waiting = [asyncio.create_task(scheduler.acquire(owner=who)) for who in (ours, theirs, ours)]
    await asyncio.sleep(1)
    scheduler.dismiss(ours)
    await asyncio.sleep(0)
    for task in (waiting[0], waiting[2]):
        assert isinstance(task.exception(), ClientClosed)
    await asyncio.sleep(10)
    assert waiting[1].done()
    assert scheduler.snapshot().queued["interactive"] == 0


async def test_a_clock_that_leaps_brings_no_quota() -> None:
    """The clock goes a minute ahead while calls wait: at most one token more, and no burst."""
    offset = 0.0

    class Leaping:
        def monotonic(self) -> float:
            return now() + offset

        wall = monotonic

    scheduler = Scheduler(TokenBucket(1.0, 24.0, start_level=0.0), clock=Leaping())  # type: ignore[arg-type]  # a Clock by shape
    granted = 0

    async def call() -> None:
        nonlocal granted
        await scheduler.acquire()
        granted += 1

    calls = [asyncio.create_task(call()) for _ in range(100)]
    await asyncio.sleep(5.5)
    before = granted
    offset = 60.0
    await asyncio.sleep(2.0)
    assert before == 5
    assert granted <= before + 4
    for each in calls:
        each.cancel()


async def test_the_forecast_of_a_new_flow_knows_its_turn() -> None:
    """300 wildcard calls wait in ten flows; one of another flow waits for ten of them."""
    scheduler, wild = Scheduler(TokenBucket()), Cost("search", bucket="wildcard")

    async def call(flow: int) -> None:
        lease = await scheduler.acquire(wild, lane="bulk", flow=flow)
        await asyncio.sleep(0.2)
        lease.end(Outcome.ANSWERED)

    calls = [asyncio.create_task(call(number % 10)) for number in range(300)]
    await asyncio.sleep(5)
    predicted, began = scheduler.wait_estimate(wild, "bulk"), now()
    lease = await scheduler.acquire(wild, lane="bulk", flow="another")
    waited = now() - began
    lease.end(Outcome.UNSENT)
    assert abs(predicted - waited) <= 0.25 * waited + 0.5
    for each in calls:
        each.cancel()
