"""Canvas's pages: numbers, bookmarks, Link headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.simulator.conftest import ORIGIN

if TYPE_CHECKING:
    from aioinstructure.wire.message import Response
    from tests.simulator.conftest import Caller

URL = f"{ORIGIN}/api/v1/courses"


def links(response: Response) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers.get("link", ""))
    return {rel: url.removeprefix(ORIGIN) for url, rel in found}


async def test_exact_link_header(caller: Caller) -> None:
    """No space after the comma, a fixed order, sorted and encoded parameters, page last."""
    path = "/api/v1/courses?per_page=2&page=2&include[]=term&enrollment_type=teacher&access_token=x"
    response = await caller.canvas(path)
    base = f"{URL}?enrollment_type=teacher&include%5B%5D=term"
    last = links(response)["last"].partition("&page=")[2].partition("&")[0]
    assert response.headers["link"] == ",".join(
        f'<{base}&page={page}&per_page=2>; rel="{rel}"'
        for rel, page in [("current", 2), ("next", 3), ("prev", 1), ("first", 1), ("last", last)]
    )


@pytest.mark.parametrize(
    ("asked", "given"), [("abc", 1), ("0", 1), ("-3", 1), ("5000", 100), ("7", 7), (None, 10)]
)
async def test_per_page_is_clamped_not_refused(
    caller: Caller, asked: str | None, given: int
) -> None:
    """Any value gives a page; the links show the effective size."""
    response = await caller.canvas("/api/v1/courses" + (f"?per_page={asked}" if asked else ""))
    assert f"per_page={given}>" in response.headers["link"]
    assert len(response.json()) == min(given, 39)


@pytest.mark.parametrize("kind", ["ordinal", "without_count", "bookmark"])
@pytest.mark.parametrize("size", [1, 7, 13, 39, 100])
async def test_pages_contain_every_course_once(caller: Caller, kind: str, size: int) -> None:
    """The next links lead to all courses in the order of ids, and end."""
    caller.simulator.knobs.paging = {"courses.list": kind}
    seen: list[int] = []
    path: str | None = f"/api/v1/courses?per_page={size}"
    while path is not None:
        response = await caller.canvas(path)
        seen += [course["id"] for course in response.json()]
        path = links(response).get("next")
    expected = [one.id for one in caller.simulator.world.campus.courses if one.state != "deleted"]
    assert seen == expected


async def test_bookmarks_have_no_prev_and_no_last(caller: Caller) -> None:
    """A bookmarked page has current, next and first; only the last page has a last link."""
    caller.simulator.knobs.paging = {"accounts.courses": "bookmark"}
    first = await caller.canvas("/api/v1/accounts/self/courses?per_page=30")
    assert list(links(first)) == ["current", "next", "first"]
    assert "page=first&" in links(first)["current"]
    second = await caller.canvas(links(first)["next"])
    assert list(links(second)) == ["current", "first", "last"]
    assert links(second)["last"] == links(second)["current"]


async def test_the_courses_of_an_account_have_numbers_and_no_count(caller: Caller) -> None:
    """Only the last page knows which page is the last."""
    first = await caller.canvas("/api/v1/accounts/1/courses?per_page=30")
    assert list(links(first)) == ["current", "next", "first"]
    second = await caller.canvas("/api/v1/accounts/1/courses?per_page=30&page=2")
    assert second.json()[0]["id"] == 31
    assert list(links(second)) == ["current", "prev", "first", "last"]


@pytest.mark.parametrize("token", ["2", "bookmark:!!", "bookmark:bm9wZQ", "bookmark:", "rubbish"])
async def test_invalid_bookmark_gives_page_one(caller: Caller, token: str) -> None:
    """An invalid token is ignored: 200 with the first page."""
    caller.simulator.knobs.paging = {"accounts.courses": "bookmark"}
    first = await caller.canvas("/api/v1/accounts/1/courses?per_page=3")
    response = await caller.canvas(f"/api/v1/accounts/1/courses?per_page=3&page={token}")
    assert response.status == 200
    assert response.body == first.body


@pytest.mark.parametrize("page", ["0", "-1", "abc", "first", "bookmark:WzFd"])
async def test_bad_number_is_404(caller: Caller, page: str) -> None:
    """A numbered list refuses an invalid page number."""
    response = await caller.canvas(f"/api/v1/courses?page={page}")
    assert response.status == 404
    error = {"message": "An error occurred.", "error_code": "not_found"}
    assert response.json() == {"errors": [error]}


async def test_page_after_the_end(caller: Caller) -> None:
    """An empty list always has a next link: a client must stop at an empty page."""
    response = await caller.canvas("/api/v1/courses?page=99")
    assert response.json() == []
    assert "page=100&" in links(response)["next"]
    assert "last" not in links(response)
    caller.simulator.knobs.endless_next = False
    assert "next" not in links(await caller.canvas("/api/v1/courses?page=99"))


async def test_unknown_total(caller: Caller) -> None:
    """If the total is unknown, only the last page has a last link."""
    caller.simulator.knobs.last_link = False
    assert "last" not in links(await caller.canvas("/api/v1/courses?per_page=20"))
    assert "last" in links(await caller.canvas("/api/v1/courses?per_page=20&page=2"))


async def test_long_queries_lose_links(caller: Caller) -> None:
    """Links beyond 6 KB are dropped, the less important ones first, next as the last."""
    middle = await caller.canvas(f"/api/v1/courses?per_page=5&page=2&x={'y' * 2500}")
    assert list(links(middle)) == ["next", "last"]
    longest = await caller.canvas(f"/api/v1/courses?per_page=5&page=2&x={'y' * 6200}")
    assert "link" not in longest.headers


async def test_links_name_the_public_origin(caller: Caller) -> None:
    """Behind a proxy, Canvas can use another origin in links."""
    caller.simulator.knobs.public_origin = "http://inside.local:3000"
    response = await caller.canvas("/api/v1/courses")
    assert response.headers["link"].startswith("<http://inside.local:3000/api/v1/courses?")


async def test_smaller_cap_of_older_servers(caller: Caller) -> None:
    """The server sets the maximum page size."""
    caller.simulator.knobs.per_page_maximum = 5
    assert len((await caller.canvas("/api/v1/courses?per_page=100")).json()) == 5
