"""Whatever a body holds, what comes out is a result or an error of the library.

The answers are those of the simulator, with an odd value at a random place of one of them. Each
operation that reads, and each helper that reads by several calls, is tried.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aioinstructure import ABConnect, Canvas, Error, Request, Response, RetryPolicy
from aioinstructure.abconnect.traversal.documents import DocumentTree, sections
from aioinstructure.abconnect.traversal.relations import Crosswalk, Replacements
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport
from tests.contract.harness import simulated

# As JSON text: Python's encoder cannot write the deep one from a deep stack.
ODD: list[str] = [
    *map(json.dumps, (None, {}, [], "text", "", -1, 1.5, True, [1], [[]], {"a": 1}, 10**18, 2**70)),
    *("[" * 900 + "1" + "]" * 900, "NaN", "9" * 40, json.dumps("9" * 40), '"\\ud83d"'),
]
PLACEHOLDER = "the odd value"
MOST_REQUESTS = 400


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each object or list with each of its keys or indices."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found.append((value, key))
            found += places(value[key])
    return found


class Spoilt:
    """Answers as the simulator does, with one odd value in one of the first answers."""

    def __init__(self, simulator: Simulator, seed: int | None) -> None:
        self.answer = simulated(simulator)
        self.rng = random.Random(seed)  # noqa: S311 - which place
        self.left = self.rng.choice([0, 0, 0, 1, 2, 5]) if seed is not None else MOST_REQUESTS
        self.requests = 0
        self.what = ""

    def __call__(self, request: Request) -> Response:
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise AssertionError(f"more than {MOST_REQUESTS} requests, after {self.what}")
        response = self.answer(request)
        if self.what or response.status >= 300 or not response.body:
            return response
        if self.left:
            self.left -= 1
            return response
        body = response.json()
        parent, key = self.rng.choice(self._places(body))
        odd = self.rng.choice(ODD)
        self.what = f"{odd:.30} for {parent[key]!r:.60} at {key!r} of {request.path[:80]}"
        parent[key] = PLACEHOLDER
        text = json.dumps(body).replace(f'"{PLACEHOLDER}"', odd)
        return Response(response.status, response.headers, text.encode())

    def _places(self, body: Any) -> list[tuple[Any, Any]]:
        """Some places: nearly all are in items, so that those around them get their share."""
        if isinstance(body, dict) and self.rng.random() < 0.3:
            return (
                [(body, key) for key in body] + places(body.get("meta")) + places(body.get("links"))
            )
        return places(body) or [([body], 0)]


Scenario = Callable[[Any, Simulator], Awaitable[Any]]


def document(simulator: Simulator, edition: int = 0) -> str:
    return str(simulator.world.standards.document(edition, 0)["guid"])


def guids(simulator: Simulator, count: int) -> list[str]:
    return [simulator.world.standards.guid(row) for row in range(count)]


async def items(found: Any, most: int = 60) -> list[Any]:
    """The first items; leaving the loop is what most programs do."""
    rows = []
    async for row in found:
        rows.append(row)
        if len(rows) == most:
            break
    return rows


async def batched(ab: ABConnect, simulator: Simulator) -> Any:
    get = ab.standards.batcher(fields=["status"])
    return await asyncio.gather(*(get(each) for each in guids(simulator, 5)))


async def followed(ab: ABConnect, _: Simulator) -> Any:
    async with asyncio.timeout(60):
        return await items(ab.events.follow(after=3), 5)


async def predicted(ab: ABConnect, _: Simulator) -> Any:
    asset = await ab.assets.create(
        client_id="lesson-17", asset_type="Lesson", title="Ratios", subjects=[{"code": "MATH"}]
    )
    return await ab.predictions.run(str(asset.id), timeout=20)


async def published(canvas: Canvas, _: Simulator) -> Any:
    made = await canvas.course_paces.update(4, 4, exclude_weekends=False)
    assert made.progress is None or made.progress.id is not None or made.progress.is_empty()
    if made.progress is None or made.progress.id is None:
        return made
    return await canvas.progress.wait(made.progress.id, timeout=30)


AB: dict[str, Scenario] = {
    "standards.list": lambda ab, _: items(ab.standards.list(page_size=20)),
    "restarting list": lambda ab, _: items(ab.standards.list(page_size=20, on_change="restart")),
    "standards.get": lambda ab, s: ab.standards.get(guids(s, 1)[0], fields=["*"]),
    "get_many": lambda ab, s: ab.standards.get_many(guids(s, 120), fields=["status"]),
    "batcher": batched,
    "related": lambda ab, s: items(ab.standards.related(guids(s, 1)[0], "children")),
    "facets": lambda ab, _: ab.standards.facets("document", "section", summary=["*"]),
    "sections": lambda ab, s: sections(ab, document(s)),
    "events": lambda ab, _: items(ab.events.since(0, page_size=20)),
    "follow": followed,
    "topics": lambda ab, _: items(ab.topics.list(include=["standards"])),
    "assets": lambda ab, _: items(ab.assets.list()),
    "predictions": predicted,
    "tree": lambda ab, s: items(DocumentTree(ab, document(s))),
    "replacements": lambda ab, s: items(Replacements(ab, guids(s, 20))),
    "crosswalk": lambda ab, s: items(Crosswalk(ab, document(s), document(s, 1)), 10),
}
CANVAS: dict[str, Scenario] = {
    "courses.list": lambda canvas, _: items(canvas.courses.list(page_size=10)),
    "courses.get": lambda canvas, _: canvas.courses.get(3, include=["term", "teachers"]),
    "accounts": lambda canvas, _: items(canvas.accounts.courses(1, page_size=10)),
    "modules": lambda canvas, _: items(canvas.modules.list(3, include=["items"])),
    "pace": lambda canvas, _: canvas.course_paces.get(3, 3),
    "pace items": lambda canvas, _: items(canvas.course_paces.items(3, 3)),
    "contexts": lambda canvas, _: items(canvas.course_paces.contexts(3, type="student_enrollment")),
    "progress": published,
}


async def attempt(service: str, name: str, seed: int | None) -> Any:
    """One run of a scenario with one odd value; its result, or the error that it may end in."""
    simulator = Simulator(knobs=Knobs(standards=300, events=60, progress_seconds=3.0))
    spoilt = Spoilt(simulator, seed)
    options: dict[str, Any] = {
        "transport": FakeTransport([spoilt] * (MOST_REQUESTS + 10)),
        "retry": RetryPolicy(base=0.0),
    }
    origin = "https://simulator.test"
    client: Canvas | ABConnect
    if service == "canvas":
        client = Canvas(origin, token=simulator.canvas_token, **options)
    else:
        client = ABConnect(
            partner_id=simulator.partner_id,
            partner_key=simulator.partner_key,
            base_url=origin,
            **options,
        )
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))
    try:
        result = await (AB | CANVAS)[name](client, simulator)
    except Error as error:
        result = error
    await client.close()
    assert repr(result)
    assert str(result).isprintable() or not isinstance(result, Error)
    await asyncio.sleep(100)
    assert not reported, spoilt.what
    assert asyncio.all_tasks() == {asyncio.current_task()}, spoilt.what
    assert client.quota.snapshot().in_flight == 0, spoilt.what
    return result


NAMES = [("abconnect", name) for name in AB] + [("canvas", name) for name in CANVAS]


@pytest.mark.parametrize(("service", "name"), NAMES)
async def test_a_scenario_succeeds_without_odd_values(service: str, name: str) -> None:
    """Or the tests below would see nothing but its error."""
    assert not isinstance(await attempt(service, name, None), Error)


@pytest.mark.parametrize(("service", "name"), NAMES)
async def test_an_odd_value_is_no_foreign_error(service: str, name: str) -> None:
    """A sample of places and values."""
    for seed in range(25):
        await attempt(service, name, seed)


@pytest.mark.adversity
@pytest.mark.parametrize(("service", "name"), NAMES)
async def test_many_odd_values_are_no_foreign_error(service: str, name: str) -> None:
    """Five hundred places and values."""
    for seed in range(1_000, 1_500):
        await attempt(service, name, seed)
