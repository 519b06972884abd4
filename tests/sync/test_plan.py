"""Plans: the estimate before a sync matches what the sync then needs."""

from __future__ import annotations

import pytest

from aioinstructure.canvas import Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, Forbidden, InputError
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.sync import Sync, plan_of
from aioinstructure.testing import (
    FakeTransport,
    MemorySink,
    abconnect_of,
    canvas_of,
    reply,
)

COUNTED = ("standards", "assets", "events")


def world(clock: Clock) -> Simulator:
    knobs = Knobs(standards=3000, assets=180, events=250, courses=130)
    return Simulator(seed=3, knobs=knobs, wall=clock.wall)


async def test_a_plan_of_ab_connect_matches_the_sync(clock: Clock) -> None:
    """Exact rows and requests, for one request per stream; the time is that of the limit."""
    simulator = world(clock)
    async with abconnect_of(simulator, clock=clock) as ab:
        plan = await plan_of(*COUNTED, abconnect=ab)
        assert simulator.stats()["abconnect"]["served"] == len(COUNTED)
        bucket = ab.quota.snapshot()
    async with abconnect_of(world(clock), clock=clock) as ab:
        report = await Sync(MemorySink(), abconnect=ab).run(*COUNTED)
    assert [(each.rows, each.requests) for each in plan.streams] == [
        (each.rows, each.requests) for each in report.streams
    ]
    assert plan.requests == plan.tokens == report.requests
    least = (report.requests - bucket.capacity) / bucket.rate
    assert plan.seconds == pytest.approx(least)
    assert least <= report.seconds <= least + 1
    standards, _, events = plan.streams
    assert standards.tokens == standards.requests == 30
    assert standards.seconds == pytest.approx((30 - bucket.capacity) / 5)
    assert events.seconds == 0  # a full bucket has enough tokens


async def test_a_plan_of_canvas_has_no_time(clock: Clock) -> None:
    """The last page's number gives the courses; costs are known from responses only."""
    simulator = world(clock)
    async with canvas_of(simulator, clock=clock) as canvas:
        plan = await plan_of("courses", "course_paces", canvas=canvas)
        assert simulator.stats()["canvas"]["served"] == 2
        report = await Sync(MemorySink(), canvas=canvas).run("courses")
    courses, paces = plan.streams
    assert courses.rows == report.rows
    assert courses.requests == report.requests == 2
    assert paces.requests == 2 + report.rows
    assert courses.seconds is plan.seconds is None
    assert plan.requests == 4 + report.rows
    assert courses.note == (
        "costs are known from responses only: this call cost 0.15,"
        " the bucket refills 10 units a second"
    )


@pytest.mark.parametrize(
    ("body", "links", "rows"),
    [
        ([{"id": 1}], '<https://canvas.test/api/v1/courses?page=bookmark:x>; rel="next"', None),
        ([{"id": 1}], None, 1),
        ([], None, 0),
    ],
)
async def test_rows_are_unknown_where_canvas_does_not_count(
    clock: Clock, body: list[object], links: str | None, rows: int | None
) -> None:
    """Pages by bookmark have no last number; a list of one page needs none."""
    transport = FakeTransport([reply(body, headers={"link": links} if links else None)])
    async with Canvas("https://canvas.test", token="t", transport=transport, clock=clock) as canvas:
        plan = await plan_of("courses", canvas=canvas)
    assert transport.paths == ["/api/v1/courses?include%5B%5D=term&per_page=1"]
    (courses,) = plan.streams
    assert courses.rows == rows
    assert plan.requests == (None if rows is None else 1)


async def test_errors_of_a_plan(clock: Clock) -> None:
    """Bad names and missing clients before anything is sent; a refusal by the server unchanged."""
    simulator = world(clock)
    async with abconnect_of(simulator, clock=clock) as ab:
        with pytest.raises(InputError, match="did you mean 'events'"):
            await plan_of("event", abconnect=ab)
        with pytest.raises(ConfigurationError, match="'courses' needs a client: pass canvas="):
            await plan_of("events", "courses", abconnect=ab)
        assert simulator.stats()["abconnect"]["served"] == 0
        simulator.knobs.unlicensed_features = ("assets",)
        with pytest.raises(Forbidden):
            await plan_of("assets", abconnect=ab)
