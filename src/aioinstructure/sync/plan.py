"""What a sync will take, told before it: one small request a stream. Writes nothing.

AB Connect counts its lists, and each call takes one token of a bucket that fills at a known rate.
Canvas counts only lists whose pages are numbers, and what a call costs is known by its answer: no
time is made up for it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.paging.result_page import ResultPage
from aioinstructure.quota import Scheduler
from aioinstructure.sync.streams.base import Stream
from aioinstructure.sync.streams.registry import checked, client_of
from aioinstructure.wire.links import parse_link

__all__ = ["Plan", "StreamPlan", "plan_of"]

_PAGE: Final = 100


@frozen
class StreamPlan:
    """What one stream will take, read from its start. None where the server does not tell.

    Attributes:
        stream: Its name.
        source: The origin that it would be read from.
        rows: How many objects there are; for `course_paces` how many at most.
        requests: How many calls they come in.
        tokens: What these take from the account's bucket.
        seconds: How long that takes at least, if it is alone and the bucket is full.
        note: What else there is to know, in words.
    """

    stream: str
    source: str
    rows: int | None
    requests: int | None
    tokens: int | None = None
    seconds: float | None = None
    note: str = ""


@frozen
class Plan:
    """What a run will take.

    Attributes:
        streams: One a stream, in the order asked.
        seconds: How long all take together at least; None if that is not known of one of them.
    """

    streams: list[StreamPlan]
    seconds: float | None

    @property
    def requests(self) -> int | None:
        """How many calls in all; None if that is not known of a stream."""
        return _sum(each.requests for each in self.streams)

    @property
    def tokens(self) -> int | None:
        """What the calls to AB Connect take from its bucket."""
        return _sum(each.tokens for each in self.streams if each.tokens is not None)


async def plan_of(
    *streams: str, canvas: Canvas | None = None, abconnect: ABConnect | None = None
) -> Plan:
    """What it takes to read these streams from their start.

    Raises:
        InputError: A stream is unknown, or named twice.
        ConfigurationError: The client of a stream is missing.
    """
    wanted = [(each, client_of(each, canvas, abconnect)) for each in checked(streams)]
    found = [await _planned(stream, client) for stream, client in wanted]
    seconds = None
    if all(each.tokens is not None for each in found):
        tokens = sum(each.tokens or 0 for each in found)
        seconds = _seconds(tokens, wanted[0][1].quota)
    return Plan(found, seconds)


async def _planned(stream: Stream, client: Any) -> StreamPlan:
    page: ResultPage[Any] = await stream.start(client, page_size=1)
    rows = page.total if page.total is not None else _numbered(page)
    requests = None
    if rows is not None:
        requests = max(1, -(-rows // _PAGE)) + rows * stream.per_row
    if stream.service == "canvas":
        return StreamPlan(stream.name, client.origin, rows, requests, note=_canvas(page, client))
    seconds = None if requests is None else _seconds(requests, client.quota)
    return StreamPlan(stream.name, client.origin, rows, requests, requests, seconds)


def _seconds(tokens: int, quota: Scheduler) -> float:
    """The least time in which a full bucket gives so many tokens."""
    bucket = quota.snapshot()
    return max(0.0, tokens - bucket.capacity) / bucket.rate


def _numbered(page: ResultPage[Any]) -> int | None:
    """How many pages of one object there are, by the number of the last one."""
    if page.next is None:
        return len(page.raw)
    last = parse_link(page.response.headers.get("link", "")).get("last", "")
    number = dict(parse_qsl(urlsplit(last).query)).get("page", "")
    return int(number) if number.isdecimal() else None


def _canvas(page: ResultPage[Any], client: Any) -> str:
    cost = page.response.request_cost
    known = "" if cost is None else f"this call cost {cost:.2g}, "
    back = client.quota.snapshot().rate
    return f"cost is known from answers only: {known}{back:g} units a second come back"


def _sum(numbers: Any) -> int | None:
    known = list(numbers)
    return None if None in known else sum(known)
