"""Accounts: the courses of an account. The rest of the resource is not implemented yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from aioinstructure._types import Id
from aioinstructure.canvas._namespace import CanvasNamespace
from aioinstructure.endpoints.declare import GET
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.canvas.courses import Course, EnrollmentType, OneCourseInclude

_SIBLINGS = {"Course": "courses", "EnrollmentType": "courses", "OneCourseInclude": "courses"}

AccountCourseInclude = Literal[
    "syllabus_body",
    "term",
    "course_progress",
    "storage_quota_used_mb",
    "total_students",
    "teachers",
    "account_name",
    "concluded",
    "post_manually",
]
AccountCourseState = Literal["created", "claimed", "available", "completed", "deleted", "all"]
EnrollmentWorkflowState = Literal[
    "active",
    "completed",
    "deleted",
    "invited",
    "pending",
    "creation_pending",
    "rejected",
    "inactive",
]


class AccountsAPI(CanvasNamespace):
    """Accounts: their courses."""

    __source__ = "https://developerdocs.instructure.com/services/canvas/resources/accounts"

    @GET("/api/v1/accounts/{account_id}/courses")
    def courses(
        self,
        account_id: Id,
        *,
        with_enrollments: bool | None = None,
        enrollment_type: Sequence[EnrollmentType] = (),
        enrollment_workflow_state: Sequence[EnrollmentWorkflowState] = (),
        published: bool | None = None,
        completed: bool | None = None,
        blueprint: bool | None = None,
        blueprint_associated: bool | None = None,
        public: bool | None = None,
        by_teachers: Sequence[Id] = (),
        by_subaccounts: Sequence[Id] = (),
        hide_enrollmentless_courses: bool | None = None,
        state: Sequence[AccountCourseState] = (),
        enrollment_term_id: Id | None = None,
        search_term: str | None = None,
        search_by: Literal["course", "teacher"] | None = None,
        sort: Literal["course_status", "course_name", "sis_course_id", "teacher", "account_name"]
        | None = None,
        order: Literal["asc", "desc"] | None = None,
        include: Sequence[AccountCourseInclude] = (),
        starts_before: date | None = None,
        ends_after: date | None = None,
        homeroom: bool | None = None,
        page_size: int | None = None,
    ) -> Paginator[Course]:
        """List the courses of an account and its sub-accounts.

        Needs a permission on the account.
        """
        ...

    @GET("/api/v1/accounts/{account_id}/courses/{id}")
    async def course(
        self,
        account_id: Id,
        id: Id,
        *,
        include: Sequence[OneCourseInclude] = (),
        teacher_limit: int | None = None,
    ) -> Course:
        """Read one course of an account."""
        ...
