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
from aioinstructure import ABConnect, Canvas, Model, Paginator, Response, ResultPage
from aioinstructure.abconnect.batching import Batcher, BatchResult
from aioinstructure.abconnect.events import Follow
from aioinstructure.abconnect.standards import Standard
from aioinstructure.abconnect.traversal.documents import Branch, DocumentTree
from aioinstructure.abconnect.traversal.relations import Crosswalk, Match, Replacements, Successor
from aioinstructure.client import Client
from aioinstructure.endpoints.lookup import namespace_type, namespaces_of
from aioinstructure.quota import Scheduler, Snapshot
from aioinstructure.sync import Plan, Report, StreamPlan, StreamReport, Sync

pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent
WRONG = sorted(file.name for file in (HERE / "wrong").iterdir() if file.suffix == ".py")
SURFACE = "surface.py"

CLIENTS: tuple[type[Client], ...] = (Canvas, ABConnect)
SERVICES = ("aioinstructure.canvas.", "aioinstructure.abconnect.")

ANY: dict[str, tuple[str, ...]] = {
    "for namespaces; the stub of an operation has the exact type": (
        "Client.fetch",
        "Client.list_pages",
    ),
    "JSON without a model": (
        "Client.paginate",
        "Model.extra",
        "Model.reshape",
        "Model.to_dict",
        "Model.unreadable",
        "Response.json",
        "ResultPage.raw",
    ),
    "text does not say what it lists; a Cursor[T] does": ("Client.resume",),
    "the vendor does not document the type, or any type is possible": (
        "AffectedProperty.new_value",
        "AffectedProperty.previous_value",
        "Asset.custom_attributes",
        "AssetProperty.filterable",
        "Collection.advanced_search",
        "Collection.filters",
        "Course.enrollments",
        "Course.grading_periods",
        "Course.permissions",
        "Course.sections",
        "Course.teachers",
        "CoursePace.assignments_weighting",
        "Descriptor.value",
        "FacetDetail.data",
        "LockInfo.context_module",
        "Progress.results",
        "Resource.meta",
        "ResourceRef.meta",
    ),
}
"""The public methods and attributes whose type contains Any, by the reason."""

CLASSES: tuple[type, ...] = (
    BatchResult,
    Batcher,
    Branch,
    Client,
    Crosswalk,
    DocumentTree,
    Follow,
    Match,
    Model,
    Paginator,
    Plan,
    Replacements,
    Report,
    Response,
    ResultPage,
    Scheduler,
    Snapshot,
    StreamPlan,
    StreamReport,
    Successor,
    Sync,
)
"""Classes that programs get results from, besides namespaces and models, which are found."""


_REVEALED = re.compile(r'^(?:Revealed type is|Type of ".*" is) "(.*)"$', re.DOTALL)


@define
class Findings:
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


def source_folder() -> str:
    """Return the folder that the package is imported from; "" if it is installed."""
    folder = Path(aioinstructure.__file__).parents[1]
    return "" if folder.name == "site-packages" else str(folder)


def by_mypy(folder: Path) -> Findings:
    report = Findings()
    options = ["--strict", "--follow-imports=silent", "--no-incremental", "--config-file="]
    files = [str(file.relative_to(folder)) for file in sorted(folder.rglob("*.py"))]
    printed = run(["mypy", *options, "--output=json", *files], folder, MYPYPATH=source_folder())
    for line in printed.splitlines():
        found: dict[str, Any] = json.loads(line)
        code = found["code"] or ""
        report.add(found["file"], found["line"], found["severity"], code, found["message"])
    return report


def by_pyright(folder: Path) -> Findings:
    report = Findings()
    settings = {
        "include": ["."],
        "extraPaths": [path for path in [source_folder()] if path],
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
def report(checker: str, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """The report of the checker, which runs in a folder where no settings of the project apply."""
    folder = tmp_path_factory.mktemp(checker).resolve()
    for name in ("right", "wrong"):
        shutil.copytree(HERE / name, folder / name)
    (folder / SURFACE).write_text("\n".join(surface()) + "\n")
    return CHECKERS[checker](folder)


def public_names(cls: type, *bases: type) -> list[str]:
    """Return the public names of a class that its bases do not have."""
    known = {name for base in bases for name in dir(base)}
    return [name for name in dir(cls) if not name.startswith("_") and name not in known]


def models(base: type[object] = Model) -> Iterator[type]:
    """Yield the models of both services that have been imported."""
    for cls in base.__subclasses__():
        # attrs makes a second class of each; the first one is in no module.
        is_current = getattr(sys.modules[cls.__module__], cls.__name__, None) is cls
        if is_current and cls.__module__.startswith(SERVICES):
            yield cls
        yield from models(cls)


def public_attributes() -> dict[type, list[str]]:
    """Return the names of all public methods and attributes, those of namespaces dotted."""
    found: dict[type, list[str]] = {}
    for client in CLIENTS:
        found[client] = public_names(client, Client)
        for namespace in namespaces_of(client):
            names = public_names(namespace_type(client, namespace))
            found[client] += [f"{namespace}.{name}" for name in names]
    found |= {each: public_names(each) for each in CLASSES}
    return found | {each: public_names(each, *each.__bases__) for each in models()}


_REVEAL = "reveal_type("


def surface() -> list[str]:
    """Return the lines of a program that reveals the type of each of them."""
    attributes = public_attributes()
    names = {cls: f"{cls.__module__}.{cls.__name__}" for cls in attributes}
    generic = {cls for cls in attributes if getattr(cls, "__parameters__", ())}
    return [
        *sorted({f"import {cls.__module__}" for cls in attributes}),
        "def show(",
        *(
            f"    {cls.__name__}: {name}{f'[{names[Standard]}]' if cls in generic else ''},"
            for cls, name in names.items()
        ),
        ") -> None:",
        *(f"    {_REVEAL}{cls.__name__}.{each})" for cls in attributes for each in attributes[cls]),
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


def test_documented_programs_have_exact_types(report: Findings) -> None:
    """No error and no warning in `right/`."""
    assert not report.about("right/")


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_reported(checker: str, report: Findings, name: str) -> None:
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


def test_no_type_is_any_without_a_reason(report: Findings) -> None:
    """Of results of public methods, of properties, and of the fields of models."""
    assert not report.about(SURFACE)
    lines = surface()
    shown = {
        lines[number - 1].strip().removeprefix(_REVEAL)[:-1]: text
        for number, text in report.types.items()
    }
    assert len(shown) == sum(_REVEAL in line for line in lines)
    inexact = {
        name
        for name, text in shown.items()
        if any(re.search(r"\b(Any|Unknown)\b", result) for result in results(text))
    }
    assert inexact == {name for names in ANY.values() for name in names}


def test_results_are_found_in_what_the_checkers_print() -> None:
    """A method, a coroutine, overloads, a property, and a result that is a function."""
    assert list(results("def (id: int | str) -> a.Paginator[a.Course]")) == [
        "a.Paginator[a.Course]"
    ]
    assert list(results("def (f: def (Any) -> Any) -> typing.Coroutine[Any, Any, None]")) == [
        "None"
    ]
    assert list(results("(id: Id) -> CoroutineType[Any, Any, Course]")) == ["Course"]
    overloads = (
        "Overload[(cursor: Cursor[T@resume]) -> Paginator[T@resume], (cursor: str) -> X[Any]]"
    )
    assert list(results(overloads)) == ["Paginator[T@resume]", "X[Any]"]
    assert list(results("builtins.float | None")) == ["builtins.float | None"]
    assert list(results("(tp: Any) -> ((Any) -> Any)")) == ["((Any) -> Any)"]
