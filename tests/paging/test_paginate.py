"""`client.paginate`: lists that have no operation, on both services, and their cursors."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from attrs import define, field

from aioinstructure import UNSET, ABConnect, Canvas, DecodeError, Id, InputError, Model
from aioinstructure.canvas.courses import Course
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, SimulatorTransport, abconnect_of, canvas_of, reply
from aioinstructure.wire.message import Request, Response
from tests.paging.cursors import cursor_text

HOME = "https://canvas.test"
GROUPS = "/api/v1/groups"


@define
class Group(Model):
    """A model of a user's own."""

    id: Id | None = None
    name: str | None = None
    made_at: datetime | None = None
    tags: list[str] = field(factory=list)


@define
class Guide(Model):
    """A model of a user's own, for JSON:API."""

    id: Id | None = None
    type: str | None = None


def canvas_with(*replies: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas(HOME, "t0ken-t0ken", transport=transport), transport


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    client = ABConnect(
        partner_id="p", partner_key="k", base_url="https://ab.test", transport=transport
    )
    return client, transport


def groups(request: Request) -> Response:
    """Six groups on three pages; links have a number, as most of Canvas."""
    at = int(request.path.partition("page=")[2].partition("&")[0] or 1)
    items = [{"id": number, "name": f"g{number}"} for number in (2 * at - 1, 2 * at)]
    return reply(items, next=f"{HOME}{GROUPS}?page={at + 1}" if at < 3 else None)


def unsigned(transport: FakeTransport) -> list[str]:
    """What was sent to AB Connect, without the signature."""
    return [
        path.partition("&partner.id")[0].partition("?partner.id")[0] for path in transport.paths
    ]


# --- Canvas: Link header --------------------------------------------------------------------------


async def test_pages_of_canvas_are_followed_by_their_links() -> None:
    """Each page is requested once, by its link, and items are the JSON itself."""
    canvas, transport = canvas_with(groups)
    found = await canvas.paginate(GROUPS).collect()
    assert found == [{"id": number, "name": f"g{number}"} for number in range(1, 7)]
    assert transport.paths == [GROUPS, f"{GROUPS}?page=2", f"{GROUPS}?page=3"]


async def test_a_list_of_a_path_is_lazy_and_names_its_path() -> None:
    """Nothing is sent before it is read; its repr shows the path and the parameters."""
    canvas, transport = canvas_with()
    pages = canvas.paginate(GROUPS, params={"per_page": 5})
    assert repr(pages) == f"<Paginator of a path at {GROUPS}?per_page=5>"
    assert transport.requests == []


async def test_the_items_become_the_model_that_was_given() -> None:
    """A `Model` of the caller; `raw` still has the JSON."""
    canvas, _ = canvas_with(groups)
    page = await canvas.paginate(GROUPS, model=Group)
    assert page.items == [Group.from_dict(item) for item in page.raw]
    assert [(group.id, group.name) for group in page] == [(1, "g1"), (2, "g2")]


async def test_an_item_that_is_not_the_model_is_a_decode_error() -> None:
    """The error has the path of the field and the response; items before it are yielded."""
    canvas, _ = canvas_with(reply([{"id": 1, "name": "a"}, {"tags": "x"}]))
    seen = []
    with pytest.raises(DecodeError) as caught:  # noqa: PT012 - the items before the error are needed
        async for group in canvas.paginate(GROUPS, model=Group):
            seen.append(group.id)  # noqa: PERF401
    assert seen == [1]
    assert any("$.tags" in path for path in caught.value.paths)
    assert caught.value.response is not None


@pytest.mark.parametrize(
    ("params", "query"),
    [
        (None, ""),
        ({}, ""),
        ({"a": None, "b": UNSET}, ""),
        ({"a": "x y&z=1"}, "?a=x%20y%26z%3D1"),
        ({"a": True, "b": False, "c": 0, "d": 1.5}, "?a=true&b=false&c=0&d=1.5"),
        ({"a": [1, 2], "b": []}, "?a%5B%5D=1&a%5B%5D=2"),
        ({"a": (1, None, 2)}, "?a%5B%5D=1&a%5B%5D=2"),
        ({"a": {"b": 1, "c": {"d": [2]}, "e": None}}, "?a%5Bb%5D=1&a%5Bc%5D%5Bd%5D%5B%5D=2"),
        ({"a": date(2026, 1, 2)}, "?a=2026-01-02"),
        ({"a": datetime(2026, 1, 2, 3, tzinfo=UTC)}, "?a=2026-01-02T03%3A00%3A00Z"),
        ({7: "x"}, "?7=x"),
    ],
    ids=str,
)
async def test_parameters_are_encoded_as_rails_reads_them(params: Any, query: str) -> None:
    """Lists as `a[]=1`, dicts as `a[b]=1`; None is not sent."""
    canvas, transport = canvas_with(reply([]))
    assert await canvas.paginate(GROUPS, params=params).collect() == []
    assert transport.paths == [f"{GROUPS}{query}"]


async def test_a_path_may_have_a_query_of_its_own() -> None:
    """The parameters are added to it."""
    canvas, transport = canvas_with(reply([]), reply([]))
    await canvas.paginate(f"{GROUPS}?a=1").collect()
    await canvas.paginate(f"{GROUPS}?a=1", params={"b": 2}).collect()
    assert transport.paths == [f"{GROUPS}?a=1", f"{GROUPS}?a=1&b=2"]


@pytest.mark.parametrize(
    ("items", "body", "found"),
    [
        ("groups", {"groups": [{"id": 1}], "more": 5}, [1]),
        ("a.b", {"a": {"b": [{"id": 1}, {"id": 2}]}}, [1, 2]),
        ("a.b", {"a": [{"b": [{"id": 1}]}, {"b": []}, {"b": [{"id": 2}]}]}, [1, 2]),
        ("groups", {"groups": []}, []),
    ],
)
async def test_wrapped_lists_are_found_at_their_path(
    items: str, body: Any, found: list[int]
) -> None:
    """`items` is a dotted path; lists on the way are joined."""
    canvas, _ = canvas_with(reply(body))
    pages = canvas.paginate(GROUPS, model=Group, items=items)
    assert [group.id async for group in pages] == found


@pytest.mark.parametrize(
    ("items", "body"),
    [("", {"groups": []}), ("groups", []), ("groups", {}), ("a.b", {"a": 5}), ("a", {"a": {}})],
)
async def test_a_body_without_the_list_is_a_decode_error(items: str, body: Any) -> None:
    """It is not an empty list."""
    canvas, _ = canvas_with(reply(body))
    with pytest.raises(DecodeError, match="no list"):
        await canvas.paginate(GROUPS, items=items).collect()


async def test_the_total_of_a_wrapped_list_is_read() -> None:
    """`total_entries`, where the body has it."""
    canvas, _ = canvas_with(reply({"groups": [{"id": 1}], "total_entries": 7}))
    assert (await canvas.paginate(GROUPS, items="groups")).total == 7


# --- AB Connect: offset ---------------------------------------------------------------------------


def guides(request: Request) -> Response:
    """Five guides, two on each page."""
    offset = int(request.path.partition("offset=")[2].partition("&")[0] or 0)
    found = [{"id": f"A{n}", "type": "guides"} for n in range(offset, min(offset + 2, 5))]
    more = f"https://ab.test/rest/v4.1/guides?offset={offset + 2}" if offset + 2 < 5 else None
    meta = {"count": 5, "limit": 2, "offset": offset}
    return reply({"data": found, "links": {"next": more}, "meta": meta})


async def test_pages_of_ab_connect_are_requested_by_offset() -> None:
    """Each once; the parameters are repeated on every page."""
    ab, transport = ab_with(guides)
    pages = ab.paginate("/rest/v4.1/guides", params={"limit": 2, "a": [1]}, model=Guide)
    page = await pages
    assert (page.total, len(page)) == (5, 2)
    assert [guide.id async for guide in pages] == ["A0", "A1", "A2", "A3", "A4"]
    sent = sorted(unsigned(transport))
    start = "/rest/v4.1/guides?limit=2&a%5B%5D=1"
    assert sent == [start, f"{start}&offset=2", f"{start}&offset=4"]


async def test_a_path_of_the_simulator_is_read_completely() -> None:
    """The same objects as by the operation of the library."""
    simulator = Simulator(seed=1, knobs=Knobs(courses=30, standards=250))
    async with canvas_of(simulator) as canvas, abconnect_of(simulator) as ab:
        mine = canvas.paginate("/api/v1/courses", params={"per_page": 7}, model=Course)
        assert await mine.collect() == await canvas.courses.list().collect()
        params = {"limit": 100, "sort[standards]": "guid", "fields[standards]": "guid"}
        raw = await ab.paginate("/rest/v4.1/standards", params=params).collect()
        assert [item["id"] for item in raw] == [
            standard.id for standard in await ab.standards.list(sort=["guid"]).collect()
        ]


# --- cursors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", range(7))
async def test_a_cursor_resumes_the_same_path_in_another_client(read: int) -> None:
    """After any number of items, the rest comes: none is missing, none comes twice."""
    canvas, _ = canvas_with(groups)
    pages = canvas.paginate(GROUPS, params={"a": [1]}, model=Group)
    await pages.take(read)
    other, _ = canvas_with(groups)
    later = other.paginate(GROUPS, params={"a": [1]}, model=Group, cursor=str(pages.cursor))
    assert [group.id async for group in later] == list(range(read + 1, 7))


@pytest.mark.parametrize("read", range(6))
async def test_a_cursor_of_an_offset_resumes_in_another_client(read: int) -> None:
    """Also within a page; the offset is part of the cursor, not of the parameters."""
    ab, _ = ab_with(guides)
    pages = ab.paginate("/rest/v4.1/guides", params={"limit": 2})
    await pages.take(read)
    other, _ = ab_with(guides)
    later = other.paginate("/rest/v4.1/guides", params={"limit": 2}, cursor=pages.cursor)
    assert [item["id"] async for item in later] == [f"A{n}" for n in range(read, 5)]


@pytest.mark.parametrize("path", [GROUPS, f"{GROUPS}?a=1"])
async def test_a_cursor_at_a_bookmark_requests_that_page(path: str) -> None:
    """Also for a path that has a query of its own."""

    def page(request: Request) -> Response:
        if "bookmark" in request.path:
            return reply([{"id": 3}])
        return reply([{"id": 1}, {"id": 2}], next=f"{HOME}{GROUPS}?a=1&page=bookmark:xyz")

    canvas, _ = canvas_with(page)
    pages = canvas.paginate(path)
    await pages.take(2)
    other, transport = canvas_with(page)
    assert await other.paginate(path, cursor=pages.cursor).collect() == [{"id": 3}]
    assert transport.paths == [f"{GROUPS}?a=1&page=bookmark:xyz"]


async def test_a_cursor_of_an_own_list_holds_no_token() -> None:
    """It is text that may be stored."""
    canvas, _ = canvas_with(groups)
    pages = canvas.paginate(GROUPS)
    await pages.take(1)
    assert "t0ken" not in pages.cursor


async def refused(make: Any, transport: FakeTransport, message: str) -> None:
    before = len(transport.requests)
    with pytest.raises(InputError, match=message):
        await make()
    assert len(transport.requests) == before


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v1/users", {"a": 1}),
        (f"{GROUPS}/", {"a": 1}),
        (GROUPS, {"a": 2}),
        (GROUPS, {"a": 1, "b": 1}),
        (GROUPS, {"a": [1]}),
        (GROUPS, None),
    ],
)
async def test_a_cursor_of_another_path_or_other_parameters_is_refused(
    path: str, params: Any
) -> None:
    """Nothing is sent: the position would be one in another list."""
    canvas, transport = canvas_with(groups)
    pages = canvas.paginate(GROUPS, params={"a": 1})
    await pages.take(1)

    async def resume() -> Any:
        return await canvas.paginate(path, params=params, cursor=pages.cursor)

    await refused(resume, transport, "the cursor was made with another path or other parameters")


async def test_a_cursor_of_another_origin_is_refused() -> None:
    """A position of one server says nothing about another one."""
    canvas, _ = canvas_with(groups)
    other = Canvas("https://other.test", "t", transport=FakeTransport([]))
    with pytest.raises(InputError, match=r"belongs to .*canvas\.test.*, not to https://other"):
        _ = other.paginate(GROUPS, cursor=canvas.paginate(GROUPS).cursor)


async def test_a_cursor_of_an_operation_is_refused_by_paginate() -> None:
    """The message says where to give it."""
    canvas, _ = canvas_with()
    with pytest.raises(InputError, match=r"pass it to resume\(\)"):
        _ = canvas.paginate("/api/v1/courses", cursor=canvas.courses.list().cursor)


async def test_a_cursor_of_a_path_is_refused_by_resume() -> None:
    """The message says where to give it."""
    canvas, _ = canvas_with()
    with pytest.raises(InputError, match=r"pass it as paginate\(..., cursor=cursor\)"):
        _ = canvas.resume(canvas.paginate(GROUPS).cursor)


async def test_a_cursor_of_a_path_needs_the_same_user() -> None:
    """A list that was read as another user continues only as that user."""
    canvas, transport = canvas_with(groups)
    mine = canvas.as_user(7)
    pages = mine.paginate(GROUPS)
    await pages.take(1)
    with pytest.raises(InputError, match="as_user_id=7"):
        _ = canvas.paginate(GROUPS, cursor=pages.cursor)
    rest = await mine.paginate(GROUPS, cursor=pages.cursor).collect()
    assert [item["id"] for item in rest] == [2, 3, 4, 5, 6]
    assert all("as_user_id=7" in path for path in transport.paths)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        cursor_text(kind="path", version=1),
        cursor_text(kind="path", route="", arguments={}),
        cursor_text(kind="path", route="", arguments={"path": GROUPS}, page="/api/v1/users"),
        cursor_text(kind="path", route="", arguments={"path": GROUPS}, page="//evil.test/"),
        cursor_text(
            kind="path", route="", query=[], arguments={"path": GROUPS}, page=f"{GROUPS}?api_key=x"
        ),
    ],
)
async def test_a_cursor_of_a_path_is_untrusted(text: str) -> None:
    """Another version or page, or a credential in it: nothing is sent."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError):
        await canvas.paginate(GROUPS, params={"per_page": "100"}, cursor=text)
    assert transport.requests == []


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("api/v1/groups", "must begin with one slash"),
        ("//evil.test/groups", "must begin with one slash"),
        ("https://evil.test/groups", "must begin with one slash"),
        ("", "must begin with one slash"),
        (None, "must begin with one slash"),
        ("/api/v1/my groups", "must be percent-encoded"),
        ("/api/v1/groups\n", "must be percent-encoded"),
        ("/api/v1/grüppen", "must be percent-encoded"),
        ("/api/v1/groups#top", "must be percent-encoded"),
    ],
)
def test_a_path_that_cannot_be_sent_unchanged_is_refused(path: Any, message: str) -> None:
    """Where the list is made, not where it is read."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError, match=message):
        _ = canvas.paginate(path)
    assert transport.requests == []


@pytest.mark.parametrize("params", ["a=1", [("a", 1)], 5, b"a", {"a"}, "", []])
def test_parameters_must_be_a_mapping(params: Any) -> None:
    """The message says what was given, also where it is empty."""
    canvas, _ = canvas_with()
    with pytest.raises(InputError, match="params must be a mapping, not"):
        _ = canvas.paginate(GROUPS, params=params)


@pytest.mark.parametrize("items", [None, 5, ["a", "b"], b"a"])
def test_the_place_of_the_items_must_be_text(items: Any) -> None:
    """Where the list is made, not where it is read."""
    canvas, _ = canvas_with()
    with pytest.raises(InputError, match="items must be a dotted path, not"):
        _ = canvas.paginate(GROUPS, items=items)


@pytest.mark.parametrize("value", [object(), float("nan"), b"x", datetime(2026, 1, 1)])  # noqa: DTZ001
def test_a_value_that_has_no_text_is_refused(value: Any) -> None:
    """The message names the parameter."""
    canvas, _ = canvas_with()
    with pytest.raises(InputError, match="since"):
        _ = canvas.paginate(GROUPS, params={"since": value})


async def test_a_link_out_of_the_api_is_refused() -> None:
    """As for the operations of the library."""
    canvas, transport = canvas_with(reply([{"id": 1}], next=f"{HOME}/login"))
    with pytest.raises(Exception, match="outside of /api/"):
        await canvas.paginate(GROUPS).collect()
    assert len(transport.requests) == 1


async def test_a_view_reads_the_list_in_its_own_lane() -> None:
    """`with_options` is for these lists too."""
    simulator = Simulator(seed=1)
    canvas = Canvas(HOME, simulator.canvas_token, transport=SimulatorTransport(simulator))
    bulk = canvas.with_options(lane="bulk", flow="groups")
    assert await bulk.paginate("/api/v1/courses", params={"per_page": 3}).take(4)
    assert bulk.quota.snapshot().granted == 2


@pytest.mark.parametrize("model", ["Group", 5, Group(id=1)])
def test_the_model_must_be_a_class(model: Any) -> None:
    """Refused before anything is sent, with the value."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError, match="model must be a class, not"):
        _ = canvas.paginate(GROUPS, model=model)
    assert transport.requests == []


async def test_the_place_of_the_items_can_be_given_on_ab_connect() -> None:
    """Instead of `data`, which is the usual place there."""
    ab, _ = ab_with(reply({"report": {"rows": [{"id": "1"}, {"id": "2"}]}}))
    pages = ab.paginate("/rest/v4.1/reports", items="report.rows")
    assert [item["id"] for item in await pages.collect()] == ["1", "2"]


async def test_an_item_without_an_id_ends_the_ids_of_a_cursor() -> None:
    """The page is then counted: an id of an earlier item says nothing about this position."""
    first, second = [{"id": 1}], [{"x": 1}, {"id": 2}]

    def pages(request: Request) -> Response:
        return (
            reply(second)
            if "page=2" in request.path
            else reply(first, next=f"{HOME}/api/v1/x?page=2")
        )

    canvas, _ = canvas_with(pages)
    listed = canvas.paginate("/api/v1/x")
    assert await listed.take(2) == [{"id": 1}, {"x": 1}]
    assert await canvas.paginate("/api/v1/x", cursor=listed.cursor).collect() == [{"id": 2}]


async def test_the_end_of_a_list_whose_last_item_has_no_id_is_resumed_once() -> None:
    """Nothing comes again."""
    canvas, _ = canvas_with(lambda _: reply([{"id": 1}, {"x": 2}]))
    listed = canvas.paginate("/api/v1/x")
    assert len(await listed.collect()) == 2
    assert await canvas.paginate("/api/v1/x", cursor=listed.cursor).collect() == []


async def test_items_need_not_be_objects() -> None:
    """Without `model=` they are the JSON itself."""
    canvas, _ = canvas_with(reply([1, "two", None]))
    assert await canvas.paginate("/api/v1/x").collect() == [1, "two", None]


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("/api/v1/x?access_token=s3cret", None, "access_token is set by the client"),
        ("/api/v1/x", {"access_token": "s3cret"}, "access_token is set by the client"),
        ("/api/v1/x", {"auth.signature": "s3cret"}, "auth.signature is set by the client"),
        ("/api/v1/{id}", None, "braces in a path"),
    ],
)
def test_a_credential_is_not_a_parameter(path: str, params: Any, message: str) -> None:
    """Errors, logs and cursors show the query; nothing is sent."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError, match=message) as caught:
        _ = canvas.paginate(path, params=params)
    assert "s3cret" not in str(caught.value)
    assert transport.requests == []
