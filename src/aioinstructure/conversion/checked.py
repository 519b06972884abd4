"""The type of a scalar that the library itself works with, such as an id that it compares.

Models do not check scalars. Code that calculates with one, sorts by it or looks it up reads it by
`checked`, so that an odd value is a DecodeError and not an error of Python.
"""

from __future__ import annotations

from typing import TypeVar

from aioinstructure._text import short_repr
from aioinstructure.errors import DecodeError

__all__ = ["checked"]

T = TypeVar("T", int, str)

_NAMES = {int: "a whole number", str: "text"}


def checked(value: object, kind: type[T], where: str) -> T | None:
    """Return the value if it is of this type, or None.

    Args:
        value: A scalar of a body.
        kind: int or str; true and false are no numbers.
        where: Its place, such as "seq".

    Raises:
        DecodeError: It is something else.
    """
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise DecodeError(
        f"not a valid {where}",
        paths=[f"expected {_NAMES[kind]}, got {short_repr(value, 60)} @ $.{where}"],
    )
