"""Reads from AB Connect: with a fake transport, in one process, and over TCP."""

from __future__ import annotations

import asyncio

import pytest

from aioinstructure import (
    BadRequest,
    Forbidden,
    NotFound,
    Unauthorized,
)
from aioinstructure.abconnect import F, Raw
from tests.contract.harness import Harness


async def test_standards_page_by_page(harness: Harness) -> None:
    """A sorted list is complete and in order, with a correct total."""
    async with harness.abconnect() as ab:
        pages = [
            page
            async for page in ab.standards.list(
                sort=["guid"], fields=["guid"], filter=F.level <= 2
            ).pages()
        ]
        guids = [item.guid for page in pages for item in page.items]
        assert guids == sorted(guids)  # type: ignore[type-var]
        assert len(set(guids)) == len(guids) == pages[0].total
        some = await ab.standards.list(sort=["guid"]).take(3)
        assert len(some) == 3


async def test_links_that_name_another_host(harness: Harness) -> None:
    """The list is complete, and each page comes from the client's origin."""
    harness.simulator.knobs.update(standards=250, public_origin="https://vendor.invalid")
    async with harness.abconnect() as ab:
        for sort in ([], ["guid"]):
            pages = [page async for page in ab.standards.list(sort=sort, fields=["guid"]).pages()]
            guids = {item.guid for page in pages for item in page.items}
            assert len(guids) == pages[0].total
            assert len(pages) > 2


async def test_one_standard_and_its_relationships(harness: Harness) -> None:
    """A wildcard gives all fields; each relationship has its own list."""
    async with harness.abconnect() as ab:
        parent = await ab.standards.list(filter=~F.children.isempty(), fields=["children"]).first()
        assert parent is not None
        assert parent.id is not None
        full = await ab.standards.get(parent.id, fields=["*"])
        assert full.statement.descr
        assert full.document.guid
        children = await ab.standards.related(parent.id, "children").collect()
        assert {child.id for child in children} >= set(parent.children.ids)
        assert (await ab.standards.get(parent.id.lower())).id == parent.id
        with pytest.raises(NotFound):
            await ab.standards.get("00000000-0000-0000-0000-000000000000")


async def test_events_in_order(harness: Harness) -> None:
    """All events after a number, which may have gaps."""
    async with harness.abconnect() as ab:
        events = await ab.events.since(0, page_size=13).collect()
        numbers = [event.seq for event in events]
        assert numbers == [event.seq for event in harness.simulator.world.events]
        assert all(event.change_type and event.date_utc for event in events)
        middle = numbers[40]
        assert middle is not None
        assert [one.seq async for one in ab.events.since(middle)] == numbers[41:]


async def test_related_objects_come_page_by_page(harness: Harness) -> None:
    """A relationship's list has each of its members once, and can be resumed."""
    async with harness.abconnect() as ab:
        rich = max(
            await ab.standards.list(fields=["peers"]).collect(), key=lambda one: len(one.peers.ids)
        )
        assert rich.id is not None
        assert len(rich.peers.ids) > 10
        assert not rich.peers.truncated
        before = len(harness.simulator.requests)
        pages = ab.standards.related(rich.id, "peers", fields=["statement.descr"], page_size=5)
        found = []
        async for peer in pages:
            assert peer.statement.descr
            found.append(peer.id)
            if len(found) == 7:
                break
        await pages.aclose()
        rest = [peer.id async for peer in ab.resume(pages.cursor)]
        assert sorted(map(str, found + rest)) == sorted(rich.peers.ids)
        paths = [seen.path for seen in harness.simulator.requests][before:]
        assert all(path.startswith(f"/rest/v4.1/standards/{rich.id}/peers?") for path in paths)
        assert all("limit=5" in path for path in paths)


async def test_many_standards_by_their_guids(harness: Harness) -> None:
    """100 per call, in the order requested, in any case; unknown GUIDs are in `missing`."""
    async with harness.abconnect() as ab:
        ids = [str(one.id) for one in await ab.standards.list(page_size=100).take(110)]
        unknown = "00000000-0000-4000-8000-000000000000"
        harness.simulator.world.retire_standard(ids[5])
        before = len(harness.simulator.requests)
        guids = [*ids[:50], unknown, *(one.lower() for one in ids[50:]), ids[0].lower()]
        many = await ab.standards.get_many(guids, fields=["status"])
        assert len(harness.simulator.requests) - before == 2
        assert [one.id for one in many] == [*ids, ids[0]]
        assert many.missing == [unknown]
        assert many.items[5].status == "deleted"
        assert len(await ab.standards.get_many([])) == 0


async def test_facets_and_lists_agree(harness: Harness) -> None:
    """A facet's count is the length of the list with its filter; facets are not a page of items."""
    async with harness.abconnect() as ab:
        deep = F.level >= 2
        found = await ab.standards.facets("education_levels.grades", filter=deep, summary=["*"])
        grades = found["education_levels.grades"]
        top = grades.details[0]
        assert grades.count == len(grades.details) > 1
        both = deep & (F.education_levels.grades.guid == top.data["guid"])
        listed = await ab.standards.list(filter=both).collect()
        assert len(listed) == top.count
        assert found.count == (await ab.standards.list(filter=deep, page_size=1)).total
        assert found["section"].count
        assert found["section"].details == []
        with pytest.raises(KeyError):
            found["no.such.facet"]
        with pytest.raises(BadRequest):
            await ab.standards.facets(filter="level eq")


async def test_topics_and_concepts(harness: Harness) -> None:
    """Complete in the order of their GUIDs, related both ways, Forbidden without a licence."""
    async with harness.abconnect() as ab:
        topics = await ab.topics.list(fields=["level", "standards"], page_size=100).collect()
        concepts = await ab.concepts.list(fields=["descr"], page_size=100).collect()
        for found in (topics, concepts):
            ids = [str(one.id) for one in found]
            assert len(ids) > 100
            assert ids == sorted(set(ids))
        topic = next(one for one in topics if one.standards.ids)
        assert topic.id is not None
        ids = [str(one.id) async for one in ab.topics.standards(topic.id, page_size=2)]
        back = await ab.standards.get_many(ids, fields=["topics"])
        assert back.missing == []
        assert all(topic.id in one.topics.ids for one in back)
        (above,) = await ab.topics.related(topic.id, "parent", fields=["level"]).collect()
        assert above.level == 1
        facet = (await ab.topics.facets("document"))["document"]
        assert sum(one.count or 0 for one in facet.details) == len(topics)
        harness.simulator.knobs.update(unlicensed_features=["topics", "concepts"])
        for refused in (ab.topics.list(), ab.concepts.list()):
            with pytest.raises(Forbidden, match="not licensed"):
                await refused.first()


async def test_refused_signatures(harness: Harness) -> None:
    """A wrong key or account: Unauthorized after a second attempt with a new signature."""
    for wrong in ({"partner_key": "wrong"}, {"partner_id": "nobody"}):
        async with harness.abconnect(**wrong) as ab:
            with pytest.raises(Unauthorized, match="Signature is not authorized"):
                await ab.standards.list().first()
    assert len(harness.simulator.requests) == 4
    async with harness.abconnect(user_id="somebody") as ab:
        await ab.standards.list().first()


async def test_refused_requests(harness: Harness) -> None:
    """Invalid filters and fields, and relationships that are not licensed."""
    harness.simulator.knobs.update(unlicensed_relations=["peers"])
    async with harness.abconnect() as ab:
        standard = await ab.standards.list().first()
        assert standard is not None
        assert standard.id is not None
        with pytest.raises(BadRequest):
            await ab.standards.list(filter="level le").first()
        with pytest.raises(BadRequest, match="no_such_property"):
            await ab.standards.list(fields=[Raw("no_such_property")]).first()
        with pytest.raises(Forbidden, match="peers"):
            await ab.standards.related(standard.id, "peers").first()


async def test_many_calls_at_once_are_never_refused(harness: Harness) -> None:
    """Calls with and without wildcards stay within both limits."""
    count = 120
    if not harness.virtual:
        harness.simulator.knobs.update(rate=500.0, wildcard_rate=200.0)
    async with harness.abconnect() as ab:
        if not harness.virtual:
            ab.quota.set_rate(400.0, burst=20)
        standards = await ab.standards.list(page_size=100).take(count)
        calls = [  # each for another standard: identical concurrent reads are one request
            ab.standards.get(str(standard.id), fields=["*"] if n % 30 == 0 else ["number"])
            for n, standard in enumerate(standards)
        ]
        await asyncio.gather(*calls)
        shot = ab.quota.snapshot()
    assert harness.simulator.stats()["abconnect"] == {
        "served": count + 2,
        "refused": 0,
        "unsimulated": 0,
    }
    assert (shot.throttles, shot.in_flight) == (0, 0)


async def test_an_empty_bucket_at_the_start_is_tolerated(harness: Harness) -> None:
    """The server's bucket is empty and the client cannot know that: no call fails."""
    harness.simulator.knobs.update(burst_at_start=0.0, rate=5.0 if harness.virtual else 50.0)
    async with harness.abconnect() as ab:
        if not harness.virtual:
            ab.quota.set_rate(40.0, burst=10)
        await asyncio.gather(*(ab.standards.list().first() for _ in range(12)))
    assert harness.simulator.stats()["abconnect"]["refused"] > 0
