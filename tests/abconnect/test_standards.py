"""Standards of AB Connect: requests, decoded responses, and the calls that cost more."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import pytest

import aioinstructure.abconnect
from aioinstructure import (
    ABConnect,
    DecodeError,
    Forbidden,
    InputError,
)
from aioinstructure.abconnect import F, Raw
from aioinstructure.abconnect.standards import Standard
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.testing import FakeTransport, reply

GUID = "1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"
RAW: dict[str, Any] = {
    "type": "standards",
    "id": GUID,
    "attributes": {
        "guid": GUID.lower(),
        "number": {"enhanced": "5.NF.1", "raw": "1"},
        "statement": {"descr": "Add fractions."},
        "level": 3,
        "surprise": {"a": 1},
    },
    "relationships": {
        "parent": {"data": {"type": "standards", "id": "P"}},
        "children": {
            "data": [{"type": "standards", "id": str(n)} for n in range(10)],
            "links": {"related": "https://x.test/c", "next": "https://x.test/c?offset=10"},
        },
        "peers": {"data": [{"type": "standards", "id": "Q", "meta": {"similarity": "alternate"}}]},
        "origins": {"data": {}},
        "topics": {"data": None},
    },
}


def ab_with(*replies: Any, **options: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    client = ABConnect(partner_id="p", partner_key="k", transport=transport, **options)
    return client, transport


def query(path: str) -> dict[str, str]:
    """Return the query without the parameters of the signature."""
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


def listed(*rows: Any, count: int | None = None, limit: int = 100, **links: str) -> Any:
    meta = {"count": len(rows) if count is None else count, "limit": limit}
    return reply({"data": list(rows), "links": links, "meta": meta})


async def test_a_standard_is_flattened() -> None:
    """Attributes and relationships are members; members that were not sent are empty."""
    ab, transport = ab_with(reply({"data": RAW, "links": {}, "meta": {"took": 3}}))
    standard = await ab.standards.get(GUID, fields=["number", F.statement.descr], include=["peers"])
    assert standard.id == GUID
    assert standard.number.enhanced == "5.NF.1"
    assert standard.statement.descr == "Add fractions."
    assert standard.document.publication.descr is None
    assert "document" not in standard.fields_set
    assert standard.extra["surprise"] == {"a": 1}
    assert standard.parent.single is not None
    assert standard.parent.single.id == "P"
    assert (len(standard.children.ids), standard.children.truncated) == (10, True)
    assert (standard.peers.truncated, standard.peers.data[0].meta) == (
        False,
        {"similarity": "alternate"},
    )
    assert (standard.origins.single, standard.topics.data) == (None, [])
    assert query(transport.paths[0]) == {
        "fields[standards]": "number,statement.descr,peers",
        "include": "peers",
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": {}},
        {"data": [RAW]},
        {"message": "Internal server error"},
        {"errors": [{"title": "Not Found"}]},
        {"links": {"self": "x"}, "meta": {"took": 3}},
    ],
)
async def test_a_response_without_the_object_is_an_error(body: Any) -> None:
    """A read returns the object, or raises an error with the response; never an empty object."""
    ab, _ = ab_with(lambda _: reply(body))
    with pytest.raises(DecodeError, match="the response has no Standard") as caught:
        await ab.standards.get(GUID)
    assert caught.value.response is not None
    assert caught.value.response.json() == body
    with pytest.raises(DecodeError, match="the response has no Collection"):
        await ab.asset_collections.get(GUID)
    await ab.assets.update(GUID, title="x")  # it is done, whatever the response shows


async def test_a_list_of_standards() -> None:
    """A filter as a value or as text, lists joined by commas, a total, and pages by offset."""
    following = "https://api.abconnect.instructure.com/rest/v4.1/standards?limit=2&offset=2"
    other, last = {**RAW, "id": GUID[::-1]}, {**RAW, "id": GUID.replace("1", "2")}
    answers = [
        listed(RAW, other, count=3, limit=2, next=following),
        listed(last, count=3, limit=2),
    ]
    ab, transport = ab_with(*answers, listed())
    math5 = (F.disciplines.subjects.code == "MATH") & (F.education_levels.grades.code == "5")
    pages = ab.standards.list(filter=math5, fields=["number"], sort=["guid"], page_size=2)
    found = [page async for page in pages.pages()]
    assert [len(page.raw) for page in found] == [2, 1]
    assert found[0].total == 3
    assert isinstance(found[1].items[0], Standard)
    await ab.standards.list(filter="isempty(number)").collect()
    assert query(transport.paths[0]) == {
        "filter[standards]": "(disciplines.subjects.code eq 'MATH') and "
        "(education_levels.grades.code eq '5')",
        "fields[standards]": "number",
        "sort[standards]": "guid",
        "limit": "2",
    }
    assert query(transport.paths[1]) == {**query(transport.paths[0]), "offset": "2"}
    assert query(transport.paths[2]) == {
        "filter[standards]": "isempty(number)",
        "sort[standards]": "guid",
        "limit": "100",
    }


async def test_related_standards() -> None:
    """A relationship of one standard is listed; its properties are in `meta`."""
    ab, transport = ab_with(listed({**RAW, "meta": {"similarity": "clear"}}))
    (peer,) = await ab.standards.related(GUID, "peers", fields=["number"]).collect()
    assert peer.meta == {"similarity": "clear"}
    assert transport.paths[0].startswith(f"/rest/v4.1/standards/{GUID}/peers?")


async def test_an_unknown_relationship_is_refused() -> None:
    """Before anything is sent, with a suggestion."""
    ab, transport = ab_with()
    wrong: Any = "peer"
    with pytest.raises(InputError, match="did you mean 'peers'"):
        await ab.standards.related(GUID, wrong)
    with pytest.raises(InputError, match="comma"):
        await ab.standards.list(fields=["a,b"])
    assert transport.requests == []


async def test_an_unlicensed_relationship() -> None:
    """Forbidden, with the message of the service."""
    error = {"status": "403", "title": "Forbidden", "detail": "not licensed to access peers"}
    ab, _ = ab_with(reply({"errors": [error]}, status=403))
    with pytest.raises(Forbidden, match="not licensed to access peers"):
        await ab.standards.related(GUID, "peers").collect()


@pytest.mark.parametrize("body", [[], {"data": "A"}, {"meta": {}}, "x", None])
async def test_a_response_without_a_list(body: object) -> None:
    """DecodeError, not an empty list."""
    ab, _ = ab_with(reply(body))
    with pytest.raises(DecodeError, match="no list"):
        await ab.standards.list().collect()


class Noting(TokenBucket):
    """A token bucket that records the cost of each call."""

    def check(self, cost: Cost) -> None:
        self.costs = [*getattr(self, "costs", []), cost]
        super().check(cost)


async def test_wildcard_calls_have_the_wildcard_cost() -> None:
    """A `*` in fields or summaries uses the second bucket; elsewhere it does not."""
    bucket = Noting(secondary={"wildcard": (100.0, 1.0)})
    ab, _ = ab_with(lambda _: listed(), quota=Scheduler(bucket))
    calls = [
        ab.standards.list(fields=["*"]),
        ab.standards.list(fields=["number", "*"]),
        ab.standards.list(fields=[Raw("statement.*")]),
        ab.standards.list(filter="statement.descr eq 'a*b'"),
        ab.standards.list(),
    ]
    for call in calls:
        await call.collect()
    raw = [
        {"fields[standards]": "*"},
        {"fields[events]": "seq,*"},
        {"facet_summary": "*"},
        {"facet_summary": "document"},
        {"filter[standards]": "*"},
    ]
    for params in raw:
        await ab.request("GET", "/rest/v4.1/standards", params=params)
    await ab.request("GET", "/rest/v4.1/standards?fields[standards]=*")
    wildcards = [cost.bucket == "wildcard" for cost in bucket.costs]
    assert wildcards == [True, True, False, False, False, True, True, True, False, False, True]


async def test_wildcards_are_limited_to_two_a_second_and_delay_no_other_call() -> None:
    """Only calls with a wildcard use the second bucket."""
    loop = asyncio.get_running_loop()
    ab, _ = ab_with(lambda _: listed())
    start = loop.time()
    wildcards = [  # all different, or they would be joined into one
        asyncio.create_task(ab.standards.list(fields=["*"], page_size=n + 1).collect())
        for n in range(9)
    ]
    await asyncio.sleep(0.01)
    await asyncio.gather(*(ab.standards.list(page_size=n + 1).collect() for n in range(10)))
    assert loop.time() - start < 0.1
    await asyncio.gather(*wildcards)
    assert loop.time() - start == pytest.approx(4, abs=0.1)


def test_models_and_resources_are_loaded_on_first_use() -> None:
    """The package lists its few names; models are in the module of their page."""
    assert {"ABConnect", "F"} <= set(dir(aioinstructure.abconnect))
    for name in vars(aioinstructure.abconnect)["__all__"]:
        assert getattr(aioinstructure.abconnect, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Filtre', did you mean 'Filter'"):
        _ = aioinstructure.abconnect.Filtre  # type: ignore[attr-defined]  # as a typing mistake is
