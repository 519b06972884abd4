"""Collections of standards and of assets: named filters, stored unchanged."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from aioinstructure import (
    ABConnect,
    Conflict,
    InputError,
    NotFound,
    Unprocessable,
)
from aioinstructure.abconnect.shared_models import Collection
from aioinstructure.testing import FakeTransport, reply

ID = "AAAAAAAA-0000-4000-8000-000000000000"
KINDS = ["standard_collections", "asset_collections"]


def ab_with(*replies: Any) -> tuple[Any, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


@pytest.mark.parametrize("kind", KINDS)
async def test_request_bodies(kind: str) -> None:
    """Not JSON:API: members are directly in `data`; omitted parameters are not sent."""
    row = {"guid": ID, "name": "Mine", "filters": {"root": {}}, "advanced_search": {}}
    ab, transport = ab_with(lambda _: reply({"data": row}))
    collections = getattr(ab, kind)
    made = await collections.create(name="Mine", filters={"root": {}})
    assert isinstance(made, Collection)
    assert (made.guid, made.name, made.filters) == (ID, "Mine", {"root": {}})
    await collections.create(name="Mine")
    await collections.update(ID, advanced_search={"a": [1]})
    await collections.update(ID, name="Other", filters={})
    sent = [(one.method, orjson.loads(one.body or b"")) for one in transport.requests]
    assert sent == [
        ("POST", {"data": {"name": "Mine", "filters": {"root": {}}}}),
        ("POST", {"data": {"name": "Mine"}}),
        ("PATCH", {"data": {"advanced_search": {"a": [1]}}}),
        ("PATCH", {"data": {"name": "Other", "filters": {}}}),
    ]
    paths = [path.partition("?")[0] for path in transport.paths]
    assert paths == [f"/rest/v4.1/{kind}"] * 2 + [f"/rest/v4.1/{kind}/{ID}"] * 2


@pytest.mark.parametrize("kind", KINDS)
async def test_the_life_of_a_collection(abconnect: ABConnect, kind: str) -> None:
    """Create, find by name, read in part, update, delete."""
    collections: Any = getattr(abconnect, kind)
    for name in ("Fractions", "fractions and more", "Other"):
        await collections.create(name=name, filters={"x": {"id": name}})
    named = [one.name async for one in collections.list(sort=["name"], page_size=2)]
    assert named == ["Fractions", "Other", "fractions and more"]
    (one,) = await collections.list(collection_name="Fractions").collect()
    found = await collections.list(search_collection_name="FRACTIONS").collect()
    assert {each.name for each in found} == {"Fractions", "fractions and more"}
    assert (await collections.get(one.guid)).filters == {"x": {"id": "Fractions"}}
    short = await collections.get(one.guid, fields=["name"])
    assert short.fields_set == {"name"}
    changed = await collections.update(one.guid, name="Ratios", advanced_search={"q": 1})
    assert (changed.name, changed.advanced_search) == ("Ratios", {"q": 1})
    assert changed.filters == {"x": {"id": "Fractions"}}
    await collections.delete(one.guid)
    with pytest.raises(NotFound):
        await collections.get(one.guid)


@pytest.mark.parametrize("kind", KINDS)
async def test_names_are_unique(abconnect: ABConnect, kind: str) -> None:
    """A duplicate is Conflict on create, Unprocessable on update."""
    collections: Any = getattr(abconnect, kind)
    await collections.create(name="One")
    other = await collections.create(name="Other")
    with pytest.raises(Conflict, match="taken"):
        await collections.create(name="One")
    with pytest.raises(Unprocessable, match="taken"):
        await collections.update(other.guid, name="One")
    with pytest.raises(Unprocessable, match="name"):
        await collections.create(name=" ")


@pytest.mark.parametrize("kind", KINDS)
async def test_many_collections_come_once_each(abconnect: ABConnect, kind: str) -> None:
    """Pages are in GUID order, the only unique order."""
    collections: Any = getattr(abconnect, kind)
    for number in range(23):
        await collections.create(name=f"Number {number}")
    found = [one.guid async for one in collections.list(page_size=5)]
    assert found == sorted(found)
    assert len(set(found)) == 23


async def test_ids_are_guids() -> None:
    """Other ids are refused before anything is sent."""
    ab, transport = ab_with()
    for wrong in ("", "1", "a/b"):
        with pytest.raises(InputError, match="GUID"):
            await ab.standard_collections.get(wrong)
        with pytest.raises(InputError, match="GUID"):
            await ab.asset_collections.delete(wrong)
    assert transport.requests == []
