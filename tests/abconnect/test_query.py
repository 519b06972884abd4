"""Filters, paths and sort keys as values that print as the API's own text."""

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
from aioinstructure.errors import InputError


class Status(str, enum.Enum):  # noqa: UP042 - whose str() is not its value
    """An enum of a caller's."""

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
        (Filter("a EQ 1") & (F.b == 2), "(a EQ 1) and (b eq 2)"),
    ],
    ids=str,
)
def test_a_filter_prints_as_the_service_reads_it(made: Filter, text: str) -> None:
    """Text is quoted, numbers are bare, flags are Y and N, moments UTC."""
    assert str(made) == re.sub(r"^query\(([\w.]+),'", r"query(\1, '", text)


@given(st.text(st.characters(exclude_characters="\\")))
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    """However many quotes are in it: unescaping gives it back."""
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
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("compare", [F.a.__eq__, F.a.__gt__, lambda v: F.a.in_(1, v)])
def test_a_value_without_a_form_is_refused(value: Any, compare: Callable[[Any], Any]) -> None:
    """Nothing documents how it would be written."""
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
def test_python_s_own_words_are_refused(use: Callable[[Filter], Any]) -> None:
    """They would drop one side in silence."""
    with pytest.raises(InputError, match="join filters by &"):
        use(F.a == 1)


@pytest.mark.parametrize("other", [F.b, "b eq 1", None, True])
def test_a_filter_is_joined_with_filters_only(other: Any) -> None:
    """A property or a flag is no condition; raw text is made one by `Filter(...)`."""
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
def test_what_names_no_property_is_refused(use: Callable[[], Any]) -> None:
    """It would be another condition, or none."""
    with pytest.raises(InputError):
        use()


def test_paths_are_values() -> None:
    """They print as fields and sort keys, and survive a copy."""
    assert str(F.number.enhanced) == "number.enhanced"
    assert (repr(F.a.b), repr(F)) == ("F.a.b", "F")
    assert hash(F.a.b) == hash(F["a.b"])
    assert str(copy.deepcopy(F.a)) == str(copy.copy(F.a)) == "a"
    assert isinstance(F.a, Path)
    with pytest.raises(AttributeError):
        F.a._private  # noqa: B018


def test_filters_are_values() -> None:
    """Equal by their text."""
    assert Filter("a eq 1") == (F.a == 1)
    assert hash(Filter("a eq 1")) == hash(F.a == 1)
