"""Pagers: the call for the next page, where a list resumes, and the detection of changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.abconnect import ABConnect, F, Filter
from aioinstructure.canvas import Canvas
from aioinstructure.endpoints import route_of
from aioinstructure.endpoints.declare import GET, Namespace
from aioinstructure.endpoints.route import Call, Route
from aioinstructure.errors import InputError
from aioinstructure.paging.cursor import Cursor
from aioinstructure.paging.pagers import NumberedPager, OffsetPager, Pager
from aioinstructure.paging.paginator import Paginator
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.wire.message import Request, Response

EVENTS: Pager = route_of(ABConnect, "events.list").pager


def event(seq: Any) -> dict[str, Any]:
    return {"id": "x", "attributes": {"seq": seq}}


def events(condition: Filter | str, **more: Any) -> Call[Any]:
    return route_of(ABConnect, "events.list").bind({"filter": condition, **more})


def after(call: Call[Any], raw: list[Any]) -> Call[Any] | None:
    """The call for the page after these events, from a page that has a next one."""
    request = Request("GET", f"https://ab.test{call.target}")
    body = {"links": {"next": "https://ab.test/rest/v4.1/events?offset=9"}, "meta": {"limit": 9}}
    return EVENTS.next_call(call, Response(200, request=request), body, raw)


# --- by key -------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [F.seq > 5, "seq gt 5", "SEQ GT 5", " seq  gt 5 "])
def test_the_next_page_starts_after_the_last_event(condition: Filter | str) -> None:
    """The filter changes, the rest stays."""
    call = events(condition, page_size=2)
    found = after(call, [event(6), event(9)])
    assert found is not None
    assert str(found.value("filter[events]")) == "seq gt 9"
    assert found.value("offset") is None
    rest = [pair for pair in call.query if pair[0] != "filter[events]"]
    assert [pair for pair in found.query if pair[0] != "filter[events]"] == rest


@pytest.mark.parametrize(
    ("condition", "more"),
    [
        (F.seq > 5, {"sort": ["-seq"]}),
        (F.seq > 5, {"sort": ["date_utc"]}),
        (F.seq > 5, {"sort": ["seq", "guid"]}),
        (F.seq >= 5, {}),
        ("seq ge 5", {}),
        ((F.seq > 5) & (F.target == "x"), {}),
        ("seq gt 5 and target eq 'x'", {}),
        (F.guid == "x", {}),
    ],
)
def test_other_lists_are_paged_by_offset(condition: Filter | str, more: dict[str, Any]) -> None:
    """In another order, or with another condition, the last number is not a position."""
    found = after(events(condition, **more), [event(6)])
    assert found is not None
    assert found.value("offset") == "9"
    assert not EVENTS.grows(found)


@pytest.mark.parametrize(
    "raw",
    [[], [{}], [{"attributes": None}], [{"attributes": {}}], [event("7")], [event(True)], [5]],
)
def test_events_without_a_number_are_paged_by_offset(raw: list[Any]) -> None:
    """They were requested without `seq`, or are not events."""
    found = after(events(F.seq > 5), raw)
    assert found is not None
    assert found.value("offset") == "9"


# --- by number ----------------------------------------------------------------------------------


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


def numbered_page(request: Request) -> Response:
    number = int(request.path.partition("&page=")[2] or 1)
    return reply([{"id": (number - 1) * 2 + at} for at in range(2)] if number < 4 else [])


async def test_pages_by_number_end_with_an_empty_one() -> None:
    """No link says where the list ends."""
    transport = FakeTransport([numbered_page])
    canvas = Numbered("https://canvas.test", "t", transport=transport)
    found = [item["id"] async for item in canvas.numbered.list(page_size=2)]
    assert found == list(range(6))
    pages = [path.partition("?")[2] for path in transport.paths]
    assert pages == ["per_page=2", *(f"per_page=2&page={number}" for number in (2, 3, 4))]


@pytest.mark.parametrize("read", range(7))
async def test_pages_by_number_resume_after_each_item(read: int) -> None:
    """In the page of the last item that was read."""
    canvas = Numbered("https://canvas.test", "t", transport=FakeTransport([numbered_page]))
    pages = canvas.numbered.list(page_size=2)
    found = await pages.take(read)
    resumed = canvas.resume(Cursor[dict[str, Any]](pages.cursor))
    found += await resumed.collect()
    assert [item["id"] for item in found] == list(range(6))


# --- by offset ----------------------------------------------------------------------------------


@given(st.integers(0, 10**17), st.integers(0, 10**17))
def test_an_offset_is_read_from_the_pairs(first: int, second: int) -> None:
    """The same value that was set; 0 is not sent."""
    pager = OffsetPager()
    call: Call[Any] = Call(Route("GET", "/x", "x.list", (), dict, True, True), query=(("a", "b"),))
    moved = pager.at(pager.at(call, first), second)
    assert pager.offset(moved) == second
    assert moved.query == ((("a", "b"), ("offset", str(second))) if second else (("a", "b"),))
    assert pager.first_call(moved) == call


def test_an_offset_of_many_digits_is_refused() -> None:
    """It may come from a cursor, and Python refuses to parse thousands of digits."""
    pager = OffsetPager()
    call: Call[Any] = Call(Route("GET", "/x", "x.list", (), dict, True, True))
    with pytest.raises(InputError, match="offset is too large"):
        pager.offset(call.with_values(offset="9" * 5000))


def test_a_namespace_names_its_pager() -> None:
    """All of its lists use it, and no others."""
    assert route_of(Numbered, "numbered.list").pager == NumberedPager()
    assert EVENTS is not route_of(ABConnect, "standards.list").pager
    assert route_of(Numbered, "courses.list").pager is None
