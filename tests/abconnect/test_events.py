"""The event feed: all documented fields, in order of sequence number, none missed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import ABConnect, InputError, Request
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, abconnect_of, reply

BASE = "https://api.abconnect.instructure.com/rest/v4.1/events"


def event(seq: int, **attributes: Any) -> dict[str, Any]:
    return {"type": "events", "id": f"E{seq}", "attributes": {"seq": seq, **attributes}}


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


def query(path: str) -> dict[str, str]:
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


async def test_an_event() -> None:
    """It has its properties and one relationship."""
    row = event(
        7,
        change_type="updated statement",
        target="standard",
        date_utc="2026-01-02 03:04:05",
        affected_properties=[{"name": "statement", "previous_value": None, "new_value": [1]}],
    )
    row["relationships"] = {"standard": {"data": {"type": "standards", "id": "S"}}}
    ab, transport = ab_with(reply({"data": [row]}))
    (found,) = await ab.events.list().collect()
    assert (found.seq, found.change_type, found.target) == (7, "updated statement", "standard")
    assert found.date_utc == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.affected_properties[0].new_value == [1]
    assert found.standard.ids == ["S"]
    assert found.deleted_standard.single is None
    asked = query(transport.paths[0])
    assert asked["sort[events]"] == "seq"
    assert asked["fields[events]"].split(",")[:3] == ["guid", "seq", "date_utc"]


async def test_since_requests_the_events_after_a_number() -> None:
    """Each page starts after the last number of the previous one, at offset 0."""

    def answer(request: Request) -> Any:
        after = int(query(request.path)["filter[events]"].removeprefix("seq gt "))
        rows = [event(seq) for seq in (3, 5, 9, 40, 41) if seq > after]
        links = {"next": f"{BASE}?offset=2"} if len(rows) > 2 else {}
        return reply({"data": rows[:2], "links": links})

    ab, transport = ab_with(answer)
    assert [one.seq async for one in ab.events.since(1, page_size=2)] == [3, 5, 9, 40, 41]
    asked = [query(path) for path in transport.paths]
    assert [one["filter[events]"] for one in asked] == ["seq gt 1", "seq gt 5", "seq gt 40"]
    assert all("offset" not in one and one["limit"] == "2" for one in asked)


@pytest.mark.parametrize("seq", [-1, 1.0, "5", None, True])
async def test_seq_is_an_integer_of_at_least_zero(seq: Any) -> None:
    """Other values are refused before anything is sent."""
    ab, transport = ab_with()
    with pytest.raises(InputError):
        await ab.events.since(seq)
    assert transport.requests == []


async def test_events_added_during_iteration_are_not_missed() -> None:
    """The feed grows while it is read: every number comes once, in order."""
    simulator = Simulator(knobs=Knobs(standards=400, events=60))
    async with abconnect_of(simulator) as ab:
        first = await ab.standards.list().first()
        assert first is not None
        assert first.id is not None
        seen = []
        async for one in ab.events.since(0, page_size=10):
            seen.append(one.seq)
            if len(seen) in (5, 25, 55):
                simulator.world.edit_standard(first.id, {"statement.descr": f"new {len(seen)}"})
    expected = [one.seq for one in simulator.world.events]
    assert seen == expected
    assert len(seen) == 63


async def test_resuming_from_the_last_number() -> None:
    """A second run returns only the events added since the first."""
    simulator = Simulator(knobs=Knobs(standards=400, events=20))
    async with abconnect_of(simulator) as ab:
        last = (await ab.events.since(0).collect())[-1].seq
        assert last is not None
        assert await ab.events.since(last).collect() == []
        standard = await ab.standards.list().first()
        assert standard is not None
        simulator.world.edit_standard(standard.id or "", {"level": 9})
        (new,) = await ab.events.since(last).collect()
    assert new.standard.ids == [standard.id]
    assert new.affected_properties[0].new_value == 9
