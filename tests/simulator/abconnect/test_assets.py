"""Assets and their relations, providers, asset definitions: reads, writes, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aioinstructure.simulator.abconnect.assets import attribute_key
from tests.simulator.conftest import ORIGIN

if TYPE_CHECKING:
    from aioinstructure.wire.message import Response
    from tests.simulator.conftest import Caller

BASE = f"{ORIGIN}/rest/v4.1"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def body_of(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "assets", "attributes": attributes}}


async def create(caller: Caller, client_id: str = "new", **attributes: Any) -> str:
    body = body_of(client_id=client_id, asset_type="Lesson", **attributes)
    response = await caller.ab("POST", "/assets", body)
    assert response.status == 201, response.text
    return str(response.json()["data"]["id"])


async def show(caller: Caller, guid: str, fields: str = "*") -> Any:
    return await caller.data(f"/assets/{guid}", fields__assets=fields)


async def some(caller: Caller, path: str, count: int = 3) -> list[str]:
    """Ids of standards that are alignable, or of topics or concepts."""
    query = {"filter__standards": "deepest eq 'Y'"} if path == "/standards" else {}
    return [one["id"] for one in await caller.data(path, limit=str(count), **query)]


def item(guid: str, type_: str = "standards", **meta: Any) -> dict[str, Any]:
    return {"type": type_, "id": guid, **({"meta": meta} if meta else {})}


def error(response: Response) -> tuple[int, Any]:
    [found] = response.json()["errors"]
    assert found["status"] == str(response.status)
    return response.status, found.get("source", {}).get("pointer")


# Reading.


async def test_lists_show_the_callers_own(caller: Caller) -> None:
    """Assets of other owners appear only if the filter uses the owner."""
    [me] = await caller.data("/providers", filter__providers="id eq _me")

    async def count(text: str) -> int:
        body = (await caller.abconnect("/assets", filter__assets=text, limit="0")).json()
        return int(body["meta"]["count"])

    mine, every = await count(""), await count("owner.id eq _all")
    assert mine == await count("owner.id eq '_me'") == await count(f"owner.id eq '{me['id']}'")
    assert (mine, every) == (45, 60)
    assert await count("not owner.id eq _me") == every - mine
    other = "owner.id eq _all and custom_attributes.color eq 'blue'"
    refused = await caller.abconnect("/assets", filter__assets=other)
    assert refused.json()["errors"][0]["source"] == {"parameter": "filter[assets]"}
    own = "owner.id eq _me and custom_attributes.color eq 'blue'"
    assert (await caller.abconnect("/assets", filter__assets=own)).status == 200
    crossed = {"filter__assets": "owner.id eq _all", "facet": "custom_attributes.color"}
    assert (await caller.abconnect("/assets", **crossed)).status == 400


@pytest.mark.parametrize(
    "text",
    [
        "alignments.document.publication.authorities.descr eq 'Alabama DOE'",
        "alignments.meta.disposition eq 'rejected'",
        "alignments.document.disciplines.subjects.descr eq 'Mathematics'",
        "alignments.status eq 'deleted'",
        "not isempty(deleted_alignments)",
        "deleted_alignments.statement.descr ne 'x'",
        "query('Mathematics')",
        "query(topics.descr, 'fractions claims forces')",
        "query(custom_attributes.color, 'blue')",
        "custom_attributes.duration_min_ gt 9",
        "query(alignments.number.enhanced, '5.NF')",
    ],
)
async def test_search_through_relations(caller: Caller, text: str) -> None:
    """By properties of aligned standards, topics and concepts, and of the relation itself."""
    body = (await caller.abconnect("/assets", filter__assets=text)).json()
    assert 0 < body["meta"]["count"] <= 45


@pytest.mark.parametrize("text", ["alignments.seq eq 1", "topics.level eq 1", "nonsense eq 1"])
async def test_unknown_properties_of_relations(caller: Caller, text: str) -> None:
    """Only the documented properties can be searched through a relation."""
    assert (await caller.abconnect("/assets", filter__assets=text)).status == 400


async def test_facets_of_assets(caller: Caller) -> None:
    """Types and custom attributes are plain values; topics have parents, concepts contexts."""
    names = "asset_types,disciplines.subjects,topics,concepts,custom_attributes.color"
    body = (await caller.abconnect("/assets", facet=names, limit="0")).json()
    kinds, subjects, topics, concepts, color = body["meta"]["facets"]
    assert sum(one["count"] for one in kinds["details"]) == body["meta"]["count"] == 45
    assert {one["data"] for one in color["details"]} == {"blue", "yellow", "green"}
    assert set(subjects["details"][0]["data"]) == {"guid", "code", "descr"}
    assert set(topics["details"][0]["data"]) == {"guid", "descr", "parent_descr"}
    assert set(concepts["details"][0]["data"]) == {"guid", "descr", "context"}
    every = (await caller.abconnect("/assets", facet_summary="*", limit="0")).json()
    assert len(every["meta"]["facets"]) == 7
    assert (await caller.abconnect("/assets", facet="custom_attributes.none")).status == 400


async def test_filters_of_relations_narrow_what_is_shown(caller: Caller) -> None:
    """They do not select assets, but related objects, in lists, objects and at the endpoint."""
    query = {"filter__assets": "client_id eq 'item-00001'", "fields__assets": "alignments"}
    [full] = await caller.data("/assets", **query)
    shown = full["relationships"]["alignments"]
    assert len(shown["data"]) == 10
    assert shown["links"]["next"].endswith("/alignments?offset=10")
    rejected = "meta.disposition eq 'rejected'"
    [narrow] = await caller.data("/assets", **query, filter__alignments=rejected)
    found = narrow["relationships"]["alignments"]["data"]
    assert {one["meta"]["disposition"] for one in found} == {"rejected"}
    path = f"/assets/{full['id']}"
    alone = await caller.data(path, fields__assets="alignments", filter__alignments=rejected)
    assert alone["relationships"]["alignments"]["data"] == found
    for name in ("filter__alignments", "filter__standards"):
        paged = await caller.data(f"{path}/alignments", **{name: rejected}, limit="100")
        assert {one["meta"]["disposition"] for one in paged} == {"rejected"}
    gone = "status eq 'deleted'"
    old = (await caller.abconnect(f"{path}/alignments", filter__alignments=gone)).json()
    assert old["meta"]["count"] > 0
    by_date = {"sort__alignments": "meta.disposition,-meta.date_modified_utc", "limit": "100"}
    kinds = [
        one["meta"]["disposition"] for one in await caller.data(f"{path}/alignments", **by_date)
    ]
    assert kinds == sorted(kinds)
    bad = await caller.abconnect(path, fields__assets="*", filter__alignments="level eq 1")
    assert bad.json()["errors"][0]["source"] == {"parameter": "filter[alignments]"}


async def test_text_filters_skip_rejected_relations(caller: Caller) -> None:
    """Text filters omit rejected topics, and concepts with the emphasis avoid."""
    guid = await create(caller)
    yes, no = await some(caller, "/topics", 2)
    rows = [item(yes, "topics"), item(no, "topics", disposition="rejected")]
    await caller.ab("POST", f"/assets/{guid}/topics", {"data": rows})
    path = f"/assets/{guid}/topics"
    assert len(await caller.data(path)) == 2
    assert [one["id"] for one in await caller.data(path, filter__topics="descr ne 'x'")] == [yes]
    assert len(await caller.data(path, filter__topics="meta.disposition eq 'rejected'")) == 1
    topic = await caller.data(f"/topics/{no}", fields__topics="descr")
    search = f"guid eq '{guid}' and topics.descr eq '{topic['attributes']['descr']}'"
    assert await caller.data("/assets", filter__assets=search) == []
    one, other = await some(caller, "/concepts", 2)
    rows = [item(one, "concepts", emphasis="related"), item(other, "concepts", emphasis="avoid")]
    await caller.ab("POST", f"/assets/{guid}/concepts", {"data": rows})
    found = await caller.data(f"/assets/{guid}/concepts", filter__concepts="descr ne 'x'")
    assert [row["id"] for row in found] == [one]


async def test_include_of_assets(caller: Caller) -> None:
    """Full owner and alignments, with the fields of each type; only embedded ones."""
    query = {
        "filter__assets": "client_id eq 'item-00001'",
        "fields__assets": "owner,alignments",
        "fields__standards": "level",
        "fields__providers": "descr",
        "include": "owner,alignments",
    }
    body = (await caller.abconnect("/assets", **query)).json()
    kinds = [one["type"] for one in body["included"]]
    assert (kinds.count("standards"), kinds.count("providers")) == (10, 1)
    assert body["data"][0]["relationships"]["owner"]["data"]["type"] == "providers"


async def test_to_one_relations(caller: Caller) -> None:
    """Parent and owner are one object; an empty parent is an empty object."""
    [child] = await caller.data("/assets", filter__assets="not isempty(parent)", limit="1")
    parent = await caller.data(f"/assets/{child['id']}/parent", fields__assets="title")
    assert parent["attributes"]["title"]
    found = await caller.data("/assets", filter__assets=f"parent.id eq '{parent['id']}'")
    assert child["id"] in {one["id"] for one in found}
    assert await caller.data(f"/assets/{parent['id']}/parent") == {}
    owner = await caller.data(f"/assets/{child['id']}/owner", fields__providers="descr")
    assert owner["type"] == "providers"


# Writing assets.


async def test_create(caller: Caller) -> None:
    """201 and the asset, only type and id unless fields are requested; terms are completed."""
    strand = {"guid": caller.simulator.world.standards.strand_of(0, 1)["guid"].lower()}
    body = body_of(
        client_id="lesson-17",
        asset_type="Example Assets",
        title="Ratios",
        education_levels={"grades": [{"code": "6"}]},
        disciplines={"subjects": [{"code": "MATH"}], "strands": [strand]},
        custom_attributes={"Reading  Level!": ["low"]},
        descriptors=[{"name": "Color", "value": "blue"}, {"name": "Color", "value": "yellow"}],
    )
    body["data"]["type"] = "Assets"
    response = await caller.ab("POST", "/assets", body)
    data = response.json()["data"]
    assert (response.status, set(data)) == (201, {"type", "id"})
    assert response.json()["links"]["self"] == f"{BASE}/assets/{data['id']}"
    attributes = (await show(caller, data["id"]))["attributes"]
    assert attributes["custom_attributes"] == {
        "color": ["blue", "yellow"],
        "reading_level_": ["low"],
    }
    assert attributes["descriptors"][-1] == {"name": "Reading  Level!", "value": "low"}
    assert attributes["education_levels"]["grades"][0]["seq"] == 80
    assert attributes["disciplines"]["subjects"][0]["descr"] == "Mathematics"
    assert attributes["disciplines"]["strands"][0]["descr"]
    assert attributes["date_modified_utc"] == "2027-01-15 08:00:00"
    assert attributes["date_alignments_modified_utc"] is None
    again = await caller.ab("POST", "/assets", body)
    assert error(again) == (409, "/data/attributes/client_id")
    full = await caller.ab(
        "POST", "/assets", body_of(client_id="b", asset_type="Lesson"), fields__assets="*"
    )
    assert full.json()["data"]["attributes"]["client_id"] == "b"


@pytest.mark.parametrize(
    ("name", "key"),
    [("Color", "color"), ("Reading  Level", "reading_level"), ("Duration (min)", "duration_min_")],
)
def test_keys_of_custom_attributes(name: str, key: str) -> None:
    """Lower case; each run of spaces and special characters becomes one underscore."""
    assert attribute_key(name) == key


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "")),
        ({"data": []}, (400, "/data")),
        ({"data": {"type": "standards"}}, (400, "/data/type")),
        ({"data": {"type": "assets"}}, (422, "/data/attributes")),
        (body_of(asset_type="Lesson"), (422, "/data/attributes/client_id")),
        (body_of(client_id="x"), (422, "/data/attributes/asset_type")),
        (body_of(client_id="x", asset_type="?"), (422, "/data/attributes/asset_type")),
        (body_of(client_id="x", asset_type="Lesson", guid="g"), (422, "/data/attributes/guid")),
        (
            body_of(client_id="x", asset_type="Lesson", disciplines={"subjects": [{"code": "?"}]}),
            (422, "/data/attributes/disciplines/subjects/0"),
        ),
        (
            body_of(client_id="x", asset_type="Lesson", disciplines=[]),
            (422, "/data/attributes/disciplines"),
        ),
        (
            body_of(client_id="x", asset_type="Lesson", descriptors=[{"name": "a"}]),
            (422, "/data/attributes/descriptors/0"),
        ),
        (
            body_of(client_id="x", asset_type="Lesson", custom_attributes=[]),
            (422, "/data/attributes/custom_attributes"),
        ),
    ],
)
async def test_bad_bodies(caller: Caller, body: Any, expected: tuple[int, str]) -> None:
    """The error points into the body, and nothing is created."""
    before = len(caller.simulator.world.assets.rows)
    assert error(await caller.ab("POST", "/assets", body)) == expected
    good = body_of(client_id="x", asset_type="Lesson")
    for query in ({"fields__assets": "nonsense"}, {"include": "nonsense"}):
        assert (await caller.ab("POST", "/assets", good, **query)).status == 400
    assert len(caller.simulator.world.assets.rows) == before


async def test_patch(caller: Caller) -> None:
    """Each attribute that is sent replaces the complete value; a mistake changes nothing."""
    names = {"color": ["blue", "yellow"], "size": [3]}
    guid = await create(caller, title="Old", custom_attributes=names)
    caller.time = 60.0
    body: dict[str, Any] = body_of(custom_attributes={"color": ["green"]}, client_id="new")
    body["data"]["id"] = guid.lower()
    response = await caller.ab("PATCH", f"/assets/{guid}", body, fields__assets="custom_attributes")
    assert response.json()["data"]["attributes"] == {"custom_attributes": {"color": ["green"]}}
    attributes = (await show(caller, guid))["attributes"]
    assert (attributes["title"], attributes["date_modified_utc"]) == ("Old", "2027-01-15 08:01:00")
    bad = body_of(title="Lost", education_levels={"grades": [{"code": "99"}]})
    refused = await caller.ab("PATCH", f"/assets/{guid}", bad)
    assert error(refused) == (422, "/data/attributes/education_levels/grades/0")
    assert (await show(caller, guid, "title"))["attributes"]["title"] == "Old"
    fixed = await caller.ab("PATCH", f"/assets/{guid}", body_of(client_id="other"))
    assert error(fixed) == (422, "/data/attributes/client_id")
    body["data"]["id"] = UNKNOWN
    assert error(await caller.ab("PATCH", f"/assets/{guid}", body)) == (409, "/data/id")
    assert (await caller.ab("PATCH", f"/assets/{UNKNOWN}", body)).status == 404


async def test_delete(caller: Caller) -> None:
    """An asset can be deleted when it is no longer a donor; children lose their parent."""
    donor, guid = await create(caller, "donor"), await create(caller)
    await caller.ab("POST", f"/assets/{guid}/parent", {"data": item(donor, "assets")})
    link = {"data": [item(donor, "assets")]}
    await caller.ab("POST", f"/assets/{guid}/alignment_donors", link)
    assert (await caller.ab("DELETE", f"/assets/{donor}")).status == 409
    await caller.ab("DELETE", f"/assets/{guid}/alignment_donors", link)
    done = await caller.ab("DELETE", f"/assets/{donor}")
    assert (done.status, list(done.json())) == (200, ["meta"])
    assert (await caller.abconnect(f"/assets/{donor}")).status == 404
    assert (await show(caller, guid))["relationships"]["parent"] == {"data": {}}
    assert (await caller.ab("DELETE", f"/assets/{donor}")).status == 404


async def test_assets_of_others_are_read_only(caller: Caller) -> None:
    """403 for any write."""
    [other] = await caller.data("/assets", filter__assets="not owner.id eq _me", limit="1")
    path = f"/assets/{other['id']}"
    assert (await caller.abconnect(path)).status == 200
    for method, rest, body in (
        ("PATCH", "", body_of(title="x")),
        ("DELETE", "", None),
        ("POST", "/alignments", {"data": []}),
    ):
        assert (await caller.ab(method, f"{path}{rest}", body)).status == 403


# Relations.


async def test_alignments(caller: Caller) -> None:
    """POST adds, PATCH replaces, DELETE removes; removed ones are kept with their date."""
    guid = await create(caller)
    path = f"/assets/{guid}/alignments"
    one, two, three = await some(caller, "/standards")
    rows = [item(one.lower(), "Standards", disposition="accepted", tags=["Good"]), item(two)]
    added = await caller.ab("POST", path, {"data": rows})
    assert (added.status, list(added.json())) == (200, ["meta"])
    caller.time = 60.0
    data = {
        "data": [
            item(one, disposition="accepted", tags=["Good"]),
            item(three, disposition="rejected"),
        ]
    }
    assert (await caller.ab("PATCH", path, data)).json()["meta"]["took"] > 0
    found = {row["id"]: row["meta"] for row in await caller.data(path)}
    assert found == {
        one: {
            "date_created_utc": "2027-01-15 08:00:00",
            "disposition": "accepted",
            "tags": ["Good"],
            "date_modified_utc": "2027-01-15 08:00:00",
        },
        three: {
            "date_created_utc": "2027-01-15 08:01:00",
            "disposition": "rejected",
            "date_modified_utc": "2027-01-15 08:01:00",
        },
    }
    for name in ("filter__deleted_alignments", "filter__alignments"):
        since = {name: "meta.date_deleted_utc gt '2027-01-15 08:00:00'"}
        [gone] = await caller.data(f"/assets/{guid}/deleted_alignments", **since)
        assert (gone["id"], gone["meta"]["date_deleted_utc"]) == (two, "2027-01-15 08:01:00")
    attributes = (await show(caller, guid))["attributes"]
    assert attributes["date_alignments_modified_utc"] == "2027-01-15 08:01:00"
    changed = "date_alignments_modified_utc gt '2027-01-15 08:00:30'"
    assert [row["id"] for row in await caller.data("/assets", filter__assets=changed)] == [guid]
    assert (await caller.ab("DELETE", path, {"data": [item(three)]})).status == 200
    assert error(await caller.ab("DELETE", path, {"data": [item(one), item(two)]})) == (
        404,
        "/data/1",
    )
    assert [row["id"] for row in await caller.data(path)] == [one]
    await caller.ab("POST", path, {"data": [item(two)]})
    assert two not in {row["id"] for row in await caller.data(f"/assets/{guid}/deleted_alignments")}
    assert (await caller.ab("PATCH", path, {"data": []})).status == 200
    assert await caller.data(path) == []
    assert (await caller.ab("POST", f"/assets/{guid}/deleted_alignments", data)).status == 404


async def test_adding_twice(caller: Caller) -> None:
    """Adding the same item changes nothing; another opinion needs a removal first."""
    guid = await create(caller)
    [one] = await some(caller, "/standards", 1)
    path = f"/assets/{guid}/alignments"
    for _ in range(2):
        assert (
            await caller.ab("POST", path, {"data": [item(one, disposition="accepted")]})
        ).status == 200
    other = await caller.ab("POST", path, {"data": [item(one, disposition="rejected")]})
    assert error(other) == (409, "/data/0")


async def test_prediction_algorithm_is_updated(caller: Caller) -> None:
    """A change of a relation updates prediction_algorithm from 2 to 3, an attribute does not."""
    query = {"filter__assets": "prediction_algorithm eq 2", "limit": "1"}
    [old] = await caller.data("/assets", **query)
    path = f"/assets/{old['id']}"
    await caller.ab("PATCH", path, body_of(title="x"))
    assert (await show(caller, old["id"]))["attributes"]["prediction_algorithm"] == 2
    [topic] = await some(caller, "/topics", 1)
    await caller.ab("PATCH", f"{path}/topics", {"data": [item(topic, "topics")]})
    assert (await show(caller, old["id"]))["attributes"]["prediction_algorithm"] == 3


@pytest.mark.parametrize(
    ("relation", "change", "expected"),
    [
        ("alignments", {"meta": {"disposition": "predicted"}}, (400, "/data/0/meta/disposition")),
        ("alignments", {"meta": {"tags": ["Superb"]}}, (400, "/data/0/meta/tags")),
        (
            "alignments",
            {"meta": {"disposition": "rejected", "tags": ["Good"]}},
            (400, "/data/0/meta/tags"),
        ),
        ("alignments", {"meta": []}, (400, "/data/0/meta")),
        ("alignments", {"type": "topics"}, (400, "/data/0/type")),
        ("alignments", {"id": UNKNOWN}, (400, "/data/0/id")),
        ("topics", {"meta": {"disposition": "predicted"}}, (400, "/data/0/meta/disposition")),
        ("concepts", {"meta": {"emphasis": "relevant"}}, (400, "/data/0/meta/emphasis")),
    ],
)
async def test_bad_items(
    caller: Caller, relation: str, change: dict[str, Any], expected: tuple[int, str]
) -> None:
    """The error points to the item, and nothing of the body is applied."""
    guid = await create(caller)
    kind = "standards" if relation == "alignments" else relation
    good, bad = await some(caller, f"/{kind}", 2)
    for method in ("POST", "PATCH"):
        body = {"data": [{**item(bad, kind), **change}, item(good, kind)]}
        assert error(await caller.ab(method, f"/assets/{guid}/{relation}", body)) == expected
        assert await caller.data(f"/assets/{guid}/{relation}") == []
    assert error(await caller.ab("POST", f"/assets/{guid}/{relation}", {"data": {}})) == (
        400,
        "/data",
    )
    assert error(await caller.ab("POST", f"/assets/{guid}/{relation}", {"data": [1]})) == (
        400,
        "/data/0",
    )


async def test_parent(caller: Caller) -> None:
    """One object; an empty one clears the parent; an asset cannot be its own ancestor."""
    top, middle, low = [await create(caller, name) for name in ("top", "middle", "low")]
    for child, parent in ((low, middle), (middle, top)):
        body = {"data": item(parent, "Assets")}
        assert (await caller.ab("POST", f"/assets/{child}/parent", body)).status == 200
    circle = await caller.ab("POST", f"/assets/{top}/parent", {"data": item(low, "assets")})
    assert circle.status == 409
    assert (await caller.data(f"/assets/{low}/parent"))["id"] == middle
    assert (await caller.ab("PATCH", f"/assets/{low}/parent", {"data": []})).status == 200
    assert await caller.data(f"/assets/{low}/parent") == {}
    assert (await caller.ab("DELETE", f"/assets/{middle}/parent")).status == 200
    unknown = await caller.ab("POST", f"/assets/{low}/parent", {"data": item(UNKNOWN, "assets")})
    assert error(unknown) == (400, "/data/id")
    [other] = await caller.data("/assets", filter__assets="not owner.id eq _me", limit="1")
    foreign = {"data": item(other["id"], "assets")}
    assert (await caller.ab("POST", f"/assets/{low}/parent", foreign)).status == 400


async def test_alignment_donors(caller: Caller) -> None:
    """Donors pass on accepted alignments, not rejected ones; overriding works, removal not."""
    one, two, guid = [await create(caller, name) for name in ("one", "two", "guid")]
    first, second, third = await some(caller, "/standards")
    rows = [item(first), item(second, disposition="rejected")]
    await caller.ab("POST", f"/assets/{one}/alignments", {"data": rows})
    await caller.ab("POST", f"/assets/{two}/alignments", {"data": [item(third)]})
    donors = f"/assets/{guid}/alignment_donors"
    await caller.ab("POST", donors, {"data": [item(one, "assets")]})
    await caller.ab("PATCH", donors, {"data": [item(one, "assets"), item(two, "assets")]})
    assert {row["id"] for row in await caller.data(donors)} == {one, two}
    path = f"/assets/{guid}/alignments"
    assert {row["id"] for row in await caller.data(path)} == {first, third}
    assert error(await caller.ab("DELETE", path, {"data": [item(first)]})) == (409, "/data/0")
    await caller.ab("POST", path, {"data": [item(first, disposition="rejected")]})
    assert {row["id"]: row["meta"]["disposition"] for row in await caller.data(path)}[
        first
    ] == "rejected"
    await caller.ab("DELETE", donors, {"data": [item(two, "assets")]})
    assert {row["id"] for row in await caller.data(path)} == {first}
    itself = await caller.ab("POST", donors, {"data": [item(guid, "assets")]})
    assert error(itself) == (409, "/data/0")


async def test_concept_donors(caller: Caller) -> None:
    """Central has priority among donors; a recipient has no concepts of its own."""
    one, two, guid = [await create(caller, name) for name in ("one", "two", "guid")]
    [concept, other] = await some(caller, "/concepts", 2)
    for donor, emphasis in ((one, "avoid"), (two, "central")):
        body = {"data": [item(concept, "concepts", emphasis=emphasis)]}
        await caller.ab("POST", f"/assets/{donor}/concepts", body)
    donors = f"/assets/{guid}/concept_donors"
    both = {"data": [item(one, "assets"), item(two, "assets")]}
    assert (await caller.ab("PATCH", donors, both)).status == 200
    assert [row["id"] for row in await caller.data(donors)] == [one, two]
    [found] = await caller.data(f"/assets/{guid}/concepts")
    assert found["meta"] == {"emphasis": "central"}
    own = {"data": [item(other, "concepts", emphasis="central")]}
    for method in ("POST", "PATCH"):
        assert error(await caller.ab(method, f"/assets/{guid}/concepts", own)) == (409, "/data/0")
    assert (await caller.ab("POST", f"/assets/{two}/concepts", own)).status == 200
    assert len(await caller.data(f"/assets/{guid}/concepts")) == 1
    await caller.ab("PATCH", f"/assets/{guid}", body_of(title="a write refreshes the concepts"))
    assert len(await caller.data(f"/assets/{guid}/concepts")) == 2
    back = {"data": [item(guid, "assets")]}
    assert error(await caller.ab("POST", f"/assets/{two}/concept_donors", back)) == (409, "/data/0")
    assert (await caller.ab("DELETE", donors, both)).status == 200
    assert await caller.data(f"/assets/{guid}/concepts") == []
    assert (await caller.ab("POST", f"/assets/{guid}/concepts", own)).status == 200
    assert (await caller.ab("DELETE", f"/assets/{guid}/concepts", own)).status == 200


# Providers and definitions.


async def test_providers(caller: Caller) -> None:
    """The caller and the providers it shares with; only its own object lists them."""
    every = await caller.data("/providers", filter__providers="id eq _all", fields__providers="*")
    assert len(every) == len(await caller.data("/providers")) == 4
    query = {"fields__providers": "*", "include": "owners,consumers"}
    [me] = (await caller.abconnect("/providers", filter__providers="id eq _me", **query)).json()[
        "data"
    ]
    assert me["attributes"]["taxonomies"] == ["concepts", "topics"]
    assert [one for one in every if "relationships" in one] == [me]
    owners = me["relationships"]["owners"]
    assert len(owners["data"]) == 2
    listed = (await caller.ab("GET", owners["links"]["related"])).json()["data"]
    assert listed == owners["data"]
    other = owners["data"][0]["id"]
    one = (await caller.abconnect(f"/providers/{other.lower()}", **query)).json()
    assert (one["data"]["id"], "included" in one) == (other, False)
    assert (await caller.abconnect(f"/providers/{other}/owners")).status == 404
    assert (await caller.abconnect(f"/providers/{UNKNOWN}")).status == 404


async def test_asset_definitions(caller: Caller) -> None:
    """One for each type; the facet that each property names works."""
    found = await caller.data("/asset_definitions", fields__asset_definitions="*")
    kinds = {one["attributes"]["asset_type"] for one in found}
    assert kinds == set(caller.simulator.knobs.asset_types)
    one = await caller.data(f"/asset_definitions/{found[0]['id']}", fields__asset_definitions="*")
    assert one == found[0]
    facet = "".join(
        part["field"]["name"]
        for part in one["attributes"]["properties"]
        if part["label"] == "Color"
    )
    assert (await caller.abconnect("/assets", facet=facet)).status == 200
    grade = one["attributes"]["properties"][0]
    assert (
        await caller.abconnect("/assets", filter__assets=f"{grade['field']['id']} ne 'x'")
    ).status == 200
    assert (await caller.abconnect("/asset_definitions/x")).status == 404
