"""Read-only resources: topics, concepts, providers, asset definitions."""

from __future__ import annotations

from typing import Any

import pytest

from aioinstructure import (
    ABConnect,
    Forbidden,
    InputError,
    NotFound,
)
from aioinstructure.abconnect import F
from aioinstructure.simulator import Simulator

UNKNOWN = "CCCCCCCC-0000-4000-8000-000000000000"


async def test_topics(abconnect: ABConnect) -> None:
    """Branches lead to topics, topics lead back to branches and to standards."""
    branches = await abconnect.topics.list(
        filter=F.level == 1, fields=["*"], sort=["descr"]
    ).collect()
    branch = branches[0]
    names = [one.descr or "" for one in branches]
    assert names == sorted(names)
    assert (branch.level, branch.status, branch.parent.single) == (1, "active", None)
    assert branch.document.descr
    assert branch.section.descr
    assert branch.date_modified_utc is not None
    below = await abconnect.topics.related(
        branch.id or "", "children", fields=["level", "descr"]
    ).collect()
    assert {one.id for one in below} >= set(branch.children.ids)
    assert {one.level for one in below} == {2}
    (back,) = await abconnect.topics.related(below[0].id or "", "parent").collect()
    assert back.id == branch.id
    topic = await abconnect.topics.get(
        below[0].id or "", fields=["standards", "parent"], include=["parent"]
    )
    assert topic.parent.ids == [branch.id]
    standards = await abconnect.topics.standards(topic.id or "", fields=["statement"]).collect()
    assert len({one.id for one in standards}) == len(standards) >= len(topic.standards.ids)
    with pytest.raises(NotFound):
        await abconnect.topics.get(UNKNOWN)
    wrong: Any = "peers"
    with pytest.raises(InputError, match="relationship"):
        await abconnect.topics.related(topic.id or "", wrong)


async def test_topics_of_a_standard_lead_back_to_it(abconnect: ABConnect) -> None:
    """Both ends of the relationship agree, also for concepts."""
    found = await abconnect.standards.list(fields=["topics", "concepts"]).take(300)
    standard = next(one for one in found if one.topics.ids and one.concepts.ids)
    topics = await abconnect.standards.topics(standard.id or "", fields=["descr"]).collect()
    assert [one.id for one in topics] == standard.topics.ids
    standards = await abconnect.topics.standards(topics[0].id or "").collect()
    assert standard.id in {one.id for one in standards}
    concepts = await abconnect.standards.concepts(
        standard.id or "", fields=["descr", "context"]
    ).collect()
    assert [one.id for one in concepts] == standard.concepts.ids
    first = concepts[0]
    only = await abconnect.standards.concepts(
        standard.id or "", filter=F.descr == (first.descr or "")
    ).collect()
    assert first.id in {one.id for one in only}


async def test_concepts(abconnect: ABConnect) -> None:
    """List all in GUID order, find by name, read by id."""
    every = await abconnect.concepts.list(fields=["descr", "context"], page_size=20).collect()
    ids = [(one.id or "") for one in every]
    assert len(ids) == len(set(ids)) > 20
    one = await abconnect.concepts.get(every[0].id or "", fields=["*"])
    assert (one.descr, one.context) == (every[0].descr, every[0].context)
    named = await abconnect.concepts.list(filter=F.descr == (one.descr or "")).collect()
    assert one.id in {each.id for each in named}
    with pytest.raises(NotFound):
        await abconnect.concepts.get(UNKNOWN)


async def test_unlicensed_features(abconnect: ABConnect, simulator: Simulator) -> None:
    """Forbidden, for the resource and for relationships to it."""
    standard = await abconnect.standards.list().first()
    assert standard is not None
    simulator.knobs.update(unlicensed_features=("topics", "concepts"))
    with pytest.raises(Forbidden):
        await abconnect.topics.list().collect()
    with pytest.raises(Forbidden):
        await abconnect.concepts.list().collect()
    with pytest.raises(Forbidden):
        await abconnect.standards.topics(standard.id or "").collect()


async def test_providers(abconnect: ABConnect) -> None:
    """Your own provider is listed, and it alone shows owners and consumers."""
    every = await abconnect.providers.list(fields=["*"]).collect()
    (me,) = await abconnect.providers.list(
        filter="id eq _me", fields=["descr", "owners", "consumers"], include=["owners"]
    ).collect()
    assert me.id in {one.id for one in every}
    assert me.descr
    assert me.owners.ids
    assert me.consumers.ids
    first = me.owners.single
    assert first is not None
    assert getattr(first.resource, "id", None) == first.id
    other = await abconnect.providers.get(me.owners.ids[0], fields=["*"])
    assert other.owners.data == []
    assert set(other.taxonomies) <= {"concepts", "topics"}
    assert len(await abconnect.providers.list(filter="id eq _all").collect()) == len(every)
    with pytest.raises(NotFound):
        await abconnect.providers.get(UNKNOWN)


async def test_asset_definitions(abconnect: ABConnect) -> None:
    """Their facets can be requested, and the values of these used in filters."""
    every = await abconnect.asset_definitions.list(fields=["*"]).collect()
    assert {one.asset_type for one in every} >= {"Lesson", "Video"}
    one = await abconnect.asset_definitions.get(every[0].id or "", fields=["*"])
    assert [each.seq for each in one.properties] == sorted(each.seq or 0 for each in one.properties)
    for prop in one.properties:
        assert prop.field is not None
        assert prop.facet is not None
        assert prop.label
        if prop.field.name not in ("topics", "disciplines.subjects"):
            continue
        found = await abconnect.assets.facets(prop.field.name)
        top = found[prop.field.name].details[0]
        assert prop.facet.id == "data.guid"
        text = f"{prop.field.id} eq '{top.data['guid']}'"
        assert (await abconnect.assets.list(filter=text, page_size=1)).total == top.count
    with pytest.raises(NotFound):
        await abconnect.asset_definitions.get(UNKNOWN)
