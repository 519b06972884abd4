"""Values of a wrong type, where the library itself works with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aioinstructure import ABConnect, Canvas, DecodeError, RetryPolicy
from aioinstructure.abconnect.traversal.documents import DocumentTree, sections
from aioinstructure.abconnect.traversal.relations import Crosswalk, Replacements
from aioinstructure.testing import FakeTransport, reply

GUID = "1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"
OTHER = "2F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"
NO_TEXT: list[Any] = [5, 1.5, [1], {"a": 1}, True, 10**18]


def ab_with(body: Any) -> ABConnect:
    return ABConnect(
        partner_id="p",
        partner_key="k" * 9,
        transport=FakeTransport([lambda _: reply(body)] * 60),
        retry=RetryPolicy(base=0.0),
    )


def standards(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"data": [{"type": "standards", **row} for row in rows], "meta": {"count": len(rows)}}


async def read(found: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in found]


@pytest.mark.parametrize("bad", NO_TEXT, ids=repr)
async def test_an_id_that_is_no_text(bad: Any) -> None:
    """A DecodeError with the place, in each helper that compares ids; no task is left behind."""
    relations = {"replaces": {"data": [{"type": "standards", "id": bad}]}, "parent": {"data": None}}
    ab = ab_with(standards({"id": bad, "relationships": relations, "attributes": {"seq": 1}}))
    get = ab.standards.batcher()
    both = await asyncio.gather(get(GUID), get(OTHER), return_exceptions=True)
    assert [type(error) for error in both] == [DecodeError, DecodeError]
    for call in (
        ab.standards.get_many([GUID]),
        read(aiter(DocumentTree(ab, GUID))),
        read(aiter(Replacements(ab, [GUID]))),
        read(aiter(Crosswalk(ab, GUID, OTHER))),
    ):
        with pytest.raises(DecodeError, match=r"expected text, got .* @ \$\.id"):
            await call
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_batch_tells_its_callers() -> None:
    """They do not wait forever, and the error of one is the error of all."""

    def fail(_: Any) -> Any:
        raise KeyError("a fault in a transport")

    ab = ABConnect(partner_id="p", partner_key="k" * 9, transport=FakeTransport([fail]))
    get = ab.standards.batcher()
    seen: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: seen.append(what))
    found = await asyncio.gather(get(GUID), get(OTHER), return_exceptions=True)
    assert [type(error) for error in found] == [KeyError, KeyError]


@pytest.mark.parametrize("row", [{}, {"id": None}])
async def test_a_standard_without_an_id_ends_a_tree(row: dict[str, Any]) -> None:
    """At once: it would be its own parent."""
    body = standards({**row, "attributes": {"seq": 1}, "relationships": {"parent": {"data": None}}})
    with pytest.raises(DecodeError, match="no id"):
        await read(aiter(DocumentTree(ab_with(body), GUID)))


@pytest.mark.parametrize("bad", ["5", 1.5, {}, [1], True], ids=repr)
async def test_numbers_that_are_none(bad: Any) -> None:
    """Counts and positions of facets, sections, standards and events."""
    facet = {"facet": "section", "count": bad, "details": [{"count": 1, "data": {"guid": GUID}}]}
    with pytest.raises(DecodeError, match=r"\$\.count"):
        await sections(ab_with({"data": [], "meta": {"count": 0, "facets": [facet]}}), GUID)
    for detail in ({"count": bad, "data": {"guid": GUID}}, {"data": {"guid": GUID, "seq": bad}}):
        facet = {"facet": "section", "count": 1, "details": [detail]}
        with pytest.raises(DecodeError, match=r"\$\.(count|seq)"):
            await sections(ab_with({"data": [], "meta": {"count": 0, "facets": [facet]}}), GUID)
    for attributes in ({"seq": bad}, {"section": {"seq": bad}}):
        body = standards({"id": GUID, "attributes": attributes, "relationships": {"parent": {}}})
        with pytest.raises(DecodeError, match=r"\$\.(section\.)?seq"):
            await read(aiter(DocumentTree(ab_with(body), GUID)))
    event = {"type": "events", "id": "1", "attributes": {"seq": bad}}
    feed = ab_with({"data": [event], "meta": {"count": 1}}).events.follow(after=0)
    with pytest.raises(DecodeError, match="seq"):
        await anext(aiter(feed))


@pytest.mark.parametrize("bad", [-1, {}, [1], True], ids=repr)
async def test_a_link_that_is_no_text(bad: Any) -> None:
    """Of a prediction that is complete."""
    status = {
        "type": "queue-status",
        "id": GUID,
        "attributes": {"code": "complete"},
        "relationships": {"predictions": {"links": {"related": bad}}},
    }
    with pytest.raises(DecodeError, match="related"):
        await ab_with({"data": status}).predictions.run(GUID)


@pytest.mark.parametrize("bad", [{}, [], 5, True], ids=repr)
async def test_a_state_that_is_no_text(bad: Any) -> None:
    """Of a job that is waited for."""
    transport = FakeTransport([reply({"id": 1, "workflow_state": bad})])
    canvas = Canvas("https://canvas.test", token="t", transport=transport)
    with pytest.raises(DecodeError, match="workflow_state"):
        await canvas.progress.wait(1)
