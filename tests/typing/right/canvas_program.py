"""The README's programs for Canvas: each result has its exact type. Never run."""

# mypy: disallow-any-expr

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import assert_type

from own_models import Group, GroupsAPI, OwnCanvas

from aioinstructure import (
    UNSET,
    Canvas,
    Cursor,
    Id,
    Opt,
    Paginator,
    Request,
    Response,
    ResultPage,
    RetryPolicy,
    Sis,
)
from aioinstructure.canvas import Canvas as CanvasOfPackage
from aioinstructure.canvas.course_paces import (
    AppliedPace,
    CoursePace,
    CoursePaceModule,
    CoursePaceModuleItem,
    PaceContext,
)
from aioinstructure.canvas.courses import Course, CoursesAPI, Term
from aioinstructure.canvas.modules import Module, ModuleItem
from aioinstructure.canvas.progress import Progress
from aioinstructure.quota import Scheduler


async def main() -> None:
    async with Canvas("https://canvas.example.edu", token="...") as canvas:
        assert_type(canvas, Canvas)
        async for course in canvas.courses.list(include=["term"]):
            assert_type(course, Course)
            assert_type(course.id, int | str | None)
            assert_type(course.name, str | None)
            assert_type(course.start_at, datetime | None)
            assert_type(course.term, Term | None)
            if course.id is None:
                continue
            pace = await canvas.course_paces.new(course.id)
            assert_type(pace, CoursePace)
            assert_type(pace.start_date, datetime | date | None)
            assert_type(pace.modules, list[CoursePaceModule])
            assert_type(pace.progress, Progress | None)
            if pace.id is None:
                continue
            async for item in canvas.course_paces.items(course.id, pace.id):
                assert_type(item, CoursePaceModuleItem)
                assert_type(item.assignment_title, str | None)
                assert_type(item.duration, int | None)


asyncio.run(main())


async def single_objects(canvas: Canvas) -> None:
    assert_type(canvas.courses, CoursesAPI)
    assert_type(await canvas.courses.get(1), Course)
    assert_type(await canvas.courses.get("1"), Course)
    assert_type(await canvas.courses.get(Sis.course("CS/101"), include=["term"]), Course)
    assert_type(await canvas.accounts.course(1, 2), Course)
    assert_type(await canvas.modules.get(1, 2), Module)
    assert_type(await canvas.modules.item(1, 2, 3), ModuleItem)
    assert_type(await canvas.progress.get(1), Progress)
    progress = await canvas.progress.wait(1, timeout=60)
    assert_type(progress, Progress)
    assert_type(progress.pending, bool)
    assert_type(await canvas.progress.cancel(1, message="stop"), Progress)


async def writes(canvas: Canvas, end: Opt[date | None] = UNSET) -> None:
    pace = await canvas.course_paces.create(1, end_date=date(2026, 6, 30), exclude_weekends=True)
    assert_type(pace, CoursePace)
    assert_type(await canvas.course_paces.update(1, 2, end_date=end), CoursePace)
    assert_type(await canvas.course_paces.delete(1, 2), CoursePace)


async def lists(canvas: Canvas) -> None:
    pages = canvas.courses.list(enrollment_state="active", state=["available"], page_size=50)
    assert_type(pages, Paginator[Course])
    assert_type([course async for course in pages], list[Course])
    assert_type(await pages.collect(), list[Course])
    assert_type(await pages.take(5), list[Course])
    assert_type(await pages.first(), Course | None)
    assert_type(pages.cursor, Cursor[Course])
    assert_type(aiter(pages), AsyncIterator[Course])

    page = await pages
    assert_type(page, ResultPage[Course])
    assert_type(page.items, list[Course])
    assert_type(list(page), list[Course])
    assert_type(page.total, int | None)
    assert_type(page.cursor, Cursor[Course] | None)
    assert_type(page.response, Response)
    assert_type(page.response.request, Request | None)
    assert_type(page.response.request_cost, float | None)

    assert_type(pages.pages(), AsyncIterator[ResultPage[Course]])
    async for page in pages.pages():
        assert_type(page, ResultPage[Course])

    async with pages as reading:
        assert_type(reading, Paginator[Course])

    assert_type(canvas.accounts.courses(1, search_term="bio"), Paginator[Course])
    assert_type(canvas.modules.list(1, include=["items"]), Paginator[Module])
    assert_type(canvas.modules.items(1, 2), Paginator[ModuleItem])
    assert_type(canvas.course_paces.modules(1, 2), Paginator[CoursePaceModule])
    contexts = canvas.course_paces.contexts(1, type="section")
    assert_type(contexts, Paginator[PaceContext])
    async for context in contexts:
        assert_type(context.applied_pace, AppliedPace | None)


async def resuming(canvas: Canvas, stored: Cursor[Module]) -> None:
    pages = canvas.courses.list()
    async for course in pages:
        assert_type(course, Course)
        break
    assert_type(canvas.resume(pages.cursor), Paginator[Course])
    assert_type(canvas.resume(stored), Paginator[Module])
    later: Paginator[Course] = canvas.resume(pages.cursor)
    assert_type(await later.first(), Course | None)
    assert_type(as_text(pages.cursor), str)


def as_text(cursor: str) -> str:
    return cursor


async def unknown_operations(canvas: Canvas) -> None:
    response = await canvas.request("GET", "/api/v1/users/self")
    assert_type(response, Response)
    assert_type(response.status, int)
    assert_type(response.headers.get("link"), str | None)
    assert_type(canvas.structure(response, Group), Group)

    groups = canvas.paginate("/api/v1/groups", model=Group)
    assert_type(groups, Paginator[Group])
    assert_type(await groups.first(), Group | None)
    assert_type(groups.cursor, Cursor[Group])
    again = canvas.paginate("/api/v1/groups", model=Group, items="groups", cursor=groups.cursor)
    assert_type(again, Paginator[Group])


def options(canvas: Canvas, scheduler: Scheduler) -> None:
    bulk = canvas.with_options(lane="bulk")
    assert_type(bulk, Canvas)
    assert_type(canvas.with_options(flow="tenant-7", weight=2), Canvas)
    assert_type(canvas.with_options(deadline=2.0), Canvas)
    assert_type(canvas.as_user(7), Canvas)
    assert_type(canvas.as_user(7).with_options(lane="background").courses, CoursesAPI)
    assert_type(canvas.quota, Scheduler)
    assert_type(canvas.origin, str)
    assert_type(canvas.deadline, float | None)
    other = Canvas("https://canvas.example.edu", "...", quota=canvas.quota, timeout=10)
    assert_type(other, Canvas)
    assert_type(Canvas.from_env(), Canvas)
    same: type[Canvas] = CanvasOfPackage
    retry = RetryPolicy(attempts=2)
    assert_type(same.from_env(deadline=5.0, retry=retry, quota=scheduler), Canvas)


class District(Canvas):
    """A subclass, whose views are of its own type."""

    def view(self) -> District:
        assert_type(District.from_env(), District)
        return self.with_options(lane="bulk")


def ids(number: Id) -> None:
    assert_type(number, int | str)
    assert_type(Sis.term("2026"), str)


async def own_namespace(canvas: OwnCanvas) -> None:
    assert_type(canvas.groups, GroupsAPI)
    assert_type(canvas.groups.list(1, include=["users"]), Paginator[Group])
    assert_type(await canvas.groups.get(1), Group)
    assert_type(await canvas.with_options(lane="bulk").groups.list(1).first(), Group | None)
