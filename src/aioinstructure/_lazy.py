"""Packages whose names are loaded on first use (PEP 562): importing one loads nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from aioinstructure._suggest import suggestion

__all__ = ["lazy"]


def lazy(
    names: dict[str, Any], modules: Mapping[str, str]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """The `__all__`, `__getattr__` and `__dir__` of a package.

    Args:
        names: Its `globals()`; a name that was loaded is kept there.
        modules: The module of each public name, dotted below `aioinstructure`. The package repeats
            them in an import block for type checkers; a test compares the two.
    """
    package: str = names["__name__"]

    def load(name: str) -> Any:
        if name not in modules:
            hint = "" if name.startswith("_") else suggestion(name, modules)
            raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")
        module = importlib.import_module(f"aioinstructure.{modules[name]}")
        value = names[name] = getattr(module, name)
        return value

    return sorted(modules), load, lambda: sorted({*names, *modules})
