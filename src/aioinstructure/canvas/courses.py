"""Courses: their models, and how to list and read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from attrs import define, field

from aioinstructure._types import Id
from aioinstructure.canvas._namespace import CanvasNamespace
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET
from aioinstructure.paging.paginator import Paginator

CourseInclude = Literal[
    "needs_grading_count",
    "syllabus_body",
    "public_description",
    "total_scores",
    "current_grading_period_scores",
    "grading_periods",
    "term",
    "account",
    "course_progress",
    "sections",
    "storage_quota_used_mb",
    "total_students",
    "passback_status",
    "favorites",
    "teachers",
    "observed_users",
    "course_image",
    "banner_image",
    "concluded",
    "post_manually",
]
OneCourseInclude = Literal[
    "needs_grading_count",
    "syllabus_body",
    "public_description",
    "total_scores",
    "current_grading_period_scores",
    "term",
    "account",
    "course_progress",
    "sections",
    "storage_quota_used_mb",
    "total_students",
    "passback_status",
    "favorites",
    "teachers",
    "observed_users",
    "all_courses",
    "permissions",
    "course_image",
    "banner_image",
    "concluded",
    "lti_context_id",
    "post_manually",
]
CourseState = Literal["unpublished", "available", "completed", "deleted"]
EnrollmentState = Literal["active", "invited_or_pending", "completed"]
EnrollmentType = Literal["teacher", "student", "ta", "observer", "designer"]


@define
class Term(Model):
    """An enrollment term, as embedded in a course."""

    id: Id | None = None
    name: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None


@define
class CalendarLink(Model):
    """The URL of the calendar feed of a course."""

    ics: str | None = None


@define
class CourseProgress(Model):
    """The progress of a student in the modules of a course."""

    requirement_count: int | None = None
    requirement_completed_count: int | None = None
    next_requirement_url: str | None = None
    completed_at: datetime | None = None


@define
class BlueprintRestriction(Model):
    """What a blueprint locks in the courses associated with it."""

    content: bool | None = None
    points: bool | None = None
    due_dates: bool | None = None
    availability_dates: bool | None = None


@define
class Course(Model):
    """A course. Fields that need an `include` or a permission are None without it.

    A course that is closed to the caller by its dates has only its id and
    `access_restricted_by_date`.
    Source: https://developerdocs.instructure.com/services/canvas/resources/courses
    """

    id: Id | None = None
    name: str | None = None
    course_code: str | None = None
    original_name: str | None = None
    workflow_state: CourseState | str | None = None
    uuid: str | None = None
    sis_course_id: str | None = None
    integration_id: str | None = None
    sis_import_id: Id | None = None
    account_id: Id | None = None
    root_account_id: Id | None = None
    enrollment_term_id: Id | None = None
    term: Term | None = None
    created_at: datetime | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    time_zone: str | None = None
    locale: str | None = None
    license: str | None = None
    course_format: str | None = None
    default_view: str | None = None
    public_description: str | None = None
    syllabus_body: str | None = None
    is_public: bool | None = None
    is_public_to_auth_users: bool | None = None
    public_syllabus: bool | None = None
    public_syllabus_to_auth: bool | None = None
    open_enrollment: bool | None = None
    self_enrollment: bool | None = None
    restrict_enrollments_to_course_dates: bool | None = None
    access_restricted_by_date: bool | None = None
    hide_final_grades: bool | None = None
    apply_assignment_group_weights: bool | None = None
    allow_student_assignment_edits: bool | None = None
    allow_wiki_comments: bool | None = None
    allow_student_forum_attachments: bool | None = None
    storage_quota_mb: int | None = None
    storage_quota_used_mb: float | None = None
    total_students: int | None = None
    needs_grading_count: int | None = None
    grading_standard_id: Id | None = None
    grade_passback_setting: str | None = None
    calendar: CalendarLink | None = None
    course_progress: CourseProgress | None = None
    concluded: bool | None = None
    template: bool | None = None
    blueprint: bool | None = None
    blueprint_restrictions: BlueprintRestriction | None = None
    blueprint_restrictions_by_object_type: dict[str, BlueprintRestriction] = field(factory=dict)
    permissions: dict[str, Any] = field(factory=dict)
    enrollments: list[dict[str, Any]] = field(factory=list)
    sections: list[dict[str, Any]] = field(factory=list)
    teachers: list[dict[str, Any]] = field(factory=list)
    grading_periods: list[dict[str, Any]] = field(factory=list)


class CoursesAPI(CanvasNamespace):
    """Courses: list and read."""

    __source__ = "https://developerdocs.instructure.com/services/canvas/resources/courses"

    @GET("/api/v1/courses")
    def list(
        self,
        *,
        enrollment_type: EnrollmentType | None = None,
        enrollment_role: str | None = None,
        enrollment_role_id: Id | None = None,
        enrollment_state: EnrollmentState | None = None,
        exclude_blueprint_courses: bool | None = None,
        include: Sequence[CourseInclude] = (),
        state: Sequence[CourseState] = (),
        page_size: int | None = None,
    ) -> Paginator[Course]:
        """List the courses that the current user is enrolled in.

        `enrollment_role` is deprecated.
        """
        ...

    @GET("/api/v1/courses/{id}")
    async def get(
        self,
        id: Id,
        *,
        include: Sequence[OneCourseInclude] = (),
        teacher_limit: int | None = None,
    ) -> Course:
        """Read one course. A deleted course raises NotFound."""
        ...
