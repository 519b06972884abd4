"""Courses, accounts, modules and SIS ids: requests and decoded responses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

import aioinstructure.canvas
from aioinstructure import Canvas, InputError, Sis
from aioinstructure.canvas.modules import Module
from aioinstructure.testing import FakeTransport, reply


def canvas_with(*replies: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas("https://canvas.test", token="t", transport=transport), transport


@pytest.mark.parametrize(
    ("sis", "segment"),
    [
        (Sis.course("CS/101.11é"), "sis_course_id:CS%2F101%2E11%C3%A9"),
        (Sis.course("a b+c%d?e#f"), "sis_course_id:a%20b%2Bc%25d%3Fe%23f"),
        (Sis.course(".."), "sis_course_id:%2E%2E"),
        (Sis.course("sis_course_id:x"), "sis_course_id:sis_course_id:x"),
        (Sis.user("1"), "sis_user_id:1"),
        (Sis.login("me@example.edu"), "sis_login_id:me%40example%2Eedu"),
        (Sis.account("1"), "sis_account_id:1"),
        (Sis.section("1"), "sis_section_id:1"),
        (Sis.term("1"), "sis_term_id:1"),
        (Sis.group("1"), "sis_group_id:1"),
    ],
)
async def test_sis_ids_are_escaped_as_canvas_expects(sis: str, segment: str) -> None:
    """One path segment, whatever it contains; Canvas would read a dot as a format."""
    canvas, transport = canvas_with(reply({"id": 1}))
    await canvas.courses.get(sis)
    assert transport.paths == [f"/api/v1/courses/{segment}"]


@pytest.mark.parametrize("wrong", ["", " ", None, 5])
def test_a_sis_id_is_non_empty_text(wrong: Any) -> None:
    """Numbers are Canvas ids."""
    for make in (Sis.course, Sis.user, Sis.login, Sis.account, Sis.section, Sis.term, Sis.group):
        with pytest.raises(InputError):
            make(wrong)


async def test_a_list_of_courses() -> None:
    """Includes are sent in Rails syntax; fields that were not requested are None."""
    rows = [
        {
            "id": 1,
            "name": "A",
            "term": {"id": 2, "name": "Fall"},
            "start_at": "2026-08-24T06:00:00Z",
        },
        {"id": 2, "access_restricted_by_date": True},
    ]
    canvas, transport = canvas_with(reply(rows))
    first, second = await canvas.courses.list(
        include=["term", "teachers"], state=["available"], enrollment_state="active", page_size=2
    ).collect()
    assert first.term is not None
    assert (first.term.name, first.start_at) == ("Fall", datetime(2026, 8, 24, 6, tzinfo=UTC))
    assert (second.access_restricted_by_date, second.name, second.term) == (True, None, None)
    assert transport.paths == [
        (
            "/api/v1/courses?enrollment_state=active&include%5B%5D=term&include%5B%5D=teachers"
            "&state%5B%5D=available&per_page=2"
        )
    ]


async def test_courses_of_an_account() -> None:
    """Dates, flags and ids are in the query."""
    canvas, transport = canvas_with(reply([]), reply({"id": 3}))
    await canvas.accounts.courses(
        "self",
        search_term="bio",
        by_teachers=[1, 2],
        published=True,
        starts_before=date(2026, 1, 2),
    ).collect()
    assert (await canvas.accounts.course(1, 3)).id == 3
    assert transport.paths == [
        (
            "/api/v1/accounts/self/courses?published=true&by_teachers%5B%5D=1&by_teachers%5B%5D=2"
            "&search_term=bio&starts_before=2026-01-02&per_page=100"
        ),
        "/api/v1/accounts/1/courses/3",
    ]


async def test_modules_and_their_items() -> None:
    """`fields_set` shows whether a module came with its items."""
    module = {"id": 1, "name": "M", "items_count": 60}
    item = {
        "id": 7,
        "type": "Quiz",
        "completion_requirement": {"type": "min_score", "min_score": 2},
    }
    canvas, transport = canvas_with(
        reply([module, {**module, "items": [item]}]), reply(module), reply([item]), reply(item)
    )
    big, small = await canvas.modules.list(9, include=["items", "content_details"]).collect()
    assert "items" not in big.fields_set
    assert big.items == []
    assert small.items[0].completion_requirement is not None
    assert small.items[0].completion_requirement.min_score == 2
    assert isinstance(await canvas.modules.get(9, 1, student_id=4), Module)
    assert [one.id async for one in canvas.modules.items(9, 1)] == [7]
    assert (await canvas.modules.item(9, 1, 7)).type == "Quiz"
    assert transport.paths == [
        "/api/v1/courses/9/modules?include%5B%5D=items&include%5B%5D=content_details&per_page=100",
        "/api/v1/courses/9/modules/1?student_id=4",
        "/api/v1/courses/9/modules/1/items?per_page=100",
        "/api/v1/courses/9/modules/1/items/7",
    ]


async def test_unknown_values_and_fields_are_kept() -> None:
    """Canvas adds both: values stay text, fields are in `extra`."""
    canvas, _ = canvas_with(reply({"id": 1, "workflow_state": "hibernating", "shiny": [1]}))
    course = await canvas.courses.get(1)
    assert course.workflow_state == "hibernating"
    assert course.extra == {"shiny": [1]}
    assert course.to_dict() == {"id": 1, "workflow_state": "hibernating", "shiny": [1]}


def test_models_and_resources_are_loaded_on_first_use() -> None:
    """The package lists its few names; models are in the module of their page."""
    assert {"Canvas", "Sis"} <= set(dir(aioinstructure.canvas))
    for name in vars(aioinstructure.canvas)["__all__"]:
        assert getattr(aioinstructure.canvas, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Canwas', did you mean 'Canvas'"):
        _ = aioinstructure.canvas.Canwas  # type: ignore[attr-defined]  # as a typing mistake is
