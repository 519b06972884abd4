"""The token bucket as a pure state machine: levels, cuts, growth and input."""

from __future__ import annotations

import heapq
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure.errors import InputError
from aioinstructure.quota import Cost, TokenBucket
from aioinstructure.wire.quota_report import QuotaReport
from tests.quota.quota_servers import TokenServer, seeded

ONE = Cost()
WILD = Cost(bucket="wildcard")


def started(bucket: TokenBucket, now: float = 0.0) -> TokenBucket:
    bucket.begin(now, fresh=True)
    return bucket


def test_burst_then_five_a_second() -> None:
    """24 calls are granted at once, the next one a fifth of a second later."""
    bucket = started(TokenBucket())
    for _ in range(24):
        assert bucket.wait(ONE, 0.0) == 0
        bucket.take(ONE, 0.0)
    assert bucket.wait(ONE, 0.0) == pytest.approx(0.2)
    assert bucket.wait(ONE, 0.2) == 0


def test_reserve_keeps_one_token() -> None:
    """With `reserve` a call leaves one token."""
    bucket = started(TokenBucket(start_level=1.0))
    assert bucket.wait(ONE, 0.0) == 0
    assert bucket.wait(ONE, 0.0, reserve=True) == pytest.approx(0.2)


def test_reserve_of_a_burst_of_one() -> None:
    """A burst of one has nothing to reserve: lower lanes still run."""
    assert started(TokenBucket(burst=1)).wait(ONE, 0.0, reserve=True) == 0


def test_wildcard_takes_from_both() -> None:
    """A wildcard call takes a token from each bucket, and a refund returns both."""
    bucket = started(TokenBucket())
    ticket = bucket.take(WILD, 0.0)
    assert bucket.bucket_wait("wildcard", 0.0) == pytest.approx(0.5)
    assert bucket.read(0.0).level == 23
    bucket.refund(ticket, 0.0)
    assert bucket.bucket_wait("wildcard", 0.0) == 0
    assert bucket.read(0.0).level == 24


def test_one_cut_for_each_event() -> None:
    """24 refusals of calls sent together cut the rate once."""
    bucket = started(TokenBucket())
    tickets = [bucket.take(ONE, 0.0) for _ in range(24)]
    for ticket in tickets:
        bucket.refused(ticket, 0.3)
    assert bucket.read(0.3).rate == pytest.approx(4.25)
    assert bucket.read(0.3).level == 0
    later = bucket.take(ONE, 1.0)
    bucket.refused(later, 1.3)
    assert bucket.read(1.3).rate < 0.87 * 4.25


def test_rate_grows_back_to_the_configured_one() -> None:
    """After a cut the rate recovers, and never exceeds the configured one."""
    bucket = started(TokenBucket())
    bucket.refused(bucket.take(ONE, 1.0), 1.2)
    assert bucket.read(11.2).rate == pytest.approx(4.25 + 0.2)
    assert bucket.read(1_000.0).rate == 5.0
    assert bucket.read(1_000.0).learned == {}


def test_probe_exceeds_the_configured_rate() -> None:
    """With `probe` and a bucket that stays empty the rate grows by 10 % a second."""
    bucket = started(TokenBucket(probe=True, start_level=0))
    now = 0.0
    for _ in range(40):
        now += bucket.wait(ONE, now)
        bucket.take(ONE, now)
    assert bucket.read(now).rate == pytest.approx(5 * 1.1**now, rel=0.05)


def test_probe_does_not_grow_while_idle() -> None:
    """An hour without calls does not increase the rate."""
    bucket = started(TokenBucket(probe=True))
    assert bucket.read(3_600.0).rate == 5.0


def test_start_level_of_the_last_run() -> None:
    """A level read three seconds ago has grown by three seconds, up to the burst."""
    assert started(TokenBucket(start_level=2, start_age=3)).read(0).level == 17
    assert started(TokenBucket(start_level=2, start_age=-3)).read(0).level == 2
    assert started(TokenBucket(start_level=90)).read(0).level == 24


def test_set_rate_keeps_saved_tokens() -> None:
    """A new rate applies at once; the level is kept, up to the new burst."""
    bucket = started(TokenBucket(start_level=10))
    bucket.set_rate(10.0, 5.0, 0.0)
    assert (bucket.read(0).level, bucket.read(0).capacity, bucket.read(0).rate) == (5, 5, 10)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["rate", "burst"])
def test_impossible_limits(name: Any, value: Any) -> None:
    """Rates and bursts are finite and above 0."""
    with pytest.raises(InputError, match=name):
        TokenBucket(**{name: value})
    limits = {"rate": (value, 1.0), "burst": (2.0, value)}
    with pytest.raises(InputError, match=f"other {name}"):
        TokenBucket(secondary={"other": limits[name]})


def test_impossible_changes_and_costs() -> None:
    """What could never be granted is an InputError, and changes nothing."""
    bucket = started(TokenBucket())
    for rate, burst in [(0, None), (-1, None), (math.nan, None), (5, 0.5), (5, math.nan)]:
        with pytest.raises(InputError):
            bucket.set_rate(rate, burst, 0.0)
    for units in (25, 0, -1, math.nan, math.inf):
        with pytest.raises(InputError):
            bucket.check(Cost(units=units))
    with pytest.raises(InputError, match="burst"):
        TokenBucket(burst=0.5)
    with pytest.raises(InputError, match="start_level"):
        TokenBucket(start_level=math.nan)
    assert bucket.read(0.0).rate == 5


def test_reset_invalidates_old_tickets() -> None:
    """After a reset, earlier calls neither refund nor cut."""
    bucket = started(TokenBucket())
    old = [bucket.take(ONE, 0.0) for _ in range(5)]
    bucket.reset(1.0)
    bucket.refused(old[0], 1.0, QuotaReport(retry_after=9))
    bucket.refund(old[1], 1.0)
    reading = bucket.read(1.0)
    assert (reading.level, reading.rate) == (24, 5)


@given(
    seed=st.integers(0, 10_000),
    spread=st.floats(0, 0.19),
    wildcards=st.floats(0, 1),
    idle=st.floats(0, 20),
)
@settings(max_examples=60, deadline=None)
def test_never_refused_when_parameters_are_known(
    seed: Any, spread: Any, wildcards: Any, idle: Any
) -> None:
    """With delays that differ by up to 0.19 s, no order of calls and pauses gets a 429."""
    rng = seeded(seed)
    bucket, server = started(TokenBucket()), TokenServer()
    now = 0.0
    arrivals: list[tuple[float, bool]] = []
    for _ in range(200):
        if rng.random() < 0.02:
            now += rng.random() * idle
        cost = WILD if rng.random() < wildcards else ONE
        while wait := max(
            bucket.wait(cost, now), bucket.bucket_wait(cost.bucket, now) * bool(cost.bucket)
        ):
            now += wait
        bucket.take(cost, now)
        heapq.heappush(arrivals, (now + rng.random() * spread, bool(cost.bucket)))
    while arrivals:
        at, wildcard = heapq.heappop(arrivals)
        assert server.arrive(at, wildcard=wildcard)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["take", "settle", "refund", "abandon", "refused", "read", "reset"]),
            st.floats(-1e6, 1e9) | st.floats(0, 1),
            st.none() | st.floats(allow_nan=True, allow_infinity=True),
        ),
        max_size=60,
    ),
    probe=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_no_sequence_corrupts_it(steps: Any, probe: Any) -> None:
    """After any operations at any times, the level is within bounds and waits are finite."""
    bucket, now, tickets = started(TokenBucket(probe=probe)), 0.0, []
    for what, by, said in steps:
        now += by
        if what == "take":
            if bucket.wait(ONE, now) <= 0:
                tickets.append(bucket.take(ONE, now))
        elif what == "reset":
            bucket.reset(now)
        elif what == "refused" and tickets:
            bucket.refused(tickets.pop(), now, QuotaReport(retry_after=said))
        elif what != "read" and tickets:
            getattr(bucket, what)(tickets.pop(), now)
        reading = bucket.read(now)
        assert 0 <= reading.level <= 24
        assert 0 < reading.rate < math.inf
        assert 0 <= bucket.wait(ONE, now) < math.inf
