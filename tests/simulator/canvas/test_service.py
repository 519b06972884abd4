"""Canvas's operations: courses, modules, paces, progress, and error formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.simulator.conftest import ORIGIN

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

NOT_FOUND = {"errors": [{"message": "The specified resource does not exist."}]}
PACE = "/api/v1/courses/5/course_pacing"


async def test_include_selects_the_keys(caller: Caller) -> None:
    """Optional keys appear only if requested."""
    plain = (await caller.canvas("/api/v1/courses/5")).json()
    asked = "include[]=term&include%5B%5D=total_students&include[]=teachers&include[]=sections"
    full = (await caller.canvas(f"/api/v1/courses/5?{asked}")).json()
    assert set(full) - set(plain) == {"term", "total_students", "teachers", "sections"}
    assert full["term"]["name"] in full["name"]


@pytest.mark.parametrize(
    ("segment", "number"),
    [
        ("sis_course_id:CS%2F101%2E11", 1),
        ("sis_course_id:CS%2F101.11%C3%A9", 2),
        ("hex:sis_course_id:43532f3130312e3131", 1),
        ("1", 1),
    ],
)
async def test_forms_of_ids(caller: Caller, segment: str, number: int) -> None:
    """A course is found by number and by SIS id, in which a slash is encoded."""
    response = await caller.canvas(f"/api/v1/courses/{segment}")
    assert response.json()["id"] == number
    assert caller.simulator.requests[-1].path == f"/api/v1/courses/{segment}"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/courses/999999",
        "/api/v1/courses/37",  # deleted
        "/api/v1/courses/sis_course_id:none",
        "/api/v1/courses/1~5",
        "/api/v1/courses/99999999999999999999",
        "/api/v1/accounts/2/courses",
        "/api/v1/courses/5/modules/1",
        "/api/v1/courses/5/course_pacing/6",  # of another course
        "/api/v1/progress/1",
    ],
)
async def test_unknown_records(caller: Caller, path: str) -> None:
    """Missing records, records of others and invalid ids give the same 404."""
    response = await caller.canvas(path)
    assert (response.status, response.json()) == (404, NOT_FOUND)


async def test_unknown_route(caller: Caller) -> None:
    """What is not simulated says so, in words that are not those of Canvas, and is counted."""
    for path in ("/api/v1/no/such/thing", "/api/v1/sections/501/pace", f"{PACE}/5/publish"):
        response = await caller.canvas(path)
        assert response.status == 501
        assert response.json() == {"simulator": f"the simulator does not simulate GET {path}"}
    assert caller.simulator.stats()["canvas"]["unsimulated"] == 3


@pytest.mark.parametrize(
    ("state", "message", "challenge"),
    [
        (None, "Invalid access token.", True),
        ("expired", "Expired access token.", True),
        ("revoked", "Revoked access token.", True),
        ("unscoped", "Insufficient scopes on access token.", False),
    ],
)
async def test_bad_tokens(caller: Caller, state: str | None, message: str, challenge: bool) -> None:
    """401; WWW-Authenticate distinguishes an invalid token from a missing scope."""
    if state is not None:
        caller.simulator.canvas.tokens["other"] = state
    response = await caller.canvas("/api/v1/courses", token="other")
    assert response.status == 401
    assert response.json()["errors"][0]["message"] == message
    assert ("www-authenticate" in response.headers) is challenge


async def test_no_token(caller: Caller) -> None:
    """Without a token the status in the body is unauthenticated."""
    response = await caller.canvas("/api/v1/courses", token=None)
    assert response.status == 401
    assert response.json()["status"] == "unauthenticated"
    assert response.headers["www-authenticate"] == 'Bearer realm="canvas-lms"'


async def test_token_in_the_query(caller: Caller) -> None:
    """Canvas accepts a token in the query; links and recorded requests do not contain it."""
    token = caller.simulator.canvas_token
    response = await caller.canvas(f"/api/v1/courses?access_token={token}", token=None)
    assert response.status == 200
    assert token not in response.headers["link"]
    assert caller.simulator.requests[-1].path == "/api/v1/courses?access_token=***"


@pytest.mark.parametrize("status", [401, 403])
async def test_denied(caller: Caller, status: int) -> None:
    """A valid token without permission: 401 or 403, never WWW-Authenticate."""
    caller.simulator.knobs.update(denied_status=status, denied_paths=["/courses/7"])
    response = await caller.canvas("/api/v1/courses/7")
    assert (response.status, response.json()["status"]) == (status, "unauthorized")
    assert "www-authenticate" not in response.headers


async def test_string_ids(caller: Caller) -> None:
    """With the Accept header for it, all ids are strings, also nested ones."""
    accept = "application/json+canvas-string-ids"
    path = "/api/v1/courses/5?include[]=sections"
    course = (await caller.canvas(path, Accept=accept)).json()
    assert (course["id"], course["enrollments"][0]["user_id"]) == ("5", "7")
    assert isinstance(course["sections"][0]["id"], str)
    assert isinstance((await caller.canvas(path)).json()["id"], int)


async def test_filters_of_courses(caller: Caller) -> None:
    """Role, enrollment state and course state narrow the list."""

    async def ids(query: str) -> set[int]:
        return {
            one["id"]
            for one in (await caller.canvas(f"/api/v1/courses?per_page=100&{query}")).json()
        }

    everything = await ids("")
    assert await ids("enrollment_type=teacher") | await ids("enrollment_type=student") == everything
    active, over = await ids("enrollment_state=active"), await ids("enrollment_state=completed")
    assert active | over == everything
    assert not active & over
    assert await ids("state[]=completed") == over


async def test_search_in_an_account(caller: Caller) -> None:
    """A search covers names and codes in any case; one letter is too short."""
    found = (await caller.canvas("/api/v1/accounts/1/courses?search_term=BIOL")).json()
    assert found
    assert all("Biology" in course["name"] for course in found)
    assert (await caller.canvas("/api/v1/accounts/1/courses?search_term=B")).status == 400


async def test_modules_and_items(caller: Caller) -> None:
    """A module shows its items only with include[]; links have the number for a SIS id."""
    path = "/api/v1/courses/sis_course_id:CS%2F101.11/modules"
    plain = await caller.canvas(path)
    assert f"<{ORIGIN}/api/v1/courses/1/modules?page=1" in plain.headers["link"]
    assert "items" not in plain.json()[0]
    module = (await caller.canvas(f"{path}?include[]=items")).json()[0]
    listed = (
        await caller.canvas(module["items_url"].removeprefix(ORIGIN) + "?per_page=100")
    ).json()
    assert listed == module["items"]
    assert len(listed) == module["items_count"]


async def test_items_have_the_keys_of_their_type(caller: Caller) -> None:
    """Pages have a slug, headings no URL, external links an external URL."""
    modules = (await caller.canvas("/api/v1/courses/5/modules?include[]=items&per_page=100")).json()
    items = {item["type"]: item for module in modules for item in module["items"]}
    assert len(items) == 8
    assert "page_url" in items["Page"]
    assert "content_id" not in items["Page"]
    assert "html_url" not in items["SubHeader"]
    assert "external_url" in items["ExternalUrl"]


async def pace(caller: Caller, method: str, path: str, value: Any) -> Any:
    return await caller.canvas(path, method, body=orjson.dumps(value))


async def test_primary_pace(caller: Caller) -> None:
    """A pace is in an envelope with its progress, which is null if all is published."""
    body = (await caller.canvas(f"{PACE}/5")).json()
    assert set(body) == {"course_pace", "progress"}
    assert body["progress"] is None
    shown = body["course_pace"]
    assert (shown["context_type"], shown["context_id"]) == ("Course", 5)
    items = [item for module in shown["modules"] for item in module["items"]]
    assert {item["module_item_type"] for item in items} <= {
        "Assignment",
        "Quizzes::Quiz",
        "DiscussionTopic",
    }
    assert (await caller.canvas(f"{PACE}/new")).json() == body


async def test_new_pace_of_a_section(caller: Caller) -> None:
    """A section without its own pace gets an unsaved one."""
    body = (await caller.canvas(f"{PACE}/new?course_section_id=501")).json()
    assert body["course_pace"]["id"] is None
    assert body["course_pace"]["context_type"] == "Section"
    assert (await caller.canvas(f"{PACE}/new?course_section_id=1")).status == 404


async def test_update_publishes(caller: Caller) -> None:
    """An update gives 200 and a queued progress that runs and completes with the clock."""
    caller.simulator.knobs.progress_seconds = 10.0
    changes = {"end_date": "2026-12-01", "hard_end_dates": True}
    response = await pace(caller, "PUT", f"{PACE}/5", {"course_pace": changes})
    body = response.json()
    assert response.status == 200
    assert body["course_pace"]["end_date"].startswith("2026-12-01T00:00:00")
    assert body["course_pace"]["end_date_context"] == "hard"
    path = body["progress"]["url"].removeprefix(ORIGIN)
    seen = []
    for caller.time in (0.0, 5.0, 10.0):
        progress = (await caller.canvas(path)).json()
        seen.append((progress["workflow_state"], progress["completion"]))
    assert seen == [("queued", 0.0), ("running", 50.0), ("completed", 100.0)]
    assert (await caller.canvas(f"{PACE}/5")).json()["progress"] is None


async def test_newer_publish_cancels_the_older(caller: Caller) -> None:
    """A second update cancels the progress of the first."""
    caller.simulator.knobs.progress_seconds = 10.0
    wanted = {"course_pace": {"exclude_weekends": False}}
    first = (await pace(caller, "PUT", f"{PACE}/5", wanted)).json()["progress"]["url"]
    await pace(caller, "PUT", f"{PACE}/5", wanted)
    progress = (await caller.canvas(first.removeprefix(ORIGIN))).json()
    assert progress["workflow_state"] == "canceled"


async def test_durations_by_nested_attributes(caller: Caller) -> None:
    """An item is identified by its own id or its module item; an unknown one gives 404."""
    item = (await caller.canvas(f"{PACE}/5")).json()["course_pace"]["modules"][0]["items"][0]
    nested = [{"id": item["id"], "duration": 9}]
    wanted = {"course_pace": {"course_pace_module_items_attributes": nested}}
    shown = (await pace(caller, "PUT", f"{PACE}/5", wanted)).json()["course_pace"]
    assert shown["modules"][0]["items"][0]["duration"] == 9
    nested[0]["id"] = 1
    assert (await pace(caller, "PUT", f"{PACE}/5", wanted)).status == 404


async def test_create_and_delete(caller: Caller) -> None:
    """Creation gives 200, not 201; the published default pace cannot be deleted, others can."""
    wanted = {"course_pace": {"context_type": "Section", "context_id": 501}}
    created = await pace(caller, "POST", PACE, wanted)
    number = created.json()["course_pace"]["id"]
    assert created.status == 200
    deleted = await caller.canvas(f"{PACE}/{number}", "DELETE")
    assert (deleted.status, set(deleted.json())) == (200, {"course_pace"})
    assert (await caller.canvas(f"{PACE}/{number}")).status == 404
    refused = await caller.canvas(f"{PACE}/5", "DELETE")
    error = {"success": False, "errors": "You cannot delete the default course pace."}
    assert (refused.status, refused.json()) == (422, error)


async def test_errors_of_writes(caller: Caller) -> None:
    """A body without its root gives 400; two owners give 422 with a list of errors."""
    bare = await pace(caller, "PUT", f"{PACE}/5", {"end_date": "2026-12-01"})
    assert (bare.status, bare.json()) == (400, {"errors": [{"message": "course_pace is missing"}]})
    both = {"course_pace": {"course_section_id": 501, "user_id": 7}}
    refused = await pace(caller, "POST", PACE, both)
    message = "Only one of course_section_id and user_id can be given"
    assert (refused.status, refused.json()) == (422, {"success": False, "errors": [message]})


async def test_form_bodies(caller: Caller) -> None:
    """Forms with brackets are equivalent to JSON."""
    body = b"course_pace[exclude_weekends]=false&course_pace%5Bselected_days_to_skip%5D%5B%5D=fri"
    kind = "application/x-www-form-urlencoded"
    response = await caller.canvas(f"{PACE}/5", "PUT", body=body, Content_Type=kind)
    shown = response.json()["course_pace"]
    assert (shown["exclude_weekends"], shown["selected_days_to_skip"]) == (False, ["fri"])


async def test_feature_off(caller: Caller) -> None:
    """If course pacing is off, all its paths give 404."""
    caller.simulator.knobs.course_pacing = False
    assert (await caller.canvas(f"{PACE}/5")).status == 404
    assert (await caller.canvas("/api/v1/courses/5/pace_contexts?type=course")).status == 404


async def test_pace_contexts(caller: Caller) -> None:
    """Wrapped, paged, with a total; search, sorting and selection."""
    path = "/api/v1/courses/5/pace_contexts"
    bad = await caller.canvas(path)
    assert (bad.status, bad.body) == (400, b"")
    students = f"{path}?type=student_enrollment"
    page = (await caller.canvas(f"{students}&per_page=5&sort=name")).json()
    assert len(page["pace_contexts"]) == 5 < page["total_entries"]
    names = [row["name"] for row in page["pace_contexts"]]
    assert names == sorted(names, key=str.casefold)
    chosen = page["pace_contexts"][2]
    one = (await caller.canvas(f'{students}&contexts=["{chosen["item_id"]}"]')).json()
    assert one == {"pace_contexts": [chosen], "total_entries": 1}
    sections = (await caller.canvas(f"{path}?type=section&search_term=SECTION 2")).json()
    assert [row["item_id"] for row in sections["pace_contexts"]] == [502]
    course = (await caller.canvas(f"{path}?type=course")).json()["pace_contexts"][0]
    assert course["applied_pace"]["type"] == "Course"


async def test_cancel_progress(caller: Caller) -> None:
    """Cancelling sets a job to failed; a pace's job has no owner and cannot be cancelled."""
    response = await caller.canvas("/api/v1/progress/42/cancel", "POST", body=b'{"message":"no"}')
    assert (response.json()["workflow_state"], response.json()["message"]) == ("failed", "no")
    wanted = {"course_pace": {"exclude_weekends": True}}
    progress = (await pace(caller, "PUT", f"{PACE}/5", wanted)).json()["progress"]
    refused = await caller.canvas(f"/api/v1/progress/{progress['id']}/cancel", "POST")
    assert refused.json()["status"] == "unauthorized"


async def test_user_agent(caller: Caller) -> None:
    """If the knob is set, a call without a User-Agent gives 403."""
    caller.simulator.knobs.requires_user_agent = True
    assert (await caller.canvas("/api/v1/users/self")).status == 403
    assert (await caller.canvas("/api/v1/users/self", User_Agent="x/1")).status == 200
