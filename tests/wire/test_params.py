"""Conversion of Python values to path segments, query pairs and JSON bodies."""

from __future__ import annotations

import copy
import enum
import json
import math
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure._types import UNSET
from aioinstructure.errors import InputError
from aioinstructure.wire.params import (
    checked_headers,
    comma_pairs,
    form_body,
    json_body,
    path_segment,
    query_string,
    rails_pairs,
    timestamp,
)


class Color(str, enum.Enum):  # noqa: UP042 - its str() is not its value
    """A caller's enum that is text."""

    RED = "red"


class Level(enum.IntEnum):
    """A caller's enum that is a number."""

    TOP = 1


class Shade(enum.Enum):
    """An enum whose values do not say how they are sent."""

    DARK = object()


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("term", [("a", "term")]),
        ("", [("a", "")]),
        (5, [("a", "5")]),
        (0.5, [("a", "0.5")]),
        (True, [("a", "true")]),
        (False, [("a", "false")]),
        (None, []),
        (UNSET, []),
        (["x", "y"], [("a[]", "x"), ("a[]", "y")]),
        (("x", None, UNSET, "y"), [("a[]", "x"), ("a[]", "y")]),
        ({"b": 1}.keys(), [("a[]", "b")]),
        ([], []),
        ({}, []),
        ({"b": "x", "c": None}, [("a[b]", "x")]),
        ({"b": {"c": [1, False]}}, [("a[b][c][]", "1"), ("a[b][c][]", "false")]),
        ([{"b": 1}, {"b": 2}], [("a[][b]", "1"), ("a[][b]", "2")]),
        (MOMENT, [("a", "2026-03-01T10:30:00Z")]),
        (date(2026, 3, 1), [("a", "2026-03-01")]),
        (Color.RED, [("a", "red")]),
        (Level.TOP, [("a", "1")]),
        (Decimal("1.50"), [("a", "1.50")]),
    ],
    ids=repr,
)
def test_rails_pairs_use_brackets(value: Any, pairs: list[tuple[str, str]]) -> None:
    """Lists and dicts become brackets, flags text, times UTC; None and UNSET are not sent."""
    assert list(rails_pairs("a", value)) == pairs


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        (["number", "statement.descr"], [("f", ("number", "statement.descr"))]),
        ("number,statement", [("f", "number,statement")]),
        ([1, True, None, UNSET], [("f", ("1", "true"))]),
        ([None], []),
        ([], []),
        (None, []),
        (UNSET, []),
        (7, [("f", "7")]),
        ([Color.RED], [("f", ("red",))]),
    ],
    ids=repr,
)
def test_lists_are_joined_by_commas_for_ab_connect(
    value: Any, pairs: list[tuple[str, str]]
) -> None:
    """A list is one parameter, an empty list none."""
    assert list(comma_pairs("f", value)) == pairs


@pytest.mark.parametrize("value", [["a,b"], ["a", ""]])
def test_a_name_with_a_comma_and_an_empty_name_are_refused(value: list[str]) -> None:
    """They would be read as two names, or as none."""
    with pytest.raises(InputError, match=r"^f has"):
        list(comma_pairs("f", value))


@pytest.mark.parametrize("encode", [rails_pairs, comma_pairs])
@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001 - intentionally naive
        math.nan,
        math.inf,
        b"bytes",
        bytearray(b"bytes"),
        object(),
        (x for x in "ab"),
        Shade.DARK,
        len,
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_without_a_query_form_are_refused(
    encode: Callable[[str, Any], Any], value: Any
) -> None:
    """The message names the parameter, and text such as "<generator ...>" is never sent."""
    with pytest.raises(InputError, match=r"\bsince\b"):
        list(encode("since", value))


def test_comma_pairs_refuse_a_dict() -> None:
    """AB Connect has no brackets: a dict would be sent as Python prints it."""
    with pytest.raises(InputError, match="filter"):
        list(comma_pairs("filter", {"a": 1}))


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT)))
def test_a_query_survives_a_round_trip(pairs: list[tuple[str, str]]) -> None:
    """No name or value can add another parameter."""
    assert parse_qsl(query_string(pairs), keep_blank_values=True) == pairs


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT)))
def test_a_query_is_plain_ascii(pairs: list[tuple[str, str]]) -> None:
    """So that no proxy encodes it again."""
    text = query_string(pairs)
    assert text.isascii()
    assert not set(text) & set(" #?/[]\r\n\"'<>")


@pytest.mark.parametrize("pair", [("a\ud800", "x"), ("a", "\ud800")])
def test_lone_surrogates_are_refused(pair: tuple[str, str]) -> None:
    """UTF-8 cannot encode them, in names and in values."""
    with pytest.raises(InputError, match="UTF-8"):
        query_string([pair])


# --- path segments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        (0, "0"),
        (2**63 - 1, "9223372036854775807"),
        ("sis_course_id:CS/101.11é", "sis_course_id:CS%2F101%2E11%C3%A9"),
        ("2107~565", "2107~565"),
        ("a b?c#d%2F", "a%20b%3Fc%23d%252F"),
        ("...", "%2E%2E%2E"),
        (Level.TOP, "1"),
        (Color.RED, "red"),
        (" x ", "%20x%20"),
    ],
)
def test_an_id_is_escaped_as_canvas_reads_it(value: int | str, segment: str) -> None:
    """Slash, dot and all that ends a path are escaped; colon and tilde belong to ids."""
    assert path_segment("id", value) == segment


@pytest.mark.parametrize(
    "value", [True, -1, 2**63, "", "  ", "\n", None, 1.5, b"1", [1], UNSET, "a\ud800"], ids=repr
)
def test_invalid_ids_are_refused(value: Any) -> None:
    """The message names the parameter and shows the value."""
    with pytest.raises(InputError, match=r"^course_id must|^course_id cannot be encoded"):
        path_segment("course_id", value)


@pytest.mark.parametrize("value", [".", "..", "../accounts", "a/../../b", "a/.", "..\\b"])
def test_dot_segments_are_refused(value: str) -> None:
    """Proxies decode a path and resolve its dots before Canvas sees it."""
    with pytest.raises(InputError, match=r"must not have '\.' or '\.\.'"):
        path_segment("id", value)


@given(st.one_of(st.integers(0, 2**63 - 1), TEXT))
def test_an_id_stays_one_segment(value: int | str) -> None:
    """Any id is one segment that decodes to itself."""
    try:
        segment = path_segment("id", value)
    except InputError:
        return
    assert unquote(segment) == str(value)
    assert segment.isascii()
    assert not set(segment) & set("/?#. \\")


def test_unset_is_a_singleton() -> None:
    """Falsy, printed by its name, identical after a copy and in another process."""
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301 - pickled here


# --- timestamps and bodies ----------------------------------------------------------------------


@given(st.datetimes(timezones=st.timezones()))
def test_a_timestamp_is_the_same_time(moment: datetime) -> None:
    """In UTC, with a Z."""
    try:
        text = timestamp("at", moment)
    except InputError:
        assert moment.year in (1, 9999)
        return
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)


def test_a_body_keeps_null_and_drops_unset_at_any_depth() -> None:
    """None clears a field, UNSET does not change it."""
    body = {
        "a": None,
        "b": UNSET,
        "c": {"d": UNSET, "e": None, "f": [UNSET, {"g": UNSET}, None]},
        "at": MOMENT,
        "on": date(2026, 3, 1),
        "color": Color.RED,
        "level": Level.TOP,
        "flag": True,
        "set": {1}.union(),
    }
    assert json.loads(json_body(body)) == {
        "a": None,
        "c": {"e": None, "f": [{}, None]},
        "at": "2026-03-01T10:30:00Z",
        "on": "2026-03-01",
        "color": "red",
        "level": 1,
        "flag": True,
        "set": [1],
    }


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001
        math.nan,
        -math.inf,
        b"bytes",
        object(),
        2**64,
        -(2**64),
        "\ud800",
        (x for x in "ab"),
        {"\ud800": 1},
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"due_at": v}])
def test_values_without_a_json_form_are_refused(value: Any, wrap: Callable[[Any], Any]) -> None:
    """With the name of the field, at any depth; errors of orjson are never raised."""
    with pytest.raises(InputError, match="due_at"):
        json_body({"due_at": wrap(value)})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=15,
)


@given(st.dictionaries(TEXT.filter(lambda name: "[" not in name), JSON))
def test_a_json_body_is_sent_unchanged(body: dict[str, Any]) -> None:
    """A value that is already JSON is not changed."""
    assert json.loads(json_body(body)) == body


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"include[]": ["term", "sections"]}, "include%5B%5D=term&include%5B%5D=sections"),
        ({"include": ["term"]}, "include%5B%5D=term"),
        ({"include[]": "term"}, "include%5B%5D=term"),
        ({"course[name]": "x"}, "course%5Bname%5D=x"),
        ({"grades[]": [{"id": 1}]}, "grades%5B%5D%5Bid%5D=1"),
    ],
)
def test_a_name_may_have_its_brackets_already(params: dict[str, Any], query: str) -> None:
    """As the pages of Canvas print it; `include[][]` would be ignored there in silence."""
    pairs = [pair for name, value in params.items() for pair in rails_pairs(name, value)]
    assert query_string(pairs) == query
    assert form_body(params) == query.encode()


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"course[name]": "x", "course[code]": "y"}, {"course": {"name": "x", "code": "y"}}),
        ({"course[tags][]": ["a"], "x": 1}, {"course": {"tags": ["a"]}, "x": 1}),
        ({"a[b][c]": 1, "a[b][d]": None}, {"a": {"b": {"c": 1, "d": None}}}),
        ({"a": {"c": 2}, "a[b]": 1}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"x[y]": 1}}, {"a": {"x[y]": 1}}),
        ({"a[b]": UNSET, "c": 1}, {"c": 1}),
    ],
)
def test_names_with_brackets_are_nested_in_a_body(fields: Any, body: Any) -> None:
    """At the top of the body, where the pages of Canvas print them; deeper names are data."""
    assert orjson.loads(json_body(fields)) == body


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"a[": 1}, "brackets that do not match"),
        ({"a]b[": 1}, "brackets that do not match"),
        ({"[a]": 1}, "brackets that do not match"),
        ({"a[][b]": 1}, "brackets that do not match"),
        ({"a": 1, "a[b]": 2}, "does not fit"),
        ({"a[b]": 1, "a[b][]": [2]}, "given twice"),
    ],
)
def test_names_that_do_not_fit_together_are_refused(fields: Any, message: str) -> None:
    """With the name, instead of a body that Canvas reads in another way."""
    with pytest.raises(InputError, match=message):
        json_body(fields)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x y": "1"}, "not a name"),
        ({"": "1"}, "not a name"),
        ({"X-A": "1\r\nX-B: 2"}, "'X-A' must be printable"),
        ({"X-A": "\u00e9"}, "'X-A' must be printable"),
        ({"X-A": 5}, "'X-A' must be printable"),
        ({"Authorization": "Bearer s3cret"}, "'Authorization' is set by the client"),
        ({"HOST": "other.test"}, "'HOST' is set by the client"),
    ],
)
def test_headers_that_cannot_be_added_are_refused(headers: Any, message: str) -> None:
    """The message names the field and not its value."""
    with pytest.raises(InputError, match=message) as caught:
        checked_headers(headers)
    assert "s3cret" not in str(caught.value)


def nested(levels: int, make: Callable[[Any], Any]) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = make(value)
    return value


CYCLE: dict[str, Any] = {}
CYCLE["a"] = CYCLE
RING: list[Any] = []
RING.append(RING)


@pytest.mark.parametrize(
    "value",
    [
        CYCLE,
        RING,
        {"a": RING},
        nested(3_000, lambda inner: [inner]),
        nested(3_000, lambda inner: {"a": inner}),
        nested(51, lambda inner: {"a": inner}),
    ],
    ids=["cycle", "ring", "ring in a dict", "lists", "objects", "one too many"],
)
def test_what_is_nested_too_deep_is_an_input_error(value: Any) -> None:
    """Also what contains itself: in a query, in JSON and in a form."""
    for encode in (
        lambda: list(rails_pairs("x", value)),
        lambda: json_body({"x": value}),
        lambda: form_body({"x": value}),
    ):
        with pytest.raises(InputError, match="nested too deep") as caught:
            encode()
        assert len(str(caught.value)) < 300


def test_fifty_levels_are_sent() -> None:
    """More than any operation has."""
    value = nested(49, lambda inner: {"a": inner})
    assert json_body({"x": value}).count(b"a") == 49
    assert len(list(rails_pairs("x", value))) == 1
