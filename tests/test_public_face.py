"""The programs of the documented public interface, against the simulator."""

from __future__ import annotations

import asyncio

import pytest

import aioinstructure
from aioinstructure import (
    ABConnect,
    Canvas,
    Cursor,
    Paginator,
    QuotaError,
    Sis,
)
from aioinstructure.abconnect import F
from aioinstructure.abconnect.standards import Standard
from aioinstructure.canvas.course_paces import CoursePace
from aioinstructure.canvas.courses import Course
from aioinstructure.canvas.progress import Progress
from aioinstructure.simulator import Simulator
from aioinstructure.testing import SimulatorTransport, abconnect_of, canvas_of


@pytest.fixture
def simulator() -> Simulator:
    """A district with courses, paces, standards and events."""
    return Simulator()


async def test_the_program_of_canvas(simulator: Simulator) -> None:
    """Lists, pages, SIS ids, paces, an asynchronous job, and a request without a method."""
    async with canvas_of(simulator) as canvas:
        async for course in canvas.courses.list(include=["term"]):
            assert course.id
            assert course.name
            assert course.term

        first = await canvas.courses.list(enrollment_state="active")
        assert len(first.items) > 10
        assert first.response.request_id
        assert first.response.request_cost
        some = await canvas.accounts.courses(1, search_term="bio").take(50)
        assert 0 < len(some) <= 50

        everything = await canvas.courses.list().collect()
        assert len(everything) > 30
        course = await canvas.courses.get(Sis.course("CS/101.11é"))
        assert course.id is not None

        seen = 0
        async for context in canvas.course_paces.contexts(course.id, type="section"):
            seen += context.type == "CourseSection"
        assert seen

        course = await canvas.courses.get(5)
        assert course.id is not None
        pace = await canvas.course_paces.get(course.id, 5)
        assert isinstance(pace, CoursePace)
        names = [module.name async for module in canvas.course_paces.modules(course.id, 5)]
        assert names == [module.name for module in pace.modules]
        items = [item async for item in canvas.course_paces.items(course.id, 5)]
        assert items == [item for module in pace.modules for item in module.items]
        pace = await canvas.course_paces.update(course.id, 5, end_date=None, exclude_weekends=True)
        assert isinstance(pace.progress, Progress)
        progress = await canvas.progress.wait(42, timeout=60)
        assert progress.workflow_state == "completed"

        raw = await canvas.request("GET", "/api/v1/users/self", params={"a": [1, 2]})
        assert raw.json()["id"]
        assert raw.request is not None
        assert raw.request.path == "/api/v1/users/self?a%5B%5D=1&a%5B%5D=2"


async def test_the_program_of_ab_connect(simulator: Simulator) -> None:
    """Filters as values, all fields, relationships, and events from a number on."""
    async with abconnect_of(simulator) as ab:
        math5 = (F.disciplines.subjects.code == "MATH") & (F.education_levels.grades.code == "5")
        found: list[Standard] = []
        async for standard in ab.standards.list(
            filter=math5, fields=["number", "statement", "children"], sort=["guid"]
        ):
            assert standard.number is not None
            found.append(standard)
        assert found
        assert any(standard.statement.descr for standard in found)

        guid = found[0].id
        assert guid is not None
        standard = await ab.standards.get(guid, fields=["*"])
        assert standard.document.guid
        async for peer in ab.standards.related(guid, "peers"):
            assert peer.id

        last = 0
        async for event in ab.events.since(13_000):
            assert event.seq is not None
            assert event.seq > max(last, 13_000)
            last = event.seq
        assert last
        # A filter is also accepted as the raw string.
        assert await ab.standards.list(filter=str(math5), page_size=1).first()


async def test_the_program_of_quota_lanes_and_deadlines(simulator: Simulator) -> None:
    """Views share one scheduler; an impossible deadline is an error before anything is sent."""
    url, token = "https://canvas.test", simulator.canvas_token
    canvas = Canvas(url, token=token, transport=SimulatorTransport(simulator))
    bulk = canvas.with_options(lane="bulk")
    quick = canvas.with_options(deadline=2.0)
    mine = canvas.with_options(flow="tenant-7", weight=2)
    await asyncio.gather(*(view.courses.get(5) for view in (canvas, bulk, quick, mine)))

    simulator.knobs.update(canvas_cost=580.0)
    await canvas.courses.get(5)
    sent = len(simulator.requests)
    with pytest.raises(QuotaError) as caught:
        await quick.courses.get(5)
    assert caught.value.wait > 2
    assert len(simulator.requests) == sent

    shot = canvas.quota.snapshot()
    assert shot.capacity >= shot.level
    assert shot.rate > 0
    assert shot.in_flight == shot.throttles == 0
    assert set(shot.queued) == {"interactive", "bulk", "background"}
    other = Canvas(url, token=token, quota=canvas.quota, transport=SimulatorTransport(simulator))
    assert other.quota is canvas.quota
    async with abconnect_of(simulator) as ab:
        ab.quota.set_rate(10.0, burst=50)
        assert ab.quota.snapshot().rate == 10


async def test_the_program_of_resuming(simulator: Simulator) -> None:
    """A cursor after each item, as text without a credential, valid in another process."""
    async with canvas_of(simulator) as canvas:
        pages = canvas.courses.list(page_size=10)
        read: list[Course] = []
        cursor: Cursor[Course] = pages.cursor
        async for course in pages:
            cursor = pages.cursor
            read.append(course)
            if len(read) == 15:
                break
        assert isinstance(cursor, str)
        assert simulator.canvas_token not in cursor
        later: Paginator[Course] = canvas.resume(cursor)
        rest = await later.collect()
        assert [*read, *rest] == await canvas.courses.list().collect()
        assert await canvas.resume(str(cursor)).collect() == rest


@pytest.mark.real_loop
async def test_the_same_clients_from_the_environment(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only `from_env`: the program of a script, over TCP."""
    from aioinstructure.simulator.server import start  # noqa: PLC0415 - brings aiohttp

    server = await start(simulator)
    for name, value in simulator.env(server.origin).items():
        monkeypatch.setenv(name, value)
    try:
        async with Canvas.from_env() as canvas, ABConnect.from_env() as ab:
            assert (await canvas.courses.get(1)).name
            assert await ab.standards.list(page_size=1).first()
    finally:
        await server.close()


def test_the_public_names() -> None:
    """All names can be loaded, and unknown ones cannot."""
    for name in vars(aioinstructure)["__all__"]:
        assert getattr(aioinstructure, name) is not None
        assert name in dir(aioinstructure)
    with pytest.raises(AttributeError, match="has no attribute 'Canwas'"):
        _ = aioinstructure.Canwas  # type: ignore[attr-defined]  # an intentional typing mistake
