"""Writes to AB Connect: with a fake transport, in one process, and over TCP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aioinstructure import (
    ABConnect,
    BadRequest,
    Conflict,
    NotFound,
    ProgressFailed,
    Unprocessable,
)
from aioinstructure.abconnect import F
from tests.contract.harness import Harness

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def lesson(ab: ABConnect, client_id: str = "lesson-17") -> str:
    """Create an asset of sixth grade mathematics and return its id."""
    made = await ab.assets.create(
        client_id=client_id,
        asset_type="Lesson",
        title="Ratios",
        grades=[{"code": "6"}],
        subjects=[{"code": "MATH"}],
        custom_attributes={"Reading Level": ["easy", 3]},
    )
    assert made.id is not None
    return made.id


async def test_the_life_of_an_asset(harness: Harness) -> None:
    """Created once per client id, found by its properties, partly updated, deleted."""
    async with harness.abconnect() as ab:
        asset = await lesson(ab)
        with pytest.raises(Conflict, match="client_id") as caught:
            await lesson(ab)
        assert caught.value.status == 409
        with pytest.raises(Unprocessable, match="asset types"):
            await ab.assets.create(client_id="other", asset_type="Nothing")
        easy = F.custom_attributes["Reading Level"] == "easy"
        (found,) = await ab.assets.list(filter=easy, fields=["title", "client_id"]).collect()
        assert (found.id, found.title, found.client_id) == (asset, "Ratios", "lesson-17")
        await ab.assets.update(asset, title="Rates 💡 'n' more", grades=[{"code": "7"}])
        full = await ab.assets.get(asset.lower(), fields=["*"])
        assert full.title == "Rates 💡 'n' more"
        assert [grade.code for grade in full.education_levels.grades] == ["7"]
        assert [subject.code for subject in full.disciplines.subjects] == ["MATH"]
        assert full.custom_attributes == {"reading_level": ["easy", 3]}
        (same,) = await ab.assets.list(filter=F.title == "Rates 💡 'n' more").collect()
        assert same.id == asset
        await ab.assets.delete(asset)
        for gone in (ab.assets.get(asset), ab.assets.update(asset, title="x")):
            with pytest.raises(NotFound):
                await gone
        writes = [seen.method for seen in harness.simulator.requests if seen.method != "GET"]
        assert writes == ["POST", "POST", "POST", "PATCH", "DELETE", "PATCH"]


async def test_alignments(harness: Harness) -> None:
    """Added with properties, listed page by page, filtered, replaced, listed after deletion."""
    async with harness.abconnect() as ab:
        asset = await lesson(ab)
        good = [str(one.id) for one in await ab.standards.list().take(8)]
        bad = good.pop()
        await ab.assets.add_alignments(asset, accepted=good, rejected=[bad], tags=["Excellent"])
        listed = await ab.assets.alignments(
            asset, fields=["statement.descr"], page_size=3
        ).collect()
        assert {one.id for one in listed} == {*good, bad}
        assert all(one.statement.descr for one in listed)
        tags = {one.id: one.meta.get("tags") for one in listed}
        assert tags == {**{guid: ["Excellent"] for guid in good}, bad: None}
        with pytest.raises(BadRequest, match=UNKNOWN):  # a body is applied completely or not at all
            await ab.assets.add_alignments(asset, accepted=[bad, UNKNOWN])
        rejected = F["meta.disposition"] == "rejected"
        (still,) = await ab.assets.alignments(asset, filter=rejected).collect()
        assert still.id == bad
        await ab.assets.replace_alignments(asset, accepted=good[:2])
        await ab.assets.remove_alignments(asset, ids=[good[0].lower()])
        assert [one.id async for one in ab.assets.alignments(asset)] == [good[1]]
        gone = await ab.assets.deleted_alignments(asset, page_size=2).collect()
        assert {one.id for one in gone} == {good[0], *good[2:], bad}
        assert all(one.meta["date_deleted_utc"] for one in gone)
        shown = await ab.assets.get(asset, fields=["alignments"], include=["alignments"])
        assert shown.alignments.ids == [good[1]]
        assert shown.alignments.data[0].resource is not None


@pytest.mark.parametrize("kind", ["standard_collections", "asset_collections"])
async def test_the_life_of_a_collection(harness: Harness, kind: str) -> None:
    """Created once per name, found by a part of the name, updated, deleted."""
    async with harness.abconnect() as ab:
        collections: Any = getattr(ab, kind)
        for number in range(7):
            await collections.create(name=f"Number {number}", filters={"root": {"n": number}})
        with pytest.raises(Conflict, match="taken"):
            await collections.create(name="Number 3")
        listed = [one.guid async for one in collections.list(page_size=3)]
        assert listed == sorted(set(listed))
        assert len(listed) == 7
        (three,) = await collections.list(search_collection_name="BER 3").collect()
        assert three.filters == {"root": {"n": 3}}
        changed = await collections.update(three.guid, name="Three", advanced_search={"q": [3]})
        assert (changed.name, changed.advanced_search) == ("Three", {"q": [3]})
        assert changed.filters == three.filters
        assert (await collections.get(three.guid, fields=["name"])).fields_set == {"name"}
        with pytest.raises(Unprocessable, match="taken"):
            await collections.update(three.guid, name="Number 1")
        await collections.delete(three.guid)
        with pytest.raises(NotFound):
            await collections.get(three.guid)


async def test_a_prediction_is_queued_read_and_stored(harness: Harness) -> None:
    """Pending, then complete under another id; nothing is stored before the commit."""
    harness.simulator.knobs.update(prediction_seconds=0.05, prediction_inline_seconds=0.0)
    async with harness.abconnect() as ab:
        asset = await lesson(ab)
        queued = await ab.predictions.create(asset)
        assert queued.id is not None
        assert queued.code == "pending"
        if not harness.holds:
            await asyncio.sleep(1)
        done = await ab.predictions.queue_status(queued.id, max_wait=1)
        assert done.code == "complete"
        assert done.predictions_id is not None
        found = await ab.predictions.get(done.predictions_id)
        assert len({found.id, queued.id, asset}) == 3
        assert found.asset.ids == [asset]
        listed = await ab.predictions.standards(
            done.predictions_id, fields=["statement.descr"], page_size=4
        ).collect()
        assert listed
        assert all(one.statement.descr and one.meta["score"] for one in listed)
        assert await ab.assets.alignments(asset).collect() == []
        await ab.predictions.commit(done.predictions_id)
        stored = await ab.assets.alignments(asset, page_size=100).collect()
        assert {one.id for one in stored} == {one.id for one in listed}
        assert {one.meta["disposition"] for one in stored} == {"predicted"}
        with pytest.raises(Unprocessable, match=UNKNOWN):
            await ab.predictions.create(UNKNOWN)
        with pytest.raises(NotFound):
            await ab.predictions.commit(UNKNOWN)


async def test_a_prediction_in_one_call(harness: Harness) -> None:
    """Two requests if it is ready at once; after the timeout, the error has the last status."""
    async with harness.abconnect() as ab:
        asset = await lesson(ab)
        before = len(harness.simulator.requests)
        found = await ab.predictions.run(asset, timeout=30)
        sent = [(seen.method, seen.path) for seen in harness.simulator.requests][before:]
        assert [method for method, _ in sent] == ["POST", "GET"]
        assert sent[1][1].startswith(f"/rest/v4.1/predictions/{found.id}?")
        assert found.standards.ids
        harness.simulator.knobs.update(prediction_seconds=500.0, prediction_inline_seconds=0.0)
        with pytest.raises(ProgressFailed, match="pending") as caught:
            await ab.predictions.run(asset, timeout=0.9)
        assert (await ab.predictions.queue_status(caught.value.progress.id)).code == "pending"
