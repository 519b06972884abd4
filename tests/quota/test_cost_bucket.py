"""The Canvas quota as a pure state machine: sums, headers, learning and input."""

from __future__ import annotations

import heapq
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure.errors import InputError
from aioinstructure.quota import Cost, CostBucket
from aioinstructure.quota.estimators import Ramp
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


def test_first_call_goes_alone() -> None:
    """Nothing is known about a new token: the second call waits for the first response."""
    bucket = started()
    ticket = bucket.take(LIST, 0.0)
    assert bucket.wait(LIST, 0.0) == math.inf
    bucket.settle(ticket, 0.3, QuotaReport(cost=0.2, remaining=600.0))
    assert bucket.wait(LIST, 0.3) == 0


def test_eleven_at_once() -> None:
    """A known, idle token allows 11 calls within 20 ms, as many as the server would."""
    bucket = started()
    now = grow(bucket)
    assert room(bucket, now) + room(bucket, now + 0.02) == 11


def test_politeness_cap() -> None:
    """However large the quota, at most `max_in_flight` calls are concurrent."""
    bucket = started(CostBucket(capacity=1e6, max_in_flight=7))
    for number in range(20):
        answered(bucket, number * 1.0, cost=0.1, remaining=1e6)
    assert room(bucket, 20.0) == 7


def test_header_raises_at_once_and_lowers_slowly() -> None:
    """A header of 200 is believed at once, and one of 600 soon after is not."""
    bucket = started()
    now = grow(bucket)
    answered(bucket, now, cost=0.1, remaining=200.0)
    assert bucket.read(now + 0.1).level == pytest.approx(200.0)
    answered(bucket, now + 0.1, cost=0.1, remaining=600.0)
    assert bucket.read(now + 0.2).level < 300.0


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


def test_heavy_route_waits_for_room() -> None:
    """A route that costs 300 waits while less is left, though the server would accept it."""
    bucket = started()
    now = grow(bucket)
    heavy = Cost("report")
    bucket.settle(bucket.take(heavy, now), now + 0.1, QuotaReport(cost=300.0, remaining=300.0))
    assert bucket.wait(LIST, now + 0.2) == 0
    assert 0.1 < bucket.wait(heavy, now + 0.2) < 5.0


@pytest.mark.parametrize("cost", [5_000.0, 700.0])
def test_heaviest_route_is_not_stuck(cost: Any) -> None:
    """A route that costs more than the capacity is sent when the bucket is empty."""
    bucket = started()
    bucket.settle(bucket.take(LIST, 0.0), 0.1, QuotaReport(cost=cost, remaining=600.0))
    assert bucket.wait(LIST, 5_000.0) == 0


@pytest.mark.parametrize(("remaining", "least"), [(1.2, 4.88), (-200.0, 25.0), (49.9, 0.01)])
def test_refused_waits_by_the_reported_remaining(remaining: Any, least: Any) -> None:
    """With nothing in flight, a refusal costs (reservation - remaining) / leak and a margin."""
    bucket = started()
    now = grow(bucket)
    bucket.refused(bucket.take(LIST, now), now, QuotaReport(remaining=remaining))
    assert least <= bucket.wait(LIST, now) <= least + 1.2


def test_capacity_is_learned_upwards() -> None:
    """A remaining of 700 proves a capacity of 700."""
    bucket = started()
    answered(bucket, 0.0, cost=0.1, remaining=700.0)
    assert bucket.read(0.1).capacity == 700.0
    assert [
        (pending_changes.limit, pending_changes.value) for pending_changes in bucket.pending_changes
    ] == [("capacity", 700.0)]


def test_capacity_is_learned_downwards() -> None:
    """Lone calls that always see 300, where it should have risen, prove a capacity of 300."""
    bucket = started()
    for number in range(6):
        answered(bucket, number * 1.0, cost=0.1, remaining=300.0)
    assert bucket.read(6.0).learned == {"capacity": 300.0}
    assert bucket.read(6.0).level == pytest.approx(300.0)


def test_refusal_teaches_the_reservation() -> None:
    """Refused with 90 left: the reservation is at least 90."""
    bucket = started()
    now = grow(bucket)
    bucket.refused(bucket.take(LIST, now), now, QuotaReport(remaining=90.0))
    assert bucket.read(now).learned["reservation"] >= 90.0


def test_reservation_of_one_path() -> None:
    """If one route is refused with 190 left, the others keep their reservation."""
    bucket = started()
    now = grow(bucket)
    for at in range(2):
        ticket = bucket.take(Cost("export"), now + at)
        bucket.refused(ticket, now + at, QuotaReport(remaining=190.0))
    learned = bucket.read(now).learned
    assert learned["reservation:export"] >= 190.0
    assert "reservation" not in learned
    later = now + 100.0
    bucket.take(LIST, later)
    assert bucket.read(later).level == pytest.approx(550.0)


@pytest.mark.parametrize("remaining", [math.nan, math.inf, -math.inf, 1e9, -1e9])
@pytest.mark.parametrize("cost", [math.nan, -5.0, math.inf, 1e9])
def test_invalid_headers(cost: Any, remaining: Any) -> None:
    """Headers that cannot be true only end the call."""
    bucket = started()
    now = grow(bucket)
    answered(bucket, now, cost=cost, remaining=remaining)
    reading = bucket.read(now + 0.1)
    assert reading.capacity == 600.0
    assert reading.level == pytest.approx(600.0, abs=1.0)
    bucket.refused(bucket.take(LIST, now + 1), now + 1, QuotaReport(remaining=remaining))
    assert 0 <= bucket.wait(LIST, now + 1) < 30


def test_abandoned_reservation_leaks() -> None:
    """A call without a response keeps its 50, which leak away; its slot is free at once."""
    bucket = started()
    now = grow(bucket)
    bucket.abandon(bucket.take(LIST, now), now)
    assert bucket.read(now).level == pytest.approx(550.0)
    assert bucket.read(now + 2).level == pytest.approx(570.0)


def test_refund() -> None:
    """A call that was not sent gives its 50 back."""
    bucket = started()
    now = grow(bucket)
    bucket.refund(bucket.take(LIST, now), now)
    assert bucket.read(now).level == pytest.approx(600.0)


def test_reset_keeps_what_was_learned() -> None:
    """A new token starts empty and alone, with the limits of the old one."""
    bucket = started()
    answered(bucket, 0.0, cost=0.1, remaining=700.0)
    old = bucket.take(LIST, 1.0)
    bucket.reset(1.0)
    bucket.settle(old, 1.1, QuotaReport(cost=100.0, remaining=0.0))
    reading = bucket.read(1.1)
    assert (reading.level, reading.capacity) == (700.0, 700.0)
    bucket.take(LIST, 1.1)
    assert bucket.wait(LIST, 1.1) == math.inf


@pytest.mark.parametrize("name", ["capacity", "leak", "reservation", "margin", "max_in_flight"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_impossible_limits(name: Any, value: Any) -> None:
    """Limits are finite and above 0."""
    with pytest.raises(InputError, match=name):
        CostBucket(**{name: value})


def test_impossible_margins() -> None:
    """A margin below the reservation would be refused, one above the capacity never granted."""
    with pytest.raises(InputError, match="margin"):
        CostBucket(margin=40)
    with pytest.raises(InputError, match="margin"):
        CostBucket(capacity=50)
    with pytest.raises(InputError):
        started().check(Cost(units=math.nan))


def test_the_number_of_routes_is_bounded() -> None:
    """Ten thousand routes do not take unbounded memory, and the sums stay right."""
    bucket = started()
    for number in range(10_000):
        key = Cost(f"route-{number}")
        bucket.settle(
            bucket.take(key, float(number)), number + 0.1, QuotaReport(cost=0.1, remaining=600.0)
        )
    assert len(bucket._routes or ()) <= 4_096  # noqa: SLF001 - its memory is not public


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


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([50.0, 100.0, 150.0], 50.0),
        ([100.0, 0.0, 300.0], 100.0),  # the second did not include the calls in flight
        ([30.0, 60.0, 90.0, 120.0], 30.0),
        ([30.0, 60.0], None),  # a value below the usual one needs more samples
        ([70.0, 220.0, 100.0], None),  # other clients have calls in flight
        ([1.0, 2.0, 3.0, 4.0], None),  # all calls were on their way
    ],
)
def test_the_reservation_from_the_first_calls(counts: Any, found: Any) -> None:
    """The largest value on which samples agree; below the usual one, half of them must."""
    ramp = Ramp()
    ramp.begin(0.0, 0.0)
    result = None
    for number, count in enumerate(counts, 1):
        result = ramp.note(count, number, 0.0, leak=10.0, usual=50.0)
    assert result == (found if found is None else pytest.approx(found))
