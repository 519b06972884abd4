"""Words that every room shares: ids, JSON and the marker for "not sent"."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar

__all__ = ["JSON", "UNSET", "Id", "Lane", "Opt", "UnsetType"]

T = TypeVar("T")


class UnsetType(Enum):
    """The type of `UNSET`, for annotations."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = UnsetType.UNSET
"""A parameter that is not sent at all, where None is sent as null."""

Opt: TypeAlias = T | UnsetType
"""A parameter that may be left out: `Opt[datetime | None]` is a date, null, or not sent."""

Id: TypeAlias = int | str
"""An id as the server sent it: Canvas numbers, AB Connect GUIDs, or Canvas's string ids."""

JSON: TypeAlias = Any
"""What orjson made of a body: dict, list, str, int, float, bool or None."""

Lane: TypeAlias = Literal["interactive", "bulk", "background"]
"""The lanes of the scheduler, the most urgent first."""
