"""Where JSON enters a program and Any is right, and what stays exact. Never run."""

from __future__ import annotations

from typing import Any, assert_type

from own_models import Group

from aioinstructure import Canvas, IncompleteError, Paginator, ProgressFailed, ResultPage
from aioinstructure.canvas.courses import Course


async def requests(canvas: Canvas) -> None:
    raw = await canvas.request("PUT", "/api/v1/x", params={"a": [1, 2]}, json={"b": {"c": None}})
    assert_type(raw.json(), Any)
    assert_type(canvas.structure(raw, Course), Course)
    assert_type(canvas.paginate("/api/v1/x"), Paginator[dict[str, Any]])
    assert_type(canvas.paginate("/api/v1/x", params={"a": 1}, model=Group), Paginator[Group])
    page = await canvas.paginate("/api/v1/x", items="x")
    assert_type(page, ResultPage[dict[str, Any]])
    assert_type(page.raw, list[Any])


async def text_says_not_what_it_resumes(canvas: Canvas, cursor: str) -> None:
    assert_type(canvas.resume(cursor), Paginator[Any])
    later: Paginator[Course] = canvas.resume(cursor)
    assert_type(await later.first(), Course | None)


def models(course: Course, data: dict[str, object]) -> None:
    assert_type(Course.from_dict(data), Course)
    assert_type(course.to_dict(), dict[str, Any])
    assert_type(course.extra, dict[str, Any])


async def errors(canvas: Canvas) -> None:
    try:
        await canvas.progress.wait(1)
    except ProgressFailed as error:  # of Canvas or AB Connect
        assert_type(error.progress, Any)
    except IncompleteError as error:
        assert_type((error.expected, error.got), tuple[object, object])
