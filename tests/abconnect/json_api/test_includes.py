"""What `include` asked for hangs at the references to it, as the model of its kind."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import ABConnect, InputError
from aioinstructure.abconnect.assets import Asset
from aioinstructure.abconnect.concepts import Concept
from aioinstructure.abconnect.providers import Provider
from aioinstructure.abconnect.standards import Standard
from aioinstructure.abconnect.topics import Topic
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, abconnect_of, reply

ID = "AAAAAAAA-0000-4000-8000-000000000000"


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


def ref(kind: str, guid: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": guid, **more}


def related(**relationships: Any) -> dict[str, Any]:
    return {name: {"data": data} for name, data in relationships.items()}


async def test_each_is_the_model_of_its_kind() -> None:
    """By type and id in any case; the properties of the relationship stay beside it."""
    asset = ref(
        "assets",
        ID,
        relationships=related(
            alignments=[ref("Standards", "s1", meta={"disposition": "accepted"})],
            topics=[ref("topics", "T1"), ref("topics", "T2")],
            concepts=[ref("concepts", "C1")],
            owner=ref("providers", "P1"),
            parent=ref("assets", "A2"),
            concept_donors=[],
            deleted_alignments={},
        ),
    )
    included = [
        ref("standards", "S1", attributes={"level": 3}),
        ref("topics", "T1", attributes={"descr": "Ratios"}),
        ref("concepts", "c1", attributes={"context": "here"}),
        ref("providers", "P1", attributes={"descr": "Me"}),
        ref("assets", "A2", attributes={"title": "Above"}),
    ]
    ab, _ = ab_with(reply({"data": asset, "included": included}))
    found = await ab.assets.get(ID, fields=["topics"], include=["topics"])
    aligned = found.alignments.data[0]
    assert isinstance(aligned.resource, Standard)
    assert (aligned.resource.level, aligned.meta) == (3, {"disposition": "accepted"})
    first, second = found.topics.data
    assert isinstance(first.resource, Topic)
    assert first.resource.descr == "Ratios"
    assert second.resource is None
    concept, owner, parent = found.concepts.single, found.owner.single, found.parent.single
    assert concept is not None
    assert isinstance(concept.resource, Concept)
    assert concept.resource.context == "here"
    assert owner is not None
    assert isinstance(owner.resource, Provider)
    assert parent is not None
    assert isinstance(parent.resource, Asset)
    assert parent.resource.title == "Above"
    assert found.deleted_alignments.data == []


@pytest.mark.parametrize(
    ("fields", "include", "sent"),
    [
        ((), ["parent"], "parent"),
        (["level"], ["parent", "peers"], "level,parent,peers"),
        (["parent", "level"], ["parent"], "parent,level"),
        (["peers.meta", "level"], ["peers"], "peers.meta,level"),
        (["*"], ["parent"], "*"),
        (["level"], [], "level"),
    ],
)
async def test_what_is_to_be_included_is_asked_for(
    fields: list[str], include: Any, sent: str
) -> None:
    """The service includes nothing of a relationship that is not among the fields."""
    row = ref("standards", ID)
    ab, transport = ab_with(
        reply({"data": row}), *[reply({"data": [row], "meta": {"count": 1}})] * 2
    )
    await ab.standards.get(ID, fields=fields, include=include)
    await ab.standards.list(fields=fields, include=include).collect()
    await ab.standards.get_many([ID], fields=fields, include=include)
    for path in transport.paths:
        asked = dict(parse_qsl(path.partition("?")[2]))
        assert asked["fields[standards]"] == sent
        assert asked.get("include", "") == ",".join(include)


async def test_objects_come_along_without_more_words(abconnect: ABConnect) -> None:
    """Over the simulator: `include` alone is enough, for one and for many."""
    some = await abconnect.standards.list(filter="level eq 2", include=["parent"]).take(3)
    one = await abconnect.standards.get(some[0].id or "", include=["parent", "topics"])
    for standard in [*some, one]:
        assert standard.parent.single is not None
        assert isinstance(standard.parent.single.resource, Standard)
    assert "level" not in one.fields_set
    events = await abconnect.events.list(include=["standard"]).take(200)
    aligned = await abconnect.assets.list(include=["alignments"]).take(40)
    for ref_ in [
        *(each for event in events for each in event.standard.data),
        *(each for asset in aligned for each in asset.alignments.data),
    ]:
        assert isinstance(ref_.resource, Standard | None)
    assert any(ref_.resource for asset in aligned for ref_ in asset.alignments.data)


async def test_an_unknown_kind_stays_as_it_came() -> None:
    """A raw object instead of an error."""
    row = ref("standards", ID, relationships=related(peers=[ref("widgets", "W")]))
    widget = ref("widgets", "W", attributes={"x": 1})
    ab, _ = ab_with(reply({"data": row, "included": [widget]}))
    found = await ab.standards.get(ID)
    raw: Any = found.peers.data[0].resource
    assert raw == widget


async def test_what_is_included_refers_by_id_alone() -> None:
    """Two that refer to each other make no circle."""
    one = ref("standards", ID, relationships=related(peers=[ref("standards", "B")]))
    other = ref("standards", "B", relationships=related(peers=[ref("standards", ID)]))
    ab, _ = ab_with(reply({"data": one, "included": [other, one]}))
    found = await ab.standards.get(ID)
    inner = found.peers.data[0].resource
    assert isinstance(inner, Standard)
    assert inner.peers.ids == [ID]
    assert inner.peers.data[0].resource is None


async def test_the_items_of_a_list_share_what_is_included() -> None:
    """Every reference to it has it."""
    parent = ref("standards", ID, attributes={"level": 1})
    rows = [
        ref("standards", str(n), relationships=related(parent=ref("standards", ID)))
        for n in range(3)
    ]
    ab, _ = ab_with(reply({"data": rows, "included": [parent], "meta": {"count": 3, "limit": 100}}))
    found = await ab.standards.list().collect()
    resources = [one.parent.data[0].resource for one in found]
    assert [getattr(one, "level", None) for one in resources] == [1, 1, 1]


@pytest.mark.parametrize("included", [None, [], {}, "x", [None, 5, {}]])
async def test_what_is_no_list_of_objects_is_passed_over(included: Any) -> None:
    """The references stay bare."""
    row = ref("standards", ID, relationships={"peers": {"data": [ref("standards", "B"), None]}})
    row["relationships"]["peers"]["data"].pop()
    row["relationships"]["topics"] = None
    ab, _ = ab_with(reply({"data": row, "included": included}))
    found = await ab.standards.get(ID)
    assert found.peers.data[0].resource is None
    assert found.topics.data == []


async def test_included_by_the_service() -> None:
    """Over the simulator: each embedded reference has its object."""
    async with abconnect_of(Simulator(knobs=Knobs(standards=800, events=0))) as ab:
        found = await ab.standards.list(
            filter="deepest eq 'Y'",
            fields=["parent", "topics", "concepts", "statement"],
            include=["parent", "topics", "concepts"],
        ).take(30)
    parents = [one.parent.single for one in found]
    objects = [None if one is None else one.resource for one in parents]
    assert all(isinstance(one, Standard) and one.statement.descr for one in objects)
    topics = [each for one in found for each in one.topics.data]
    concepts = [each for one in found for each in one.concepts.data]
    assert topics
    assert concepts
    assert all(isinstance(each.resource, Topic) for each in topics)
    assert all(isinstance(each.resource, Concept) for each in concepts)


async def test_a_relationship_that_was_cut(abconnect: ABConnect) -> None:
    """Of more than 25 the first ten are embedded; listing it gives all, each with its properties."""
    found = await abconnect.assets.list(fields=["alignments"]).collect()
    long = next(one for one in found if one.alignments.truncated)
    whole = await abconnect.assets.alignments(long.id or "", page_size=10).collect()
    assert len(long.alignments.ids) == 10
    assert len(whole) > 25
    assert [one.id for one in whole][:10] == long.alignments.ids
    assert all(one.meta["disposition"] for one in whole)
    assert all(len(one.alignments.ids) <= 25 for one in found if not one.alignments.truncated)


async def test_related_standards_are_all_given() -> None:
    """What is embedded of a standard is cut, what `related` lists is not."""
    ids = [f"P{number}" for number in range(40)]
    url = f"https://api.abconnect.instructure.com/rest/v4.1/standards/{ID}/peers"
    peers = {
        "data": [ref("standards", one) for one in ids[:10]],
        "links": {"related": url, "next": f"{url}?offset=10"},
    }

    def page(start: int, stop: int) -> Any:
        rows = [ref("standards", one, meta={"n": one}) for one in ids[start:stop]]
        links = {"next": f"{url}?limit=25&offset={stop}"} if stop < 40 else {}
        return reply({"data": rows, "links": links, "meta": {"count": 40, "limit": 25}})

    row = ref("standards", ID, relationships={"peers": peers})
    ab, transport = ab_with(reply({"data": row}), page(0, 25), page(25, 40))
    found = await ab.standards.get(ID, fields=["peers"])
    assert (found.peers.truncated, found.peers.ids) == (True, ids[:10])
    whole = await ab.standards.related(
        ID, "peers", filter="meta.n eq 'x'", sort=["meta.n"], page_size=25
    ).collect()
    assert [one.id for one in whole] == [one.meta["n"] for one in whole] == ids
    asked = dict(parse_qsl(transport.paths[2].partition("?")[2]))
    assert (asked["filter[peers]"], asked["sort[peers]"]) == ("meta.n eq 'x'", "meta.n")
    assert asked["offset"] == "25"


@pytest.mark.parametrize(
    "wrong", ["", "1", "x" * 36, f"{ID}\n", f"{{{ID}}}", ID.replace("-", ""), 7]
)
async def test_an_id_is_a_guid(wrong: Any) -> None:
    """Told before anything is sent, by every resource that has one."""
    ab, transport = ab_with()
    calls: list[Any] = [
        lambda: ab.standards.get(wrong),
        lambda: ab.standards.related(wrong, "peers").collect(),
        lambda: ab.topics.get(wrong),
        lambda: ab.concepts.get(wrong),
        lambda: ab.assets.get(wrong),
        lambda: ab.assets.alignments(wrong).collect(),
        lambda: ab.providers.get(wrong),
        lambda: ab.asset_definitions.get(wrong),
        lambda: ab.predictions.get(wrong),
        lambda: ab.predictions.create(wrong),
        lambda: ab.predictions.queue_status(wrong),
        lambda: ab.clarifier.get(wrong),
    ]
    for call in calls:
        with pytest.raises(InputError, match="GUID"):
            await call()
    assert transport.requests == []
