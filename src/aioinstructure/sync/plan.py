"""Estimate what a sync needs, with one small request per stream. Writes nothing.

AB Connect returns the total of a list, and each call takes one token from a bucket that fills at a
known rate. For Canvas, a total is known only where pages are numbered, and a call's cost only from
its response, so that there is no time estimate.
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
    """What one stream needs when it is read from its start. None means unknown.

    Attributes:
        stream: The name of the stream.
        source: The origin to read from.
        rows: The number of objects; for `course_paces` the maximum.
        requests: The number of calls to read them.
        tokens: The tokens that these calls take from the account's bucket.
        seconds: The minimum time, if no other calls are made and the bucket is full.
        note: Additional information as text.
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
    """What a run needs.

    Attributes:
        streams: One plan per stream, in the order requested.
        seconds: The minimum time for all streams; None if it is unknown for one of them.
    """

    streams: list[StreamPlan]
    seconds: float | None

    @property
    def requests(self) -> int | None:
        """The total number of calls; None if it is unknown for a stream."""
        return _sum(each.requests for each in self.streams)

    @property
    def tokens(self) -> int | None:
        """The tokens that the calls to AB Connect take."""
        return _sum(each.tokens for each in self.streams if each.tokens is not None)


async def plan_of(
    *streams: str, canvas: Canvas | None = None, abconnect: ABConnect | None = None
) -> Plan:
    """Estimate what it takes to read these streams from their start.

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
    """The minimum time in which a bucket that starts full grants this many tokens."""
    bucket = quota.snapshot()
    return max(0.0, tokens - bucket.capacity) / bucket.rate


def _numbered(page: ResultPage[Any]) -> int | None:
    """The number of objects, from the last page's number (pages have one object)."""
    if page.next is None:
        return len(page.raw)
    last = parse_link(page.response.headers.get("link", "")).get("last", "")
    number = dict(parse_qsl(urlsplit(last).query)).get("page", "")
    return int(number) if number.isdecimal() else None


def _canvas(page: ResultPage[Any], client: Any) -> str:
    cost = page.response.request_cost
    known = "" if cost is None else f"this call cost {cost:.2g}, "
    back = client.quota.snapshot().rate
    return f"costs are known from responses only: {known}the bucket refills {back:g} units a second"


def _sum(numbers: Any) -> int | None:
    known = list(numbers)
    return None if None in known else sum(known)
