"""Licences by feature and by document, edits, and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from aioinstructure.simulator.abconnect.service import ABConnectService
from aioinstructure.simulator.http.router import operations
from aioinstructure.simulator.knobs import Knobs
from aioinstructure.simulator.licence import FEATURES
from aioinstructure.simulator.world import World
from aioinstructure.wire.message import Request
from tests.simulator.conftest import ORIGIN

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

UNKNOWN = "00000000-0000-0000-0000-000000000000"


def test_every_operation_has_a_handler() -> None:
    """All operations have a handler; they are the documented ones and four further links."""
    world = World(1, Knobs(courses=1, standards=1, assets=1))
    service = ABConnectService(world, Knobs(), {}, lambda: 0.0)
    names = {one.name for one in operations() if one.service == "abconnect"}
    assert len(names) == 62 + 4
    assert {name for name in names if not service.handles(name)} == set()
    assert not service.handles("standards.dance")


async def test_one_event(caller: Caller) -> None:
    """An event by id in any case, with its standard included; facets of the list."""
    query = {"filter__events": "change_type eq 'updated numbering'", "limit": "1"}
    [event] = await caller.data("/events", **query, fields__events="*")
    more = {"fields__events": "seq,standard", "fields__standards": "level", "include": "standard"}
    body = (await caller.abconnect(f"/events/{event['id'].upper()}", **more)).json()
    assert body["data"]["attributes"] == {"seq": event["attributes"]["seq"]}
    [standard] = body["included"]
    assert standard["id"] == body["data"]["relationships"]["standard"]["data"]["id"]
    assert (await caller.abconnect(f"/events/{UNKNOWN}")).status == 404
    facets = (await caller.abconnect("/events", facet="change_type,target", limit="0")).json()
    assert {one["data"] for one in facets["meta"]["facets"][1]["details"]} == {
        "document",
        "section",
        "standard",
    }
    of_maths = "standard.document.publication.descr eq 'National Core Standards'"
    found = (await caller.abconnect("/events", filter__events=of_maths, limit="0")).json()
    assert 0 < found["meta"]["count"] < 600


# Features.


@pytest.mark.parametrize(
    ("feature", "paths"),
    [
        ("topics", ["/topics", "/standards/{}/topics"]),
        ("concepts", ["/concepts", "/standards/{}/concepts"]),
        ("assets", ["/assets", "/asset_definitions", "/asset_collections"]),
        ("predictions", [f"/predictions/{UNKNOWN}", f"/predictions/queue-status/{UNKNOWN}"]),
        ("clarifier", [f"/clarifier/{UNKNOWN}"]),
        ("crosswalks", ["/standards/{}/crosswalks"]),
        ("relationships", ["/standards/{}/peers"]),
        ("associations", ["/standards/{}/associations"]),
    ],
)
async def test_features(caller: Caller, feature: str, paths: list[str]) -> None:
    """Endpoints are refused with a detail; relations are omitted from responses."""
    [one] = await caller.data("/standards", filter__standards="deepest eq 'Y'", limit="1")
    caller.simulator.knobs.unlicensed_features = (feature,)
    for path in paths:
        response = await caller.abconnect(path.format(one["id"]))
        detail = response.json()["errors"][0]["detail"]
        assert response.status == 403
        assert detail.startswith("This account is not licensed to access ")
    shown = await caller.data(f"/standards/{one['id']}", fields__standards="*")
    hidden = FEATURES[feature].hidden
    assert not hidden & shown["relationships"].keys()
    assert not hidden & shown["attributes"].keys()
    caller.simulator.knobs.unlicensed_features = ()
    assert (await caller.abconnect("/topics")).status == 200


async def test_details_of_refusals(caller: Caller) -> None:
    """Resources are capitalized, relations are not; the caller's provider shows the rest."""
    knobs = caller.simulator.knobs
    knobs.update(unlicensed_features=["topics"], unlicensed_relations=["peers"])
    [one] = await caller.data("/standards", limit="1")
    for path, name in (("/topics", "Topics"), (f"/standards/{one['id']}/peers", "peers")):
        [error] = (await caller.abconnect(path)).json()["errors"]
        assert error["detail"] == f"This account is not licensed to access {name}"
    query = {"filter__providers": "id eq _me", "fields__providers": "taxonomies"}
    [me] = await caller.data("/providers", **query)
    assert me["attributes"]["taxonomies"] == ["concepts"]
    assert (await caller.abconnect("/assets", facet="topics")).status == 400
    with pytest.raises(ValueError, match="unknown features: magic"):
        knobs.update(unlicensed_features=["magic"])


# Documents.


async def test_documents_out_of_licence(caller: Caller) -> None:
    """Hidden in lists, facets and relations, 403 by id; events report both changes."""
    world = caller.simulator.world
    facet = {"facet": "document", "limit": "0"}
    before = (await caller.abconnect("/standards", **facet)).json()["meta"]
    document = before["facets"][0]["details"][0]
    guid = document["data"]["guid"]
    inside = {"filter__standards": f"document.guid eq '{guid}'", "limit": "1"}
    [one] = await caller.data("/standards", **inside, fields__standards="peers")
    last = world.events[-1].seq
    removed = world.revoke(guid.lower())
    after = (await caller.abconnect("/standards", **facet)).json()["meta"]
    assert after["count"] == before["count"] - document["count"]
    assert guid not in {row["data"]["guid"] for row in after["facets"][0]["details"]}
    assert await caller.data("/standards", **inside) == []
    refused = await caller.abconnect(f"/standards/{one['id']}")
    assert (refused.status, one["id"] in refused.text) == (403, True)
    assert (await caller.abconnect(f"/standards/{one['id']}/children")).status == 403
    for relation in ("derivatives", "origins", "peers"):
        rest = await caller.data("/standards", fields__standards=relation, limit="100")
        ids = {row["id"] for item in rest for row in item["relationships"][relation]["data"]}
        assert one["id"] not in ids
    asset = (await caller.data("/assets", limit="1"))[0]["id"]
    body = {"data": [{"type": "standards", "id": one["id"]}]}
    assert (await caller.ab("POST", f"/assets/{asset}/alignments", body)).status == 403
    added = world.grant(guid)
    assert [row["id"] for row in await caller.data("/standards", **inside)] == [one["id"]]
    query = {"filter__events": f"seq gt {last}", "sort__events": "seq", "fields__events": "*"}
    events = [row["attributes"] for row in await caller.data("/events", **query)]
    assert [(row["change_type"], row["target"], row["document_guid"]) for row in events] == [
        ("removed", "document", guid),
        ("added", "document", guid),
    ]
    assert [row["seq"] for row in events] == [removed.seq, added.seq]
    with pytest.raises(ValueError, match="already delivered"):
        world.grant(guid)
    with pytest.raises(KeyError):
        world.revoke(UNKNOWN)


async def test_sections_out_of_licence(caller: Caller) -> None:
    """A section is withdrawn, the rest of its document remains."""
    world = caller.simulator.world
    facets = (await caller.abconnect("/standards", facet="section", limit="0")).json()["meta"]
    section = facets["facets"][0]["details"][0]
    event = world.revoke(section["data"]["guid"])
    assert (event.change_type, event.target, event.section_guid) == (
        "removed",
        "section",
        section["data"]["guid"],
    )
    left = (await caller.abconnect("/standards", limit="0")).json()["meta"]["count"]
    assert left == facets["count"] - section["count"]
    with pytest.raises(ValueError, match="not delivered"):
        world.revoke(section["data"]["guid"])


async def test_events_know_what_was_delivered(caller: Caller) -> None:
    """Changes without a licence have no event; older events list the standard separately."""
    world = caller.simulator.world
    [one] = await caller.data("/standards", limit="1", fields__standards="document.guid")
    first = world.edit_standard(one["id"], {"label": "One"})
    world.revoke(one["attributes"]["document"]["guid"])
    unseen = world.edit_standard(one["id"], {"label": "Two"})
    world.grant(one["attributes"]["document"]["guid"])
    last = world.edit_standard(one["id"], {"label": "Three"})
    query = {"filter__events": f"seq ge {first.seq}", "sort__events": "seq", "fields__events": "*"}
    seqs = [row["attributes"]["seq"] for row in await caller.data("/events", **query)]
    assert len(seqs) == 4
    assert unseen.seq not in seqs
    assert seqs[-1] == last.seq
    world.revoke(one["attributes"]["document"]["guid"])
    shown = (await caller.data("/events", **query))[0]["relationships"]
    assert shown["standard"] == shown["deleted_standard"] == {"data": {}}
    assert shown["nondeliverable_standard"]["data"]["id"] == one["id"]


# Edits through the control paths, as a test in another process makes them.


async def control(caller: Caller, **body: Any) -> Any:
    request = Request("POST", f"{ORIGIN}/_control/edit", {}, orjson.dumps(body))
    response = await caller.simulator.handle(request)
    return response.status, response.json()


async def test_retired_standards(caller: Caller) -> None:
    """Hidden in lists, readable by id, with a successor; the event has it in `standard`."""
    old, new = await caller.data("/standards", filter__standards="level eq 3", limit="2")
    status, event = await control(caller, action="retire", guid=old["id"], replaced_by=new["id"])
    assert status == 200
    shown = await caller.data(f"/standards/{old['id']}", fields__standards="*")
    assert shown["attributes"]["status"] == "deleted"
    assert shown["attributes"]["date_deleted_utc"] == shown["attributes"]["date_modified_utc"]
    successors = shown["relationships"]["replaced_by"]["data"]
    assert new["id"] in {one["id"] for one in successors}
    found = await caller.data("/standards", filter__standards=f"replaces.id eq '{old['id']}'")
    assert new["id"] in {one["id"] for one in found}
    assert await caller.data("/standards", filter__standards=f"guid eq '{old['id']}'") == []
    gone = await caller.data(f"/events/{event['guid']}", fields__events="*")
    assert gone["attributes"]["change_type"] == "deleted"
    assert gone["relationships"]["standard"]["data"]["id"] == old["id"]
    assert gone["relationships"]["deleted_standard"] == {"data": {}}


async def test_moved_standards(caller: Caller) -> None:
    """In all views, the standard is below the new parent and no longer below the old one."""
    world = caller.simulator.world
    standards = world.standards
    child = next(
        index
        for index in range(standards.count)
        if standards.slot(index).level == 3
        and len(standards.children(_grandparent(world, index))) > 1
    )
    old = standards.parent(child)
    assert old is not None
    to = next(one for one in standards.children(_grandparent(world, child)) if one != old)
    guid, parent = standards.guid(child), standards.guid(to)
    status, event = await control(caller, action="move", guid=guid, parent=parent)
    assert (status, event["seq"]) == (200, world.events[-1].seq)
    assert world.events[-1].change_type == "moved"
    shown = await caller.data(f"/standards/{guid}", fields__standards="parent,ancestors")
    assert shown["relationships"]["parent"]["data"]["id"] == parent
    assert shown["relationships"]["ancestors"]["data"][-1]["id"] == parent
    for path, there in ((parent, True), (standards.guid(old), False)):
        query = {"filter__standards": f"parent.id eq '{path}' and status ne 'x'"}
        ids = {one["id"] for one in await caller.data("/standards", **query)}
        children = await caller.data(f"/standards/{path}/children")
        assert (guid in ids, guid in {one["id"] for one in children}) == (there, there)
    assert (await control(caller, action="move", guid=guid, parent=guid))[0] == 400


def _grandparent(world: World, index: int) -> int:
    parent = world.standards.parent(index)
    above = None if parent is None else world.standards.parent(parent)
    assert above is not None
    return above


async def test_control_of_licences(caller: Caller) -> None:
    """Documents are granted and revoked through the control paths; mistakes give 400."""
    [one] = await caller.data("/standards", limit="1", fields__standards="document.guid")
    guid = one["attributes"]["document"]["guid"]
    assert (await control(caller, action="revoke", guid=guid))[0] == 200
    assert (await caller.abconnect(f"/standards/{one['id']}")).status == 403
    assert (await control(caller, action="revoke", guid=guid))[0] == 400
    assert (await control(caller, action="grant", guid=guid))[0] == 200
    assert (await caller.abconnect(f"/standards/{one['id']}")).status == 200
    assert (await control(caller, action="dance", guid=guid))[0] == 400
    changed = await control(caller, guid=one["id"], changes={"label": "New"})
    assert changed[0] == 200
