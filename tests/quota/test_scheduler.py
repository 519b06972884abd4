"""The scheduler in virtual time: turns, deadlines, cancellation, loops and events."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
from typing import Any

import pytest

from aioinstructure.errors import (
    ClientClosed,
    InputError,
    QueueFull,
    QuotaError,
)
from aioinstructure.quota import (
    Answered,
    Cost,
    CostBucket,
    LimitLearned,
    Outcome,
    Queued,
    Refused,
    Retried,
    Scheduler,
    Sent,
    TokenBucket,
)
from aioinstructure.testing import VirtualLoop
from aioinstructure.wire.quota_report import QuotaReport
from tests.counting import counted_calls
from tests.quota.quota_servers import seeded

WILD = Cost(bucket="wildcard")


def slow(**options: Any) -> Scheduler:
    """One token a second, none saved."""
    return Scheduler(TokenBucket(1.0, 1.0, start_level=0.0), **options)


def now() -> float:
    return asyncio.get_running_loop().time()


def order_of(scheduler: Any, record: Any, name: Any, **options: Any) -> Any:
    async def call() -> None:
        lease = await scheduler.acquire(**options)
        record.append((name, now()))
        lease.end(Outcome.ANSWERED)

    return asyncio.create_task(call())


async def test_burst_then_pace() -> None:
    """24 calls are granted in the same iteration, the 25th a fifth of a second later."""
    scheduler, start = Scheduler(TokenBucket()), now()
    for _ in range(24):
        await scheduler.acquire()
    assert now() - start < 0.001
    await scheduler.acquire()
    assert now() - start == pytest.approx(0.2, abs=0.001)


async def test_interactive_goes_first() -> None:
    """Interactive goes before bulk, and bulk before background, in any order of arrival."""
    scheduler = slow()
    record: list[tuple[Any, float]] = []
    tasks = [
        order_of(scheduler, record, lane, lane=lane)
        for lane in ("background", "bulk", "interactive", "background", "bulk", "interactive")
    ]
    await asyncio.gather(*tasks)
    assert [name for name, _ in record] == ["interactive"] * 2 + ["bulk"] * 2 + ["background"] * 2


async def test_aging() -> None:
    """Beside endless interactive calls, one grant in 20 goes to bulk that waited over 10 s."""
    scheduler = slow()
    record: list[tuple[Any, float]] = []
    tasks = [order_of(scheduler, record, "bulk", lane="bulk") for _ in range(3)]
    tasks += [order_of(scheduler, record, "interactive") for _ in range(80)]
    await asyncio.gather(*tasks)
    places = [place for place, (name, _) in enumerate(record) if name == "bulk"]
    assert places == [19, 39, 59]


async def test_wildcards_do_not_delay_other_calls() -> None:
    """Ten wildcard calls take 4.5 seconds; thirteen plain ones after them are granted at once."""
    scheduler, start = Scheduler(TokenBucket()), now()
    record: list[tuple[Any, float]] = []
    tasks = [order_of(scheduler, record, "wild", cost=WILD) for _ in range(10)]
    tasks += [order_of(scheduler, record, "plain") for _ in range(13)]
    await asyncio.gather(*tasks)
    assert max(at for name, at in record if name == "plain") - start < 0.001
    assert max(at for name, at in record if name == "wild") - start == pytest.approx(4.5, abs=0.01)


async def test_retry_is_next_of_its_flow() -> None:
    """A retry goes before the earlier calls of its flow."""
    scheduler = slow()
    record: list[tuple[Any, float]] = []
    tasks = [order_of(scheduler, record, n, flow="a") for n in range(3)]
    await asyncio.sleep(0)
    tasks.append(order_of(scheduler, record, "again", flow="a", again=True))
    await asyncio.gather(*tasks)
    assert [name for name, _ in record] == ["again", 0, 1, 2]


async def test_cancelled_waiters_lose_nothing() -> None:
    """10,000 waiters cancelled at random, some just as they are granted: no token is lost."""
    rng = seeded(7)
    scheduler, got = Scheduler(TokenBucket(1_000.0, 1_000.0)), []

    async def call() -> None:
        lease = await scheduler.acquire(flow=rng.randrange(10))
        got.append(lease)
        lease.end(Outcome.ANSWERED)

    start = now()
    tasks = [asyncio.create_task(call()) for _ in range(10_000)]
    while any(not task.done() for task in tasks):
        for task in rng.sample(tasks, 300):
            task.cancel()
        await asyncio.sleep(rng.choice([0, 0, 0.001, 0.05]))
    elapsed = now() - start
    assert scheduler.snapshot().granted == len(got) > 1_000
    left = min(1_000.0, 1_000.0 * (elapsed + 1) - len(got))
    assert scheduler.snapshot().level == pytest.approx(left, abs=1.1)
    assert scheduler.snapshot().in_flight == 0
    assert sum(scheduler.snapshot().queued.values()) == 0
    assert len(asyncio.all_tasks()) == 1


async def test_cancelled_at_the_moment_of_the_grant() -> None:
    """A waiter granted and cancelled in the same iteration passes its token to the next."""
    scheduler = Scheduler(TokenBucket(1.0, 1.0))
    holder = await scheduler.acquire()
    first = asyncio.create_task(scheduler.acquire())
    second = asyncio.create_task(scheduler.acquire())
    await asyncio.sleep(0)
    holder.end(Outcome.UNSENT)
    first.cancel()
    start = now()
    lease = await second
    assert now() - start < 0.001
    lease.end(Outcome.ANSWERED)
    assert scheduler.snapshot().granted == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_deadline_is_checked_before_queueing() -> None:
    """A wait that would pass the deadline is an error at once, with the wait; it takes little work."""
    scheduler = slow()
    waiting = [asyncio.create_task(scheduler.acquire(flow=n)) for n in range(2_000)]
    await asyncio.sleep(0)
    started = now()
    with counted_calls() as count:
        for _ in range(100):
            with pytest.raises(QuotaError) as caught:
                await scheduler.acquire(deadline=now() + 1.0)
            assert caught.value.wait > 1.0
    assert now() == started
    assert count.calls < 200 * 100  # the first looks at every flow, the others do not
    for task in waiting:
        task.cancel()


async def test_deadline_counts_the_flows_turn_only() -> None:
    """A new flow beside one with a thousand waiters is accepted: its turn comes soon."""
    scheduler = slow()
    waiting = [asyncio.create_task(scheduler.acquire(flow="long")) for _ in range(1_000)]
    await asyncio.sleep(0)
    lease = await scheduler.acquire(flow="new", deadline=now() + 5.0)
    lease.end(Outcome.ANSWERED)
    for task in waiting:
        task.cancel()


async def test_deadline_in_the_queue() -> None:
    """A deadline that passes in the queue, because others went first, is an error on time."""
    scheduler, start = slow(), now()
    late = asyncio.create_task(scheduler.acquire(lane="background", deadline=start + 2.5))
    await asyncio.sleep(0)
    urgent = [asyncio.create_task(scheduler.acquire()) for _ in range(5)]
    with pytest.raises(QuotaError) as caught:
        await late
    assert now() - start == pytest.approx(2.5, abs=0.001)
    assert caught.value.wait > 0
    await asyncio.gather(*urgent)
    assert sum(scheduler.snapshot().queued.values()) == 0


async def test_queue_is_bounded() -> None:
    """Beyond `max_queue` waiters a call is rejected; a retry is not."""
    scheduler = slow(max_queue=2)
    waiting = [asyncio.create_task(scheduler.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull) as caught:
        await scheduler.acquire()
    assert caught.value.wait > 2
    (await scheduler.acquire(again=True)).end(Outcome.ANSWERED)
    await asyncio.gather(*waiting)


@pytest.mark.parametrize(
    "options",
    [
        {"weight": 0},
        {"weight": -1},
        {"weight": math.nan},
        {"lane": "urgent"},
        {"cost": Cost(units=25)},
        {"cost": Cost(units=-1)},
    ],
)
async def test_bad_input(options: Any) -> None:
    """What can never be granted is rejected before it waits."""
    with pytest.raises(InputError):
        await Scheduler(TokenBucket()).acquire(**options)


async def test_set_rate_wakes_waiters() -> None:
    """A higher rate applies at once to waiting calls; a smaller burst loses none of them."""
    scheduler, start = slow(), now()
    waiting = [asyncio.create_task(scheduler.acquire()) for _ in range(10)]
    await asyncio.sleep(0.5)
    scheduler.set_rate(100.0, burst=5.0)
    await asyncio.gather(*waiting)
    assert now() - start < 0.7
    with pytest.raises(InputError):
        scheduler.set_rate(-1.0)
    with pytest.raises(InputError, match="token bucket"):
        Scheduler(CostBucket()).set_rate(1.0)


async def test_burst_below_a_waiter() -> None:
    """A burst below the cost of a waiter is refused."""
    scheduler = Scheduler(TokenBucket(1.0, 10.0, start_level=0.0))
    task = asyncio.create_task(scheduler.acquire(Cost(units=8)))
    await asyncio.sleep(0)
    with pytest.raises(InputError, match="a queued call needs more"):
        scheduler.set_rate(1.0, burst=4.0)
    await task


async def test_reset_keeps_the_queue() -> None:
    """After a reset the waiters are granted from the new bucket."""
    scheduler = Scheduler(TokenBucket(1.0, 5.0, start_level=0.0))
    waiting = [asyncio.create_task(scheduler.acquire()) for _ in range(5)]
    await asyncio.sleep(0)
    scheduler.reset()
    start = now()
    await asyncio.gather(*waiting)
    assert now() - start < 0.001


async def test_first_ending_counts() -> None:
    """Of several endings of a lease, the first one counts."""
    scheduler = Scheduler(TokenBucket())
    lease = await scheduler.acquire()
    lease.end(Outcome.UNSENT)
    lease.end(Outcome.UNSENT)
    lease.end(Outcome.REFUSED)
    lease.end(Outcome.ANSWERED)
    lease.end(Outcome.UNANSWERED)
    reading = scheduler.snapshot()
    assert (reading.level, reading.in_flight, reading.throttles) == (24, 0, 0)


async def test_events_and_log(caplog: Any) -> None:
    """A listener gets typed events; a refusal and a learned limit are one log line each."""
    events: list[Any] = []
    scheduler = slow(listener=events.append, name="https://canvas.test")
    with caplog.at_level(logging.INFO, "aioinstructure.quota"):
        (await scheduler.acquire(Cost("a"))).end(Outcome.REFUSED, QuotaReport(retry_after=3.0))
        lease = await scheduler.acquire(Cost("a"), again=True)
        lease.end(Outcome.ANSWERED, QuotaReport(cost=1.0, remaining=2.0))
        await asyncio.sleep(0)
    assert [type(event) for event in events] == [
        Queued, Sent, Refused, LimitLearned, Retried, Sent, Answered,
    ]  # fmt: skip
    assert events[4] == Retried("a", "interactive")
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert "quota=https://canvas.test" in caplog.text


async def test_failing_listener_is_reported_by_the_loop() -> None:
    """Its exception goes to the handler of the loop and disturbs no call."""
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))

    def listener(event: object) -> None:
        raise ValueError(event)

    scheduler = slow(listener=listener)
    (await scheduler.acquire()).end(Outcome.ANSWERED)
    await asyncio.sleep(0)
    assert len(errors) == 3


def test_snapshot_outside_of_a_loop() -> Any:
    """Outside of a loop no time passes: snapshots and rates work, start levels are kept."""
    scheduler = Scheduler(TokenBucket(start_level=3.0), name="ab")
    scheduler.set_rate(2.0)
    assert scheduler.snapshot().level == 3.0

    async def main() -> float:
        await scheduler.acquire()
        return scheduler.snapshot().level

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == pytest.approx(2.0, abs=0.01)
    assert scheduler.snapshot().granted == 1


@pytest.mark.parametrize("limiter", [lambda: TokenBucket(1.0, 1.0), CostBucket])
def test_loop_closed_with_waiters(limiter: Any) -> Any:
    """A loop closed with waiters and calls in flight does not break a later one."""
    scheduler = Scheduler(limiter())
    leases = []

    async def left_behind() -> None:
        leases.append(await scheduler.acquire())
        await asyncio.gather(*(scheduler.acquire() for _ in range(30)))

    loop = VirtualLoop()
    task = loop.create_task(left_behind())
    loop.run_until_complete(asyncio.sleep(0.5))
    loop.close()

    async def later() -> int:
        for _ in range(3):
            (await scheduler.acquire()).end(Outcome.ANSWERED)
        leases[0].end(Outcome.ANSWERED)
        return scheduler.snapshot().in_flight

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(later()) == 0
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - intentionally left pending
    del task
    gc.collect()


@pytest.mark.real_loop
async def test_second_running_loop() -> None:
    """While one loop uses the scheduler, the loop of another thread gets an error."""
    scheduler = Scheduler(TokenBucket())
    await scheduler.acquire()

    async def other() -> None:
        with pytest.raises(ClientClosed, match="another event loop"):
            await scheduler.acquire()

    await asyncio.to_thread(asyncio.run, other())


async def test_wait_estimate_and_snapshot() -> None:
    """The estimate is what a call then waits; the snapshot counts all lanes."""
    scheduler = slow(name="ab")
    assert scheduler.wait_estimate() == pytest.approx(1.0, abs=0.01)
    waiting = [
        asyncio.create_task(scheduler.acquire(lane=lane))
        for lane in ("interactive", "bulk", "bulk", "background")
    ]
    await asyncio.sleep(0)
    snapshot = scheduler.snapshot()
    assert snapshot.queued == {"interactive": 1, "bulk": 2, "background": 1}
    assert snapshot.name == "ab"
    assert scheduler.wait_estimate(lane="background") == pytest.approx(5.0, abs=0.1)
    start = now()
    await asyncio.gather(*waiting)
    assert now() - start == pytest.approx(4.0, abs=0.01)
    with pytest.raises(InputError):
        scheduler.wait_estimate(Cost(units=2))


async def test_clock_jumps() -> None:
    """A clock that goes back or far ahead while calls wait loses none of them."""
    scheduler = slow()
    loop: Any = asyncio.get_running_loop()
    waiting = [asyncio.create_task(scheduler.acquire()) for _ in range(5)]
    await asyncio.sleep(1.5)
    loop._now -= 500.0  # noqa: SLF001 - no public method sets a clock back
    scheduler.wait_estimate()
    await asyncio.sleep(1.0)
    loop._now += 1e6  # noqa: SLF001
    await asyncio.gather(*waiting)
    assert scheduler.snapshot().granted == 5


async def test_bad_queue_length() -> None:
    """A negative queue length is refused."""
    with pytest.raises(InputError):
        Scheduler(TokenBucket(), max_queue=-1)
