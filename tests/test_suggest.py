"""The end of a message about an unknown name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure._suggest import suggestion

NAMES = ("courses", "accounts", "modules")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("course", "courses"),
        ("coursess", "courses"),
        ("acounts", "accounts"),
        ("modules", "modules"),
    ],
)
def test_the_nearest_name_is_suggested(name: str, near: str) -> None:
    """One name, as a question."""
    assert suggestion(name, NAMES) == f", did you mean {near!r}?"


@pytest.mark.parametrize("name", ["", "xyzzy", "users", "é"])
def test_without_a_near_name_all_are_listed(name: str) -> None:
    """In alphabetical order, whatever the order of the names was."""
    assert suggestion(name, NAMES) == "; there are: accounts, courses, modules"
    assert suggestion(name, reversed(NAMES)) == "; there are: accounts, courses, modules"


def test_without_names_nothing_is_appended() -> None:
    """A message that ends with "there are:" would help nobody."""
    assert suggestion("anything", ()) == ""


def test_the_names_may_be_an_iterator() -> None:
    """It is read once."""
    assert suggestion("cours", iter(NAMES)) == ", did you mean 'courses'?"
    assert suggestion("x", dict.fromkeys(NAMES)).startswith("; there are: ")


@given(st.text(), st.lists(st.text(max_size=8), max_size=6))
def test_any_names_give_an_end_of_a_sentence(name: str, known: list[str]) -> None:
    """Names come from users and from servers."""
    found = suggestion(name, known)
    assert found == "" if not known else found.startswith((", did you mean ", "; there are: "))
