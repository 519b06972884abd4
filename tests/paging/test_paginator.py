"""Lists: what is sent and when, what is yielded, and that nothing is left running."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.abconnect import ABConnect
from aioinstructure.abconnect.events import Event
from aioinstructure.abconnect.standards import Standard
from aioinstructure.canvas import Canvas
from aioinstructure.canvas.courses import Course
from aioinstructure.errors import (
    ConnectError,
    DecodeError,
    IncompleteError,
    InputError,
    NotFound,
    OriginError,
)
from aioinstructure.paging.cursor import Cursor, CursorState
from aioinstructure.paging.paginator import Paginator
from aioinstructure.paging.result_page import ResultPage
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.params import CommaList
from tests.paging.cursors import cursor_text

HOME = "https://canvas.test"
AB = "https://ab.test"
LIST = "/api/v1/courses?per_page=2"


def url(page: int | str) -> str:
    return f"{HOME}/api/v1/courses?page={page}&per_page=2"


def page_of(*ids: Any, then: int | str | None = None, **more: Any) -> Response:
    items = [{"id": found} if isinstance(found, int | str) else found for found in ids]
    return reply(items, next=None if then is None else url(then), **more)


THREE = [page_of(1, 2, then=2), page_of(3, 4, then=3), page_of(5)]


class Rig:
    """A client with a fake transport, and what the loop reports."""

    def __init__(self, *replies: Any, seconds: float = 0.0) -> None:
        self.transport = FakeTransport(list(replies), seconds=seconds)
        self.canvas = Canvas(HOME, token="t0ken-t0ken", transport=self.transport)
        self.reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.reported.append(context)
        )

    def courses(self, page_size: int = 2) -> Paginator[Course]:
        return self.canvas.courses.list(page_size=page_size)

    @property
    def sent(self) -> list[str]:
        """The pages that were requested; the first is page 1."""
        paths = self.transport.paths
        return [p.partition("?page=")[2].partition("&")[0] or "1" for p in paths]

    async def settle(self) -> None:
        """Let everything run that still can, and check that nothing is left."""
        await asyncio.sleep(100)
        gc.collect()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert self.reported == []


async def ids(items: AsyncIterator[Course]) -> list[Any]:
    return [course.id async for course in items]


# --- reading ------------------------------------------------------------------------------------


async def test_items_come_page_by_page() -> None:
    """In order, each page requested once, and none after the last."""
    rig = Rig(*THREE)
    assert await ids(aiter(rig.courses())) == [1, 2, 3, 4, 5]
    assert rig.sent == ["1", "2", "3"]
    await rig.settle()


async def test_nothing_is_sent_before_a_list_is_read() -> None:
    """A list is lazy."""
    rig = Rig()
    pages = rig.courses()
    assert repr(pages) == f"<Paginator of courses.list at {LIST}>"
    assert pages.route.name == "courses.list"
    await rig.settle()
    assert rig.sent == []


async def test_the_next_page_is_fetched_while_one_is_read() -> None:
    """One, never two: memory holds at most two pages."""
    rig = Rig(*THREE, seconds=1.0)
    loop = asyncio.get_running_loop()
    seen = []
    start = loop.time()
    async for course in rig.courses():
        seen.append((course.id, len(rig.sent)))
        await asyncio.sleep(2)
    assert seen == [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)]
    assert loop.time() - start == pytest.approx(1 + 5 * 2, abs=0.01)  # only page one is waited for


async def test_no_more_than_two_pages_are_held() -> None:
    """A page that was read is released."""
    alive: list[weakref.ref[Counted]] = []
    held = 0

    class Counted(Headers):
        """Headers that allow a weak reference; a response keeps the given object."""

    def respond(request: Request) -> Response:
        number = int(request.path.partition("?page=")[2].partition("&")[0] or 1)
        link = f'<{url(number + 1)}>; rel="next"'
        headers = Counted({"link": link} if number < 20 else {})
        alive.append(weakref.ref(headers))
        return Response(200, headers, orjson.dumps([{"id": number * 2}, {"id": number * 2 + 1}]))

    rig = Rig(respond)
    async for _ in rig.courses():
        await asyncio.sleep(1)
        held = max(held, sum(ref() is not None for ref in alive))
    assert held == 2  # the one that is read and the next one
    assert len(rig.sent) == 20


async def test_each_loop_starts_again() -> None:
    """And resets the cursor."""
    rig = Rig(*THREE, *THREE)
    pages = rig.courses()
    start = pages.cursor
    assert await ids(aiter(pages)) == await ids(aiter(pages)) == [1, 2, 3, 4, 5]
    assert pages.cursor != start
    aiter(pages)
    assert pages.cursor == start


async def test_awaiting_returns_the_first_page_and_the_loop_reuses_it() -> None:
    """One request for both; a later loop requests it again."""
    rig = Rig(*THREE, *THREE)
    pages = rig.courses()
    first = await pages
    assert await pages is first
    assert [course.id for course in first.items] == [1, 2]
    assert first.raw == [{"id": 1}, {"id": 2}]
    assert first.response.status == 200
    assert first.total is None
    assert rig.sent == ["1"]
    assert await ids(aiter(pages)) == [1, 2, 3, 4, 5]
    assert rig.sent == ["1", "2", "3"]
    assert await ids(aiter(pages)) == [1, 2, 3, 4, 5]
    assert rig.sent == ["1", "2", "3"] * 2


async def test_pages_instead_of_items() -> None:
    """Each with its response, and the cursor after it."""
    rig = Rig(*THREE)
    pages = rig.courses()
    seen = []
    async for page in pages.pages():
        assert isinstance(page, ResultPage)
        seen.append([course.id for course in page.items])
        cursors = [pages.cursor, page.cursor or pages.cursor]
        places = [CursorState.decode(cursor, HOME) for cursor in cursors]
        assert len({(place.page, place.read, place.last_ids[:1]) for place in places}) == 1
        assert "<" in repr(page)
    assert seen == [[1, 2], [3, 4], [5]]


async def test_all_items_at_once() -> None:
    """In memory."""
    rig = Rig(*THREE)
    assert [course.id for course in await rig.courses().collect()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("n", "found", "sent"),
    [
        (0, [], []),
        (1, [1], ["1"]),
        (2, [1, 2], ["1"]),
        (3, [1, 2, 3], ["1", "2"]),
        (4, [1, 2, 3, 4], ["1", "2"]),
        (9, [1, 2, 3, 4, 5], ["1", "2", "3"]),
    ],
)
async def test_take_sends_no_more_than_it_needs(n: int, found: list[int], sent: list[str]) -> None:
    """No prefetch beyond a known number of items."""
    rig = Rig(*THREE)
    assert [course.id for course in await rig.courses().take(n)] == found
    await rig.settle()
    assert rig.sent == sent


@pytest.mark.parametrize("n", [-1, True, 1.5, "3", None])
async def test_take_needs_a_number(n: Any) -> None:
    """Nothing is sent for another value."""
    rig = Rig()
    with pytest.raises(InputError, match="take needs a number"):
        await rig.courses().take(n)


async def test_the_first_item_or_none() -> None:
    """One request."""
    rig = Rig(*THREE)
    found = await rig.courses().first()
    assert found is not None
    assert found.id == 1
    assert rig.sent == ["1"]
    assert await Rig(page_of()).courses().first() is None


async def test_a_list_continues_after_take() -> None:
    """The cursor is after the items that were taken."""
    rig = Rig(*THREE[:2], *THREE[1:])
    pages = rig.courses()
    await pages.take(3)
    assert await ids(aiter(rig.canvas.resume(pages.cursor))) == [4, 5]


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("back_to", [1, 2, 3])
async def test_a_cycle_of_pages_is_incomplete(back_to: int) -> None:
    """Whether a page links to itself or further back: its items are yielded, then it ends."""
    first = f"{HOME}{LIST}"
    pages = [page_of(1, then=2), page_of(2, then=3), page_of(3, then=back_to)]
    if back_to == 1:
        pages[2] = reply([{"id": 3}], next=first)
    rig = Rig(*pages)
    seen = []
    with pytest.raises(IncompleteError, match="cycle") as caught:  # noqa: PT012
        async for course in rig.courses():
            seen.append(course.id)  # noqa: PERF401 - the items before the error are needed
    assert seen == [1, 2, 3]
    assert caught.value.got in (LIST, f"/api/v1/courses?page={back_to}&per_page=2")
    await rig.settle()
    assert rig.sent == ["1", "2", "3"]


@pytest.mark.parametrize("back_to", [2, 300, 400])
async def test_a_cycle_of_any_length_is_detected(back_to: int) -> None:
    """Long ones after some rounds, since not every page is remembered; but always."""
    pages = [page_of(number, then=number + 1) for number in range(1, 400)]
    circle = [*pages[back_to - 1 :], page_of(400, then=back_to)]
    rig = Rig(*pages, page_of(400, then=back_to), *circle * (2_000 // len(circle) + 2))
    seen = 0
    with pytest.raises(IncompleteError, match="cycle"):  # noqa: PT012
        async for _ in rig.courses():
            seen += 1
    assert 400 <= seen <= 2_000


@pytest.mark.parametrize(
    "origin",
    ["https://school.test", "http://canvas.test", "https://canvas.test:8443", "//school.test"],
)
async def test_the_origin_of_a_link_is_not_used(
    origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The next page comes from the client's origin; once per client this is logged, without a query."""
    caplog.set_level("INFO", "aioinstructure.http")
    pages = [
        reply([{"id": 1}, {"id": 2}], next=f"{origin}/api/v1/courses?page=2&per_page=2"),
        reply([{"id": 3}, {"id": 4}], next=f"{origin}/api/v1/courses?page=3&per_page=2"),
        page_of(5),
    ]
    rig = Rig(*pages, *pages, *pages[1:])
    for _ in range(2):
        assert await ids(aiter(rig.courses())) == [1, 2, 3, 4, 5]
    first = await rig.canvas.with_options(lane="bulk").courses.list(page_size=2)
    await rig.settle()
    assert rig.sent[:6] == ["1", "2", "3"] * 2
    assert first.next is not None
    assert all(request.url.startswith(f"{HOME}/api/v1/") for request in rig.transport.requests)
    (record,) = (r for r in caplog.records if r.levelname == "INFO")
    assert record.name == "aioinstructure.http"
    assert HOME in record.getMessage()
    assert "page=" not in record.getMessage()


async def test_a_cursor_after_such_a_link_resumes() -> None:
    """It holds the path and the query of the page, and not the origin of the link."""
    link = "https://school.test/api/v1/courses?page=bookmark:abc&per_page=2"
    rig = Rig(reply([{"id": 1}, {"id": 2}], next=link), page_of(3))
    pages = rig.courses()
    assert [course.id for course in await pages.take(2)] == [1, 2]
    text = str(pages.cursor)
    assert "school" not in text
    other = Rig(page_of(3))
    assert [course.id async for course in other.canvas.resume(text)] == [3]
    assert other.transport.requests[0].url == f"{HOME}/api/v1/courses?page=bookmark:abc&per_page=2"


@pytest.mark.parametrize(
    "link",
    [
        "https://canvas.test@evil.test/api/v1/courses?page=2",
        "https://user:word@canvas.test/api/v1/courses?page=2",
        "javascript:alert(1)",
        "https://school.test/login?page=2",
        "https://school.test/api/../login?page=2",
        "https://school.test/api/v1/%2e%2E/%2e./login?page=2",
        "https://canvas.test/api/v1/courses?page=2\r\nX-Header: 1",
    ],
)
async def test_a_link_that_is_none_of_the_api_is_an_error(link: str) -> None:
    """Nothing is sent for it."""
    rig = Rig(reply([{"id": 1}], next=link))
    with pytest.raises(OriginError):
        await ids(aiter(rig.courses()))
    await rig.settle()
    assert rig.sent == ["1"]


# --- two at once --------------------------------------------------------------------------------


async def test_two_loops_over_one_list_are_refused() -> None:
    """They would share one cursor; a finished or abandoned loop does not count."""
    rig = Rig(page_of(1, 2, then=2), page_of(3), *THREE)
    pages = rig.courses()
    loop = aiter(pages)
    await anext(loop)
    for other in (pages.__aiter__, pages.pages):
        with pytest.raises(InputError, match=r"two loops over one list \(courses\.list\)"):
            other()
    with pytest.raises(InputError, match="two loops"):
        await pages.take(1)
    assert [course.id async for course in loop] == [2, 3]
    assert [course.id for course in await pages.collect()] == [1, 2, 3, 4, 5]


async def test_two_tasks_at_one_loop_are_refused() -> None:
    """They would fetch the same page twice."""
    rig = Rig(*THREE, seconds=1.0)
    loop = aiter(rig.courses())

    async def one() -> Any:
        return (await anext(loop)).id

    results = await asyncio.gather(one(), one(), return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], InputError)
    assert "two tasks" in str(results[1])
    assert [course.id async for course in loop] == [2, 3, 4, 5]
    assert rig.sent == ["1", "2", "3"]


async def test_two_lists_do_not_disturb_each_other() -> None:
    """Each call of an endpoint returns another list."""
    rig = Rig(*THREE[:1], *THREE[:1], *THREE[1:2], *THREE[1:2], *THREE[2:], *THREE[2:], seconds=0.1)
    one, two = await asyncio.gather(ids(aiter(rig.courses())), ids(aiter(rig.courses())))
    assert one == two == [1, 2, 3, 4, 5]


# --- leaving ------------------------------------------------------------------------------------


async def read_one(rig: Rig) -> None:
    async for _ in rig.courses():
        await asyncio.sleep(0.5)  # page two is in flight now
        break


async def raise_in_loop(rig: Rig) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async for _ in rig.courses():
            await asyncio.sleep(0.5)
            raise ZeroDivisionError


async def close_in_loop(rig: Rig) -> None:
    async with rig.courses() as pages:
        loop = aiter(pages)
        await anext(loop)
        await asyncio.sleep(0.5)
    with pytest.raises(StopAsyncIteration):  # noqa: PT012
        for _ in range(3):
            await anext(loop)


async def drop_pages(rig: Rig) -> None:
    loop = rig.courses().pages()
    await anext(loop)
    await asyncio.sleep(0.5)
    del loop


async def cancel_the_reader(rig: Rig) -> None:
    task = asyncio.create_task(ids(aiter(rig.courses())))
    await asyncio.sleep(1.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "leave", [read_one, raise_in_loop, close_in_loop, drop_pages, cancel_the_reader]
)
async def test_leaving_a_loop_cancels_the_prefetch_at_once(leave: Callable[[Rig], Any]) -> None:
    """By break, an error, `async with`, deletion or cancellation: no task remains."""
    finished: list[str] = []

    def respond(request: Request) -> Response:
        finished.append(request.path)
        return page_of(1, 2, then=len(finished) + 1)

    rig = Rig(respond, seconds=1.0)
    here = asyncio.all_tasks()
    await leave(rig)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == here
    sent = len(rig.sent)
    await rig.settle()
    assert len(rig.sent) == sent
    assert len(finished) < sent  # the last one was cancelled


async def test_a_list_that_was_left_can_be_read_again() -> None:
    """Leaving ends the loop, not the list; what was not sent yet is never sent."""
    rig = Rig(page_of(1, 2, then=2), *THREE)
    pages = rig.courses()
    async for _ in pages:
        break
    await rig.settle()
    assert rig.sent == ["1"]
    assert await ids(aiter(pages)) == [1, 2, 3, 4, 5]


async def test_closing_waits_for_the_end_of_the_request() -> None:
    """After `async with` the connection is free; closing twice, or a new list, is harmless."""
    rig = Rig(*THREE, seconds=1.0)
    pages = rig.courses()
    await pages.aclose()
    async with pages:
        loop = aiter(pages)
        await anext(loop)
        await asyncio.sleep(0.5)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await pages.aclose()
    assert rig.sent == ["1", "2"]
    await rig.settle()


async def test_closing_does_not_swallow_a_cancellation() -> None:
    """A task that is cancelled while it closes a list is cancelled."""
    rig = Rig()

    class SlowToCancel(FakeTransport):
        """Takes time to react to a cancellation."""

        async def send(self, request: Request, on_head: Any = None) -> Response:
            try:
                return await super().send(request, on_head)
            except asyncio.CancelledError:
                await asyncio.sleep(5)
                raise

    rig.transport = SlowToCancel([*THREE], seconds=1.0)
    canvas = Canvas(HOME, token="t", transport=rig.transport)

    async def read() -> None:
        async with canvas.courses.list(page_size=2) as pages:
            loop = aiter(pages)
            await anext(loop)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(read())
    await asyncio.sleep(2)
    assert not task.done()  # it waits for the end of the prefetch
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await rig.settle()


async def test_a_list_closed_by_another_task_ends() -> None:
    """The page in flight is not yielded, and no other is requested."""
    rig = Rig(*THREE, seconds=1.0)
    pages = rig.courses()
    task = asyncio.create_task(ids(aiter(pages)))
    await asyncio.sleep(0.5)
    await pages.aclose()
    assert await task == []
    await rig.settle()
    assert rig.sent == ["1"]


@pytest.mark.parametrize("at", [round(0.05 + n * 0.1, 2) for n in range(40)])
async def test_cancellation_at_any_time_leaks_nothing(at: float) -> None:
    """While page one is fetched, items are read, or the next page is awaited; no lease remains."""
    rig = Rig(*THREE, seconds=1.0)

    async def read() -> None:
        async for _ in rig.courses():
            await asyncio.sleep(0.3)

    task = asyncio.create_task(read())
    await asyncio.sleep(at)
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    assert result is None or isinstance(result, asyncio.CancelledError)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    shot = rig.canvas.quota.snapshot()
    assert shot.in_flight == sum(shot.queued.values()) == 0
    await rig.settle()


async def test_a_timeout_around_one_step_ends_the_loop() -> None:
    """The awaited page is cancelled as well."""
    rig = Rig(*THREE, seconds=10.0)
    loop = aiter(rig.courses())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(loop), 1)
    with pytest.raises(StopAsyncIteration):
        await anext(loop)
    await rig.settle()


# --- errors -------------------------------------------------------------------------------------


async def test_an_error_of_a_prefetch_is_raised_when_its_page_is_needed() -> None:
    """Not before: the items that were fetched are yielded first."""
    rig = Rig(page_of(1, 2, then=2), reply({"errors": [{"message": "gone"}]}, status=404))
    seen = []
    loop = aiter(rig.courses())
    with pytest.raises(NotFound, match="gone"):  # noqa: PT012
        while True:
            seen.append((await anext(loop)).id)
            await asyncio.sleep(5)
    assert seen == [1, 2]
    assert rig.sent == ["1", "2"]
    with pytest.raises(StopAsyncIteration):
        await anext(loop)
    del loop
    await rig.settle()


@pytest.mark.parametrize("wait", [0.0, 5.0])
async def test_an_error_of_an_unused_prefetch_is_not_reported(wait: float) -> None:
    """No "exception was never retrieved", whether it comes before or after the loop is left."""
    rig = Rig(page_of(1, 2, then=2), reply(status=404), seconds=1.0)
    async for _ in rig.courses():
        await asyncio.sleep(wait)
        break
    await rig.settle()


def test_an_error_after_a_closed_event_loop_is_not_reported() -> None:
    """The list outlives the event loop here, as in a notebook."""
    reported: list[Any] = []

    async def read() -> AsyncIterator[Course]:
        asyncio.get_running_loop().set_exception_handler(lambda _, c: reported.append(c))
        transport = FakeTransport([page_of(1, 2, then=2), reply(status=404)])
        loop = aiter(Canvas(HOME, token="t", transport=transport).courses.list(page_size=2))
        await anext(loop)
        await asyncio.sleep(0.01)
        return loop

    left = asyncio.run(read())
    del left
    gc.collect()
    assert reported == []


def test_a_list_left_by_a_closed_event_loop_is_harmless() -> None:
    """Its prefetch was cancelled with the event loop."""

    async def read() -> tuple[Paginator[Course], AsyncIterator[Course]]:
        transport = FakeTransport([page_of(1, 2, then=2), page_of(3)], seconds=0.01)
        pages = Canvas(HOME, token="t", transport=transport).courses.list(page_size=2)
        loop = aiter(pages)
        await anext(loop)
        return pages, loop

    pages, loop = asyncio.run(read())
    asyncio.run(pages.aclose())
    del loop
    gc.collect()
    assert pages.cursor


def test_a_loop_continues_in_another_event_loop() -> None:
    """The prefetch ended with the first one, and its page is requested again."""
    transport = FakeTransport([by_number], seconds=0.001)
    pages = Canvas(HOME, token="t", transport=transport).courses.list(page_size=2)

    async def begin() -> AsyncIterator[Course]:
        loop = aiter(pages)
        assert (await anext(loop)).id == 1
        return loop

    assert asyncio.run(ids(asyncio.run(begin()))) == [2, 3, 4, 5]


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("way", ["read", "close"])
def test_a_loop_outlives_an_event_loop_that_just_stopped(closed: bool, way: str) -> None:
    """As after `run_until_complete`: nothing waits for the stopped tasks, and no item is lost.

    The list is one of AB Connect, which has several pages in flight at once.
    """
    data = [{"id": f"{number:02}"} for number in range(50)]

    def respond(request: Request) -> Response:
        query = dict(parse_qsl(request.path.partition("?")[2]))
        start = int(query.get("offset", 0))
        more = {"next": f"{AB}/rest/v4.1/standards?offset={start + 10}"} if start < 40 else {}
        meta = {"count": 50, "limit": 10, "offset": start}
        return reply({"data": data[start : start + 10], "links": more, "meta": meta})

    transport = FakeTransport([respond], seconds=0.001)
    client = ABConnect(partner_id="p", partner_key="k", base_url=AB, transport=transport)
    pages = client.standards.list(page_size=10)
    loop = aiter(pages)
    first = asyncio.new_event_loop()
    try:
        assert first.run_until_complete(anext(loop)).id == "00"
        left = asyncio.all_tasks(first)
        assert left
        if closed:
            first.close()
        if way == "read":
            rest = asyncio.run(asyncio.wait_for(standards(loop), 30))
            assert rest == [f"{number:02}" for number in range(1, 50)]
        else:
            asyncio.run(asyncio.wait_for(pages.aclose(), 30))
    finally:
        if not closed:
            first.run_until_complete(asyncio.wait(left))
            first.close()
    assert closed or all(task.cancelled() for task in left)


async def standards(items: AsyncIterator[Standard]) -> list[Any]:
    return [standard.id async for standard in items]


@pytest.mark.parametrize("when", [0.0, 0.5])
async def test_a_prefetch_cancelled_from_outside_is_repeated(when: float) -> None:
    """By a program that cancels every task it does not know; the reader is not affected."""
    rig = Rig(by_number, seconds=1.0)
    mine = asyncio.current_task()
    loop = aiter(rig.courses())
    found = [(await anext(loop)).id, (await anext(loop)).id]

    async def cancel_others() -> None:
        await asyncio.sleep(when)  # at once, or while the page is awaited
        for task in asyncio.all_tasks() - {mine, asyncio.current_task()}:
            task.cancel()

    if when:
        canceller = asyncio.create_task(cancel_others())
    else:
        canceller = None
        await cancel_others()
    found += await ids(loop)
    assert found == [1, 2, 3, 4, 5]
    assert canceller is None or canceller.done()
    await rig.settle()


def by_number(request: Request) -> Response:
    """A page of THREE by its number, any number of times."""
    return THREE[int(request.path.partition("?page=")[2].partition("&")[0] or 1) - 1]


async def test_a_failed_first_page_is_requested_again_by_the_next_loop() -> None:
    """One error does not break a list."""
    rig = Rig(reply(status=404), reply(status=404), *THREE)
    pages = rig.courses()
    with pytest.raises(NotFound):
        await pages
    with pytest.raises(NotFound):
        await ids(aiter(pages))
    assert await ids(aiter(pages)) == [1, 2, 3, 4, 5]


async def test_items_before_an_invalid_one_are_yielded() -> None:
    """The cursor is there, the next page is cancelled, and the error has the response."""
    bad = {"id": 4, "term": "this one"}
    rig = Rig(page_of(1, 2, then=2), page_of(3, bad, 5, then=3), page_of(6), seconds=0.1)
    pages = rig.courses()
    seen = []
    with pytest.raises(DecodeError, match=r"\$\.term") as caught:  # noqa: PT012
        async for course in pages:
            seen.append(course.id)  # noqa: PERF401
    assert seen == [1, 2, 3]
    assert caught.value.response is not None
    assert caught.value.response.body == orjson.dumps([{"id": 3}, bad, {"id": 5}])
    state = CursorState.decode(pages.cursor, HOME)
    assert (state.page, state.read) == ("/api/v1/courses?page=2&per_page=2", 1)
    assert state.last_ids == (3, 2, 1)
    await asyncio.sleep(0)
    await rig.settle()
    assert len(await rig_of_resumed(pages.cursor, [{"id": 3}, {"id": 4}, {"id": 5}])) == 2


async def rig_of_resumed(cursor: str, raw: list[Any]) -> list[Any]:
    return await ids(aiter(Rig(reply(raw)).canvas.resume(cursor)))


async def test_a_loop_ends_after_an_invalid_item() -> None:
    """As after every error: it does not hang."""
    bad = {"id": 2, "term": "this one"}
    loop = aiter(Rig(page_of(1, bad, 3, then=2)).courses())
    assert (await anext(loop)).id == 1
    with pytest.raises(DecodeError):
        await anext(loop)
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(loop)


async def test_an_item_that_is_null_is_an_error() -> None:
    """Inside of a model null may mean an empty one, but a list has no item without an id."""
    rig = Rig(lambda _: reply([{"id": 1}, None, {"id": 3}]))
    seen = []
    with pytest.raises(DecodeError, match=r"not a valid Course: expected a value, got null @ \$"):  # noqa: PT012
        async for course in rig.courses():
            seen.append(course.id)  # noqa: PERF401 - the items before the error are needed
    assert seen == [1]
    with pytest.raises(DecodeError):
        _ = (await rig.courses()).items


async def test_errors_of_a_page_have_its_response() -> None:
    """Like those of a loop: `.items` converts the values of `.raw`."""
    page = await Rig(page_of(1, {"id": 2, "term": 5})).courses()
    with pytest.raises(DecodeError, match=r"\$\.term") as caught:
        _ = page.items
    assert caught.value.response is page.response


@pytest.mark.parametrize("body", [{"a": 1}, None, "x", 5])
async def test_a_body_without_a_list_is_a_decode_error(body: Any) -> None:
    """With the place where the list should be."""
    with pytest.raises(DecodeError, match=r"expected a list, got .* @ \$"):
        await Rig(reply(body)).courses()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            {
                "course_pace": {
                    "modules": [{"items": [{"id": 1}]}, {"items": [{"id": 2}, {"id": 3}]}]
                }
            },
            [1, 2, 3],
        ),
        ({"course_pace": {"modules": [{"items": None}, {"items": []}]}}, []),
        ({"course_pace": {"modules": None}}, []),
        ({"course_pace": {"id": 1}}, []),
        ({"modules": [{"items": [{"id": 1}]}]}, [1]),
        ({"pace": {"modules": [{"items": [{"id": 1}]}]}}, [1]),
    ],
)
async def test_lists_on_the_way_to_the_items_are_joined(body: Any, found: list[int]) -> None:
    """Null is an empty list."""
    rig = Rig(reply(body))
    assert [item.id async for item in rig.canvas.course_paces.items(1, 2)] == found


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"course_pace": 5},
        {"course_pace": {}},
        {"course_pace": None},
        {"course_pace": {"modules": [5]}},
        {"course_pace": {"modules": [{"items": {"id": 1}}]}},
        {"course_pace": {"modules": "x"}},
    ],
)
async def test_a_body_without_the_path_to_the_items_is_a_decode_error(body: Any) -> None:
    """It is not an empty list."""
    with pytest.raises(DecodeError, match=r"expected a list at modules\.items|has no CoursePace"):
        await Rig(reply(body)).canvas.course_paces.items(1, 2).collect()


# --- cursors ------------------------------------------------------------------------------------


async def test_a_list_resumes_after_every_item() -> None:
    """Each cursor, resumed by another client, yields exactly the rest."""
    first = {None: THREE[0], "2": THREE[1], "3": THREE[2]}

    def respond(request: Request) -> Response:
        return first[request.path.partition("?page=")[2].partition("&")[0] or None]

    rig = Rig(respond)
    pages = rig.courses()
    cursors = [pages.cursor]
    async for _ in pages:
        cursors.append(pages.cursor)  # noqa: PERF401
    for done, cursor in enumerate(cursors):
        assert isinstance(cursor, Cursor)
        assert "t0ken" not in cursor
        resumed = Rig(respond).canvas.resume(str(cursor))
        assert resumed.cursor == cursor
        assert await ids(aiter(resumed)) == [1, 2, 3, 4, 5][done:]
        assert (
            await ids(aiter(resumed)) == [1, 2, 3, 4, 5][done:]
        )  # a second time, from the same position


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        ([1, 2, 3, 4], [3, 4]),
        ([9, 1, 2, 3, 4], [3, 4]),  # one was added before
        ([2, 3, 4], [3, 4]),  # one was removed
        ([1, 3, 4], [3, 4]),  # the last one was removed: after the one before it
        ([2], []),
    ],
)
async def test_a_page_that_changed_resumes_after_the_last_item(
    now: list[int], rest: list[int]
) -> None:
    """By the ids of the last items read: the newest that is still there."""
    pages = Rig(page_of(1, 2, 3, 4)).courses(4)
    assert len(await pages.take(2)) == 2
    assert await rig_of_resumed(pages.cursor, [{"id": n} for n in now]) == rest


@pytest.mark.parametrize("now", [[], [3, 4], [5, 6, 7]])
@pytest.mark.parametrize("way", ["items", "pages", "first"])
async def test_a_page_without_the_last_items_is_incomplete(now: list[int], way: str) -> None:
    """Counting would lose one item for each that was removed before."""
    pages = Rig(page_of(1, 2, 3, 4)).courses(4)
    await pages.take(2)
    later = Rig(reply([{"id": n} for n in now])).canvas.resume(pages.cursor)
    with pytest.raises(IncompleteError, match="2 is not on its page") as caught:  # noqa: PT012
        if way == "first":
            await later
        async for _ in later if way == "items" else later.pages():
            raise AssertionError("nothing is yielded")
    assert (caught.value.expected, caught.value.got) == (2, sorted(map(str, now)))


DELETED = [  # read, removed before the resume, then yielded; None for IncompleteError
    (5, [1], [*range(6, 16)]),
    (5, [5], [*range(6, 16)]),
    (5, [1, 2, 3, 4, 5], None),
    (6, [1], None),
    (4, [4], [*range(5, 16)]),
    (10, [1, 2, 10], [*range(11, 16)]),
    (15, [], []),
    (0, [1], [*range(2, 16)]),
]


@pytest.mark.parametrize(("read", "removed", "rest"), DELETED)
async def test_a_numbered_list_loses_nothing_when_items_are_removed(
    read: int, removed: list[int], rest: list[int] | None
) -> None:
    """Numbered pages shift: the page of the last item is read again, in its new place."""
    items = list(range(1, 16))

    def page(request: Request) -> Response:
        number = int(request.path.partition("page=")[2].partition("&")[0] or 1)
        number = number if "?page=" in request.path else 1
        found = items[(number - 1) * 5 : number * 5]
        return page_of(*found, then=number + 1 if number * 5 < len(items) else None)

    canvas = Canvas(HOME, token="t", transport=FakeTransport([page]))
    pages = canvas.courses.list(page_size=5)
    await pages.take(read)
    cursor = pages.cursor
    items = [item for item in items if item not in removed]
    if rest is None:
        with pytest.raises(IncompleteError):
            await canvas.resume(cursor).collect()
    else:
        assert await ids(aiter(canvas.resume(cursor))) == rest


async def test_a_bookmark_is_an_absolute_position() -> None:
    """It names an item, not a number: the next page starts there, whatever was removed before."""
    bookmark = "bookmark:WyJBbGdlYnJhIl0"
    rig = Rig(page_of(1, 2, then=bookmark), page_of(3))
    pages = rig.courses()
    assert [course.id for course in await pages.take(2)] == [1, 2]
    assert await rig_of_resumed(pages.cursor, [{"id": 3}]) == [3]


async def test_items_without_an_id_are_counted() -> None:
    """Pace contexts have none."""
    body = {"pace_contexts": [{"name": n} for n in "abc"], "total_entries": 3}
    rig = Rig(reply(body), reply(body))
    pages = rig.canvas.course_paces.contexts(1, type="course")
    assert [c.name for c in await pages.take(2)] == ["a", "b"]
    assert [c.name async for c in rig.canvas.resume(pages.cursor)] == ["c"]
    assert (await Rig(reply(body)).canvas.course_paces.contexts(1, type="course")).total == 3


@pytest.mark.parametrize("found", [True, None, [1], {"a": 1}, 1.5])
async def test_items_with_an_invalid_id_are_counted(found: Any) -> None:
    """A cursor holds only numbers and text; then the page must not have changed."""
    raw = [{"id": found}, {"id": found}, {"id": 3}]
    pages = Rig(reply(raw)).courses()
    assert len(await pages.take(2)) == 2
    state = CursorState.decode(pages.cursor, HOME)
    assert (state.read, state.last_ids, state.body_length) == (2, (), len(orjson.dumps(raw)))
    assert await rig_of_resumed(pages.cursor, raw) == [3]
    with pytest.raises(IncompleteError, match="2 items is not on its page"):
        await rig_of_resumed(pages.cursor, raw[1:])


async def test_a_cursor_belongs_to_the_user_that_was_acted_as() -> None:
    """Another user would see another list."""
    rig = Rig(THREE[0], THREE[0])
    acting = rig.canvas.as_user(7)
    pages = acting.courses.list(page_size=2)
    await pages.take(1)
    assert "7" in pages.cursor
    assert await acting.resume(pages.cursor).take(1)
    for other in (rig.canvas, rig.canvas.as_user(8)):
        with pytest.raises(InputError, match="the cursor was made"):
            _ = other.resume(pages.cursor)


def tampered(name: str, *values: Any) -> list[str]:
    return [cursor_text(**{name: value}) for value in values]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "garbage",
        "[]",
        "{}",
        "null",
        "5",
        '"text"',
        "[1,2,3]",
        "[2]",
        '[2, "list", "https://canvas.test"]',
        '[2, "list", "https://canvas.test", []]',
        '[2, "list", "https://canvas.test", {}]',
        '"1234567"',
        "\ud800",
        cursor_text(more=1),
        *tampered("version", 1, 3, 0, "2", True, 2.0, None),
        *tampered("kind", "path", "", None, 5, []),
        *tampered("origin", "https://evil.test", f"{HOME}:8443", "", None, 5, []),
        *tampered("route", "courses.get", "courses.nope", "", None, [], "__class__", "quota.reset"),
        *tampered("arguments", None, [], {"id": 5}, {"id": "5"}),
        *tampered("query", None, {}, [["a"]], [["a", 5]], [[5, "a"]], ["ab"]),
        *tampered("page", 5, [], "", "courses", "/api/v1/courses\n"),
        *tampered("read", -1, 1.5, "1", True, None, []),
        *tampered("last_ids", None, {}, [[]], [True], [1.5]),
        *tampered("body_length", None, "5", True),
        *tampered("fixed", None, {}, [["as_user_id", "5"]]),
        *tampered("on_change", None, 5, "restart", "ignore"),
    ],
)
async def test_a_tampered_cursor_is_refused(cursor: str) -> None:
    """It is untrusted input: nothing is sent for it."""
    rig = Rig()
    with pytest.raises(InputError):
        _ = rig.canvas.resume(cursor)
    assert rig.sent == []


async def test_a_cursor_of_the_first_version_is_refused() -> None:
    """It had a page and a count, which lost items."""
    old = orjson.dumps([1, HOME, "courses.list", None, LIST, 1, 5]).decode()
    with pytest.raises(InputError) as caught:
        _ = Rig().canvas.resume(old)
    assert str(caught.value) == (
        "a cursor of version 1 cannot be resumed, only of 2: read the list from its start"
    )


@pytest.mark.parametrize("cursor", [None, 5, b"\xff", ["x"]])
async def test_a_cursor_must_be_text(cursor: Any) -> None:
    """A database column may be null."""
    with pytest.raises(InputError, match="not a cursor"):
        _ = Rig().canvas.resume(cursor)


@given(st.text())
def test_no_text_breaks_the_decoder(text: str) -> None:
    """The result is always an InputError."""
    with pytest.raises(InputError):
        CursorState.decode(text, HOME)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PAIRS = st.lists(
    st.tuples(TEXT, TEXT | st.lists(TEXT.filter(bool), min_size=1).map(CommaList)), max_size=3
).map(tuple)


@given(
    st.builds(
        CursorState,
        origin=st.just(HOME),
        route=TEXT.filter(bool),
        arguments=st.dictionaries(TEXT, TEXT, max_size=2).map(lambda each: tuple(each.items())),
        query=PAIRS,
        page=st.none() | TEXT,
        read=st.integers(0, 2**53 - 1),
        last_ids=st.lists(st.integers(0, 2**63 - 1) | TEXT, max_size=8).map(tuple),
        body_length=st.integers(0, 2**53),
        fixed=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
        on_change=TEXT,
    )
)
def test_a_state_survives_a_round_trip(state: CursorState) -> None:
    """With any values."""
    assert CursorState.decode(state.encode(), HOME) == state


async def test_an_echoed_credential_does_not_get_into_a_cursor() -> None:
    """Cursors are stored and shown."""
    link = f"{HOME}/api/v1/courses?access_token=t0ken-t0ken&page=2&per_page=2"
    rig = Rig(reply([{"id": 1}], next=link), page_of(2))
    cursors = []
    pages = rig.courses()
    async for _ in pages:
        cursors.append(pages.cursor)  # noqa: PERF401
    assert len(cursors) == 2
    assert not any("t0ken" in cursor for cursor in cursors)
    assert rig.sent == ["1", "2"]


# --- AB Connect ---------------------------------------------------------------------------------


class Feed:
    """A list of events that grows while it is read."""

    def __init__(self, *seqs: int) -> None:
        self.seqs = list(seqs)
        self.queries: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Response:
        query = dict(parse_qsl(request.path.partition("?")[2]))
        self.queries.append(query)
        after, limit = int(query["filter[events]"].split()[-1]), int(query["limit"])
        offset = int(query.get("offset", 0))
        found = [seq for seq in self.seqs if seq > after]
        data = [event(seq) for seq in found[offset : offset + limit]]
        links = {}
        if len(found) > offset + limit:
            links["next"] = (
                f"https://ab.test/rest/v4.1/events?offset={offset + limit}&limit={limit}"
            )
        self.seqs.append(self.seqs[-1] + 10)  # a new event in the meantime
        self.seqs.insert(0, 1)  # and an old one that is delivered late
        return reply({"data": data, "links": links, "meta": {"count": len(found)}})


def event(seq: int) -> dict[str, Any]:
    return {"type": "events", "id": f"E{seq}", "attributes": {"seq": seq}}


def ab_of(*replies: Any, seconds: float = 0.0) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies), seconds=seconds)
    ab = ABConnect(
        partner_id="partner-1",
        partner_key="key-key-key",
        base_url="https://ab.test",
        transport=transport,
    )
    return ab, transport


async def test_events_are_paged_by_key() -> None:
    """Each page requests the events after the last number; new events shift nothing."""
    feed = Feed(*range(10, 80, 10))
    ab, _ = ab_of(feed)
    pages = ab.events.since(5, page_size=3)
    seen: list[int | None] = []
    async for found in pages:
        assert isinstance(found, Event)
        seen.append(found.seq)
        if len(seen) == 9:
            break
    assert seen == list(range(10, 100, 10))
    assert [q["filter[events]"] for q in feed.queries][:3] == ["seq gt 5", "seq gt 30", "seq gt 60"]
    assert all("offset" not in query for query in feed.queries)
    assert all(query["sort[events]"] == "seq" for query in feed.queries)


async def test_a_cursor_of_events_is_a_key_and_holds_no_credential() -> None:
    """It resumes in another process, with a new signature."""
    feed = Feed(10, 20, 30, 40)
    ab, transport = ab_of(feed)
    pages = ab.events.since(0, page_size=2)
    assert [e.seq for e in await pages.take(2)] == [10, 20]
    cursor = pages.cursor
    for secret in ("key-key-key", "partner-1", "auth."):
        assert secret not in cursor
    other, _ = ab_of(feed)
    assert [e.seq for e in await other.resume(cursor).take(2)] == [30, 40]
    assert feed.queries[-1]["filter[events]"] == "seq gt 20"
    assert "partner.id=partner-1" in transport.paths[0]


async def test_other_lists_of_ab_connect_follow_their_links() -> None:
    """From the body, below the base of the service, with a new signature."""
    base = "https://ab.test/rest/v4.1/standards"
    page = reply(
        {"data": [{"id": "A"}], "links": {"next": f"{base}?limit=1&offset=1"}, "meta": {"count": 2}}
    )
    ab, transport = ab_of(page, reply({"data": [{"id": "B"}], "links": {}}))
    assert [s.id async for s in ab.standards.list(page_size=1)] == ["A", "B"]
    assert transport.paths[1].startswith(
        "/rest/v4.1/standards?limit=1&offset=1&partner.id=partner-1&"
    )
    first = await ab_of(page)[0].standards.list(page_size=1)
    assert first.total == 2


@pytest.mark.parametrize("sort", [[], ["guid"]])
async def test_ab_connect_may_name_another_of_its_hosts(sort: list[str]) -> None:
    """All 250 standards come from the client's origin."""

    def respond(request: Request) -> Response:
        query = dict(parse_qsl(request.path.partition("?")[2]))
        offset = int(query.get("offset", 0))
        data = [{"id": f"S{n}"} for n in range(offset, min(250, offset + 100))]
        more = {
            "next": f"https://other.ab.test/rest/v4.1/standards?limit=100&offset={offset + 100}"
        }
        links = more if offset + 100 < 250 else {}
        return reply({"data": data, "links": links, "meta": {"count": 250, "limit": 100}})

    ab, transport = ab_of(respond)
    found = await ab.standards.list(page_size=100, sort=sort).collect()
    assert [standard.id for standard in found] == [f"S{n}" for n in range(250)]
    assert len(transport.requests) == 3
    assert all(request.url.startswith(f"{AB}/rest/v4.1/") for request in transport.requests)


async def test_a_link_out_of_the_base_is_refused() -> None:
    """It is the same origin, but another service."""
    ab, _ = ab_of(
        reply({"data": [{"id": "A"}], "links": {"next": "https://ab.test/other/standards"}})
    )
    with pytest.raises(OriginError, match="outside"):
        await ab.standards.list()


async def test_a_failed_connection_is_retried_by_the_prefetch() -> None:
    """Like every call: the reader does not notice."""
    rig = Rig(page_of(1, 2, then=2), ConnectError("refused"), page_of(3))
    assert await ids(aiter(rig.courses())) == [1, 2, 3]
    await rig.settle()
