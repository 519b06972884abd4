"""Evaluation and classification of annotations at run time.

Models import their siblings for the type checker only, since the documented ones form cycles. Such
a module lists them in `_SIBLINGS`, by name and module; they are loaded on first use. Independent
of particular models.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from aioinstructure._public import defined_in

__all__ = ["AnnotationScope", "hints_of", "is_optional", "is_plain", "is_union"]

_PLAIN: tuple[Any, ...] = (int, str, float, bool, type(None), None, Any, object)
_ALWAYS = {"Any": Any, "Literal": Literal, "date": date, "datetime": datetime}


class AnnotationScope(Mapping[str, Any]):
    """A namespace in which `eval` evaluates annotations.

    Names are looked up in a module, among its `_SIBLINGS`, and in the modules of the bases of a
    class.

    Args:
        thing: The annotated class or function.
        module: The module that defines it.
    """

    def __init__(self, thing: Any, module: str) -> None:
        self._module = sys.modules[module]
        self._package = module.rpartition(".")[0]
        self._siblings: Mapping[str, str] = getattr(self._module, "_SIBLINGS", {})
        self._bases = [sys.modules[defined_in(base)] for base in getattr(thing, "__mro__", ())]

    def __getitem__(self, name: str) -> Any:
        if hasattr(self._module, name):
            return getattr(self._module, name)
        if name in self._siblings:
            sibling = importlib.import_module(f"{self._package}.{self._siblings[name]}")
            return getattr(sibling, name)
        for module in self._bases:
            if hasattr(module, name):
                return getattr(module, name)
        return _ALWAYS[name]

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def hints_of(thing: Any, module: str) -> dict[str, Any]:
    """Return the evaluated annotations of a class or function that is defined in `module`."""
    names = AnnotationScope(thing, module)
    return get_type_hints(thing, globalns={}, localns=names, include_extras=True)


def is_union(tp: Any) -> bool:
    """Whether a type is a union."""
    return get_origin(tp) in (Union, types.UnionType)


def is_optional(tp: Any) -> bool:
    """Whether a type is a union with None."""
    return is_union(tp) and type(None) in get_args(tp)


def is_plain(tp: Any) -> bool:
    """Whether JSON values need no conversion: scalars, Any, and unions of these."""
    if is_union(tp):
        return all(is_plain(member) for member in get_args(tp))
    return tp in _PLAIN or get_origin(tp) is Literal
