"""Results that are used as what they are not: each marked line is an error. Never run.

See test_typing.py for the marks.
"""

# pyright: standard

from __future__ import annotations

import asyncio

from aioinstructure import ABConnect, Canvas, Cursor, Paginator
from aioinstructure.abconnect.assets import Asset
from aioinstructure.abconnect.json_api.resources import Relationship
from aioinstructure.abconnect.standards import Standard
from aioinstructure.abconnect.topics import Topic
from aioinstructure.canvas.courses import Course
from aioinstructure.canvas.modules import Module
from aioinstructure.sync import Sink


async def loops(canvas: Canvas, ab: ABConnect) -> None:
    for course in canvas.courses.list():  # expect: attr-defined | reportGeneralTypeIssues
        print(course)
    for event in ab.events.follow(after=1):  # expect: attr-defined | reportGeneralTypeIssues
        print(event)
    print(list(canvas.courses.list()))  # expect: call-overload | reportArgumentType
    print(len(canvas.courses.list()))  # expect: arg-type | reportArgumentType
    print(canvas.courses.list()[0])  # expect: index | reportIndexIssue
    async for course in canvas.courses.get(1):  # expect: attr-defined | reportGeneralTypeIssues
        print(course)
    async for course in canvas.courses:  # expect: attr-defined | reportGeneralTypeIssues
        print(course)
    async for page in canvas.courses.list().pages():
        print(page.name)  # expect: attr-defined | reportAttributeAccessIssue
    with canvas:  # expect: attr-defined | reportGeneralTypeIssues
        pass


async def awaits(canvas: Canvas, ab: ABConnect) -> None:
    print(canvas.courses.get(1).name)  # expect: attr-defined | reportAttributeAccessIssue
    print((await canvas.courses.list()).name)  # expect: attr-defined | reportAttributeAccessIssue
    await ab.events.follow(after=1)  # expect: misc | reportGeneralTypeIssues
    await canvas.quota.snapshot()  # expect: misc | reportGeneralTypeIssues
    canvas.courses.get(1)  # expect: unused-coroutine | reportUnusedCoroutine
    asyncio.run(canvas.courses.list())  # expect: arg-type | reportArgumentType


async def assignments(canvas: Canvas, ab: ABConnect) -> None:
    module: Module = await canvas.courses.get(1)  # expect: assignment | reportAssignmentType
    modules: Paginator[Module] = canvas.courses.list()  # expect: assignment | reportAssignmentType
    listed: list[Course] = await canvas.courses.list()  # expect: assignment | reportAssignmentType
    first: Course = await canvas.courses.list().first()  # expect: assignment | reportAssignmentType
    standards: list[Standard] = await ab.standards.get_many([])  # expect: assignment | reportAssignmentType
    nothing = await ab.predictions.commit("...")  # expect: func-returns-value | none
    abconnect: ABConnect = canvas.with_options(lane="bulk")  # expect: assignment | reportAssignmentType
    print(module, modules, listed, first, standards, nothing, abconnect)


def cursors(canvas: Canvas, ab: ABConnect, cursor: Cursor[Course], text: str) -> None:
    later = canvas.resume(cursor)
    modules: Paginator[Module] = later  # expect: assignment | reportAssignmentType
    # mypy takes the overload for text here, since the other one does not fit the declared type.
    at_once: Paginator[Module] = canvas.resume(cursor)  # expect: none | reportAssignmentType
    print(canvas.resume(cursor).collect().descr)  # expect: attr-defined | reportAttributeAccessIssue
    other: Cursor[Module] = canvas.courses.list().cursor  # expect: assignment | reportAssignmentType
    plain: Cursor[Course] = text  # expect: assignment | reportAssignmentType
    path: Paginator[Module] = canvas.paginate("/api/v1/x", model=Course)  # expect: arg-type | reportAssignmentType
    print(modules, at_once, other, plain, path)


def relationships(standard: Standard, asset: Asset) -> None:
    topics: Relationship[Topic] = standard.children  # expect: assignment | reportAssignmentType
    ids: list[int] = standard.children.ids  # expect: assignment | reportAssignmentType
    child: Standard | None = standard.children.single  # expect: assignment | reportAssignmentType
    alignments: list[Standard] = asset.alignments.data  # expect: assignment | reportAssignmentType
    print(topics, ids, child, alignments)


def values(course: Course) -> None:
    name: str = course.name  # expect: assignment | reportAssignmentType
    started: str | None = course.start_at  # expect: assignment | reportAssignmentType
    course.name = 5  # expect: assignment | reportAttributeAccessIssue
    print(name, started)


class HalfASink:
    """A sink without `write`."""

    async def open(self, streams: list[str]) -> None: ...

    async def close(self) -> None: ...


def protocols() -> None:
    sink: Sink = HalfASink()  # expect: assignment | reportAssignmentType
    print(sink)
