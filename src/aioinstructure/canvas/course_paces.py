"""Course paces: due dates by pace, for courses, sections and students.

The bodies here are those that Canvas actually sends: the documentation omits the wrapper, puts the
progress inside it, and names parameters that the server does not read.
Sources: https://developerdocs.instructure.com/services/canvas/resources/course_pace and, for the
operations that no page documents, app/controllers/course_paces_controller.rb and
pace_contexts_api_controller.rb of instructure/canvas-lms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from attrs import define, field

from aioinstructure._types import UNSET, Id, Opt
from aioinstructure.canvas._namespace import CanvasNamespace
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import (
    DELETE,
    GET,
    POST,
    PUT,
    Param,
)
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.canvas.progress import Progress

_SIBLINGS = {"Progress": "progress"}

Weekday = Literal["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
PaceState = Literal["unpublished", "active", "deleted"]


class PaceItemChange(TypedDict, total=False):
    """A new duration of one module item in a pace.

    Keys: `id` of the pace item, if it exists already; `module_item_id`; `duration` in days.
    """

    id: Id
    module_item_id: Id
    duration: int


@define
class CoursePaceModuleItem(Model):
    """One item of a course pace, with its duration in days.

    `id` is None in a pace that is not saved. `assignment_link` is a path. `module_item_type` is a
    Canvas class name such as "Quizzes::Quiz". `submission_status` is only set in the pace of a
    student.
    """

    id: Id | None = None
    duration: int | None = None
    course_pace_id: Id | None = None
    root_account_id: Id | None = None
    module_item_id: Id | None = None
    assignment_title: str | None = None
    assignment_id: Id | None = None
    points_possible: float | None = None
    assignment_link: str | None = None
    position: int | None = None
    module_item_type: str | None = None
    published: bool | None = None
    submission_status: Literal["", "missing", "late"] | str | None = None
    unreleased: bool | None = None


@define
class CoursePaceModule(Model):
    """One module of a course pace, with its items in order."""

    id: Id | None = None
    name: str | None = None
    position: int | None = None
    items: list[CoursePaceModuleItem] = field(factory=list)
    context_id: Id | None = None
    context_type: str | None = None


@define
class PaceSection(Model):
    """The section of a section pace; `size` is its number of students."""

    name: str | None = None
    size: int | None = None


@define
class PaceStudent(Model):
    """The student of an enrollment pace."""

    name: str | None = None


@define
class CoursePace(Model):
    """A course pace, its modules, and the job that publishes it.

    `context_id` is the id of the user for a student pace, of the section for a section pace, else
    of the course. `start_date` and `end_date` are in the time zone of the course, and may be plain
    dates. `progress` is None if nothing has been published yet, or if the last publication has
    completed. Wait for a publication with `canvas.progress.wait(pace.progress.id)`.
    """

    id: Id | None = None
    course_id: Id | None = None
    course_section_id: Id | None = None
    user_id: Id | None = None
    workflow_state: PaceState | str | None = None
    exclude_weekends: bool | None = None
    selected_days_to_skip: list[Weekday | str] = field(factory=list)
    hard_end_dates: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    published_at: datetime | None = None
    root_account_id: Id | None = None
    modules: list[CoursePaceModule] = field(factory=list)
    context_id: Id | None = None
    context_type: Literal["Course", "Section", "Enrollment", "StudentEnrollment"] | str | None = (
        None
    )
    start_date: datetime | date | None = None
    start_date_context: str | None = None
    end_date: datetime | date | None = None
    end_date_context: str | None = None
    assignments_weighting: Any = None
    time_to_complete_calendar_days: int | None = None
    section: PaceSection | None = None
    student: PaceStudent | None = None
    progress: Progress | None = None

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Unwrap the pace: it is one member of the body, and its progress another."""
        for wrapper in ("course_pace", "pace"):
            if isinstance(inner := data.get(wrapper), dict):
                rest = {key: value for key, value in data.items() if key != wrapper}
                return {**inner, **rest}
        return data


@define
class AppliedPace(Model):
    """The pace that applies to a context: its own, or an inherited one.

    `duration` is in days: the sum of the durations of its items, plus one.
    """

    name: str | None = None
    type: Literal["Course", "Section", "StudentEnrollment"] | str | None = None
    duration: int | None = None
    last_modified: datetime | None = None


@define
class PaceContext(Model):
    """A course, section or student enrollment, and the pace that applies to it."""

    name: str | None = None
    type: Literal["Course", "CourseSection", "StudentEnrollment"] | str | None = None
    item_id: Id | None = None
    associated_section_count: int | None = None
    associated_student_count: int | None = None
    applied_pace: AppliedPace | None = None


class CoursePacesAPI(CanvasNamespace):
    """Course paces: read, create, update, delete, and list their contents.

    Canvas has no list of paces: list `contexts`, or use `new` to read the pace of a context.
    """

    __source__ = "https://developerdocs.instructure.com/services/canvas/resources/course_pace"

    @GET("/api/v1/courses/{course_id}/course_pacing/{id}")
    async def get(self, course_id: Id, id: Id) -> CoursePace:
        """Read one pace with its modules and items. Raises NotFound if course pacing is off."""
        ...

    @GET("/api/v1/courses/{course_id}/course_pacing/new")
    async def new(
        self,
        course_id: Id,
        *,
        course_section_id: Id | None = None,
        enrollment_id: Id | None = None,
    ) -> CoursePace:
        """Read the pace of a course, section or enrollment; its id is None if none is saved.

        Canvas does not document this operation; it is taken from the source of Canvas.
        """
        ...

    @GET("/api/v1/courses/{course_id}/course_pacing/{id}", items="modules", view_of=CoursePace)
    def modules(self, course_id: Id, id: Id) -> Paginator[CoursePaceModule]:
        """List the modules of a pace, in order. One request: Canvas sends the complete pace."""
        ...

    @GET(
        "/api/v1/courses/{course_id}/course_pacing/{id}", items="modules.items", view_of=CoursePace
    )
    def items(self, course_id: Id, id: Id) -> Paginator[CoursePaceModuleItem]:
        """List the items of all modules of a pace, in order. One request, as for `modules`."""
        ...

    @GET("/api/v1/courses/{course_id}/pace_contexts", items="pace_contexts")
    def contexts(
        self,
        course_id: Id,
        *,
        type: Literal["course", "section", "student_enrollment"],
        search_term: str | None = None,
        sort: Literal["name"] | None = None,
        order: Literal["asc", "desc"] | None = None,
        contexts: str | None = None,
        page_size: int | None = None,
    ) -> Paginator[PaceContext]:
        """List what can have a pace in a course, with the pace that applies to each.

        Args:
            course_id: The course.
            type: The type of the contexts.
            search_term: A part of the name of the section or student, case-insensitive.
            sort: Sort by name.
            order: Ascending or descending.
            contexts: Ids of sections or enrollments, as a JSON array in text: '["1","2"]'.
            page_size: 1 to 100.
        """
        ...

    @POST("/api/v1/courses/{course_id}/course_pacing", body="course_pace")
    async def create(
        self,
        course_id: Id,
        *,
        context_type: Opt[Literal["Course", "Section", "Enrollment"]] = UNSET,
        context_id: Opt[Id] = UNSET,
        end_date: Opt[datetime | date | None] = UNSET,
        exclude_weekends: Opt[bool] = UNSET,
        selected_days_to_skip: Opt[Sequence[Weekday]] = UNSET,
        hard_end_dates: Opt[bool] = UNSET,
        workflow_state: Opt[PaceState] = UNSET,
        module_items: Annotated[
            Opt[Sequence[PaceItemChange]], Param("course_pace_module_items_attributes")
        ] = UNSET,
    ) -> CoursePace:
        """Create a pace and start its publication. Not idempotent.

        For `context_type="Enrollment"` the `context_id` is the id of the user.
        """
        ...

    @PUT("/api/v1/courses/{course_id}/course_pacing/{id}", body="course_pace")
    async def update(
        self,
        course_id: Id,
        id: Id,
        *,
        end_date: Opt[datetime | date | None] = UNSET,
        exclude_weekends: Opt[bool] = UNSET,
        selected_days_to_skip: Opt[Sequence[Weekday]] = UNSET,
        hard_end_dates: Opt[bool] = UNSET,
        workflow_state: Opt[PaceState] = UNSET,
        module_items: Annotated[
            Opt[Sequence[PaceItemChange]], Param("course_pace_module_items_attributes")
        ] = UNSET,
    ) -> CoursePace:
        """Update only the given fields, and publish again. None clears the end date."""
        ...

    @DELETE("/api/v1/courses/{course_id}/course_pacing/{id}")
    async def delete(self, course_id: Id, id: Id) -> CoursePace:
        """Delete a pace.

        The published pace of a course itself cannot be deleted: this raises Unprocessable.
        """
        ...
