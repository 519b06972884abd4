"""The throttles against the examples of the specification, with explicit times."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.simulator.throttles import (
    BackgroundClient,
    LeakyBucket,
    LeakyRules,
    TokenBucket,
)

RULES = LeakyRules()


def bucket(count: float, now: float = 0.0) -> LeakyBucket:
    return LeakyBucket(count, now)


def test_frozen_clock_admits_eleven() -> None:
    """Example 1: at one time eleven are admitted; the twelfth reaches 600 and is refused."""
    one = bucket(0)
    counts = []
    for _ in range(11):
        assert one.arrive(50, 0.0, RULES)
        counts.append(one.count)
    assert counts == [50.0 * number for number in range(1, 12)]
    assert not one.arrive(50, 0.0, RULES)
    assert one.leave(0.001, 50, 0.0, RULES) == pytest.approx(49.999)
    assert one.count == pytest.approx(550.001)


def test_moving_clock_admits_twelve() -> None:
    """Example 2: 10 ms apart, the twelfth is admitted and the thirteenth refused."""
    one = bucket(0)
    admitted = [one.arrive(50, place / 100, RULES) for place in range(12)]
    assert all(admitted)
    assert one.count == pytest.approx(598.9)
    assert not one.arrive(50, 0.12, RULES)
    assert one.count == pytest.approx(648.8)
    assert one.leave(0.001, 50, 0.12, RULES) == pytest.approx(1.199)
    assert one.count == pytest.approx(598.801)


@pytest.mark.parametrize(("count", "admitted"), [(549.99, True), (550.0, False)])
def test_mark_is_inclusive(count: float, admitted: bool) -> None:
    """Example 3: a count of 600 is full, 599.99 is not."""
    assert bucket(count).arrive(50, 0.0, RULES) is admitted


@pytest.mark.parametrize(
    ("start", "seconds", "cost", "remaining"),
    [(0, 0.2, 0.15, 600.0), (0, 6, 2.5, 600.0), (200, 3, 3, 427.0), (200, 30, 25, 600.0)],
)
def test_single_request(start: float, seconds: float, cost: float, remaining: float) -> None:
    """Examples 4 to 6: the full reservation is refunded despite the leak; never below 0."""
    one = bucket(start)
    assert one.arrive(50, 0.0, RULES)
    assert one.leave(cost, 50, seconds, RULES) == pytest.approx(remaining)


def test_fifty_in_sequence_leave_the_bucket_empty() -> None:
    """Example 4: sequential requests are never throttled."""
    one, now = bucket(0), 0.0
    for _ in range(50):
        assert one.arrive(50, now, RULES)
        now += 0.2
        assert one.leave(0.15, 50, now, RULES) == 600.0


def test_overlap_refunds_in_full() -> None:
    """Example 7: two overlapping requests refund more than is left; the count stops at 0."""
    one = bucket(0)
    one.arrive(50, 0.0, RULES)
    one.arrive(50, 4.0, RULES)
    assert one.count == pytest.approx(60)
    one.leave(1, 50, 5.0, RULES)
    assert one.count == pytest.approx(1)
    one.leave(1, 50, 5.0, RULES)
    assert one.count == 0


def test_flood_lowers_the_count() -> None:
    """Example 8: reservations cut off at 800 are fully refunded, so the count falls by 100."""
    one = bucket(600)
    counts = []
    for _ in range(6):
        assert not one.arrive(50, 0.0, RULES)
        counts.append(one.count)
    assert counts == [650, 700, 750, 800, 800, 800]
    for _ in range(6):
        one.leave(0, 50, 0.0, RULES)
    assert one.count == 500


def test_exception_refunds_the_reservation() -> None:
    """Example 9: a request that raised an exception costs nothing."""
    one = bucket(200)
    one.arrive(50, 0.0, RULES)
    one.leave(0, 50, 0.5, RULES)
    assert one.count == pytest.approx(195)


def test_token_calls_fill_their_bucket() -> None:
    """Example 10: the fourth token call in a row is refused."""
    one, now, seen = bucket(0), 0.0, []
    for _ in range(3):
        assert one.arrive(50, now, RULES)
        now += 0.3
        seen.append(one.leave(200.1, 50, now, RULES))
    assert seen == pytest.approx([402.9, 205.8, 8.7])
    assert not one.arrive(50, now, RULES)


def test_idle_time_is_no_credit_for_the_next_request() -> None:
    """A count of 1 that has leaked completely does not reduce what is added next."""
    assert bucket(1).increment(5, 50.0, RULES) == 5


def test_clock_stepping_back_leaks_nothing() -> None:
    """If the time decreases nothing leaks, and the next leak starts from the new time."""
    one = bucket(100, 10.0)
    assert one.increment(0, 5.0, RULES) == 100
    assert one.increment(0, 6.0, RULES) == 90


def test_an_hour_forgets() -> None:
    """After 3,600 seconds the bucket is reset, regardless of its outflow."""
    assert bucket(800).increment(0, 3601.0, LeakyRules(outflow=0.01)) == 0


def test_background_client_slows_the_leak() -> None:
    """The cost of a background client reduces the outflow, and can fill the bucket."""
    assert bucket(100).increment(0, 10.0, LeakyRules(background=4)) == 40
    assert bucket(0).increment(0, 10.0, LeakyRules(background=15)) == 50


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 300), st.floats(0, 60)), max_size=30))
def test_count_stays_in_bounds(visits: list[tuple[float, float, float]]) -> None:
    """The count is always between 0 and the maximum."""
    one, now = LeakyBucket(), 0.0
    for wait, cost, seconds in visits:
        now += wait
        one.arrive(50, now, RULES)
        assert 0 <= one.count <= 800
        assert -200 <= one.leave(cost, 50, now + seconds, RULES) <= 600


def test_token_bucket_serves_its_burst_then_its_rate() -> None:
    """25 at once, then one every 0.2 seconds."""
    one = TokenBucket(25)
    assert sum(one.take(0.0, 5, 25) for _ in range(40)) == 25
    assert not one.take(0.19, 5, 25)
    assert one.take(0.2, 5, 25)
    assert sum(one.take(100.0, 5, 25) for _ in range(40)) == 25


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_token_bucket_never_exceeds_its_rate(gaps: list[float]) -> None:
    """In any time span it serves at most burst plus rate times the span."""
    one, now, served = TokenBucket(25), 0.0, 0
    for gap in gaps:
        now += gap
        served += one.take(now, 5, 25)
        assert served <= 25 + 5 * now + 1e-6


def test_background_client_keeps_its_rate() -> None:
    """2 calls per second take about 200 tokens in 100 seconds; 0 calls take none."""
    one, client = TokenBucket(1000), BackgroundClient(Random(1))  # noqa: S311 -- no secret
    client.catch_up(one, 0.0, 0, 1000, 2)
    client.catch_up(one, 100.0, 0, 1000, 2)
    assert 760 < one.level < 840
    level = one.level
    client.catch_up(one, 200.0, 0, 1000, 0)
    assert one.level == level
