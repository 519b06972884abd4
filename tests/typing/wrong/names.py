"""Names that do not exist: each marked line is an error. Never run.

See test_typing.py for the marks.
"""

# pyright: standard

from __future__ import annotations

import aioinstructure
import aioinstructure.abconnect.standards
import aioinstructure.canvas
from aioinstructure import Canvass  # expect: attr-defined | reportAttributeAccessIssue
from aioinstructure import ABConnect, Canvas, NotFound, QuotaError, Response
from aioinstructure.abconnect import FF  # expect: attr-defined | reportAttributeAccessIssue
from aioinstructure.abconnect.standards import Standard
from aioinstructure.abconnect.standart import Standard as S  # expect: import-not-found | reportMissingImports
from aioinstructure.canvas.courses import Course
from aioinstructure.quota import Snapshot
from aioinstructure.sync import Report


def modules() -> None:
    print(aioinstructure.Canvass)  # expect: attr-defined | reportAttributeAccessIssue
    print(aioinstructure.abconnect.Standart)  # expect: attr-defined | reportAttributeAccessIssue
    print(aioinstructure.abconnect.standards.Standart)  # expect: attr-defined | reportAttributeAccessIssue
    print(aioinstructure.canvas.Canvass)  # expect: attr-defined | reportAttributeAccessIssue


def namespaces(canvas: Canvas, ab: ABConnect) -> None:
    print(canvas.coursess)  # expect: attr-defined | reportAttributeAccessIssue
    print(ab.standardss)  # expect: attr-defined | reportAttributeAccessIssue
    print(canvas.standards)  # expect: attr-defined | reportAttributeAccessIssue
    print(ab.courses)  # expect: attr-defined | reportAttributeAccessIssue
    print(canvas.with_options(lane="bulk").coursess)  # expect: attr-defined | reportAttributeAccessIssue
    canvas.courses.lst()  # expect: attr-defined | reportAttributeAccessIssue
    ab.events.folow(after=1)  # expect: attr-defined | reportAttributeAccessIssue
    canvas.with_option(lane="bulk")  # expect: attr-defined | reportAttributeAccessIssue


async def fields(canvas: Canvas, course: Course, standard: Standard) -> None:
    print(course.nmae)  # expect: attr-defined | reportAttributeAccessIssue
    print(standard.statment)  # expect: attr-defined | reportAttributeAccessIssue
    print(standard.statement.desc)  # expect: attr-defined | reportAttributeAccessIssue
    print(standard.topics.sinlge)  # expect: attr-defined | reportAttributeAccessIssue
    for topic in standard.topics.data:
        print(topic.descr)  # expect: attr-defined | reportAttributeAccessIssue
        if topic.resource is not None:
            print(topic.resource.statement)  # expect: attr-defined | reportAttributeAccessIssue
    print(standard.children.single.id)  # expect: union-attr | reportOptionalMemberAccess
    print((await canvas.courses.list().first()).id)  # expect: union-attr | reportOptionalMemberAccess
    print(course.term.name)  # expect: union-attr | reportOptionalMemberAccess
    course.nmae = "Algebra"  # expect: attr-defined | reportAttributeAccessIssue


async def lists(canvas: Canvas) -> None:
    pages = canvas.courses.list()
    print(pages.curser)  # expect: attr-defined | reportAttributeAccessIssue
    await pages.takes(5)  # expect: attr-defined | reportAttributeAccessIssue
    print(pages.items)  # expect: attr-defined | reportAttributeAccessIssue
    print((await pages).totals)  # expect: attr-defined | reportAttributeAccessIssue


def results(now: Snapshot, report: Report, response: Response) -> None:
    print(now.levels)  # expect: attr-defined | reportAttributeAccessIssue
    print(report.row)  # expect: attr-defined | reportAttributeAccessIssue
    print(response.code)  # expect: attr-defined | reportAttributeAccessIssue


async def errors(canvas: Canvas) -> None:
    try:
        await canvas.courses.get(1)
    except NotFound as error:
        print(error.code)  # expect: attr-defined | reportAttributeAccessIssue
    except QuotaError as error:
        print(error.response)  # expect: attr-defined | reportAttributeAccessIssue
