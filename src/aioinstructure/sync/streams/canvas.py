"""The streams of Canvas."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from aioinstructure.canvas import Canvas
from aioinstructure.endpoints.lookup import routes_of
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import (
    Forbidden,
    NotFound,
    Unauthorized,
)
from aioinstructure.paging.cursor import id_of
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.sinks.base import Row
from aioinstructure.sync.streams.base import Batch, resume_or_restart, row_of
from aioinstructure.wire.responses import is_credential_error

__all__ = ["course_paces", "courses"]

_WINDOW: Final = 24
"""Calls of a fan-out at once; the quota lets fewer through where that is wiser."""


async def course_paces(canvas: Canvas, cursor: str | None) -> AsyncIterator[Batch]:
    """The pace of each course that has one, in the order of the courses."""
    new = next(route for route in routes_of(Canvas) if route.name == "course_paces.new")
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
    """What the first task of the window found, and those behind it that are done already."""
    rows: list[Row] = []
    asked = 0
    place = ""
    while window and (not asked or window[0][1].done()):
        place, task = window[0]
        found = await task
        window.popleft()
        asked += 1
        if found is not None:
            rows.append(found)
    return Batch(rows, place, requests=asked, skipped=asked - len(rows))


async def _pace(canvas: Canvas, call: Call[Any]) -> Row | None:
    """The pace of one course, or None if it has none, or none for the caller's eyes."""
    try:
        response = await canvas.send(call)
    except (NotFound, Forbidden):
        return None
    except Unauthorized as error:
        if is_credential_error(error):
            raise
        return None
    body = canvas._json(response)
    pace = body.get("course_pace") if isinstance(body, Mapping) else None
    # Canvas makes a pace up where none is saved; it has no id.
    return row_of(pace) if id_of(pace) is not None else None


def courses(canvas: Canvas, page_size: int | None = None) -> Paginator[Any]:
    """The courses of the token's user, with their terms."""
    return canvas.courses.list(include=["term"], page_size=page_size)
