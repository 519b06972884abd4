"""How public classes show themselves: as `aioinstructure.X`, which is where users import them."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["defined_in", "public"]

C = TypeVar("C", bound=type[Any])


def public(cls: C) -> C:
    """Show a class as a member of `aioinstructure`, in tracebacks, reprs and pickles."""
    cls.__defined_in__ = cls.__module__
    cls.__module__ = "aioinstructure"
    return cls


def defined_in(cls: type[Any]) -> str:
    """The module that defines a class."""
    found: str = vars(cls).get("__defined_in__", cls.__module__)
    return found
