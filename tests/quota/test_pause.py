"""A Retry-After of the bucket: how long it stops the queue, and who asks again."""

from __future__ import annotations

import asyncio
import logging
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure import QuotaError, Request, Response
from aioinstructure.quota import Outcome, Scheduler, TokenBucket
from aioinstructure.quota.pause import RefusalPause
from aioinstructure.testing import reply
from aioinstructure.wire.quota_report import QuotaReport
from tests.transport.rig import ab_on, always, canvas_on, now, running_clock, throttled, timed


def full(**options: Any) -> Scheduler:
    return Scheduler(TokenBucket(1000.0, 1000.0), clock=running_clock(), **options)


def refusal(seconds: str) -> Response:
    return reply({"errors": []}, status=429, headers={"retry-after": seconds})


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=12))
def test_each_pause_is_bounded(asked: list[float]) -> None:
    """What was asked for, at most a minute at first, twice as much each time, then five minutes."""
    pause, time = RefusalPause(), 1000.0
    for place, seconds in enumerate(asked):
        pause.sent(0.0)
        pause.refused(time, time, seconds)
        assert pause.wait(time) == pytest.approx(min(seconds, 60 * 2**place, 300))
        time = pause.until
    pause.sent(0.0)
    pause.ended(time, answered=True)
    pause.refused(time, time, 1e9)
    assert pause.wait(time) == pytest.approx(60)


@pytest.mark.parametrize("asked", [None, 0.0])
def test_a_refusal_that_asks_for_nothing_is_no_pause(asked: float | None) -> None:
    """The replica of the limit decides alone."""
    pause = RefusalPause()
    pause.sent(0.0)
    pause.refused(5.0, 5.0, asked)
    assert pause.wait(5.0) == 0
    pause.sent(0.0)
    assert pause.wait(5.0) == 0


def test_a_clock_that_went_back_makes_no_pause_longer() -> None:
    """It is never longer than five minutes."""
    pause = RefusalPause()
    pause.refused(1e6, 1e6, 60.0)
    assert pause.wait(0.0) == 300


async def test_calls_in_flight_that_are_refused_together_are_one_refusal() -> None:
    """The pause does not double with each of them."""
    scheduler = full()
    leases = [await scheduler.acquire() for _ in range(20)]
    for lease in leases:
        lease.end(Outcome.REFUSED, QuotaReport(retry_after=1e6))
    assert scheduler.snapshot().blocked == pytest.approx(60, abs=0.01)


async def test_after_a_pause_one_call_asks_and_the_others_follow_its_answer() -> None:
    """None is sent while it is under way, unless it takes more than 5 s: it may hang."""
    scheduler = full()
    (await scheduler.acquire()).end(Outcome.REFUSED, QuotaReport(retry_after=30.0))
    start = now()
    waiting = [asyncio.create_task(scheduler.acquire()) for _ in range(5)]
    done, _ = await asyncio.wait(waiting, timeout=34)
    (first,) = done
    assert scheduler.snapshot().in_flight == 1
    await asyncio.sleep(2)
    assert scheduler.snapshot().in_flight == 2
    first.result().end(Outcome.ANSWERED)
    leases = await asyncio.gather(*waiting)
    assert now() - start == pytest.approx(36, abs=0.1)
    for lease in leases:
        lease.end(Outcome.ANSWERED)


@pytest.mark.parametrize("outcome", [Outcome.UNANSWERED, Outcome.UNSENT])
async def test_another_call_asks_if_the_first_gets_no_answer(outcome: Outcome) -> None:
    """A lost connection, or a caller that gave up, stops nobody."""
    scheduler = full()
    (await scheduler.acquire()).end(Outcome.REFUSED, QuotaReport(retry_after=30.0))
    (await scheduler.acquire()).end(outcome)
    lease = await asyncio.wait_for(scheduler.acquire(), 1)
    blocked = asyncio.create_task(scheduler.acquire())
    await asyncio.sleep(1)
    assert not blocked.done()
    lease.end(Outcome.ANSWERED)
    (await blocked).end(Outcome.ANSWERED)


async def test_a_reset_ends_a_pause() -> None:
    """It is another bucket on the server."""
    scheduler = full()
    (await scheduler.acquire()).end(Outcome.REFUSED, QuotaReport(retry_after=30.0))
    scheduler.reset()
    assert scheduler.snapshot().blocked == 0
    (await asyncio.wait_for(scheduler.acquire(), 1)).end(Outcome.ANSWERED)


def test_a_call_that_an_old_loop_left_stops_nobody() -> None:
    """The next loop sends another one."""
    scheduler = Scheduler(TokenBucket())

    async def leave() -> None:
        (await scheduler.acquire()).end(Outcome.REFUSED, QuotaReport(retry_after=0.001))
        await scheduler.acquire()

    asyncio.run(leave())
    asyncio.run(asyncio.wait_for(scheduler.acquire(), 5))


@pytest.mark.parametrize("asked", ["3600", "1000000000000000", "Fri, 31 Dec 9999 23:59:59 GMT"])
@pytest.mark.parametrize("service", ["canvas", "abconnect"])
async def test_a_bulk_sync_survives_an_outage(
    caplog: pytest.LogCaptureFixture, service: str, asked: str
) -> None:
    """Fifty calls without a deadline wait; the server gets one of them a minute, then less often."""
    caplog.set_level(logging.WARNING)
    times: list[float] = []
    refused = throttled(retry_after=asked) if service == "canvas" else refusal(asked)
    start = now()

    def server(_: Request) -> Response:
        return refused if now() < start + 1000 else reply([] if service == "canvas" else {})

    replies = timed([always(Response(200)), *[server] * 400], times)
    client = canvas_on(replies)[0] if service == "canvas" else ab_on(replies)[0]
    await client.request("GET", "/api/v1/x")
    calls = [client.request("GET", f"/api/v1/x{number}") for number in range(50)]
    responses = await asyncio.gather(*calls)
    assert {response.status for response in responses} == {200}
    asking = [time for time in times if start + 1 < time < start + 1000]
    assert [round(later - earlier) for earlier, later in pairwise(asking)] == [120, 240, 300]
    assert now() - start < 1400
    assert 1 <= len(caplog.records) <= 5
    assert "refuses calls" in caplog.records[0].message


async def test_a_call_with_a_deadline_is_refused_at_once() -> None:
    """The pause is longer than its deadline: nothing is sent."""
    scheduler = full()
    (await scheduler.acquire()).end(Outcome.REFUSED, QuotaReport(retry_after=50.0))
    with pytest.raises(QuotaError) as caught:
        await scheduler.acquire(deadline=now() + 20)
    assert caught.value.wait == pytest.approx(50, abs=0.1)
    assert math.isfinite(scheduler.wait_estimate())
