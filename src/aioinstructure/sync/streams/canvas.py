"""The streams of Canvas."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, Final

from aioinstructure.canvas import Canvas
from aioinstructure.endpoints.lookup import route_of
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import (
    Forbidden,
    NotFound,
    Unauthorized,
)
from aioinstructure.paging.cursor import id_of
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.sinks.base import Row
from aioinstructure.sync.streams.base import (
    Batch,
    Stream,
    list_reader,
    restarting,
    resume_or_restart,
    row_of,
)
from aioinstructure.wire.responses import is_credential_error

__all__ = ["STREAMS"]

_WINDOW: Final = 24
"""The maximum of concurrent calls for paces; the quota decides how many are sent."""


async def course_paces(canvas: Canvas, cursor: str | None) -> AsyncGenerator[Batch]:
    """Yield the pace of each course that has one, in the order of the courses."""
    new = route_of(Canvas, "course_paces.new")
    courses = await resume_or_restart(canvas, cursor) or canvas.courses.list()
    window: deque[tuple[str, asyncio.Task[Row | None]]] = deque()
    try:
        async for course in courses:
            call = new.bind({"course_id": course.id})
            task = asyncio.create_task(_pace(canvas, call))
            window.append((str(courses.cursor), task))
            while len(window) > _WINDOW or (window and window[0][1].done()):
                yield await _oldest(window)
        while window:
            yield await _oldest(window)
    finally:
        for _, task in window:
            task.cancel()
        await asyncio.gather(*(task for _, task in window), return_exceptions=True)


async def _oldest(window: deque[tuple[str, asyncio.Task[Row | None]]]) -> Batch:
    """The result of the first task in the window, and of those after it that are done."""
    rows: list[Row] = []
    requests = 0
    cursor = ""
    while window and (not requests or window[0][1].done()):
        cursor, task = window[0]
        found = await task
        window.popleft()
        requests += 1
        if found is not None:
            rows.append(found)
    return Batch(rows, cursor, requests=requests, skipped=requests - len(rows))


async def _pace(canvas: Canvas, call: Call[Any]) -> Row | None:
    """The pace of one course, or None if it has none that the caller may see."""
    try:
        response = await canvas.send(call)
    except (NotFound, Forbidden):
        return None
    except Unauthorized as error:
        if is_credential_error(error):
            raise
        return None
    pace = canvas.structure(response, dict[str, Any]).get("course_pace")
    # If no pace is saved, Canvas returns one without an id.
    return row_of(pace) if id_of(pace) is not None else None


def courses(canvas: Canvas, page_size: int | None = None) -> Paginator[Any]:
    """The courses of the token's user, with their terms."""
    return canvas.courses.list(include=["term"], page_size=page_size)


STREAMS: Final = (
    Stream("courses", "canvas", list_reader(courses), courses),
    Stream("course_paces", "canvas", restarting(course_paces), courses, per_row=1),
)
"""The streams of Canvas, in the order that a report lists them."""
