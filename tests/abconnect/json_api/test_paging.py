"""Whole lists: pages side by side, an order without ties, and changes that are noticed."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import (
    ABConnect,
    Forbidden,
    IncompleteError,
    Request,
    Response,
)
from aioinstructure.abconnect import F
from aioinstructure.abconnect.standards import Standard
from aioinstructure.paging.pagers import AHEAD
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, abconnect_of, reply

BASE = "https://api.abconnect.instructure.com/rest/v4.1"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012X}"


def query(path: str) -> dict[str, str]:
    """The query without what the signature has added."""
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


def offset_of(path: str) -> int:
    return int(query(path).get("offset", "0"))


class Shelf:
    """A list of the service's by offset, which tests change under the reader."""

    def __init__(self, count: int, *, cap: int = 100) -> None:
        self.ids = [guid(number) for number in range(count)]
        self.cap = cap
        self.at: dict[
            int, Any
        ] = {}  # what happens when a page is asked for, by the request's number
        self.asked = 0

    def __call__(self, request: Request) -> Response:
        self.asked += 1
        if self.asked in self.at:
            self.at[self.asked]()
        return self.page(request)

    def page(self, request: Request, **changes: Any) -> Response:
        asked = query(request.path)
        limit = min(self.cap, int(asked["limit"]))
        offset = int(asked.get("offset", "0"))
        rows = [{"type": "standards", "id": one} for one in self.ids[offset : offset + limit]]
        more = offset + limit < len(self.ids)
        links = {"next": f"{BASE}/standards?offset={offset + limit}"} if more else {}
        meta = {"count": len(self.ids), "limit": limit, "offset": offset}
        return reply({"data": rows, "links": links, "meta": meta, **changes})


def ab_with(*replies: Any, seconds: float = 0.0) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies), seconds=seconds)
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


async def read_into(found: list[Any], pages: Any) -> None:
    """The ids, as far as they come."""
    async for one in pages:
        found.append(one.id)  # noqa: PERF401 - what stands before an error must stay


def tasks() -> int:
    return len(asyncio.all_tasks())


# --- side by side --------------------------------------------------------------------------------


async def test_pages_are_fetched_side_by_side_and_come_in_order() -> None:
    """Twelve answers of a second each take four seconds, not twelve; each page is asked for once."""
    loop = asyncio.get_running_loop()
    ab, transport = ab_with(Shelf(1200), seconds=1.0)
    start = loop.time()
    found = [standard.id async for standard in ab.standards.list()]
    assert found == [guid(number) for number in range(1200)]
    assert sorted(map(offset_of, transport.paths)) == list(range(0, 1200, 100))
    assert loop.time() - start == pytest.approx(1 + 11 / AHEAD, abs=0.5)
    assert tasks() == 1


async def test_the_rate_limit_is_the_limit_not_the_latency() -> None:
    """Over two hundred pages of a server that takes 0.8 s: as fast as five calls a second allow."""
    knobs = Knobs(standards=6000, events=0, abconnect_latency_seconds=0.8)
    loop = asyncio.get_running_loop()
    simulator = Simulator(knobs=knobs)
    async with abconnect_of(simulator) as ab:
        start = loop.time()
        found = await ab.standards.list(page_size=25).collect()
    calls = simulator.stats()["abconnect"]["served"]
    assert len({one.id for one in found}) == len(found) > 5000
    assert simulator.stats()["abconnect"]["refused"] == 0
    spent = loop.time() - start
    assert calls / spent == pytest.approx(5, abs=0.6)  # 25 of them at once from the full bucket
    assert spent < calls * 0.8 / 3


async def test_no_more_pages_are_held_than_the_window() -> None:
    """While a page is read, the ones asked for are the next four; the rest waits."""
    ab, transport = ab_with(Shelf(2000))
    read = 0
    async for _ in ab.standards.list(page_size=10):
        read += 1
        await asyncio.sleep(0.3)
        assert len(transport.requests) <= (read - 1) // 10 + 1 + AHEAD
        if read == 200:
            break
    assert read == 200


async def test_leaving_the_loop_cancels_all_that_is_under_way() -> None:
    """No request is made afterwards, and no task is left."""
    ab, transport = ab_with(Shelf(2000), seconds=1.0)
    async with ab.standards.list() as pages:
        async for _ in pages:
            break
    await asyncio.sleep(0)
    assert tasks() == 1
    sent = len(transport.requests)
    await asyncio.sleep(60)
    assert len(transport.requests) == sent <= 1 + AHEAD


async def test_a_single_task_that_is_cancelled_leaves_nothing() -> None:
    """The pages ahead go with the reader."""
    ab, transport = ab_with(Shelf(2000), seconds=1.0)
    reader = asyncio.create_task(ab.standards.list().collect())
    await asyncio.sleep(2.5)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await asyncio.sleep(0)
    assert tasks() == 1
    sent = len(transport.requests)
    await asyncio.sleep(60)
    assert len(transport.requests) == sent


async def test_an_error_of_a_page_comes_when_the_page_is_read() -> None:
    """What stands before it is handed out; nothing stays under way."""
    shelf = Shelf(1000)

    def answer(request: Request) -> Response:
        if offset_of(request.path) == 300:
            return reply({"errors": [{"status": "403", "detail": "no"}]}, status=403)
        return shelf(request)

    ab, _ = ab_with(answer)
    found: list[Any] = []
    with pytest.raises(Forbidden):
        await read_into(found, ab.standards.list())
    assert found == [guid(number) for number in range(300)]
    await asyncio.sleep(0)
    assert tasks() == 1


async def test_take_asks_for_no_page_ahead() -> None:
    """Nothing more than it needs."""
    ab, transport = ab_with(Shelf(1000))
    assert len(await ab.standards.list(page_size=10).take(15)) == 15
    assert [offset_of(path) for path in transport.paths] == [0, 10]


async def test_a_server_that_gives_shorter_pages_is_believed() -> None:
    """The offsets go by the length it tells: none is asked for in vain."""
    ab, transport = ab_with(Shelf(170, cap=25))
    found = await ab.standards.list().collect()
    assert [one.id for one in found] == [guid(number) for number in range(170)]
    assert sorted(map(offset_of, transport.paths)) == list(range(0, 170, 25))


async def test_a_list_without_a_count_goes_page_by_page() -> None:
    """Nothing tells how far it reaches, so only the next page is asked for."""
    shelf = Shelf(50)

    def answer(request: Request) -> Response:
        response = shelf(request)
        body = response.json()
        del body["meta"]["count"]
        return reply(body)

    ab, transport = ab_with(answer, seconds=1.0)
    pages = ab.standards.list(page_size=10)
    async for _ in pages.pages():
        await asyncio.sleep(5)
        assert offset_of(transport.paths[-1]) <= 10 * len(transport.paths)
    assert [offset_of(path) for path in transport.paths] == [0, 10, 20, 30, 40]


# --- the order -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ([], "guid"),
        (["-date_modified_utc"], "-date_modified_utc,guid"),
        (["level", "seq"], "level,seq,guid"),  # standards have a seq among siblings only
        (["guid"], "guid"),
        (["-guid"], "-guid"),
        (["level", "id"], "level,id"),
    ],
)
async def test_a_list_has_an_order_without_ties(asked: list[str], sent: str) -> None:
    """The GUID decides where nothing else does, on every page."""
    ab, transport = ab_with(Shelf(25))
    await ab.standards.list(sort=asked, page_size=10).collect()
    assert [query(path)["sort[standards]"] for path in transport.paths] == [sent] * 3


async def test_a_full_text_list_keeps_its_relevance_and_goes_in_sequence() -> None:
    """No sort is added; each page is asked for when the one before is there. With a sort it is as usual."""
    shelf = Shelf(60)
    ab, transport = ab_with(shelf, seconds=1.0)
    loop = asyncio.get_running_loop()
    start = loop.time()
    words = ab.standards.list(filter=F.query("fractions"), page_size=10)
    assert len(await words.collect()) == 60
    assert all("sort[standards]" not in query(path) for path in transport.paths)
    assert loop.time() - start == pytest.approx(6, abs=0.1)
    await asyncio.sleep(60)
    transport.requests.clear()
    start = loop.time()
    words = ab.standards.list(filter=F.query("fractions"), sort=["level"], page_size=10)
    assert len(await words.collect()) == 60
    assert query(transport.paths[0])["sort[standards]"] == "level,guid"
    assert loop.time() - start < 4


@pytest.mark.parametrize(
    ("condition", "by_relevance"),
    [
        (F.statement.descr == "the query('x') of a database", False),
        (F.statement.descr == "it's a query(", False),
        (F.statement.descr.in_("a'", "query(", "'b"), False),
        (r"statement.descr eq 'don\'t query(\'x\')'", False),
        ("custom_attributes.query in ('x')", False),
        ("custom_attributes.my-query in('x')", False),
        (F.query("it's a query("), True),
        (F.query("x") & (F.level == 1), True),
        (~F.statement.descr.query("x"), True),
        (r"statement.descr eq 'it\'s' and QUERY ('x')", True),
        ("query\n( 'x' )", True),
    ],
)
async def test_a_search_is_a_call_and_not_a_text(condition: Any, by_relevance: bool) -> None:
    """What stands in quotes searches nothing: such a list has its unique order like any other."""
    ab, transport = ab_with(Shelf(40), seconds=1.0)
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert len(await ab.standards.list(filter=condition, page_size=10).collect()) == 40
    sorts = {query(path).get("sort[standards]") for path in transport.paths}
    assert sorts == {None if by_relevance else "guid"}
    assert loop.time() - start == pytest.approx(4 if by_relevance else 2, abs=0.1)


async def test_the_sort_of_related_lists_is_left_alone() -> None:
    """They belong to another resource, whose order the service keeps."""
    ab, transport = ab_with(Shelf(5))
    await ab.standards.related(guid(1), "peers").collect()
    assert not [name for name in query(transport.paths[0]) if name.startswith("sort")]


# --- changes ------------------------------------------------------------------------------------


async def test_a_count_that_changes_is_reported() -> None:
    """One item goes while the list is read: what follows would be one short."""
    shelf = Shelf(500)
    shelf.at = {7: lambda: shelf.ids.remove(guid(3))}
    ab, _ = ab_with(shelf)
    found: list[Any] = []
    with pytest.raises(IncompleteError, match="it had 500 items, now it has 499") as caught:
        await read_into(found, ab.standards.list(page_size=50))
    assert (caught.value.expected, caught.value.got) == (500, 499)
    assert found == [guid(number) for number in range(300)]
    await asyncio.sleep(0)
    assert tasks() == 1


async def test_an_item_that_was_sent_twice_is_reported() -> None:
    """One came before the place and one went behind it: the count stays, the list shifts."""
    shelf = Shelf(100)

    def shift() -> None:
        shelf.ids = [guid(1000), *shelf.ids[:-1]]

    shelf.at = {2: shift}
    ab, _ = ab_with(shelf)
    with pytest.raises(IncompleteError, match=f"{guid(9)} was sent twice"):
        await ab.standards.list(page_size=10).collect()


async def test_a_sum_that_is_short_is_reported() -> None:
    """The last page holds less than the count promised; so does an empty one in the middle."""
    shelf = Shelf(30)

    def short(request: Request) -> Response:
        return shelf.page(request, data=[]) if offset_of(request.path) == 20 else shelf(request)

    ab, _ = ab_with(short)
    with pytest.raises(IncompleteError, match="30 items, but 20 were received"):
        await ab.standards.list(page_size=10).collect()

    def hole(request: Request) -> Response:
        return shelf.page(request, data=[]) if offset_of(request.path) == 10 else shelf(request)

    ab, _ = ab_with(hole)
    with pytest.raises(IncompleteError, match="30 items, but 10 were received"):
        await ab.standards.list(page_size=10).collect()


@pytest.mark.parametrize("at", range(2, 12))
async def test_a_list_that_heals_itself_gives_every_item_once(at: int) -> None:
    """It begins anew, whichever page the change comes before, and hands out what is new."""
    shelf = Shelf(100)

    def change() -> None:
        shelf.ids.remove(guid(5))
        shelf.ids = [guid(2000), guid(2001), *shelf.ids]

    shelf.at = {at: change}
    ab, transport = ab_with(shelf)
    found = [one.id async for one in ab.standards.list(page_size=10, on_change="restart")]
    assert len(found) == len(set(found))
    assert set(shelf.ids) <= set(found) <= {*shelf.ids, guid(5)}
    if at <= 10:
        assert len(transport.requests) > 10
    await asyncio.sleep(0)
    assert tasks() == 1


async def test_a_list_that_never_stands_still_is_given_up() -> None:
    """After five new beginnings the error comes, with a bounded number of requests."""
    shelf = Shelf(100)
    new = iter(range(1000, 100_000))

    def answer(request: Request) -> Response:
        shelf.ids.append(guid(next(new)))
        return shelf(request)

    ab, transport = ab_with(answer)
    with pytest.raises(IncompleteError):
        await ab.standards.list(page_size=10, on_change="restart").collect()
    assert len(transport.requests) <= 6 * (2 + AHEAD)
    await asyncio.sleep(0)
    assert tasks() == 1


async def test_what_has_no_id_cannot_begin_anew() -> None:
    """It could not be told from what was handed out: the change is told instead."""
    shelf = Shelf(30)

    def answer(request: Request) -> Response:
        response = shelf(request).json()
        response["data"] = [{"name": one["id"]} for one in response["data"]]
        return reply(response)

    shelf.at = {2: lambda: shelf.ids.remove(guid(1))}
    ab, _ = ab_with(answer)
    with pytest.raises(IncompleteError):
        await ab.standard_collections.list(page_size=10, on_change="restart").collect()


async def test_collections_begin_anew_by_their_guids() -> None:
    """They have no `id`."""
    shelf = Shelf(30)

    def answer(request: Request) -> Response:
        response = shelf(request).json()
        response["data"] = [{"guid": one["id"], "name": "x"} for one in response["data"]]
        return reply(response)

    shelf.at = {2: lambda: shelf.ids.insert(0, guid(99))}
    ab, _ = ab_with(answer)
    pages = ab.standard_collections.list(page_size=10, on_change="restart")
    found = [one.guid async for one in pages]
    assert sorted(map(str, found)) == sorted(shelf.ids)


async def test_pages_of_a_list_that_heals_itself() -> None:
    """Page by page as well: those read before hold nothing new, and the cursors stay good."""
    shelf = Shelf(40)
    shelf.at = {4: lambda: shelf.ids.append(guid(77))}
    ab, _ = ab_with(shelf)
    pages = ab.standards.list(page_size=10, on_change="restart")
    found: list[Any] = []
    async for page in pages.pages():
        found += [item["id"] for item in page.raw]
    assert sorted(found) == sorted(shelf.ids)


async def test_a_standard_that_is_retired_meanwhile() -> None:
    """Over the simulator: told by default, healed if so wished, each of the others once."""
    for on_change in ("raise", "restart"):
        simulator = Simulator(knobs=Knobs(standards=900, events=0, rate=1e6, burst=1e6))
        async with abconnect_of(simulator) as ab:
            before = [one.id async for one in ab.standards.list()]
            assert before == sorted(before, key=str)
            pages = ab.standards.list(page_size=20, on_change=on_change)
            found: list[str | None] = []

            async def read() -> None:
                async for one in pages:  # noqa: B023 - awaited before the next turn
                    found.append(one.id)  # noqa: B023
                    if len(found) == 155:  # noqa: B023
                        simulator.world.retire_standard(before[3] or "")  # noqa: B023
                        simulator.world.retire_standard(before[-3] or "")  # noqa: B023

            if on_change == "raise":
                with pytest.raises(IncompleteError):
                    await read()
                continue
            await read()
            after = [one.id async for one in ab.standards.list()]
        assert len(found) == len(set(found))
        assert set(after) <= set(found) <= set(before)


async def test_a_section_that_is_delivered_meanwhile() -> None:
    """Many come at once, all over the list: a list that heals itself has them all."""
    simulator = Simulator(knobs=Knobs(standards=900, events=0, rate=1e6, burst=1e6))
    async with abconnect_of(simulator) as ab:
        some = await ab.standards.list(fields=["section"]).take(1)
        section = some[0].section.guid
        assert section is not None
        simulator.world.revoke(section)
        found = []
        async for one in ab.standards.list(page_size=20, on_change="restart"):
            found.append(one.id)
            if len(found) == 101:
                simulator.world.grant(section)
        after = [one.id async for one in ab.standards.list()]
    assert len(found) == len(set(found))
    assert sorted(map(str, found)) == sorted(map(str, after))


# --- going on -----------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [0, 1, 99, 100, 101, 250, 319, 320])
async def test_going_on_in_the_middle(read: int) -> None:
    """A cursor anywhere gives the rest, whose sum adds up from there."""
    shelf = Shelf(320)
    ab, _ = ab_with(shelf)
    pages = ab.standards.list()
    found = []
    if read:
        async with pages:
            async for one in pages:
                found.append(one)
                if len(found) == read:
                    break
    cursor = pages.cursor
    other, _ = ab_with(shelf)
    rest: list[Standard] = await other.resume(cursor).collect()
    assert [one.id for one in [*found, *rest][-320:]] == [guid(number) for number in range(320)]
    if read < 320:
        assert len(rest) == 320 - read


async def stopped_at(shelf: Shelf, read: int) -> str:
    """The cursor of a loop that was left."""
    ab, _ = ab_with(shelf)
    async with ab.standards.list(page_size=10) as pages:
        async for _ in pages:
            read -= 1
            if not read:
                break
    return pages.cursor


async def test_one_deletion_does_not_end_the_list() -> None:
    """The item before the one that was removed is still there."""
    shelf = Shelf(40)
    cursor = await stopped_at(shelf, 15)
    shelf.ids.remove(guid(14))
    ab, _ = ab_with(shelf)
    assert [one.id async for one in ab.resume(cursor)] == [guid(n) for n in range(15, 40)]


@pytest.mark.parametrize("gone", [range(7, 15), range(5)])
async def test_going_on_where_the_last_item_is_gone(gone: Any) -> None:
    """It went, or moved to the page before: by count alone an item would be lost unnoticed."""
    shelf = Shelf(40)
    cursor = await stopped_at(shelf, 15)
    shelf.ids = [one for one in shelf.ids if one not in {guid(number) for number in gone}]
    if 14 not in gone:
        shelf.ids = [guid(14), *(one for one in shelf.ids if one != guid(14))]
    ab, transport = ab_with(shelf)
    with pytest.raises(IncompleteError, match=f"{guid(14)} is not on its page") as caught:
        await ab.resume(cursor).collect()
    assert caught.value.expected == guid(14)
    await asyncio.sleep(0)
    assert tasks() == 1
    assert offset_of(transport.paths[0]) == 10


@pytest.mark.parametrize(("gone", "new"), [([11], []), ([12, 13], []), ([20, 30], []), ([], [99])])
async def test_going_on_where_others_are_gone(gone: list[int], new: list[int]) -> None:
    """The last item tells where to go on, wherever on its page it stands by now."""
    shelf = Shelf(40)
    cursor = await stopped_at(shelf, 15)
    shelf.ids = [guid(one) for one in [*range(11), *new, *range(11, 40)] if one not in gone]
    ab, _ = ab_with(shelf)
    rest = [one.id async for one in ab.resume(cursor)]
    assert rest == [guid(number) for number in range(15, 40) if number not in gone]


async def test_going_on_behind_a_page() -> None:
    """A cursor between two pages overlaps by one item, at no call more; none comes twice."""
    shelf = Shelf(40)
    cursor = await stopped_at(shelf, 20)
    ab, transport = ab_with(shelf)
    rest = [one.id async for one in ab.resume(cursor)]
    assert rest == [guid(number) for number in range(20, 40)]
    assert [offset_of(path) for path in transport.paths] == [19, 29, 39]


@pytest.mark.parametrize("gone", [0, 7, 19])
async def test_going_on_behind_a_page_that_has_shrunk(gone: int) -> None:
    """By its number alone the next page would begin one item too late."""
    shelf = Shelf(40)
    cursor = await stopped_at(shelf, 20)
    shelf.ids.remove(guid(gone))
    ab, _ = ab_with(shelf)
    with pytest.raises(IncompleteError, match=f"{guid(19)} is not on its page"):
        await ab.resume(cursor).collect()


async def test_going_on_behind_a_page_that_has_grown() -> None:
    """What came in before it shifts the place, and is not taken for what comes next."""
    shelf = Shelf(40)
    cursor = await stopped_at(shelf, 20)
    shelf.ids.insert(3, guid(99))
    ab, _ = ab_with(shelf)
    rest = [one.id async for one in ab.resume(cursor)]
    assert rest == [guid(number) for number in range(20, 40)]
