"""Identical reads at the same time are one request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aioinstructure import ABConnect, NotFound, Request, Response
from aioinstructure.testing import FakeTransport, reply

ONE, OTHER = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))


def standard(request: Request) -> Response:
    guid = request.path.partition("?")[0].rpartition("/")[2]
    return reply({"data": {"type": "standards", "id": guid, "attributes": {"level": 1}}})


def missing(_: Request) -> Response:
    return reply({"errors": [{"status": "404", "detail": "none"}]}, status=404)


def ab_with(*replies: Any, seconds: float = 1.0) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies), seconds=seconds)
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


async def test_identical_reads_at_once_are_one_request() -> None:
    """Every caller has an object of its own; a read afterwards is a new one."""
    ab, transport = ab_with(standard)
    found = await asyncio.gather(*(ab.standards.get(ONE, fields=["level"]) for _ in range(10)))
    assert len(transport.requests) == 1
    assert {one.id for one in found} == {ONE}
    assert len({id(one) for one in found}) == 10
    await ab.standards.get(ONE, fields=["level"])
    assert len(transport.requests) == 2


async def test_identical_lists_at_once_are_one_request() -> None:
    """Each loop has items of its own, of the page that they share."""
    page = {"data": [{"type": "standards", "id": ONE}], "links": {}, "meta": {"count": 1}}
    ab, transport = ab_with(lambda _: reply(page))
    found = await asyncio.gather(*(ab.standards.list().collect() for _ in range(5)))
    assert len(transport.requests) == 1
    assert [[one.id for one in items] for items in found] == [[ONE]] * 5
    assert len({id(items[0]) for items in found}) == 5


async def test_who_comes_while_it_is_under_way_joins() -> None:
    """It has the answer when the first one has."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(standard)
    start = loop.time()
    first = asyncio.create_task(ab.standards.get(ONE))
    await asyncio.sleep(0.9)
    await ab.standards.get(ONE)
    assert loop.time() - start == pytest.approx(1, abs=0.01)
    await first
    assert len(transport.requests) == 1


async def test_different_reads_are_not_joined() -> None:
    """By id, by fields, by deadline or lane they are others."""
    ab, transport = ab_with(standard)
    await asyncio.gather(
        ab.standards.get(ONE),
        ab.standards.get(OTHER),
        ab.standards.get(ONE, fields=["level"]),
        ab.with_options(deadline=30).standards.get(ONE),
        ab.with_options(lane="background").standards.get(ONE),
    )
    assert len(transport.requests) == 5


async def test_an_error_reaches_all() -> None:
    """Each caller sees it; the next read asks again."""
    ab, transport = ab_with(missing, standard)
    calls = [ab.standards.get(ONE) for _ in range(4)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in found] == [NotFound] * 4
    assert len(transport.requests) == 1
    assert (await ab.standards.get(ONE)).level == 1


async def test_an_error_that_nobody_shares_is_no_complaint() -> None:
    """A single caller's error is its own."""
    ab, _ = ab_with(missing)
    with pytest.raises(NotFound):
        await ab.standards.get(ONE)


async def test_another_sends_when_the_first_is_cancelled() -> None:
    """One of those who joined, for all of them."""
    ab, transport = ab_with(standard)
    callers = [asyncio.create_task(ab.standards.get(ONE)) for _ in range(4)]
    await asyncio.sleep(0.5)
    callers[0].cancel()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [getattr(one, "id", one) for one in found[1:]] == [ONE] * 3
    assert len(transport.requests) == 2


async def test_who_joined_and_is_cancelled_hurts_nobody() -> None:
    """The request goes on for the others."""
    ab, transport = ab_with(standard)
    callers = [asyncio.create_task(ab.standards.get(ONE)) for _ in range(3)]
    await asyncio.sleep(0.5)
    callers[1].cancel()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(found[1], asyncio.CancelledError)
    assert [getattr(one, "id", one) for one in (found[0], found[2])] == [ONE] * 2
    assert len(transport.requests) == 1


async def test_all_are_cancelled() -> None:
    """Nothing is left in flight: the next read sends."""
    ab, transport = ab_with(standard)
    callers = [asyncio.create_task(ab.standards.get(ONE)) for _ in range(3)]
    await asyncio.sleep(0.5)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    assert len(asyncio.all_tasks()) == 1
    assert (await ab.standards.get(ONE)).id == ONE
    assert len(transport.requests) == 2


async def test_writes_are_never_joined() -> None:
    """Each one happens."""
    ab, transport = ab_with(lambda _: reply({"meta": {"took": 1}}))
    await asyncio.gather(*(ab.assets.remove_topics(ONE, ids=[OTHER]) for _ in range(3)))
    assert len(transport.requests) == 3


async def test_what_is_read_after_a_write_is_as_the_write_left_it() -> None:
    """It does not join a read that began before the write, which may tell how things were."""
    title = ["old"]

    def asset(request: Request) -> Response:
        if request.method == "PATCH":
            title[0] = "new"
        return reply({"data": {"type": "assets", "id": ONE, "attributes": {"title": title[0]}}})

    class LongTold(FakeTransport):
        """Reads at once, and is long in telling."""

        async def send(self, request: Request, on_head: Any = None) -> Response:
            answer = await super().send(request, on_head)
            await asyncio.sleep(10 if request.method == "GET" else 0)
            return answer

    ab = ABConnect(partner_id="p", partner_key="k", transport=LongTold([asset]))
    before = asyncio.create_task(ab.assets.get(ONE, fields=["title"]))
    await asyncio.sleep(1)
    await ab.assets.update(ONE, title="new")
    assert (await ab.assets.get(ONE, fields=["title"])).title == "new"
    assert (await before).title == "old"
