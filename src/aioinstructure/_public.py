"""How public classes show themselves: as `aioinstructure.X`, which is where users import them."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any, TypeVar

__all__ = ["defined_in", "public"]

C = TypeVar("C", bound=type[Any])


def public(cls: C) -> C:
    """Show a class as a member of `aioinstructure`, in tracebacks, reprs and pickles."""
    if "__annotations__" in vars(cls):
        # `typing.get_type_hints` evaluates them in the module that the class names. Names that are
        # imported for type checkers only, such as the namespaces of clients, stay text.
        with contextlib.suppress(NameError):
            cls.__annotations__ = inspect.get_annotations(cls, eval_str=True)
    cls.__defined_in__ = cls.__module__
    cls.__module__ = "aioinstructure"
    return cls


def defined_in(cls: type[Any]) -> str:
    """The module that defines a class."""
    found: str = vars(cls).get("__defined_in__", cls.__module__)
    return found
