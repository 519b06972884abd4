"""Paces of sections and enrollments, publishing and the bulk editor, from spec/canvas.md 5.3 to 5.8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

if TYPE_CHECKING:
    from aioinstructure.simulator.canvas.state import Student
    from tests.simulator.conftest import Caller

COURSE = "/api/v1/courses/5"
KEYS = {
    *("id", "workflow_state", "exclude_weekends", "hard_end_dates", "created_at", "updated_at"),
    *("published_at", "root_account_id", "modules", "context_id", "context_type"),
    *("start_date", "start_date_context", "end_date", "end_date_context"),
}
DAYS = b'{"pace": {"exclude_weekends": false, "end_date": "2026-05-01", "hard_end_dates": true}}'


def student(caller: Caller) -> Student:
    campus = caller.simulator.world.campus
    return campus.students(campus.by_id[5])[0]


def owners(caller: Caller) -> dict[str, str]:
    """The paths of an owner without a pace of its own, by the type of its context."""
    campus = caller.simulator.world.campus
    section = next(
        one for one in campus.by_id[5].sections if not campus.pace_of(campus.by_id[5], one.id, None)
    )
    return {
        "Section": f"{COURSE}/sections/{section.id}",
        "StudentEnrollment": f"{COURSE}/student_enrollments/{student(caller).enrollment_id}",
    }


async def sent(caller: Caller, method: str, path: str, body: bytes | None = None) -> Any:
    response = await caller.canvas(path, method, body=body)
    assert response.status in (200, 201), (response.status, response.body)
    return response.json()


@pytest.mark.parametrize("kind", ["Section", "StudentEnrollment"])
async def test_the_life_of_a_pace_of_its_own(caller: Caller, kind: str) -> None:
    """A draft until it is created; created twice it is the same; deleted, it is a draft again."""
    path = owners(caller)[kind]
    draft = await sent(caller, "GET", f"{path}/pace")
    assert draft["progress"] is None
    assert draft["pace"]["id"] is None
    extra = "section" if kind == "Section" else "student"
    assert draft["pace"].keys() == KEYS | {extra}
    assert draft["pace"]["context_type"] == kind
    assert str(draft["pace"]["context_id"]) == path.rpartition("/")[2]
    made = await caller.canvas(f"{path}/paces", "POST", body=b"{}")
    assert made.status == 201
    assert made.json()["progress"]["tag"] == "course_pace_publish"
    again = await caller.canvas(f"{path}/paces", "POST", body=b"{}")
    assert (again.status, again.json()["pace"]["id"]) == (201, made.json()["pace"]["id"])
    changed = await sent(caller, "PATCH", f"{path}/pace", DAYS)
    assert changed["pace"]["exclude_weekends"] is False
    assert changed["pace"]["end_date"].startswith("2026-05-01")
    caller.time = 1000
    done = (await sent(caller, "GET", f"{path}/pace"))["pace"]
    assert done["workflow_state"] == "active"
    assert done["published_at"] is not None
    deleted = await caller.canvas(f"{path}/pace", "DELETE")
    assert (deleted.status, deleted.body) == (204, b"")
    assert (await sent(caller, "GET", f"{path}/pace"))["pace"]["id"] is None
    assert (await caller.canvas(f"{path}/pace", "DELETE")).status == 404
    assert (await caller.canvas(f"{path}/pace", "PATCH", body=DAYS)).status == 404


async def test_an_enrollment_follows_its_section_then_its_course(caller: Caller) -> None:
    """Its draft copies the pace that applies to it."""
    paths = owners(caller)
    of_student = f"{paths['StudentEnrollment']}/pace"
    section = f"{COURSE}/sections/{student(caller).section_id}"
    await sent(caller, "POST", f"{section}/paces", b"{}")
    await sent(caller, "PATCH", f"{section}/pace", DAYS)
    assert (await sent(caller, "GET", of_student))["pace"]["exclude_weekends"] is False
    assert (await caller.canvas(f"{section}/pace", "DELETE")).status == 204
    assert (await sent(caller, "GET", of_student))["pace"]["exclude_weekends"] is True


async def test_items_have_durations_that_can_be_set(caller: Caller) -> None:
    """By the number of the pace's item; an unknown one changes nothing."""
    path = owners(caller)["Section"]
    made = (await sent(caller, "POST", f"{path}/paces", b"{}"))["pace"]
    item = made["modules"][0]["items"][0]
    assert item.keys().isdisjoint({"assignment_id", "submission_status", "unreleased"})
    for number, status in ((item["id"], 200), (999, 404)):
        nested = [{"id": number, "duration": 17}]
        body = orjson.dumps({"pace": {"course_pace_module_items_attributes": nested}})
        response = await caller.canvas(f"{path}/pace", "PATCH", body=body)
        assert response.status == status
    shown = (await sent(caller, "GET", f"{path}/pace"))["pace"]
    assert shown["modules"][0]["items"][0]["duration"] == 17


@pytest.mark.parametrize(
    "path", ["sections/999/pace", "student_enrollments/1/pace", "sections/x/pace"]
)
async def test_an_owner_that_the_course_does_not_have(caller: Caller, path: str) -> None:
    """404, as for a course without any pace."""
    assert (await caller.canvas(f"{COURSE}/{path}")).status == 404


@pytest.mark.parametrize("action", [("GET", "pace"), ("POST", "paces")])
async def test_a_course_without_a_pace_has_no_drafts(
    caller: Caller, action: tuple[str, str]
) -> None:
    """There is nothing to copy."""
    method, name = action
    caller.simulator.world.campus.paces.clear()
    response = await caller.canvas(f"{owners(caller)['Section']}/{name}", method)
    assert response.status == 404


async def test_a_change_needs_its_root(caller: Caller) -> None:
    """`pace`, not `course_pace`."""
    path = owners(caller)["Section"]
    await sent(caller, "POST", f"{path}/paces", b"{}")
    response = await caller.canvas(
        f"{path}/pace", "PATCH", body=b'{"course_pace": {"end_date": ""}}'
    )
    assert (response.status, response.json()) == (400, {"errors": [{"message": "pace is missing"}]})


async def test_publishing_returns_the_bare_progress(caller: Caller) -> None:
    """A newer job of the same pace cancels the older one."""
    path = f"{COURSE}/course_pacing/5/publish"
    first = await sent(caller, "POST", path)
    assert (first["tag"], first["context_type"], first["context_id"]) == (
        "course_pace_publish",
        "CoursePace",
        5,
    )
    assert (first["workflow_state"], first["user_id"]) == ("queued", None)
    second = await sent(caller, "POST", path)
    assert second["id"] != first["id"]
    assert (await sent(caller, "GET", f"/api/v1/progress/{first['id']}"))[
        "workflow_state"
    ] == "canceled"
    assert (await caller.canvas(f"{COURSE}/course_pacing/6/publish", "POST")).status == 404


async def test_students_may_not_see_the_paces_of_others(caller: Caller) -> None:
    """These paths need the right to edit the course."""
    course = next(one for one in caller.simulator.world.campus.courses if one.role == "student")
    path = f"/api/v1/courses/{course.id}/sections/{course.sections[0].id}/pace"
    assert (await caller.canvas(path)).status == caller.simulator.knobs.denied_status


async def test_the_bulk_editor_lists_students_without_a_pace_of_their_own(caller: Caller) -> None:
    """Ids as strings, camelCase, a number of pages and no Link header."""
    path = f"{COURSE}/bulk_student_enrollments/student_bulk_pace_edit_view"
    students = caller.simulator.world.campus.students(caller.simulator.world.campus.by_id[5])
    response = await caller.canvas(f"{path}?per_page=1000&sort=name")
    body = response.json()
    assert "link" not in response.headers
    assert body["pages"] == 1
    assert {one["enrollmentId"] for one in body["students"]} == {
        str(s.enrollment_id) for s in students
    }
    names = [one["name"].casefold() for one in body["students"]]
    assert names == sorted(names)
    assert body["students"][0].keys() == {
        *("id", "name", "paceStatus", "enrollmentId", "enrollmentDate", "sections"),
    }
    pages = [(await sent(caller, "GET", f"{path}?page={page}&per_page=7")) for page in (1, 2, 3)]
    assert [one["id"] for page in pages for one in page["students"]] == [
        str(one.user_id) for one in students[:21]
    ]
    assert pages[0]["pages"] == -(-len(students) // 7)
    turned = await sent(caller, "GET", f"{path}?per_page=1&order=desc")
    assert turned["students"][0]["id"] == str(students[-1].user_id)
    assert (await sent(caller, "GET", f"{path}?filter_pace_status=off-pace"))["students"] == []
    section = students[0].section_id
    chosen = await sent(caller, "GET", f"{path}?per_page=1000&filter_section={section}")
    assert {one["sections"][0]["id"] for one in chosen["students"]} == {str(section)}
    await sent(caller, "POST", f"{owners(caller)['StudentEnrollment']}/paces", b"{}")
    caller.time = 1000
    await sent(caller, "GET", f"{owners(caller)['StudentEnrollment']}/pace")
    left = await sent(caller, "GET", f"{path}?per_page=1000")
    assert len(left["students"]) == len(students) - 1
