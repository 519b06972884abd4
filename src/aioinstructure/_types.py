"""Shared type aliases and the UNSET sentinel."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar

__all__ = ["JSON", "UNSET", "Id", "Lane", "OnChange", "Opt", "UnsetType"]

T = TypeVar("T")


class UnsetType(Enum):
    """The type of `UNSET`, for annotations."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = UnsetType.UNSET
"""The value of a parameter that is not sent. None is sent as null."""

Opt: TypeAlias = T | UnsetType
"""An optional parameter: `Opt[datetime | None]` is a datetime, null, or not sent."""

Id: TypeAlias = int | str
"""An id as the server sent it: a Canvas number, a Canvas string id, or an AB Connect GUID."""

JSON: TypeAlias = Any
"""Parsed JSON: dict, list, str, int, float, bool or None."""

Lane: TypeAlias = Literal["interactive", "bulk", "background"]
"""The lanes of the scheduler, most urgent first."""

OnChange: TypeAlias = Literal["raise", "restart"]
"""What a list does when it changes while it is read."""
