"""Annotations: where their names are found, and the classification of types."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from types import ModuleType
from typing import Any, Literal, Optional, Union

import pytest
from attrs import define

from aioinstructure.canvas.course_paces import CoursePace
from aioinstructure.canvas.progress import Progress
from aioinstructure.conversion.annotations import (
    hints_of,
    is_optional,
    is_plain,
    is_union,
)
from aioinstructure.conversion.model import Model


@define
class Local(Model):
    """A user's model."""

    near: Near | None = None


@define
class Near(Model):
    """A model in the same module."""


def stub(self: Any, when: datetime, day: date) -> Near:
    """An endpoint of a plug-in."""
    raise NotImplementedError


def test_names_are_found_in_the_module_and_in_those_of_its_bases() -> None:
    """An inherited field may have a type that only the module of the base knows."""
    hints = hints_of(Local, __name__)
    assert hints["near"] == Optional[Near]  # noqa: UP045 - the evaluated form
    assert is_optional(hints["__keys__"])


def test_siblings_are_found_without_an_import() -> None:
    """The documented models form cycles, which imports at run time cannot have."""
    assert hints_of(CoursePace, CoursePace.__module__)["progress"] == Optional[Progress]  # noqa: UP045


def test_dates_need_no_import_at_run_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linters move these imports below TYPE_CHECKING; a module without them is valid."""
    bare = ModuleType("bare")
    bare.Near = Near  # type: ignore[attr-defined]  # its only attribute
    monkeypatch.setitem(sys.modules, "bare", bare)
    assert hints_of(stub, "bare") == {"self": Any, "when": datetime, "day": date, "return": Near}


def test_an_unknown_name_is_a_name_error() -> None:
    """As in Python."""

    def broken(one: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Misspelt."""

    with pytest.raises(NameError, match="Nowhere"):
        hints_of(broken, __name__)


@pytest.mark.parametrize(
    ("tp", "kinds"),
    [
        (int, "plain"),
        (Any, "plain"),
        (Literal["a", "b"], "plain"),
        (str | None, "plain union optional"),
        (Union[int, str], "plain union"),  # noqa: UP007 - tests the older form
        (Literal["a"] | str | None, "plain union optional"),
        (Near, ""),
        (Near | None, "union optional"),
        (list[str], ""),
        (Sequence[int] | None, "union optional"),
        (datetime, ""),
        (datetime | str, "union"),
        (type(None), "plain"),
    ],
)
def test_kinds_of_types(tp: Any, kinds: str) -> None:
    """Plain types pass through the converter; the others are converted."""
    found = {"plain": is_plain(tp), "union": is_union(tp), "optional": is_optional(tp)}
    assert {kind for kind, is_it in found.items() if is_it} == set(kinds.split())
