"""The paces of sections and of enrollments, each on a path of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve

from aioinstructure.simulator.canvas.state import Course, Pace, Student
from aioinstructure.simulator.coerce import mapping, number
from aioinstructure.simulator.http.responses import Reply, json_reply, missing, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioinstructure.simulator.canvas.pace_views import PaceViews
    from aioinstructure.simulator.canvas.pace_writes import PaceWrites
    from aioinstructure.simulator.canvas.service import CanvasCall, CanvasService

__all__ = ["OwnPaces"]


@define
class _Owner:
    """A section, or a student with an enrollment."""

    section_id: int | None
    student: Student | None = None

    @property
    def key(self) -> tuple[int | None, int | None]:
        """The section and the user of a pace of its own."""
        if self.student is None:
            return self.section_id, None
        return None, self.student.user_id


class OwnPaces:
    """Handlers of sections/:id/pace and student_enrollments/:id/pace."""

    def __init__(self, canvas: CanvasService, views: PaceViews, writes: PaceWrites) -> None:
        self._campus, self._views, self._writes = canvas.campus, views, writes

    def handlers(self) -> dict[str, Callable[[CanvasCall, Course], Reply]]:
        """The handlers by their names in the operation table."""
        actions = {
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
        }
        found: dict[str, Callable[[CanvasCall, Course], Reply]] = {}
        for kind, find in (("section_paces", self._section), ("student_paces", self._student)):
            for name, action in actions.items():
                found[f"{kind}.{name}"] = _with_owner(find, action)
        return found

    def _section(self, call: CanvasCall, course: Course) -> _Owner | None:
        wanted = number(call.values["section_id"])
        if all(one.id != wanted for one in course.sections):
            return None
        return _Owner(wanted)

    def _student(self, call: CanvasCall, course: Course) -> _Owner | None:
        wanted = number(call.values["enrollment_id"])
        for one in self._campus.students(course):
            if one.enrollment_id == wanted:
                return _Owner(one.section_id, one)
        return None

    def _own(self, course: Course, owner: _Owner) -> Pace | None:
        return self._campus.pace_of(course, *owner.key)

    def _draft(self, course: Course, owner: _Owner) -> Pace | None:
        """A copy of the pace that applies to one without a pace of its own."""
        template = self._campus.pace_of(course, None, None)
        if owner.student is not None:
            template = self._campus.pace_of(course, owner.section_id, None) or template
        if template is None:
            return None
        section_id, user_id = owner.key
        return evolve(
            template,
            id=0,
            section_id=section_id,
            user_id=user_id,
            state="unpublished",
            skip_days=list(template.skip_days),
            weighting=dict(template.weighting),
            durations=dict(template.durations),
            published_at=None,
            job_id=None,
        )

    def _get(self, call: CanvasCall, course: Course, owner: _Owner) -> Reply:
        pace = self._own(course, owner) or self._draft(course, owner)
        return not_found() if pace is None else self._envelope(call, course, pace, owner)

    def _create(self, call: CanvasCall, course: Course, owner: _Owner) -> Reply:
        """Save the draft. One that exists is returned as if it had been created."""
        pace = self._own(course, owner)
        if pace is None:
            draft = self._draft(course, owner)
            if draft is None:
                return not_found()
            pace = self._writes.create(draft, call.today)
            self._writes.save(call, course, pace, {})
        return self._envelope(call, course, pace, owner, status=201)

    def _update(self, call: CanvasCall, course: Course, owner: _Owner) -> Reply:
        pace = self._own(course, owner)
        if pace is None:
            return not_found()
        wanted = mapping((call.body or {}).get("pace"))
        if not wanted:
            return missing("pace")
        if not self._writes.save(call, course, pace, wanted):
            return not_found()
        return self._envelope(call, course, pace, owner)

    def _delete(self, call: CanvasCall, course: Course, owner: _Owner) -> Reply:
        pace = self._own(course, owner)
        if pace is None:
            return not_found()
        self._writes.delete(pace)
        return Reply(204)

    def _envelope(
        self, call: CanvasCall, course: Course, pace: Pace, owner: _Owner, *, status: int = 200
    ) -> Reply:
        progress = self._views.settle(call, pace, run=call.operation.method == "GET")
        shown = self._views.show_own(course, pace, student=owner.student)
        items = sum(len(module["items"]) for module in shown["modules"])
        return json_reply({"pace": shown, "progress": progress}, status=status, items=items)


def _with_owner(
    find: Callable[[CanvasCall, Course], _Owner | None],
    action: Callable[[CanvasCall, Course, _Owner], Reply],
) -> Callable[[CanvasCall, Course], Reply]:
    """Reply 404 for a section or enrollment that the course does not have."""

    def handle(call: CanvasCall, course: Course) -> Reply:
        owner = find(call, course)
        return not_found() if owner is None else action(call, course, owner)

    return handle
