"""Check that the public types are exact: programs that mypy and pyright judge. Nothing is run.

`right/` has programs that use the library as documented, with `assert_type` on each result: the
checkers must report nothing. In `wrong/` the checkers must report exactly the lines that have a
mark `# expect: codes of mypy | rules of pyright`. A third program, generated here, reveals the
type of each public method, to find results that contain Any.

Not part of `nox -s tests`, which needs no checkers: `nox -s types` runs it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

import aioinstructure
from aioinstructure import ABConnect, Canvas
from aioinstructure.client import Client

pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent
WRONG = sorted(file.name for file in (HERE / "wrong").iterdir() if file.suffix == ".py")
SURFACE = "surface.py"

# Public methods whose result contains Any, and the reason.
RESULTS_WITH_ANY = {
    "client.converter_for": "the type may be any annotation, such as a union",
    "client.fetch": "for namespaces; the stub of the operation has the exact type",
    "client.list_pages": "for namespaces; the stub of the operation has the exact type",
    "client.namespace_type": "a namespace of any client",
    "client.paginate": "without a model the items are JSON objects",
    "client.resume": "text does not say what it lists; a Cursor[T] does",
}


@define
class Report:
    """What a checker says of the programs.

    Attributes:
        codes: The codes of the errors, by file and line.
        messages: The errors and warnings as text.
        types: The revealed types, by line of the surface program.
    """

    codes: dict[str, dict[int, set[str]]] = field(factory=lambda: defaultdict(dict))
    messages: list[str] = field(factory=list)
    types: dict[int, str] = field(factory=dict)

    def add(self, file: str, line: int, severity: str, code: str, text: str) -> None:
        if severity in ("error", "warning"):
            self.codes[file].setdefault(line, set()).add(code)
            self.messages.append(f"{file}:{line}: {severity}: {text} [{code}]")
        elif file == SURFACE and (found := _REVEALED.search(text)):
            self.types[line] = found[1]

    def about(self, folder: str) -> list[str]:
        return [each for each in self.messages if each.startswith(folder)]


_REVEALED = re.compile(r'^(?:Revealed type is|Type of ".*" is) "(.*)"$', re.DOTALL)


def run(command: list[str], folder: Path, **env: str) -> str:
    """Return what a checker prints. It exits with 1 if it finds errors, with more if it fails."""
    done = subprocess.run(  # noqa: S603 - trusted input
        [sys.executable, "-m", *command],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def source_folder() -> list[str]:
    """Return where the package is imported from, unless it is installed."""
    folder = Path(aioinstructure.__file__).parents[1]
    return [] if folder.name == "site-packages" else [str(folder)]


def by_mypy(folder: Path) -> Report:
    report = Report()
    options = ["--strict", "--follow-imports=silent", "--no-incremental", "--config-file="]
    files = [str(file.relative_to(folder)) for file in sorted(folder.rglob("*.py"))]
    printed = run(
        ["mypy", *options, "--output=json", *files], folder, MYPYPATH=":".join(source_folder())
    )
    for line in printed.splitlines():
        found: dict[str, Any] = json.loads(line)
        code = found["code"] or ""
        report.add(found["file"], found["line"], found["severity"], code, found["message"])
    return report


def by_pyright(folder: Path) -> Report:
    report = Report()
    settings = {
        "include": ["."],
        "extraPaths": source_folder(),
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    printed = run(["pyright", "--outputjson", "--pythonpath", sys.executable], folder)
    for found in json.loads(printed)["generalDiagnostics"]:
        file = str(Path(found["file"]).relative_to(folder))
        line = found["range"]["start"]["line"] + 1
        report.add(file, line, found["severity"], found.get("rule", ""), found["message"])
    return report


CHECKERS = {"mypy": by_mypy, "pyright": by_pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def checker(request: pytest.FixtureRequest) -> str:
    """The name of a checker."""
    return str(request.param)


@pytest.fixture(scope="module")
def report(checker: str, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of the checker, which runs in a folder where no settings of the project apply."""
    folder = tmp_path_factory.mktemp(checker).resolve()
    for name in ("right", "wrong"):
        shutil.copytree(HERE / name, folder / name)
    (folder / SURFACE).write_text("\n".join(surface()) + "\n")
    return CHECKERS[checker](folder)


def public_names(owner: type) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("_")]


def surface() -> list[str]:
    """Return the lines of a program that reveals the types of all public methods and properties."""
    found = [f"client.{name}" for name in public_names(Client)]
    for variable, client in (("canvas", Canvas), ("abconnect", ABConnect)):
        found += [
            f"{variable}.{name}" for name in public_names(client) if not hasattr(Client, name)
        ]
        for namespace in client.namespace_names():
            names = public_names(client.namespace_type(namespace))
            found += [f"{variable}.{namespace}.{name}" for name in names]
    return [
        "from aioinstructure import ABConnect, Canvas",
        "from aioinstructure.client import Client",
        "def show(client: Client, canvas: Canvas, abconnect: ABConnect) -> None:",
        *(f"    reveal_type({each})" for each in found),
    ]


def parts(text: str, separator: str) -> list[str]:
    """Split a type where the separator is outside of all brackets."""
    found, depth, start, at = [], 0, 0, 0
    while at < len(text):
        if text.startswith(separator, at) and depth == 0:
            found.append(text[start:at])
            start = at = at + len(separator)
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
    return [*found, text[start:]]


_COROUTINE = re.compile(r"(?:[\w.]+\.)?Coroutine(?:Type)?\[Any, Any, (.*)\]", re.DOTALL)


def results(shown: str) -> Iterator[str]:
    """Yield the result of a method, of each of its overloads, or the type of a property."""
    overloads = re.fullmatch(r"Overload[(\[](.*)[)\]]", shown, re.DOTALL)
    for each in parts(overloads[1], ", ") if overloads else [shown]:
        result = parts(each, " -> ")[1:] or [each]
        awaited = _COROUTINE.fullmatch(" -> ".join(result))
        yield awaited[1] if awaited else " -> ".join(result)


_CODES = r"(none|[\w-]+(?:, [\w-]+)*)"
_MARK = re.compile(rf"# expect: {_CODES} \| {_CODES}$")


def marks(lines: list[str], checker: str) -> dict[int, set[str]]:
    """Return the codes that a checker must report, by line."""
    found: dict[int, set[str]] = {}
    for number, line in enumerate(lines, 1):
        if mark := _MARK.search(line):
            codes = mark[1 + list(CHECKERS).index(checker)]
            if codes != "none":
                found[number] = set(codes.split(", "))
    return found


def test_documented_programs_have_exact_types(report: Report) -> None:
    """No error and no warning in `right/`."""
    assert not report.about("right/")


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_reported(checker: str, report: Report, name: str) -> None:
    """In `wrong/`, the marked lines with the marked codes, and no other line."""
    file = HERE / "wrong" / name
    lines = file.read_text().splitlines()
    expected, got = marks(lines, checker), report.codes[f"wrong/{name}"]
    assert expected
    differences = [
        f"{name}:{number}: expected {expected.get(number)}, got {got.get(number)}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if expected.get(number) != got.get(number)
    ]
    assert not differences, "\n".join(differences)


def test_no_result_is_any_without_a_reason(report: Report) -> None:
    """Of the public methods and properties of clients and namespaces."""
    assert not report.about(SURFACE)
    lines = surface()
    shown = {
        lines[number - 1].strip().removeprefix("reveal_type(").removesuffix(")"): text
        for number, text in report.types.items()
    }
    assert len(shown) == len(lines) - 3
    inexact = {
        name
        for name, text in shown.items()
        if any(re.search(r"\b(Any|Unknown)\b", result) for result in results(text))
    }
    assert inexact == set(RESULTS_WITH_ANY)


def test_results_are_found_in_what_the_checkers_print() -> None:
    """A method, a coroutine, overloads, a property, and a result that is a function."""
    assert list(results("def (id: int | str) -> a.Paginator[a.Course]")) == ["a.Paginator[a.Course]"]
    assert list(results("def (f: def (Any) -> Any) -> typing.Coroutine[Any, Any, None]")) == ["None"]
    assert list(results("(id: Id) -> CoroutineType[Any, Any, Course]")) == ["Course"]
    overloads = "Overload[(cursor: Cursor[T@resume]) -> Paginator[T@resume], (cursor: str) -> X[Any]]"
    assert list(results(overloads)) == ["Paginator[T@resume]", "X[Any]"]
    assert list(results("builtins.float | None")) == ["builtins.float | None"]
    assert list(results("(tp: Any) -> ((Any) -> Any)")) == ["((Any) -> Any)"]
