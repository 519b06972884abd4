"""The world: seeds, sizes, and agreement with the operation table."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import aioinstructure.simulator
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.simulator.abconnect.standards import Standards
from aioinstructure.simulator.canvas.course_paces import PaceService
from aioinstructure.simulator.canvas.service import CanvasService
from aioinstructure.simulator.http.router import Router, operations
from aioinstructure.simulator.world import World
from tests.counting import counted_calls

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

HERE = Path(aioinstructure.simulator.__file__).parent


async def everything(caller: Caller) -> list[bytes]:
    paths = ["/api/v1/courses?per_page=100&include[]=teachers", "/api/v1/courses/5/course_pacing/5"]
    bodies = [(await caller.canvas(path)).body for path in paths]
    query = {"fields__standards": "*", "limit": "100"}
    bodies.append((await caller.abconnect("/standards", **query)).body)
    bodies.append((await caller.abconnect("/events", fields__events="*")).body)
    return bodies


async def test_same_seed_same_world(caller: Caller) -> None:
    """One seed gives the same responses and credentials; another seed gives others."""
    simulator = caller.simulator
    first, keys = await everything(caller), simulator.env("x")
    simulator.reset(2)
    other = await everything(caller)
    assert simulator.env("x") != keys
    assert all(one != two for one, two in zip(first, other, strict=True))
    simulator.reset(1)
    assert await everything(caller) == first
    assert simulator.env("x") == keys


def test_access_order_changes_nothing() -> None:
    """Content that is generated on demand does not depend on earlier accesses."""
    one, two = (World(3, Knobs()).campus for _ in range(2))
    forwards = [one.modules(course) for course in one.courses]
    backwards = [two.modules(course) for course in reversed(two.courses)]
    assert forwards == backwards[::-1]


def test_default_world_is_quick() -> None:
    """It takes under 200,000 function calls, about 0.1 s, so that every test can have its own."""
    with counted_calls() as count:
        World(1, Knobs())
    assert count.calls < 200_000


def test_a_quarter_of_a_million_standards() -> None:
    """The documented number of standards takes no more work to set up than a small one."""
    with counted_calls() as small:
        Standards(1, 5_000)
    with counted_calls() as large:
        standards = Standards(1, 248_969)
    assert standards.count == 248_969
    assert large.calls < 1.1 * small.calls
    for index in range(0, 248_969, 9973):
        guid = standards.guid(index)
        assert standards.index_of(guid.swapcase()) == index
    assert standards.index_of("00000000-0000-0000-0000-000000000000") is None


def test_ids_are_unique_and_of_mixed_case() -> None:
    """Most ids are upper case, some lower case, as in the real data."""
    standards = Standards(1, 5000)
    guids = [standards.guid(index) for index in range(5000)]
    assert len({guid.lower() for guid in guids}) == 5000
    assert 0.8 < sum(guid.isupper() for guid in guids) / 5000 < 0.95


@pytest.mark.parametrize("count", [0, 1, 2000, 5000])
def test_sections_contain_every_standard_once(count: int) -> None:
    """Also if the last publication is incomplete, or there are no standards."""
    standards = Standards(1, count)
    numbers = sorted(number for _, _, rows in standards.sections() for number in rows)
    assert numbers == list(range(count))


def test_hierarchy_is_consistent() -> None:
    """A child is one level below its parent, in the same section, and extends its number."""
    standards = Standards(1, 5000)
    for index in range(0, 5000, 7):
        slot = standards.slot(index)
        for child in standards.children(index):
            below = standards.slot(child)
            assert standards.parent(child) == index
            assert (below.level, below.section) == (slot.level + 1, slot.section)
            assert below.number.startswith(f"{slot.number}.")
        assert slot.deepest or standards.children(index) or index > 4900


def test_sizes_are_knobs() -> None:
    """Sizes apply at the next reset."""
    simulator = Simulator(knobs=Knobs(courses=3, standards=10, events=5))
    assert len(simulator.world.campus.courses) == 3
    assert len(simulator.world.events) == 5
    simulator.knobs.courses = 4
    simulator.reset()
    assert len(simulator.world.campus.courses) == 4


async def test_empty_world(caller: Caller) -> None:
    """A world without any data is valid."""
    caller.simulator.knobs.update(courses=0, standards=0, events=0)
    caller.simulator.reset()
    assert (await caller.canvas("/api/v1/courses")).json() == []
    body = (await caller.abconnect("/standards")).json()
    assert (body["data"], body["meta"]["count"], list(body["links"])) == ([], 0, ["self"])


async def test_changed_knobs_apply_at_once(caller: Caller) -> None:
    """A cached reply is dropped when a knob changes."""
    await caller.canvas("/api/v1/courses")
    caller.simulator.knobs.per_page_default = 3
    assert len((await caller.canvas("/api/v1/courses")).json()) == 3


def test_update_is_all_or_nothing() -> None:
    """If one of several changes is invalid, nothing is changed."""
    knobs = Knobs()
    with pytest.raises(ValueError, match="outflow must be of type float"):
        knobs.update(hwm=1.0, outflow="fast")
    with pytest.raises(ValueError, match="unknown knobs: version"):
        knobs.update(hwm=1.0, version=3)
    assert knobs.hwm == 600.0


def test_every_operation_has_a_handler() -> None:
    """The operation table and the code have the same operations of Canvas."""
    service = CanvasService(World(1, Knobs(courses=1, standards=1)), Knobs())
    PaceService(service)
    assert service.handled == {one.name for one in operations() if one.service == "canvas"}


def test_router_prefers_literals_and_decodes_late() -> None:
    """`new` is not an id, and an encoded slash does not split a segment."""
    router = Router(operations())
    found = router.find("GET", "/api/v1/courses/a%2Fb/course_pacing/new")
    assert found is not None
    assert (found[0].name, found[1]) == ("course_paces.new", {"course_id": "a/b"})
    assert router.find("GET", "/api/v1//courses") is None
    assert router.find("PATCH", "/api/v1/courses") is None


def test_oracle_shares_nothing_with_the_client() -> None:
    """It imports only the message types of the library, and aiohttp only in server.py."""
    for path in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}:{node.lineno}"
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                known = ("aioinstructure.wire.message", "aioinstructure.simulator")
                assert root != "aioinstructure" or name.startswith(known), path.name
                assert root != "aiohttp" or path.name == "server.py", path.name
