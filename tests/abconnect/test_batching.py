"""Many standards by GUID: batches of 100, and combined single calls."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import (
    ABConnect,
    Forbidden,
    InputError,
    Request,
    Response,
)
from aioinstructure.abconnect import F
from aioinstructure.abconnect.standards import Standard
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, abconnect_of, reply


def guid(number: int) -> str:
    return f"0000ABCD-0000-4000-8000-{number:012X}"


def query(path: str) -> dict[str, str]:
    """Return the query without the parameters of the signature."""
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


def asked_for(path: str) -> list[str]:
    """Return the GUIDs in a filter."""
    return re.findall(r"'([0-9A-Fa-f-]{36})'", query(path)["filter[standards]"])


def echo(request: Request) -> Response:
    """Return the requested standards with an even number, with lower-case ids."""
    rows = [
        {"type": "standards", "id": one.lower(), "attributes": {"level": 1}}
        for one in sorted(asked_for(request.path), reverse=True)
        if int(one[-1], 16) % 2 == 0
    ]
    return reply({"data": rows, "meta": {"count": len(rows), "limit": 100}})


def refuse(_: Request) -> Response:
    return reply({"errors": [{"status": "403", "detail": "no licence"}]}, status=403)


def ab_with(*replies: Any, seconds: float = 0.0) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies), seconds=seconds)
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


async def test_a_hundred_per_call_in_request_order() -> None:
    """250 GUIDs are three concurrent requests; unknown GUIDs are missing."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(echo, seconds=1.0)
    wanted = [guid(number) for number in range(250)]
    start = loop.time()
    many = await ab.standards.get_many(wanted, fields=["level"])
    assert loop.time() - start == pytest.approx(1, abs=0.1)
    assert [len(asked_for(path)) for path in transport.paths] == [100, 100, 50]
    assert [one.id for one in many] == [one.lower() for one in wanted[::2]]
    assert many.missing == wanted[1::2]
    assert len(many) == 125
    first = query(transport.paths[0])
    assert first["fields[standards]"] == "level"
    assert "'active','deleted','obsolete'" in first["filter[standards]"].replace(", ", ",")
    assert all(len(path) < 8000 for path in transport.paths)


async def test_an_empty_list_sends_nothing() -> None:
    """No GUIDs, no request."""
    ab, transport = ab_with()
    many = await ab.standards.get_many([])
    assert (many.items, many.missing, len(many)) == ([], [], 0)
    assert transport.requests == []


async def test_any_iterable_of_guids_is_accepted() -> None:
    """Including a generator; a single GUID is refused."""
    ab, transport = ab_with(echo)
    wanted = [guid(number) for number in range(130)]
    many = await ab.standards.get_many(one for one in wanted)
    assert (len(many), len(many.missing)) == (65, 65)
    assert len((await ab.standards.get_many(dict.fromkeys(wanted[:4]))).items) == 2
    assert len(transport.requests) == 3
    with pytest.raises(InputError, match="must be a list"):
        await ab.standards.get_many(guid(2))
    assert len(transport.requests) == 3


async def test_other_calls_do_not_wait_for_all_batches() -> None:
    """Few batches are queued at a time, so a single call soon gets its turn."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(echo)
    many = asyncio.create_task(ab.standards.get_many([guid(n) for n in range(20_000)]))
    await asyncio.sleep(10)
    start = loop.time()
    await ab.standards.list(filter=F.guid == guid(2)).first()
    assert loop.time() - start < 2
    assert not many.done()
    found = await many
    assert (len(found), len(found.missing)) == (10_000, 10_000)
    assert len(transport.requests) == 201
    # 24 at once from a full bucket, then five a second: no slower than queueing all of them.
    assert loop.time() - start + 10 == pytest.approx((201 - 24) / 5, abs=1)


async def test_a_duplicate_guid_is_sent_once_and_returned_twice() -> None:
    """In upper or lower case."""
    ab, transport = ab_with(echo)
    many = await ab.standards.get_many(
        [guid(2), guid(4), guid(2).lower(), guid(3), guid(3).lower()]
    )
    assert [one.id for one in many] == [guid(n).lower() for n in (2, 4, 2)]
    assert many.missing == [guid(3)]  # in its first spelling
    assert len(asked_for(transport.paths[0])) == 3


@pytest.mark.parametrize("wrong", ["", "abc", guid(1)[:-1], f"{guid(1)}'", f" {guid(1)}", 5, None])
async def test_an_invalid_guid_is_refused_before_anything_is_sent(wrong: Any) -> None:
    """However many valid ones are before it."""
    ab, transport = ab_with(echo)
    with pytest.raises(InputError, match="GUID"):
        await ab.standards.get_many([*(guid(n) for n in range(150)), wrong])
    with pytest.raises(InputError, match="GUID"):
        await ab.standards.batcher()(wrong)
    assert transport.requests == []


async def test_the_error_of_a_batch_is_raised() -> None:
    """As a plain error, not an exception group; the other batches are cancelled."""
    ab, _ = ab_with(echo, refuse, refuse, seconds=0.1)
    with pytest.raises(Forbidden, match="no licence"):
        await ab.standards.get_many([guid(number) for number in range(250)])
    assert len(asyncio.all_tasks()) == 1


async def test_deleted_standards_are_found() -> None:
    """In the simulator, whose lists omit them: by GUID they are found like any other."""
    simulator = Simulator(knobs=Knobs(standards=800, events=0))
    async with abconnect_of(simulator) as ab:
        ids = [one.id or "" for one in await ab.standards.list().take(210)]
        simulator.world.retire_standard(ids[3])
        mixed = [*ids[:150], guid(7), *(one.lower() for one in ids[150:])]
        before = len(simulator.requests)
        many = await ab.standards.get_many(mixed, fields=["status"])
        assert len(simulator.requests) - before == 3
    assert [(one.id or "").lower() for one in many] == [one.lower() for one in ids]
    assert many.items[3].status == "deleted"
    assert many.missing == [guid(7)]


async def test_included_objects_are_attached() -> None:
    """Related objects are in the `.resource` of their references."""
    simulator = Simulator(knobs=Knobs(standards=400, events=0))
    async with abconnect_of(simulator) as ab:
        some = await ab.standards.list(filter="level eq 2").take(3)
        ids = [one.id or "" for one in some]
        many = await ab.standards.get_many(ids, fields=["parent"], include=["parent"])
    for one in many:
        assert one.parent.single is not None
        assert isinstance(one.parent.single.resource, Standard)


# --- combined calls ----------------------------------------------------------------------------


async def test_calls_within_a_short_time_are_one_request() -> None:
    """Each caller gets its object, or None; later calls are another request."""
    ab, transport = ab_with(echo)
    get = ab.standards.batcher(fields=["level"])

    async def later(number: int, seconds: float) -> Standard | None:
        await asyncio.sleep(seconds)
        return await get(guid(number))

    found = await asyncio.gather(
        later(2, 0), later(3, 0.001), later(4, 0.002), later(2, 0.003), later(6, 0.02)
    )
    assert [one and one.id for one in found] == [
        guid(2).lower(),
        None,
        guid(4).lower(),
        guid(2).lower(),
        guid(6).lower(),
    ]
    asked = [{one.upper() for one in asked_for(path)} for path in transport.paths]
    assert asked == [{guid(2), guid(3), guid(4)}, {guid(6)}]
    assert len(asyncio.all_tasks()) == 1


async def test_the_case_of_a_combined_guid_does_not_matter() -> None:
    """Both callers get the same object."""
    ab, transport = ab_with(echo)
    get = ab.standards.batcher()
    one, other = await asyncio.gather(get(guid(2)), get(guid(2).lower()))
    assert one is other is not None
    assert len(asked_for(transport.paths[0])) == 1


async def test_a_full_batch_does_not_wait() -> None:
    """100 calls are sent at once; the others when their wait is over."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(echo)
    get = ab.standards.batcher(wait=5.0)
    start = loop.time()
    await asyncio.gather(*(get(guid(number)) for number in range(100)))
    assert loop.time() - start < 0.1
    found = await asyncio.gather(*(get(guid(number)) for number in range(0, 500, 2)))
    assert all(found)
    assert sum(len(asked_for(path)) for path in transport.paths) == 350
    assert all(len(asked_for(path)) <= 100 for path in transport.paths)


async def test_an_invalid_guid_fails_only_its_caller() -> None:
    """Calls combined with it get their results."""
    ab, _ = ab_with(echo)
    get = ab.standards.batcher()
    found = await asyncio.gather(get(guid(2)), get("oops"), get(guid(4)), return_exceptions=True)
    assert isinstance(found[1], InputError)
    assert isinstance(found[0], Standard)
    assert isinstance(found[2], Standard)


async def test_an_error_reaches_all_callers() -> None:
    """Later calls are sent again."""
    ab, _ = ab_with(refuse, echo)
    get = ab.standards.batcher()
    found = await asyncio.gather(*(get(guid(n)) for n in range(5)), return_exceptions=True)
    assert [type(one) for one in found] == [Forbidden] * 5
    assert await get(guid(2)) is not None
    assert len(asyncio.all_tasks()) == 1


async def test_a_cancelled_caller_does_not_affect_others() -> None:
    """The others get their results, if it is cancelled before or during the request."""
    ab, transport = ab_with(echo, seconds=1.0)
    get = ab.standards.batcher()
    callers = [asyncio.create_task(get(guid(2 * n))) for n in range(4)]
    await asyncio.sleep(0.001)
    callers[0].cancel()
    await asyncio.sleep(0.5)
    callers[1].cancel()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(one) for one in found] == [asyncio.CancelledError] * 2 + [Standard] * 2
    assert len(transport.requests) == 1
    assert len(asyncio.all_tasks()) == 1


async def test_all_callers_are_cancelled() -> None:
    """No task is left, nothing is logged, and the batcher still works."""
    ab, _ = ab_with(refuse, echo, seconds=1.0)
    get = ab.standards.batcher()
    callers = [asyncio.create_task(get(guid(n))) for n in range(3)]
    await asyncio.sleep(0.2)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    await asyncio.sleep(5)
    assert len(asyncio.all_tasks()) == 1
    assert await get(guid(2)) is not None
