"""Assets: the request bodies of all writes, and their effects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from aioinstructure import (
    ABConnect,
    BadRequest,
    Conflict,
    InputError,
    NotFound,
    Unprocessable,
)
from aioinstructure.abconnect import F
from aioinstructure.abconnect.assets import Asset
from aioinstructure.errors import Forbidden
from aioinstructure.simulator import Simulator
from aioinstructure.testing import FakeTransport, reply

ID = "AAAAAAAA-0000-4000-8000-000000000000"
S1, S2 = (f"BBBBBBBB-0000-4000-8000-00000000000{n}" for n in (1, 2))
UNKNOWN = "CCCCCCCC-0000-4000-8000-000000000000"


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


Write = Callable[[ABConnect], Awaitable[Any]]

CREATES: dict[str, tuple[Write, dict[str, Any]]] = {
    "required": (
        lambda ab: ab.assets.create(client_id="a", asset_type="Lesson"),
        {"client_id": "a", "asset_type": "Lesson"},
    ),
    "all": (
        lambda ab: ab.assets.create(
            client_id="lesson-17",
            asset_type="Example Assets",
            title="Ratios",
            grades=[{"code": "6"}],
            subjects=[{"code": "MATH"}],
            strands=[{"guid": S1}],
            genres=[],
            ece_domains=[{"guid": S2}],
            descriptors=[{"name": "Color", "value": "blue"}],
            custom_attributes={"color": ["blue", 3]},
        ),
        {
            "client_id": "lesson-17",
            "asset_type": "Example Assets",
            "title": "Ratios",
            "education_levels": {"grades": [{"code": "6"}]},
            "disciplines": {
                "subjects": [{"code": "MATH"}],
                "strands": [{"guid": S1}],
                "genres": [],
                "ece_domains": [{"guid": S2}],
            },
            "descriptors": [{"name": "Color", "value": "blue"}],
            "custom_attributes": {"color": ["blue", 3]},
        },
    ),
    "None is sent": (
        lambda ab: ab.assets.create(client_id="a", asset_type="Lesson", title=None),
        {"client_id": "a", "asset_type": "Lesson", "title": None},
    ),
}


@pytest.mark.parametrize("case", CREATES)
async def test_the_body_of_a_create(case: str) -> None:
    """Omitted parameters are not sent; terms are grouped as the service expects."""
    write, attributes = CREATES[case]
    ab, transport = ab_with(reply({"data": {"type": "assets", "id": ID}}, status=201))
    asset = await write(ab)
    assert (type(asset), asset.id) == (Asset, ID)
    (request,) = transport.requests
    assert request.method == "POST"
    assert request.path.partition("?")[0] == "/rest/v4.1/assets"
    assert orjson.loads(request.body or b"") == {
        "data": {"type": "assets", "attributes": attributes}
    }


@pytest.mark.parametrize(
    ("given", "attributes"),
    [
        ({"title": "New"}, {"title": "New"}),
        ({"title": None}, {"title": None}),
        ({"grades": []}, {"education_levels": {"grades": []}}),
        (
            {"subjects": [{"code": "SCI"}], "genres": []},
            {"disciplines": {"subjects": [{"code": "SCI"}], "genres": []}},
        ),
        ({"custom_attributes": {}}, {"custom_attributes": {}}),
        ({}, {}),
    ],
)
async def test_the_body_of_an_update(given: dict[str, Any], attributes: dict[str, Any]) -> None:
    """It names the asset and the changed attributes."""
    ab, transport = ab_with(reply({"data": {"type": "assets", "id": ID}}))
    await ab.assets.update(ID, **given)
    (request,) = transport.requests
    assert (request.method, request.path.partition("?")[0]) == ("PATCH", f"/rest/v4.1/assets/{ID}")
    data = {"type": "assets", "attributes": attributes, "id": ID}
    assert orjson.loads(request.body or b"") == {"data": data}


def item(kind: str, guid: str, **meta: Any) -> dict[str, Any]:
    return {"type": kind, "id": guid, **({"meta": meta} if meta else {})}


RELATES: dict[str, tuple[str, str, Write, Any]] = {
    "add alignments": (
        "POST",
        "alignments",
        lambda ab: ab.assets.add_alignments(
            ID, accepted=[S1], rejected=[S2], tags=["Excellent", "Best One"]
        ),
        [
            item("standards", S1, disposition="accepted", tags=["Excellent", "Best One"]),
            item("standards", S2, disposition="rejected"),
        ],
    ),
    "add an alignment": (
        "POST",
        "alignments",
        lambda ab: ab.assets.add_alignments(ID, accepted=[S1]),
        [item("standards", S1, disposition="accepted")],
    ),
    "replace alignments": (
        "PATCH",
        "alignments",
        lambda ab: ab.assets.replace_alignments(ID, rejected=[S2], tags=["Good"]),
        [item("standards", S2, disposition="rejected")],
    ),
    "clear alignments": ("PATCH", "alignments", lambda ab: ab.assets.replace_alignments(ID), []),
    "remove alignments": (
        "DELETE",
        "alignments",
        lambda ab: ab.assets.remove_alignments(ID, ids=[S1, S2]),
        [item("standards", S1), item("standards", S2)],
    ),
    "add topics": (
        "POST",
        "topics",
        lambda ab: ab.assets.add_topics(ID, accepted=[S1], rejected=[S2]),
        [item("topics", S1, disposition="accepted"), item("topics", S2, disposition="rejected")],
    ),
    "clear topics": ("PATCH", "topics", lambda ab: ab.assets.replace_topics(ID), []),
    "remove topics": (
        "DELETE",
        "topics",
        lambda ab: ab.assets.remove_topics(ID, ids=[S1]),
        [item("topics", S1)],
    ),
    "add concepts": (
        "POST",
        "concepts",
        lambda ab: ab.assets.add_concepts(
            ID, avoid=[S1], central=[S2], related=[ID], not_applicable=[UNKNOWN]
        ),
        [
            item("concepts", S2, emphasis="central"),
            item("concepts", ID, emphasis="related"),
            item("concepts", UNKNOWN, emphasis="not_applicable"),
            item("concepts", S1, emphasis="avoid"),
        ],
    ),
    "clear concepts": ("PATCH", "concepts", lambda ab: ab.assets.replace_concepts(ID), []),
    "remove concepts": (
        "DELETE",
        "concepts",
        lambda ab: ab.assets.remove_concepts(ID, ids=[S1]),
        [item("concepts", S1)],
    ),
    "add alignment donors": (
        "POST",
        "alignment_donors",
        lambda ab: ab.assets.add_alignment_donors(ID, ids=[S1]),
        [item("assets", S1)],
    ),
    "clear alignment donors": (
        "PATCH",
        "alignment_donors",
        lambda ab: ab.assets.replace_alignment_donors(ID, ids=[]),
        [],
    ),
    "remove alignment donors": (
        "DELETE",
        "alignment_donors",
        lambda ab: ab.assets.remove_alignment_donors(ID, ids=[S1]),
        [item("assets", S1)],
    ),
    "add concept donors": (
        "POST",
        "concept_donors",
        lambda ab: ab.assets.add_concept_donors(ID, ids=[S1]),
        [item("assets", S1)],
    ),
    "replace concept donors": (
        "PATCH",
        "concept_donors",
        lambda ab: ab.assets.replace_concept_donors(ID, ids=[S1, S2]),
        [item("assets", S1), item("assets", S2)],
    ),
    "remove concept donors": (
        "DELETE",
        "concept_donors",
        lambda ab: ab.assets.remove_concept_donors(ID, ids=[S1]),
        [item("assets", S1)],
    ),
    "parent": (
        "POST",
        "parent",
        lambda ab: ab.assets.add_parent(ID, parent_id=S1),
        item("assets", S1),
    ),
}


@pytest.mark.parametrize("case", RELATES)
async def test_the_body_of_a_relation(case: str) -> None:
    """Items have their properties, removals only ids; an empty list clears the set."""
    method, relation, write, data = RELATES[case]
    ab, transport = ab_with(reply({"meta": {"took": 1}}))
    assert await write(ab) is None
    (request,) = transport.requests
    path = f"/rest/v4.1/assets/{ID}/{relation}"
    assert (request.method, request.path.partition("?")[0]) == (method, path)
    assert orjson.loads(request.body or b"") == {"data": data}


@pytest.mark.parametrize(
    "write",
    [
        lambda ab: ab.assets.get("1"),
        lambda ab: ab.assets.update("x/../y", title="t"),
        lambda ab: ab.assets.delete(""),
        lambda ab: ab.assets.add_alignments(ID, accepted=S1),
        lambda ab: ab.assets.add_alignments(ID, accepted=[S1], tags=["Superb"]),
        lambda ab: ab.assets.remove_alignments(ID, ids=S1),
        lambda ab: ab.assets.remove_alignments("1", ids=[S1]),
    ],
)
async def test_invalid_arguments_are_refused_before_anything_is_sent(write: Write) -> None:
    """An invalid id, text instead of a list, an unknown tag."""
    ab, transport = ab_with()
    with pytest.raises(InputError):
        await write(ab)
    assert transport.requests == []


# --- with the simulator -------------------------------------------------------------------------


async def new(ab: ABConnect, client_id: str = "new") -> str:
    """Return the id of a new asset."""
    asset = await ab.assets.create(
        client_id=client_id,
        asset_type="Lesson",
        grades=[{"code": "6"}],
        subjects=[{"code": "MATH"}],
    )
    assert asset.id is not None
    return asset.id


async def ids_of(pages: Any) -> list[str]:
    return [one.id async for one in pages]


async def test_the_life_of_an_asset(abconnect: ABConnect) -> None:
    """Create, read, update in part, delete."""
    made = await abconnect.assets.create(
        client_id="lesson-17",
        asset_type="Lesson",
        title="Ratios",
        grades=[{"code": "6"}],
        subjects=[{"code": "MATH"}],
        custom_attributes={"Color": ["blue", "yellow"]},
    )
    assert made.id is not None
    asset = await abconnect.assets.get(made.id, fields=["*"])
    assert (asset.client_id, asset.asset_type, asset.title) == ("lesson-17", "Lesson", "Ratios")
    assert [grade.code for grade in asset.education_levels.grades] == ["6"]
    assert [subject.code for subject in asset.disciplines.subjects] == ["MATH"]
    assert asset.custom_attributes == {"color": ["blue", "yellow"]}
    assert [(one.name, one.value) for one in asset.descriptors] == [
        ("Color", "blue"),
        ("Color", "yellow"),
    ]
    assert asset.date_modified_utc is not None
    await abconnect.assets.update(made.id, title=None, grades=[{"code": "7"}])
    asset = await abconnect.assets.get(
        made.id, fields=["title", "disciplines.subjects", F.education_levels.grades]
    )
    assert asset.title is None
    assert "title" in asset.fields_set
    assert [grade.code for grade in asset.education_levels.grades] == ["7"]
    assert [subject.code for subject in asset.disciplines.subjects] == ["MATH"]
    await abconnect.assets.delete(made.id)
    with pytest.raises(NotFound):
        await abconnect.assets.get(made.id)
    with pytest.raises(NotFound):
        await abconnect.assets.update(made.id, title="x")


async def test_errors_of_the_service(abconnect: ABConnect) -> None:
    """Duplicate client ids, unknown types and ids, deleted donors, assets of other owners."""
    one, other = await new(abconnect), await new(abconnect, "other")
    with pytest.raises(Conflict, match="client_id"):
        await new(abconnect)
    with pytest.raises(Unprocessable, match="asset types"):
        await abconnect.assets.create(client_id="x", asset_type="Nothing")
    with pytest.raises(BadRequest, match=UNKNOWN):
        await abconnect.assets.add_alignments(one, accepted=[UNKNOWN])
    with pytest.raises(NotFound):
        await abconnect.assets.add_alignments(UNKNOWN, accepted=[])
    await abconnect.assets.add_alignment_donors(one, ids=[other])
    with pytest.raises(Conflict, match="donor"):
        await abconnect.assets.delete(other)
    assert await ids_of(abconnect.assets.alignment_donors(one)) == [other]
    await abconnect.assets.remove_alignment_donors(one, ids=[other])
    await abconnect.assets.delete(other)
    owners = await abconnect.assets.list(filter="owner.id eq _all", fields=["owner"]).collect()
    mine = {(await abconnect.assets.get(one, fields=["owner"])).owner.ids[0]}
    foreign = next(a.id or "" for a in owners if not mine & {*a.owner.ids})
    with pytest.raises(Forbidden):
        await abconnect.assets.update(foreign, title="mine")


async def test_the_life_of_alignments(abconnect: ABConnect) -> None:
    """Add, list with properties, replace all, remove, and list the deleted ones."""
    a, b, c = [one.id or "" for one in await abconnect.standards.list().take(3)]
    asset = await new(abconnect)
    await abconnect.assets.add_alignments(asset, accepted=[a], rejected=[b], tags=["Excellent"])
    found = await abconnect.assets.alignments(asset, fields=["statement"]).collect()
    by_id = {one.id: one for one in found}
    assert by_id[a].meta["disposition"] == "accepted"
    assert by_id[a].meta["tags"] == ["Excellent"]
    assert by_id[b].meta["disposition"] == "rejected"
    assert "tags" not in by_id[b].meta
    assert by_id[a].statement.descr
    accepted = abconnect.assets.alignments(asset, filter="meta.disposition eq 'accepted'")
    assert await ids_of(accepted) == [a]
    await abconnect.assets.replace_alignments(asset, accepted=[c])
    assert await ids_of(abconnect.assets.alignments(asset)) == [c]
    await abconnect.assets.remove_alignments(asset, ids=[c.lower()])
    assert await ids_of(abconnect.assets.alignments(asset)) == []
    gone = await abconnect.assets.deleted_alignments(asset).collect()
    assert {one.id for one in gone} == {a, b, c}
    assert all("date_deleted_utc" in one.meta for one in gone)
    with pytest.raises(NotFound):
        await abconnect.assets.remove_alignments(asset, ids=[a])


async def test_topics_concepts_and_parents(abconnect: ABConnect) -> None:
    """The other relationships can be set, listed and cleared."""
    t1, t2 = [one.id or "" for one in await abconnect.topics.list().take(2)]
    c1, c2 = [one.id or "" for one in await abconnect.concepts.list().take(2)]
    asset, above = await new(abconnect), await new(abconnect, "above")
    await abconnect.assets.add_topics(asset, accepted=[t1], rejected=[t2])
    topics = await abconnect.assets.topics(asset, fields=["descr"]).collect()
    assert {one.id: one.meta["disposition"] for one in topics} == {t1: "accepted", t2: "rejected"}
    await abconnect.assets.remove_topics(asset, ids=[t1])
    assert await ids_of(abconnect.assets.topics(asset)) == [t2]
    await abconnect.assets.replace_topics(asset)
    assert await ids_of(abconnect.assets.topics(asset)) == []
    await abconnect.assets.add_concepts(asset, central=[c1])
    await abconnect.assets.replace_concepts(asset, avoid=[c1], related=[c2])
    concepts = await abconnect.assets.concepts(asset, fields=["descr"]).collect()
    assert {one.id: one.meta["emphasis"] for one in concepts} == {c1: "avoid", c2: "related"}
    await abconnect.assets.remove_concepts(asset, ids=[c1, c2])
    assert await ids_of(abconnect.assets.concepts(asset)) == []
    await abconnect.assets.add_concept_donors(asset, ids=[above])
    assert await ids_of(abconnect.assets.concept_donors(asset)) == [above]
    await abconnect.assets.replace_concept_donors(asset, ids=[])
    assert await abconnect.assets.parent(asset).collect() == []
    await abconnect.assets.add_parent(asset, parent_id=above)
    (parent,) = await abconnect.assets.parent(asset, fields=["client_id"]).collect()
    assert (parent.id, parent.client_id) == (above, "above")
    assert (await abconnect.assets.get(asset, fields=["parent"])).parent.ids == [above]


async def test_a_list_that_filters_related_objects(
    abconnect: ABConnect, simulator: Simulator
) -> None:
    """Filters on relationships keep all assets and reduce the related objects shown."""
    every = await abconnect.assets.list(fields=["alignments", "client_id"]).collect()
    narrowed = await abconnect.assets.list(
        alignments="meta.disposition eq 'accepted'", fields=["alignments"]
    ).collect()
    assert [one.id for one in narrowed] == [one.id for one in every]
    assert len(every) == sum(asset.owner == 0 for asset in simulator.world.assets.rows.values())
    shown = [ref for one in narrowed for ref in one.alignments.data]
    assert {ref.meta["disposition"] for ref in shown} == {"accepted"}
    assert len(shown) < sum(len(one.alignments.data) for one in every)
    lessons = await abconnect.assets.list(
        filter=(F.asset_type == "Lesson"), sort=["-client_id"], fields=["asset_type", "client_id"]
    ).collect()
    assert {one.asset_type for one in lessons} == {"Lesson"}
    names = [one.client_id or "" for one in lessons]
    assert names == sorted(names, reverse=True)
