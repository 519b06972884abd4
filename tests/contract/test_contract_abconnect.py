"""What AB Connect and the client agree on when it is read: faked, in one process, over TCP."""

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
from tests.contract.harness import House


async def test_standards_page_by_page(house: House) -> None:
    """A sorted list comes whole and in order, with a total that adds up."""
    async with house.abconnect() as ab:
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


async def test_one_standard_and_what_is_related(house: House) -> None:
    """All fields with a wildcard; relationships by their own lists."""
    async with house.abconnect() as ab:
        parent = await ab.standards.list(filter=~F.children.isempty(), fields=["children"]).first()
        assert parent is not None
        assert parent.id is not None
        whole = await ab.standards.get(parent.id, fields=["*"])
        assert whole.statement.descr
        assert whole.document.guid
        children = await ab.standards.related(parent.id, "children").collect()
        assert {child.id for child in children} >= set(parent.children.ids)
        assert (await ab.standards.get(parent.id.lower())).id == parent.id
        with pytest.raises(NotFound):
            await ab.standards.get("00000000-0000-0000-0000-000000000000")


async def test_events_in_order(house: House) -> None:
    """From a number on, with gaps, to the end."""
    async with house.abconnect() as ab:
        events = await ab.events.since(0, page_size=13).collect()
        numbers = [event.seq for event in events]
        assert numbers == [event.seq for event in house.simulator.world.events]
        assert all(event.change_type and event.date_utc for event in events)
        middle = numbers[40]
        assert middle is not None
        assert [one.seq async for one in ab.events.since(middle)] == numbers[41:]


async def test_what_is_related_comes_page_by_page(house: House) -> None:
    """A relationship's own list has each of its members once, and can be gone on with."""
    async with house.abconnect() as ab:
        rich = max(
            await ab.standards.list(fields=["peers"]).collect(), key=lambda one: len(one.peers.ids)
        )
        assert rich.id is not None
        assert len(rich.peers.ids) > 10
        assert not rich.peers.truncated
        before = len(house.simulator.requests)
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
        asked = [seen.path for seen in house.simulator.requests][before:]
        assert all(path.startswith(f"/rest/v4.1/standards/{rich.id}/peers?") for path in asked)
        assert all("limit=5" in path for path in asked)


async def test_many_standards_by_their_guids(house: House) -> None:
    """A hundred a call in the order asked, whatever the case; what is not there is missing."""
    async with house.abconnect() as ab:
        ids = [str(one.id) for one in await ab.standards.list(page_size=100).take(110)]
        unknown = "00000000-0000-4000-8000-000000000000"
        house.simulator.world.retire_standard(ids[5])
        before = len(house.simulator.requests)
        asked = [*ids[:50], unknown, *(one.lower() for one in ids[50:]), ids[0].lower()]
        many = await ab.standards.get_many(asked, fields=["status"])
        assert len(house.simulator.requests) - before == 2
        assert [one.id for one in many] == [*ids, ids[0]]
        assert many.missing == [unknown]
        assert many.items[5].status == "deleted"
        assert len(await ab.standards.get_many([])) == 0


async def test_facets_and_lists_agree(house: House) -> None:
    """A facet's number is that of the list with its filter; the facets are no page of items."""
    async with house.abconnect() as ab:
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


async def test_topics_and_concepts(house: House) -> None:
    """Listed whole in the order of their GUIDs, related both ways, Forbidden without a licence."""
    async with house.abconnect() as ab:
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
        house.simulator.knobs.update(unlicensed_features=["topics", "concepts"])
        for refused in (ab.topics.list(), ab.concepts.list()):
            with pytest.raises(Forbidden, match="not licensed"):
                await refused.first()


async def test_signatures_that_are_refused(house: House) -> None:
    """A wrong key or account: Unauthorized after a second try with a new signature."""
    for wrong in ({"partner_key": "wrong"}, {"partner_id": "nobody"}):
        async with house.abconnect(**wrong) as ab:
            with pytest.raises(Unauthorized, match="Signature is not authorized"):
                await ab.standards.list().first()
    assert len(house.simulator.requests) == 4
    async with house.abconnect(user_id="somebody") as ab:
        await ab.standards.list().first()


async def test_what_the_service_refuses(house: House) -> None:
    """Filters, fields and relationships that are none, and what is not licensed."""
    house.simulator.knobs.update(unlicensed_relations=["peers"])
    async with house.abconnect() as ab:
        standard = await ab.standards.list().first()
        assert standard is not None
        assert standard.id is not None
        with pytest.raises(BadRequest):
            await ab.standards.list(filter="level le").first()
        with pytest.raises(BadRequest, match="no_such_property"):
            await ab.standards.list(fields=[Raw("no_such_property")]).first()
        with pytest.raises(Forbidden, match="peers"):
            await ab.standards.related(standard.id, "peers").first()


async def test_a_crowd_is_never_refused(house: House) -> None:
    """Many calls at once, wildcards among them, and the server has no reason to say no."""
    count = 120
    if not house.virtual:
        house.simulator.knobs.update(rate=500.0, wildcard_rate=200.0)
    async with house.abconnect() as ab:
        if not house.virtual:
            ab.quota.set_rate(400.0, burst=20)
        standards = await ab.standards.list(page_size=100).take(count)
        calls = [  # each of another standard: the same twice at once would be one request
            ab.standards.get(str(standard.id), fields=["*"] if n % 30 == 0 else ["number"])
            for n, standard in enumerate(standards)
        ]
        await asyncio.gather(*calls)
        shot = ab.quota.snapshot()
    assert house.simulator.stats()["abconnect"] == {"served": count + 2, "refused": 0}
    assert (shot.throttles, shot.in_flight) == (0, 0)


async def test_an_empty_bucket_after_a_restart_is_survived(house: House) -> None:
    """The server's bucket is empty and the client cannot know: no call fails."""
    house.simulator.knobs.update(burst_at_start=0.0, rate=5.0 if house.virtual else 50.0)
    async with house.abconnect() as ab:
        if not house.virtual:
            ab.quota.set_rate(40.0, burst=10)
        await asyncio.gather(*(ab.standards.list().first() for _ in range(12)))
    assert house.simulator.stats()["abconnect"]["refused"] > 0
