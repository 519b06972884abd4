"""Facets: the values of a property among the objects that match."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import (
    ABConnect,
    BadRequest,
    DecodeError,
    InputError,
)
from aioinstructure.abconnect import F
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.testing import FakeTransport, reply


def ab_with(*replies: Any, **options: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    client = ABConnect(partner_id="p", partner_key="k", transport=transport, **options)
    return client, transport


def query(path: str) -> dict[str, str]:
    """Return the query without the parameters of the signature."""
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


def faceted(*facets: Any, count: int = 5) -> Any:
    return reply({"data": [], "meta": {"count": count, "limit": 0, "facets": list(facets)}})


SUBJECTS = {
    "facet": "disciplines.subjects",
    "count": 2,
    "details": [
        {"count": 4, "data": {"guid": "G", "code": "MATH", "descr": "Mathematics"}},
        {"count": 1, "data": {"guid": "H", "code": "SCI", "descr": "Science"}},
    ],
}


async def test_request_and_response() -> None:
    """Names are joined by commas, no items are requested, and values are decoded."""
    ab, transport = ab_with(faceted(SUBJECTS, {"facet": "document", "count": 12}))
    found = await ab.standards.facets(
        F.disciplines.subjects, "section", filter=F.level == 1, summary=["document"]
    )
    assert query(transport.paths[0]) == {
        "filter[standards]": "level eq 1",
        "facet": "disciplines.subjects,section",
        "facet_summary": "document",
        "limit": "0",
    }
    assert transport.paths[0].startswith("/rest/v4.1/standards?")
    assert found.count == 5
    subjects = found["disciplines.subjects"]
    assert [(one.count, one.data["code"]) for one in subjects.details] == [(4, "MATH"), (1, "SCI")]
    assert (subjects.count, subjects.truncated) == (2, False)
    assert (found["document"].count, found["document"].details) == (12, [])
    assert not found["document"].truncated  # a summary lists nothing, so nothing is cut
    with pytest.raises(KeyError, match="section"):
        found["section"]


async def test_a_truncated_facet() -> None:
    """The service counts all values but lists only 10,000."""
    ab, _ = ab_with(faceted({**SUBJECTS, "count": 3}))
    assert (await ab.standards.facets("disciplines.subjects"))["disciplines.subjects"].truncated


async def test_bare_values() -> None:
    """Asset types and custom attributes have bare values, not objects."""
    facet = {"facet": "asset_types", "count": 1, "details": [{"count": 3, "data": "Lesson"}]}
    ab, transport = ab_with(faceted(facet))
    found = await ab.assets.facets("asset_types")
    assert found["asset_types"].details[0].data == "Lesson"
    assert transport.paths[0].startswith("/rest/v4.1/assets?")


async def test_a_response_without_facets() -> None:
    """DecodeError if facets were requested; without names, only the count is returned."""
    nothing = reply({"data": [], "meta": {"count": 7, "limit": 0}})
    ab, _ = ab_with(nothing, nothing, nothing)
    with pytest.raises(DecodeError, match="no facets") as caught:
        await ab.standards.facets("document")
    assert caught.value.response is not None
    with pytest.raises(DecodeError, match="no facets"):
        await ab.standards.facets(summary=["*"])
    found = await ab.standards.facets(filter="level eq 1")
    assert (found.count, found.facets) == (7, [])


@pytest.mark.parametrize("wrong", ["documents", "disciplines.subject", "*", "statement,document"])
async def test_an_invalid_name(wrong: str) -> None:
    """Refused before anything is sent."""
    ab, transport = ab_with()
    with pytest.raises(InputError):
        await ab.standards.facets(wrong)
    assert transport.requests == []


class Noting(TokenBucket):
    """A token bucket that records the cost of each call."""

    def check(self, cost: Cost) -> None:
        self.costs = [*getattr(self, "costs", []), cost]
        super().check(cost)


async def test_all_summaries_use_the_wildcard_bucket() -> None:
    """Only the wildcard does; named summaries do not."""
    bucket = Noting()
    ab, _ = ab_with(lambda _: faceted(SUBJECTS), quota=Scheduler(bucket))
    await ab.standards.facets(summary=["*"])
    await ab.standards.facets("document", summary=["section"])
    await ab.standards.facets("document", filter="statement.descr eq '*'")
    assert [cost.bucket for cost in bucket.costs] == ["wildcard", "", ""]


async def test_facets_add_up_with_lists(abconnect: ABConnect) -> None:
    """In the simulator, each count equals that of a list filtered by the value."""
    found = await abconnect.standards.facets("disciplines.subjects", "education_levels.grades")
    assert found.count == (await abconnect.standards.list(page_size=1)).total
    subjects = found["disciplines.subjects"]
    assert subjects.count == len(subjects.details) > 1
    counts = [one.count or 0 for one in subjects.details]
    assert counts == sorted(counts, reverse=True)
    top = subjects.details[0]
    of_top = F.disciplines.subjects.guid == top.data["guid"]
    assert (await abconnect.standards.list(filter=of_top, page_size=1)).total == top.count
    only = await abconnect.standards.facets("disciplines.subjects", filter=of_top)
    assert only.count == top.count
    assert only["disciplines.subjects"].details[0].data["code"] == top.data["code"]


async def test_summaries_of_all(abconnect: ABConnect) -> None:
    """The number of values is that of the facet itself."""
    every = await abconnect.standards.facets(summary=["*"])
    assert len(every.facets) >= 8
    for name in ("document", "section", "education_levels.grades"):
        facet = await abconnect.standards.facets(name)
        assert every[name].count == facet[name].count == len(facet[name].details)


async def test_facets_of_other_resources(abconnect: ABConnect) -> None:
    """Assets, topics and concepts have facets too."""
    assets = await abconnect.assets.facets("asset_types")
    assert sum(one.count or 0 for one in assets["asset_types"].details) == assets.count
    topics = await abconnect.topics.facets("document")
    assert topics["document"].details
    assert (await abconnect.concepts.facets()).count
    with pytest.raises(BadRequest):
        await abconnect.concepts.facets(filter="descr eq")
