"""The list of what can have a pace, and the view of students of the bulk editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from aioinstructure.simulator.canvas.vocabulary import TERMS, TIME_ZONES, midnight_in
from aioinstructure.simulator.coerce import listed, number
from aioinstructure.simulator.http.parsing import last, ruby_to_i
from aioinstructure.simulator.http.responses import Reply, json_reply

if TYPE_CHECKING:
    from aioinstructure.simulator.canvas.pace_views import PaceViews
    from aioinstructure.simulator.canvas.service import CanvasCall, CanvasService
    from aioinstructure.simulator.canvas.state import Course, Pace

__all__ = ["PaceContexts"]


class PaceContexts:
    """Handlers of pace_contexts and student_bulk_pace_edit_view."""

    def __init__(self, canvas: CanvasService, views: PaceViews) -> None:
        self._canvas, self._campus, self._knobs = canvas, canvas.campus, canvas.knobs
        self._views = views

    def contexts(self, call: CanvasCall, course: Course) -> Reply:
        """The course, its sections or its students, each with the pace that applies to it."""
        kind = last(call.pairs, "type")
        if kind not in {"course", "section", "student_enrollment"}:
            return Reply(400)
        rows = self._context_rows(call, course, kind)
        total = len(rows)
        return self._canvas.page(
            call,
            rows,
            lambda row: row,
            url=f"/api/v1/courses/{course.id}/pace_contexts",
            key=lambda row: row["item_id"],
            wrap=lambda shown: {"pace_contexts": shown, "total_entries": total},
            cacheable=False,  # a publishing job can end at any time
        )

    def _context_rows(self, call: CanvasCall, course: Course, kind: str) -> list[dict[str, Any]]:
        if kind == "course":
            return [self._course_context(call, course)]
        make = self._section_contexts if kind == "section" else self._student_contexts
        rows = make(call, course)
        term = (last(call.pairs, "search_term") or "").casefold()
        rows = [row for row in rows if term in row["name"].casefold()]
        if (chosen := last(call.pairs, "contexts")) is not None:
            wanted = _ids(chosen)
            rows = [row for row in rows if row["item_id"] in wanted]
        # Bookmarks need the rows in the order of their ids.
        if last(call.pairs, "sort") == "name" and "bookmark" not in self._knobs.paging.values():
            rows.sort(key=lambda row: row["name"].casefold())
        if last(call.pairs, "order") == "desc":
            rows.reverse()
        return rows

    def _course_context(self, call: CanvasCall, course: Course) -> dict[str, Any]:
        pace = self._campus.pace_of(course, None, None)
        return {
            "name": course.name,
            "type": "Course",
            "item_id": course.id,
            "associated_section_count": len(course.sections),
            "associated_student_count": len(self._campus.students(course)),
            "applied_pace": self._applied(call, course, pace, course.name),
        }

    def _section_contexts(self, call: CanvasCall, course: Course) -> list[dict[str, Any]]:
        primary = self._campus.pace_of(course, None, None)
        students = self._campus.students(course)
        rows: list[dict[str, Any]] = []
        for section in course.sections:
            own = self._campus.pace_of(course, section.id, None)
            name = section.name if own is not None else course.name
            rows.append(
                {
                    "name": section.name,
                    "type": "CourseSection",
                    "item_id": section.id,
                    "associated_section_count": None,
                    "associated_student_count": sum(
                        one.section_id == section.id for one in students
                    ),
                    "applied_pace": self._applied(call, course, own or primary, name),
                }
            )
        return rows

    def _student_contexts(self, call: CanvasCall, course: Course) -> list[dict[str, Any]]:
        primary = self._campus.pace_of(course, None, None)
        rows: list[dict[str, Any]] = []
        for student in self._campus.students(course):
            own = self._campus.pace_of(course, None, student.user_id)
            pace = own or self._campus.pace_of(course, student.section_id, None) or primary
            rows.append(
                {
                    "name": student.name,
                    "type": "StudentEnrollment",
                    "item_id": student.enrollment_id,
                    "associated_section_count": None,
                    "associated_student_count": 1,
                    "applied_pace": self._applied(call, course, pace, course.name),
                }
            )
        return rows

    def _applied(
        self, call: CanvasCall, course: Course, pace: Pace | None, name: str
    ) -> dict[str, Any] | None:
        if pace is None:
            return None
        self._views.settle(call, pace)
        items = self._views.paced_items(course)
        kind = "Section" if pace.section_id else "StudentEnrollment" if pace.user_id else "Course"
        return {
            "name": name,
            "type": kind,
            "duration": sum(self._campus.duration(pace, item) for item in items) + 1,
            "last_modified": pace.published_at,
        }

    # The bulk editor.

    def bulk_view(self, call: CanvasCall, course: Course) -> Reply:
        """The students without an active pace of their own. It has pages, but no Link header."""
        sections = {
            one.id: {"id": str(one.id), "course_id": str(course.id), "name": one.name}
            for one in course.sections
        }
        term = (last(call.pairs, "search_term") or "").casefold()
        section = number(last(call.pairs, "filter_section"))
        rows = [
            one
            for one in self._campus.students(course)
            if term in one.name.casefold()
            and section in (None, one.section_id)
            and not self._has_active(course, one.user_id)
        ]
        if last(call.pairs, "filter_pace_status") == "off-pace":
            rows = []  # the simulated students are all on pace
        if last(call.pairs, "sort") == "name":
            rows.sort(key=lambda one: one.name.casefold())
        if last(call.pairs, "order") == "desc":
            rows.reverse()
        size = max(1, ruby_to_i(last(call.pairs, "per_page") or "10"))  # no upper limit
        page = max(1, ruby_to_i(last(call.pairs, "page") or "1"))
        enrolled_at = midnight_in(TIME_ZONES[course.zone], TERMS[course.term][2][:10])
        students = [
            {
                "id": str(one.user_id),
                "name": one.name,
                "paceStatus": "on-pace",
                "enrollmentId": str(one.enrollment_id),
                "enrollmentDate": enrolled_at,
                "sections": [sections[one.section_id]],
            }
            for one in rows[(page - 1) * size : page * size]
        ]
        shown = {
            "students": students,
            "pages": -(-len(rows) // size),
            "sections": list(sections.values()),
        }
        return json_reply(shown, items=len(students))

    def _has_active(self, course: Course, user_id: int) -> bool:
        pace = self._campus.pace_of(course, None, user_id)
        return pace is not None and pace.state == "active"


def _ids(text: str) -> set[int]:
    """Parse a JSON list; invalid JSON gives no ids, so that nothing matches."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return set()
    return {found for one in listed(value) or () if (found := number(one)) is not None}
