"""Canvas calls: with a fake transport, in one process, and over TCP."""

from __future__ import annotations

import asyncio

import pytest

from aioinstructure import (
    BadRequest,
    Canvas,
    DecodeError,
    Forbidden,
    NotFound,
    ProgressFailed,
    Sis,
    Unauthorized,
    Unprocessable,
)
from aioinstructure.simulator import Simulator
from aioinstructure.simulator.server import start
from tests.contract.harness import Harness


async def test_courses_page_by_page(harness: Harness) -> None:
    """All courses in the order of their ids, for any page size."""
    async with harness.canvas() as canvas:
        everything = [course.id for course in await canvas.courses.list().collect()]
        assert everything == sorted(everything)  # type: ignore[type-var]
        assert len(everything) > 30
        for size in (1, 7, 100):
            found = [one.id async for one in canvas.courses.list(page_size=size)]
            assert found == everything
        first = await canvas.courses.list(page_size=5, include=["term", "teachers"])
        assert len(first.items) == 5
        assert first.items[0].term is not None
        assert first.response.request_id
        assert (first.response.request_cost or 0) > 0
        assert len(await canvas.accounts.courses("self", search_term="bio").take(3)) <= 3


@pytest.mark.parametrize("kind", ["ordinal", "bookmark"])
async def test_both_kinds_of_pages(harness: Harness, kind: str) -> None:
    """The list is the same with numbered and bookmarked pages, without a last link."""
    harness.simulator.knobs.update(paging={"courses.list": kind}, last_link=False)
    async with harness.canvas() as canvas:
        pages = [page async for page in canvas.courses.list(page_size=9).pages()]
        ids = [item["id"] for page in pages for item in page.raw]
        assert ids == sorted(set(ids))
        assert [len(page.raw) for page in pages][:-1] == [9] * (len(pages) - 1)
        await canvas.courses.list(page_size=9)


async def test_all_kinds_of_ids(harness: Harness) -> None:
    """Numbers, SIS ids with slashes, dots and accents; an unknown id is NotFound."""
    async with harness.canvas() as canvas:
        assert (await canvas.courses.get(1)).sis_course_id == "CS/101.11"
        assert (await canvas.courses.get(Sis.course("CS/101.11"))).id == 1
        assert (await canvas.courses.get(Sis.course("CS/101.11é"))).id == 2
        for missing in (999_999, Sis.course("no such"), Sis.course("CS/101.12")):
            with pytest.raises(NotFound, match="does not exist") as caught:
                await canvas.courses.get(missing)
            assert caught.value.request_id


async def test_modules_and_items(harness: Harness) -> None:
    """In order; items are inline if requested, and have their own list."""
    async with harness.canvas() as canvas:
        modules = await canvas.modules.list(3, include=["items"]).collect()
        assert [module.position for module in modules] == list(range(1, len(modules) + 1))
        module = modules[0]
        assert module.id is not None
        listed = await canvas.modules.items(3, module.id, include=["content_details"]).collect()
        assert [item.id for item in listed] == [item.id for item in module.items]
        assert (await canvas.modules.get(3, module.id)).items == []
        with pytest.raises(NotFound):
            await canvas.modules.get(3, 1)


async def test_paces_and_their_contexts(harness: Harness) -> None:
    """Sections, students and the course itself; each can have a pace."""
    async with harness.canvas() as canvas:
        (course,) = await canvas.course_paces.contexts(3, type="course").collect()
        assert (course.type, course.item_id) == ("Course", 3)
        students = await canvas.course_paces.contexts(
            3, type="student_enrollment", page_size=5
        ).collect()
        assert len(students) == course.associated_student_count
        pace = await canvas.course_paces.get(3, 3)
        assert (pace.id, pace.progress) == (3, None)
        items = await canvas.course_paces.items(3, 3).collect()
        modules = await canvas.course_paces.modules(3, 3).collect()
        assert items == [item for module in modules for item in module.items]
        assert items
        draft = await canvas.course_paces.new(
            3, enrollment_id=next(one.item_id for one in students if one.item_id)
        )
        assert draft.id is None


async def test_writing_a_pace(harness: Harness) -> None:
    """Create, wait until it is published, update, delete."""
    harness.simulator.knobs.update(progress_seconds=0.3)
    async with harness.canvas() as canvas:
        section = (await canvas.course_paces.contexts(4, type="section").collect())[0].item_id
        assert section is not None
        made = await canvas.course_paces.create(
            4, context_type="Section", context_id=section, exclude_weekends=False
        )
        assert made.id is not None
        assert made.progress is not None
        assert made.progress.id is not None
        assert (await canvas.progress.wait(made.progress.id, timeout=30)).completion == 100
        changed = await canvas.course_paces.update(4, made.id, selected_days_to_skip=["fri"])
        assert changed.selected_days_to_skip == ["fri"]
        assert (await canvas.course_paces.delete(4, made.id)).workflow_state == "deleted"
        with pytest.raises(NotFound):
            await canvas.course_paces.delete(4, made.id)
        with pytest.raises(Unprocessable, match="cannot delete the default"):
            await canvas.course_paces.delete(4, 4)


async def test_a_failed_job(harness: Harness) -> None:
    """A cancelled job has the state failed, and waiting for it raises ProgressFailed."""
    async with harness.canvas() as canvas:
        await canvas.progress.cancel(42, message="not now")
        with pytest.raises(ProgressFailed, match="not now"):
            await canvas.progress.wait(42)


async def test_refused_tokens(harness: Harness) -> None:
    """Unknown, expired, revoked, without permission: Unauthorized, or Forbidden on newer servers."""
    tokens = harness.simulator.canvas.tokens
    tokens |= {"old-token": "expired", "gone-token": "revoked", "small-token": "unscoped"}
    for token, message in [
        ("nobody", "Invalid access token"),
        ("old-token", "Expired access token"),
        ("gone-token", "Revoked access token"),
        ("small-token", "Insufficient scopes"),
    ]:
        async with harness.canvas(token=token) as canvas:
            with pytest.raises(Unauthorized, match=message):
                await canvas.courses.get(1)
    harness.simulator.knobs.update(denied_paths=["/courses/1$"])
    async with harness.canvas() as canvas:
        with pytest.raises(Unauthorized, match="not authorized"):
            await canvas.courses.get(1)
        harness.simulator.knobs.update(denied_status=403)
        with pytest.raises(Forbidden, match="not authorized"):
            await canvas.courses.get(1)
    assert len(harness.simulator.requests) == 6


async def test_invalid_requests(harness: Harness) -> None:
    """BadRequest with an empty body, and NotFound where a feature is off."""
    async with harness.canvas() as canvas:
        with pytest.raises(BadRequest):
            await canvas.request("GET", "/api/v1/courses/1/pace_contexts", params={"type": "x"})
        with pytest.raises(NotFound):
            await canvas.request("GET", "/api/v1/courses", params={"page": "x"})
        harness.simulator.knobs.update(course_pacing=False)
        with pytest.raises(NotFound):
            await canvas.course_paces.get(3, 3)


async def test_a_server_that_requires_a_user_agent(harness: Harness) -> None:
    """The client sends one by default."""
    harness.simulator.knobs.update(requires_user_agent=True)
    async with harness.canvas() as canvas:
        assert (await canvas.courses.get(1)).id == 1


async def test_six_hundred_listings_at_once_are_never_refused(harness: Harness) -> None:
    """All calls are served and the server refuses none."""
    harness.simulator.knobs.update(canvas_cost=0.1, outflow=10.0 if harness.virtual else 1_000.0)
    async with harness.canvas() as canvas:
        bulk = canvas.with_options(lane="bulk")
        pages = await asyncio.gather(*(bulk.courses.list(page_size=5) for _ in range(600)))
        assert len(pages) == 600
        shot = canvas.quota.snapshot()
    assert harness.simulator.stats()["canvas"] == {"served": 600, "refused": 0, "unsimulated": 0}
    assert (shot.throttles, shot.in_flight) == (0, 0)


@pytest.mark.parametrize("status", [403, 429])
async def test_refused_calls_wait_in_the_queue(harness: Harness, status: int) -> None:
    """Another client with the same token has filled the bucket: no call fails."""
    harness.simulator.knobs.update(throttle_status=status, outflow=500.0, canvas_cost=590.0)
    async with harness.canvas() as other, harness.canvas() as canvas:
        await asyncio.gather(*(other.courses.get(1) for _ in range(2)))
        found = await asyncio.gather(*(canvas.courses.get(n + 1) for n in range(8)))
    assert [course.id for course in found] == list(range(1, 9))
    assert harness.simulator.stats()["canvas"]["refused"] > 0


async def test_resuming_in_another_client(harness: Harness) -> None:
    """The text of a cursor is enough."""
    async with harness.canvas() as canvas:
        everything = [course.id async for course in canvas.courses.list(page_size=7)]
        pages = canvas.courses.list(page_size=7)
        read = 0
        async for _ in pages:
            read += 1
            if read == 12:
                break
        text = str(pages.cursor)
        assert harness.simulator.canvas_token not in text
    async with harness.canvas() as other:
        rest = [course.id async for course in other.resume(text)]
    assert rest == everything[12:]


@pytest.mark.parametrize(
    "named", ["https://school.invalid", "http://127.0.0.1:9", "http://simulator.test"]
)
async def test_links_that_name_another_origin(harness: Harness, named: str) -> None:
    """A vanity host, another port and a proxy's http: each page comes from the client's origin."""
    async with harness.canvas() as canvas:
        expected = [course.id async for course in canvas.courses.list(page_size=9)]
        harness.simulator.knobs.public_origin = named
        pages = canvas.courses.list(page_size=9)
        start = [course.id for course in await pages.take(12)]
        rest = [course.id async for course in canvas.resume(str(pages.cursor))]
        assert start + rest == expected


@pytest.mark.real_loop
async def test_nothing_is_sent_to_the_origin_of_a_link() -> None:
    """A second server that all links name, and that would reply, gets no request."""
    near, far = Simulator(), Simulator()
    server, other = await start(near), await start(far)
    try:
        near.knobs.public_origin = other.origin
        async with Canvas(server.origin, token=near.canvas_token) as canvas:
            pages = [page async for page in canvas.courses.list(page_size=9).pages()]
    finally:
        await server.close()
        await other.close()
        await asyncio.sleep(0)
    assert len(pages) > 3
    assert f"<{other.origin}/api/" in pages[0].response.headers["link"]
    assert len(near.requests) == len(pages)
    assert len(far.requests) == 0


async def test_calls_without_a_method(harness: Harness) -> None:
    """A raw call returns the response; a list instead of an object is a DecodeError."""
    async with harness.canvas() as canvas:
        answer = await canvas.request("GET", "/api/v1/users/self")
        assert answer.json()["id"] == 7
        with pytest.raises(DecodeError):
            await canvas.fetch(canvas.courses.list().route.bind({}))


async def test_the_simulator_serves_on_loopback_only(harness: Harness) -> None:
    """Another address is a ValueError."""
    with pytest.raises(ValueError, match="loopback"):
        await start(harness.simulator, host="0.0.0.0")  # noqa: S104
