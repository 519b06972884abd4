"""JSON representation of courses and module items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.canvas.state import (
    ROOT_ACCOUNT,
    SELF_USER,
    Course,
    Item,
)
from aioinstructure.simulator.canvas.vocabulary import TERMS, TIME_ZONES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CourseView", "enrollment_state", "show_item", "uuid_of"]


def enrollment_state(course: Course) -> str:
    """Return the state of the caller's enrollment in a course."""
    return "completed" if course.concluded else "active"


def uuid_of(course: Course) -> str:
    """Return the uuid of a course."""
    return f"{course.id:040x}"


class CourseView:
    """JSON representation of courses; `include[]` selects the optional keys."""

    def __init__(self, include: Sequence[str], *, own: bool) -> None:
        self._include, self._own = set(include), own

    def __call__(self, course: Course) -> dict[str, Any]:
        """Show a course."""
        _, _, start_at, end_at = TERMS[course.term]
        shown: dict[str, Any] = {
            "id": course.id,
            "name": course.name,
            "account_id": course.account_id,
            "uuid": uuid_of(course),
            "start_at": start_at,
            "grading_standard_id": None,
            "is_public": False,
            "created_at": "2025-06-30T14:00:00Z",
            "course_code": course.code,
            "default_view": "modules",
            "root_account_id": ROOT_ACCOUNT,
            "enrollment_term_id": course.term + 1,
            "license": "private",
            "grade_passback_setting": None,
            "end_at": end_at,
            "public_syllabus": False,
            "public_syllabus_to_auth": False,
            "storage_quota_mb": 500,
            "is_public_to_auth_users": False,
            "homeroom_course": False,
            "course_color": None,
            "friendly_name": None,
            "apply_assignment_group_weights": False,
            "hide_final_grades": False,
            "time_zone": TIME_ZONES[course.zone][0],
            "blueprint": False,
            "template": False,
            "sis_course_id": course.sis_id,
            "sis_import_id": None,
            "integration_id": None,
            "restrict_enrollments_to_course_dates": False,
            "workflow_state": course.state,
            "calendar": {"ics": f"https://calendars.example.edu/course_{course.id}.ics"},
        }
        if self._own:
            shown["enrollments"] = [_own_enrollment(course)]
        if self._include:
            self._optional(course, shown)
        return shown

    def _optional(self, course: Course, shown: dict[str, Any]) -> None:
        name, _, start_at, end_at = TERMS[course.term]
        sections = [
            {
                "id": section.id,
                "name": section.name,
                "start_at": None,
                "end_at": None,
                "enrollment_role": "StudentEnrollment"
                if course.role == "student"
                else "TeacherEnrollment",
            }
            for section in course.sections
        ]
        teachers = [
            {
                "id": number,
                "display_name": teacher,
                "avatar_image_url": "https://avatars.example.edu/none.png",
                "html_url": f"https://canvas.example.edu/courses/{course.id}/users/{number}",
                "pronouns": None,
            }
            for number, teacher in course.teachers
        ]
        values: dict[str, Any] = {
            "term": {
                "id": course.term + 1,
                "name": name,
                "start_at": start_at,
                "end_at": end_at,
                "created_at": "2025-01-10T09:00:00Z",
                "workflow_state": "active",
                "grading_period_group_id": None,
            },
            "teachers": teachers,
            "total_students": course.students,
            "sections": sections,
            "account": {"id": ROOT_ACCOUNT, "name": "Example District", "workflow_state": "active"},
            "concluded": course.concluded,
            "public_description": None,
            "storage_quota_used_mb": 12.5,
            "post_manually": False,
        }
        shown |= {name: value for name, value in values.items() if name in self._include}
        if "account_name" in self._include:
            shown["account_name"] = "Example District"
        if "syllabus_body" in self._include:
            shown["syllabus_body"] = f"<p>Welcome to {course.name}.</p>"
        if "favorites" in self._include:
            shown["is_favorite"] = course.id % 3 == 0
        if "needs_grading_count" in self._include and course.role == "teacher":
            shown["needs_grading_count"] = course.id % 7


def _own_enrollment(course: Course) -> dict[str, Any]:
    kind = course.role.capitalize()
    return {
        "type": course.role,
        "role": f"{kind}Enrollment",
        "role_id": 4 if course.role == "teacher" else 3,
        "user_id": SELF_USER,
        "enrollment_state": enrollment_state(course),
        "limit_privileges_to_course_section": False,
    }


_RESOURCES = {
    "Page": "pages",
    "Assignment": "assignments",
    "Quiz": "quizzes",
    "Discussion": "discussion_topics",
    "File": "files",
}


def show_item(origin: str, include: Sequence[str], course: Course, item: Item) -> dict[str, Any]:
    """Show a module item. Its keys depend on its type."""
    base = f"{origin}/courses/{course.id}"
    shown: dict[str, Any] = {
        "id": item.id,
        "title": item.title,
        "position": item.position,
        "indent": item.indent,
        "type": item.kind,
        "module_id": item.module_id,
    }
    if item.kind == "ExternalUrl":
        redirect = f"courses/{course.id}/module_item_redirect/{item.id}"
        shown["html_url"] = f"{origin}/api/v1/{redirect}"
    elif item.kind != "SubHeader":
        shown["html_url"] = f"{base}/modules/items/{item.id}"
    if item.kind in {"Assignment", "Quiz", "Discussion", "File", "ExternalTool"}:
        shown["content_id"] = item.content_id
    if resource := _RESOURCES.get(item.kind):
        slug = f"item-{item.id}" if item.kind == "Page" else item.content_id
        shown["url"] = f"{origin}/api/v1/courses/{course.id}/{resource}/{slug}"
        if item.kind == "Page":
            shown["page_url"] = slug
    if item.kind in {"ExternalUrl", "ExternalTool"}:
        shown["external_url"] = f"https://resources.example.org/{item.id}"
        shown["new_tab"] = item.kind == "ExternalUrl"
    if item.kind == "Assignment":
        shown["completion_requirement"] = {"type": "must_submit"}
    if course.role != "student":
        shown["published"] = item.published
        shown["unpublishable"] = True
    if "content_details" in include:
        # Only what there is: an item without dates has no keys for them.
        points = {} if item.points is None else {"points_possible": item.points}
        shown["content_details"] = {**points, "locked_for_user": False}
    return shown
