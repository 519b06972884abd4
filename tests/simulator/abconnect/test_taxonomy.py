"""Topics and concepts, their use in standards; relations between standards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aioinstructure.simulator.abconnect.filters import compile_filter, parse_filter
from aioinstructure.simulator.abconnect.relations import RELATIONS
from aioinstructure.simulator.abconnect.rows_base import walk
from aioinstructure.simulator.abconnect.standards import Standards
from tests.simulator.conftest import ORIGIN

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

BASE = f"{ORIGIN}/rest/v4.1"


async def standard(caller: Caller, filter_: str, fields: str = "*") -> dict[str, Any]:
    query = {"filter__standards": filter_, "fields__standards": fields, "limit": "1"}
    [found] = await caller.data("/standards", **query)
    return dict(found)


async def test_topics_have_four_levels(caller: Caller) -> None:
    """Subject and grade band are properties; branches have no parent, topics a branch."""
    every = await caller.data("/topics", fields__topics="*", limit="100", sort__topics="level")
    assert {one["attributes"]["level"] for one in every} == {1}
    branch = every[0]
    assert branch["relationships"]["parent"] == {"data": {}}
    query = {"filter__topics": f"parent.id eq '{branch['id']}'", "fields__topics": "*"}
    topics = await caller.data("/topics", **query)
    below = branch["relationships"]["children"]["data"]
    assert {one["id"] for one in topics} == {one["id"] for one in below}
    for topic in topics:
        assert topic["attributes"]["level"] == 2
        assert topic["attributes"]["document"] == branch["attributes"]["document"]
        assert topic["attributes"]["section"] == branch["attributes"]["section"]
        assert topic["relationships"]["parent"]["data"] == {"type": "topics", "id": branch["id"]}


async def test_one_topic(caller: Caller) -> None:
    """By id in any case, with includes for the requested fields; 404 without a detail."""
    [topic] = await caller.data("/topics", filter__topics="level eq 2", limit="1")
    query = {
        "fields__topics": "descr,parent,standards",
        "fields__standards": "level",
        "include": "parent,standards",
    }
    body = (await caller.abconnect(f"/topics/{topic['id'].lower()}", **query)).json()
    assert set(body["data"]["attributes"]) == {"descr"}
    kinds = [one["type"] for one in body["included"]]
    assert kinds == ["topics"] + ["standards"] * (len(kinds) - 1)
    assert set(body["included"][-1]["attributes"]) == {"level"}
    missing = await caller.abconnect("/topics/00000000-0000-0000-0000-000000000000")
    assert (missing.status, missing.json()["errors"][0]["detail"]) == (404, None)


async def test_relations_of_topics(caller: Caller) -> None:
    """Pages of standards without their relationships; filters are ignored."""
    taxonomy = caller.simulator.world.standards.taxonomy
    most = max(range(len(taxonomy.topics)), key=lambda one: len(taxonomy.topic_standards(one)))
    many = await caller.data(f"/topics/{taxonomy.topic_guid(most)}", fields__topics="standards")
    related = many["relationships"]["standards"]["links"]["related"]
    assert len(many["relationships"]["standards"]["data"]) == 10
    body = (await caller.ab("GET", related, limit="100", fields__standards="level,parent")).json()
    assert body["meta"]["count"] > 25
    assert all(set(one) == {"type", "id", "attributes"} for one in body["data"])
    same = await caller.ab("GET", related, filter__standards="level eq 99")
    assert same.json()["meta"]["count"] == body["meta"]["count"]
    for relation in ("children", "parent"):
        found = await caller.abconnect(f"/topics/{many['id']}/{relation}", fields__topics="level")
        assert found.status == 200
    assert (await caller.abconnect(f"/topics/{many['id']}/nonsense")).status == 404


async def test_facets_of_topics_and_concepts(caller: Caller) -> None:
    """Subjects and grade bands of topics by descending count."""
    body = (await caller.abconnect("/topics", facet="document,section", limit="0")).json()
    document, section = body["meta"]["facets"]
    assert (document["count"], section["count"]) == (4, 40)
    assert set(document["details"][0]["data"]) == {"guid", "descr", "adopt_year"}
    concepts = (await caller.abconnect("/concepts", facet_summary="*", limit="0")).json()
    assert concepts["meta"]["facets"] == [{"facet": "disciplines.subjects", "count": 4}]


async def test_concepts(caller: Caller) -> None:
    """A context distinguishes equal names; some have no context; none has relations."""
    query = {"filter__concepts": "query('fractions')", "fields__concepts": "*"}
    found = await caller.data("/concepts", **query)
    assert len({one["attributes"]["context"] for one in found}) == len(found) == 4
    assert {one["attributes"]["descr"] for one in found} == {"Fractions"}
    assert all("relationships" not in one for one in found)
    bare = await caller.data("/concepts", filter__concepts="isempty(context)", limit="1")
    one = await caller.data(f"/concepts/{bare[0]['id'].lower()}", fields__concepts="context")
    assert one == {**bare[0], "attributes": {"context": None}}
    assert (await caller.abconnect("/concepts", include="standards")).status == 400
    assert (await caller.abconnect("/concepts/x")).status == 404


async def test_standards_by_concept_and_topic(caller: Caller) -> None:
    """Found by the ids of both, and by texts of concepts; key ideas have the same concepts."""
    item = await standard(caller, "deepest eq 'Y' and education_levels.grades.code eq '5'")
    relations = item["relationships"]
    concept, topic = (relations[name]["data"][0] for name in ("concepts", "topics"))
    assert (concept["type"], topic["type"]) == ("concepts", "topics")
    ideas = item["attributes"]["key_ideas"]
    assert concept["id"] in {one["guid"] for idea in ideas for one in idea["concepts"]}
    described = await caller.data(f"/concepts/{concept['id']}", fields__concepts="*")
    descr, context = (described["attributes"][name] for name in ("descr", "context"))
    for text in (
        f"topics.id in ('{topic['id']}')",
        f"concepts.id eq '{concept['id']}'",
        f"concepts.descr eq '{descr}' and concepts.context eq '{context}'",
    ):
        query = {"filter__standards": f"{text} and guid eq '{item['id']}'"}
        assert [one["id"] for one in await caller.data("/standards", **query)] == [item["id"]]


async def test_endpoints_of_topics_and_concepts(caller: Caller) -> None:
    """The topics of a standard and its concepts, which can be filtered by text."""
    item = await standard(caller, "deepest eq 'Y' and status eq 'active'")
    path = f"/standards/{item['id']}"
    [topic] = await caller.data(f"{path}/topics", fields__topics="level")
    assert topic["attributes"] == {"level": 2}
    concepts = await caller.data(f"{path}/concepts", fields__concepts="descr,context")
    assert len(concepts) == 2
    bare = await caller.data(f"{path}/concepts", filter__concepts="isempty(context)")
    assert [one["id"] for one in bare] == [concepts[1]["id"]]
    words = f"query(descr, '{concepts[0]['attributes']['descr']}')"
    narrowed = {"fields__standards": "concepts", "filter__concepts": words}
    shown = await caller.data(path, **narrowed)
    assert [one["id"] for one in shown["relationships"]["concepts"]["data"]] == [concepts[0]["id"]]
    bad = await caller.abconnect(f"{path}/concepts", filter__concepts="title eq 'x'")
    assert bad.json()["errors"][0]["source"] == {"parameter": "filter[concepts]"}


INVERSE = [
    ("crosswalks", "crosswalks"),
    ("breakouts", "breakout_origins"),
    ("course_standards", "related_courses"),
    ("replaced_by", "replaces"),
    ("derivatives", "origins"),
    ("peer_derivatives", "peer_derivatives"),
    ("children", "parent"),
    ("peers", "peers"),
]


@pytest.mark.parametrize(("relation", "back"), INVERSE)
@pytest.mark.parametrize(("count", "step"), [(5000, 7), (110_000, 3001)])
def test_relations_are_inverse(count: int, step: int, relation: str, back: str) -> None:
    """Each relation has its inverse, in small and large worlds."""
    relations = Standards(1, count).relations
    named = 0
    for index in range(0, count, step):
        for one, other in ((relation, back), (back, relation)):
            for end in relations.related(index, one)[:9]:
                assert index in relations.related(end, other), (index, end)
                named += 1
    assert named > 0


def test_every_relation_is_filled() -> None:
    """No relation is empty in the default world."""
    relations = Standards(1, 5000).relations
    for relation in RELATIONS:
        assert any(relations.related(index, relation) for index in range(5000)), relation


async def test_courses(caller: Caller) -> None:
    """In a publication of courses, the top standards refer to those that they teach."""
    query = "document.publication.publication_type eq 'course' and level eq 1"
    course = await standard(caller, f"{query} and not isempty(course_standards)")
    assert course["attributes"]["label"] == "Course"
    taught = course["relationships"]["course_standards"]["data"]
    other = await caller.data(f"/standards/{taught[0]['id']}", fields__standards="related_courses")
    assert {"type": "standards", "id": course["id"]} in other["relationships"]["related_courses"][
        "data"
    ]


async def test_successors(caller: Caller) -> None:
    """Old standards refer to their successors, with comparison flags."""
    old = await standard(caller, "status eq 'deleted' and not isempty(replaced_by)", "replaced_by")
    new = old["relationships"]["replaced_by"]["data"][0]
    assert set(new["meta"]) == {"same_text", "same_concepts"}
    found = await caller.data("/standards", filter__standards=f"replaces.id eq '{old['id']}'")
    assert new["id"] in {one["id"] for one in found}
    same = f"meta.same_text eq '{new['meta']['same_text']}'"
    path = f"/standards/{old['id']}/replaced_by"
    assert await caller.data(path, filter__replaced_by=same, sort__replaced_by="-meta.same_text")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("statement.addendums.position", "after"),
        ("legends.symbol_position", "before"),
        ("extensions.type", "reference"),
    ],
)
async def test_optional_properties(caller: Caller, path: str, value: str) -> None:
    """Some of the standards have addenda, legends and extensions."""
    query = {
        "filter__standards": f"{path} eq '{value}'",
        "fields__standards": path.split(".", maxsplit=1)[0],
    }
    body = (await caller.abconnect("/standards", **query)).json()
    assert 20 < body["meta"]["count"] < 500
    for one in body["data"]:
        assert value in walk(one["attributes"], path.split("."))
    if path.startswith("statement"):
        statement = body["data"][0]["attributes"]["statement"]
        assert statement["addendums"][0]["descr"] in statement["combined_descr"]


async def test_text_search_agrees_with_attributes(caller: Caller) -> None:
    """The optimized access to texts gives the same result as the complete objects."""
    standards = caller.simulator.world.standards
    text = "query(legends.descr, 'statewide') or query(extensions.descr, 'appendix')"

    def score(get: Any, call: Any) -> int:
        return sum(call.words in str(value).lower() for value in get(call.path))

    def getter(of: dict[str, Any]) -> Any:
        return lambda path: walk(of, path.split("."))

    fits = compile_filter(parse_filter(text), score)
    expected = 0
    for index in range(standards.count):
        if standards.status(index) != "deleted":
            attributes = standards.attributes(index, "")
            expected += fits(getter(attributes))
    body = (await caller.abconnect("/standards", filter__standards=text, limit="0")).json()
    assert body["meta"]["count"] == expected > 0


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("iso-8859-1", "latin-1"),
        ("latin1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("utf-8", "utf-8"),
    ],
)
async def test_character_sets(caller: Caller, name: str, codec: str) -> None:
    """The response uses the requested charset and declares it; other characters are escaped."""
    item = await standard(caller, "level eq 3", "guid")
    text = "Vecteurs \u2013 à 90° ≤ \U0001d66b"
    caller.simulator.world.edit_standard(item["id"], {"statement.descr": text})
    response = await caller.ab(
        "GET",
        f"/standards/{item['id']}",
        charset=f"unknown, {name};q=0.8",
        fields__standards="statement.descr",
    )
    assert response.headers["content-type"] == f"application/json; charset={name}"
    shown = response.body.decode(codec)
    assert "90°" in shown
    plain = await caller.abconnect(f"/standards/{item['id']}", fields__standards="statement.descr")
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
    utf8 = type(response)(200, {}, shown.encode())
    assert utf8.json()["data"]["attributes"] == {"statement": {"descr": text}}
    assert plain.json()["data"] == utf8.json()["data"]


async def test_credentials_in_links(caller: Caller) -> None:
    """If the knob is set, `links.self` repeats those of the call; other links do not."""
    caller.simulator.knobs.echo_credentials = True
    first = (await caller.abconnect("/topics", limit="5")).json()["links"]
    assert "auth.signature=" in first["self"]
    assert "partner.id=" in first["self"]
    assert "auth" not in first["next"]
    caller.time = 5.0
    assert (await caller.abconnect("/topics", limit="5")).json()["links"]["self"] != first["self"]
    caller.simulator.knobs.echo_credentials = False
    again = (await caller.abconnect("/topics", limit="5")).json()["links"]
    assert again["self"] == f"{BASE}/topics?limit=5"


async def test_links_of_another_origin(caller: Caller) -> None:
    """Every link and URI uses the public origin."""
    caller.simulator.knobs.public_origin = "https://public.example.org"
    response = await caller.abconnect("/topics", fields__topics="*", limit="5")
    assert ORIGIN not in response.text
    assert response.text.count("https://public.example.org/rest/v4.1/topics") > 5
