"""Replies before throttle headers: bodies and error formats of both services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson
from attrs import define, field

from aioinstructure.simulator.coerce import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Reply",
    "abconnect_error",
    "canvas_error",
    "denied",
    "json_reply",
    "missing",
    "not_found",
    "not_simulated",
    "spelled",
    "string_ids",
    "too_short",
    "unauthenticated",
]

_JSON = "application/json; charset=utf-8"
_REALM = 'Bearer realm="canvas-lms"'

_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@define
class Reply:
    """A reply before the throttle adds its headers.

    Args:
        items: How many objects it contains; the cost in Canvas grows with it.
        cacheable: Whether the same request can get the same bytes.
        seconds: How long the server waits before it replies with `later`.
        later: Makes the final reply; None if this is the final reply.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(factory=dict[str, str])
    items: int = 1
    cacheable: bool = False
    seconds: float = 0.0
    later: Callable[[], Reply] | None = None


def json_reply(value: Any, *, status: int = 200, items: int = 1, cacheable: bool = False) -> Reply:
    """Create a reply with a JSON body."""
    return Reply(status, orjson.dumps(value), {"Content-Type": _JSON}, items, cacheable)


def phrase(status: int) -> str:
    """Return the reason phrase of a status code."""
    return _PHRASES.get(status, "Error")


def canvas_error(status: int, value: Any, *, token_problem: bool = False) -> Reply:
    """Create a Canvas error; `token_problem` adds the header that marks an invalid token."""
    reply = json_reply(value, status=status)
    if token_problem:
        reply.headers["WWW-Authenticate"] = _REALM
    return reply


def not_found(*, gate: bool = False) -> Reply:
    """404 for a record; with `gate` for a route, a disabled feature or an invalid page number."""
    if gate:
        error = {"message": "An error occurred.", "error_code": "not_found"}
        return canvas_error(404, {"errors": [error]})
    return canvas_error(404, {"errors": [{"message": "The specified resource does not exist."}]})


def missing(parameter: str) -> Reply:
    """400 for a missing required parameter."""
    return canvas_error(400, {"errors": [{"message": f"{parameter} is missing"}]})


def denied(status: int) -> Reply:
    """A valid token without permission. No WWW-Authenticate, even if the status is 401."""
    message = "user not authorized to perform that action"
    reply = canvas_error(status, {"status": "unauthorized", "errors": [{"message": message}]})
    reply.headers["Cache-Control"] = "no-cache, no-store"
    return reply


def too_short() -> Reply:
    """400 for a search term of one character."""
    error = {
        "field": "search_term",
        "code": "invalid",
        "message": "2 or more characters is required",
    }
    return canvas_error(400, {"errors": [error]})


def not_simulated(what: str) -> Reply:
    """501 for what Canvas may have and the simulator has not, in words that are not Canvas's."""
    return json_reply({"simulator": f"the simulator does not simulate {what}"}, status=501)


def unauthenticated() -> Reply:
    """401 for a request without a token."""
    error = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
    return canvas_error(401, error, token_problem=True)


def abconnect_error(
    status: int,
    detail: str | None = None,
    *,
    parameter: str | None = None,
    pointer: str | None = None,
) -> Reply:
    """Create a JSON:API error; `source` is set only for a parameter or a part of the body."""
    error: dict[str, Any] = {"status": str(status), "title": phrase(status), "detail": detail}
    if parameter is not None:
        error["source"] = {"parameter": parameter}
    elif pointer is not None:
        error["source"] = {"pointer": pointer}
    return json_reply({"errors": [error]}, status=status)


def string_ids(value: Any) -> Any:
    """Return the JSON with ids as strings, for clients whose numbers have less than 64 bits."""
    if (members := mapping(value)) is not None:
        return {key: _string_id(key, inner) for key, inner in members.items()}
    if (elements := listed(value)) is not None:
        return [string_ids(inner) for inner in elements]
    return value


def _string_id(key: str, value: Any) -> Any:
    if (key == "id" or key.endswith("_id")) and type(value) is int:
        return str(value)
    if key.endswith("_ids") and (elements := listed(value)) is not None:
        return [str(inner) if type(inner) is int else inner for inner in elements]
    return string_ids(value)


_CODECS = {
    "utf-8": "utf-8",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "cp1252",
}


def spelled(reply: Reply, wanted: str) -> Reply:
    """Encode a reply in the first known charset of an Accept-Charset field; default UTF-8."""
    names = [part.partition(";")[0].strip().lower() for part in wanted.split(",")]
    name = next((name for name in names if name in _CODECS), None)
    if reply.later is not None:
        later = reply.later
        return Reply(seconds=reply.seconds, later=lambda: spelled(later(), wanted))
    if name is None or name == "utf-8" or not reply.body:
        return reply
    text = reply.body.decode("utf-8")
    headers = {**reply.headers, "Content-Type": f"application/json; charset={name}"}
    return Reply(reply.status, _encoded(text, _CODECS[name]), headers, reply.items)


def _encoded(text: str, codec: str) -> bytes:
    """Encode text; characters that the charset lacks become JSON escapes."""
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return b"".join(_character(one, codec) for one in text)


def _character(one: str, codec: str) -> bytes:
    try:
        return one.encode(codec)
    except UnicodeEncodeError:
        return json.dumps(one)[1:-1].encode()
