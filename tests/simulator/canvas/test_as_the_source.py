"""The simulated Canvas answers as the source of Canvas does."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

COURSES = "/api/v1/accounts/1/courses"
SHORT = {"field": "search_term", "code": "invalid", "message": "2 or more characters is required"}


async def ids(caller: Caller, path: str) -> list[Any]:
    response = await caller.canvas(path)
    assert response.status == 200, response.body
    return [one["id"] for one in response.json()]


@pytest.mark.parametrize(
    ("text", "size"),
    [("12abc", 12), ("5.9", 5), ("+5", 5), ("%207", 7), ("0", 1), ("-3", 1), ("x", 1), ("", 1), ("999", 39)],
)  # fmt: skip
async def test_a_page_size_is_read_as_ruby_reads_it(caller: Caller, text: str, size: int) -> None:
    """Leading digits, then at least 1 and at most 100."""
    assert len(await ids(caller, f"{COURSES}?per_page={text}")) == size


@pytest.mark.parametrize(
    ("text", "status", "first"),
    [
        ("", 404, None),
        ("0", 404, None),
        ("-1", 404, None),
        ("x", 404, None),
        ("2abc", 200, 11),
        ("+1", 200, 1),
        ("2", 200, 11),
    ],
)
async def test_a_page_number_is_read_as_ruby_reads_it(
    caller: Caller, text: str, status: int, first: int | None
) -> None:
    """Nothing is a number out of bounds."""
    response = await caller.canvas(f"/api/v1/courses?per_page=10&page={text}")
    assert response.status == status
    assert first is None or response.json()[0]["id"] == first


async def test_a_plain_parameter_that_is_repeated(caller: Caller) -> None:
    """The last value counts, in the list and in its links."""
    states = "enrollment_state=active&enrollment_state=completed"
    response = await caller.canvas(f"/api/v1/courses?{states}&per_page=2")
    assert "enrollment_state=active" not in response.headers["link"]
    assert "enrollment_state=completed" in response.headers["link"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("include[]=term&include[]=teachers", {"term", "teachers"}),
        ("include=term", {"term"}),
        ("include=term,teachers", set()),
    ],
)
async def test_include_is_a_list_or_one_word(caller: Caller, query: str, keys: set[str]) -> None:
    """A comma is part of the word."""
    plain = (await caller.canvas("/api/v1/courses/1")).json()
    full = (await caller.canvas(f"/api/v1/courses/1?{query}")).json()
    assert full.keys() - plain.keys() == keys


@pytest.mark.parametrize(
    "query", ["include=term&include[]=sections", "x=%zz", "x=%", "search_term=%ff%fe"]
)
async def test_a_query_that_rack_cannot_read(caller: Caller, query: str) -> None:
    """400 before anything else."""
    assert (await caller.canvas(f"{COURSES}?{query}")).status == 400


@pytest.mark.parametrize(
    "path", [COURSES, "/api/v1/courses/5/modules", "/api/v1/courses/5/modules/5001/items"]
)
async def test_a_search_term_needs_two_characters(caller: Caller, path: str) -> None:
    """In all lists that can be searched, with the field and the code."""
    for term in ("a", ""):
        response = await caller.canvas(f"{path}?search_term={term}")
        assert response.status == (400 if term else 200)
    assert (await caller.canvas(f"{path}?search_term=a")).json() == {"errors": [SHORT]}


@pytest.mark.parametrize("user", ["999999", "abc", "0", ""])
async def test_another_user_that_does_not_exist(caller: Caller, user: str) -> None:
    """On every path of the API."""
    for path in ("/api/v1/courses", "/api/v1/courses/1"):
        response = await caller.canvas(f"{path}?as_user_id={user}")
        assert (response.status, response.json()) == (401, {"errors": "Invalid as_user_id"})


async def test_a_user_is_obeyed_or_refused(caller: Caller) -> None:
    """The token's own is obeyed; another one is not simulated, and never answered as the own one."""
    assert len(await ids(caller, "/api/v1/courses?as_user_id=7&per_page=100")) > 30
    (student,) = caller.simulator.world.campus.students(caller.simulator.world.campus.courses[0])[
        :1
    ]
    response = await caller.canvas(f"/api/v1/courses?as_user_id={student.user_id}")
    assert response.status == 501
    assert "as_user_id" in response.json()["simulator"]


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ("published=true", lambda one: one["workflow_state"] != "unpublished"),
        ("published=false", lambda one: one["workflow_state"] == "unpublished"),
        ("completed=true", lambda one: one["workflow_state"] == "completed"),
        ("completed=0", lambda one: one["workflow_state"] != "completed"),
        ("blueprint=true", lambda _: False),
        ("blueprint=false", lambda _: True),
        ("public=true", lambda _: False),
        ("homeroom=true", lambda _: False),
        ("enrollment_type[]=ta", lambda _: False),
        ("enrollment_type[]=ta&enrollment_type[]=teacher", lambda _: True),
        ("state[]=created", lambda one: one["workflow_state"] == "unpublished"),
        ("state[]=claimed&state[]=completed", lambda o: o["workflow_state"] in ("unpublished", "completed")),
        ("state[]=unpublished", lambda _: False),
        ("enrollment_term_id=1", lambda one: one["enrollment_term_id"] == 1),
        ("starts_before=2026-01-01", lambda one: one["start_at"] < "2026-01-01"),
        ("ends_after=2026-06-01T00:00:00Z", lambda one: one["end_at"] > "2026-06-01"),
        ("by_subaccounts[]=1", lambda _: True),
        ("by_subaccounts[]=2", lambda _: False),
        ("by_teachers[]=999999", lambda _: False),
    ],
)  # fmt: skip
async def test_documented_filters_filter(caller: Caller, query: str, test: Any) -> None:
    """Exactly the courses that the filter is for."""
    everything = (await caller.canvas(f"{COURSES}?per_page=100")).json()
    wanted = [one["id"] for one in everything if test(one)]
    assert await ids(caller, f"{COURSES}?per_page=100&{query}") == wanted


async def test_the_courses_of_a_teacher(caller: Caller) -> None:
    """By the id of the user."""
    everything = (await caller.canvas(f"{COURSES}?include[]=teachers&per_page=100")).json()
    teacher = everything[3]["teachers"][0]["id"]
    assert everything[3]["id"] in await ids(caller, f"{COURSES}?by_teachers[]={teacher}")


async def test_sorted_lists(caller: Caller) -> None:
    """By name, in both orders; an unknown key sorts by id."""
    rows = (await caller.canvas(f"{COURSES}?sort=course_name&per_page=100")).json()
    names = [one["name"].casefold() for one in rows]
    assert names == sorted(names)
    back = (await caller.canvas(f"{COURSES}?sort=course_name&order=desc&per_page=100")).json()
    assert [one["name"].casefold() for one in back] == sorted(names, reverse=True)


async def test_an_unknown_term_and_what_accounts_do_not_include(caller: Caller) -> None:
    """404 for the term; sections and counts are taken away."""
    assert (await caller.canvas(f"{COURSES}?enrollment_term_id=99999")).status == 404
    (row,) = (await caller.canvas(f"{COURSES}?per_page=1&include[]=sections")).json()
    assert "sections" not in row


@pytest.mark.parametrize(
    ("query", "some"),
    [
        ("homeroom=true", False),
        ("account_id=1", True),
        ("account_id=2", False),
        ("enrollment_role=TeacherEnrollment", True),
        ("enrollment_role=TaEnrollment", False),
        ("enrollment_role_id=3", True),
        ("state[]=unpublished", False),
    ],
)
async def test_filters_of_the_own_courses(caller: Caller, query: str, some: bool) -> None:
    """A filter for what does not exist gives nothing."""
    assert bool(await ids(caller, f"/api/v1/courses?{query}")) == some


async def test_modules_are_searched_after_they_were_cut_into_pages(caller: Caller) -> None:
    """With their items: a page may be short or empty, and still link to the next one."""
    found, url, empty = (
        [],
        "/api/v1/courses/5/modules?include[]=items&search_term=quiz&per_page=1",
        0,
    )
    while url:
        response = await caller.canvas(url)
        rows = response.json()
        empty += not rows
        found += rows
        link = response.headers.get("link", "")
        url = link.partition('>; rel="next"')[0].rpartition("<")[2] if 'rel="next"' in link else ""
        url = url.removeprefix("https://sim.example.edu")
    assert found
    for row in found:
        assert row["items"]
        assert all("quiz" in item["title"].casefold() for item in row["items"])
    everything = (await caller.canvas("/api/v1/courses/5/modules?per_page=100")).json()
    assert empty == len(everything) - len(found)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("users/sis_user_id:STAFF-0007", True),
        ("users/sis_login_id:RSANDOVAL", True),
        ("users/07", True),
        ("users/8", False),
        ("courses/1%20", True),
        ("courses/uuid:0000000000000000000000000000000000000001", True),
        ("courses/uuid:1", False),
        ("courses/1.json", True),
    ],
)
async def test_forms_of_an_id(caller: Caller, path: str, found: bool) -> None:
    """Stripped, with zeros before it, by SIS id or uuid; `.json` is no part of it."""
    assert ((await caller.canvas(f"/api/v1/{path}")).status == 200) == found


async def test_head_and_the_name_of_the_scheme(caller: Caller) -> None:
    """HEAD is GET without the body; `bearer` in lower case is no token."""
    response = await caller.canvas("/api/v1/courses/1", "HEAD")
    assert (response.status, response.body) == (200, b"")
    token = caller.simulator.canvas_token
    low = await caller.canvas("/api/v1/courses/1", token=None, Authorization=f"bearer {token}")
    assert (low.status, low.json()["status"]) == (401, "unauthenticated")


# --- course paces ------------------------------------------------------------------------------


async def put(caller: Caller, course: int, **changes: Any) -> Any:
    body = orjson.dumps({"course_pace": changes})
    path = f"/api/v1/courses/{course}/course_pacing/{course}"
    return await caller.canvas(path, "PUT", body=body)


async def test_dates_of_a_pace(caller: Caller) -> None:
    """With a time and the offset of the course's zone on that day."""
    for course in range(1, 9):
        shown = (await caller.canvas(f"/api/v1/courses/{course}/course_pacing/{course}")).json()
        about = (await caller.canvas(f"/api/v1/courses/{course}")).json()
        pace = shown["course_pace"]
        start = datetime.fromisoformat(pace["start_date"])
        assert start == datetime.fromisoformat(about["start_at"])
        end = datetime.fromisoformat(pace["end_date"])
        assert (end.hour, end.minute) == (0, 0)
        zone = about["time_zone"]
        assert pace["start_date"].endswith("Z") == (zone == "Etc/UTC")
        if zone == "America/Denver":
            assert start.utcoffset() != end.utcoffset() or about["start_at"][5:7] == "08"


async def test_an_end_date_needs_hard_end_dates(caller: Caller) -> None:
    """Without them it stays that of the course."""
    before = (await caller.canvas("/api/v1/courses/5/course_pacing/5")).json()["course_pace"]
    soft = (await put(caller, 5, end_date="2026-12-01")).json()["course_pace"]
    assert (soft["end_date"], soft["end_date_context"]) == (before["end_date"], "course")
    hard = (await put(caller, 5, hard_end_dates=True)).json()["course_pace"]
    assert hard["end_date"].startswith("2026-12-01T00:00:00")
    assert hard["end_date_context"] == "hard"


async def test_items_and_modules_of_a_pace(caller: Caller) -> None:
    """Items have a submission status; modules without paced items are not there."""
    pace = (await caller.canvas("/api/v1/courses/5/course_pacing/5")).json()["course_pace"]
    assert all(module["items"] for module in pace["modules"])
    for module in pace["modules"]:
        for item in module["items"]:
            assert (item["submission_status"], item["unreleased"]) == ("", False)


async def test_a_pace_that_was_never_published(caller: Caller) -> None:
    """It has no date of its last publication."""
    body = orjson.dumps({"course_pace": {"context_type": "Section", "context_id": 401}})
    made = await caller.canvas("/api/v1/courses/4/course_pacing", "POST", body=body)
    assert made.status == 200
    rows = (await caller.canvas("/api/v1/courses/4/pace_contexts?type=section")).json()
    (row,) = [one for one in rows["pace_contexts"] if one["item_id"] == 401]
    assert row["applied_pace"]["last_modified"] is None


async def test_students_read_and_do_not_write(caller: Caller) -> None:
    """They see whether a module is open, and not whether it is published."""
    assert (await put(caller, 10, exclude_weekends=False)).status in (401, 403)
    (module,) = (await caller.canvas("/api/v1/courses/10/modules?per_page=1")).json()
    assert module["state"] == "unlocked"
    assert "published" not in module


async def test_an_edit_of_another_kind_changes_nothing(caller: Caller) -> None:
    """400 with the reason; the standard is read as before."""
    standards = caller.simulator.world.standards
    guid = standards.guid(0)
    body = orjson.dumps({"guid": guid, "changes": {"statement": "x"}})
    response = await caller.canvas("/_control/edit", "POST", body=body)
    assert response.status == 400
    assert response.json() == {"error": "statement is an object, not text"}
    read = await caller.abconnect(f"/standards/{guid}", fields__standards="statement")
    assert read.status == 200
