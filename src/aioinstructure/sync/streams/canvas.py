"""The streams of Canvas."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, TypeAlias

from aioinstructure.canvas import Canvas
from aioinstructure.endpoints.lookup import route_of
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError, ResponseError
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.report import SkippedParent
from aioinstructure.sync.sinks.base import Row
from aioinstructure.sync.streams.base import (
    Batch,
    Stream,
    list_reader,
    restarting,
    resume_or_restart,
    row_of,
)
from aioinstructure.wire.responses import denial_of

__all__ = ["STREAMS"]

_WINDOW: Final = 24
"""The maximum of concurrent calls for paces; the quota decides how many are sent."""

_Window: TypeAlias = deque[tuple[str, asyncio.Task[Row | SkippedParent]]]
"""Running calls in the order of their courses, each with the cursor after its course."""


async def course_paces(canvas: Canvas, cursor: str | None) -> AsyncGenerator[Batch]:
    """Yield the pace of each course that has one, in the order of the courses."""
    new = route_of(Canvas, "course_paces.new")
    courses = await resume_or_restart(canvas, cursor) or canvas.courses.list()
    window: _Window = deque()
    try:
        async for course in courses:
            call = new.bind({"course_id": course.id})
            task = asyncio.create_task(_pace(canvas, call, str(course.id)))
            window.append((str(courses.cursor), task))
            while len(window) > _WINDOW or (window and window[0][1].done()):
                yield await _oldest(window)
        while window:
            yield await _oldest(window)
    finally:
        for _, task in window:
            task.cancel()
        await asyncio.gather(*(task for _, task in window), return_exceptions=True)


async def _oldest(window: _Window) -> Batch:
    """The result of the first task in the window, and of those after it that have one."""
    rows: list[Row] = []
    skipped: list[SkippedParent] = []
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
        else:
            skipped.append(found)
    return Batch(rows, cursor, requests=requests, skipped=len(skipped), skipped_parents=skipped)


def _has_result(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _pace(canvas: Canvas, call: Call[Any], course_id: str) -> Row | SkippedParent:
    """The pace of one course; or the course, if Canvas says that the caller has none there.

    Any other refusal fails the stream: it does not prove that there is no pace.
    """
    try:
        response = await canvas.send(call)
    except ResponseError as error:
        reason = denial_of(error.response)
        if reason is None:
            raise
        return SkippedParent(course_id, reason)
    pace = _unwrapped(canvas.structure(response, dict[str, Any]))
    if not isinstance(pace, Mapping) or "id" not in pace:
        raise DecodeError("the response contains no pace", response=response)
    # If no pace is saved, Canvas returns one without an id.
    return SkippedParent(course_id, "no pace is saved") if pace["id"] is None else row_of(pace)


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
