"""Packages whose names are loaded on first use (PEP 562): importing one costs nothing but itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["lazy"]


def lazy(
    names: dict[str, Any], files: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package.

    Args:
        names: Its `globals()`; what was loaded is kept there.
        files: Its modules, dotted below it, and the names that each gives.
    """
    package: str = names["__name__"]
    modules = {name: file for file, given in files.items() for name in given}

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(f"{package}.{modules[name]}")
        value = names[name] = getattr(module, name)
        return value

    return load, lambda: sorted({*names, *modules})
