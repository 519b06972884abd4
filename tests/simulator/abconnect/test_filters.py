"""The filter language: syntax, evaluation and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.simulator.abconnect.filters import (
    And,
    Call,
    Compare,
    Expr,
    FilterError,
    Not,
    Or,
    compile_filter,
    parse_filter,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW: dict[str, list[Any]] = {
    "guid": ["1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"],
    "seq": [30],
    "title": ["It's 5 o'clock (almost)"],
    "grades.code": ["4", "5"],
    "modified": ["2018-02-13 16:26:49"],
    "year": ["2010"],
}


def fits(text: str) -> bool:
    def get(path: str) -> Sequence[Any]:
        return ROW.get(path, [])

    return compile_filter(parse_filter(text), lambda *_: 0)(get)


@pytest.mark.parametrize(
    "text",
    [
        "seq eq 30",
        "seq EQ '30'",
        "seq GT 28 AND seq lt 31",
        "seq ge 30 and seq le 30",
        "guid eq '1f9d5a8a-7053-11df-8ebf-be719dff4b22'",
        "guid eq 1f9d5a8a-7053-11df-8ebf-be719dff4b22",
        "guid IN('x','1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22')",
        "guid not in ('x')",
        "not guid in ('x')",
        "grades.code eq '5'",
        "grades.code eq 5",
        "grades.code gt 4",
        r"title eq 'It\'s 5 o\'clock (almost)'",
        "modified gt '2018-02-13'",
        "modified ge '2018-02-13 16:26:49'",
        "modified lt '2018-02-14'",
        "year eq 2010",
        "nothing not eq 'x'",
        "nothing ne 'x'",
        "isempty(nothing)",
        "not isempty(seq)",
        "isempty( nothing ) and not (seq eq 1 or seq eq 2)",
        "seq eq 30 or seq eq 1 and seq eq 2",
        "not seq eq 1 and seq eq 30",
    ],
)
def test_true(text: str) -> None:
    """Operators and GUIDs in any case; any of several values; negations match no value."""
    assert fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "seq eq 31",
        "grades.code not eq '5'",
        "grades.code ne '4'",
        "title eq 'it\\'s 5 o\\'clock (almost)'",
        "nothing eq 'x'",
        "nothing gt 0",
        "isempty(seq)",
        "(seq eq 30 or seq eq 1) and seq eq 2",
    ],
)
def test_false(text: str) -> None:
    """Text is case-sensitive; a negation means that no value is equal."""
    assert not fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seq",
        "seq eq",
        "seq xx 3",
        "seq eq 'open",
        "(seq eq 1",
        "seq eq 1)",
        "seq eq 1 seq eq 2",
        "seq in ()",
        "seq in 1",
        "and eq 1",
        "eq 'x'",
        "seq eq and",
        "isempty()",
        "query()",
        "query(1, 'x')",
        "seq eq 1 and",
        "(" * 3000,
        "not " * 3000 + "seq eq 1",
    ],
)
def test_refused(text: str) -> None:
    """An invalid filter raises FilterError and nothing else."""
    with pytest.raises(FilterError):
        parse_filter(text)


def test_query_calls() -> None:
    """A query with and without a path."""
    assert parse_filter("query('two words')") == Call("query", "", "two words")
    assert parse_filter("query(number.raw, '24.B')") == Call("query", "number.raw", "24.B")


PATHS = st.sampled_from(["a", "b.c", "document.guid", "in_list", "android", "notes"])
VALUES = st.text(max_size=8) | st.integers(-9, 9).map(float)
COMPARES = st.builds(
    lambda path, op, value: Compare(path, op, (value,)),
    PATHS,
    st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]),
    VALUES,
) | st.builds(
    lambda path, values: Compare(path, "in", tuple(values)),
    PATHS,
    st.lists(VALUES, min_size=1, max_size=3),
)
EXPRS = st.recursive(
    COMPARES | st.builds(lambda path: Call("isempty", path), PATHS),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.tuples(inner, inner))
        | st.builds(Or, st.tuples(inner, inner))
    ),
    max_leaves=8,
)


def written(expr: Expr) -> str:
    """Return an expression as text, with all parentheses."""
    if isinstance(expr, Compare):
        values = [_value(value) for value in expr.values]
        if expr.op == "in":
            return f"{expr.path} in ({', '.join(values)})"
        return f"{expr.path} {expr.op} {values[0]}"
    if isinstance(expr, Call):
        return f"{expr.name}({expr.path})"
    if isinstance(expr, Not):
        return f"not ({written(expr.inner)})"
    word = " and " if isinstance(expr, And) else " or "
    return word.join(f"({written(part)})" for part in expr.parts)


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(int(value))


@given(EXPRS)
def test_round_trip(expr: Expr) -> None:
    """Parsing the text of an expression gives the same expression."""
    assert parse_filter(written(expr)) == expr


@given(st.text(alphabet="aeq not in()',\\1 and or", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Invalid text raises FilterError and nothing else."""
    try:
        expr = parse_filter(text)
    except FilterError:
        return
    compile_filter(expr, lambda *_: 0)(lambda _: ["1"])
