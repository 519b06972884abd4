"""Servers that misbehave: each fault ends in the right error, or is tolerated; nothing is left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aioinstructure import (
    ABConnect,
    BadRequest,
    Canvas,
    DeadlineError,
    DecodeError,
    Error,
    OriginError,
    RedirectError,
    ServerError,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.simulator import Fault, Knobs, Simulator
from aioinstructure.testing import abconnect_of, canvas_of


@pytest.fixture
def simulator() -> Simulator:
    """A small world."""
    return Simulator(knobs=Knobs(standards=400, events=40))


async def list_courses(simulator: Simulator, **options: Any) -> int:
    """Canvas, page by page; how many courses there were."""
    async with canvas_of(simulator, **options) as canvas:
        return await _all_of(canvas, canvas.courses.list(page_size=10).collect())


async def list_standards(simulator: Simulator, **options: Any) -> int:
    """AB Connect, page by page; how many standards there were."""
    async with abconnect_of(simulator, **options) as ab:
        return await _all_of(ab, ab.standards.list(sort=["guid"], page_size=100).collect())


async def _all_of(client: Canvas | ABConnect, listing: Any) -> int:
    try:
        return len(await listing)
    finally:
        for _ in range(3):
            await asyncio.sleep(0)
        shot = client.quota.snapshot()
        assert (shot.in_flight, sum(shot.queued.values())) == (0, 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


LISTS = pytest.mark.parametrize("listing", [list_courses, list_standards])

PERSISTENT: list[tuple[dict[str, Any], type[Error]]] = [
    ({"kind": "status", "status": 500}, ServerError),
    ({"kind": "status", "status": 502, "body": "html", "stage": "gateway"}, ServerError),
    ({"kind": "status", "status": 503, "body": "empty", "retry_after": "2"}, ServerError),
    ({"kind": "status", "status": 408}, BadRequest),
    ({"kind": "close"}, TransportError),
    ({"kind": "close", "stage": "gateway"}, TransportError),
    ({"kind": "hang"}, DeadlineError),
    ({"kind": "truncated"}, DecodeError),
    ({"kind": "invalid_json"}, DecodeError),
    ({"kind": "redirect"}, OriginError),
    ({"kind": "redirect", "status": 307, "location": "/login"}, RedirectError),
    ({"kind": "foreign_next"}, OriginError),
    ({"kind": "wrong_shape"}, DecodeError),
]


@LISTS
@pytest.mark.parametrize(("facts", "error"), PERSISTENT, ids=lambda value: str(value)[:60])
async def test_a_fault_that_stays_ends_in_the_right_error(
    simulator: Simulator, listing: Any, facts: dict[str, Any], error: type[Error]
) -> None:
    """On the second page, for good: the first page's items came, and then exactly this error."""
    simulator.faults.add([Fault(**facts, path="page=2|offset=", count=99)])
    with pytest.raises(error) as caught:
        await listing(simulator, deadline=60)
    assert type(caught.value) is error
    assert "page=2" in str(simulator.requests[-1]) or "offset=" in str(simulator.requests[-1])


async def test_a_next_link_that_makes_no_sense(simulator: Simulator) -> None:
    """An error, instead of a list that is cut short in silence; by offset it is not needed."""
    simulator.faults.add([Fault(kind="bad_link")])
    with pytest.raises(DecodeError):
        await list_courses(simulator)
    simulator.faults.add([Fault(kind="bad_link")])
    whole = await list_standards(simulator)
    simulator.faults.clear()
    assert whole == await list_standards(simulator)


@LISTS
@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "status", "status": 500, "count": 3},
        {"kind": "status", "status": 504, "body": "html", "stage": "gateway", "count": 2},
        {"kind": "status", "status": 503, "retry_after": "5", "count": 2},
        {"kind": "status", "status": 429, "body": "html", "stage": "gateway", "count": 3},
        {"kind": "close", "count": 3},
        {"kind": "delay", "seconds": 30.0, "count": 5},
    ],
    ids=str,
)
async def test_a_fault_that_passes_is_tolerated(
    simulator: Simulator, listing: Any, facts: dict[str, Any]
) -> None:
    """The list comes whole, as it does without."""
    expected = await listing(simulator)
    simulator.faults.add([Fault(**facts, skip=1)])
    assert await listing(simulator) == expected


@LISTS
async def test_a_hanging_request_is_given_up_at_the_deadline(
    simulator: Simulator, listing: Any
) -> None:
    """And the next list is as good as ever."""
    simulator.faults.add([Fault(kind="hang")])
    start = asyncio.get_running_loop().time()
    with pytest.raises(DeadlineError):
        await listing(simulator, deadline=20)
    assert asyncio.get_running_loop().time() - start == pytest.approx(20, abs=0.1)
    assert await listing(simulator) > 30


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"kind": "close"}, UnknownOutcome),
        ({"kind": "hang"}, UnknownOutcome),
        ({"kind": "status", "status": 502, "body": "html"}, ServerError),
        ({"kind": "truncated"}, DecodeError),
    ],
    ids=str,
)
async def test_a_write_that_goes_wrong_is_sent_once(
    simulator: Simulator, facts: dict[str, Any], error: type[Error]
) -> None:
    """Whatever became of it, nothing is created twice."""
    simulator.faults.add([Fault(**facts, method="POST", count=9)])
    async with canvas_of(simulator, deadline=10) as canvas:
        with pytest.raises(error):
            await canvas.course_paces.create(3, exclude_weekends=True)
        assert canvas.quota.snapshot().in_flight == 0
    assert len(simulator.requests) == 1


async def test_a_delete_whose_answer_was_lost_has_succeeded(simulator: Simulator) -> None:
    """The second one finds nothing, since the first one did it."""
    async with canvas_of(simulator) as canvas:
        section = (await canvas.course_paces.contexts(4, type="section").collect())[0].item_id
        assert section is not None
        pace = await canvas.course_paces.create(4, context_type="Section", context_id=section)
        assert isinstance(pace.id, int)
        simulator.faults.add([Fault(kind="close", method="DELETE")])
        deleting = asyncio.create_task(canvas.course_paces.delete(4, pace.id))
        await asyncio.sleep(0)
        # The fault closes before the service acts: what the first one would have done.
        simulator.world.campus.paces[pace.id].state = "deleted"
        await deleting
    assert [seen.method for seen in simulator.requests][-2:] == ["DELETE", "DELETE"]


async def test_a_storm_of_failures_is_not_made_worse(simulator: Simulator) -> None:
    """Two hundred calls at a server that is down: a fifth more requests and ten, no more."""
    simulator.faults.add([Fault(kind="status", status=503, stage="gateway", count=9_999)])
    async with canvas_of(simulator) as canvas:
        ends = await asyncio.gather(
            *(canvas.courses.get(1) for _ in range(200)), return_exceptions=True
        )
    assert all(isinstance(end, ServerError) for end in ends)
    assert len(simulator.requests) <= 200 + 10 + 40


async def test_chaos_ends(simulator: Simulator) -> None:
    """Everything at once, for both services: every call ends, with its object or an error of ours."""
    kinds = ["close", "truncated", "invalid_json", "redirect", "wrong_shape", "hang"]
    simulator.faults.add(
        [Fault(kind=kind, skip=place * 3, count=4) for place, kind in enumerate(kinds)]
        + [Fault(kind="status", status=status, count=5, skip=4) for status in (500, 503, 429)]
    )
    async with (
        canvas_of(simulator, deadline=90) as canvas,
        abconnect_of(simulator, deadline=90) as ab,
    ):
        ends = await asyncio.gather(
            *(canvas.courses.get(n % 30 + 1) for n in range(80)),
            *(ab.standards.list(page_size=5).first() for _ in range(80)),
            return_exceptions=True,
        )
        assert canvas.quota.snapshot().in_flight == ab.quota.snapshot().in_flight == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(isinstance(end, Error) or not isinstance(end, BaseException) for end in ends)
    assert sum(not isinstance(end, BaseException) for end in ends) > 100
