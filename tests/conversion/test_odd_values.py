"""One odd value does not cost its object, and nothing that was sent is lost."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.canvas.courses import Course, Term
from aioinstructure.conversion.converter import Converter
from aioinstructure.conversion.fields import ByTag, renamed
from aioinstructure.conversion.model import Model
from aioinstructure.errors import DecodeError, InputError

CONVERTER = Converter()
DENVER = timezone(timedelta(hours=-7))


@define
class Dates(Model):
    """Dates in all positions."""

    at: datetime | None = None
    on: date | None = None
    either: datetime | date | None = None
    many: list[datetime] = field(factory=list)
    some: list[date] | None = None
    named: dict[str, date] = field(factory=dict)
    text: datetime | str | None = None
    inner: Dates | None = None


def structure(value: Any, tp: Any) -> Any:
    return CONVERTER.structure(value, tp)


# --- dates -----------------------------------------------------------------------------------

UNREADABLE: list[Any] = [
    "",
    "20201-08-26T04:59:59Z",
    "2020-01-01T24:00:00Z",
    "2020-01-01T24:00:00-07:00",
    "2020-01-01T23:59:60Z",
    "2019-02-30",
    "2019-02-30T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "019-11-01T00:00:00Z",
    "tomorrow",
    1_577_836_800,
    1.5,
    True,
    {"year": 2020},
    ["2020-01-01"],
]


@pytest.mark.parametrize("raw", UNREADABLE, ids=repr)
@pytest.mark.parametrize("name", ["at", "on", "either"])
def test_a_date_that_cannot_be_read_is_none(name: str, raw: Any) -> None:
    """Its object is there, and says what was sent; a copy of it too."""
    body = {name: raw, "inner": {"at": "2026-01-01T00:00:00Z"}}
    found = structure(body, Dates)
    for each in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):  # noqa: S301 - pickled here
        assert getattr(each, name) is None
        assert each.unreadable == {name: raw}
        assert each.to_dict() == body
        assert json.loads(each.to_json()) == body
    assert found.inner.unreadable == {}
    assert structure(found.to_dict(), Dates) == found


@pytest.mark.parametrize("raw", UNREADABLE, ids=repr)
def test_the_rest_of_a_list_is_there(raw: Any) -> None:
    """The objects before and after it, and their dates."""
    body = [{"id": 1}, {"id": 2, "start_at": raw}, {"id": 3, "start_at": "2020-08-26T04:59:59Z"}]
    found = structure(body, list[Course])
    assert [course.id for course in found] == [1, 2, 3]
    assert [course.start_at for course in found[:2]] == [None, None]
    assert found[2].start_at == datetime(2020, 8, 26, 4, 59, 59, tzinfo=UTC)
    assert [course.to_dict() for course in found] == body


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("at", "2013-01-23", datetime(2013, 1, 23, tzinfo=UTC)),
        ("at", "2013-01-23T23:59:00-07:00", datetime(2013, 1, 23, 23, 59, tzinfo=DENVER)),
        ("at", "2013-01-23T23:59:00-0700", datetime(2013, 1, 23, 23, 59, tzinfo=DENVER)),
        ("at", "2013-01-23T23:59:00+00:00", datetime(2013, 1, 23, 23, 59, tzinfo=UTC)),
        ("at", "2013-01-23T23:59:00-00:00", datetime(2013, 1, 23, 23, 59, tzinfo=UTC)),
        ("at", "2013-01-23 23:59:00Z", datetime(2013, 1, 23, 23, 59, tzinfo=UTC)),
        ("at", "2013-01-23T23:59:00.500Z", datetime(2013, 1, 23, 23, 59, 0, 500_000, tzinfo=UTC)),
        ("at", "2013-01-23T23:59:00", datetime(2013, 1, 23, 23, 59, tzinfo=UTC)),
        ("at", "20130123T235900Z", datetime(2013, 1, 23, 23, 59, tzinfo=UTC)),
        ("at", "2013-W04-3T23:59:00Z", datetime(2013, 1, 23, 23, 59, tzinfo=UTC)),
        ("on", "2013-01-23T23:59:00-07:00", date(2013, 1, 23)),
        ("on", "2013-01-23T00:00:00Z", date(2013, 1, 23)),
        ("on", "2013-01-23", date(2013, 1, 23)),
        ("either", "2013-01-23", date(2013, 1, 23)),
        ("either", "2013-01-23T00:00:00Z", datetime(2013, 1, 23, tzinfo=UTC)),
        ("text", "2013-01-23T00:00:00Z", datetime(2013, 1, 23, tzinfo=UTC)),
        ("text", "soon", "soon"),
    ],
)
def test_to_dict_is_what_came(name: str, raw: str, value: Any) -> None:
    """In the form in which it came, until the field is set."""
    found = structure({name: raw}, Dates)
    assert getattr(found, name) == value
    assert type(getattr(found, name)) is type(value)
    assert found.to_dict() == {name: raw}
    assert found.unreadable == {}
    setattr(found, name, datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert found.to_dict() == {name: "2030-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ({"many": ["2013-01-23T00:00:00Z", None, "x"]}, [datetime(2013, 1, 23, tzinfo=UTC), None, None]),
        ({"some": ["2013-01-23T00:00:00Z", 5]}, [date(2013, 1, 23), None]),
        ({"named": {"1": "2013-01-23", "2": "", "3": None}}, {"1": date(2013, 1, 23), "2": None, "3": None}),
        ({"many": None}, []),
        ({"some": None}, None),
        ({"named": None}, {}),
        ({"many": []}, []),
    ],
)  # fmt: skip
def test_dates_in_lists_and_objects(body: dict[str, Any], values: Any) -> None:
    """Null and what cannot be read are None; the others are read."""
    (name,) = body
    found = structure(body, Dates)
    assert getattr(found, name) == values
    assert found.to_dict() == body
    lost = "x" in str(body) or "5]" in str(body) or "''" in str(body)
    assert found.unreadable == (body if lost else {})


def test_a_list_that_was_changed_is_written_as_it_is() -> None:
    """What was sent is kept only for a value that nobody has changed."""
    found = structure({"many": ["2013-01-23", "x"]}, Dates)
    found.many.append(datetime(2030, 1, 1, tzinfo=UTC))
    assert found.to_dict() == {"many": ["2013-01-23T00:00:00Z", None, "2030-01-01T00:00:00Z"]}


@pytest.mark.parametrize("value", [5, "2013-01-23", {}, True])
def test_a_list_of_dates_is_a_list(value: Any) -> None:
    """Containers are checked."""
    with pytest.raises(DecodeError, match=r"\$\.many"):
        structure({"many": value}, Dates)


@pytest.mark.parametrize("tp", [datetime, list[datetime], dict[str, date], datetime | None])
def test_a_result_of_dates_has_no_model_that_keeps_what_came(tp: Any) -> None:
    """What cannot be read is a DecodeError; null in a list is None."""
    raw: Any = "2013-01-23"
    for body in (raw, [raw, None], {"a": raw, "b": None}):
        if isinstance(body, str) != (tp in (datetime, datetime | None)):
            continue
        if isinstance(body, dict) != (tp == dict[str, date]):
            continue
        assert structure(body, tp)
        spoilt = json.loads(json.dumps(body).replace(raw, "never"))
        with pytest.raises(DecodeError, match="expected dates"):
            structure(spoilt, tp)


@given(st.datetimes(timezones=st.sampled_from([UTC, DENVER, timezone(timedelta(minutes=345))])))
def test_every_datetime_is_written_as_it_came(moment: datetime) -> None:
    """In the usual form, and in others."""
    for raw in (moment.isoformat(), moment.isoformat(" "), moment.isoformat(timespec="seconds")):
        body = {"at": raw, "either": raw, "many": [raw]}
        assert structure(body, Dates).to_dict() == body


@given(st.text(alphabet="0123456789-:.TZW+ ", max_size=30))
def test_every_text_is_written_as_it_came(raw: str) -> None:
    """Whatever it is."""
    for name in ("at", "on", "either", "text"):
        assert structure({name: raw}, Dates).to_dict() == {name: raw}


def test_threads_do_not_mix_what_they_keep() -> None:
    """Clients in two event loops share a converter."""
    failures: list[Any] = []

    def convert(raw: str) -> None:
        for _ in range(2_000):
            found = structure({"inner": {"at": raw}, "at": raw}, Dates)
            if found.to_dict() != {"inner": {"at": raw}, "at": raw}:
                failures.append(found)

    threads = [threading.Thread(target=convert, args=(raw,)) for raw in ("x", "2013-01-23")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# --- unions ----------------------------------------------------------------------------------


@define
class Left(Model):
    """One of two."""

    id: int | None = None


@define
class Right(Model):
    """The other."""

    id: int | None = None


@define
class Quiz(Model):
    """Fields whose type is not always the same."""

    term: Term | bool | None = None
    tags: str | list[str] | None = None
    places: list[Left] | dict[str, Right] | None = None
    points: int | list[int] | None = None
    entry_type: str | None = None
    entry: Annotated[Left | Right | None, ByTag("entry_type", {"L": Left, "R": Right})] = None
    content_type: str | None = renamed("content-type")


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ({"term": False}, "term", False),
        ({"term": {"id": 1}}, "term", Term(id=1)),
        ({"term": None}, "term", None),
        ({"tags": ["a"]}, "tags", ["a"]),
        ({"tags": "a"}, "tags", "a"),
        ({"places": {}}, "places", {}),
        ({"places": []}, "places", []),
        ({"places": [{"id": 1}]}, "places", [Left(id=1)]),
        ({"places": {"a": {"id": 1}}}, "places", {"a": Right(id=1)}),
        ({"points": 5}, "points", 5),
        ({"points": "5"}, "points", "5"),
        ({"points": 5.5}, "points", 5.5),
        ({"entry_type": "L", "entry": {"id": 1}}, "entry", Left(id=1)),
        ({"entry_type": "R", "entry": {"id": 1}}, "entry", Right(id=1)),
        ({"entry": {"id": 1, "entry_type": "R"}}, "entry", Right(id=1)),
        ({"entry_type": "new", "entry": {"id": 1}}, "entry", {"id": 1}),
        ({"entry_type": ["L"], "entry": {"id": 1}}, "entry", {"id": 1}),
        ({"entry_type": "L", "entry": None}, "entry", None),
        ({"entry_type": "L", "entry": 5}, "entry", 5),
        ({"content-type": "text/csv"}, "content_type", "text/csv"),
    ],
)
def test_the_kind_of_json_or_a_tag_selects_the_member(
    body: dict[str, Any], name: str, value: Any
) -> None:
    """And what was sent is written back."""
    found = getattr(structure(body, Quiz), name)
    if isinstance(found, Model):
        found.extra.clear()
    assert found == value
    assert type(found) is type(value)
    assert structure(body, Quiz).to_dict() == body


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"term": []}, "expected an object or true or false, got [] @ $.term"),
        ({"tags": {}}, "expected a list or text, got {} @ $.tags"),
        ({"places": "x"}, "expected a list or an object, got 'x' @ $.places"),
        ({"places": [5]}, "expected an object, got 5 @ $.places[0]"),
        ({"entry_type": "L", "entry": {"id": 1, "extra": 1}, "places": 5}, "$.places"),
    ],
)
def test_a_kind_that_no_member_has(body: dict[str, Any], path: str) -> None:
    """A DecodeError that names what was expected, and where."""
    with pytest.raises(DecodeError) as caught:
        structure(body, Quiz)
    assert path in caught.value.paths[0]


def test_a_mismatch_below_a_tag_has_its_path() -> None:
    """Through the field."""

    @define
    class Holder(Model):
        entry: Annotated[Quiz | None, ByTag("kind", {"q": Quiz})] = None

    with pytest.raises(DecodeError) as caught:
        structure({"kind": "q", "entry": {"places": [5]}}, Holder)
    assert caught.value.paths == ["expected an object, got 5 @ $.entry.places[0]"]


def test_models_that_nothing_tells_apart_are_refused() -> None:
    """When the model is first used, not with some body years later."""

    @define
    class Unclear(Model):
        one: Left | Right | None = None

    with pytest.raises(InputError, match="ByTag"):
        structure({}, Unclear)


@pytest.mark.parametrize("tp", [object(), tuple[int, ...] | set[int], Left | complex])
def test_a_type_that_no_json_becomes_is_an_input_error(tp: Any) -> None:
    """Never an error of the library that converts."""
    with pytest.raises(InputError, match="cannot be converted"):
        structure([1], tp)


# --- results ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tp", "right", "wrong"),
    [
        (bool, [True, False], [None, "false", 0, 1, {}, []]),
        (str, ["", "a"], [None, {"a": 1}, 5, ["a"], True]),
        (int, [0, 2**70], [None, 5.7, "5", True, {}]),
        (float, [0, 1.5], [None, "1.5", True, []]),
        (int | str, [1, "1"], [None, 1.5, True, {}]),
        (str | None, [None, "a"], [5, {}]),
        (list[str], [[], ["a", 5]], [None, "a", {}]),
    ],
)
def test_a_scalar_that_is_the_whole_result_is_checked(
    tp: Any, right: list[Any], wrong: list[Any]
) -> None:
    """It is not converted to the type."""
    for value in right:
        assert structure(value, tp) == value
    for value in wrong:
        with pytest.raises(DecodeError, match="expected"):
            structure(value, tp)


def nested(levels: int, inner: Any = 1) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


def test_deep_values_are_no_recursion_errors() -> None:
    """Where nothing looks into them they are kept; elsewhere they are a DecodeError."""
    deep: Any = {"inner": None}
    for _ in range(2_000):
        deep = {"inner": deep}
    with pytest.raises(DecodeError, match="nested too deep"):
        structure(deep, Dates)
    course = structure({"id": nested(2_000), "new": nested(2_000)}, Course)
    assert len(repr(course)) < 2_000
    assert repr(course).startswith("Course(id=[[[")
    with pytest.raises(DecodeError, match=r"expected a list") as caught:
        structure({"teachers": {"a": nested(2_000)}}, Course)
    assert len(str(caught.value)) < 500


def test_a_repr_of_models_in_models_ends() -> None:
    """However deep they are."""
    inner = Dates()
    for _ in range(2_000):
        inner = Dates(inner=inner)
    assert len(repr(inner)) < 10_000


def test_integers_of_any_size_are_kept() -> None:
    """In `to_json` too."""
    course = structure({"id": 2**70, "new": -(2**70)}, Course)
    assert course.id == 2**70
    assert json.loads(course.to_json()) == {"id": 2**70, "new": -(2**70)}
