"""Course pacing of the simulated Canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.canvas.own_paces import OwnPaces
from aioinstructure.simulator.canvas.pace_contexts import PaceContexts
from aioinstructure.simulator.canvas.pace_views import PaceViews
from aioinstructure.simulator.canvas.pace_writes import PaceWrites
from aioinstructure.simulator.canvas.service import CanvasCall, CanvasService
from aioinstructure.simulator.canvas.state import Course, Pace
from aioinstructure.simulator.coerce import mapping, number
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


class PaceService:
    """The operations on the paces of a course, its sections and its students."""

    def __init__(self, canvas: CanvasService) -> None:
        self._canvas, self._campus, self._knobs = canvas, canvas.campus, canvas.knobs
        self._views = PaceViews(canvas)
        self._writes = PaceWrites(canvas, self._views)
        contexts = PaceContexts(canvas, self._views)
        writes = {
            "course_paces.create": self._create,
            "course_paces.update": self._update,
            "course_paces.delete": self._delete,
            "course_paces.publish": self._publish,
            "course_paces.bulk_view": contexts.bulk_view,
            **OwnPaces(canvas, self._views, self._writes).handlers(),
        }
        handlers = {
            "course_paces.new": self._new,
            "course_paces.get": self._get,
            "course_paces.contexts": contexts.contexts,
            **{name: self._by_staff(handler) for name, handler in writes.items()},
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
        return json_reply({"course_pace": self._views.show(course, draft), "progress": None})

    def _create(self, call: CanvasCall, course: Course) -> Reply:
        wanted = _root(call)
        if wanted is None:
            return missing("course_pace")
        section_id, user_id = _owner(wanted)
        if section_id is not None and user_id is not None:
            return _invalid("Only one of course_section_id and user_id can be given")
        if section_id is not None and all(one.id != section_id for one in course.sections):
            return not_found()
        draft = Pace(0, course.id, section_id, user_id, "unpublished", published_at=None)
        pace = self._writes.create(draft, call.today)
        return self._write(call, course, pace, wanted)

    def _update(self, call: CanvasCall, course: Course) -> Reply:
        pace = self._pace(call, course)
        if pace is None:
            return not_found()
        wanted = _root(call)
        return missing("course_pace") if wanted is None else self._write(call, course, pace, wanted)

    def _write(self, call: CanvasCall, course: Course, pace: Pace, wanted: dict[str, Any]) -> Reply:
        if not self._writes.save(call, course, pace, wanted):
            return not_found()
        return self._envelope(call, course, pace)

    def _publish(self, call: CanvasCall, course: Course) -> Reply:
        pace = self._pace(call, course)
        return not_found() if pace is None else json_reply(self._writes.publish(call, pace))

    def _delete(self, call: CanvasCall, course: Course) -> Reply:
        pace = self._pace(call, course)
        if pace is None:
            return not_found()
        self._views.settle(call, pace)
        if pace.primary and pace.published_at is not None:
            error = "You cannot delete the default course pace."
            return canvas_error(422, {"success": False, "errors": error})
        self._writes.delete(pace)
        return json_reply({"course_pace": self._views.show(course, pace)})

    # Bodies.

    def _envelope(self, call: CanvasCall, course: Course, pace: Pace) -> Reply:
        progress = self._views.settle(call, pace, run=call.operation.method == "GET")
        shown = self._views.show(course, pace)
        items = sum(len(module["items"]) for module in shown["modules"])
        return json_reply({"course_pace": shown, "progress": progress}, items=items)


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
