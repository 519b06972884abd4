"""The quota control where it is hard: callers that give up, tokens that are shared, limits that change.

Each row runs the scheduler in virtual time against servers that are written from the documentation
(quota_models.py), with several seeds. It prints the worst of them beside the goal. A share is a part
of what an oracle spends in the same run, a client that knows the server's count. `--peers` adds what
fixed widths with exponential backoff, and aiolimiter, reach on some rows.

Takes about two minutes with five seeds on two processors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from quota_models import heavy, slow
from quota_scenarios import (
    PEERS,
    SLOW_REFUSALS,
    Figures,
    Maker,
    Scenario,
    alone,
    bursts,
    cut,
    deadlines_beside_bulk,
    first_calls,
    forecast,
    given_up,
    interactive,
    lanes,
    outage,
    processes,
    rates,
    wildcards,
    with_deadline,
)


@dataclass
class Row:
    """A scenario, the goal of each of its figures, and the same with a peer if that makes sense."""

    name: str
    scenario: Scenario
    goals: dict[str, tuple[str, float]]
    with_peer: Callable[[int, Maker], Figures] | None = None


def at_least(value: float) -> tuple[str, float]:
    """A goal."""
    return ">=", value


def at_most(value: float) -> tuple[str, float]:
    """A goal."""
    return "<=", value


def _share(share: float, refused: int) -> dict[str, tuple[str, float]]:
    return {"share": at_least(share), "refused": at_most(refused)}


def _canvas_alone() -> Iterator[Row]:
    cases: list[tuple[str, float, int, dict[str, Any]]] = [
        ("default, cost .3", 0.94, 0, {}),
        ("default, cost 1.5", 0.95, 0, {"cost": 1.5}),
        ("default, tails", 0.93, 0, {"cost": heavy, "latency": slow}),
        ("cost .05 in 2 s", 0.97, 0, {"cost": 0.05, "latency": 2.0}),
        ("no headers", 0.91, 0, {"headers": False}),
        ("700 and 100", 0.91, 2, {"limits": (700, 10, 100)}),
        (
            "8: reservation 50 to 100",
            0.85,
            4,
            {"changes": ((60, {"reservation": 100.0}),), "refusal": SLOW_REFUSALS},
        ),
        (
            "9: 600 and 50 to 300 and 30",
            0.92,
            2,
            {"changes": ((60, {"capacity": 300.0, "reservation": 30.0}),)},
        ),
        ("9: leak 10 to 5", 0.92, 2, {"changes": ((60, {"leak": 5.0}),)}),
        (
            "9: leak 10 to 2 to 10",
            0.92,
            2,
            {"changes": ((60, {"leak": 2.0}), (120, {"leak": 10.0}))},
        ),
        ("9: leak 10 to 20, cost 1.5", 0.92, 2, {"cost": 1.5, "changes": ((60, {"leak": 20.0}),)}),
        (
            "10: 600 to 200, leak to 5",
            0.8,
            2,
            {"changes": ((60, {"capacity": 200.0, "leak": 5.0}),)},
        ),
        ("10: 200 and 50, leak 5", 0.75, 2, {"limits": (200, 5, 50)}),
        ("10: 200 and 50, leak 10", 0.7, 2, {"limits": (200, 10, 50)}),
        ("16: 80 + 30 ms each way", 0.9, 3, {"delay": (0.08, 0.03)}),
        ("16: 150 + 100 ms, tails", 0.8, 5, {"delay": (0.15, 0.1), "cost": heavy, "latency": slow}),
    ]
    for name, share, refused, options in cases:
        yield Row(
            name,
            partial(alone, **options),
            _share(share, refused),
            partial(alone, **options) if name[:2] in ("de", "16") else None,
        )


def _canvas_callers() -> Iterator[Row]:
    yield Row("1: callers give up after 1 s", given_up, _share(0.9, 2), given_up)
    for part, share in ((0.05, 0.95), (0.2, 0.9), (0.5, 0.9), (0.9, 0.85)):
        yield Row(f"2: {part:.0%} of the calls are cut", partial(cut, part=part), _share(share, 5))
    in_time = {"share": at_least(0.95), "in time": at_least(0.85)}
    yield Row("3: 50 callers, deadline 1 s", with_deadline, in_time)
    cases = (("interactive", 2.0, 1.5), ("interactive", 0.5, 1.5), ("bulk", 2.0, 0.3))
    for lane, deadline, cost in cases:
        beside = partial(deadlines_beside_bulk, deadline=deadline, cost=cost, lane=lane)
        goal = {"turned away": at_most(0.05)}
        yield Row(
            f"11: {lane}, deadline {deadline:g} s, beside cost {cost:g}", beside, goal, beside
        )
    for cost in (0.3, 1.5):
        yield Row(
            f"12: forecast, cost {cost:g}", partial(forecast, cost=cost), {"right": at_least(0.9)}
        )
    heavy_bulk: list[tuple[str, float, dict[str, Any]]] = [
        (
            "13: interactive beside 500 of cost 12",
            0.5,
            {"callers": 500, "cost": 12.0, "latency": 0.3},
        ),
        ("13: beside three of cost 50 in 3 s", 2.0, {"callers": 3, "cost": 50.0, "latency": 3.0}),
    ]
    for name, most, options in heavy_bulk:
        yield Row(name, partial(interactive, **options), {"p95 s": at_most(most)})
    first = {"others s": at_most(2.0), "interactive s": at_most(0.9)}
    yield Row("15: first calls of 20 s", first_calls, first)
    turns = {"background/s": at_least(0.5), "admitted": at_least(1)}
    yield Row("21: three saturated lanes", lanes, turns)


def _canvas_shared() -> Iterator[Row]:
    for count, fair, poorest in ((2, 0.95, 0.6), (3, 0.93, 0.5), (5, 0.9, 0.45), (8, 0.9, 0.45)):
        goals = {
            "Jain": at_least(fair),
            "poorest": at_least(poorest),
            "units/s": at_least(9.5),
            "refused": at_most(10),
        }
        several = partial(processes, count=count)
        yield Row(f"4: {count} processes", several, goals, several)
    for cost in (0.3, 1.5):
        joined = partial(processes, count=2, joins=30.0, since=50.0, cost=cost)
        yield Row(f"5: a second process joins, cost {cost:g}", joined, {"Jain": at_least(0.9)})
    fair_goal = {"Jain": at_least(0.95)}
    yield Row("6: 2 processes, cost 1.5", partial(processes, count=2, cost=1.5), fair_goal)
    tails = partial(processes, count=4, cost=heavy, latency=slow)
    yield Row("6: 4 processes, tails", tails, fair_goal)
    yield Row("7: bursts of another client", bursts, _share(0.65, 20))


def _abconnect() -> Iterator[Row]:
    returned = {"back s": at_most(15), "refused": at_most(30)}
    yield Row("17: AB Connect is out for 30 s", outage, returned)
    slower = ((60, {"rate": 0.5}), (150, {"rate": 5.0}))
    served = {"served": at_least(0.95 * 670)}
    yield Row(
        "18: 5 to .5 to 5 calls a second", partial(rates, seconds=210, changes=slower), served
    )
    pulses = tuple(
        (20 + 30 * number + after, {"is_down": is_down})
        for number in range(20)
        for after, is_down in ((0, True), (3, False))
    )
    served = {"served": at_least(2_000)}
    yield Row("18: out for 3 s in each 30 s", partial(rates, seconds=600, changes=pulses), served)
    goal = {"served": at_least(0.99 * (25 + 500 + 1_000)), "refused": at_most(12)}
    fall = ((100, {"rate": 2.0}),)
    yield Row("18: 5 to 2 calls a second", partial(rates, seconds=600, changes=fall), goal)
    wild = {"plain/s": at_least(3.9), "wildcard/s": at_least(0.75)}
    yield Row("19: wildcards, 1 a second", wildcards, wild)


ROWS = [*_canvas_alone(), *_canvas_callers(), *_canvas_shared(), *_abconnect()]


def _work(job: tuple[int, int, str]) -> Figures:
    number, seed, peer = job
    row = ROWS[number]
    if not peer:
        return row.scenario(seed)
    assert row.with_peer is not None
    return row.with_peer(seed, PEERS[peer])


def _worst(found: list[Figures], name: str, goals: dict[str, tuple[str, float]]) -> float:
    least = goals.get(name, (">=" if name == "share" else "<=", 0))[0] == ">="
    return (min if least else max)(each[name] for each in found)


def _shown(found: list[Figures], goals: dict[str, tuple[str, float]]) -> str:
    parts = []
    for name in found[0]:
        value = _worst(found, name, goals)
        text = f"{name} {value:.3g}"
        if name in goals:
            sign, goal = goals[name]
            is_met = value >= goal if sign == ">=" else value <= goal
            text += f" ({'' if is_met else 'SHORT of '}{sign} {goal:.3g})"
        parts.append(text)
    return ", ".join(parts)


def main() -> None:
    """Run the rows and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--peers", action="store_true")
    chosen = parser.parse_args()
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    with ProcessPoolExecutor() as pool:
        for number, row in enumerate(ROWS):
            if chosen.only not in row.name:
                continue
            found = list(pool.map(_work, [(number, seed, "") for seed in seeds]))
            print(f"{row.name}: {_shown(found, row.goals)}", flush=True)
            for peer in PEERS if chosen.peers and row.with_peer else ():
                found = list(pool.map(_work, [(number, seed, peer) for seed in seeds]))
                print(f"    {peer}: {_shown(found, {})}", flush=True)


if __name__ == "__main__":
    main()
