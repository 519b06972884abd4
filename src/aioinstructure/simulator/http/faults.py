"""Injected faults. A fault waits for matching requests and is removed after use."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from attrs import define, field, fields_dict, validators

from aioinstructure.simulator.http.responses import Reply, phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["KINDS", "Fault", "Faults", "apply_fault", "fault_reply"]

KINDS = (
    "status",
    "close",
    "hang",
    "truncated",
    "invalid_json",
    "redirect",
    "bad_link",
    "foreign_next",
    "wrong_shape",
    "delay",
)
"""The kinds of faults.

status: `status`, with a body that is json, html or empty. close: the connection drops in the
middle of the body. hang: no response, ever. truncated: a correct length, but the JSON stops half
way. invalid_json: a 200 that is not JSON. redirect: `status` (302 by default) to `location`.
bad_link: the Link header, or `links.next` of AB Connect, is invalid. foreign_next: the links, or
`links.next` of AB Connect, name the origin `location`. wrong_shape: JSON of another type than documented. delay: the normal
response, `seconds` later.
"""

_BODIES = ("json", "html", "empty")
_STAGES = ("gateway", "service")
_SPOILING = {"truncated", "bad_link", "foreign_next", "wrong_shape"}
_ORIGIN = re.compile(r"(?:(?<=<)|^)https?://[^/>]*")
"""At the start of a link, in a Link header or alone."""
_FOREIGN = "https://elsewhere.invalid"


def _regex(value: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(value)


@define(kw_only=True)
class Fault:
    """A fault that occurs `count` times.

    Args:
        kind: One of `KINDS`.
        method: A regular expression that must match the complete method.
        path: A regular expression, searched in the raw path with its query.
        count: How many requests it affects.
        skip: How many matching requests pass first.
        status: The status of `status` and `redirect`.
        body: The body of `status`: json, html or empty.
        location: The target of a redirect or a foreign next link.
        seconds: How long `delay` waits.
        retry_after: A Retry-After header for `status`.
        stage: "service" is after the throttle: the request costs quota and the response has the
            quota headers. "gateway" is before it, like a load balancer.
    """

    kind: str = field(validator=validators.in_(KINDS))
    method: re.Pattern[str] = field(default=re.compile(".*"), converter=_regex)
    path: re.Pattern[str] = field(default=re.compile(""), converter=_regex)
    count: int = field(default=1, validator=validators.instance_of(int))
    skip: int = field(default=0, validator=validators.instance_of(int))
    status: int = field(default=0, validator=validators.instance_of(int))
    body: str = field(default="json", validator=validators.in_(_BODIES))
    location: str = field(default=_FOREIGN, validator=validators.instance_of(str))
    seconds: float = field(default=0.0, validator=validators.instance_of((int, float)))
    retry_after: str | None = None
    stage: str = field(default="service", validator=validators.in_(_STAGES))

    def __attrs_post_init__(self) -> None:
        if self.stage == "gateway" and self.kind in _SPOILING:
            raise ValueError(
                f"{self.kind} changes a response of the service: stage must be 'service'"
            )

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Fault:
        """Create a fault from JSON.

        Raises:
            ValueError: A name is unknown or a value is invalid.
        """
        if unknown := sorted(set(facts) - set(fields_dict(cls))):
            raise ValueError(f"unknown fault members: {', '.join(unknown)}")
        try:
            return cls(**facts)
        except (TypeError, re.error) as error:
            raise ValueError(f"invalid fault: {error}") from error

    def fits(self, method: str, path: str) -> bool:
        """Whether the fault matches a request."""
        return self.method.fullmatch(method) is not None and self.path.search(path) is not None


class Faults:
    """The pending faults, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, faults: Iterable[Fault]) -> None:
        """Append faults to the pending ones."""
        self.waiting.extend(faults)

    def clear(self) -> None:
        """Remove all pending faults."""
        self.waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault that matches this request, if any, and use it once."""
        for fault in self.waiting:
            if not fault.fits(method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.count -= 1
            if fault.count <= 0:
                self.waiting.remove(fault)
            return fault
        return None


async def fault_reply(fault: Fault, *, jsonapi: bool) -> Reply | None:
    """The reply that replaces the normal one; None if the request continues.

    Raises:
        ConnectionResetError: The fault closes the connection.
    """
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "hang":
        await asyncio.get_running_loop().create_future()
    elif fault.kind == "close":
        raise ConnectionResetError("the simulator closed the connection")
    return failure(fault, jsonapi=jsonapi)


async def apply_fault(fault: Fault | None, serve: Callable[[], Reply], *, jsonapi: bool) -> Reply:
    """The reply of a service with a fault, if there is one, applied."""
    if fault is None:
        return serve()
    reply = await fault_reply(fault, jsonapi=jsonapi)
    return apply_to_body(fault, serve()) if reply is None else reply


def failure(fault: Fault, *, jsonapi: bool) -> Reply | None:
    """Return the reply that replaces the normal one; None if the fault modifies that one."""
    if fault.kind == "status":
        return _status(fault, jsonapi=jsonapi)
    if fault.kind == "redirect":
        return Reply(fault.status or 302, b"", {"Location": fault.location})
    if fault.kind == "invalid_json":
        return Reply(200, b"<html>not json", {"Content-Type": "application/json; charset=utf-8"})
    return None


def _status(fault: Fault, *, jsonapi: bool) -> Reply:
    status = fault.status or 500
    words = phrase(status)
    if fault.body == "html":
        page = f"<html><head><title>{status} {words}</title></head><body><h1>{words}</h1></body></html>"
        reply = Reply(status, page.encode(), {"Content-Type": "text/html"})
    elif fault.body == "empty":
        reply = Reply(status)
    else:
        error: dict[str, Any]
        if jsonapi:
            error = {"status": str(status), "title": words, "detail": None}
        else:
            code = words.lower().replace(" ", "_")
            error = {"message": "An error occurred.", "error_code": code}
        body = orjson.dumps({"errors": [error]})
        reply = Reply(status, body, {"Content-Type": "application/json; charset=utf-8"})
    if fault.retry_after is not None:
        reply.headers["Retry-After"] = fault.retry_after
    return reply


def apply_to_body(fault: Fault, reply: Reply) -> Reply:
    """Return a copy of the normal reply with the fault applied."""
    if reply.later is not None:
        later = reply.later
        return Reply(seconds=reply.seconds, later=lambda: apply_to_body(fault, later()))
    headers, body = dict(reply.headers), reply.body
    if fault.kind == "truncated":
        body = body[: max(1, len(body) // 2)]
    elif fault.kind == "wrong_shape":
        body = b'{"unexpected":true}' if body.startswith(b"[") else b'["unexpected"]'
    elif fault.kind == "bad_link":
        headers["Link"] = '<<not a link; rel=next, "'
        body = _next_link(body, lambda _: "::not a link::")
    elif fault.kind == "foreign_next":
        if "Link" in headers:
            headers["Link"] = _ORIGIN.sub(lambda _: fault.location, headers["Link"])
        body = _next_link(body, lambda url: _ORIGIN.sub(lambda _: fault.location, url or "") or url)
    return Reply(reply.status, body, headers, reply.items)


def _next_link(body: bytes, changed: Callable[[str | None], str | None]) -> bytes:
    """Change the next link in a body of AB Connect."""
    if not body.startswith(b'{"links":'):
        return body
    value = orjson.loads(body)
    value["links"]["next"] = changed(value["links"].get("next"))
    return orjson.dumps(value)
