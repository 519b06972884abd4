"""Cursors: what they say about a list that heals itself, and what is refused of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import (
    ABConnect,
    Canvas,
    IncompleteError,
    InputError,
    Request,
    Response,
)
from aioinstructure.paging.cursor import CursorState
from aioinstructure.testing import FakeTransport, reply
from tests.paging.cursors import cursor_text

HOME = "https://ab.test"


def state_of(cursor: str) -> CursorState:
    return CursorState.decode(cursor, HOME)


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012X}"


class Shelf:
    """A list by offset, ten a page, that changes before the requests that `at` names."""

    def __init__(self, count: int) -> None:
        self.ids = [guid(number) for number in range(count)]
        self.at: dict[int, Any] = {}
        self.asked: list[int] = []

    def __call__(self, request: Request) -> Response:
        query = dict(parse_qsl(request.path.partition("?")[2]))
        offset = int(query.get("offset", "0"))
        self.asked.append(offset)
        self.at.get(len(self.asked), lambda: None)()
        rows = [{"type": "standards", "id": one} for one in self.ids[offset : offset + 10]]
        more = offset + 10 < len(self.ids)
        links = {"next": f"{HOME}/rest/v4.1/standards?offset={offset + 10}"} if more else {}
        meta = {"count": len(self.ids), "limit": 10, "offset": offset}
        return reply({"data": rows, "links": links, "meta": meta})

    def client(self) -> ABConnect:
        transport = FakeTransport([self])
        return ABConnect(partner_id="p", partner_key="k", base_url=HOME, transport=transport)


async def cursor_behind(shelf: Shelf, read: int, on_change: Any = "restart") -> str:
    """The cursor of a list that was left behind so many items."""
    pages = shelf.client().standards.list(page_size=10, on_change=on_change)
    if read:
        async for _ in pages:
            read -= 1
            if not read:
                break
    shelf.asked.clear()
    return str(pages.cursor)


async def ids_of(pages: Any) -> list[str | None]:
    return [one.id async for one in pages]


@pytest.mark.parametrize("read", [0, 1, 9, 10, 11, 20, 25, 39, 40])
async def test_a_list_that_heals_itself_still_does_so_from_its_cursor(read: int) -> None:
    """Wherever it was left, in the first page or in one that was asked for ahead of its turn."""
    shelf = Shelf(40)
    cursor = await cursor_behind(shelf, read)
    before = set(shelf.ids)
    shelf.at = {2: lambda: shelf.ids.insert(0, guid(99))}
    found = await ids_of(shelf.client().resume(cursor))
    assert len(found) == len(set(found))
    if len(shelf.asked) > 1:  # from 40 there is one page, and nothing changes
        assert set(found) | {guid(n) for n in range(read)} == before | {guid(99)}


async def test_what_moved_before_the_cursor_comes_too() -> None:
    """It begins at the very start of the list: there, nobody has looked since."""
    shelf = Shelf(40)
    cursor = await cursor_behind(shelf, 25)
    shelf.at = {2: lambda: shelf.ids.insert(3, guid(99))}
    found = await ids_of(shelf.client().resume(cursor))
    assert guid(99) in found
    assert found[:5] == [guid(n) for n in range(25, 30)]  # before the change, and not again
    assert len(found) == len(set(found))
    assert shelf.asked.count(0) == 1


async def test_a_page_that_is_no_more_is_healed_too() -> None:
    """The list has fewer items now than were read of it."""
    shelf = Shelf(40)
    cursor = await cursor_behind(shelf, 35)
    del shelf.ids[5:]
    assert await ids_of(shelf.client().resume(cursor)) == shelf.ids


async def test_the_items_that_were_skipped_are_none_of_the_new_start() -> None:
    """The count of a cursor is of its own page: at the start of the list it means nothing."""
    shelf = Shelf(20)
    cursor = await cursor_behind(shelf, 15)
    assert state_of(cursor).read == 5
    shelf.ids = [guid(n) for n in range(100, 108)]
    assert await ids_of(shelf.client().resume(cursor)) == shelf.ids


async def test_a_cursor_of_a_healed_list_still_heals() -> None:
    """Also the one that is taken behind a new beginning, and behind each page."""
    shelf = Shelf(40)
    shelf.at = {3: lambda: shelf.ids.append(guid(99))}
    pages = shelf.client().standards.list(page_size=10, on_change="restart")
    cursors = [str(pages.cursor)]
    async for _ in pages:
        cursors.append(str(pages.cursor))  # noqa: PERF401
    cursors += [str(page.cursor or pages.cursor) async for page in pages.pages()]
    assert {state_of(cursor).on_change for cursor in cursors} == {"restart"}


async def test_a_list_that_tells_of_changes_tells_of_them_from_its_cursor() -> None:
    """As the list itself did."""
    shelf = Shelf(40)
    cursor = await cursor_behind(shelf, 5, "raise")
    shelf.at = {2: lambda: shelf.ids.insert(0, guid(99))}
    with pytest.raises(IncompleteError):
        await ids_of(shelf.client().resume(cursor))


async def test_none_is_the_usual_way_with_changes() -> None:
    """As for every parameter that may be left out; the cursor is one that can be read."""
    nothing: Any = None
    cursor = await cursor_behind(Shelf(40), 5, nothing)
    assert state_of(cursor).on_change == "raise"


@pytest.mark.parametrize("on_change", ["again", "", None, True, 1, ["restart"], {}])
async def test_an_unknown_value_of_on_change_is_refused(on_change: Any) -> None:
    """A cursor is untrusted: nothing is sent for it."""
    shelf = Shelf(40)
    text = cursor_text(
        origin=HOME, route="standards.list", query=[["limit", "10"]], on_change=on_change
    )
    with pytest.raises(InputError):
        _ = shelf.client().resume(text)
    assert shelf.asked == []


@pytest.mark.parametrize("offset", ["9" * 19, "9" * 5000])
async def test_a_place_that_no_list_reaches_is_refused(offset: str) -> None:
    """More digits than Python reads are an InputError as well."""
    shelf = Shelf(40)
    query = [["limit", "10"], ["offset", offset]]
    text = cursor_text(origin=HOME, route="standards.list", query=query)
    with pytest.raises(InputError, match="offset is too large"):
        await ids_of(shelf.client().resume(text))
    assert shelf.asked == []


async def test_a_list_that_cannot_heal_itself_is_not_asked_to() -> None:
    """Its signature does not take the word, so that no cursor of ours has it."""
    transport = FakeTransport([])
    canvas = Canvas("https://canvas.test", token="t", transport=transport)
    text = cursor_text(on_change="restart")
    with pytest.raises(InputError, match=r"courses\.list, which has no on_change"):
        _ = canvas.resume(text)
