"""The operations of Canvas except pacing: courses, modules, progress, users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define

from aioinstructure.simulator.canvas.paging import BadPageError, cut, link_header
from aioinstructure.simulator.canvas.state import (
    ROOT_ACCOUNT,
    SELF_USER,
    Course,
    Job,
    Module,
)
from aioinstructure.simulator.canvas.views import CourseView, enrollment_state, show_item
from aioinstructure.simulator.http.parsing import Pairs, last, many
from aioinstructure.simulator.http.responses import (
    Reply,
    canvas_error,
    denied,
    json_reply,
    not_found,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aioinstructure.simulator.http.router import Operation
    from aioinstructure.simulator.knobs import Knobs
    from aioinstructure.simulator.world import World

__all__ = ["PACED_TYPES", "CanvasCall", "CanvasService"]

T = TypeVar("T")

PACED_TYPES = {"Assignment": "Assignment", "Quiz": "Quizzes::Quiz", "Discussion": "DiscussionTopic"}
"""The class name in paces, by the type in modules."""

_SMALL_MODULE = 50  # larger ones omit their items even if requested


@define
class CanvasCall:
    """One call with a valid token.

    Args:
        pairs: The query.
        body: The parameters of the body; None if it is not a JSON object.
        origin: The origin that links use.
        now: The time of the simulator's clock.
        today: The wall-clock time in Canvas's format.
    """

    operation: Operation
    values: dict[str, str]
    pairs: Pairs
    body: dict[str, Any] | None
    origin: str
    now: float
    today: str

    @property
    def include(self) -> list[str]:
        """The values of include[]."""
        return many(self.pairs, "include")


class CanvasService:
    """Handlers of Canvas calls on a world."""

    def __init__(self, world: World, knobs: Knobs) -> None:
        self.world, self.campus, self.knobs = world, world.campus, knobs
        self._handlers: dict[str, Callable[[CanvasCall], Reply]] = {
            "courses.list": self._courses,
            "courses.get": self._course,
            "accounts.courses": self._account_courses,
            "modules.list": self._modules,
            "modules.get": self._module,
            "modules.items": self._items,
            "progress.get": self._progress,
            "progress.cancel": self._cancel,
            "users.get": self._user,
        }

    def extend(self, handlers: dict[str, Callable[[CanvasCall], Reply]]) -> None:
        """Add operations by their names in the operation table."""
        self._handlers.update(handlers)

    @property
    def handled(self) -> frozenset[str]:
        """The names of the supported operations."""
        return frozenset(self._handlers)

    def answer(self, call: CanvasCall) -> Reply:
        """Answer a call."""
        return self._handlers[call.operation.name](call)

    # Shared with pacing.

    def course(self, text: str) -> Course | None:
        """Find a course by the decoded id or SIS id from a path; None for any other form."""
        if text.isascii() and text.isdigit():
            found = self.campus.by_id.get(int(text)) if len(text) < 20 else None
        else:
            found = self._course_by_name(text)
        return None if found is None or found.state == "deleted" else found

    def _course_by_name(self, text: str) -> Course | None:
        form, _, value = text.partition(":")
        if form == "hex":
            form, _, digits = value.partition(":")
            try:
                value = bytes.fromhex(digits).decode()
            except ValueError:
                return None
        return self.campus.by_sis.get(value) if form == "sis_course_id" else None

    def page(
        self,
        call: CanvasCall,
        rows: Sequence[T],
        show: Callable[[T], Any],
        *,
        url: str,
        key: Callable[[T], int],
        wrap: Callable[[list[Any]], Any] = lambda shown: shown,
        cacheable: bool = True,
    ) -> Reply:
        """Reply with one page of a list and its Link header; the cost depends on this page only."""
        kind = self.knobs.paging.get(call.operation.name, call.operation.paging or "ordinal")
        try:
            part = cut(rows, call.pairs, self.knobs, kind=kind, key=key)
        except BadPageError:
            return not_found(gate=True)
        shown = [show(row) for row in rows[part.start : part.stop]]
        reply = json_reply(wrap(shown), items=len(shown), cacheable=cacheable)
        if link := link_header(f"{call.origin}{url}", call.pairs, part):
            reply.headers["Link"] = link
        return reply

    # Courses.

    def _courses(self, call: CanvasCall) -> Reply:
        states = set(many(call.pairs, "state")) or {"unpublished", "available", "completed"}
        enrollment = last(call.pairs, "enrollment_state")
        kind = last(call.pairs, "enrollment_type")
        rows = [
            course
            for course in self.campus.courses
            if course.state in states
            and course.state != "deleted"
            and (kind is None or course.role == kind)
            and (enrollment is None or enrollment == enrollment_state(course))
        ]
        show = CourseView(call.include, own=True)
        return self.page(call, rows, show, url="/api/v1/courses", key=lambda course: course.id)

    def _account_courses(self, call: CanvasCall) -> Reply:
        account = call.values["account_id"]
        if account not in {"self", "default", str(ROOT_ACCOUNT)}:
            return not_found()
        term = (last(call.pairs, "search_term") or "").casefold()
        if term and len(term) < 2:
            error = "2 or more characters is required"
            return canvas_error(400, {"errors": [{"message": error}]})
        states = set(many(call.pairs, "state"))
        rows = [
            course
            for course in self.campus.courses
            if (
                course.state in states
                or "all" in states
                or (not states and course.state != "deleted")
            )
            and (not term or term in f"{course.name}\0{course.code}\0{course.sis_id}".casefold())
        ]
        show = CourseView(call.include, own=False)
        url = f"/api/v1/accounts/{ROOT_ACCOUNT}/courses"
        return self.page(call, rows, show, url=url, key=lambda course: course.id)

    def _course(self, call: CanvasCall) -> Reply:
        course = self.course(call.values["course_id"])
        if course is None:
            return not_found()
        return json_reply(CourseView(call.include, own=True)(course), cacheable=True)

    # Modules.

    def _modules(self, call: CanvasCall) -> Reply:
        course = self.course(call.values["course_id"])
        if course is None:
            return not_found()
        term = (last(call.pairs, "search_term") or "").casefold()
        rows = [row for row in self.campus.modules(course) if term in row.name.casefold()]
        url = f"/api/v1/courses/{course.id}/modules"
        return self.page(
            call,
            rows,
            lambda row: self._show_module(call, course, row),
            url=url,
            key=lambda row: row.id,
        )

    def _module(self, call: CanvasCall) -> Reply:
        found = self._find_module(call, call.values["id"])
        if found is None:
            return not_found()
        return json_reply(self._show_module(call, *found), cacheable=True)

    def _items(self, call: CanvasCall) -> Reply:
        found = self._find_module(call, call.values["module_id"])
        if found is None:
            return not_found()
        course, module = found
        term = (last(call.pairs, "search_term") or "").casefold()
        rows = [row for row in module.items if term in row.title.casefold()]
        url = f"/api/v1/courses/{course.id}/modules/{module.id}/items"
        return self.page(
            call,
            rows,
            lambda row: show_item(call.origin, call.include, course, row),
            url=url,
            key=lambda row: row.id,
        )

    def _find_module(self, call: CanvasCall, number: str) -> tuple[Course, Module] | None:
        course = self.course(call.values["course_id"])
        if course is None:
            return None
        for module in self.campus.modules(course):
            if str(module.id) == number:
                return course, module
        return None

    def _show_module(self, call: CanvasCall, course: Course, module: Module) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": module.id,
            "name": module.name,
            "position": module.position,
            "unlock_at": None,
            "require_sequential_progress": module.sequential,
            "requirement_type": "all",
            "publish_final_grade": False,
            "prerequisite_module_ids": [],
            "published": module.published,
            "items_count": len(module.items),
            "items_url": f"{call.origin}/api/v1/courses/{course.id}/modules/{module.id}/items",
        }
        if "items" in call.include and len(module.items) <= _SMALL_MODULE:
            shown["items"] = [
                show_item(call.origin, call.include, course, item) for item in module.items
            ]
        return shown

    # Progress and users.

    def _progress(self, call: CanvasCall) -> Reply:
        job = self._job(call)
        if job is None:
            return not_found()
        if job.started is None:
            job.started = call.now
        return json_reply(self.show_job(call, job))

    def _cancel(self, call: CanvasCall) -> Reply:
        job = self._job(call)
        if job is None:
            return not_found()
        if job.user_id != SELF_USER:
            return denied(self.knobs.denied_status)
        job.state = "failed"
        message = (call.body or {}).get("message") or last(call.pairs, "message")
        job.message = None if message is None else str(message)
        return json_reply(self.show_job(call, job))

    def _job(self, call: CanvasCall) -> Job | None:
        text = call.values["id"]
        return self.campus.jobs.get(int(text)) if text.isascii() and text.isdigit() else None

    def show_job(self, call: CanvasCall, job: Job) -> dict[str, Any]:
        """Show a Progress as Canvas does."""
        state, completion = job.read(call.now, self.knobs.progress_seconds)
        shown: dict[str, Any] = {
            "id": job.id,
            "context_id": job.context_id,
            "context_type": job.context_type,
            "user_id": job.user_id,
            "tag": job.tag,
            "completion": completion,
            "workflow_state": state,
            "created_at": job.created_at,
            "updated_at": call.today,
            "message": job.message,
            "url": f"{call.origin}/api/v1/progress/{job.id}",
        }
        return shown

    def _user(self, call: CanvasCall) -> Reply:
        if call.values["id"] not in {"self", str(SELF_USER)}:
            return not_found()
        shown = {
            "id": SELF_USER,
            "name": "Robin Sandoval",
            "created_at": "2023-08-01T12:00:00Z",
            "sortable_name": "Sandoval, Robin",
            "short_name": "Robin",
            "sis_user_id": "STAFF-0007",
            "login_id": "rsandoval",
            "effective_locale": "en",
            "permissions": {"can_update_name": True, "can_update_avatar": True},
        }
        return json_reply(shown)
