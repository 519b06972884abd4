"""A server on raw sockets whose faults are values, and whose world changes while it is read.

It is written from the documentation of the services, not with the simulator or the client: lists of
Canvas by bookmarked Link headers, lists of AB Connect by offset with a count, single objects, and
writes that it counts. Each request takes the next fault of a plan; without one it answers well.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal
from urllib.parse import parse_qsl

from attrs import define, field, frozen

JSON = "application/json"

PAGE = 3
"""Items on a page."""


@frozen
class Fault:
    """What is wrong with one answer.

    Attributes:
        kind: What.
        number: A status, or how much of the answer is sent.
        after: Whether a write takes effect before it goes wrong.
    """

    kind: str
    number: int = 0
    after: bool = True


@frozen
class Change:
    """What happens to the world before a request: an item is removed or added."""

    at: int
    what: Literal["remove", "add"]
    place: int


@define
class World:
    """The items of a list, which all have an id; ids only grow, but their order is free."""

    items: list[dict[str, Any]]
    always: set[int] = field(init=False)  # ids that were there all the time
    ever: set[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.always = {item["id"] for item in self.items}
        self.ever = set(self.always)

    def change(self, change: Change) -> None:
        place = change.place % (len(self.items) + 1)
        if change.what == "add":
            made: dict[str, Any] = {"id": max(self.ever, default=0) + 1, "name": "new"}
            self.items.insert(place, made)
            self.ever.add(made["id"])
        elif self.items:
            self.always.discard(self.items.pop(place % len(self.items))["id"])


@define
class Adversary:
    """The server.

    Attributes:
        faults: One for each request, in order.
        changes: What changes before the request with this number.
        requests: How many requests were read completely.
        done: How many writes took effect.
    """

    service: Literal["canvas", "abconnect"]
    world: World
    faults: list[Fault] = field(factory=list)
    changes: list[Change] = field(factory=list)
    requests: int = field(default=0, init=False)
    done: int = field(default=0, init=False)
    last_body: bytes = field(default=b"", init=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen on the loopback; yields the origin."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(
                line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if line
            )
            await reader.readexactly(int(fields.get("content-length", 0)))
            method, target, _ = head.decode().split("\r\n")[0].split(" ")
            self._answer(method, target, writer)
            await writer.drain()
        writer.close()

    def _answer(self, method: str, target: str, writer: asyncio.StreamWriter) -> None:
        for change in self.changes:
            if change.at == self.requests:
                self.world.change(change)
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else Fault("good")
        if fault.kind == "lost":  # the server dies before it has read the request
            writer.transport.abort()
            return
        is_write = method not in ("GET", "HEAD")
        if is_write and self._takes_effect(fault):
            self.done += 1
        body, link = self._write() if is_write else self._read(target)
        if fault.kind == "reset":
            writer.transport.abort()
        else:
            last = self.last_body or body
            writer.write(FORMS[fault.kind](Answer(body, link, last, fault.number)))
        if fault.kind in GOOD:  # the client has read it
            self.last_body = body

    def _takes_effect(self, fault: Fault) -> bool:
        if fault.kind == "status":
            status = status_of(fault.number)
            return fault.after and (status >= 500 or status == 408)  # others are refusals
        return fault.after or fault.kind not in FAILED

    def _write(self) -> tuple[bytes, str]:
        return json.dumps({"id": 1, "name": "written"}).encode(), ""

    def _read(self, target: str) -> tuple[bytes, str]:
        path, _, query = target.partition("?")
        pairs = dict(parse_qsl(query))
        if path.rpartition("/")[2].isdigit():
            return json.dumps(self.world.items[0]).encode(), ""
        if self.service == "abconnect":
            return self._by_offset(int(pairs.get("offset", 0))), ""
        return self._by_bookmark(pairs.get("page", ""))

    def _by_bookmark(self, page: str) -> tuple[bytes, str]:
        """Items after the one that the bookmark names, by id: as Canvas pages large lists."""
        after = int(page.removeprefix("bookmark:") or 0)
        rest = sorted(
            (each for each in self.world.items if each["id"] > after), key=lambda i: i["id"]
        )
        shown = rest[:PAGE]
        links = ['<http://canvas.example.edu/api/v1/courses>; rel="first"']
        if len(rest) > PAGE:
            links.insert(
                0,
                f"<https://canvas.example.edu/api/v1/courses?page=bookmark:{shown[-1]['id']}"
                '&per_page=3>; rel="next"',
            )
        return json.dumps(shown).encode(), ",".join(links)

    def _by_offset(self, offset: int) -> bytes:
        """Items by their places, with the count of all: as AB Connect pages lists."""
        items, size = self.world.items, PAGE
        data = [
            {"type": "standards", "id": f"{each['id']:08d}", "attributes": {"label": each["name"]}}
            for each in items[offset : offset + size]
        ]
        links = {"self": "x"}
        if offset + size < len(items):
            links["next"] = f"https://api.example.org/rest/v4.1/standards?offset={offset + size}"
        meta = {"count": len(items), "limit": size, "offset": offset}
        return json.dumps({"data": data, "links": links, "meta": meta}).encode()


@frozen
class Answer:
    """A good answer, of which the faults are made."""

    body: bytes
    link: str
    last: bytes
    number: int

    @property
    def more(self) -> str:
        return f"Link: {self.link}\r\n" if self.link else ""

    @property
    def part(self) -> int:
        """A place in the body, from its second byte to the last but one."""
        return 1 + self.number % max(1, len(self.body) - 2)

    @property
    def good(self) -> bytes:
        return self.whole(self.body)

    def whole(self, body: bytes, more: str | None = None, kind: str = JSON, **head: str) -> bytes:
        status = head.get("status", "200 OK")
        more = self.more if more is None else more
        start = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\n{more}"
        return f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def open(self, body: bytes, more: str = "") -> bytes:
        start = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {JSON}\r\n{self.more}"
        return f"{start}{more}\r\n".encode() + body

    @property
    def zipped(self) -> bytes:
        return gzip.compress(self.body)

    @property
    def chunks(self) -> bytes:
        one, two = self.body[: self.part], self.body[self.part :]
        return b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(one), one, len(two), two)


GZIP = "Content-Encoding: gzip\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
MAINTENANCE = b"<html><title>Maintenance</title></html>"
STATUSES = (400, 401, 403, 404, 408, 409, 422, 429, 500, 501, 502, 503, 520, 302, 407)


def status_of(number: int) -> int:
    return STATUSES[number % len(STATUSES)]


Make = Callable[[Answer], bytes]
GOOD: dict[str, Make] = {
    "good": lambda a: a.good,
    "gzip": lambda a: a.whole(a.zipped, a.more + GZIP),
    "chunked": lambda a: a.open(a.chunks, CHUNKED),
    "no length": lambda a: a.open(a.body),
    "latin": lambda a: a.whole(a.body, kind=f"{JSON}; charset=iso-8859-1"),
}
"""Answers that say what they should, in other forms."""

WRONG: dict[str, Make] = {
    "page": lambda a: a.whole(MAINTENANCE, "", "text/html"),
    "empty": lambda a: a.whole(b""),
    "text": lambda a: a.whole(b"not json"),
    "object": lambda a: a.whole(b'{"a":1}'),
    "null": lambda a: a.whole(b"null"),
    "errors": lambda a: a.whole(b'{"errors":[{"message":"no"}]}'),
    "bad link": lambda a: a.whole(a.body, "Link: <x?page=2; rel=next\r\n"),
    "no relation": lambda a: a.whole(a.body, 'Link: <x?page=2>; rel="nextpage"\r\n'),
    "old page": lambda a: a.whole(a.last),
    "odd item": lambda a: a.whole(a.body.replace(b'"name": "', b'"term": 5, "name": "')),
}
"""Successes that say something else."""

FAILED: dict[str, Make] = {
    "close": lambda _: b"",
    "reset": lambda _: b"",
    "cut head": lambda a: a.good[: 5 + a.number % 40],
    "cut body": lambda a: a.good[: -a.part],
    "cut gzip": lambda a: a.whole(a.zipped[: 1 + a.number % (len(a.zipped) - 1)], a.more + GZIP),
    "cut chunk": lambda a: a.open(a.chunks[: -a.part], CHUNKED),
    "cut at close": lambda a: a.open(a.body[: -a.part]),
    "status": lambda a: a.whole(MAINTENANCE, "", "text/html", status=f"{status_of(a.number)} No"),
    "wrong length": lambda a: a.good.replace(b"Content-Length: ", b"Content-Length: 1"),
    "no http": lambda _: b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "1xx": lambda a: a.whole(a.body, status="101 Switching"),
    "spoilt head": lambda a: a.whole(a.body, f"{a.more}no field\r\n"),
}
"""Answers that are none, or no success; a write may have taken effect or not."""

FORMS = GOOD | WRONG | FAILED
KINDS = [*FORMS, "lost"]
