"""The streams of Canvas."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aioinstructure._text import short_repr
from aioinstructure.canvas import Canvas
from aioinstructure.endpoints.lookup import route_of
from aioinstructure.endpoints.route import Route
from aioinstructure.errors import DecodeError, ResponseError
from aioinstructure.paging.paginator import Paginator
from aioinstructure.paging.reading_options import BadItem
from aioinstructure.sync.report import RejectedRow, SkippedParent
from aioinstructure.sync.sinks.base import Row
from aioinstructure.sync.streams.base import (
    Batch,
    Stream,
    list_reader,
    page_of,
    restarting,
    resume_or_restart,
    row_of,
)
from aioinstructure.wire.responses import denial_of

if TYPE_CHECKING:
    from aioinstructure.canvas.courses import Course

__all__ = ["STREAMS"]

_WINDOW: Final = 24
"""The maximum of concurrent calls for paces; the quota decides how many are sent."""

_PACES: Final = "/api/v1/courses/{course_id}/course_pacing/new"

_Found: TypeAlias = Row | SkippedParent | RejectedRow
_Window: TypeAlias = deque[tuple[str, asyncio.Future[_Found]]]
"""Running calls in the order of their courses, each with the cursor after its course."""


async def course_paces(canvas: Canvas, cursor: str | None) -> AsyncGenerator[Batch]:
    """Yield the pace of each course that has one, in the order of the courses."""
    new = route_of(Canvas, "course_paces.new")
    window: _Window = deque()

    def reject(bad: BadItem) -> None:
        """Report a course that cannot be read, in its place."""
        found: asyncio.Future[_Found] = asyncio.get_running_loop().create_future()
        page = "" if bad.error.response is None else page_of(bad.error.response)
        found.set_result(RejectedRow("", page, str(bad.error)))
        window.append((str(bad.cursor), found))

    lenient = canvas.with_options(on_bad_item=reject)
    courses = await resume_or_restart(lenient, cursor) or lenient.courses.list()
    try:
        async for course in courses:
            task = asyncio.create_task(_pace(canvas, new, course))
            window.append((str(courses.cursor), task))
            while len(window) > _WINDOW or (window and window[0][1].done()):
                yield await _oldest(window)
        while window:
            yield await _oldest(window)
    finally:
        for _, found in window:
            found.cancel()
        await asyncio.gather(*(found for _, found in window), return_exceptions=True)


async def _oldest(window: _Window) -> Batch:
    """The result of the first task in the window, and of those after it that have one."""
    rows: list[Row] = []
    skipped: list[SkippedParent] = []
    rejected: list[RejectedRow] = []
    requests = 0
    cursor = ""
    # What was read before a task that failed is a batch of its own: it is written first.
    while window and (not requests or _has_result(window[0][1])):
        cursor, task = window[0]
        found = await task
        window.popleft()
        requests += 1
        if isinstance(found, Row):
            rows.append(found)
        elif isinstance(found, RejectedRow):
            rejected.append(found)
        else:
            skipped.append(found)
    return Batch(
        rows,
        cursor,
        requests=requests,
        skipped=len(skipped),
        skipped_parents=skipped,
        page=_PACES,
        rejected=rejected,
    )


def _has_result(task: asyncio.Future[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _pace(canvas: Canvas, new: Route, course: Course) -> _Found:
    """The pace of one course; or the course, if Canvas says that the caller has none there.

    Any other refusal fails the stream: it does not prove that there is no pace.
    """
    if not isinstance(course.id, int | str) or isinstance(course.id, bool):
        return RejectedRow("", _PACES, f"a course has no id: {short_repr(course, 200)}")
    course_id = str(course.id)
    try:
        response = await canvas.send(new.bind({"course_id": course.id}))
    except ResponseError as error:
        reason = denial_of(error.response)
        if reason is None:
            raise
        return SkippedParent(course_id, reason)
    pace = _unwrapped(canvas.structure(response, dict[str, Any]))
    if not isinstance(pace, Mapping) or "id" not in pace:
        raise DecodeError("the response contains no pace", response=response)
    # If no pace is saved, Canvas returns one without an id.
    if pace["id"] is None:
        return SkippedParent(course_id, "no pace is saved")
    return row_of(pace, page_of(response))


def _unwrapped(body: dict[str, Any]) -> Any:
    """The pace in a body: one of its members, or, as the documentation prints it, all of it."""
    for wrapper in ("course_pace", "pace"):
        if wrapper in body:
            return body[wrapper]
    return body if "course_id" in body or "modules" in body else None


def courses(canvas: Canvas, page_size: int | None = None) -> Paginator[Any]:
    """The courses of the token's user, with their terms."""
    return canvas.courses.list(include=["term"], page_size=page_size)


STREAMS: Final = (
    Stream("courses", "canvas", list_reader(courses), courses),
    Stream("course_paces", "canvas", restarting(course_paces), courses, per_row=1),
)
"""The streams of Canvas, in the order that a report lists them."""
