"""Filters, paths and sort keys as values that print as the text of the API."""

from __future__ import annotations

import copy
import enum
import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.abconnect import F, Filter, Path
from aioinstructure.abconnect.filters.expressions import (
    Raw,
    checked_filter,
    isempty,
    parse_filter,
    query,
)
from aioinstructure.errors import InputError


class Status(str, enum.Enum):  # noqa: UP042 - whose str() is not its value
    """An enum defined by a caller."""

    ACTIVE = "active"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (F.document.guid == "6C2635F0", "document.guid eq '6C2635F0'"),
        (F.status != "deleted", "status ne 'deleted'"),
        (F.level > 1, "level gt 1"),
        (F.level >= 1, "level ge 1"),
        (F.level < 2.5, "level lt 2.5"),
        (F.level <= -1, "level le -1"),
        (F.level == 1, "level eq 1"),
        (F.deepest == True, "deepest eq 'Y'"),  # noqa: E712 - a condition
        (F.in_list == False, "in_list eq 'N'"),  # noqa: E712
        (F.status == Status.ACTIVE, "status eq 'active'"),
        (F.statement.descr == "it's", r"statement.descr eq 'it\'s'"),
        (F["custom_attributes"]["color"] == "é", "custom_attributes.color eq 'é'"),
        (F["peers.id"] == "x", "peers.id eq 'x'"),
        (F.class_ == 1, "class eq 1"),
        (F["_id"] == 1, "_id eq 1"),
        (F.status.in_("active"), "status in ('active')"),
        (F.level.in_(1, 2), "level in (1,2)"),
        (F.peers.isempty(), "isempty(peers)"),
        (F.statement.descr.query("whole numbers"), "query(statement.descr,'whole numbers')"),
        (F.query("numbers"), "query('numbers')"),
        (F.date_modified_utc > date(2020, 3, 12), "date_modified_utc gt '2020-03-12'"),
        (
            F.d >= datetime(2017, 9, 12, 14, tzinfo=timezone(timedelta(hours=2))),
            "d ge '2017-09-12 12:00:00'",
        ),
        (F.d > datetime(2017, 9, 12, 12, 0, 0, 999_999, UTC), "d gt '2017-09-12 12:00:00'"),
        (F.d > datetime(900, 1, 1, tzinfo=UTC), "d gt '0900-01-01 00:00:00'"),
        ((F.a == 1) & (F.b == 2), "(a eq 1) and (b eq 2)"),
        ((F.a == 1) | (F.b == 2), "(a eq 1) or (b eq 2)"),
        (~(F.a == 1), "not (a eq 1)"),
        (
            (F.a == 1) & ~F.b.in_("x") | F.c.isempty(),
            "((a eq 1) and (not (b in ('x')))) or (isempty(c))",
        ),
        ((F.a == 1) & (F.b == 2) & (F.c == 3), "(a eq 1) and (b eq 2) and (c eq 3)"),
        ((F.a == 1) | ((F.b == 2) | (F.c == 3)), "(a eq 1) or (b eq 2) or (c eq 3)"),
        (~F.peers.isempty(), "not isempty(peers)"),
        (parse_filter("a EQ 1") & (F.b == 2), "(a eq 1) and (b eq 2)"),
        (F.owner.id == Raw("_all"), "owner.id eq _all"),
        (F.a == Raw("'C:\\x'"), "a eq 'C:\\x'"),
        (F[Raw("new")].property > 1e-7, "new.property gt 0.0000001"),
        (F.a == 1e22, "a eq 10000000000000000000000"),
        (F.a == "🦉", "a eq '🦉'"),
        (query("don't"), r"query('don\'t')"),
        (isempty("disciplines.subjects"), "isempty(disciplines.subjects)"),
        (isempty(F.peers), "isempty(peers)"),
        (F.custom_attributes["Item  Type (new)"] == 1, "custom_attributes.item_type_new_ eq 1"),
        (F["custom_attributes"]["a.b-c"] == 1, "custom_attributes.a_b_c eq 1"),
        (F["custom_attributes.3rd Grade"] == 1, "custom_attributes.3rd_grade eq 1"),
    ],
    ids=str,
)
def test_a_filter_prints_as_the_service_reads_it(made: Filter, text: str) -> None:
    """Text is quoted, numbers are bare, flags are Y and N, datetimes are UTC."""
    assert str(made) == re.sub(r"^query\(([\w.]+),'", r"query(\1, '", text)


@given(st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"])))
def test_text_cannot_escape_its_quotes(text: str) -> None:
    """Whatever quotes it contains: unescaping returns the text."""
    found = str(F.a == text)
    match = re.fullmatch(r"a eq '((?:[^'\\]|\\')*)'", found, re.DOTALL)
    assert match is not None
    assert match[1].replace("\\'", "'") == text


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        math.nan,
        math.inf,
        "a\\b",
        None,
        b"x",
        ["a"],
        F.other,
        "\ud800",
        10**5000,
        Raw("a b"),
        Raw(""),
        Raw("and"),
        Raw("'a' 'b'"),
        Raw("'a"),
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("compare", [F.a.__eq__, F.a.__gt__, lambda v: F.a.in_(1, v)])
def test_a_value_that_cannot_be_written_is_refused(
    value: Any, compare: Callable[[Any], Any]
) -> None:
    """Its syntax is not documented."""
    with pytest.raises(InputError, match="filter"):
        compare(value)


@pytest.mark.parametrize(
    "use",
    [
        lambda f: f and f,
        lambda f: f or f,
        lambda f: not f,
        bool,
        lambda _: 1 < F.level < 5,
        lambda _: F.status in ("active", "deleted"),
    ],
)
def test_boolean_operators_of_python_are_refused(use: Callable[[Filter], Any]) -> None:
    """They would silently drop one side."""
    with pytest.raises(InputError, match="combine filters with &"):
        use(F.a == 1)


@pytest.mark.parametrize("other", [F.b, "b eq 1", None, True])
def test_a_filter_is_combined_with_filters_only(other: Any) -> None:
    """A property, a flag or text is not a filter; `parse_filter` makes one of text."""
    made = F.a == 1
    for join in (operator.and_, operator.or_):
        with pytest.raises(TypeError, match="unsupported operand"):
            join(made, other)


@pytest.mark.parametrize(
    "use",
    [
        lambda: F == 1,
        lambda: F > 1,
        lambda: F.in_("a"),
        F.isempty,
        lambda: bool(F.a),
        F.a.in_,
        lambda: -F,
        lambda: F["-seq"],
        lambda: F["a..b"],
        lambda: F[".a"],
        lambda: F["5"],
        lambda: F["*"],
        lambda: F.not_,
        lambda: F[Raw("a b")],
        lambda: isempty(""),
        lambda: isempty(F),
        lambda: F.a.query(5),  # type: ignore[arg-type]
        lambda: F[""],
        lambda: F["a b"],
        lambda: F["a'"],
        lambda: F["a,b"],
        lambda: F["a)"],
        lambda: F.a[0],  # type: ignore[index]
        lambda: F.a[1],  # type: ignore[index]
        lambda: list(F.a),  # type: ignore[call-overload]
        lambda: "x" in F.a,  # type: ignore[operator]
    ],
)
def test_invalid_property_names_are_refused(use: Callable[[], Any]) -> None:
    """They would make another condition, or none."""
    with pytest.raises(InputError):
        use()


def test_paths_are_values() -> None:
    """They print as fields and sort keys, and can be copied."""
    assert str(F.number.enhanced) == "number.enhanced"
    assert (repr(F.a.b), repr(F)) == ("F.a.b", "F")
    assert hash(F.a.b) == hash(F["a.b"])
    assert str(copy.deepcopy(F.a)) == str(copy.copy(F.a)) == "a"
    assert isinstance(F.a, Path)
    with pytest.raises(AttributeError):
        F.a._private  # noqa: B018, SLF001 - it does not exist


def test_filters_are_values() -> None:
    """They are equal if they mean the same, however they were built."""
    assert parse_filter("(A not in ('x'))") == ~F.A.in_("x")
    assert hash(parse_filter("a EQ 1")) == hash(F.a == 1)
    assert not ((F.a == 1) == (F.a == "1"))  # noqa: SIM201 - both directions of equality
    with pytest.raises(TypeError, match="abstract"):
        Filter()  # type: ignore[abstract]


def test_a_negated_path_sorts_in_descending_order() -> None:
    """It prints as the sort key of the service."""
    assert -F.number.enhanced == "-number.enhanced"
    assert isinstance(-F[Raw("new")], Raw)


def test_hints_for_python_habits() -> None:
    """Comparing with None, passing a list, and signs in names get a hint."""
    with pytest.raises(InputError, match=r"isempty\(\)"):
        F.a == None  # noqa: B015, E711 - the mistake
    with pytest.raises(InputError, match=r"in_\(\*values\)"):
        F.a.in_(["x"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"sort by -F\.seq"):
        F["-seq"]


@given(st.text(min_size=1))
def test_keys_of_custom_attributes_are_stable(name: str) -> None:
    """A key maps to itself, so names can be given in either form."""
    key = str(F.custom_attributes[name])
    assert re.fullmatch(r"custom_attributes\.\w+", key)
    assert str(F.custom_attributes[key.partition(".")[2]]) == key
    assert str(F[f"custom_attributes.{name}"]) == key


@pytest.mark.parametrize(
    "text",
    [
        "a eq 1",
        "(a eq '(')",
        r"a eq 'it\'s)'",
        r"a eq 'ends in \\'",
        "query('a') or (b in ('x', 'y'))",
        "no grammar at all",
        "a eq '🦉'",
    ],
)
def test_raw_filters_are_sent_unchanged(text: str) -> None:
    """Their content is up to the service, as long as quotes and parentheses are closed."""
    assert checked_filter(text) == text


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("(a eq 1", "parenthesis is not closed at 0"),
        ("((a eq 1) and (b eq 2)", "parenthesis is not closed at 0"),
        ("(a eq 1) and (b eq 2", "parenthesis is not closed at 13"),
        ("a eq 1)", r"not opened at 6, before '\)'"),
        (")(", "not opened at 0"),
        ("a eq 'x", "quote is not closed .* at 5"),
        ("a eq 'it's'", "quote is not closed .* at 10"),
        (r"a eq 'x\'", "quote is not closed .* at 5"),
        ("", "empty"),
        (" ", "empty"),
    ],
)
def test_raw_filters_must_be_closed(text: str, where: str) -> None:
    """Otherwise the rest of the filter would be misread."""
    with pytest.raises(InputError, match=where):
        checked_filter(text)


@pytest.mark.parametrize("value", [None, 5, F.a, ["a eq 1"], b"a eq 1"])
def test_values_that_are_not_filters_are_refused(value: Any) -> None:
    """A property is not a filter either."""
    with pytest.raises(InputError, match="not a filter"):
        checked_filter(value)


def test_built_filters_are_checked_already() -> None:
    """Their text is sent."""
    assert checked_filter(F.a == "(") == "a eq '('"
