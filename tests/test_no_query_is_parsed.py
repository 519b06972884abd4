"""The library does not parse the queries that it makes: they are pairs until they are sent."""

from __future__ import annotations

import importlib
import pkgutil
import urllib.parse
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import aioinstructure
from aioinstructure import Canvas
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, abconnect_of, canvas_of, reply
from aioinstructure.wire.message import Request, Response

PARSERS = ("parse_qsl", "parse_qs")
HOME = "https://canvas.test"


class Parsed(list[str]):
    """What the library has parsed as a query."""


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    """Record each call of a query parser by a module of the library, the simulator excluded.

    A module that has imported a parser by name holds it as an attribute, so that it is replaced
    there; calls by `urllib.parse.x` are found as well, since no module of the library imports
    `urllib` as a module (checked here).
    """
    found = Parsed()

    def recording(parse: Callable[..., Any]) -> Callable[..., Any]:
        def parse_and_record(query: str, *args: Any, **options: Any) -> Any:
            found.append(query)
            return parse(query, *args, **options)

        return parse_and_record

    for info in pkgutil.walk_packages(aioinstructure.__path__, "aioinstructure."):
        if info.name.startswith("aioinstructure.simulator") or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        assert not any(
            each in (urllib, urllib.parse)
            for each in vars(module).values()
            if isinstance(each, ModuleType)
        )
        for name in PARSERS:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, recording(getattr(urllib.parse, name)))
    return found


async def test_the_parsers_are_counted(parsed: Parsed) -> None:
    """A test for the absence of something must be able to fail: a link of a server is parsed."""
    link = f"{HOME}/api/v1/courses?page=bookmark:x&per_page=2"
    transport = FakeTransport([reply([{"id": 1}], next=link), reply([])])
    await Canvas(HOME, "t", transport=transport).courses.list(page_size=2).collect()
    assert set(parsed) == {"page=bookmark:x&per_page=2"}


async def test_ten_pages_of_ab_connect_parse_no_query(parsed: Parsed) -> None:
    """Pages are requested by the offset among the call's pairs, also those that are fetched early.

    Neither the query that was sent nor the one in `links.next` is parsed.
    """
    simulator = Simulator(seed=1, knobs=Knobs(standards=1000, events=300))
    async with abconnect_of(simulator) as ab:
        pages = ab.standards.list(fields=["number", "statement"], sort=["guid"])
        total = (await pages).total
        found = [standard.id async for standard in pages]
        assert len(found) == total
        assert len(simulator.requests) == 10
        assert (await ab.standards.get(found[0] or "", fields=["number"])).id == found[0]
        assert len(await ab.events.since(0).collect()) == 300
        assert (await ab.standards.get_many([each or "" for each in found[:150]])).missing == []
    assert parsed == []


async def test_resuming_a_list_of_ab_connect_parses_no_query(parsed: Parsed) -> None:
    """A cursor holds pairs."""
    simulator = Simulator(seed=1, knobs=Knobs(standards=500))
    async with abconnect_of(simulator) as ab:
        pages = ab.standards.list()
        read = await pages.take(250)
        rest = await ab.resume(pages.cursor).collect()
        assert len({standard.id for standard in (*read, *rest)}) == (await pages).total
    assert parsed == []


async def test_canvas_parses_links_of_the_server_only(parsed: Parsed) -> None:
    """Whether a page can be resumed depends on its link; what the library made is not parsed."""
    simulator = Simulator(seed=1, knobs=Knobs(courses=25))
    async with canvas_of(simulator) as canvas:
        pages = canvas.courses.list(include=["term"], page_size=3)
        async for _ in pages:
            assert pages.cursor
        assert len(await canvas.resume(pages.cursor).collect()) == 0
        await canvas.courses.get(1)
        await canvas.request("GET", "/api/v1/courses?per_page=1", params={"a": [1]})
    links: set[str] = set()
    async with canvas_of(simulator) as canvas:
        async for page in canvas.courses.list(include=["term"], page_size=3).pages():
            header = page.response.headers.get("link", "")
            links.update(part.partition(">")[0] for part in header.split("?")[1:])
    assert parsed
    assert set(parsed) <= links


async def test_writes_and_lists_without_links_parse_nothing(parsed: Parsed) -> None:
    """A body is made once, and so is a query."""

    def last(request: Request) -> Response:
        return reply([] if request.method == "GET" else {"id": 1})

    canvas = Canvas(HOME, "t", transport=FakeTransport([last]))
    await canvas.courses.list(include=["term"], state=["available"]).collect()
    await canvas.paginate("/api/v1/x?a=1", params={"b": [1]}).collect()
    await canvas.as_user(7).courses.list().collect()
    await canvas.course_paces.update(1, 2, end_date=None)
    assert parsed == []
