"""Cursors: what they say about lists that restart, and which cursors are refused."""

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
    """A list by offset with ten items per page; it changes before the requests in `at`."""

    def __init__(self, count: int) -> None:
        self.ids = [guid(number) for number in range(count)]
        self.at: dict[int, Any] = {}
        self.offsets: list[int] = []

    def __call__(self, request: Request) -> Response:
        query = dict(parse_qsl(request.path.partition("?")[2]))
        offset = int(query.get("offset", "0"))
        self.offsets.append(offset)
        self.at.get(len(self.offsets), lambda: None)()
        rows = [{"type": "standards", "id": one} for one in self.ids[offset : offset + 10]]
        more = offset + 10 < len(self.ids)
        links = {"next": f"{HOME}/rest/v4.1/standards?offset={offset + 10}"} if more else {}
        meta = {"count": len(self.ids), "limit": 10, "offset": offset}
        return reply({"data": rows, "links": links, "meta": meta})

    def client(self) -> ABConnect:
        transport = FakeTransport([self])
        return ABConnect(partner_id="p", partner_key="k", base_url=HOME, transport=transport)


async def cursor_after(shelf: Shelf, read: int, on_change: Any = "restart") -> str:
    """The cursor of a list after `read` items."""
    pages = shelf.client().standards.list(page_size=10, on_change=on_change)
    if read:
        async for _ in pages:
            read -= 1
            if not read:
                break
    shelf.offsets.clear()
    return str(pages.cursor)


async def ids_of(pages: Any) -> list[str | None]:
    return [one.id async for one in pages]


@pytest.mark.parametrize("read", [0, 1, 9, 10, 11, 20, 25, 39, 40])
async def test_a_list_that_restarts_also_restarts_from_its_cursor(read: int) -> None:
    """At any position, in the first page or in one that was requested early."""
    shelf = Shelf(40)
    cursor = await cursor_after(shelf, read)
    before = set(shelf.ids)
    shelf.at = {2: lambda: shelf.ids.insert(0, guid(99))}
    found = await ids_of(shelf.client().resume(cursor))
    assert len(found) == len(set(found))
    if len(shelf.offsets) > 1:  # after 40 items there is one page, and nothing changes
        assert set(found) | {guid(n) for n in range(read)} == before | {guid(99)}


async def test_items_moved_before_the_cursor_are_read() -> None:
    """A restart begins at the start of the list, which was not read since the change."""
    shelf = Shelf(40)
    cursor = await cursor_after(shelf, 25)
    shelf.at = {2: lambda: shelf.ids.insert(3, guid(99))}
    found = await ids_of(shelf.client().resume(cursor))
    assert guid(99) in found
    assert found[:5] == [guid(n) for n in range(25, 30)]  # before the change, and not a second time
    assert len(found) == len(set(found))
    assert shelf.offsets.count(0) == 1


async def test_a_list_shorter_than_its_cursor_restarts() -> None:
    """The list now has fewer items than were read."""
    shelf = Shelf(40)
    cursor = await cursor_after(shelf, 35)
    del shelf.ids[5:]
    assert await ids_of(shelf.client().resume(cursor)) == shelf.ids


async def test_a_restart_skips_no_items() -> None:
    """The count in a cursor applies to its own page, not to the start of the list."""
    shelf = Shelf(20)
    cursor = await cursor_after(shelf, 15)
    assert state_of(cursor).read == 5
    shelf.ids = [guid(n) for n in range(100, 108)]
    assert await ids_of(shelf.client().resume(cursor)) == shelf.ids


async def test_cursors_after_a_restart_also_restart() -> None:
    """Also one from after a restart, and one from after each page."""
    shelf = Shelf(40)
    shelf.at = {3: lambda: shelf.ids.append(guid(99))}
    pages = shelf.client().standards.list(page_size=10, on_change="restart")
    cursors = [str(pages.cursor)]
    async for _ in pages:
        cursors.append(str(pages.cursor))  # noqa: PERF401
    cursors += [str(page.cursor or pages.cursor) async for page in pages.pages()]
    assert {state_of(cursor).on_change for cursor in cursors} == {"restart"}


async def test_a_list_that_raises_on_changes_also_raises_from_its_cursor() -> None:
    """Like the list itself."""
    shelf = Shelf(40)
    cursor = await cursor_after(shelf, 5, "raise")
    shelf.at = {2: lambda: shelf.ids.insert(0, guid(99))}
    with pytest.raises(IncompleteError):
        await ids_of(shelf.client().resume(cursor))


async def test_none_is_the_default_of_on_change() -> None:
    """As for every optional parameter; the cursor can be decoded."""
    nothing: Any = None
    cursor = await cursor_after(Shelf(40), 5, nothing)
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
    assert shelf.offsets == []


@pytest.mark.parametrize("offset", ["9" * 19, "9" * 5000])
async def test_an_offset_that_is_too_large_is_refused(offset: str) -> None:
    """More digits than Python parses are an InputError, too."""
    shelf = Shelf(40)
    query = [["limit", "10"], ["offset", offset]]
    text = cursor_text(origin=HOME, route="standards.list", query=query)
    with pytest.raises(InputError, match="offset is too large"):
        await ids_of(shelf.client().resume(text))
    assert shelf.offsets == []


async def test_on_change_is_refused_for_a_list_without_it() -> None:
    """Its signature does not have the parameter, so no cursor of the library has it."""
    transport = FakeTransport([])
    canvas = Canvas("https://canvas.test", token="t", transport=transport)
    text = cursor_text(on_change="restart")
    with pytest.raises(InputError, match=r"courses\.list, which has no on_change"):
        _ = canvas.resume(text)
