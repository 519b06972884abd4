"""AB Connect's operations: signature, fields, filters, links, relations, facets, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aioinstructure.simulator.abconnect.filters import compile_filter, parse_filter
from aioinstructure.simulator.abconnect.rows_base import walk
from aioinstructure.simulator.abconnect.signature import accepted, sign
from aioinstructure.wire.message import Request
from tests.simulator.conftest import ORIGIN, WALL

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

BASE = f"{ORIGIN}/rest/v4.1"


def test_documented_signature() -> None:
    """The key is used as text: the signature matches the documented example."""
    signature = "Sdcfa9xgRAUzQnlLik5nKj1ntqdB85jFYyFCkNxwD/M="
    assert sign("ajk84Hjk93h59skaAJ8732", "1512570029\n\nGET") == signature


@pytest.mark.parametrize(
    ("message", "user", "method", "resource", "good"),
    [
        ("200", None, "GET", "standards", True),
        ("200\n", None, "PATCH", "assets", True),
        ("200\n\nGET", None, "GET", "events", True),
        ("200\n\nGET", None, "POST", "assets", False),
        ("200\n\nGET\nstandards", None, "GET", "standards", True),
        ("200\n\nGET\nstandards", None, "GET", "events", False),
        ("200\nann", "ann", "GET", "standards", True),
        ("200\nann\nGET\nstandards", "ann", "GET", "standards", True),
        ("200\nann", "bob", "GET", "standards", False),
        ("200\nann", None, "GET", "standards", False),
        ("100", None, "GET", "standards", False),
    ],
)
def test_messages_that_grant(
    message: str, user: str | None, method: str, resource: str, good: bool
) -> None:
    """A signature allows what its message names, for its user, until it expires."""
    expires = message.partition("\n")[0]
    given = sign("key", message)
    found = accepted(
        "key", given, expires=expires, user=user, method=method, resource=resource, now=150.0
    )
    assert found is good


@pytest.mark.parametrize("query", ["", "partner.id=x&auth.signature=y&auth.expires=z"])
async def test_unsigned(caller: Caller, query: str) -> None:
    """401 with the documented detail."""
    response = await caller.simulator.handle(Request("GET", f"{BASE}/standards?{query}"))
    error = {"status": "401", "title": "Unauthorized", "detail": "Signature is not authorized."}
    assert (response.status, response.json()) == (401, {"errors": [error]})


async def test_expired(caller: Caller) -> None:
    """A valid signature is refused after it has expired."""
    simulator = caller.simulator
    expires = str(int(WALL) + 60)
    signature = sign(simulator.partner_key, expires).replace("+", "%2B").replace("=", "%3D")
    query = f"partner.id={simulator.partner_id}&auth.expires={expires}&auth.signature={signature}"
    request = Request("GET", f"{BASE}/standards?{query}")
    assert (await simulator.handle(request)).status == 200
    caller.time = 60.0
    assert (await simulator.handle(request)).status == 401
    assert simulator.requests[-1].path == (
        f"/rest/v4.1/standards?partner.id=***&auth.expires={expires}&auth.signature=***"
    )


async def test_default_is_type_and_id(caller: Caller) -> None:
    """Without fields, only type and id; sorted by the bytes of the ids; deleted ones hidden."""
    body = (await caller.abconnect("/standards", limit="100")).json()
    assert {frozenset(item) for item in body["data"]} == {frozenset({"type", "id"})}
    ids = [item["id"] for item in body["data"]]
    assert ids == sorted(ids)
    every = {"filter__standards": "status in ('active','deleted','obsolete')", "limit": "0"}
    total = (await caller.abconnect("/standards", **every)).json()["meta"]["count"]
    assert body["meta"]["count"] < total == 5000


async def test_links_of_the_pages(caller: Caller) -> None:
    """No credentials; the first page has no offset; prev and first are on later pages only."""
    first = (await caller.abconnect("/standards", limit="20")).json()
    count = first["meta"]["count"]
    last = (count - 1) // 20 * 20
    url = f"{BASE}/standards?limit=20"
    assert first["links"] == {
        "self": url,
        "next": f"{url}&offset=20",
        "last": f"{url}&offset={last}",
    }
    middle = (await caller.abconnect("/standards", limit="20", offset="40")).json()["links"]
    assert middle["prev"] == f"{url}&offset=20"
    assert middle["first"] == url
    second = (await caller.abconnect("/standards", offset="10")).json()["links"]
    assert second["prev"] == second["first"] == f"{BASE}/standards"
    end = (await caller.abconnect("/standards", limit="20", offset=str(last))).json()["links"]
    assert set(end) == {"self", "first", "prev"}


async def test_encoding_of_links(caller: Caller) -> None:
    """Brackets are encoded, spaces are plus signs; commas, quotes, parentheses stay."""
    query = {"filter__standards": "(level in (1,2) and status eq 'active')"}
    body = (await caller.abconnect("/standards", **query)).json()
    expected = "filter%5Bstandards%5D=(level+in+(1,2)+and+status+eq+'active')"
    assert body["links"]["self"] == f"{BASE}/standards?{expected}"


async def test_limit_zero(caller: Caller) -> None:
    """No items, but counts."""
    body = (await caller.abconnect("/standards", limit="0")).json()
    assert body["data"] == []
    assert list(body["links"]) == ["self"]
    assert body["meta"]["count"] > 4000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "x"),
        ("offset", "-1"),
        ("filter__standards", "level eq"),
        ("filter__standards", "nonsense eq 1"),
        ("sort__standards", "nonsense"),
        ("fields__standards", "nonsense"),
        ("include", "nonsense"),
        ("facet", "nonsense"),
    ],
)
async def test_bad_parameters(caller: Caller, name: str, value: str) -> None:
    """400, and the error names the parameter."""
    response = await caller.abconnect("/standards", **{name: value})
    spelled = name.replace("__", "[") + "]" * ("__" in name)
    assert response.status == 400
    assert response.json()["errors"][0]["source"] == {"parameter": spelled}


async def some(caller: Caller, filter_: str, fields: str = "*", limit: str = "1") -> list[Any]:
    query = {"filter__standards": filter_, "fields__standards": fields, "limit": limit}
    data: list[Any] = (await caller.abconnect("/standards", **query)).json()["data"]
    return data


async def test_sparse_fields(caller: Caller) -> None:
    """Objects contain the requested fields; nulls are shown, empty lists omitted."""
    names = (
        "number.raw,statement.descr,utilizations.type,education_levels.grades.code,legends.descr"
    )
    [item] = await some(caller, "level eq 1", names)
    attributes = item["attributes"]
    assert set(attributes) == {"number", "statement", "education_levels"}
    assert set(attributes["number"]) == {"raw"}
    assert set(attributes["education_levels"]["grades"][0]) == {"code"}


async def test_relations(caller: Caller) -> None:
    """An empty to-one is an empty object; up to 25 are embedded, of more the first ten."""
    [top] = await some(caller, "level eq 1", "parent,children")
    assert top["relationships"]["parent"] == {"data": {}}
    [deep] = await some(
        caller, "level eq 3 and deepest eq 'Y' and education_levels.grades.code eq '4'"
    )
    relations = deep["relationships"]
    assert relations["parent"]["data"]["id"] == relations["ancestors"]["data"][-1]["id"]
    assert relations["contexts"]["data"] == relations["ancestors"]["data"][:1]
    peers = relations["peers"]
    assert len(peers["data"]) == 10
    related = f"{BASE}/standards/{deep['id']}/peers"
    assert peers["links"]["related"] == related
    assert peers["links"]["next"] == f"{related}?offset=10"
    listed = (await caller.abconnect(f"/standards/{deep['id']}/peers", limit="100")).json()
    assert listed["meta"]["count"] > 25
    assert [one["id"] for one in listed["data"][:10]] == [one["id"] for one in peers["data"]]


async def test_relations_are_mutual(caller: Caller) -> None:
    """Parents and children, origins and derivatives, peers and peers refer to each other."""
    [deep] = await some(caller, "deepest eq 'Y' and not isempty(origins)", "parent,origins,peers")
    for name, back in (("parent", "children"), ("origins", "derivatives"), ("peers", "peers")):
        data = deep["relationships"][name]["data"]
        other = data["id"] if isinstance(data, dict) else data[0]["id"]
        answer = (await caller.abconnect(f"/standards/{other}/{back}", limit="100")).json()
        assert deep["id"] in {one["id"] for one in answer["data"]}


async def test_relation_properties(caller: Caller) -> None:
    """Origins have flags for the same text and concepts, and can be filtered by them."""
    [item] = await some(caller, "not isempty(origins)", "origins")
    meta = item["relationships"]["origins"]["data"][0]["meta"]
    assert set(meta) == {"same_text", "same_concepts"}
    path = f"/standards/{item['id']}/origins"
    same = f"meta.same_text eq '{meta['same_text']}'"
    assert (await caller.abconnect(path, filter__origins=same)).json()["meta"]["count"] == 1
    other = f"meta.same_text ne '{meta['same_text']}'"
    assert (await caller.abconnect(path, filter__origins=other)).json()["meta"]["count"] == 0


async def test_include_needs_the_field(caller: Caller) -> None:
    """An include has no effect unless the relationship is among the fields."""
    query = {"filter__standards": "level eq 2", "limit": "2", "include": "ancestors"}
    assert "included" not in (await caller.abconnect("/standards", **query)).json()
    query["fields__standards"] = "ancestors,level"
    included = (await caller.abconnect("/standards", **query)).json()["included"]
    assert {item["attributes"]["level"] for item in included} == {1}


async def test_by_guid(caller: Caller) -> None:
    """Found in any case, also deleted ones; an unknown id gives 404 with a null detail."""
    [gone] = await some(caller, "status eq 'deleted'", "status")
    body = (await caller.abconnect(f"/standards/{gone['id'].lower()}")).json()
    assert body["data"] == {"type": "standards", "id": gone["id"]}
    assert body["links"]["self"] == f"{BASE}/standards/{gone['id'].lower()}"
    missing = await caller.abconnect("/standards/00000000-0000-0000-0000-000000000000")
    assert (missing.status, missing.json()["errors"][0]["detail"]) == (404, None)


@pytest.mark.parametrize(
    "text",
    [
        "disciplines.subjects.code eq 'MATH' and education_levels.grades.code eq '5'",
        "document.publication.authorities.descr eq 'Alabama DOE' and level eq 1",
        "statement.descr eq 'Geometry'",
        "number.prefix_enhanced eq 'NCS.Math.5.NF.A.1'",
        "utilizations.type not eq 'alignable' and seq le 20",
        "section.descr in ('Grade 1','Grade 2') or level eq 4",
    ],
)
async def test_filters_agree_with_attributes(caller: Caller, text: str) -> None:
    """The optimizations of filters do not change the result."""
    standards = caller.simulator.world.standards
    fits = compile_filter(parse_filter(text), lambda *_: 0)

    def slowly(index: int) -> bool:
        attributes = standards.attributes(index, "")
        return fits(lambda path: walk(attributes, path.split(".")))

    shown = (index for index in range(standards.count) if standards.status(index) != "deleted")
    expected = {standards.guid(index) for index in shown if slowly(index)}
    query = {"filter__standards": text, "limit": "100"}
    body = (await caller.abconnect("/standards", **query)).json()
    assert body["meta"]["count"] == len(expected) > 0
    assert {item["id"] for item in body["data"]} <= expected


async def test_children_by_filter(caller: Caller) -> None:
    """parent.id finds the children, in the requested order."""
    [top] = await some(caller, "level eq 1", "children")
    query = {"filter__standards": f"parent.id eq '{top['id']}'", "sort__standards": "-seq"}
    found = (await caller.abconnect("/standards", **query)).json()["data"]
    children = [one["id"] for one in top["relationships"]["children"]["data"]]
    assert {one["id"] for one in found} <= set(children)
    below = await some(caller, f"ancestors.id eq '{top['id']}'", "level", "100")
    assert len(below) > len(found)


async def test_sort_by_several_keys(caller: Caller) -> None:
    """The first key has priority; a minus means descending."""
    query = {
        "sort__standards": "-level,number.prefix_enhanced",
        "fields__standards": "level,number.prefix_enhanced",
        "limit": "100",
    }
    data = (await caller.abconnect("/standards", **query)).json()["data"]
    keys = [
        (-one["attributes"]["level"], one["attributes"]["number"]["prefix_enhanced"])
        for one in data
    ]
    assert keys == sorted(keys)


async def test_query_orders_by_relevance(caller: Caller) -> None:
    """A number search lists matches of all parts first; words match partially."""
    found = await some(caller, "query(number.enhanced, '5-nf-A-1')", "number.enhanced", "100")
    first = found[0]["attributes"]["number"]["enhanced"]
    assert set(first.split(".")) >= {"5", "NF", "A", "1"}
    words = await some(caller, "query('fraction')", "statement.descr", "100")
    assert all("fraction" in one["attributes"]["statement"]["descr"].lower() for one in words)


async def test_facets(caller: Caller) -> None:
    """Values by descending count, which add up; a summary has only the number of values."""
    query = {"facet": "disciplines.subjects", "facet_summary": "document,section", "limit": "0"}
    meta = (await caller.abconnect("/standards", **query)).json()["meta"]
    subjects, document, section = meta["facets"]
    counts = [one["count"] for one in subjects["details"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == meta["count"]
    assert set(subjects["details"][0]["data"]) == {"guid", "code", "descr"}
    assert (subjects["count"], document["count"]) == (4, 10)
    assert set(section) == {"facet", "count"}
    every = await caller.abconnect("/standards", facet_summary="*", limit="0")
    assert len(every.json()["meta"]["facets"]) == 10


async def test_unlicensed(caller: Caller) -> None:
    """A relation that is not licensed is omitted from objects; its endpoint gives 403."""
    caller.simulator.knobs.unlicensed_relations = ("peers",)
    [item] = await some(caller, "level eq 3")
    assert "peers" not in item["relationships"]
    response = await caller.abconnect(f"/standards/{item['id']}/peers")
    assert response.status == 403
    assert (await caller.abconnect(f"/standards/{item['id']}/nonsense")).status == 404


async def test_events(caller: Caller) -> None:
    """The feed is sorted by seq with gaps, and can be read from any number."""
    query = {"sort__events": "seq", "fields__events": "*", "limit": "100"}
    first = (await caller.abconnect("/events", **query)).json()
    numbers = [one["attributes"]["seq"] for one in first["data"]]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > 99
    assert first["meta"]["count"] == 600
    assert first["data"][0]["attributes"]["change_type"] == "added"
    assert first["data"][0]["relationships"]["standard"] == {"data": {}}
    query["filter__events"] = f"seq GT {numbers[-1]}"
    later = (await caller.abconnect("/events", **query)).json()
    assert later["meta"]["count"] == 500
    about = next(one for one in later["data"] if one["attributes"]["target"] == "standard")
    guid = about["relationships"]["standard"]["data"]["id"]
    assert (await caller.abconnect(f"/standards/{guid}")).status == 200


async def test_edit_appends_an_event(caller: Caller) -> None:
    """A changed standard shows its new value everywhere, and the feed has an event for it."""
    [item] = await some(caller, "level eq 3", "guid")
    changes = {"statement.descr": "Something quite new."}
    event = caller.simulator.world.edit_standard(
        item["id"], changes, change_type="updated statement"
    )
    [found] = await some(caller, "statement.descr eq 'Something quite new.'", "statement.descr")
    assert found["id"] == item["id"]
    query = {"filter__events": f"seq ge {event.seq}", "fields__events": "affected_properties"}
    [shown] = (await caller.abconnect("/events", **query)).json()["data"]
    [change] = shown["attributes"]["affected_properties"]
    assert change["new_value"] == "Something quite new."
    assert change["previous_value"]
