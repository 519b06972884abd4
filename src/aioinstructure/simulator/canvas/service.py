"""The operations of Canvas except pacing: courses, modules, progress, users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define

from aioinstructure.simulator.canvas.course_filters import account_courses, own_courses
from aioinstructure.simulator.canvas.course_filters import too_short as is_too_short
from aioinstructure.simulator.canvas.paging import BadPageError, cut, link_header
from aioinstructure.simulator.canvas.state import (
    ROOT_ACCOUNT,
    SELF_USER,
    Course,
    Job,
    Module,
)
from aioinstructure.simulator.canvas.views import CourseView, show_item, uuid_of
from aioinstructure.simulator.canvas.vocabulary import TERMS
from aioinstructure.simulator.http.parsing import Pairs, last, many, ruby_to_i
from aioinstructure.simulator.http.responses import (
    Reply,
    denied,
    json_reply,
    not_found,
    too_short,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aioinstructure.simulator.http.router import Operation
    from aioinstructure.simulator.knobs import Knobs
    from aioinstructure.simulator.world import World

__all__ = ["PACED_TYPES", "CanvasCall", "CanvasService", "is_self"]

T = TypeVar("T")

PACED_TYPES = {"Assignment": "Assignment", "Quiz": "Quizzes::Quiz", "Discussion": "DiscussionTopic"}
"""The class name in paces, by the type in modules."""

_SMALL_MODULE = 100  # larger ones omit their items even if requested: Api::MAX_PER_PAGE
_LONG = 20  # digits that an id has not
_NOT_OF_ACCOUNTS = {"permissions", "sections", "needs_grading_count", "total_scores"}
_SELF = {"sis_user_id:STAFF-0007", "sis_login_id:rsandoval", "sis_login_id:RSANDOVAL"}


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
        text = text.strip()
        if text.isascii() and text.isdigit():
            found = self.campus.by_id.get(int(text)) if len(text) < _LONG else None
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
        if form == "uuid":
            return next((one for one in self.campus.courses if uuid_of(one) == value), None)
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
        rows = own_courses(self.campus.courses, call.pairs)
        show = CourseView(call.include, own=True)
        return self.page(call, rows, show, url="/api/v1/courses", key=lambda course: course.id)

    def _account_courses(self, call: CanvasCall) -> Reply:
        if self._account(call.values["account_id"]) is None:
            return not_found()
        if is_too_short(call.pairs):
            return too_short()
        term = last(call.pairs, "enrollment_term_id")
        if term is not None and not 1 <= ruby_to_i(term) <= len(TERMS):
            return not_found()
        rows = account_courses(self.campus.courses, call.pairs)
        include = [name for name in call.include if name not in _NOT_OF_ACCOUNTS]
        url = f"/api/v1/accounts/{ROOT_ACCOUNT}/courses"
        show = CourseView(include, own=False)
        return self.page(call, rows, show, url=url, key=lambda course: course.id)

    def _account(self, text: str) -> int | None:
        """The account of an id, or None."""
        text = text.strip()
        if text in ("self", "default"):
            return ROOT_ACCOUNT
        is_number = text.isascii() and text.isdigit() and len(text) < _LONG
        return ROOT_ACCOUNT if is_number and int(text) == ROOT_ACCOUNT else None

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
        if is_too_short(call.pairs):
            return too_short()
        term = (last(call.pairs, "search_term") or "").casefold()
        rows = list(self.campus.modules(course))
        searches_items = bool(term) and "items" in call.include
        if term and not searches_items:
            rows = [row for row in rows if term in row.name.casefold()]
        url = f"/api/v1/courses/{course.id}/modules"

        def show(row: Module) -> dict[str, Any] | None:
            shown = self._show_module(call, course, row)
            if not searches_items or term in row.name.casefold():
                return shown
            # Canvas searches the items after it has cut the pages: a page may become empty.
            shown["items"] = [i for i in shown["items"] if term in str(i["title"]).casefold()]
            return shown if shown["items"] else None

        return self.page(
            call,
            rows,
            show,
            url=url,
            key=lambda row: row.id,
            wrap=lambda found: [row for row in found if row is not None],
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
        if is_too_short(call.pairs):
            return too_short()
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
            "items_count": len(module.items),
            "items_url": f"{call.origin}/api/v1/courses/{course.id}/modules/{module.id}/items",
        }
        if course.role == "student":
            shown |= {"state": "unlocked", "completed_at": None}
        else:
            shown["published"] = module.published
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
        text = call.values["id"].strip()
        if not (text == "self" or text in _SELF or is_self(text)):
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


def is_self(text: str) -> bool:
    """Whether an id is that of the token's user."""
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) < _LONG and int(text) == SELF_USER
