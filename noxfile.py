"""Nox sessions. `nox -s tests` runs the tests; `nox` runs all checks that a change must pass."""

from __future__ import annotations

import os
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "lint", "types"]
nox.options.default_venv_backend = "venv"

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def package() -> str:
    """What the sessions install: the working tree, or the wheel in `AIOINSTRUCTURE_WHEEL`.

    The variable names a wheel, or a folder with one.
    """
    path = Path(os.environ.get("AIOINSTRUCTURE_WHEEL", "."))
    return str(max(path.glob("*.whl"), default=path))


def install(session: nox.Session, *groups: str, constraints: Path | None = None) -> None:
    """Install the project with all extras and some dependency groups."""
    limits = () if constraints is None else ("--constraint", str(constraints))
    session.install(f"{package()}[all]", *nox.project.dependency_groups(PROJECT, *groups), *limits)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests with branch coverage, on the installed package."""
    install(session, "tests")
    session.run("coverage", "erase")
    session.run(
        *("coverage", "run", "-m", "pytest", "-m", "not adversity"),
        *("-n", "auto"),
        *session.posargs,
    )
    session.run("coverage", "combine", success_codes=[0, 1])
    if not session.posargs:
        session.run("coverage", "report")


def tests_on(session: nox.Session) -> None:
    """Run the tests on one version of Python; skipped if it is not installed."""
    install(session, "tests")
    session.run("pytest", "-m", "not adversity", "-n", "auto", *session.posargs)


for version in PYTHONS:
    nox.session(python=version, name=f"tests-{version}")(tests_on)


def lowest_releases() -> list[str]:
    """The lowest release of each dependency that pyproject.toml allows, as constraints."""
    project = PROJECT["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    found = []
    for requirement in map(Requirement, [*project["dependencies"], *extras]):
        floors = [each.version for each in requirement.specifier if each.operator == ">="]
        found += [f"{requirement.name}=={floor}" for floor in floors]
    return sorted(found)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest releases of the dependencies, on the lowest Python."""
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("\n".join(lowest_releases()), encoding="utf-8")
    install(session, "tests", constraints=constraints)
    session.run("pytest", "-m", "not adversity", "-n", "auto", *session.posargs)


@nox.session
def adversity(session: nox.Session) -> None:
    """Run the long tests: the `adversity` tests, and 1,000 examples of each property.

    Of the properties of the adversary, a server with random faults, 10,000 in all.
    """
    install(session, "tests")
    session.run("pytest", "-m", "adversity", "--timeout", "900", *session.posargs)
    searches: tuple[str, ...]
    searches = ("tests/wire", "tests/abconnect", "tests/quota", "tests/conversion")
    searches += ("tests/adversity/test_adversary.py",)
    session.run("pytest", *searches, "--hypothesis-profile", "long", "--timeout", "900")


@nox.session
def uvloop(session: nox.Session) -> None:
    """Run the tests over real sockets on uvloop."""
    install(session, "tests", "uvloop")
    session.run(
        *("pytest", "-m", "real_loop and not adversity", "-n", "auto"),
        *session.posargs,
        env={"AIOINSTRUCTURE_LOOP": "uvloop"},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, and that the public types are exact."""
    install(session, "tests", "types", "bench")
    session.install("nox")
    session.run("mypy")
    session.run("pyright")
    # pyproject.toml excludes this folder from a run that does not name it.
    session.run("pytest", "tests/typing", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples of the README and the guides against the simulator."""
    install(session, "tests")
    session.run("pytest", "tests/test_docs.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks; each prints a ratio to a peer or a bound."""
    install(session, "tests", "bench")
    for name in session.posargs or (
        "imports",
        "convert",
        "overhead",
        "memory",
        "quota_grants",
        "scenarios",
    ):
        session.run("python", f"benchmarks/{name}.py")
