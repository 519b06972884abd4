"""Which modules may import which: the table of docs/architecture.md, checked on the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import aioinstructure

ROOT = Path(aioinstructure.__file__).parent
PACKAGE = "aioinstructure"

GROUND = {
    "_json",
    "_lazy",
    "_logging",
    "_public",
    "_suggest",
    "_text",
    "_types",
    "_version",
    "clock",
    "wire.message",
}
# Each package or module may import itself and what its row names; a name includes all below it.
_WIRE = GROUND | {"errors", "wire"}
_ENDPOINTS = _WIRE | {"conversion", "endpoints"}
_PAGING = _ENDPOINTS | {"paging"}
_TRANSPORT = _WIRE | {"auth", "quota", "transport"}
_CLIENT = _PAGING | _TRANSPORT | {"config", "client"}
_SERVICES = _CLIENT | {"canvas", "abconnect"}
LAYERS: dict[str, set[str]] = {
    **{name: set() for name in GROUND},
    "errors": GROUND,
    "wire": GROUND | {"errors"},
    "auth": _WIRE,
    "quota": _WIRE,
    "transport": _TRANSPORT,
    "conversion": _WIRE,
    "endpoints": _ENDPOINTS,
    "paging": _PAGING,
    "config": _PAGING | _TRANSPORT,
    "client": _CLIENT,
    "canvas": _CLIENT,
    "abconnect": _CLIENT,
    "storage": _WIRE,
    "sync": _SERVICES | {"storage"},
    "simulator": {"wire.message"},
    "testing": _SERVICES | {"storage", "sync", "simulator"},
}
EVERYTHING = {"cli", "__main__"}

# Within a package: each module may import those of its own and of earlier lines.
ORDER: dict[str, list[set[str]]] = {
    "conversion": [{"annotations", "dates", "fields"}, {"shared", "model", "plans", "converter"}],
    "endpoints": [{"route"}, {"documentation"}, {"declare"}, {"lookup"}],
    "simulator": [
        {"coerce", "licence", "knobs", "throttles", "hashing"},
        {"http"},
        {"canvas", "abconnect"},
        {"world"},
        {"handler", "simulator", "control", "server", "__init__"},
    ],
}

OTHERS = {
    "aiohttp": {"transport.http", "simulator.server"},
}


def below(name: str, layers: set[str]) -> bool:
    return any(name == layer or name.startswith(f"{layer}.") for layer in layers)


def layer_of(name: str) -> str:
    """The most specific row of the table that contains a module."""
    return max((layer for layer in LAYERS if below(name, {layer})), key=len, default="")


def imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of all imports, also within functions; not of those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (found for other in node.orelse for found in imports(other, package))
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
            source = f"{base}.{node.module or ''}".strip(".") if node.level else node.module or ""
            for alias in node.names:
                inner = ROOT.joinpath(*source.split(".")[1:], alias.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield node.lineno, f"{source}.{alias.name}" if is_module else source
        else:
            yield from imports(node, package)


def violations() -> Iterator[str]:
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        package = ".".join([PACKAGE, *parts[:-1]])
        for line, found in imports(ast.parse(file.read_text()), package):
            top, _, inner = found.partition(".")
            where = f"{file}:{line}: {name or PACKAGE} imports {found}"
            misplaced = top in OTHERS and name not in OTHERS[top]
            if misplaced or (top == PACKAGE and not allowed(name, inner)):
                yield where


def allowed(name: str, inner: str) -> bool:
    if below(inner, {"cli"}):
        return below(name, {"cli", "__main__"})
    if below(name, EVERYTHING) or inner in (
        "_json",
        "_lazy",
        "_public",
        "_suggest",
        "_text",
        "_version",
    ):
        return True
    if name == "" and inner == "_logging":
        return True
    layer = layer_of(name)
    if not in_order(name, inner):
        return False
    if below(inner, {"quota"}) and not below(name, {"quota"}):
        return inner == "quota" and "quota" in LAYERS[layer]  # its public names only
    return bool(layer) and below(inner, {layer} | LAYERS[layer])


def in_order(name: str, inner: str) -> bool:
    """Whether a module imports no later module of its package."""
    package, _, rest = name.partition(".")
    other, _, wanted = inner.partition(".")
    if package != other or package not in ORDER or not wanted:
        return True
    rank = {part: at for at, line in enumerate(ORDER[package]) for part in line}
    mine = rest.partition(".")[0] or "__init__"
    return mine not in rank or rank[wanted.partition(".")[0]] <= rank[mine]


def test_every_import_stays_within_its_layer() -> None:
    """Function-level imports included; the message names file and line."""
    found = list(violations())
    assert not found, "\n".join(found)


def test_every_module_is_in_the_table() -> None:
    """A new layer is planned before it is written."""
    names = {file.relative_to(ROOT).with_suffix("").parts[0] for file in ROOT.rglob("*.py")}
    assert {n for n in names if not layer_of(n)} <= EVERYTHING | {"__init__"}


def test_a_wrong_import_is_found() -> None:
    """A test for the absence of something must be able to fail."""
    source = "def f():\n    from aioinstructure.cli import main\n    import aiohttp.web\nfrom . import links"
    found = list(imports(ast.parse(source), f"{PACKAGE}.wire"))
    assert found == [(2, f"{PACKAGE}.cli"), (3, "aiohttp.web"), (4, f"{PACKAGE}.wire.links")]
    assert not allowed("wire.links", "quota")
    assert not allowed("canvas.courses", "quota.token_bucket")
    assert not allowed("canvas.courses", "abconnect")
    assert not allowed("simulator.simulator", "errors")
    assert not allowed("simulator.http.parsing", "simulator.world")
    assert not allowed("testing", "cli")
    assert not allowed("endpoints.route", "endpoints.declare")
    assert not allowed("endpoints.route", "paging.cursor")
    assert not allowed("", "canvas")  # the package itself: a lazy table of public names
    assert allowed("transport.retry", "quota")
    assert allowed("wire.responses", "wire.links")
