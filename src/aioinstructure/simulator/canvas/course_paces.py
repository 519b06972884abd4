"""Course pacing of the simulated Canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from aioinstructure.simulator.canvas.service import PACED_TYPES, CanvasCall, CanvasService
from aioinstructure.simulator.canvas.state import ROOT_ACCOUNT, Course, Pace
from aioinstructure.simulator.canvas.vocabulary import TERMS, TIME_ZONES, midnight_in, moment_in
from aioinstructure.simulator.coerce import (
    listed,
    mapping,
    number,
    truth,
)
from aioinstructure.simulator.http.parsing import last
from aioinstructure.simulator.http.responses import (
    Reply,
    canvas_error,
    denied,
    json_reply,
    missing,
    not_found,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PaceService"]

_ITEM_ID = 1000  # id of a pace item: id of the pace times this, plus its position


class PaceService:
    """The operations under course_pacing and pace_contexts."""

    def __init__(self, canvas: CanvasService) -> None:
        self._canvas, self._campus, self._knobs = canvas, canvas.campus, canvas.knobs
        handlers = {
            "course_paces.new": self._new,
            "course_paces.get": self._get,
            "course_paces.create": self._by_staff(self._create),
            "course_paces.update": self._by_staff(self._update),
            "course_paces.delete": self._by_staff(self._delete),
            "course_paces.contexts": self._contexts,
        }
        canvas.extend({name: self._gated(handler) for name, handler in handlers.items()})

    def _gated(
        self, handler: Callable[[CanvasCall, Course], Reply]
    ) -> Callable[[CanvasCall], Reply]:
        """Reply 404 while the feature is off, and for unknown courses."""

        def gated(call: CanvasCall) -> Reply:
            if not self._knobs.course_pacing:
                return not_found(gate=True)
            course = self._canvas.course(call.values["course_id"])
            return not_found() if course is None else handler(call, course)

        return gated

    def _by_staff(
        self, handler: Callable[[CanvasCall, Course], Reply]
    ) -> Callable[[CanvasCall, Course], Reply]:
        """Refuse the call in courses where the token's user is a student."""

        def guarded(call: CanvasCall, course: Course) -> Reply:
            if course.role == "student":
                return denied(self._knobs.denied_status)
            return handler(call, course)

        return guarded

    def _pace(self, call: CanvasCall, course: Course) -> Pace | None:
        text = call.values["id"]
        pace = self._campus.paces.get(int(text)) if text.isascii() and text.isdigit() else None
        if pace is None or pace.course_id != course.id or pace.state == "deleted":
            return None
        return pace

    # Operations.

    def _get(self, call: CanvasCall, course: Course) -> Reply:
        pace = self._pace(call, course)
        return not_found() if pace is None else self._envelope(call, course, pace)

    def _new(self, call: CanvasCall, course: Course) -> Reply:
        """Show the existing pace, or an unsaved one whose id is null."""
        section_id = number(last(call.pairs, "course_section_id"))
        if section_id is not None and all(one.id != section_id for one in course.sections):
            return not_found()
        user_id = None
        if (enrollment := number(last(call.pairs, "enrollment_id"))) is not None:
            known = {one.enrollment_id: one.user_id for one in self._campus.students(course)}
            if (user_id := known.get(enrollment)) is None:
                return not_found()
        pace = self._campus.pace_of(course, section_id, user_id)
        if pace is not None:
            return self._envelope(call, course, pace)
        draft = Pace(0, course.id, section_id, user_id, "unpublished", published_at=None)
        return json_reply({"course_pace": self._show(call, course, draft), "progress": None})

    def _create(self, call: CanvasCall, course: Course) -> Reply:
        wanted = _root(call)
        if wanted is None:
            return missing("course_pace")
        section_id, user_id = _owner(wanted)
        if section_id is not None and user_id is not None:
            return _invalid("Only one of course_section_id and user_id can be given")
        if section_id is not None and all(one.id != section_id for one in course.sections):
            return not_found()
        fresh = self._campus.next_pace
        while fresh in self._campus.paces:
            fresh += 1
        self._campus.next_pace = fresh + 1
        pace = Pace(fresh, course.id, section_id, user_id, "unpublished", created_at=call.today)
        pace.published_at = None
        return self._write(call, course, pace, wanted)

    def _update(self, call: CanvasCall, course: Course) -> Reply:
        pace = self._pace(call, course)
        if pace is None:
            return not_found()
        wanted = _root(call)
        return missing("course_pace") if wanted is None else self._write(call, course, pace, wanted)

    def _write(self, call: CanvasCall, course: Course, pace: Pace, wanted: dict[str, Any]) -> Reply:
        """Change a pace, all or nothing, and start to publish it."""
        durations = self._durations(course, pace, wanted)
        if durations is None:
            return not_found()
        if "end_date" in wanted:
            pace.end_date = str(wanted["end_date"])[:10] if wanted["end_date"] else None
        if "exclude_weekends" in wanted:
            pace.exclude_weekends = truth(wanted["exclude_weekends"])
            pace.skip_days = ["sat", "sun"] if pace.exclude_weekends else []
        if "selected_days_to_skip" in wanted:
            pace.skip_days = [str(day) for day in listed(wanted["selected_days_to_skip"]) or ()]
        if "hard_end_dates" in wanted:
            pace.hard_end_dates = truth(wanted["hard_end_dates"])
        if (days := number(wanted.get("time_to_complete_calendar_days"))) is not None:
            pace.calendar_days = days
        for weight in listed(wanted.get("assignments_weighting")) or ():
            members = mapping(weight) or {}
            if (days := number(members.get("duration"))) is not None:
                pace.weighting[str(members.get("resource_type"))] = days
        pace.durations.update(durations)
        pace.updated_at = call.today
        self._campus.paces[pace.id] = pace
        self._campus.add_job(pace, call.now, call.today)
        self._canvas.world.version += 1
        return self._envelope(call, course, pace)

    def _durations(
        self, course: Course, pace: Pace, wanted: dict[str, Any]
    ) -> dict[int, int] | None:
        """Return days by module item, from the nested attributes; None if an id is unknown."""
        numbers = self._item_numbers(course, pace)
        found: dict[int, int] = {}
        for one in listed(wanted.get("course_pace_module_items_attributes")) or ():
            nested = mapping(one) or {}
            item_id = number(nested.get("module_item_id"))
            if (own := number(nested.get("id"))) is not None:
                item_id = numbers.get(own)
            if item_id not in numbers.values():
                return None
            if (days := number(nested.get("duration"))) is not None and item_id is not None:
                found[item_id] = days
        return found

    def _delete(self, call: CanvasCall, course: Course) -> Reply:
        pace = self._pace(call, course)
        if pace is None:
            return not_found()
        self._settle(call, pace)
        if pace.primary and pace.published_at is not None:
            error = "You cannot delete the default course pace."
            return canvas_error(422, {"success": False, "errors": error})
        pace.state = "deleted"
        self._canvas.world.version += 1
        return json_reply({"course_pace": self._show(call, course, pace)})

    # Bodies.

    def _settle(self, call: CanvasCall, pace: Pace, *, run: bool = False) -> dict[str, Any] | None:
        """Apply a finished job; return the Progress of an unfinished one.

        With `run` a queued job starts to run: reading a pace has this effect.
        """
        job = self._campus.jobs.get(pace.job_id) if pace.job_id is not None else None
        if job is None:
            return None
        shown = self._canvas.show_job(call, job)
        if shown["workflow_state"] == "completed":
            if pace.state != "deleted":
                pace.state = "active"
                pace.published_at = call.today
            pace.job_id = None
            self._canvas.world.version += 1
            return None
        if run and shown["workflow_state"] == "queued" and job.started is not None:
            job.started -= 0.1 * self._knobs.progress_seconds
        return shown

    def _envelope(self, call: CanvasCall, course: Course, pace: Pace) -> Reply:
        progress = self._settle(call, pace, run=call.operation.method == "GET")
        shown = self._show(call, course, pace)
        items = sum(len(module["items"]) for module in shown["modules"])
        return json_reply({"course_pace": shown, "progress": progress}, items=items)

    def _show(self, call: CanvasCall, course: Course, pace: Pace) -> dict[str, Any]:
        _, _, start_at, end_at = TERMS[course.term]
        kind = "Section" if pace.section_id else "Enrollment" if pace.user_id else "Course"
        is_hard = pace.hard_end_dates and pace.end_date is not None
        zone = TIME_ZONES[course.zone]
        course_end = moment_in(zone, end_at)[:10]
        return {
            "id": pace.id or None,
            "course_id": course.id,
            "course_section_id": pace.section_id,
            "user_id": pace.user_id,
            "workflow_state": pace.state,
            "exclude_weekends": pace.exclude_weekends,
            "selected_days_to_skip": pace.skip_days,
            "hard_end_dates": pace.hard_end_dates,
            "created_at": pace.created_at,
            "updated_at": pace.updated_at,
            "published_at": pace.published_at,
            "root_account_id": ROOT_ACCOUNT,
            "modules": self._show_modules(course, pace),
            "context_id": pace.user_id or pace.section_id or course.id,
            "context_type": kind,
            "start_date": moment_in(zone, start_at),
            "start_date_context": "course",
            # The midnight of a day in the zone of the course; one's own only if it is a hard one.
            "end_date": midnight_in(zone, (pace.end_date if is_hard else None) or course_end),
            "end_date_context": "hard" if is_hard else "course",
            "assignments_weighting": pace.weighting,
            "time_to_complete_calendar_days": pace.calendar_days,
        }

    def _item_numbers(self, course: Course, pace: Pace) -> dict[int, int]:
        """Return the module items by the ids of the pace's items."""
        items = [
            item for module in self._campus.modules(course) for item in module.items if item.paced
        ]
        return {pace.id * _ITEM_ID + place: item.id for place, item in enumerate(items, 1)}

    def _show_modules(self, course: Course, pace: Pace) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = []
        place = 0
        for module in self._campus.modules(course):
            items: list[dict[str, Any]] = []
            for item in module.items:
                if not item.paced:
                    continue
                place += 1
                points = item.points
                integral = points is not None and points == int(points)
                items.append(
                    {
                        "id": pace.id * _ITEM_ID + place if pace.id else None,
                        "duration": self._campus.duration(pace, item),
                        "course_pace_id": pace.id or None,
                        "root_account_id": ROOT_ACCOUNT,
                        "module_item_id": item.id,
                        "assignment_title": item.title,
                        "assignment_id": item.content_id,
                        "points_possible": int(points)
                        if integral and points is not None
                        else points,
                        "assignment_link": f"/courses/{course.id}/modules/items/{item.id}",
                        "position": item.position,
                        "module_item_type": PACED_TYPES[item.kind],
                        "published": item.published,
                        "submission_status": "",
                        "unreleased": False,
                    }
                )
            if items:  # the modules are those of the items
                shown.append(
                    {
                        "id": module.id,
                        "name": module.name,
                        "position": module.position,
                        "items": items,
                    }
                )
        return shown

    # Contexts.

    def _contexts(self, call: CanvasCall, course: Course) -> Reply:
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
        self._settle(call, pace)
        items = [
            item for module in self._campus.modules(course) for item in module.items if item.paced
        ]
        kind = "Section" if pace.section_id else "StudentEnrollment" if pace.user_id else "Course"
        return {
            "name": name,
            "type": kind,
            "duration": sum(self._campus.duration(pace, item) for item in items) + 1,
            "last_modified": pace.published_at,
        }


def _root(call: CanvasCall) -> dict[str, Any] | None:
    """Return the parameters in course_pace; as in Rails, an empty one counts as missing."""
    return mapping((call.body or {}).get("course_pace")) or None


def _owner(wanted: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the owner of a pace as (section, user); the context can also name it."""
    section_id, user_id = number(wanted.get("course_section_id")), number(wanted.get("user_id"))
    if wanted.get("context_type") == "Section":
        section_id = number(wanted.get("context_id"))
    elif wanted.get("context_type") == "Enrollment":
        user_id = number(wanted.get("context_id"))
    return section_id, user_id


def _invalid(message: str) -> Reply:
    return canvas_error(422, {"success": False, "errors": [message]})


def _ids(text: str) -> set[int]:
    """Parse a JSON list; invalid JSON gives no ids, so that nothing matches."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return set()
    return {found for one in listed(value) or () if (found := number(one)) is not None}
