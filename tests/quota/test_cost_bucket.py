"""The Canvas quota as a pure state machine: sums, headers, margins and input."""

from __future__ import annotations

import heapq
import math
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure.errors import InputError
from aioinstructure.quota import Cost, CostBucket
from aioinstructure.quota.routes import Routes
from aioinstructure.wire.quota_report import QuotaReport
from tests.quota.quota_servers import CanvasServer, seeded

LIST = Cost("list")


def started(bucket: CostBucket | None = None) -> CostBucket:
    bucket = bucket or CostBucket()
    bucket.begin(0.0, fresh=True)
    return bucket


def answered(bucket: CostBucket, now: float, **headers: float) -> None:
    """One call, alone, with a response after 0.1 s."""
    bucket.settle(bucket.take(LIST, now), now + 0.1, QuotaReport(**headers))


def grow(bucket: CostBucket, calls: int = 30) -> float:
    """Make a token known, without load; return the time."""
    for number in range(calls):
        answered(bucket, number * 1.0, cost=0.1, remaining=600.0)
    return float(calls)


def room(bucket: CostBucket, now: float, cost: Cost = LIST) -> int:
    """How many calls may be sent at once."""
    number = 0
    while bucket.wait(cost, now) == 0:
        bucket.take(cost, now)
        number += 1
    return number


def test_first_two_calls_go_alone() -> None:
    """Each until its response; for a second in all, and half a second for interactive ones."""
    bucket = started()
    ticket = bucket.take(LIST, 0.0)
    assert bucket.wait(LIST, 0.0) == 1.0
    assert bucket.wait(LIST, 0.0, urgent=True) == 0.5
    assert bucket.wait(LIST, 0.5, urgent=True) == 0
    assert bucket.wait(LIST, 1.0) == 0
    bucket.settle(ticket, 1.0, QuotaReport(cost=0.2, remaining=600.0))
    bucket = started()
    bucket.settle(bucket.take(LIST, 0.0), 0.3, QuotaReport(cost=0.2, remaining=600.0))
    bucket.take(LIST, 0.3)
    assert bucket.wait(LIST, 0.4) == pytest.approx(0.6)


def test_the_window_opens_with_responses_and_with_time() -> None:
    """One for each response and each second: long calls do not hold up the others."""
    bucket = started()
    grow(bucket, 2)
    assert room(bucket, 2.0) == 4  # 1, two responses, and the time until they came
    assert 0 < bucket.wait(LIST, 2.0) <= 1.0
    assert room(bucket, 4.0) == 2


def test_after_a_pause_four_go_at_once() -> None:
    """A server that was not called for 5 s may have changed."""
    bucket = started()
    now = grow(bucket)
    assert room(bucket, now + 4.0) > 4
    bucket = started()
    assert room(bucket, grow(bucket) + 6.0) == 4


def test_interactive_calls_do_not_wait_for_the_window_of_others() -> None:
    """Four long bulk calls fill the window after a pause; interactive calls have their own."""
    bucket = started()
    now = grow(bucket) + 40.0
    assert room(bucket, now) == 4
    assert bucket.wait(LIST, now) > 0
    assert bucket.wait(LIST, now, urgent=True) == 0


def test_eleven_at_once() -> None:
    """A known, idle token allows 11 calls at the same time, as many as the server does."""
    bucket = started()
    assert room(bucket, grow(bucket)) == 11


def test_politeness_cap() -> None:
    """However large the quota, at most `max_in_flight` calls are concurrent."""
    bucket = started(CostBucket(capacity=1e6, max_in_flight=7))
    for number in range(20):
        answered(bucket, number * 1.0, cost=0.1, remaining=1e6)
    assert room(bucket, 20.0) == 7
    assert bucket.wait(LIST, 20.0) == math.inf


def test_a_header_raises_the_replica_fast_and_lowers_it_slowly() -> None:
    """Of an unexplained 400 units, 60 % are believed at once; then of 600 free ones, 2 %."""
    bucket = started()
    now = grow(bucket)
    answered(bucket, now, cost=0.1, remaining=200.0)
    assert bucket.read(now + 0.1).level == pytest.approx(600.0 - 0.6 * 400.0, abs=2)
    answered(bucket, now + 0.1, cost=0.1, remaining=600.0)
    assert bucket.read(now + 0.2).level < 400.0


def test_the_first_headers_are_believed_at_once() -> None:
    """Others may have filled the bucket of an unknown token."""
    bucket = started()
    answered(bucket, 0.0, cost=0.1, remaining=150.0)
    assert bucket.read(0.1).level == pytest.approx(150.0)
    answered(bucket, 0.1, cost=0.1, remaining=100.0)
    assert bucket.read(0.2).level == pytest.approx(100.0)


def test_a_header_says_nothing_about_calls_sent_at_the_same_moment() -> None:
    """Responses that arrive together each let a call go, which no header of theirs contains."""
    bucket = started()
    now = grow(bucket)
    tickets = [bucket.take(LIST, now) for _ in range(8)]
    for number, ticket in enumerate(tickets):
        bucket.settle(ticket, now + 0.3, QuotaReport(cost=3.0, remaining=250.0 + 50.0 * number))
        bucket.take(LIST, now + 0.3)
    # Eight reservations are out, and 24 units were spent, 3 of which have leaked.
    assert bucket.read(now + 0.3).level == pytest.approx(600.0 - 400.0 - 21.0, abs=10.0)


def test_no_headers() -> None:
    """Without headers, calls are charged the time that they took, and leave a margin."""
    bucket = started()
    for number in range(30):
        answered(bucket, number * 1.0)
    assert 5 <= room(bucket, 30.0) <= 11
    slow = started()
    ticket = slow.take(LIST, 0.0)
    slow.settle(ticket, 100.0)
    assert slow.read(100.0).level == pytest.approx(550.0)


@pytest.mark.parametrize("cost", [5_000.0, 700.0, 12.0])
def test_heaviest_route_is_not_stuck(cost: Any) -> None:
    """A route that costs more than the capacity is sent when there is room for a call."""
    bucket = started()
    bucket.settle(bucket.take(LIST, 0.0), 0.1, QuotaReport(cost=cost, remaining=600.0))
    assert bucket.wait(LIST, 5_000.0) == 0


def test_a_refusal_is_a_header_and_a_wider_margin() -> None:
    """There is no pause: calls go on as soon as the headroom is there. The margin fades."""
    bucket = started()
    now = grow(bucket)
    first, second = bucket.take(LIST, now), bucket.take(LIST, now)
    needed = [600 - 50 * room(bucket, now)]
    bucket.refused(first, now + 0.1, QuotaReport(remaining=40.0))
    bucket.refused(second, now + 0.1, QuotaReport(remaining=40.0))  # met the same full bucket
    assert bucket.read(now + 0.1).level < 120.0
    assert 0 < bucket.wait(LIST, now + 0.1) < 8.0
    calm = started()
    later = grow(calm)
    calm.refused(calm.take(LIST, later), later, QuotaReport(remaining=500.0))
    needed.append(600 - 50 * room(calm, later + 8.0))
    assert needed[1] >= needed[0]


def test_a_refusal_without_a_header() -> None:
    """Less than a reservation is left; the next calls wait for the leak."""
    bucket = started()
    now = grow(bucket)
    bucket.refused(bucket.take(LIST, now), now)
    assert bucket.read(now).level == pytest.approx(50.0)
    assert 1.0 < bucket.wait(LIST, now) < 6.0


def test_capacity_is_learned_upwards() -> None:
    """More than the capacity remaining is a larger capacity."""
    bucket = started()
    answered(bucket, 0.0, cost=0.1, remaining=700.0)
    assert bucket.read(0.2).learned == {"capacity": 700.0}
    assert [(one.limit, one.value) for one in bucket.pending_changes] == [("capacity", 700.0)]


def test_capacity_is_learned_downwards() -> None:
    """Two lone calls in a row that see exactly the same see an empty bucket: all of it."""
    bucket = started()
    grow(bucket)
    answered(bucket, 40.0, cost=0.1, remaining=300.0)
    answered(bucket, 80.0, cost=0.1, remaining=300.5)
    assert bucket.read(81.0).capacity == 600.0
    answered(bucket, 120.0, cost=0.1, remaining=300.5)
    assert bucket.read(121.0).capacity == 300.5
    assert bucket.read(121.0).level == pytest.approx(300.5)
    answered(bucket, 160.0, cost=0.1, remaining=600.0)
    assert bucket.read(161.0).learned == {}


def test_two_calls_at_once_show_no_capacity() -> None:
    """The reservation of the other one is in the header."""
    bucket = started()
    now = grow(bucket)
    for at in (now, now + 1.0, now + 2.0):
        first, second = bucket.take(LIST, at), bucket.take(LIST, at)
        bucket.settle(first, at + 0.1, QuotaReport(cost=0.1, remaining=550.0))
        bucket.settle(second, at + 0.2, QuotaReport(cost=0.1, remaining=600.0))
    assert bucket.read(now + 3.0).capacity == 600.0


def shared(bucket: CostBucket, seconds: float, *, others: float) -> float:
    """One call each 0.2 s, while others spend so many units a second; return the time."""
    now, count = grow(bucket), 0.0
    end = now + seconds
    while now < end:
        ticket = bucket.take(LIST, now)
        now += 0.2
        count = max(0.0, count + 0.2 * (others - 10.0)) + 0.2
        bucket.settle(ticket, now, QuotaReport(cost=0.2, remaining=600.0 - count))
    return now


def test_others_widen_the_margin_and_are_forgotten() -> None:
    """Beside a client that spends more than the leak, calls need more room, until it is gone."""
    alone, beside = started(), started()
    now = shared(alone, 20.0, others=0.0)
    assert room(alone, now) == 11
    shared(beside, 20.0, others=25.0)
    level = beside.read(now).level
    assert level == pytest.approx(600.0 - 20.0 * 16.0, abs=60)
    calls = room(beside, now)
    left = level - 50.0 * calls
    quiet = started(CostBucket(capacity=level))
    assert calls < room(quiet, grow(quiet)), (left, level)


@pytest.mark.parametrize(
    ("cost", "remaining"),
    [(math.nan, math.nan), (-1.0, math.inf), (math.inf, -math.inf), (1e300, 1e300), (None, None)],
)
def test_invalid_headers(cost: Any, remaining: Any) -> None:
    """They are as if absent: the call is charged the time that it took."""
    bucket = started()
    for number in range(10):
        answered(bucket, number * 1.0, cost=cost, remaining=remaining)
    assert bucket.read(10.0).level == pytest.approx(600.0)
    assert bucket.read(10.0).learned == {}


def test_an_abandoned_call_holds_its_reservation_until_the_server_has_ended_it() -> None:
    """1.5 usual latencies after it was sent; then the usual cost is charged."""
    bucket = started()
    now = grow(bucket)  # calls of 0.1 s and 0.1 units
    bucket.abandon(bucket.take(LIST, now), now + 0.05)
    assert bucket.read(now + 0.14).level == pytest.approx(550.0, abs=1.5)
    assert bucket.read(now + 0.16).level == pytest.approx(600.0, abs=0.2)
    late = bucket.take(LIST, now + 1.0)
    bucket.abandon(late, now + 9.0)  # the server has ended it before
    assert bucket.read(now + 9.0).level == pytest.approx(600.0, abs=1.0)


def test_an_abandoned_call_of_an_unknown_route() -> None:
    """Its latency is unknown: at least as long as it was waited for, and 0.3 s."""
    bucket = started()
    bucket.abandon(bucket.take(LIST, 0.0), 2.0)
    assert bucket.read(2.9).level < 560.0 + 29.0
    assert bucket.read(3.1).level == pytest.approx(600.0)


def test_the_timer_knows_abandoned_calls() -> None:
    """`wait` is not later than the return of a reservation that makes room."""
    bucket = started()
    now = grow(bucket)
    tickets = [bucket.take(LIST, now) for _ in range(11)]
    assert bucket.wait(LIST, now) > 0.15
    for ticket in tickets:
        bucket.abandon(ticket, now)
    assert bucket.wait(LIST, now) == pytest.approx(0.15, abs=1e-6)


def test_refund() -> None:
    """A call that was not sent costs nothing."""
    bucket = started()
    now = grow(bucket)
    bucket.refund(bucket.take(LIST, now), now)
    assert bucket.read(now).level == pytest.approx(600.0)


def test_calls_are_spaced_on_a_slow_network() -> None:
    """There, the surprise is large; calls in bunches would make the count swing."""
    bucket = started()
    now = grow(bucket)
    for number in range(40):
        ticket = bucket.take(LIST, now)
        now += 0.2
        remaining = 300.0 if number % 2 else 500.0
        bucket.settle(ticket, now, QuotaReport(cost=0.3, remaining=remaining))
    room(bucket, now)
    waits = []
    for _ in range(3):
        now += (wait := bucket.wait(LIST, now))
        if bucket.wait(LIST, now) == 0:
            bucket.take(LIST, now)
            waits.append(wait)
    assert any(0.02 < wait <= 0.2 for wait in waits), waits


def test_a_leap_of_the_clock_brings_nothing() -> None:
    """What has leaked is unknown until the next header."""
    bucket = started()
    now = grow(bucket)
    answered(bucket, now, cost=300.0, remaining=300.0)
    bucket.leap(now + 86_400.0)
    assert bucket.read(now + 86_400.0).level == pytest.approx(300.0, abs=2)
    assert room(bucket, now + 86_400.0) <= 4


def test_reset_keeps_the_capacity() -> None:
    """After an OAuth refresh, the bucket of the new token is empty; tickets of the old one are void."""
    bucket = started()
    answered(bucket, 0.0, cost=0.1, remaining=700.0)
    ticket = bucket.take(LIST, 1.0)
    bucket.reset(2.0)
    bucket.settle(ticket, 2.1, QuotaReport(cost=500.0, remaining=100.0))
    assert bucket.read(2.1).level == 700.0
    bucket.take(LIST, 2.1)
    assert bucket.wait(LIST, 2.1) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["capacity", "leak", "reservation", "max_in_flight"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_impossible_limits(name: Any, value: Any) -> None:
    """Limits are finite and above 0."""
    with pytest.raises(InputError, match=name):
        CostBucket(**{name: value})


def test_impossible_combinations() -> None:
    """A reservation that nearly fills the bucket; units that are no number."""
    with pytest.raises(InputError, match="reservation"):
        CostBucket(capacity=50)
    with pytest.raises(InputError):
        started().check(Cost(units=math.nan))
    with pytest.raises(InputError, match="token bucket"):
        started().set_rate(1.0, None, 0.0)


def test_the_number_of_routes_is_bounded() -> None:
    """Ten thousand routes do not take unbounded memory, and the sums stay right."""
    routes = Routes()
    for number in range(10_000):
        routes.note(f"route-{number}", 0.1, 0.2)
    assert routes.cost("route-9999") == pytest.approx(0.1)
    assert routes.seconds("unknown") == pytest.approx(0.2)
    assert sys.getsizeof(routes._routes) < 400_000  # noqa: SLF001 - its memory is not public


@given(
    seed=st.integers(0, 10_000),
    cost=st.floats(0.01, 20),
    latency=st.floats(0.1, 5),
    delay=st.floats(0.001, 0.02),
)
@settings(max_examples=settings().max_examples * 3 // 10)  # each is two minutes of traffic
def test_never_refused_when_parameters_are_known(
    seed: Any, cost: Any, latency: Any, delay: Any
) -> None:
    """With the default limits and a fast network, two minutes of saturation get no refusal.

    The replica is never more than two reservations and a second of leak below the server: a call
    on its way there, while the response to another one on its way back has emptied the replica.
    """
    rng = seeded(seed)
    bucket, server = started(), CanvasServer()
    events: list[Any] = []
    now, number = 0.0, 0
    while now < 120.0:
        wait = bucket.wait(LIST, now)
        due = events[0][0] if events else math.inf
        if now + wait < due:
            now += wait
            if wait == 0:
                number += 1
                at = now + delay * rng.random()
                heapq.heappush(events, (at, number, "arrive", bucket.take(LIST, now), None))
            continue
        now, _, what, ticket, said = heapq.heappop(events)
        number += 1
        if what == "arrive":
            admitted, reserved = server.arrive(now)
            assert admitted
            end = now + latency * rng.uniform(0.5, 1.5)
            heapq.heappush(events, (end, number, "finish", ticket, reserved))
        elif what == "finish":
            charge = cost * rng.uniform(0.5, 1.5)
            headers = (charge, server.finish(now, charge, said))
            back = now + delay * rng.random()
            heapq.heappush(events, (back, number, "respond", ticket, headers))
        else:
            bucket.settle(ticket, now, QuotaReport(cost=said[0], remaining=said[1]))
            level = 600.0 - bucket.read(now).level
            assert server.level_at(now) - level <= 110.0


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["take", "take", "settle", "refund", "abandon", "refused", "reset"]),
            st.floats(-1e6, 1e9) | st.floats(0, 1),
            st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(-200, 700),
            st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 100),
        ),
        max_size=60,
    )
)
@settings(max_examples=200, deadline=None)
def test_no_sequence_corrupts_it(steps: Any) -> None:
    """After any operations, times and headers, an idle bucket grants calls."""
    bucket, now, tickets = started(), 0.0, []
    for what, by, remaining, cost in steps:
        now += by
        if what == "take":
            if bucket.wait(LIST, now) <= 0:
                tickets.append(bucket.take(LIST, now))
        elif what == "reset":
            bucket.reset(now)
        elif tickets and what == "settle":
            bucket.settle(tickets.pop(), now, QuotaReport(cost=cost, remaining=remaining))
        elif tickets and what == "refused":
            bucket.refused(tickets.pop(), now, QuotaReport(remaining=remaining, retry_after=cost))
        elif tickets:
            getattr(bucket, what)(tickets.pop(), now)
        reading = bucket.read(now)
        assert math.isfinite(reading.level)
        assert reading.level <= reading.capacity
        assert reading.rate > 0
    for ticket in tickets:
        bucket.abandon(ticket, now)
    assert 0 <= bucket.wait(LIST, now) < math.inf
