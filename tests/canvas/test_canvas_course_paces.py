"""Course paces: requests, and unwrapped responses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from aioinstructure import (
    BadRequest,
    Canvas,
    DecodeError,
    InputError,
    Unprocessable,
)
from aioinstructure.canvas.course_paces import CoursePace
from aioinstructure.canvas.progress import Progress
from aioinstructure.conversion.converter import Converter
from aioinstructure.testing import FakeTransport, reply

PACE: dict[str, Any] = {
    "id": 5,
    "course_id": 9,
    "workflow_state": "active",
    "exclude_weekends": True,
    "selected_days_to_skip": ["sat", "sun"],
    "start_date": "2026-08-24T00:00:00-06:00",
    "end_date": "2026-12-18",
    "modules": [
        {"id": 1, "name": "A", "position": 1, "items": [{"id": 11, "duration": 2}, {"id": 12}]},
        {"id": 2, "name": "B", "position": 2, "items": []},
        {"id": 3, "name": "C", "position": 3, "items": [{"id": 31, "submission_status": "late"}]},
    ],
    "context_type": "Course",
}
JOB = {"id": 1000, "workflow_state": "queued", "completion": 0}


def canvas_with(*replies: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas("https://canvas.test", token="t", transport=transport), transport


async def test_a_pace_is_unwrapped() -> None:
    """The pace and its progress become one object; dates stay dates."""
    canvas, transport = canvas_with(reply({"course_pace": PACE, "progress": JOB}))
    pace = await canvas.course_paces.get(9, 5)
    assert (pace.id, pace.course_id) == (5, 9)
    assert isinstance(pace.progress, Progress)
    assert pace.progress.id == 1000
    assert pace.end_date == date(2026, 12, 18)
    assert isinstance(pace.start_date, datetime)
    assert [item.id for module in pace.modules for item in module.items] == [11, 12, 31]
    assert transport.paths == ["/api/v1/courses/9/course_pacing/5"]


@pytest.mark.parametrize("more", [{}, {"progress": None}])
async def test_a_pace_without_a_job(more: dict[str, Any]) -> None:
    """`progress` is None if nothing was published, or the last publication has ended."""
    canvas, _ = canvas_with(reply({"course_pace": PACE, **more}))
    pace = await canvas.course_paces.get(9, 5)
    assert pace.progress is None
    assert ("progress" in pace.fields_set) == bool(more)


async def test_section_and_enrollment_paces_are_unwrapped() -> None:
    """Their wrapper is `pace`."""
    body = {
        "pace": {"id": 6, "context_type": "Section", "section": {"name": "S", "size": 3}},
        "progress": JOB,
    }
    pace: CoursePace = Converter().structure(body, CoursePace)
    assert pace.section is not None
    assert (pace.id, pace.section.size) == (6, 3)
    assert pace.progress is not None
    enrollment: CoursePace = Converter().structure(
        {"pace": {"context_type": "StudentEnrollment", "student": {"name": "R"}}}, CoursePace
    )
    assert enrollment.student is not None
    assert (enrollment.id, enrollment.student.name) == (None, "R")


async def test_modules_and_items_are_lists_of_one_request() -> None:
    """In the order of the pace, across all of its modules."""
    canvas, transport = canvas_with(lambda _: reply({"course_pace": PACE, "progress": None}))
    modules = await canvas.course_paces.modules(9, 5).collect()
    items = await canvas.course_paces.items(9, 5).collect()
    assert [module.name for module in modules] == ["A", "B", "C"]
    assert [item.id for item in items] == [11, 12, 31]
    assert transport.paths == ["/api/v1/courses/9/course_pacing/5"] * 2


async def test_a_pace_that_is_not_saved() -> None:
    """`new` selects the context in the query."""
    canvas, transport = canvas_with(lambda _: reply({"course_pace": {**PACE, "id": None}}))
    assert (await canvas.course_paces.new(9)).id is None
    await canvas.course_paces.new(9, course_section_id=3)
    await canvas.course_paces.new(9, enrollment_id=4)
    assert transport.paths == [
        "/api/v1/courses/9/course_pacing/new",
        "/api/v1/courses/9/course_pacing/new?course_section_id=3",
        "/api/v1/courses/9/course_pacing/new?enrollment_id=4",
    ]


async def test_an_update_sends_only_the_given_fields() -> None:
    """Under the key that Canvas reads; None clears a field."""
    canvas, transport = canvas_with(lambda _: reply({"course_pace": PACE, "progress": JOB}))
    await canvas.course_paces.update(9, 5, end_date=None, exclude_weekends=True)
    await canvas.course_paces.update(
        9,
        5,
        end_date=datetime(2026, 12, 18, tzinfo=UTC),
        selected_days_to_skip=["fri", "sat"],
        module_items=[{"id": 11, "duration": 3}],
    )
    await canvas.course_paces.update(9, 5, end_date=date(2026, 12, 18))
    bodies = [orjson.loads(request.body or b"") for request in transport.requests]
    assert bodies == [
        {"course_pace": {"end_date": None, "exclude_weekends": True}},
        {
            "course_pace": {
                "end_date": "2026-12-18T00:00:00Z",
                "selected_days_to_skip": ["fri", "sat"],
                "course_pace_module_items_attributes": [{"id": 11, "duration": 3}],
            }
        },
        {"course_pace": {"end_date": "2026-12-18"}},
    ]
    assert {request.method for request in transport.requests} == {"PUT"}


async def test_a_create_is_not_idempotent() -> None:
    """It is a POST below the course, with the context in the body."""
    canvas, transport = canvas_with(reply({"course_pace": PACE, "progress": JOB}))
    await canvas.course_paces.create(9, context_type="Section", context_id=3)
    (request,) = transport.requests
    assert (request.method, request.path) == ("POST", "/api/v1/courses/9/course_pacing")
    assert not request.idempotent
    assert orjson.loads(request.body or b"") == {
        "course_pace": {"context_type": "Section", "context_id": 3}
    }


async def test_contexts_are_paged() -> None:
    """A wrapped list with a total; the filter by ids is one text."""
    context = {"item_id": 3, "type": "CourseSection", "applied_pace": None}
    canvas, transport = canvas_with(reply({"pace_contexts": [context], "total_entries": 1}))
    page = await canvas.course_paces.contexts(9, type="section", contexts='["3"]', page_size=5)
    assert (page.total, page.items[0].item_id, page.items[0].applied_pace) == (1, 3, None)
    assert transport.paths == [
        "/api/v1/courses/9/pace_contexts?type=section&contexts=%5B%223%22%5D&per_page=5"
    ]


async def test_invalid_arguments_are_refused_before_anything_is_sent() -> None:
    """An unknown type, a naive datetime, an empty id."""
    canvas, transport = canvas_with()
    wrong: Any = "sections"
    with pytest.raises(InputError, match="did you mean 'section'"):
        await canvas.course_paces.contexts(9, type=wrong)
    with pytest.raises(InputError, match="time zone"):
        await canvas.course_paces.update(9, 5, end_date=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InputError):
        await canvas.course_paces.get(9, "")
    assert transport.requests == []


async def test_errors_of_paces_have_unusual_shapes() -> None:
    """`errors` is text or a list of texts, and a 400 has no body."""
    canvas, _ = canvas_with(
        reply(
            {"success": False, "errors": "You cannot delete the default course pace."}, status=422
        ),
        reply({"success": False, "errors": ["Only one of them"]}, status=422),
        reply(status=400),
    )
    with pytest.raises(Unprocessable) as one:
        await canvas.course_paces.delete(9, 5)
    with pytest.raises(Unprocessable) as many:
        await canvas.course_paces.create(9)
    with pytest.raises(BadRequest, match="no body"):
        await canvas.course_paces.contexts(9, type="section")
    assert one.value.errors == ["You cannot delete the default course pace."]
    assert many.value.errors == ["Only one of them"]


BARE: dict[str, Any] = {
    "id": 5,
    "course_id": 7,
    "modules": [
        {"id": 1, "items": [{"id": 11, "duration": 2}, {"id": 12}]},
        {"id": 2, "items": None},
        {"id": 3},
        {"id": 4, "items": [{"id": 13}]},
    ],
}
RUNNING = {"id": 9, "completion": 0, "workflow_state": "queued"}
WRAPPED: list[dict[str, Any]] = [
    BARE,
    {"course_pace": BARE},
    {"pace": BARE},
    {"course_pace": BARE, "progress": None},
    {"course_pace": BARE, "progress": RUNNING},
    {"pace": BARE, "progress": RUNNING},
    {**BARE, "progress": RUNNING},
    {"course_pace": {**BARE, "progress": RUNNING}},
    {"course_pace": BARE, "new_in_canvas": {"a": 1}},
]


@pytest.mark.parametrize("body", WRAPPED, ids=str)
async def test_a_pace_is_read_wrapped_or_bare(body: dict[str, Any]) -> None:
    """By every call that reads one, and by the lists of its modules and items."""
    canvas, _ = canvas_with(*[reply(body)] * 7)
    paces = canvas.course_paces
    for pace in (
        await paces.get(7, 5),
        await paces.new(7),
        await paces.create(7),
        await paces.update(7, 5),
        await paces.delete(7, 5),
    ):
        assert (pace.id, [module.id for module in pace.modules]) == (5, [1, 2, 3, 4])
        assert (pace.progress is not None) == ("queued" in str(body))
    assert [module.id async for module in paces.modules(7, 5)] == [1, 2, 3, 4]
    assert [item.id async for item in paces.items(7, 5)] == [11, 12, 13]


@pytest.mark.parametrize("pace", [{"id": 5, "modules": None}, {"id": 5}, {"id": 5, "modules": []}])
async def test_a_pace_without_modules(pace: dict[str, Any]) -> None:
    """Null, absent and empty are the same: no module."""
    for body in (pace, {"course_pace": pace}, {"pace": pace, "progress": None}):
        canvas, _ = canvas_with(*[reply(body)] * 3)
        assert (await canvas.course_paces.get(7, 5)).modules == []
        assert await canvas.course_paces.modules(7, 5).collect() == []
        assert await canvas.course_paces.items(7, 5).collect() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"errors": [{"message": "no"}]},
        {"course_pace": None},
        {"course_pace": []},
        [],
        [BARE],
        {"course_pace": {"id": 5, "modules": 5}},
        {"course_pace": {"id": 5, "modules": {"id": 1}}},
        {"course_pace": {"id": 5, "modules": [{"id": 1, "items": 5}]}},
    ],
    ids=str,
)
async def test_what_is_no_pace_is_an_error_of_its_lists_too(body: Any) -> None:
    """They take what `get` takes, and nothing else."""
    canvas, _ = canvas_with(*[reply(body)] * 2)
    with pytest.raises(DecodeError):
        await canvas.course_paces.get(7, 5)
    with pytest.raises(DecodeError):
        await canvas.course_paces.items(7, 5).collect()
