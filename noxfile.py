"""Nox sessions. `nox -s tests` runs the tests; `nox` runs all checks that a change must pass."""

from __future__ import annotations

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "lint", "types"]
nox.options.default_venv_backend = "venv"

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, extras: str = "all") -> None:
    """Install the project with its extras and dependency groups."""
    session.install(f".[{extras}]", *nox.project.dependency_groups(PROJECT, *groups))


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


@nox.session
def adversity(session: nox.Session) -> None:
    """Run the long tests: the `adversity` tests, and 1,000 examples of each property."""
    install(session, "tests")
    session.run("pytest", "-m", "adversity", "--timeout", "900", *session.posargs)
    searches = ("tests/wire", "tests/abconnect", "tests/quota", "tests/test_convert.py")
    session.run("pytest", *searches, "--hypothesis-profile", "long", "--timeout", "900")


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
    for name in session.posargs or ("imports", "convert", "overhead", "memory", "quota_grants"):
        session.run("python", f"benchmarks/{name}.py")
