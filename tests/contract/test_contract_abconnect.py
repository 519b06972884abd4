"""What AB Connect and the client agree on, in one process and over TCP."""

from __future__ import annotations

import asyncio

import pytest

from aioinstructure import BadRequest, Forbidden, NotFound, Unauthorized
from aioinstructure.abconnect import F, Raw
from tests.contract.house import House


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
    house.simulator.knobs.turn(unlicensed_relations=["peers"])
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
        house.simulator.knobs.turn(rate=500.0, wildcard_rate=200.0)
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
    house.simulator.knobs.turn(burst_at_start=0.0, rate=5.0 if house.virtual else 50.0)
    async with house.abconnect() as ab:
        if not house.virtual:
            ab.quota.set_rate(40.0, burst=10)
        await asyncio.gather(*(ab.standards.list().first() for _ in range(12)))
    assert house.simulator.stats()["abconnect"]["refused"] > 0
