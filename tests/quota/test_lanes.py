"""Lanes, flows and turns, as a pure structure."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure.quota import Cost
from aioinstructure.quota.lanes import Lanes, Waiter
from tests.quota.quota_servers import seeded

WILDCARD = frozenset({"wildcard"})


def waiter(
    flow: Any = "a",
    *,
    lane: Any = "bulk",
    weight: Any = 1.0,
    bucket: str = "",
    units: Any = 1.0,
) -> Waiter:
    return Waiter(Cost(bucket=bucket, units=units), lane, flow, weight, 0.0)


def granted(
    lanes: Any, number: Any, *, lane: Any = "bulk", blocked: frozenset[str] = frozenset()
) -> Any:
    """The flows of the next grants."""
    flows = []
    for _ in range(number):
        head = lanes.head(lane, blocked)
        assert lanes.remove(head, granted=True)
        flows.append(head.flow)
    return flows


def test_flows_take_turns() -> None:
    """A flow with a thousand calls and one with three alternate until the three are granted."""
    lanes: Lanes[Waiter] = Lanes()
    for _ in range(1000):
        lanes.add(waiter("long"))
    for _ in range(3):
        lanes.add(waiter("short"))
    assert granted(lanes, 8).count("short") == 3


def test_weights() -> None:
    """A flow of weight 3 gets three times as many grants as one of weight 1."""
    lanes: Lanes[Waiter] = Lanes()
    for flow, weight in (("heavy", 3.0), ("light", 1.0)):
        for _ in range(100):
            lanes.add(waiter(flow, weight=weight))
    assert Counter(granted(lanes, 80)) == {"heavy": 60, "light": 20}


def test_a_sequential_flow_gets_a_full_share() -> None:
    """A flow with one call at a time gets every second turn, no more and no less."""
    lanes: Lanes[Waiter] = Lanes()
    for _ in range(100):
        lanes.add(waiter("deep"))
    lanes.add(waiter("single"))
    flows = []
    for _ in range(60):
        flows += granted(lanes, 1)
        if flows[-1] == "single":
            lanes.add(waiter("single"))
    assert 29 <= flows.count("single") <= 31


def test_heavy_calls_are_not_passed() -> None:
    """The next call of a lane stays next, whatever arrives after it."""
    lanes: Lanes[Waiter] = Lanes()
    heavy = waiter("heavy", units=10)
    lanes.add(heavy)
    granted_before = 0
    for number in range(100):
        lanes.add(waiter(f"light-{number}"))
        head = lanes.head("bulk")
        assert head is not None
        if head is heavy:
            break
        lanes.remove(head, granted=True)
        granted_before += 1
    assert granted_before <= 11


def test_a_share_is_counted_in_units() -> None:
    """Of two flows, the one with calls of 4 units is granted a quarter as often."""
    lanes: Lanes[Waiter] = Lanes()
    for _ in range(100):
        lanes.add(waiter("big", units=4))
        lanes.add(waiter("small"))
    flows = Counter(granted(lanes, 50))
    assert flows["small"] == 4 * flows["big"]


def test_calls_of_an_empty_bucket_are_passed() -> None:
    """Calls that need no empty secondary bucket continue, also in the same flow."""
    lanes: Lanes[Waiter] = Lanes()
    first, second = waiter(bucket="wildcard"), waiter()
    lanes.add(first)
    lanes.add(second)
    assert first is lanes.head("bulk")
    assert second is lanes.head("bulk", WILDCARD)
    lanes.remove(second, granted=True)
    assert lanes.head("bulk", WILDCARD) is None


def test_retry_goes_to_the_head() -> None:
    """A retry is the next call of its flow."""
    lanes: Lanes[Waiter] = Lanes()
    for _ in range(3):
        lanes.add(waiter())
    again = waiter()
    lanes.add(again, first=True)
    assert lanes.head("bulk") is again


def test_rounds_are_forgotten() -> None:
    """Cancelled flows leave nothing behind."""
    lanes: Lanes[Waiter] = Lanes()
    blocker = waiter("blocker")
    lanes.add(blocker)
    tracemalloc.start()
    for number in range(5_000):
        gone = waiter(number)
        lanes.add(gone)
        assert lanes.remove(gone, granted=False)
        assert not lanes.remove(gone, granted=False)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000
    assert lanes.size == 1


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_waiter_is_lost_and_flows_keep_order(seed: Any) -> None:
    """Each waiter is granted once, in the order of its flow, whatever is added and removed."""
    rng = seeded(seed)
    lanes: Lanes[Waiter] = Lanes()
    present: dict[int, tuple[int, Waiter]] = {}
    seen: list[tuple[int, Waiter]] = []
    for number in range(300):
        action = rng.random()
        if action < 0.5 or not present:
            new = waiter(
                rng.randrange(5),
                bucket=rng.choice(["", "", "wildcard", "other"]),
                weight=rng.uniform(0.1, 5),
            )
            lanes.add(new)
            present[id(new)] = (number, new)
        elif action < 0.7:
            gone = rng.choice(list(present.values()))[1]
            assert lanes.remove(gone, granted=False)
            del present[id(gone)]
        else:
            head = lanes.head(
                "bulk", frozenset(rng.sample(["", "wildcard", "other"], rng.randrange(2)))
            )
            if head is not None:
                lanes.remove(head, granted=True)
                seen.append((present.pop(id(head))[0], head))
        assert lanes.size == len(present) == lanes.count("bulk")
    while head := lanes.head("bulk"):
        lanes.remove(head, granted=True)
        seen.append((present.pop(id(head))[0], head))
    assert not present
    lines: dict[tuple[object, str], list[int]] = {}
    for number, each in seen:
        lines.setdefault((each.flow, each.cost.bucket), []).append(number)
    assert all(a < b for line in lines.values() for a, b in pairwise(line))
