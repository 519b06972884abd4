"""Calls as values: other values in the query, other pages, and the target that is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure import Canvas
from aioinstructure.endpoints import route_of
from aioinstructure.endpoints.route import Call, Route
from aioinstructure.wire.params import CommaList, query_string

COURSES = route_of(Canvas, "courses.list")
PACE = route_of(Canvas, "course_paces.update")


def a_path(path: str) -> Route:
    """The route of a path that has no operation."""
    return Route(
        method="GET",
        path=path,
        name="",
        parameters=(),
        returns=Any,
        paginated=False,
        idempotent=True,
    )


def call_of(**query: str) -> Call[Any]:
    return Call(COURSES, query=tuple(query.items()))


# --- with_values ----------------------------------------------------------------------------------


def test_a_value_is_replaced_in_its_place() -> None:
    """The order of a query stays: a server may sign it or cache by it."""
    call = call_of(a="1", b="2", c="3").with_values(b="x")
    assert call.query == (("a", "1"), ("b", "x"), ("c", "3"))
    assert call.target == "/api/v1/courses?a=1&b=x&c=3"


def test_a_new_value_is_appended() -> None:
    """In the order in which they are given."""
    assert call_of(a="1").with_values(z="2", b="3").query == (("a", "1"), ("z", "2"), ("b", "3"))


def test_none_removes_a_value() -> None:
    """All of its pairs; a name that is not there is no error."""
    call = Call[Any](COURSES, query=(("a", "1"), ("b", "2"), ("a", "3")))
    assert call.with_values(a=None, z=None).query == (("b", "2"),)
    assert call.with_values(a=None, b=None).target == "/api/v1/courses"


def test_a_repeated_name_has_one_value_afterwards() -> None:
    """At the place of the first one."""
    call = Call[Any](COURSES, query=(("a", "1"), ("b", "2"), ("a", "3")))
    assert call.with_values(a="x").query == (("a", "x"), ("b", "2"))


def test_names_in_brackets_are_given_as_they_are_sent() -> None:
    """Wire names, not those of Python."""
    call = Call[Any](COURSES, query=(("sort[x]", "a"),))
    changed = call.with_values(**{"sort[x]": CommaList(["b", "c"])})
    assert changed.query == (("sort[x]", CommaList(["b", "c"])),)
    assert changed.target == "/api/v1/courses?sort%5Bx%5D=b%2Cc"


def test_another_query_is_no_longer_the_page_of_a_link() -> None:
    """Else the values would not be sent."""
    call = call_of(a="1").at_page("/api/v1/courses?page=2").with_values(a="2")
    assert call.page is None
    assert call.target == "/api/v1/courses?a=2"


def test_a_changed_call_keeps_all_else() -> None:
    """Route, arguments, body and what to do on a change; the first call is unchanged."""
    call = Call[Any](PACE, (("course_id", "5"), ("id", "6")), (("a", "1"),), b"{}", "restart")
    for other in (call.with_values(a="2"), call.at_page("/api/v1/x")):
        assert (other.route, other.arguments) == (call.route, call.arguments)
        assert (other.body, other.on_change) == (b"{}", "restart")
    assert call.query == (("a", "1"),)
    assert call == Call[Any](
        PACE, (("course_id", "5"), ("id", "6")), (("a", "1"),), b"{}", "restart"
    )


_NAMES = st.text("abc[]é ", min_size=1, max_size=4)
_PAIRS = st.lists(st.tuples(_NAMES, st.text(max_size=5)), max_size=6).map(tuple)


@given(_PAIRS, st.dictionaries(_NAMES, st.none() | st.text(max_size=5), max_size=4))
def test_values_after_a_change(
    query: tuple[tuple[str, str], ...], values: dict[str, str | None]
) -> None:
    """Each changed name has its new value once, or none; all other pairs keep their order."""
    changed = Call[Any](COURSES, query=query).with_values(**values)
    for name, value in values.items():
        found = [each for key, each in changed.query if key == name]
        assert found == ([] if value is None else [value])
        assert changed.value(name) == value
    others = [pair for pair in query if pair[0] not in values]
    assert [pair for pair in changed.query if pair[0] not in values] == others


# --- at_page and target ---------------------------------------------------------------------------


def test_a_page_is_sent_as_its_link_was() -> None:
    """Byte for byte, instead of the path and the query."""
    page = "/api/v1/courses?page=bookmark:WyJ%2b&x=+&[]"
    call = call_of(a="1").at_page(page)
    assert call.target == page
    assert call.query == (("a", "1"),)
    assert call.at_page("/api/v1/courses?page=3").target == "/api/v1/courses?page=3"


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/x", (), "/x"),
        ("/x", (("a", "1"),), "/x?a=1"),
        ("/x?b=2", (), "/x?b=2"),
        ("/x?b=2", (("a", "1"), ("c", "")), "/x?b=2&a=1&c="),
        ("/x?", (("a", "1"),), "/x?&a=1"),
        ("/x%3F", (("a", "1"),), "/x%3F?a=1"),
        ("/x/{id}", (("a", "1"),), "/x/{id}?a=1"),
    ],
)
def test_the_target_of_a_path_of_ones_own(
    path: str, query: tuple[tuple[str, str], ...], target: str
) -> None:
    """Pairs are added to the query that the path has; the path itself is not changed."""
    call = Call[Any](a_path(path), query=query)
    assert call.target == target
    assert call.path == path


def test_arguments_are_encoded_once() -> None:
    """They are kept as text; a percent sign in it is escaped."""
    call = PACE.bind({"course_id": "sis_course_id:a/b%2F", "id": 5})
    assert dict(call.arguments) == {"course_id": "sis_course_id:a/b%2F", "id": "5"}
    assert call.target == "/api/v1/courses/sis_course_id:a%2Fb%252F/course_pacing/5"


@given(_PAIRS)
def test_the_target_has_the_whole_query(query: tuple[tuple[str, str], ...]) -> None:
    """All pairs in order, encoded."""
    path, _, sent = Call[Any](COURSES, query=query).target.partition("?")
    assert path == "/api/v1/courses"
    assert sent == query_string(query)


# --- repr -----------------------------------------------------------------------------------------


def test_a_repr_shows_neither_query_nor_body() -> None:
    """Both may hold personal data; operation, method and path help in a log."""
    call = Call[Any](PACE, (("course_id", "5"), ("id", "6")), (("q", "Kim"),), b'{"n":"Lee"}')
    assert repr(call) == "<Call course_paces.update: PUT /api/v1/courses/5/course_pacing/6>"
    page = call_of(search_term="Kim").at_page("/api/v1/courses?search_term=Kim")
    assert repr(page) == "<Call courses.list: GET /api/v1/courses>"
    assert "Kim" not in repr(Call[Any](a_path("/x"), query=(("q", "Kim"),)))
    assert repr(Call[Any](a_path("/x"))) == "<Call of a path: GET /x>"
