"""Every item exactly as the server has it, or an error that says what is missing.

Never both silent and short, whatever goes wrong and whatever changes meanwhile; and no write is
denied that took effect. 300 examples in the suite, 10,000 in `nox -s adversity`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure import (
    ABConnect,
    Canvas,
    Error,
    ResponseError,
    RetryPolicy,
    SyncError,
    TransportError,
)
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.sync import Sync
from aioinstructure.testing import MemorySink
from tests.adversity.adversary import KINDS, PAGE, Adversary, Change, Fault, World

pytestmark = pytest.mark.real_loop

EXAMPLES = settings(max_examples=75 if settings().max_examples < 1_000 else 2_500)
"""Of each of the four properties: a hundredth of what the profile "long" tries."""

FAULTS = st.builds(Fault, st.sampled_from(KINDS), st.integers(0, 500), st.booleans()) | st.just(
    Fault("good")
)
PLANS = st.lists(FAULTS, max_size=12)
CHANGES = st.lists(
    st.builds(Change, st.integers(0, 6), st.sampled_from(["remove", "add"]), st.integers(0, 20)),
    max_size=4,
)
SIZES = st.integers(0, 14)


def world_of(size: int) -> World:
    return World([{"id": number, "name": f"item {number}"} for number in range(1, size + 1)])


def client_of(service: str, origin: str, **options: Any) -> Canvas | ABConnect:
    options |= {
        "quota": Scheduler(TokenBucket(1e6, 1e6)),
        "retry": RetryPolicy(base=0.0, budget_reserve=100, budget_most=100),
        "timeout": 5.0,
    }
    if service == "canvas":
        return Canvas(origin, token="a-token-of-nobody", **options)
    return ABConnect(partner_id="p", partner_key="k" * 20, base_url=origin, **options)


async def check_nothing_left(client: Canvas | ABConnect) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    assert client.quota.snapshot().in_flight == 0
    left = {task for task in asyncio.all_tasks() if "_serve" not in repr(task)}
    assert left == {asyncio.current_task()}


def are_right(found: list[tuple[int, str | None]], world: World) -> bool:
    """Whether a list has all that was there all the time, and nothing that never was."""
    ids = [number for number, _ in found]
    names = dict(found)
    return (
        world.always <= set(ids) <= world.ever
        and len(ids) == len(set(ids))
        and all(name in ("new", f"item {number}") for number, name in names.items())
    )


@pytest.mark.parametrize("service", ["canvas", "abconnect"])
@EXAMPLES
@given(size=SIZES, faults=PLANS, changes=CHANGES)
async def test_a_list_is_complete_or_an_error(
    service: Any, size: int, faults: list[Fault], changes: list[Change]
) -> None:
    """And it ends; items before the error were yielded as the server has them."""
    if service == "abconnect":
        # A removal and an addition between the same two pages leave the count as it was: what they
        # shift stays unseen, as the documentation says.
        changes = [each for each in changes if each.what == changes[0].what]
    world = world_of(size)
    adversary = Adversary(service, world, list(faults), list(changes))
    found: list[tuple[int, str | None]] = []
    failed = False
    async with adversary.running() as origin, client_of(service, origin) as client:
        try:
            if isinstance(client, Canvas):
                async for course in client.courses.list(page_size=PAGE):
                    found += [(int(course.id or 0), course.name)]
            else:
                async for one in client.standards.list(page_size=PAGE, fields=["label"]):
                    found += [(int(one.id or 0), one.label)]
        except Error:
            failed = True
        await check_nothing_left(client)
    if not failed:
        assert are_right(found, world), (found, world)
    assert {number for number, _ in found} <= world.ever
    assert adversary.requests < 120


@EXAMPLES
@given(faults=PLANS, method=st.sampled_from(["GET", "PUT", "DELETE", "POST", "PATCH"]))
async def test_a_call_is_right_or_an_error(faults: list[Fault], method: str) -> None:
    """And an error that denies that a write took effect is right."""
    adversary = Adversary("canvas", world_of(1), list(faults))
    idempotent = method in ("GET", "PUT", "DELETE")
    async with adversary.running() as origin, client_of("canvas", origin) as client:
        assert isinstance(client, Canvas)
        try:
            if method == "GET":
                course = await client.courses.get(1)
                assert (course.id, course.name) == (1, "item 1")
            else:
                await client.request(method, "/api/v1/courses/1", json={})
                assert adversary.done >= 1
        except (TransportError, ResponseError) as error:
            if method != "GET" and not error.may_have_happened:
                assert adversary.done == 0
        except Error:
            assert method == "GET"
        if not idempotent:
            assert adversary.requests <= 1 or adversary.done <= 1
        await check_nothing_left(client)


@EXAMPLES
@given(size=SIZES, faults=PLANS, again=PLANS)
async def test_a_sync_is_complete_or_fails(
    size: int, faults: list[Fault], again: list[Fault]
) -> None:
    """What is called done is complete; a later run without faults completes it."""
    world, sink = world_of(size), MemorySink()
    adversary = Adversary("canvas", world, list(faults))
    wanted = {str(number) for number in world.always}
    async with adversary.running() as origin, client_of("canvas", origin) as client:
        assert isinstance(client, Canvas)
        for plan in (faults, again, []):
            adversary.faults, adversary.last_body = list(plan), b""
            try:
                (report,) = (await Sync(sink, canvas=client).run("courses")).streams
            except SyncError:
                assert plan
                continue
            assert report.state == "done"
            stored = set(sink.rows["courses"])
            assert stored <= wanted
            assert stored == wanted or report.rejected
        assert set(sink.rows["courses"]) == wanted
        await check_nothing_left(client)
