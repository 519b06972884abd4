"""Public names: all exported names exist, and type checkers see what runs.

`python -m tests.test_surface` updates the snapshot of the public names.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import aioinstructure

LAZY = [
    "aioinstructure",
    "aioinstructure.canvas",
    "aioinstructure.abconnect",
    "aioinstructure.endpoints",
]
SNAPSHOT = Path(__file__).parent / "data" / "public_names.txt"


def modules() -> Iterator[str]:
    yield "aioinstructure"
    for found in pkgutil.walk_packages(aioinstructure.__path__, "aioinstructure."):
        if not found.name.endswith("__main__"):
            yield found.name


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def tree_of(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text())


@pytest.mark.parametrize("name", list(modules()))
def test_every_exported_name_exists(name: str) -> None:
    """In each module: each name once, and no private names of other modules."""
    module = load(name)
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    for public in names:
        assert getattr(module, public) is not None, public
        assert not public.startswith("_") or public.startswith("__")


@pytest.mark.parametrize("name", list(modules()))
def test_every_module_has_a_docstring(name: str) -> None:
    """Including `__init__` files."""
    assert (load(name).__doc__ or "").strip()


def for_checkers(module: ModuleType) -> dict[str, str]:
    """Names imported for type checkers only, with their modules."""
    found: dict[str, str] = {}
    for node in tree_of(module).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom):
                    found |= {
                        alias.asname or alias.name: inner.module or "" for alias in inner.names
                    }
    return found


def lazy_table(module: ModuleType) -> dict[str, str]:
    """Names of the lazy table, with the modules that they are loaded from."""
    for node in tree_of(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_MODULES":
            table: dict[str, str] = ast.literal_eval(node.value)
            return {name: f"aioinstructure.{source}" for name, source in table.items()}
    raise AssertionError(f"{module.__name__} has no lazy table")


@pytest.mark.parametrize("name", LAZY)
def test_the_lazy_table_matches_the_imports_for_checkers(name: str) -> None:
    """The same names, from the same modules."""
    module = importlib.import_module(name)
    assert for_checkers(module) == lazy_table(module)


@pytest.mark.parametrize("name", LAZY)
def test_a_lazy_name_is_the_object_of_its_module(name: str) -> None:
    """The same object each time, and listed by dir() for completion."""
    module = importlib.import_module(name)
    for public, source in lazy_table(module).items():
        assert getattr(module, public) is getattr(importlib.import_module(source), public)
        assert public in dir(module)
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        module.nope  # noqa: B018


@pytest.mark.parametrize("name", LAZY)
def test_all_lists_the_lazy_names(name: str) -> None:
    """All lazy names, and no more."""
    module = importlib.import_module(name)
    assert module.__all__ == sorted(lazy_table(module))


def siblings(module: ModuleType) -> dict[str, str]:
    """Names of `_SIBLINGS`, with the modules that they are loaded from."""
    package = module.__name__.rpartition(".")[0]
    table: dict[str, str] = getattr(module, "_SIBLINGS", {})
    return {name: f"{package}.{source}" for name, source in table.items()}


PAGES = [name for name in modules() if name.split(".")[1:2] in (["canvas"], ["abconnect"])]


@pytest.mark.parametrize("name", PAGES)
def test_siblings_match_the_imports_for_checkers(name: str) -> None:
    """Every name in `_SIBLINGS` is also imported for type checkers, and can be loaded."""
    module = load(name)
    found = siblings(module)
    imported = for_checkers(module)
    assert found.items() <= imported.items()
    for sibling, source in found.items():
        assert getattr(load(source), sibling) is not None


# --- the snapshot -------------------------------------------------------------------------------


def public_names(module: ModuleType) -> list[str]:
    """The names of `__all__`; in modules of models, which have none, its classes."""
    promised: list[str] | None = getattr(module, "__all__", None)
    if promised is not None:
        return promised
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and inspect.isclass(value)
        and value.__module__ == module.__name__
    ]


def all_public_names() -> list[str]:
    """Each public name with its module, in a fixed order."""
    return sorted(
        f"{name}: {public}"
        for name in modules()
        if not any(part.startswith("_") for part in name.split("."))
        for public in public_names(load(name))
    )


def test_the_public_names_are_those_of_the_snapshot() -> None:
    """A name that is added, removed or renamed must be intended, and is in CHANGELOG.md."""
    now, before = set(all_public_names()), set(SNAPSHOT.read_text(encoding="utf-8").splitlines())
    assert (sorted(now - before), sorted(before - now)) == ([], []), (
        "public names were added or removed; if this is intended, run"
        " `python -m tests.test_surface` and describe the change in CHANGELOG.md"
    )


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(all_public_names()) + "\n", encoding="utf-8", newline="\n")
