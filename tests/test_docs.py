"""Run every example of the README and the documentation in virtual time, against the simulator."""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aioinstructure import ABConnect, Canvas, QuotaError
from aioinstructure.simulator import Simulator
from aioinstructure.testing import abconnect_of, canvas_of

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    {ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("guides/*.md")} - {DOCS / "architecture.md"}
)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Replace the reader's account, event loop, database and certificates.
REPLACEMENTS = [
    (re.compile(r"Canvas\(\"https://canvas\.example\.edu\", token=\"\.\.\.\"\)"), "open_canvas()"),
    (re.compile(r"ABConnect\(partner_id=\"\.\.\.\", partner_key=\"\.\.\.\"\)"), "open_abconnect()"),
    (re.compile(r"asyncio\.run\((main\(\))\)"), r"await \1"),
    (re.compile(r"sqlite:///\w+\.db"), "sqlite:///:memory:"),
    (re.compile(r"\bcontext\.load_verify_locations\("), "print("),
]


def examples() -> Iterator[Any]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text[: match.start()].count("\n") + 1
            yield pytest.param(match[1], id=f"{page.name}:{line}")


@pytest.mark.parametrize("source", list(examples()))
async def test_example(
    source: str,
    simulator: Simulator,
    canvas: Canvas,
    abconnect: ABConnect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The example raises no error; a test function in it passes."""
    caplog.set_level(logging.WARNING, "aioinstructure.quota")  # restores the level that it sets
    for pattern, replacement in REPLACEMENTS:
        source = pattern.sub(replacement, source)
    code = compile(source, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    fixtures: dict[str, Any] = {"simulator": simulator, "canvas": canvas, "abconnect": abconnect}
    names: dict[str, Any] = {
        **fixtures,
        "ab": abconnect,
        "asyncio": asyncio,
        "QuotaError": QuotaError,
        "cursor": canvas.courses.list().cursor,
        "open_abconnect": lambda: abconnect_of(simulator, clock=abconnect.clock),
        "open_canvas": lambda: canvas_of(simulator, clock=canvas.clock),
        "print": lambda *_: None,
        "save": lambda *_, **__: None,
    }
    made = eval(code, names)  # noqa: S307 - trusted input
    if inspect.iscoroutine(made):
        await made
    for name, value in list(names.items()):
        if name.startswith("test_"):
            wanted = {each: fixtures[each] for each in inspect.signature(value).parameters}
            await value(**wanted)


def test_the_readme_names_both_commands() -> None:
    """The demo and test commands that new users and CI run."""
    text = (ROOT / "README.md").read_text()
    assert 'pip install ".[cli]" && aioinstructure demo' in text
    assert "pip install nox && nox -s tests" in text
    assert "pip install nox && nox -s tests" in (ROOT / ".ci" / "run").read_text()
