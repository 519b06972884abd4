"""JSON to models and back: no data is lost, and mismatches are reported with their path."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.abconnect.events import Event
from aioinstructure.abconnect.json_api.resources import Relationship
from aioinstructure.abconnect.standards import Standard
from aioinstructure.canvas.course_paces import CoursePace, PaceContext
from aioinstructure.canvas.courses import Course, Term
from aioinstructure.canvas.modules import Module, ModuleItem
from aioinstructure.canvas.progress import Progress
from aioinstructure.conversion.converter import Converter
from aioinstructure.conversion.model import Model, json_value
from aioinstructure.errors import DecodeError

CONVERTER = Converter()


@define
class Leaf(Model):
    """A nested model, with fields named as keywords and with dates."""

    id: int | str | None = None
    class_: str | None = None
    from_: datetime | None = None
    type: Literal["a", "b"] | str | None = None
    on: date | None = None
    either: datetime | date | None = None


@define
class Tree(Model):
    """A model that contains another in all possible ways."""

    name: str | None = None
    leaf: Leaf = field(factory=Leaf)
    perhaps: Leaf | None = None
    leaves: list[Leaf] = field(factory=list)
    by_name: dict[str, Leaf] = field(factory=dict)
    tags: list[str] = field(factory=list)
    notes: dict[str, Any] = field(factory=dict)
    dates: list[datetime] = field(factory=list)
    some: list[Leaf] | None = None
    anything: Any = None


@define
class Cat(Model):
    """One of several models, identified by its `type`, which is not a field of it."""

    json_type = "cats"

    id: int | str | None = None
    born: datetime | None = None
    kittens: list[Cat | Dog] = field(factory=list)


@define
class Dog(Model):
    """Another model with the same fields, and `type` as a field."""

    json_type = "dogs"

    id: int | str | None = None
    type: str | None = None
    born: datetime | None = None


@define
class Zoo(Model):
    """Contains one of several models in all possible ways."""

    star: Cat | Dog | None = None
    animals: list[Cat | Dog] = field(factory=list)
    by_name: dict[str, Dog | Cat] = field(factory=dict)
    perhaps: list[Cat | Dog] | None = None


def structure(value: Any, tp: Any) -> Any:
    return CONVERTER.structure(value, tp)


# --- what is kept -------------------------------------------------------------------------------


def test_unknown_fields_are_kept() -> None:
    """Canvas adds fields at any time; even names that the model uses internally are kept."""
    body = {"id": 1, "new": {"a": [1]}, "extra": 2, "_keys": 3, "_nulls": 4, "class_": 5}
    leaf = structure(body, Leaf)
    assert leaf.extra == {key: value for key, value in body.items() if key != "id"}
    assert leaf.to_dict() == body


def test_absent_is_distinguished_from_null() -> None:
    """Both read as None; `fields_set` and `to_dict` distinguish them."""
    course = structure({"id": 1, "name": None}, Course)
    assert course.name is None
    assert course.start_at is None
    assert course.fields_set == {"id", "name"}
    assert course.to_dict() == {"id": 1, "name": None}


def test_objects_with_other_keys_do_not_share_what_was_set() -> None:
    """One converter sees many key sets of one model."""
    one, two = structure([{"id": 1}, {"name": "x"}], list[Course])
    assert (one.fields_set, two.fields_set) == ({"id"}, {"name"})
    for number in range(1200):  # more key sets than are cached
        assert structure({f"x{number}": 1}, Leaf).extra == {f"x{number}": 1}
    assert structure({"id": 1}, Leaf).fields_set == {"id"}


def test_to_dict_has_the_fields_set_since() -> None:
    """A field that was cleared is null, if the server had sent it."""
    course = structure({"id": 1, "name": "x", "term": {"id": 2}}, Course)
    course.course_code, course.name, course.term = "B", None, None
    assert course.to_dict() == {"id": 1, "name": None, "course_code": "B", "term": None}


def test_an_object_of_ones_own_has_all_fields() -> None:
    """No server omitted any of them."""
    term = Term(id=1, name="x")
    assert term.fields_set == {"id", "name", "start_at", "end_at"}
    assert term.to_dict() == {"id": 1, "name": "x", "start_at": None, "end_at": None}


@pytest.mark.parametrize(
    "body",
    [
        {"leaf": None, "leaves": None, "by_name": None, "tags": None, "notes": None, "dates": None},
        {"perhaps": None, "some": None, "anything": None, "name": None},
        {"leaves": [None, {"id": 1}, None], "by_name": {"a": None, "b": {}}},
        {"leaf": {"from": None}, "perhaps": {}, "some": [{}]},
    ],
)
def test_nulls_survive_a_round_trip(body: dict[str, Any]) -> None:
    """Lists, dicts and nested models are then empty, not None, unless they are optional."""
    tree = structure(body, Tree)
    assert isinstance(tree.leaf, Leaf)
    assert isinstance(tree.leaves, list)
    assert isinstance(tree.by_name, dict)
    assert all(isinstance(leaf, Leaf) for leaf in tree.leaves)
    assert tree.to_dict() == body
    assert structure(tree.to_dict(), Tree) == tree


def test_a_null_that_was_filled_since_is_not_null() -> None:
    """`json_value` returns what the caller has set."""
    tree = structure({"leaf": None, "leaves": [None], "tags": None}, Tree)
    tree.leaf.id = 1
    tree.leaves[0].class_ = "x"
    tree.tags.append("t")
    assert json_value(tree) == {"leaf": {"id": 1}, "leaves": [{"class": "x"}], "tags": ["t"]}


def test_fields_named_as_keywords_have_an_underscore_in_python_only() -> None:
    """`class` and `from` are names that the vendors use."""
    leaf = structure({"class": "x", "from": "2026-01-01T00:00:00Z"}, Leaf)
    assert leaf.class_ == "x"
    assert leaf.from_ == datetime(2026, 1, 1, tzinfo=UTC)
    assert leaf.fields_set == {"class_", "from_"}
    assert leaf.to_dict() == {"class": "x", "from": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("value", [1, "1", "21070000000000565", "GUID-1"])
def test_an_id_is_not_converted(value: int | str) -> None:
    """A number or text: converting it would break one of the services."""
    found = structure({"id": value}, Course).id
    assert found == value
    assert type(found) is type(value)


def test_an_unknown_enum_value_is_text() -> None:
    """Canvas adds values; a client must not break when it does."""
    assert structure({"workflow_state": "hibernating"}, Course).workflow_state == "hibernating"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2012-05-05T00:00:00Z", datetime(2012, 5, 5, tzinfo=UTC)),
        ("2012-05-05T00:00:00.250Z", datetime(2012, 5, 5, microsecond=250_000, tzinfo=UTC)),
        (
            "2012-05-05T02:00:00-06:00",
            datetime(2012, 5, 5, 2, tzinfo=timezone(timedelta(hours=-6))),
        ),
        (
            "2012-05-05T02:00:00+05:30",
            datetime(2012, 5, 5, 2, tzinfo=timezone(timedelta(hours=5.5))),
        ),
        ("2017-09-12 12:00:00", datetime(2017, 9, 12, 12, tzinfo=UTC)),
    ],
)
def test_a_datetime_has_a_time_zone(text: str, moment: datetime) -> None:
    """The one that was sent; the form of AB Connect, which has none, is UTC."""
    found = structure({"start_at": text}, Course).start_at
    assert found == moment
    assert found.utcoffset() == moment.utcoffset()
    assert structure({"start_at": json_value(found)}, Course).start_at == moment


def test_a_date_where_a_datetime_is_also_possible() -> None:
    """Course paces have dates in the time zone of the course, and datetimes elsewhere."""
    pace = structure(
        {"start_date": "2026-01-31", "end_date": "2026-02-01T23:59:59-07:00"}, CoursePace
    )
    assert pace.start_date == date(2026, 1, 31)
    assert not isinstance(pace.start_date, datetime)
    assert isinstance(pace.end_date, datetime)
    assert pace.to_dict() == {"start_date": "2026-01-31", "end_date": "2026-02-01T23:59:59-07:00"}
    assert structure({"on": "2026-01-31"}, Leaf).on == date(2026, 1, 31)


def test_python_values_are_not_converted() -> None:
    """Database rows contain datetimes, not text."""
    moment, day = datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 2)
    leaf = structure({"from": moment, "on": day, "either": moment}, Leaf)
    assert (leaf.from_, leaf.on, leaf.either) == (moment, day, moment)


# --- wrapped and scattered bodies ---------------------------------------------------------------


def test_the_wrapper_of_a_pace_is_removed() -> None:
    """Its progress is beside it, and is a model of another module."""
    body: dict[str, Any] = {
        "course_pace": {"id": 5, "modules": [{"id": 1, "items": [{"id": 2}]}]},
        "progress": {"id": 7},
    }
    pace = structure(body, CoursePace)
    assert (pace.id, pace.modules[0].items[0].id) == (5, 2)
    assert isinstance(pace.progress, Progress)
    assert pace.to_dict() == {**body["course_pace"], "progress": {"id": 7}}
    assert structure({"pace": {"id": 5}, "progress": None}, CoursePace).id == 5
    assert structure(pace.to_dict(), CoursePace) == pace


def test_a_resource_of_ab_connect_is_flattened() -> None:
    """Attributes and relationships become fields; the envelope of a single resource is removed."""
    body: dict[str, Any] = {
        "links": {"self": "x"},
        "data": {
            "type": "standards",
            "id": "G",
            "attributes": {
                "guid": "G",
                "number": {"raw": "1"},
                "new": 1,
                "document": {"publication": None},
            },
            "relationships": {
                "parent": {"data": {"type": "standards", "id": "P"}},
                "children": {"data": [], "links": {"related": "y", "next": "z"}},
                "origins": {"data": {}},
            },
            "meta": {"same_text": "Y"},
        },
        "included": [{"type": "standards", "id": "P"}],
        "meta": {"took": 5},
    }
    standard = structure(body, Standard)
    assert (standard.id, standard.number.raw, standard.document.publication.guid) == (
        "G",
        "1",
        None,
    )
    parent = standard.parent.single
    assert parent is not None
    assert (parent.id, parent.resource) == ("P", structure(body["included"][0], Standard))
    assert standard.parent.ids == ["P"]
    assert standard.children.truncated
    assert not standard.parent.truncated
    assert standard.origins.single is None
    assert standard.meta == {"same_text": "Y"}
    assert standard.extra == {"new": 1, "included": body["included"]}
    assert structure(standard.to_dict(), Standard).parent == standard.parent


@pytest.mark.parametrize("data", [None, {}, []])
def test_an_empty_relationship_has_no_object(data: Any) -> None:
    """The service has three ways to send it."""
    relationship = structure({"data": data}, Relationship)
    assert relationship.single is None
    assert relationship.ids == []


def test_sibling_models_are_found_without_an_import() -> None:
    """The documented models form cycles: they are imported for type checkers only."""
    pace = structure({"progress": {"id": 1, "created_at": "2026-01-01T00:00:00Z"}}, CoursePace)
    assert pace.progress.created_at == datetime(2026, 1, 1, tzinfo=UTC)


# --- one of several models -----------------------------------------------------------------------


def test_the_type_selects_one_of_several_models() -> None:
    """In any position and order of the union; fields are converted by that model."""
    cat = {"type": "cats", "id": 1, "born": "2026-01-01T00:00:00Z"}
    dog = {"type": "dogs", "id": 2}
    zoo = structure(
        {
            "star": dog,
            "animals": [dog, cat, dog],
            "by_name": {"a": cat, "b": dog},
            "perhaps": [cat],
        },
        Zoo,
    )
    assert type(zoo.star) is Dog
    assert [type(animal) for animal in zoo.animals] == [Dog, Cat, Dog]
    assert {name: type(animal) for name, animal in zoo.by_name.items()} == {"a": Cat, "b": Dog}
    assert type(zoo.perhaps[0]) is Cat
    assert zoo.animals[1].born == datetime(2026, 1, 1, tzinfo=UTC)
    assert [animal.id for animal in zoo.animals] == [2, 1, 2]


def test_nested_unions_of_models() -> None:
    """A model may contain its own type, and lists of several."""
    body = {"type": "cats", "kittens": [{"type": "dogs"}, {"type": "cats", "kittens": [{}]}]}
    cat = structure(body, Cat)
    assert [type(kitten) for kitten in cat.kittens] == [Dog, Cat]
    assert cat.kittens[1].kittens == [{}]
    assert cat.to_dict() == body


@pytest.mark.parametrize("name", ["Cats", "CATS"])
def test_the_case_of_a_type_is_ignored(name: str) -> None:
    """And not changed."""
    zoo = structure({"star": {"type": name, "id": 1}}, Zoo)
    assert isinstance(zoo.star, Cat)
    assert zoo.to_dict() == {"star": {"type": name, "id": 1}}


@pytest.mark.parametrize(
    "unknown",
    [
        {"type": "fish", "id": 1, "born": "yesterday"},
        {"id": 1},
        {},
        {"type": None, "id": 1},
        {"type": 5},
        {"type": ["cats"]},
        {"type": ""},
        {"type": "cat"},
        {"kind": "cats"},
    ],
)
def test_an_object_of_unknown_type_is_unchanged(unknown: dict[str, Any]) -> None:
    """The vendor adds types: no error, no object of another type, and no lost data."""
    body = {"star": unknown, "animals": [{"type": "cats"}, unknown], "by_name": {"a": unknown}}
    zoo = structure(body, Zoo)
    assert zoo.star == unknown
    assert zoo.animals[1] == zoo.by_name["a"] == unknown
    assert type(zoo.star) is type(zoo.animals[1]) is dict
    assert isinstance(zoo.animals[0], Cat)
    assert zoo.to_dict() == body
    assert structure(zoo.to_dict(), Zoo) == zoo


def test_to_dict_of_a_union_is_what_was_sent() -> None:
    """Also the `type`, which one model has as a field and the other does not."""
    body = {
        "star": None,
        "animals": [{"type": "cats", "id": 1, "new": 1}, {"id": 2, "type": "dogs", "born": None}],
        "by_name": {"a": {"type": "dogs", "born": "2026-01-01T00:00:00Z"}},
    }
    zoo = structure(body, Zoo)
    assert zoo.star is None
    assert zoo.animals[0].extra == {"type": "cats", "new": 1}
    assert zoo.animals[1].type == "dogs"
    assert zoo.to_dict() == body
    assert structure(zoo.to_dict(), Zoo) == zoo
    assert structure(zoo.to_dict(), Zoo).animals[1].fields_set == {"id", "type", "born"}


@pytest.mark.parametrize(
    ("body", "wheres"),
    [
        ({"star": 5}, ["$.star"]),
        ({"star": []}, ["$.star"]),
        ({"animals": [{"type": "cats"}, "dogs"]}, ["$.animals[1]"]),
        ({"animals": [None]}, ["$.animals[0]"]),
        ({"animals": [{"type": "cats", "kittens": "x"}]}, ["$.animals[0].kittens"]),
        (
            {"by_name": {"a": {"type": "cats", "kittens": [{"type": "dogs"}, 5]}}},
            ["$.by_name['a'].kittens[1]"],
        ),
    ],
)
def test_an_error_in_a_union_has_its_path(body: Any, wheres: list[str]) -> None:
    """Through the model that the type selected."""
    with pytest.raises(DecodeError) as caught:
        structure(body, Zoo)
    assert [path.rpartition(" @ ")[2] for path in caught.value.paths] == wheres
    assert "attribute" not in str(caught.value)  # about the value, not about the code


def test_included_objects_are_models() -> None:
    """By the types of AB Connect, in the real models."""
    body: dict[str, Any] = {
        "data": [
            {"type": "standards", "id": "S", "resource": {"type": "standards", "id": "S"}},
            {"type": "standards", "id": "T"},
        ]
    }
    relationship = structure(body, Relationship[Standard])
    assert isinstance(relationship.data[0].resource, Standard)
    assert relationship.data[1].resource is None
    assert structure(body, Relationship).data[0].resource == body["data"][0]["resource"]
    assert relationship.to_dict() == body


# --- generated JSON -----------------------------------------------------------------------------

TEXT = st.text(max_size=8)
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MOMENTS = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001 - bounds are naive
    timezones=st.just(UTC)
    | st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
).map(lambda moment: moment.isoformat().replace("+00:00", "Z"))
IDS = st.integers(0, 2**63 - 1) | TEXT


def objects(known: dict[str, Any], unknown: str = "x") -> st.SearchStrategy[dict[str, Any]]:
    """Any of the known members, each sometimes null, beside unknown ones."""
    members = st.fixed_dictionaries({}, optional={k: st.none() | v for k, v in known.items()})
    more = st.dictionaries(TEXT.map(lambda name: f"{unknown}{name}"), ANY, max_size=2)
    return st.builds(lambda a, b: {**b, **a}, members, more)


LEAVES = objects(
    {"id": IDS, "class": TEXT, "from": MOMENTS, "type": TEXT, "on": st.dates().map(date.isoformat)}
)
TREES = objects(
    {
        "name": TEXT,
        "leaf": LEAVES,
        "perhaps": LEAVES,
        "leaves": st.lists(st.none() | LEAVES, max_size=3),
        "by_name": st.dictionaries(TEXT, st.none() | LEAVES, max_size=3),
        "tags": st.lists(TEXT),
        "notes": st.dictionaries(TEXT, ANY, max_size=3),
        "dates": st.lists(MOMENTS, max_size=3),
        "some": st.lists(LEAVES, max_size=2),
        "anything": ANY,
    }
)
TERMS = objects({"id": IDS, "name": TEXT, "start_at": MOMENTS})
COURSES = objects(
    {
        "id": IDS,
        "name": TEXT,
        "created_at": MOMENTS,
        "term": TERMS,
        "concluded": st.booleans(),
        "teachers": st.lists(st.dictionaries(TEXT, ANY, max_size=2), max_size=2),
        "blueprint_restrictions_by_object_type": st.dictionaries(
            TEXT, objects({"content": st.booleans()}), max_size=2
        ),
    }
)
MODULES = objects(
    {
        "id": IDS,
        "items": st.lists(objects({"id": IDS, "type": TEXT}), max_size=3),
        "prerequisite_module_ids": st.lists(IDS),
    }
)
CONTEXTS = objects(
    {"type": TEXT, "item_id": IDS, "applied_pace": objects({"last_modified": MOMENTS})}
)
RELATED = objects(
    {
        "data": st.lists(
            objects({"id": TEXT, "type": TEXT, "meta": st.dictionaries(TEXT, ANY, max_size=2)}),
            max_size=3,
        )
    }
)
ATTRIBUTES = objects(
    {
        "guid": TEXT,
        "level": st.integers(),
        "number": objects({"raw": TEXT}),
        "utilizations": st.lists(objects({"type": TEXT}), max_size=2),
    }
)
STANDARDS = objects(
    {
        "id": TEXT,
        "type": TEXT,
        "meta": st.dictionaries(TEXT, ANY, max_size=2),
        "attributes": ATTRIBUTES,
        "relationships": objects({"children": RELATED}, "y"),
    },
    "z",
)


@pytest.mark.parametrize(
    ("tp", "bodies"),
    [(Tree, TREES), (Course, COURSES), (Module, MODULES), (PaceContext, CONTEXTS)],
    ids=["Tree", "Course", "Module", "PaceContext"],
)
def test_to_dict_is_what_was_sent(tp: type[Model], bodies: st.SearchStrategy[Any]) -> None:
    """Unchanged except for the form of datetimes; read again, it is an equal object."""

    @given(bodies)
    def check(body: dict[str, Any]) -> None:
        found = structure(body, tp)
        assert normal(found.to_dict()) == normal(body)
        assert structure(found.to_dict(), tp) == found
        assert repr(found).startswith(f"{tp.__name__}(")

    check()


@given(STANDARDS)
def test_to_dict_of_a_resource_is_flat(body: dict[str, Any]) -> None:
    """Without the JSON:API structure, but complete."""
    flat = {key: value for key, value in body.items() if key not in ("attributes", "relationships")}
    attributes, relationships = body.get("attributes"), body.get("relationships")
    if attributes is None and relationships is None:
        flat = body
    flat = {**flat, **(attributes or {}), **(relationships or {})}
    found = structure(body, Standard)
    assert found.to_dict() == flat
    assert structure(found.to_dict(), Standard) == found


@given(ANY)
def test_any_json_is_an_object_or_a_decode_error(body: Any) -> None:
    """Never an error of another library."""
    for tp in (Tree, Course, CoursePace, Standard, Event, list[Course], dict[str, Leaf]):
        caught = None
        try:
            structure(body, tp)
        except DecodeError as error:
            caught = error
        assert caught is None or caught.paths


def normal(value: Any) -> Any:
    """The value with each datetime as a timestamp."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, str) and len(value) > len("2026-01-31"):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            return value
    return value


# --- mismatches ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "tp", "wheres"),
    [
        ("text", Course, ["$"]),
        ([], Course, ["$"]),
        ({"teachers": {}}, Course, ["$.teachers"]),
        ({"created_at": 5, "teachers": {}, "term": 5}, Course, ["$.term", "$.teachers"]),
        ({"modules": [{}, {"items": [{}, {}, "x"]}]}, CoursePace, ["$.modules[1].items[2]"]),
        ({"course_pace": {"modules": 5}}, CoursePace, ["$.modules"]),
        ({"by_name": {"a": {}, "b": 5}}, Tree, ["$.by_name['b']"]),
        ({"dates": "2026-01-01T00:00:00Z"}, Tree, ["$.dates"]),
        ({"perhaps": 5, "some": [5]}, Tree, ["$.perhaps", "$.some[0]"]),
        ([{"id": 1}, 5], list[Course], ["$[1]"]),
        ({"attributes": {"number": []}}, Standard, ["$.number"]),
        ({"id": "x", "attributes": {}, "relationships": "x"}, Standard, ["$"]),
    ],
)
def test_a_mismatch_is_reported_with_its_path(body: Any, tp: Any, wheres: list[str]) -> None:
    """All mismatches, each with its path."""
    with pytest.raises(DecodeError) as caught:
        structure(body, tp)
    assert sorted(path.rpartition(" @ ")[2] for path in caught.value.paths) == sorted(wheres)
    assert all(where in str(caught.value) for where in wheres)


def test_the_detailed_converter_returns_the_same() -> None:
    """The slow one is for the second attempt, and for tests of models."""
    slow = Converter(detailed=True)
    body = {"leaves": [{"id": 1}], "by_name": {"a": {"class": "x"}}}
    assert slow.structure(body, Tree) == structure(body, Tree)
    with pytest.raises(DecodeError, match=r"\$\.leaves"):
        slow.structure({"leaves": 5}, Tree)


# --- reprs --------------------------------------------------------------------------------------


def test_a_repr_shows_what_is_set() -> None:
    """Canvas courses have sixty fields, most of them not sent."""
    assert repr(structure({"id": 1, "name": "x", "new": 1}, Course)) == "Course(id=1, name='x')"
    assert repr(ModuleItem()) == "ModuleItem()"


def test_a_repr_is_one_bounded_line() -> None:
    """A server chooses the values: a page of HTML is shown in part, and controls are escaped."""
    text = repr(structure({"id": 1, "name": "\x1b[2J\n\u202e" + "x" * 60_000}, Course))
    assert text.startswith(r"Course(id=1, name='\x1b[2J\n\u202exxx")
    assert "xxx...xxx" in text
    assert text.isprintable()
    assert len(text) < 1_100
