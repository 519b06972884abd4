"""Faulty servers: each fault gives the right error or is tolerated; no task or lease is left."""

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
    """A small amount of data."""
    return Simulator(knobs=Knobs(standards=400, events=40))


async def list_courses(simulator: Simulator, **options: Any) -> int:
    """List the courses of Canvas page by page; returns their number."""
    async with canvas_of(simulator, **options) as canvas:
        return await _all_of(canvas, canvas.courses.list(page_size=10).collect())


async def list_standards(simulator: Simulator, **options: Any) -> int:
    """List the standards of AB Connect page by page; returns their number."""
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
    ({"kind": "wrong_shape"}, DecodeError),
]


@LISTS
@pytest.mark.parametrize(("facts", "error"), PERSISTENT, ids=lambda value: str(value)[:60])
async def test_a_persistent_fault_gives_the_right_error(
    simulator: Simulator, listing: Any, facts: dict[str, Any], error: type[Error]
) -> None:
    """From the second page on: the first page's items arrive, then exactly this error."""
    simulator.faults.add([Fault(**facts, path="page=2|offset=", count=99)])
    with pytest.raises(error) as caught:
        await listing(simulator, deadline=60)
    assert type(caught.value) is error
    assert "page=2" in str(simulator.requests[-1]) or "offset=" in str(simulator.requests[-1])


@LISTS
async def test_a_link_to_another_origin_is_requested_from_the_own(
    simulator: Simulator, listing: Any
) -> None:
    """The list is complete, as without the fault."""
    expected = await listing(simulator)
    simulator.faults.add([Fault(kind="foreign_next", count=99)])
    assert await listing(simulator) == expected


async def test_an_invalid_next_link(simulator: Simulator) -> None:
    """An error, not a silently truncated list; lists by offset do not use the link."""
    simulator.faults.add([Fault(kind="bad_link")])
    with pytest.raises(DecodeError):
        await list_courses(simulator)
    simulator.faults.add([Fault(kind="bad_link")])
    count = await list_standards(simulator)
    simulator.faults.clear()
    assert count == await list_standards(simulator)


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
async def test_a_transient_fault_is_tolerated(
    simulator: Simulator, listing: Any, facts: dict[str, Any]
) -> None:
    """The list is complete, as without the fault."""
    expected = await listing(simulator)
    simulator.faults.add([Fault(**facts, skip=1)])
    assert await listing(simulator) == expected


@LISTS
async def test_a_hanging_request_ends_at_the_deadline(simulator: Simulator, listing: Any) -> None:
    """The next list is complete."""
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
async def test_a_failed_write_is_sent_once(
    simulator: Simulator, facts: dict[str, Any], error: type[Error]
) -> None:
    """Its outcome may be unknown, so it is not repeated."""
    simulator.faults.add([Fault(**facts, method="POST", count=9)])
    async with canvas_of(simulator, deadline=10) as canvas:
        with pytest.raises(error):
            await canvas.course_paces.create(3, exclude_weekends=True)
        assert canvas.quota.snapshot().in_flight == 0
    assert len(simulator.requests) == 1


async def test_a_delete_whose_response_was_lost_succeeds(simulator: Simulator) -> None:
    """The second attempt finds nothing, because the first one has deleted it."""
    async with canvas_of(simulator) as canvas:
        section = (await canvas.course_paces.contexts(4, type="section").collect())[0].item_id
        assert section is not None
        pace = await canvas.course_paces.create(4, context_type="Section", context_id=section)
        assert isinstance(pace.id, int)
        simulator.faults.add([Fault(kind="close", method="DELETE")])
        deleting = asyncio.create_task(canvas.course_paces.delete(4, pace.id))
        await asyncio.sleep(0)
        # The fault closes the connection before the simulator acts, so delete the pace here.
        simulator.world.campus.paces[pace.id].state = "deleted"
        await deleting
    assert [seen.method for seen in simulator.requests][-2:] == ["DELETE", "DELETE"]


async def test_a_storm_of_failures_is_not_made_worse(simulator: Simulator) -> None:
    """200 calls to a server that is down: at most a fifth plus ten more requests."""
    simulator.faults.add([Fault(kind="status", status=503, stage="gateway", count=9_999)])
    async with canvas_of(simulator) as canvas:
        ends = await asyncio.gather(
            *(canvas.courses.get(1) for _ in range(200)), return_exceptions=True
        )
    assert all(isinstance(end, ServerError) for end in ends)
    assert len(simulator.requests) <= 200 + 10 + 40


async def test_chaos_ends(simulator: Simulator) -> None:
    """All faults at once on both services: each call returns an object or raises an Error."""
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
            *(ab.standards.list(page_size=n % 20 + 1).first() for n in range(80)),
            return_exceptions=True,
        )
        assert canvas.quota.snapshot().in_flight == ab.quota.snapshot().in_flight == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(isinstance(end, Error) or not isinstance(end, BaseException) for end in ends)
    assert sum(not isinstance(end, BaseException) for end in ends) > 100
