"""Identical concurrent reads are one request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aioinstructure import (
    ABConnect,
    DeadlineError,
    NotFound,
    QuotaError,
    Request,
    Response,
)
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
    """Every caller gets its own object; a later read sends again."""
    ab, transport = ab_with(standard)
    found = await asyncio.gather(*(ab.standards.get(ONE, fields=["level"]) for _ in range(10)))
    assert len(transport.requests) == 1
    assert {one.id for one in found} == {ONE}
    assert len({id(one) for one in found}) == 10
    await ab.standards.get(ONE, fields=["level"])
    assert len(transport.requests) == 2


async def test_identical_lists_at_once_are_one_request() -> None:
    """Each loop has its own items, from the shared page."""
    page = {"data": [{"type": "standards", "id": ONE}], "links": {}, "meta": {"count": 1}}
    ab, transport = ab_with(lambda _: reply(page))
    found = await asyncio.gather(*(ab.standards.list().collect() for _ in range(5)))
    assert len(transport.requests) == 1
    assert [[one.id for one in items] for items in found] == [[ONE]] * 5
    assert len({id(items[0]) for items in found}) == 5


async def test_a_later_caller_joins_a_read_in_flight() -> None:
    """It gets the response at the same time as the first caller."""
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
    """Another id, other fields, another deadline, lane or named flow."""
    ab, transport = ab_with(standard)
    await asyncio.gather(
        ab.standards.get(ONE),
        ab.standards.get(OTHER),
        ab.standards.get(ONE, fields=["level"]),
        ab.with_options(deadline=30).standards.get(ONE),
        ab.with_options(deadline=31).standards.get(ONE),
        ab.with_options(lane="background").standards.get(ONE),
        ab.with_options(flow="one tenant").standards.get(ONE),
        ab.with_options(flow="another").standards.get(ONE),
    )
    assert len(transport.requests) == 8


async def test_identical_facets_at_once_are_one_request() -> None:
    """Like any other read: filter, names, lane or deadline make a difference."""
    facet = {"facet": "document", "count": 1, "details": [{"count": 5, "data": {"guid": ONE}}]}
    body = {"data": [], "meta": {"count": 5, "limit": 0, "facets": [facet]}}
    ab, transport = ab_with(lambda _: reply(body))
    found = await asyncio.gather(*(ab.standards.facets("document") for _ in range(6)))
    assert len(transport.requests) == 1
    assert [one["document"].details[0].count for one in found] == [5] * 6
    assert len({id(one.facets[0]) for one in found}) == 6
    await asyncio.gather(
        ab.standards.facets("document"),
        ab.standards.facets("document", filter="level eq 1"),
        ab.standards.facets("document", summary=["section"]),
        ab.topics.facets("document"),
        ab.with_options(lane="bulk").standards.facets("document"),
        ab.with_options(deadline=30).standards.facets("document"),
        ab.standards.facets("document"),
    )
    assert len(transport.requests) == 1 + 6


async def test_identical_raw_requests_are_one_request() -> None:
    """Raw requests join too; a page of a list has another route."""
    ab, transport = ab_with(lambda _: reply({"data": [], "meta": {"count": 0}}))
    path = "/rest/v4.1/standards?limit=100&sort%5Bstandards%5D=guid"
    first, second, page = await asyncio.gather(
        ab.request("GET", path), ab.request("GET", path), ab.standards.list()
    )
    assert first.body == second.body == page.response.body
    assert len(transport.requests) == 2


class Stuck(FakeTransport):
    """Never responds to the first request."""

    async def send(self, request: Request, on_head: Any = None) -> Response:
        self.seconds = 0.5 if self.requests else 1e6
        return await super().send(request, on_head)


class ReadsNever(FakeTransport):
    """Responds only to writes."""

    async def send(self, request: Request, on_head: Any = None) -> Response:
        self.seconds = 1e6 if request.method == "GET" else 0.1
        return await super().send(request, on_head)


async def test_a_joined_caller_has_its_own_deadline() -> None:
    """When the first caller's time ends, one of the later callers sends for all."""
    loop = asyncio.get_running_loop()
    transport = Stuck([standard])
    ab = ABConnect(partner_id="p", partner_key="k", transport=transport, deadline=10)
    start = loop.time()

    async def get(wait: float) -> Any:
        await asyncio.sleep(wait)
        return await ab.standards.get(ONE)

    found = await asyncio.gather(get(0), get(4), get(9), return_exceptions=True)
    assert type(found[0]) is DeadlineError
    assert [getattr(one, "id", one) for one in found[1:]] == [ONE] * 2
    assert loop.time() - start == pytest.approx(10.5, abs=0.01)
    assert len(transport.requests) == 2


async def test_calls_with_the_same_deadline_fail_together() -> None:
    """With one error, that of the call that was sent; nothing is sent at the last moment."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(standard, seconds=1e6)
    start = loop.time()
    quick = ab.with_options(deadline=10)
    calls = [quick.standards.get(ONE) for _ in range(5)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert {str(one) for one in found} == {
        f"no response within 10 s: GET /rest/v4.1/standards/{ONE}"
    }
    assert {type(one) for one in found} == {DeadlineError}
    assert loop.time() - start == pytest.approx(10, abs=0.01)
    assert len(transport.requests) == 1
    ab.quota.set_rate(0.001, burst=1)
    last_token = asyncio.create_task(ab.topics.get(ONE))
    await asyncio.sleep(1)
    calls = [quick.standards.get(OTHER) for _ in range(5)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in found} == {QuotaError}
    assert len(transport.requests) == 2
    last_token.cancel()


async def test_a_joined_caller_waits_no_longer_than_its_deadline() -> None:
    """However often another call takes over."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(standard, seconds=1e6)
    start = loop.time()

    async def get(wait: float) -> tuple[str, float]:
        await asyncio.sleep(wait)
        try:
            await ab.with_options(deadline=10).standards.get(ONE)
        except DeadlineError as error:
            return str(error), round(loop.time() - start, 3)
        raise AssertionError("expected a DeadlineError")

    found = await asyncio.gather(*(get(wait) for wait in (0, 4, 9, 9.5)))
    assert [when for _, when in found] == [10, 14, 19, 19.5]
    assert all(f"GET /rest/v4.1/standards/{ONE}" in text for text, _ in found)
    assert "signature" not in str(found)
    assert len(transport.requests) == 4
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_a_caller_that_joins_twice_has_one_deadline() -> None:
    """After a write, a later caller sends again, and callers of the earlier read join it."""
    loop = asyncio.get_running_loop()
    transport = ReadsNever([lambda _: reply({"meta": {"took": 1}})])
    ab = ABConnect(partner_id="p", partner_key="k", transport=transport, deadline=10)
    start = loop.time()

    async def lost(wait: float) -> float:
        await asyncio.sleep(wait)
        with pytest.raises(DeadlineError):
            await ab.standards.get(ONE)
        return loop.time() - start

    async def write() -> None:
        await asyncio.sleep(5)
        await ab.assets.remove_topics(ONE, ids=[OTHER])

    *when, _ = await asyncio.gather(lost(0), lost(4), lost(6), write())
    assert when == pytest.approx([10, 14, 16], abs=0.06)
    assert [one.method for one in transport.requests] == ["GET", "DELETE", "GET"]


async def test_an_error_reaches_all() -> None:
    """Each caller gets it; the next read sends again."""
    ab, transport = ab_with(missing, standard)
    calls = [ab.standards.get(ONE) for _ in range(4)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in found] == [NotFound] * 4
    assert len(transport.requests) == 1
    assert (await ab.standards.get(ONE)).level == 1


async def test_an_error_without_joined_callers_is_not_logged() -> None:
    """The loop does not report it as never retrieved."""
    ab, _ = ab_with(missing)
    with pytest.raises(NotFound):
        await ab.standards.get(ONE)


async def test_another_sends_when_the_first_is_cancelled() -> None:
    """One of the joined callers, for all of them."""
    ab, transport = ab_with(standard)
    callers = [asyncio.create_task(ab.standards.get(ONE)) for _ in range(4)]
    await asyncio.sleep(0.5)
    callers[0].cancel()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [getattr(one, "id", one) for one in found[1:]] == [ONE] * 3
    assert len(transport.requests) == 2


async def test_a_cancelled_joined_caller_does_not_affect_others() -> None:
    """The request continues for them."""
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
    """Each one is sent."""
    ab, transport = ab_with(lambda _: reply({"meta": {"took": 1}}))
    await asyncio.gather(*(ab.assets.remove_topics(ONE, ids=[OTHER]) for _ in range(3)))
    assert len(transport.requests) == 3


async def test_a_read_after_a_write_sees_its_effect() -> None:
    """It does not join a read that began before the write and may return the old state."""
    title = ["old"]

    def asset(request: Request) -> Response:
        if request.method == "PATCH":
            title[0] = "new"
        return reply({"data": {"type": "assets", "id": ONE, "attributes": {"title": title[0]}}})

    class SlowResponse(FakeTransport):
        """Reads at once, but responds late."""

        async def send(self, request: Request, on_head: Any = None) -> Response:
            response = await super().send(request, on_head)
            await asyncio.sleep(10 if request.method == "GET" else 0)
            return response

    ab = ABConnect(partner_id="p", partner_key="k", transport=SlowResponse([asset]))
    before = asyncio.create_task(ab.assets.get(ONE, fields=["title"]))
    await asyncio.sleep(1)
    await ab.assets.update(ONE, title="new")
    assert (await ab.assets.get(ONE, fields=["title"])).title == "new"
    assert (await before).title == "old"


async def test_each_caller_gets_an_error_of_its_own() -> None:
    """Notes, contexts and tracebacks of several callers do not mix."""
    ab, transport = ab_with(missing)

    async def read(number: int) -> NotFound:
        try:
            await ab.standards.get(ONE)
        except NotFound as error:
            error.add_note(f"note {number}")
            return error
        raise AssertionError

    errors = await asyncio.gather(*map(read, range(3)))
    assert len(transport.requests) == 1
    assert [error.__notes__ for error in errors] == [["note 0"], ["note 1"], ["note 2"]]
    assert {str(error) for error in errors} == {str(errors[0])}
    assert [error.response for error in errors] == [errors[0].response] * 3
