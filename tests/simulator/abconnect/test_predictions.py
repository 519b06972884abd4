"""Predictions, their queue in virtual time, commits, expiry, the clarifier."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aioinstructure.simulator import Fault
from tests.simulator.conftest import ORIGIN, Caller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aioinstructure.wire.message import Response

    Run = Callable[[Callable[[], Awaitable[Any]]], Any]

BASE = f"{ORIGIN}/rest/v4.1"
FIELDS = {"fields__queue-status": "code,status,asset,standard,predictions"}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def ask(kind: str, guid: str, algorithm: str = "confidence", **more: Any) -> dict[str, Any]:
    about = {"type": kind, "id": guid, **more}
    return {"data": {"attributes": {"algorithm": algorithm}, "relationships": about}}


async def an_asset(caller: Caller, text: str = "client_id eq 'item-00002'") -> str:
    [one] = await caller.data("/assets", filter__assets=text, limit="1")
    return str(one["id"])


async def predict(caller: Caller, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the URL of the set, and the response body."""
    response = await caller.ab("POST", "/predictions", body, **FIELDS)
    assert response.status == 202, response.text
    answer = response.json()
    return answer["data"]["relationships"]["predictions"]["links"]["related"], answer


def code(response: Response) -> str:
    return str(response.json()["data"]["attributes"]["code"])


async def metas(caller: Caller, path: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all related objects, from all pages."""
    found: dict[str, dict[str, Any]] = {}
    for offset in range(0, 300, 100):
        for one in await caller.data(path, limit="100", offset=str(offset)):
            found[one["id"]] = one["meta"]
    return found


async def test_complete_at_once(caller: Caller) -> None:
    """Without a delay the response is complete; each object has its own id and links."""
    guid = await an_asset(caller)
    url, answer = await predict(caller, ask("Assets", guid))
    data = answer["data"]
    assert (data["type"], data["attributes"]["code"]) == ("queue-status", "complete")
    assert set(data["relationships"]) == {"asset", "predictions"}
    asset_link = data["relationships"]["asset"]
    assert asset_link == {"links": {"related": f"{BASE}/assets/{guid}"}}
    queue = answer["links"]["self"].partition("?")[0]
    assert queue == f"{BASE}/predictions/queue-status/{data['id']}"
    again = (await caller.ab("GET", answer["links"]["self"])).json()
    assert (again["data"], again["links"]["self"]) == (data, answer["links"]["self"])
    found = (await caller.ab("GET", url)).json()["data"]
    assert len({found["id"], data["id"], guid}) == 3
    assert found == {"type": "predictions", "id": url.rpartition("/")[2]}
    bare = (await caller.ab("POST", "/predictions", ask("assets", guid))).json()["data"]
    assert set(bare) == {"type", "id"}


async def test_a_set_for_an_asset(caller: Caller) -> None:
    """Standards of the asset's subjects and grades with scores as text; topics; no assets."""
    attributes = {
        "client_id": "new",
        "asset_type": "Lesson",
        "disciplines": {"subjects": [{"code": "MATH"}]},
        "education_levels": {"grades": [{"code": "4"}, {"code": "5"}]},
    }
    made = await caller.ab("POST", "/assets", {"data": {"attributes": attributes}})
    guid = made.json()["data"]["id"]
    focus = {"type": "documents", "id": "x"}
    url, _ = await predict(caller, ask("Assets", guid, focus=[focus]))
    query = {
        "fields__predictions": "*",
        "fields__standards": "disciplines.subjects.code,education_levels.grades.code,utilizations",
        "fields__assets": "client_id",
        "include": "standards,asset",
    }
    body = (await caller.ab("GET", url, **query)).json()
    relations = body["data"]["relationships"]
    assert relations["asset"]["data"] == {"type": "assets", "id": guid}
    assert relations["asset"]["links"]["related"] == f"{BASE}/assets/{guid}"
    assert (relations["standard"], relations["focus"]) == ({"data": {}}, {"data": focus})
    assert relations["assets"] == {"data": []}
    assert len(relations["standards"]["data"]) == 10
    assert relations["standards"]["links"]["next"] == f"{url}/standards?offset=10"
    assert len(body["included"]) == 11
    asset = await caller.data(f"/assets/{guid}", fields__assets="*")
    subjects = asset["attributes"]["disciplines"]["subjects"]
    for one in body["included"]:
        if one["type"] == "standards":
            [subject] = one["attributes"]["disciplines"]["subjects"]
            assert subject["code"] == subjects[0]["code"]
            assert one["attributes"]["utilizations"][0]["type"] == "alignable"
    dates = body["data"]["attributes"]
    assert dates["algorithm"] == "confidence"
    assert dates["date_requested_utc"] < dates["date_expires_utc"]
    every = await metas(caller, f"{url.removeprefix(BASE)}/standards")
    assert len(every) == 60
    assert {frozenset(one) for one in every.values()} == {frozenset({"score", "disposition"})}
    scores = [one["score"] for one in every.values()]
    assert all(isinstance(one, str) and 0 < float(one) <= 1 for one in scores)
    by_score = await caller.ab("GET", f"{url}/standards", sort__standards="meta.score", limit="100")
    assert [one["meta"]["score"] for one in by_score.json()["data"]] == sorted(scores)
    narrow = await caller.ab("GET", f"{url}/standards", filter__standards="meta.score gt '0.8'")
    assert 0 < narrow.json()["meta"]["count"] < 60
    topics = (
        await caller.ab("GET", f"{url}/topics", fields__topics="descr", sort__topics="descr")
    ).json()
    assert {one["meta"]["disposition"] for one in topics["data"]} == {"predicted"}
    assert (await caller.ab("GET", f"{url}/assets")).json()["data"] == []


async def test_crosswalks(caller: Caller) -> None:
    """One or two steps; from an asset to standards, and from a standard to assets."""
    guid = await an_asset(caller, "alignments.meta.disposition eq 'accepted'")
    url, _ = await predict(caller, ask("assets", guid, "crosswalk"))
    found = await metas(caller, f"{url.removeprefix(BASE)}/standards")
    assert {one["steps"] for one in found.values()} == {1, 2}
    near = next(one for one in found if found[one]["steps"] == 1)
    url, answer = await predict(caller, ask("Standards", near, "crosswalk"))
    assert "asset" not in answer["data"]["relationships"]
    assets = await metas(caller, f"{url.removeprefix(BASE)}/assets")
    assert assets[guid]["steps"] == 1
    shown = (await caller.ab("GET", url, fields__predictions="standard,assets")).json()["data"]
    assert shown["relationships"]["standard"]["data"]["id"] == near
    assert (await caller.ab("POST", f"{url}/asset")).status == 409
    known = await caller.ab("GET", f"{url}/assets", filter__assets="client_id ne 'x'")
    assert known.json()["meta"]["count"] == len(assets)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"algorithm": "confidence", "type": "Standards"}, "/data/attributes/algorithm"),
        ({"algorithm": "magic"}, "/data/attributes/algorithm"),
        ({"type": "topics"}, "/data/relationships/type"),
        ({"id": UNKNOWN}, "/data/relationships/id"),
    ],
)
async def test_invalid_requests(caller: Caller, change: dict[str, str], pointer: str) -> None:
    """422 with a pointer into the body."""
    kind = change.get("type", "assets")
    [one] = await caller.data("/standards" if kind == "Standards" else "/assets", limit="1")
    body = ask(kind, change.get("id", one["id"]), change.get("algorithm", "confidence"))
    response = await caller.ab("POST", "/predictions", body)
    assert (response.status, response.json()["errors"][0]["source"]) == (422, {"pointer": pointer})
    missing = await caller.ab(
        "POST", "/predictions", {"data": {"attributes": {"algorithm": "crosswalk"}}}
    )
    assert missing.status == 422
    assert (await caller.ab("POST", "/predictions", b"[]")).status == 400
    good = ask("assets", await an_asset(caller))
    bad = await caller.ab("POST", "/predictions", good, **{"fields__queue-status": "x"})
    assert bad.status == 400
    assert caller.simulator.world.predictions.rows == {}


def test_short_predictions_delay_the_response(run: Run) -> None:
    """A set that takes at most 30 seconds is complete in the first response."""

    async def main() -> None:
        caller = Caller(virtual=True, prediction_seconds=20.0)
        guid, begin = await an_asset(caller), caller.now()
        _, answer = await predict(caller, ask("assets", guid))
        assert answer["data"]["attributes"]["code"] == "complete"
        assert caller.now() - begin == pytest.approx(20.0, abs=0.1)

    run(main)


def test_long_predictions_are_polled(run: Run) -> None:
    """Pending after 30 seconds; a poll waits until the set is complete, at most `max_wait`."""

    async def main() -> None:
        caller = Caller(virtual=True, prediction_seconds=70.0)
        guid, begin = await an_asset(caller), caller.now()
        url, answer = await predict(caller, ask("assets", guid))
        queue = answer["links"]["self"]
        assert answer["data"]["attributes"]["code"] == "pending"
        assert caller.now() - begin == pytest.approx(30.0, abs=0.1)
        assert code(await caller.ab("GET", queue)) == "pending"
        assert (await caller.ab("GET", url)).status == 404
        assert (await caller.ab("POST", f"{url}/asset")).status == 404
        assert code(await caller.ab("GET", queue, max_wait="25")) == "pending"
        assert caller.now() - begin == pytest.approx(55.0, abs=0.1)
        assert code(await caller.ab("GET", queue, max_wait="25")) == "complete"
        assert caller.now() - begin == pytest.approx(70.0, abs=0.1)
        assert (await caller.ab("GET", url)).status == 200
        assert (await caller.ab("GET", queue, max_wait="x")).status == 400

    run(main)


def test_a_cancelled_request_continues(run: Run) -> None:
    """If the caller cancels, the set is in the queue nevertheless."""

    async def main() -> None:
        caller = Caller(virtual=True, prediction_seconds=20.0)
        guid = await an_asset(caller)
        task = asyncio.ensure_future(predict(caller, ask("assets", guid)))
        await asyncio.sleep(5.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(caller.simulator.world.predictions.rows) == 1

    run(main)


def test_faults_of_delayed_responses(run: Run) -> None:
    """A fault modifies the final response, in the requested charset."""

    async def main() -> None:
        caller = Caller(virtual=True, prediction_seconds=20.0)
        guid = await an_asset(caller)
        caller.simulator.faults.add([Fault(kind="truncated", path="predictions")])
        for complete in (False, True):
            body = ask("assets", guid)
            response = await caller.ab("POST", "/predictions", body, charset="latin1")
            assert (response.status, response.body.endswith(b"}")) == (202, complete)
            assert response.headers["content-type"] == "application/json; charset=latin1"

    run(main)


def test_sets_that_expire_at_once(run: Run) -> None:
    """An entry can be expired when the response is due."""

    async def main() -> None:
        caller = Caller(virtual=True, prediction_seconds=5.0, prediction_expires_seconds=0.0)
        body = ask("assets", await an_asset(caller))
        assert (await caller.ab("POST", "/predictions", body)).status == 404

    run(main)


async def test_expiry(caller: Caller) -> None:
    """A set and its entry are not available after its expiry date."""
    guid = await an_asset(caller)
    url, answer = await predict(caller, ask("assets", guid))
    caller.time = 86_399.0
    assert (await caller.ab("GET", url)).status == 200
    caller.time = 86_401.0
    assert (await caller.ab("GET", url)).status == 404
    assert (await caller.ab("GET", answer["links"]["self"])).status == 404
    assert (await caller.ab("GET", f"{url}/standards")).status == 404
    assert (await caller.ab("POST", f"{url}/asset")).status == 404


async def test_commit(caller: Caller) -> None:
    """202 without a body; it replaces earlier predictions and keeps opinions."""
    guid = await an_asset(caller, "alignments.meta.disposition eq 'predicted'")
    path = f"/assets/{guid}/alignments"
    before = await metas(caller, path)
    assert "predicted" in {one["disposition"] for one in before.values()}
    opinions = {one: meta for one, meta in before.items() if meta["disposition"] != "predicted"}
    url, _ = await predict(caller, ask("assets", guid))
    predicted = await metas(caller, f"{url.removeprefix(BASE)}/standards")
    assert await metas(caller, path) == before
    caller.time = 60.0
    response = await caller.ab("POST", f"{url}/asset")
    assert (response.status, response.body) == (202, b"")
    assert "content-type" not in response.headers
    after = await metas(caller, path)
    assert {one: after[one] for one in opinions} == opinions
    fresh = {one: meta for one, meta in after.items() if one not in opinions}
    assert set(fresh) == set(predicted)
    for one, meta in fresh.items():
        assert (meta["disposition"], meta["score"]) == ("predicted", float(predicted[one]["score"]))
    gone = set(before) - set(after)
    deleted = await metas(caller, f"/assets/{guid}/deleted_alignments")
    assert gone <= set(deleted)
    assert {deleted[one]["date_deleted_utc"] for one in gone} <= {"2027-01-15 08:01:00"}
    asset = await caller.data(f"/assets/{guid}", fields__assets="*")
    assert asset["attributes"]["date_alignments_modified_utc"] == "2027-01-15 08:01:00"
    assert asset["attributes"]["prediction_algorithm"] == 3
    opinion = {
        "data": [
            {"type": "standards", "id": next(iter(fresh)), "meta": {"disposition": "rejected"}}
        ]
    }
    assert (await caller.ab("POST", path, opinion)).status == 200
    again, _ = await predict(caller, ask("assets", guid))
    assert next(iter(fresh)) not in await metas(caller, f"{again.removeprefix(BASE)}/standards")


async def test_commit_to_what_is_gone(caller: Caller) -> None:
    """404 for a deleted asset, 403 for an asset of another provider."""
    guid = await an_asset(caller, "isempty(parent) and isempty(alignment_donors)")
    url, _ = await predict(caller, ask("assets", guid))
    await caller.ab("DELETE", f"/assets/{guid}")
    assert (await caller.ab("POST", f"{url}/asset")).status == 404
    shown = (await caller.ab("GET", url, fields__predictions="asset")).json()["data"]
    assert shown["relationships"]["asset"] == {"data": {}}
    other = await an_asset(caller, "not owner.id eq _me")
    url, _ = await predict(caller, ask("assets", other))
    assert (await caller.ab("POST", f"{url}/asset")).status == 403
    assert (await caller.ab("POST", f"/predictions/{UNKNOWN}/asset")).status == 404


async def test_clarifier(caller: Caller) -> None:
    """Five standards and five concepts without an opinion yet."""
    guid = await an_asset(caller)
    path = f"/clarifier/{guid}"
    assert await caller.data(path) == {"type": "clarifier", "id": guid}
    query = {
        "fields__clarifier": "clarification_concepts,clarification_standards",
        "fields__standards": "statement.descr",
        "fields__concepts": "descr",
        "include": "clarification_concepts,clarification_standards",
    }
    body = (await caller.abconnect(path, **query)).json()
    relations = body["data"]["relationships"]
    standards = [one["id"] for one in relations["clarification_standards"]["data"]]
    concepts = relations["clarification_concepts"]["data"]
    assert (len(standards), len(concepts), len(body["included"])) == (5, 5, 10)
    text = body["included"][-1]["attributes"]["statement"]["descr"]
    narrow = {**query, "filter__clarification_standards": f"statement.descr eq '{text}'"}
    less = (await caller.abconnect(path, **narrow)).json()["data"]["relationships"]
    assert less["clarification_standards"]["data"][0]["id"] in standards
    opinion = [{"type": "standards", "id": standards[0], "meta": {"disposition": "accepted"}}]
    await caller.ab("POST", f"/assets/{guid}/alignments", {"data": opinion})
    emphasis = [{**concepts[0], "meta": {"emphasis": "central"}}]
    await caller.ab("POST", f"/assets/{guid}/concepts", {"data": emphasis})
    after = (await caller.abconnect(path, **query)).json()["data"]["relationships"]
    assert standards[0] not in {one["id"] for one in after["clarification_standards"]["data"]}
    assert concepts[0] not in after["clarification_concepts"]["data"]
    assert (await caller.abconnect(f"/clarifier/{UNKNOWN}")).status == 404
    assert (await caller.abconnect(path, include="nonsense")).status == 400
