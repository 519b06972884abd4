"""Paces of the simulated Canvas as its API shows them, and what reading one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.canvas.service import PACED_TYPES, CanvasCall, CanvasService
from aioinstructure.simulator.canvas.state import ROOT_ACCOUNT, Course, Pace
from aioinstructure.simulator.canvas.vocabulary import TERMS, TIME_ZONES, midnight_in, moment_in

if TYPE_CHECKING:
    from aioinstructure.simulator.canvas.state import Item, Job, Student

__all__ = ["PaceViews"]

_ITEM_ID = 1000  # id of a pace item: id of the pace times this, plus its position
_ONLY_IN_COURSE_PACES = {"assignment_id", "submission_status", "unreleased"}
_NOT_IN_OWN_PACES = {
    "course_id",
    "course_section_id",
    "user_id",
    "selected_days_to_skip",
    "assignments_weighting",
    "time_to_complete_calendar_days",
}


class PaceViews:
    """The JSON of paces."""

    def __init__(self, canvas: CanvasService) -> None:
        self._canvas, self._campus, self._knobs = canvas, canvas.campus, canvas.knobs

    def settle(self, call: CanvasCall, pace: Pace, *, run: bool = False) -> dict[str, Any] | None:
        """Apply a finished job; return the Progress of an unfinished one.

        With `run` a queued job starts to run: reading a pace has this effect.
        """
        job = self._campus.jobs.get(pace.job_id) if pace.job_id is not None else None
        if job is None:
            return None
        shown = self.show_job(call, job)
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

    def show_job(self, call: CanvasCall, job: Job) -> dict[str, Any]:
        """Show a Progress."""
        return self._canvas.show_job(call, job)

    def show(self, course: Course, pace: Pace) -> dict[str, Any]:
        """Show a pace of course_pacing."""
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
            "modules": self._modules(course, pace),
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

    def show_own(
        self, course: Course, pace: Pace, *, student: Student | None = None
    ) -> dict[str, Any]:
        """Show the pace of a section, or of the enrollment of a student, on its own path."""
        shown = {
            key: value
            for key, value in self.show(course, pace).items()
            if key not in _NOT_IN_OWN_PACES
        }
        for module in shown["modules"]:
            module["items"] = [
                {key: value for key, value in item.items() if key not in _ONLY_IN_COURSE_PACES}
                for item in module["items"]
            ]
        if student is not None:
            return shown | {
                "context_type": "StudentEnrollment",
                "context_id": student.enrollment_id,
                "student": {"name": student.name},
            }
        section = next(one for one in course.sections if one.id == pace.section_id)
        size = sum(one.section_id == section.id for one in self._campus.students(course))
        return shown | {"section": {"name": section.name, "size": size}}

    def paced_items(self, course: Course) -> list[Item]:
        """The module items that have a due date by the pace, in their order."""
        return [
            item for module in self._campus.modules(course) for item in module.items if item.paced
        ]

    def item_numbers(self, course: Course, pace: Pace) -> dict[int, int]:
        """Return the module items by the ids of the pace's items."""
        items = self.paced_items(course)
        return {pace.id * _ITEM_ID + place: item.id for place, item in enumerate(items, 1)}

    def _modules(self, course: Course, pace: Pace) -> list[dict[str, Any]]:
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
