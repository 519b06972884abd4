"""The programs of the AB Connect guide: each result has its exact type. Never run."""

# mypy: disallow-any-expr

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import assert_type

from aioinstructure import ABConnect, Cursor, Forbidden, NotFound, Paginator, ResultPage
from aioinstructure.abconnect import F, Filter, FilterLike, Path, Raw, isempty, parse_filter
from aioinstructure.abconnect.asset_definitions import AssetDefinition
from aioinstructure.abconnect.assets import Asset, AssetsAPI
from aioinstructure.abconnect.batching import Batcher, BatchResult
from aioinstructure.abconnect.clarifier import Clarification
from aioinstructure.abconnect.concepts import Concept
from aioinstructure.abconnect.events import Event, Follow
from aioinstructure.abconnect.json_api.facets import Facet, FacetDetail, FacetSummary
from aioinstructure.abconnect.json_api.resources import Relationship, ResourceRef
from aioinstructure.abconnect.predictions import Prediction, QueueStatus
from aioinstructure.abconnect.providers import Provider
from aioinstructure.abconnect.shared_models import Collection, Document, Labelled, Section
from aioinstructure.abconnect.standards import Standard, StandardsAPI
from aioinstructure.abconnect.topics import Topic
from aioinstructure.abconnect.traversal.documents import (
    Branch,
    DocumentTree,
    authorities,
    documents,
    publications,
    sections,
)
from aioinstructure.abconnect.traversal.relations import (
    Candidate,
    Crosswalk,
    Match,
    Replacements,
    Successor,
)


async def search(ab: ABConnect) -> None:
    math5 = (F.disciplines.subjects.code == "MATH") & (F.education_levels.grades.code == "5")
    assert_type(math5, Filter)
    listed = ab.standards.list(filter=math5, fields=["number", "statement"], sort=["guid"])
    assert_type(listed, Paginator[Standard])
    async for standard in listed:
        assert_type(standard, Standard)
        assert_type(standard.id, str | None)
        assert_type(standard.number.enhanced, str | None)
        assert_type(standard.statement.descr, str | None)
        assert_type(standard.date_modified_utc, datetime | None)
        assert_type(standard.section, Section)
        assert_type(standard.document, Document)
        assert_type(standard.disciplines.subjects, list[Labelled])
        assert_type(standard.fields_set, frozenset[str])
    best = ab.standards.list(filter=math5 & F.query("place value"), fields=["statement"])
    assert_type(await best.take(5), list[Standard])
    assert_type(await best.first(), Standard | None)
    assert_type(await best, ResultPage[Standard])
    assert_type(best.cursor, Cursor[Standard])
    assert_type(ab.resume(best.cursor), Paginator[Standard])

    summary = await ab.standards.facets("disciplines.subjects", F.document, filter=math5)
    assert_type(summary, FacetSummary)
    assert_type(summary["disciplines.subjects"], Facet)
    assert_type(summary["disciplines.subjects"].details, list[FacetDetail])


def filters(moment: datetime) -> None:
    assert_type(F, Path)
    assert_type(F.document.guid, Path)
    assert_type(F["custom_attributes"]["color"], Path)
    assert_type(F.document.guid == "...", Filter)
    assert_type(F.level != 2, Filter)
    assert_type(F.level <= 2, Filter)
    assert_type(F.date_modified_utc > moment, Filter)
    assert_type(F.date_modified_utc >= datetime.now(UTC), Filter)
    assert_type(F.status.in_("active", "deleted"), Filter)
    assert_type((F.level == 1) & ~F.peers.isempty(), Filter)
    assert_type((F.level == 1) | F.query("fractions"), Filter)
    assert_type(F.owner.id == Raw("_all"), Filter)
    assert_type(-F.seq, str)
    assert_type(isempty("peers"), Filter)
    assert_type(isempty(F.peers), Filter)
    assert_type(parse_filter("level eq 1"), Filter)
    assert_type(either(F.level == 1), FilterLike)
    assert_type(either("level eq 1"), FilterLike)


def either(where: FilterLike) -> FilterLike:
    return where


async def reading(ab: ABConnect) -> None:
    assert_type(ab.standards, StandardsAPI)
    page = await ab.standards.list(page_size=50)
    guids = [standard.id for standard in page.items if standard.id is not None]
    one = await ab.standards.get(guids[0], fields=["statement", "parent", F.section.descr])
    assert_type(one, Standard)
    assert_type(one.parent.ids, list[str])
    many = await ab.standards.get_many(guids, fields=["statement"])
    assert_type(many, BatchResult[Standard])
    assert_type(many.items, list[Standard])
    assert_type(list(many), list[Standard])
    assert_type(many.missing, list[str])
    get = ab.standards.batcher(fields=["statement"])
    assert_type(get, Batcher[Standard])
    assert_type(await get(guids[0]), Standard | None)
    try:
        await ab.standards.get("00000000-0000-1000-8000-000000000000")
    except (NotFound, Forbidden) as error:
        assert_type(error.errors, list[str])


async def relationships(ab: ABConnect, standard: Standard, asset: Asset, event: Event) -> None:
    assert_type(standard.topics, Relationship[Topic])
    assert_type(standard.concepts, Relationship[Concept])
    assert_type(standard.children, Relationship[Standard])
    assert_type(standard.children.data, list[ResourceRef[Standard]])
    assert_type(standard.children.truncated, bool)
    assert_type(standard.children.single, ResourceRef[Standard] | None)
    if standard.children.single is not None:
        assert_type(standard.children.single.resource, Standard | None)
        assert_type(standard.children.single.id, str | None)
    for parent in standard.parent.data:
        if parent.resource is not None:
            assert_type(parent.resource.statement.descr, str | None)
    assert_type(asset.alignments, Relationship[Standard])
    assert_type(asset.topics, Relationship[Topic])
    assert_type(asset.owner, Relationship[Provider])
    assert_type(asset.parent, Relationship[Asset])
    assert_type(event.standard, Relationship[Standard])
    assert_type(event.standard.ids, list[str])
    assert_type(ab.standards.related("...", "peers", fields=["statement"]), Paginator[Standard])
    assert_type(ab.standards.topics("..."), Paginator[Topic])
    assert_type(ab.standards.concepts("..."), Paginator[Concept])
    assert_type(ab.topics.related("...", "children"), Paginator[Topic])
    assert_type(ab.topics.standards("..."), Paginator[Standard])


async def other_resources(ab: ABConnect) -> None:
    assert_type(await ab.topics.get("..."), Topic)
    assert_type(ab.concepts.list(), Paginator[Concept])
    assert_type(await ab.concepts.get("..."), Concept)
    assert_type(ab.providers.list(filter="id eq _me"), Paginator[Provider])
    assert_type(ab.asset_definitions.list(), Paginator[AssetDefinition])
    assert_type(await ab.clarifier.get("..."), Clarification)
    clarification = await ab.clarifier.get("...")
    assert_type(clarification.clarification_concepts, Relationship[Concept])
    assert_type(ab.standard_collections.list(), Paginator[Collection])
    assert_type(await ab.asset_collections.create(name="Algebra"), Collection)


async def browse(ab: ABConnect) -> None:
    authority = (await authorities(ab))[0]
    assert_type(authority, Branch)
    assert_type(await publications(ab, authority.guid), list[Branch])
    assert_type(await documents(ab, "..."), list[Branch])
    assert_type(await sections(ab, "..."), list[Branch])
    tree = DocumentTree(ab, "...", fields=["number", "statement"])
    async for depth, standard in tree:
        assert_type(depth, int)
        assert_type(standard, Standard)
        assert_type(tree.cursor, str)


async def align(ab: ABConnect) -> None:
    assert_type(ab.assets, AssetsAPI)
    lesson = await ab.assets.create(
        asset_type="Lesson", client_id="1", title=None, grades=[{"code": "5"}]
    )
    assert_type(lesson, Asset)
    assert lesson.id is not None
    await ab.assets.add_alignments(lesson.id, accepted=["..."], tags=["Best One"])
    assert_type(ab.assets.alignments(lesson.id), Paginator[Standard])
    assert_type(ab.assets.list(filter=F.title == "x"), Paginator[Asset])
    prediction = await ab.predictions.run(lesson.id, timeout=60)
    assert_type(prediction, Prediction)
    assert_type(prediction.standards, Relationship[Standard])
    assert_type(ab.predictions.standards("..."), Paginator[Standard])
    status = await ab.predictions.create(lesson.id, focus=[{"type": "topics", "id": "..."}])
    assert_type(status, QueueStatus)
    assert_type(status.predictions_id, str | None)
    await ab.predictions.commit("...")


async def events(ab: ABConnect) -> None:
    newest = await ab.events.list(sort=["-seq"]).first()
    assert_type(newest, Event | None)
    assert_type(ab.events.since(5), Paginator[Event])
    feed = ab.events.follow(after=5, poll=60.0)
    assert_type(feed, Follow)
    assert_type(aiter(feed), AsyncIterator[Event])
    assert_type(feed.seq, int)
    async for event in feed:
        assert_type(event, Event)
        assert_type(event.seq, int | None)


async def mapping(ab: ABConnect) -> None:
    async for old, successors in Replacements(ab, ["..."]):
        assert_type(old, str)
        assert_type(successors, list[Successor])
    async for match in Crosswalk(ab, "...", "...", links=["peers"]):
        assert_type(match, Match)
        assert_type(match.standard, Standard)
        assert_type(match.candidates, list[Candidate])


async def clients() -> None:
    async with ABConnect(partner_id="...", partner_key="...") as ab:
        assert_type(ab, ABConnect)
        assert_type(ab.with_options(lane="bulk"), ABConnect)
        assert_type(ab.with_options(deadline=2.0).standards, StandardsAPI)
        ab.quota.set_rate(10.0, burst=50)
    assert_type(ABConnect.from_env(user_id="u", deadline=5.0), ABConnect)
