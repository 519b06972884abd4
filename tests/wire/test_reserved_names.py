"""Names in a query that only the client may add: credentials, and the user it acts as."""

from __future__ import annotations

from typing import Any

import pytest

from aioinstructure import ABConnect, Canvas, InputError
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.wire.links import reserved_names
from aioinstructure.wire.message import Request, Response

HOME = "https://canvas.test"
RESERVED = [
    "access_token",
    "api_key",
    "as_user_id",
    "auth.expires",
    "auth.signature",
    "partner.id",
    "partner.key",
    "user.id",
]
SPELLINGS = [
    "as_user_id",
    "AS_USER_ID",
    "as%5Fuser%5Fid",
    "%61s_user_id",
    "as%255Fuser%255Fid",
    "as_user_id%5B%5D",
    "as_user_id[]",
    "as_user_id[a]",
    "%20as_user_id",
]
OTHERS = ["as_user", "user_id", "not_as_user_id", "user", "partner", "as_user_ids", "x[as_user_id]"]


def canvas_with(*replies: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas(HOME, "t", transport=transport), transport


@pytest.mark.parametrize("name", RESERVED)
def test_every_reserved_name_is_found(name: str) -> None:
    """In any place of a query, with and without a value."""
    for path in (f"/x?{name}=1", f"/x?a=1&{name}=1&b=2", f"/x?{name}", f"/x?a=1;{name}=2"):
        assert reserved_names(path) == [name]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_reserved_name_is_found_in_every_spelling(spelling: str) -> None:
    """As a lenient server reads it: encoded twice, in capitals, with brackets."""
    assert reserved_names(f"/x?a=1&{spelling}=7") == ["as_user_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/x",
        "/x?",
        "/as_user_id=1",
        "/x?a=as_user_id",
        "/x?a=%26as_user_id=1",
        "/x?a=1#as_user_id=1",
        *(f"/x?{name}=1" for name in OTHERS),
    ],
)
def test_other_names_values_and_paths_are_not_reserved(path: str) -> None:
    """Only the name of a pair counts."""
    assert reserved_names(path) == []


def test_all_reserved_names_are_returned_in_order() -> None:
    """Each as often as it is there."""
    path = "/x?user.id=1&a=2&api_key=3&user.id=4"
    assert reserved_names(path) == ["user.id", "api_key", "user.id"]


# --- links of a server ----------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_link_of_canvas_cannot_name_another_user(spelling: str) -> None:
    """The name is removed from the link; the rest of it is sent unchanged."""

    def page(request: Request) -> Response:
        if "page=2" in request.path:
            return reply([])
        return reply([{"id": 1}], next=f"{HOME}/api/v1/courses?x=+%2b&{spelling}=9&page=2")

    canvas, transport = canvas_with(page)
    await canvas.courses.list().collect()
    assert transport.paths[1] == "/api/v1/courses?x=+%2b&page=2"


async def test_a_link_cannot_change_the_user_of_a_view() -> None:
    """The view's own user is sent, once."""

    def page(request: Request) -> Response:
        if "page=2" in request.path:
            return reply([])
        return reply([{"id": 1}], next=f"{HOME}/api/v1/courses?as_user_id=9&page=2")

    canvas, transport = canvas_with(page)
    await canvas.as_user(7).courses.list().collect()
    assert transport.paths == [
        "/api/v1/courses?per_page=100&as_user_id=7",
        "/api/v1/courses?page=2&as_user_id=7",
    ]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("page=2;as_user_id=9", "?page=2"),
        ("as_user_id=9;page=2", "?page=2"),
        ("page=2;as_user_id=9&x=1;y=2", "?page=2;x=1;y=2"),
        ("page=2&as_user_id=9;x=1", "?page=2&x=1"),
        ("page=2&x=1&as_user_id=9", "?page=2&x=1"),
        ("page=2&as_user_id", "?page=2"),
        ("page=2&as_user_id=9&", "?page=2&"),
        ("as_user_id=8;as_user_id=9", ""),
        ("page=a;b&x=;", "?page=a;b&x=;"),
    ],
)
async def test_a_name_after_a_semicolon_is_removed_too(query: str, kept: str) -> None:
    """Some servers separate pairs by it; else the cursor could not be resumed."""

    def page(request: Request) -> Response:
        if request.path == "/api/v1/courses?per_page=100":
            return reply([{"id": 1}], next=f"{HOME}/api/v1/courses?{query}")
        return reply([{"id": 2}])

    canvas, transport = canvas_with(page)
    pages = canvas.courses.list()
    assert [course.id async for course in pages] == [1, 2]
    assert transport.paths[1] == f"/api/v1/courses{kept}"
    assert canvas.resume(pages.cursor).route.name == "courses.list"


@pytest.mark.parametrize("name", RESERVED)
async def test_a_cursor_holds_no_reserved_name_of_a_link(name: str) -> None:
    """Credentials that a server repeats in its links must not be stored."""
    link = f"{HOME}/api/v1/courses?{name}=s3cret&page=bookmark:x"
    canvas, _ = canvas_with(reply([{"id": 1}], next=link))
    pages = canvas.courses.list()
    await pages.take(1)
    assert "s3cret" not in pages.cursor
    assert name not in pages.cursor
    assert "bookmark:x" in pages.cursor


async def test_a_link_of_ab_connect_cannot_carry_a_credential() -> None:
    """Each page is signed by the client, once; what the link says is not repeated."""
    link = (
        "https://ab.test/rest/v4.1/guides"
        "?partner.id=other&auth.signature=stolen&auth.expires=1&user.id=u&offset=1"
    )

    def page(request: Request) -> Response:
        more = {} if "offset=1" in request.path else {"next": link}
        return reply({"data": [{"id": "A", "type": "guides"}], "links": more})

    transport = FakeTransport([page])
    ab = ABConnect(partner_id="p", partner_key="k", base_url="https://ab.test", transport=transport)
    await ab.paginate("/rest/v4.1/guides").collect()
    names = [pair.partition("=")[0] for pair in transport.paths[1].partition("?")[2].split("&")]
    assert sorted(names) == ["auth.expires", "auth.signature", "offset", "partner.id"]
    assert "other" not in transport.paths[1]
    assert "stolen" not in transport.paths[1]


# --- what a caller gives --------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [*SPELLINGS, "access_token"])
async def test_a_view_refuses_another_user_in_a_path(spelling: str) -> None:
    """It would be sent twice, and the server would choose; nothing is sent."""
    canvas, transport = canvas_with()
    mine = canvas.as_user(7)
    with pytest.raises(InputError, match="is set by the client: leave it out"):
        await mine.request("GET", f"/api/v1/x?a=1&{spelling}=9")
    with pytest.raises(InputError, match="is set by the client: leave it out"):
        await mine.paginate(f"/api/v1/x?{spelling}=9")
    assert transport.requests == []


async def test_a_view_refuses_another_user_in_the_parameters() -> None:
    """As text and as a list."""
    canvas, transport = canvas_with()
    for params in ({"as_user_id": 9}, {"as_user_id": [9]}, {"AS_USER_ID": "9"}):
        with pytest.raises(InputError, match="as_user_id is set by the client"):
            await canvas.as_user(7).request("GET", "/api/v1/x", params=params)
    assert transport.requests == []
