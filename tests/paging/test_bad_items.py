"""An item that is not what its model says, and a list that changes, without losing the others."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from aioinstructure import ABConnect, Canvas, DecodeError, IncompleteError, InputError
from aioinstructure.canvas.courses import Course
from aioinstructure.paging.reading_options import BadItem
from aioinstructure.testing import FakeTransport, reply

BAD: list[Any] = [
    None,
    "text",
    5,
    True,
    [],
    [[]],
    {"id": 4, "term": "none"},
    {"teachers": {}},
]


def canvas_with(pages: list[list[Any]], **options: Any) -> Canvas:
    """Serves a list of pages by number, as often as it is asked."""

    def serve(request: Any) -> Any:
        at = (
            int(request.url.partition("page=")[2].partition("&")[0] or 1)
            if "?page" in request.url
            else 1
        )
        following = f'<https://canvas.test/api/v1/courses?page={at + 1}>; rel="next", '
        link = following if at < len(pages) else ""
        first = '<https://canvas.test/api/v1/courses?page=1>; rel="first"'
        return reply(pages[at - 1], headers={"link": link + first})

    transport = FakeTransport([serve] * 40)
    canvas = Canvas("https://canvas.test", token="t", transport=transport)
    return canvas.with_options(**options) if options else canvas


def pages_with(bad: Any) -> list[list[Any]]:
    return [[{"id": 1}, {"id": 2}], [{"id": 3}, bad, {"id": 5}], [{"id": 6}]]


GOOD = [1, 2, 3, 5, 6]


@pytest.mark.parametrize("bad", BAD, ids=repr)
async def test_the_cursor_of_the_error_lies_after_the_item(bad: Any) -> None:
    """So that a program can go on, with what it has not read."""
    canvas = canvas_with(pages_with(bad))
    seen: list[Any] = []
    pages = canvas.courses.list()
    with pytest.raises(DecodeError) as caught:  # noqa: PT012 - the items before the error are needed
        async for course in pages:
            seen.append(course.id)  # noqa: PERF401
    assert seen == [1, 2, 3]
    after = [course.id async for course in canvas.resume(caught.value.cursor)]
    assert seen + after == GOOD
    with pytest.raises(DecodeError):  # the cursor of the list itself is before the item
        await canvas.resume(pages.cursor).collect()


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", [None, "text", {"id": 9, "term": 5}], ids=repr)
async def test_wherever_the_item_is(bad: Any, place: int) -> None:
    """At the start or at the end of a page, and after another bad one."""
    page: list[Any] = [{"id": 3}, {"id": 5}]
    page[place:place] = [bad, bad]
    canvas = canvas_with([[{"id": 1}, {"id": 2}], page, [{"id": 6}]])
    seen: list[Any] = []
    cursor = None
    for _ in range(3):
        pages = canvas.courses.list() if cursor is None else canvas.resume(cursor)
        try:
            async for course in pages:
                seen.append(course.id)  # noqa: PERF401
        except DecodeError as error:
            cursor = error.cursor
        else:
            break
    assert seen == GOOD


async def test_a_page_that_has_changed_loses_nothing() -> None:
    """Where an item without an id was last, only the same page can be continued."""
    canvas = canvas_with(pages_with(None))
    with pytest.raises(DecodeError) as caught:
        await canvas.courses.list().collect()
    changed = canvas_with([[{"id": 1}, {"id": 2}], [None, {"id": 5}], [{"id": 6}]])
    with pytest.raises(IncompleteError):
        await changed.resume(caught.value.cursor).collect()


@pytest.mark.parametrize("bad", BAD, ids=repr)
async def test_bad_items_are_skipped_on_request(caplog: pytest.LogCaptureFixture, bad: Any) -> None:
    """With one warning each, that names the list and the reason."""
    caplog.set_level(logging.WARNING)
    canvas = canvas_with(pages_with(bad), on_bad_item="skip")
    assert [course.id async for course in canvas.courses.list()] == GOOD
    (record,) = caplog.records
    assert record.message.startswith("courses.list: an item was skipped: not a valid Course: ")
    assert record.message.isprintable()
    page = await canvas.courses.list()
    assert [course.id for course in page] == [1, 2]
    assert [course.id for course in await canvas.courses.list().take(4)] == [1, 2, 3, 5]


@pytest.mark.parametrize("bad", BAD, ids=repr)
async def test_a_function_gets_bad_items(bad: Any) -> None:
    """With all that is known about them; the list goes on."""
    found: list[BadItem] = []
    canvas = canvas_with(pages_with(bad), on_bad_item=found.append)
    pages = canvas.courses.list()
    assert [course.id async for course in pages] == GOOD
    (item,) = found
    assert (item.raw, item.route) == (bad, "courses.list")
    assert item.error.response is not None
    assert item.cursor == item.error.cursor
    assert item.cursor is not None
    assert [course.id async for course in canvas.resume(item.cursor)] == [5, 6]


async def test_an_error_of_the_function_ends_the_list() -> None:
    """It is the caller's; the cursor of the list is before the item."""

    def refuse(item: BadItem) -> None:
        raise KeyError(item.raw)

    canvas = canvas_with(pages_with("text"), on_bad_item=refuse)
    pages = canvas.courses.list()
    with pytest.raises(KeyError, match="text"):
        await pages.collect()
    resumed = canvas.with_options(on_bad_item="skip").resume(pages.cursor)
    assert [course.id async for course in resumed] == [5, 6]


async def test_the_items_of_a_page_follow_the_option() -> None:
    """Like those of a loop; there is no cursor within a page."""
    found: list[BadItem] = []
    pages = [
        page
        async for page in canvas_with(pages_with(5), on_bad_item=found.append)
        .courses.list()
        .pages()
    ]
    assert [course.id for page in pages for course in page.items] == GOOD
    assert [item.cursor for item in found] == [None]
    strict = await canvas_with([[5]]).courses.list()
    with pytest.raises(DecodeError):
        _ = strict.items


async def test_lists_of_a_path_and_of_ab_connect_follow_it_too() -> None:
    """It is an option of the view, not of an operation."""
    canvas = canvas_with(pages_with(5), on_bad_item="skip")
    found = canvas.paginate("/api/v1/courses", model=Course)
    assert [course.id async for course in found] == GOOD
    body = {"data": [{"id": "A", "type": "standards"}, 5], "meta": {"count": 2}}
    transport = FakeTransport([reply(body)] * 2)
    ab = ABConnect(partner_id="p", partner_key="k" * 9, transport=transport)
    assert len(await ab.with_options(on_bad_item="skip").standards.list().collect()) == 1


async def test_views_of_a_view_keep_the_options() -> None:
    """And the client itself has not changed."""
    canvas = canvas_with(pages_with(5))
    view = canvas.with_options(on_bad_item="skip").with_options(lane="bulk").as_user(7)
    assert len(await view.courses.list().collect()) == 5
    with pytest.raises(DecodeError):
        await canvas.courses.list().collect()


async def later(_: BadItem) -> None:
    """No function that can be called at once."""


class Later:
    """An object whose call is a coroutine."""

    async def __call__(self, _: BadItem) -> None:
        """As above."""


@pytest.mark.parametrize("rule", ["ignore", "", 5, later, Later(), True, b"skip"])
def test_a_rule_that_is_none(rule: Any) -> None:
    """Refused when the view is made."""
    with pytest.raises(InputError, match="on_bad_item must be"):
        canvas_with([], on_bad_item=rule)


# --- lists that change -----------------------------------------------------------------------

TWICE = [[{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 3}], [{"id": 4}]]


async def test_canvas_lists_are_not_checked_by_default() -> None:
    """What the server sends is yielded."""
    assert [course.id async for course in canvas_with(TWICE).courses.list()] == [1, 2, 2, 3, 4]


async def test_an_item_that_comes_twice_is_an_error_on_request() -> None:
    """IncompleteError: others may have come never."""
    with pytest.raises(IncompleteError, match="2 was sent twice"):
        await canvas_with(TWICE, on_change="raise").courses.list().collect()


async def test_a_list_that_has_changed_is_read_again_on_request() -> None:
    """Without what was yielded before."""
    served = {"changed": True}

    def serve(request: Any) -> Any:
        following = '<https://canvas.test/api/v1/courses?page=2>; rel="next"'
        if "page=2" not in request.url:
            now = (
                [{"id": 0}, {"id": 1}, {"id": 2}]
                if not served["changed"]
                else [{"id": 1}, {"id": 2}]
            )
            return reply(now, headers={"link": following})
        if served["changed"]:
            served["changed"] = False
            return reply([{"id": 2}, {"id": 3}])
        return reply([{"id": 3}])

    canvas = Canvas("https://canvas.test", token="t", transport=FakeTransport([serve] * 9))
    found = canvas.with_options(on_change="restart").courses.list()
    assert [course.id async for course in found] == [1, 2, 0, 3]


async def test_a_list_that_always_changes_is_an_error() -> None:
    """After five restarts."""
    canvas = canvas_with(TWICE, on_change="restart")
    with pytest.raises(IncompleteError):
        await canvas.courses.list().collect()


async def test_ab_connect_lists_follow_the_option() -> None:
    """As if the list had been given it."""
    counts = iter([2, 3])

    def serve(request: Any) -> Any:
        count = next(counts, 3)
        at = int(request.url.partition("offset=")[2].partition("&")[0] or 0)
        link = "https://x.test/rest/v4.1/standards" if at + 1 < count else None
        body = {
            "data": [{"id": "ABC"[at], "type": "standards"}],
            "meta": {"count": count, "limit": 1},
        }
        return reply(body | {"links": {"next": link}})

    transport = FakeTransport([serve] * 20)
    ab = ABConnect(partner_id="p", partner_key="k" * 9, transport=transport)
    found = await ab.with_options(on_change="restart").standards.list(page_size=1).collect()
    assert [standard.id for standard in found] == ["A", "B", "C"]


@pytest.mark.parametrize("value", ["ignore", "", True, 5])
def test_an_on_change_that_is_none(value: Any) -> None:
    """Refused when the view is made."""
    with pytest.raises(InputError, match="on_change must be"):
        canvas_with([], on_change=value)
