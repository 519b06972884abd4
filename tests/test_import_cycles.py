"""No module of the library needs, while it is imported, a module that is importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import aioinstructure

ROOT = Path(aioinstructure.__file__).parent
PACKAGE = "aioinstructure"

Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    """The file of each module, packages included."""
    found: dict[str, Path] = {}
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        found[".".join([PACKAGE, *(parts[:-1] if is_package else parts)])] = file
    return found


def run_on_import(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements that run when a module is imported.

    Not those for type checkers, and not those within functions; those of classes, `try` and other
    conditions are included.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            is_negated = isinstance(child.test, ast.UnaryOp)
            for inner in child.body if is_negated else child.orelse:
                yield from run_on_import(ast.Module([inner], []))
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        else:
            yield from run_on_import(child)


def imported(
    tree: ast.Module, name: str, known: AbstractSet[str], *, is_package: bool = False
) -> set[str]:
    """The modules of the library that a module imports.

    An import of `a.b.c` also runs `a` and `a.b`, unless the importing module is below these: then
    they are being imported already. An import of names from its own package counts.
    """
    found: set[str] = set()
    for node in run_on_import(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            names = [
                inner if (inner := f"{base}.{alias.name}") in known else base
                for alias in node.names
            ]
        for each in names:
            parts = each.split(".")
            packages = {".".join(parts[:end]) for end in range(1, len(parts))}
            found |= {each, *(p for p in packages if not f"{name}.".startswith(f"{p}."))} & known
    return found - {name}


def graph_of(files: Mapping[str, Path]) -> Graph:
    """The modules that each module imports."""
    return {
        name: imported(
            ast.parse(file.read_text()), name, files.keys(), is_package=file.name == "__init__.py"
        )
        for name, file in files.items()
    }


def cycle_in(graph: Mapping[str, AbstractSet[str]]) -> list[str]:
    """One cycle, from a module back to itself; empty if there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for needed in sorted(graph.get(name, ())):
            if cycle := visit(needed, [*way, name]):
                return cycle
        done.add(name)
        return []

    for name in graph:
        if cycle := visit(name, []):
            return cycle
    return []


def test_imports_have_no_cycle() -> None:
    """The message names the modules of the cycle, in order."""
    cycle = cycle_in(graph_of(modules()))
    assert not cycle, " -> ".join(cycle)


def test_every_module_is_in_the_graph() -> None:
    """And the graph has edges: a test for the absence of something must be able to fail."""
    graph = graph_of(modules())
    assert f"{PACKAGE}.client" in graph[f"{PACKAGE}.canvas.client"]
    assert f"{PACKAGE}.quota" in graph[f"{PACKAGE}.client"]
    assert PACKAGE in graph
    assert sum(map(len, graph.values())) > 300


def test_a_cycle_is_found() -> None:
    """Of any length, with its way."""
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle_in({"a": {"a"}}) == ["a", "a"]


def test_only_what_runs_on_import_counts() -> None:
    """Not what type checkers see, and not what a function imports when it is called."""
    tree = ast.parse(
        "if TYPE_CHECKING:\n    import p.a\nelse:\n    import p.b\n"
        "if not TYPE_CHECKING:\n    import p.c\n"
        "def f():\n    import p.d\n"
        "class A:\n    import p.e\n"
        "try:\n    from p import f\nexcept ImportError:\n    from p.g import h\n"
        "from . import i\nfrom .i import j\n"
        "from q.k.l import m\n"
    )
    known = {"p", *(f"p.{name}" for name in "abcdefghi"), "q", "q.i", "q.k", "q.k.l", "q.x"}
    found = imported(tree, "q.x", known)
    assert found == {"p", "p.b", "p.c", "p.e", "p.f", "p.g", "q.i", "q.k", "q.k.l"}
    own_package = imported(ast.parse("from q import y"), "q.x", known)
    assert own_package == {"q"}
    assert imported(ast.parse("from .x import y"), "q", known, is_package=True) == {"q.x"}
