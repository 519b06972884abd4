"""Where a list ends, with servers that say it badly, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.abconnect import ABConnect, F
from aioinstructure.canvas import Canvas
from aioinstructure.endpoints.declare import GET, Namespace
from aioinstructure.errors import DecodeError, IncompleteError
from aioinstructure.paging.pagers import NumberedPager
from aioinstructure.paging.paginator import Paginator
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.wire.message import Request, Response

HOME = "https://canvas.test"
COURSES = f"{HOME}/api/v1/courses"
AB = "https://ab.test"


def query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.path.partition("?")[2]))


def page_of(*ids: Any, **links: Any) -> Response:
    """A page of a list of courses, whose Link header has these relations: page tokens."""
    link = ",".join(f'<{COURSES}?page={at}&per_page=2>; rel="{rel}"' for rel, at in links.items())
    return reply([{"id": found} for found in ids], headers={"link": link} if link else {})


class Server:
    """A list of courses by page token; the first page is "1". It may be read as often as wanted."""

    def __init__(self, **pages: Response) -> None:
        self.pages = pages

    def __call__(self, request: Request) -> Response:
        token = query(request).get("page", "1").replace("bookmark:", "")
        return self.pages[f"p{token}"]


def canvas_with(*replies: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas(HOME, "t", transport=transport), transport


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", base_url=AB, transport=transport), transport


async def read(pages: Paginator[Any]) -> tuple[list[Any], Exception | None]:
    """The ids that a loop yields, and the error that it ends with."""
    found: list[Any] = []
    try:
        async for item in pages:
            # One by one: the items before an error must stay.
            found.append(item["id"] if isinstance(item, dict) else item.id)  # noqa: PERF401
    except (DecodeError, IncompleteError) as error:
        return found, error
    return found, None


BOOKMARKED = Server(
    p1=page_of(1, current="first", next="bookmark:2"),
    p2=page_of(current="bookmark:2", next="bookmark:3"),
    p3=page_of(3, current="bookmark:3", last="bookmark:3"),
)
FILTERED = Server(
    p1=page_of(current=1, next=2, last=3),
    p2=page_of(11, current=2, next=3, last=3),
    p3=page_of(21, current=3, last=3),
)
LATE_TOTAL = Server(
    p1=page_of(1, next=2),
    p2=page_of(next=3),
    p3=page_of(next=4),
    p4=page_of(4, next=5),
    p5=page_of(next=6),
    p6=page_of(next=7),
    p7=page_of(7, current=7, last=7),
)


def after_the_end(request: Request) -> Response:
    """Pages 1 and 2 have items; each later number is an empty page with a link to the next."""
    number = int(query(request).get("page", "1"))
    ids = {1: [1, 2], 2: [3]}.get(number, [])
    return page_of(*ids, current=number, next=number + 1)


# --- empty pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (BOOKMARKED, [1, 3]),
        (FILTERED, [11, 21]),
        (LATE_TOTAL, [1, 4, 7]),
        (after_the_end, [1, 2, 3]),
    ],
)
async def test_an_empty_page_does_not_end_a_list(
    server: Callable[[Request], Response], expected: list[int]
) -> None:
    """The list goes on where the server has a next page, by items and by pages."""
    canvas, _ = canvas_with(server)
    assert await read(canvas.courses.list(page_size=2)) == (expected, None)
    pages = [page async for page in canvas.courses.list(page_size=2).pages()]
    assert [course.id for page in pages for course in page] == expected


async def test_a_number_after_the_last_page_ends_the_list() -> None:
    """Canvas links each such empty page to the next number: two of them are followed."""
    canvas, transport = canvas_with(after_the_end)
    assert await read(canvas.courses.list(page_size=2)) == ([1, 2, 3], None)
    assert [query(request).get("page") for request in transport.requests] == [
        None, "2", "3", "4", "5",
    ]  # fmt: skip


@pytest.mark.parametrize("rest", [{"last": 1000}, {}])
@pytest.mark.parametrize("token", ["{}", "bookmark:{}", "opaque-{}"])
async def test_empty_pages_do_not_go_on_for_ever(token: str, rest: dict[str, int]) -> None:
    """Where each could be followed by items, a long row of them is an error that counts them."""

    def empty(request: Request) -> Response:
        number = len(transport.requests)
        return page_of(next=token.format(number + 1), **rest)

    canvas, transport = canvas_with(empty)
    found, error = await read(canvas.courses.list())
    assert found == []
    if token == "{}" and not rest:
        assert error is None
        assert len(transport.requests) == 3
    else:
        assert isinstance(error, IncompleteError)
        assert "101 empty pages in a row" in str(error)
        assert len(transport.requests) in (101, 102)


@given(st.lists(st.sampled_from(["items", "empty", "bookmark", "last"]), max_size=12))
async def test_no_item_before_two_empty_pages_is_lost(kinds: list[str]) -> None:
    """Any mixture of pages: only a third page in a row that may be after the end ends the list."""
    last = len(kinds) + 1

    def respond(request: Request) -> Response:
        number = int(query(request).get("page", "1").replace("bookmark:", ""))
        if number == last:
            return page_of(number, last=number)
        kind = kinds[number - 1]
        ids = [number] if kind == "items" else []
        token: Any = f"bookmark:{number + 1}" if kind == "bookmark" else number + 1
        return page_of(*ids, next=token, **({"last": last} if kind == "last" else {}))

    expected: list[int] = []
    row = 0
    for number, kind in enumerate([*kinds, "items"], 1):
        row = row + 1 if kind == "empty" else 0
        if row == 3:
            break
        expected += [number] if kind == "items" else []
    canvas, _ = canvas_with(respond)
    assert await read(canvas.courses.list()) == (expected, None)


@pytest.mark.parametrize("server", [BOOKMARKED, FILTERED, LATE_TOTAL, after_the_end])
async def test_a_list_with_empty_pages_resumes_after_each_item(
    server: Callable[[Request], Response],
) -> None:
    """And after each page: what was read and the rest are the whole list."""
    canvas, _ = canvas_with(server)
    whole, _ = await read(canvas.courses.list(page_size=2))
    for count in range(len(whole) + 1):
        pages = canvas.courses.list(page_size=2)
        await pages.take(count)
        assert await read(canvas.resume(pages.cursor)) == (whole[count:], None)
    pages = canvas.courses.list(page_size=2)
    done: list[Any] = []
    async for page in pages.pages():
        done += [course.id for course in page]
        for cursor in (pages.cursor, page.cursor):
            if cursor is not None:
                assert await read(canvas.resume(cursor)) == (whole[len(done) :], None)


async def test_items_that_are_added_after_the_end_are_found_by_a_cursor() -> None:
    """The position is the last item, not the empty pages that were read after it."""
    canvas, _ = canvas_with(after_the_end)
    pages = canvas.courses.list(page_size=2)
    await pages.collect()
    last = [page async for page in canvas.courses.list(page_size=2).pages()][-1]
    assert len(last) == 0
    grown = Server(p2=page_of(3, 4, next=3), p3=page_of(5, current=3, last=3))
    canvas, _ = canvas_with(grown)
    for cursor in (pages.cursor, last.cursor):
        assert cursor is not None
        assert await read(canvas.resume(cursor)) == ([4, 5], None)


class NumberedAPI(Namespace["Numbered"]):
    """A list without links."""

    _pager = NumberedPager()

    @GET("/api/v1/numbered")
    def list(self, *, page_size: int | None = None) -> Paginator[dict[str, Any]]:
        """Read the items by page number."""
        raise NotImplementedError


class Numbered(Canvas):
    """A client with one more namespace."""

    numbered: NumberedAPI


async def test_an_empty_page_ends_a_list_by_page_number() -> None:
    """It has no links that could say so, whatever a header says."""
    transport = FakeTransport([page_of(1), page_of(next=3)])
    canvas = Numbered(HOME, "t", transport=transport)
    assert await read(canvas.numbered.list()) == ([1], None)


# --- the same items again ------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [[[1, 2]], [[1], [2]], [[1], [2], [3]], [["a"]], [[None]]])
async def test_the_same_items_under_new_addresses_are_a_cycle(rounds: list[list[Any]]) -> None:
    """A server that ignores the page, or runs in a circle, is noticed after a few pages."""

    def respond(_: Request) -> Response:
        number = len(transport.requests)
        return page_of(*rounds[(number - 1) % len(rounds)], next=f"bookmark:{number + 1}")

    canvas, transport = canvas_with(respond)
    found, error = await read(canvas.courses.list())
    assert isinstance(error, IncompleteError)
    assert "cycle" in str(error)
    assert len(found) <= (len(rounds) + 2) * 2
    assert len(transport.requests) <= len(rounds) + 3


async def test_a_list_by_number_that_ignores_the_number_is_a_cycle() -> None:
    """Its pages are never empty."""
    canvas = Numbered(HOME, "t", transport=FakeTransport([lambda _: page_of(1, 2)]))
    _, error = await read(canvas.numbered.list())
    assert isinstance(error, IncompleteError)


async def test_one_page_that_comes_twice_is_no_cycle() -> None:
    """Items that are added before the position move others to the next page."""
    ids = [1, 1, 2, 2, 3, 3]
    pages = [page_of(found, next=at) for at, found in enumerate(ids, 2)]
    canvas, _ = canvas_with(*pages, page_of(4, last=7))
    assert await read(canvas.courses.list()) == ([*ids, 4], None)


# --- links that say nothing ----------------------------------------------------------------------

UNREADABLE = [
    "<{0}?page=2>; rel='next'",
    "<{0}?page=2>; rel=&quot;next&quot;",
    '<{0}?page=2>; rel="nextpage"',
    '<{0}?page=2&q=a>b>; rel="next"',
    '<{0}?page=2>; rel="next", garbage',
    '<{0}?page=2>; rel="next',
    '<{0}?page=1>; rel="first",<{0}?page=2>; title="next"',
    "page=2",
    "{{}}",
]


@pytest.mark.parametrize("header", UNREADABLE)
async def test_a_link_that_cannot_be_read_is_an_error_after_the_items(header: str) -> None:
    """The items of its page are valid; what comes after them is unknown."""
    link = header.format(COURSES)
    canvas, transport = canvas_with(lambda _: reply([{"id": 1}, {"id": 2}], headers={"link": link}))
    pages = canvas.courses.list()
    found, error = await read(pages)
    assert found == [1, 2]
    assert isinstance(error, DecodeError)
    assert "Link header" in str(error)
    assert error.response is not None
    assert [course.id for course in await canvas.courses.list().take(2)] == [1, 2]
    transport.requests.clear()
    found, error = await read(canvas.resume(pages.cursor))
    assert (found, type(error)) == ([], DecodeError)
    assert len(transport.requests) == 1


async def test_the_page_before_an_unreadable_link_does_not_say_that_it_is_the_last() -> None:
    """Its `next` raises, and its cursor leads to the same page."""
    answer = reply([{"id": 1}], headers={"link": "garbage"})
    canvas, _ = canvas_with(lambda _: answer)
    page = await canvas.courses.list()
    assert [course.id for course in page] == [1]
    with pytest.raises(DecodeError, match="Link header"):
        _ = page.next
    assert "not known" in repr(page)
    assert page.cursor is not None
    found, error = await read(canvas.resume(page.cursor))
    assert (found, type(error)) == ([], DecodeError)


@pytest.mark.parametrize("header", UNREADABLE)
async def test_a_link_that_cannot_be_read_on_an_empty_page_is_an_error_at_once(header: str) -> None:
    """There is nothing to yield before it."""
    answer = reply([], headers={"link": header.format(COURSES)})
    canvas, _ = canvas_with(lambda _: answer)
    with pytest.raises(DecodeError, match="Link header"):
        await canvas.courses.list()


async def test_after_the_error_of_a_link_the_loop_has_ended() -> None:
    """As after any other error."""
    canvas, _ = canvas_with(reply([{"id": 1}], headers={"link": "garbage"}))
    loop = aiter(canvas.courses.list())
    await anext(loop)
    with pytest.raises(DecodeError):
        await anext(loop)
    with pytest.raises(StopAsyncIteration):
        await anext(loop)


# --- links that were left out --------------------------------------------------------------------


def unlinked(count: int) -> Callable[[Request], Response]:
    """One page without a Link header."""
    return lambda _: reply([{"id": number} for number in range(count)])


def long_list(canvas: Canvas, length: int, **more: Any) -> Paginator[dict[str, Any]]:
    """A list by a URL of about this length."""
    return canvas.paginate("/api/v1/courses", params={**more, "search_term": "x" * length})


@pytest.mark.parametrize(("count", "size"), [(100, 100), (50, 100), (10, None), (5, 5)])
async def test_a_full_page_without_links_for_a_long_url_is_incomplete(
    count: int, size: int | None
) -> None:
    """Canvas leaves out links that are too long. Its largest page may be smaller than asked for."""
    canvas, transport = canvas_with(unlinked(count))
    found, error = await read(long_list(canvas, 3100, **({"per_page": size} if size else {})))
    assert len(found) == count
    assert isinstance(error, IncompleteError)
    assert f"{len(transport.requests[0].url)} characters" in str(error)


@pytest.mark.parametrize(
    ("count", "size", "length"), [(100, 100, 100), (9, 100, 3100), (4, 5, 3100), (0, 100, 3100)]
)
async def test_other_pages_without_links_are_the_only_one(
    count: int, size: int, length: int
) -> None:
    """The URL is short, or there are fewer items than Canvas has on any full page."""
    canvas, _ = canvas_with(unlinked(count))
    found, error = await read(long_list(canvas, length, per_page=size))
    assert (len(found), error) == (count, None)


async def test_a_long_url_with_links_is_read_as_any_other() -> None:
    """The last page has links as well."""
    items = [{"id": number} for number in range(100)]
    canvas, _ = canvas_with(reply(items, headers={"link": f'<{COURSES}>; rel="first"'}))
    found, error = await read(long_list(canvas, 3100, per_page=100))
    assert (len(found), error) == (100, None)


# --- bodies of AB Connect ------------------------------------------------------------------------

GUID = "00000000-0000-4000-8000-000000000001"


LISTS: list[Callable[[ABConnect], Paginator[Any]]] = [
    lambda ab: ab.standards.list(),
    lambda ab: ab.standards.related(GUID, "children"),
    lambda ab: ab.topics.list(),
    lambda ab: ab.topics.standards(GUID),
    lambda ab: ab.assets.alignments(GUID),
    lambda ab: ab.events.since(0),
    lambda ab: ab.paginate(f"/rest/v4.1/standards/{GUID}/peers?limit=1"),
    lambda ab: ab.paginate("/rest/v4.1/parent"),
    lambda ab: ab.paginate("/rest/v4.1/standards", items="data"),
]
TO_ONE: list[Callable[[ABConnect], Paginator[Any]]] = [
    lambda ab: ab.standards.related(GUID, "parent"),
    lambda ab: ab.topics.related(GUID, "parent"),
    lambda ab: ab.assets.parent(GUID),
    lambda ab: ab.paginate(f"/rest/v4.1/assets/{GUID}/owner"),
    lambda ab: ab.paginate(f"/rest/v4.1/events/{GUID}/standard?fields[standards]=number"),
]


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize("data", [None, {}, {"type": "standards", "id": GUID}, 5, "x"])
async def test_a_body_without_a_list_is_not_an_empty_list(
    listed: Callable[[ABConnect], Paginator[Any]], data: Any
) -> None:
    """Neither null nor an object, for a list that may have many items."""
    ab, _ = ab_with(reply({"data": data, "links": {}, "meta": {"count": 0}}))
    with pytest.raises(DecodeError, match="expected a list at data") as caught:
        await listed(ab).collect()
    assert caught.value.response is not None


@pytest.mark.parametrize("listed", TO_ONE)
@pytest.mark.parametrize(
    ("data", "expected"),
    [({}, []), (None, []), ([], []), ({"id": GUID}, [GUID]), ([{"id": GUID}], [GUID])],
)
async def test_a_relationship_to_one_object_is_a_list_of_one_or_none(
    listed: Callable[[ABConnect], Paginator[Any]], data: Any, expected: list[str]
) -> None:
    """The empty object, or null, is none."""
    ab, _ = ab_with(reply({"data": data}))
    assert await read(listed(ab)) == (expected, None)


def events_of(*numbers: int, count: int | None = None, more: bool = False) -> Response:
    rows = [{"type": "events", "id": str(n), "attributes": {"seq": n}} for n in numbers]
    links = {"next": f"{AB}/rest/v4.1/events?offset=9"} if more else {}
    return reply({"data": rows, "links": links, "meta": {"count": count, "limit": 2}})


@pytest.mark.parametrize(("numbers", "count"), [((1, 2), 5), ((1,), 2), ((), 1)])
async def test_events_that_end_before_their_count_are_incomplete(
    numbers: tuple[int, ...], count: int
) -> None:
    """The count is of the events after the key; a page without a next one must hold them all."""
    ab, _ = ab_with(events_of(8, 9, count=7, more=True), events_of(*numbers, count=count))
    found, error = await read(ab.events.since(0))
    assert len(found) == 2 + len(numbers)
    assert isinstance(error, IncompleteError)
    assert (error.expected, error.got) == (count, len(numbers))


async def test_events_that_meet_their_count_are_complete() -> None:
    """Also where the server gives no count."""
    for last in (events_of(9, count=1), events_of(9)):
        ab, _ = ab_with(events_of(7, 8, count=3, more=True), last)
        found, error = await read(ab.events.since(0))
        assert (len(found), error) == (3, None)


async def test_the_count_of_events_by_offset_includes_those_before() -> None:
    """Events without a number are paged by offset: each page counts the whole list."""

    def numberless(*ids: str, more: bool) -> Response:
        links = {"next": f"{AB}/rest/v4.1/events?offset=2"} if more else {}
        rows = [{"type": "events", "id": found} for found in ids]
        return reply({"data": rows, "links": links, "meta": {"count": 3, "limit": 2}})

    ab, transport = ab_with(numberless("A", "B", more=True), numberless("C", more=False))
    assert await read(ab.events.list(filter=F.seq > 0)) == (["A", "B", "C"], None)
    assert query(transport.requests[1])["offset"] == "2"


async def test_empty_pages_by_offset_after_the_last_item_end_the_list() -> None:
    """All items that were counted have come; a link that goes on is followed twice."""

    def respond(request: Request) -> Response:
        offset = int(query(request).get("offset", "0"))
        rows = [] if offset else [{"id": "A"}, {"id": "B"}]
        links = {"next": f"{AB}/rest/v4.1/standards?offset={offset + 2}"}
        return reply({"data": rows, "links": links, "meta": {"count": 2, "limit": 2}})

    ab, transport = ab_with(respond)
    assert await read(ab.standards.list(page_size=2)) == (["A", "B"], None)
    assert [query(request).get("offset") for request in transport.requests] == [
        None, "2", "4", "6",
    ]  # fmt: skip


async def test_an_invalid_link_in_a_body_is_an_error_after_the_items() -> None:
    """As for Link headers."""
    body = {"data": [{"id": "A"}], "links": {"next": 5}, "meta": {"count": 2, "limit": 1}}
    ab, _ = ab_with(reply(body))
    found, error = await read(ab.standards.list(page_size=1))
    assert found == ["A"]
    assert isinstance(error, DecodeError)
    assert "links.next" in str(error)
