"""The meaning of a response: success, or one of the errors.

Canvas reports errors in a dozen shapes (strings, lists, dicts, HTML, nothing). The parser accepts
all of them and never fails itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urljoin

from aioinstructure.errors import (
    BadRequest,
    Conflict,
    ConnectError,
    DecodeError,
    Error,
    Forbidden,
    NotFound,
    OriginError,
    RedirectError,
    ResponseError,
    ServerError,
    Throttled,
    TransportError,
    Unauthorized,
    UnknownOutcome,
    Unprocessable,
)
from aioinstructure.wire.links import origin_of
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.quota_report import QuotaReport, is_throttled
from aioinstructure.wire.redact import shown

__all__ = [
    "Denial",
    "Refused",
    "decoded_json",
    "denial_of",
    "error_messages",
    "is_credential_error",
    "is_cut_json",
    "is_stand_in",
    "no_response_error",
    "raise_for_status",
    "refused_part",
]

Refused: TypeAlias = Literal["token", "scope", "right"]
Denial: TypeAlias = Literal["the user is not authorized", "the resource does not exist"]

_CLASSES: dict[int, type[ResponseError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    422: Unprocessable,
    429: Throttled,
}
_SNIPPET = 200
_MESSAGE = 500
_NAME = 200
_MOST_MESSAGES = 100
_HEADER = 100
_DEEPEST = 20
_START = 65_536  # where the title of a page is looked for, in bytes
_BLANKS = 100  # the most bytes before the first tag of a page
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)

_PARTS: Final[dict[str, Refused]] = {
    "Invalid access token.": "token",
    "Expired access token.": "token",
    "Revoked access token.": "token",
    "user authorization required": "token",
    "Insufficient scopes on access token.": "scope",
    "user not authorized to perform that action": "right",
}
"""What Canvas says in a 401, and what it refuses with it."""

_NO_RIGHT: Final = ("unauthorized", "unauthorised")
"""The `status` beside a missing right. Canvas may translate the message next to it."""

_UNTITLED: Final = ("message", "detail")
_TITLED: Final = (*_UNTITLED, "title")
"""The members of an error that may be its text, best first."""

_MISSING: Final = "The specified resource does not exist."


def decoded_json(response: Response) -> Any:
    """The body of a response as JSON.

    Raises:
        DecodeError: It is not JSON.
    """
    try:
        return response.json()
    except ValueError as error:
        raise DecodeError(f"expected JSON, got {_what(response)}", response=response) from error


def is_stand_in(response: Response) -> bool:
    """Whether a response of status 200 has no body, or a web page, where JSON was expected.

    A gateway sends such a page while the service behind it is away.
    """
    return response.status == 200 and (not response.body or _is_page(response))


def is_cut_json(response: Response) -> bool:
    """Whether the body should be JSON, is none, and is no web page either."""
    kind = response.headers.get("content-type", "").lower()
    if "json" not in kind or not response.body or _is_page(response):
        return False
    try:
        response.json()
    except ValueError:
        return True
    return False


def _is_page(response: Response) -> bool:
    return response.body[:_BLANKS].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _what(response: Response) -> str:
    """What the body is, where it is no JSON."""
    if not response.body:
        return "an empty body"
    if _is_page(response):
        import html  # noqa: PLC0415 - for this message only

        title = _TITLE.search(response.text[:_START])
        name = shown(html.unescape(title[1]), _HEADER) if title else ""
        return f"a web page: {name}" if name else "a web page"
    kind = shown(response.headers.get("content-type", "no content type"), _HEADER)
    return f"{len(response.body):,} bytes of {kind}"


def raise_for_status(request: Request, response: Response, *, now: float) -> Response:
    """Return the response if its status is 2xx; raise its error otherwise.

    Args:
        request: The request.
        response: Its response.
        now: Wall time in seconds, for a Retry-After that is a date.

    Raises:
        TransportError: It is no complete response.
        ResponseError: The subclass for the status and the body.
        OriginError: A redirect to another origin; it was not followed.
    """
    status = response.status
    if status == 206 and "range" not in request.headers.lower:
        raise no_response_error(request, "the response is a part (206) that was not requested")
    if 200 <= status < 300:
        return response
    if status < 200:
        raise no_response_error(request, f"status {status} is none of a response")
    if status == 407:
        raise ConnectError(
            f"a proxy refused the request (407, it wants a password): {request.method}"
            f" {request.path.partition('?')[0]}",
            request=request,
            is_final=True,
        )
    if 300 <= status < 400:
        _check_redirect_origin(request, response)
    refused = is_throttled(response)
    kind = Throttled if refused else _CLASSES.get(status, _by_hundreds(status))
    messages, more = _bounded_messages(response)
    error = kind(
        response,
        errors=messages,
        more_errors=more,
        snippet=shown(response.text, _SNIPPET),
        retry_after=QuotaReport.of(response.headers, now).retry_after,
    )
    if isinstance(error, Unauthorized):
        error.refused = refused_part(response)
    raise error


def _by_hundreds(status: int) -> type[ResponseError]:
    if status >= 500:
        return ServerError
    if status >= 400:
        return BadRequest
    return RedirectError


def _check_redirect_origin(request: Request, response: Response) -> None:
    try:
        target = origin_of(urljoin(request.url, response.headers.get("location", "")))
        home = origin_of(request.url)
    except ValueError:
        return
    if target != home:
        raise OriginError(
            f"{request.method} {request.path} was redirected from {home} to"
            f" {shown(target, _SNIPPET)}: nothing was sent there"
        )


def is_credential_error(error: Error) -> bool:
    """Whether a 401 is about the credential, not about a permission."""
    return isinstance(error, Unauthorized) and refused_part(error.response) == "token"


def refused_part(response: Response) -> Refused | None:
    """Return what a 401 or 403 refuses: the token, its scope, or the right of the user.

    Canvas sends WWW-Authenticate only for a token problem, but a proxy may remove it, so that the
    text counts too. AB Connect says "Signature ...". Newer versions of Canvas use 403 for a missing
    right. None if the response says none of this: a gateway can send any status with any body.
    """
    if response.status not in (401, 403):
        return None
    named = _part_named(response)
    challenged = "www-authenticate" in response.headers
    if response.status == 403:
        return named if named == "right" and not challenged else None
    if challenged or any(text.startswith("Signature") for text in error_messages(response)):
        return "token"
    return named


def _part_named(response: Response) -> Refused | None:
    """What the body says is refused, if it has the form of Canvas."""
    body, error = _single_error(response)
    message = error.get("message")
    if not isinstance(message, str):
        return None
    if message in _PARTS:
        return _PARTS[message]
    is_denial = body.keys() - {"error_report_id"} == {"status", "errors"} and len(error) == 1
    return "right" if is_denial and body["status"] in _NO_RIGHT else None


def denial_of(response: Response) -> Denial | None:
    """Return why the caller gets no object, if Canvas itself says so; None otherwise.

    The status alone proves nothing: a gateway, a maintenance page or a refused token may come with
    the same one. Only the JSON of Canvas counts, which says that the user is not authorized to
    perform that action, or that the resource does not exist (or is switched off).
    """
    if refused_part(response) == "right":
        return "the user is not authorized"
    if response.status != 404:
        return None
    body, error = _single_error(response)
    if not isinstance(error.get("message"), str) or body.keys() - {"errors", "error_report_id"}:
        return None
    # A disabled feature has a code instead of the sentence.
    is_missing = error["message"] == _MISSING or error.get("error_code") == "not_found"
    return "the resource does not exist" if is_missing else None


def _single_error(response: Response) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The body, and the only error in it, as Canvas sends them; both are empty if it did not."""
    try:
        body = response.json()
    except ValueError:
        return {}, {}
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if isinstance(errors, list) and len(errors) == 1 and isinstance(errors[0], Mapping):
        return body, errors[0]
    return {}, {}


def no_response_error(request: Request, detail: str, *, can_repeat: bool = True) -> TransportError:
    """Return the error for a request that was sent and received no complete response.

    Args:
        request: The request.
        detail: What happened instead.
        can_repeat: Whether another attempt could find out what a write has done.
    """
    what = f"{request.method} {request.path.partition('?')[0]}: {detail}"
    if request.idempotent:
        error = TransportError(f"no complete response: {what}", request=request)
        if can_repeat or not error.may_have_happened:
            return error
    return UnknownOutcome(f"no response, the write may have taken effect: {what}", request=request)


def error_messages(response: Response) -> list[str]:
    """Return the first 100 messages in the body, in order, as lines; none if it is not JSON."""
    return _bounded_messages(response)[0]


def _bounded_messages(response: Response) -> tuple[list[str], int]:
    """Return the first different messages in the body, and the number of the others.

    A message that is not returned costs its place in a dictionary, not a search for credentials.
    """
    try:
        body = response.json()
    except ValueError:
        return [], 0
    found = _messages(body)
    # Cut the name: one of any length may stand before each message.
    first = (
        shown(f"{name[:_NAME]}: {text}" if name not in ("", "base") else text, _MESSAGE)
        for name, text in islice(found, _MOST_MESSAGES)
    )
    return list(dict.fromkeys(first)), max(0, len(found) - _MOST_MESSAGES)


_Found: TypeAlias = dict[tuple[str, str], None]
"""The fields that messages are about, and the messages: different ones, in order."""


def _messages(body: Any) -> _Found:
    found: _Found = {}
    if not isinstance(body, dict):
        if isinstance(body, str | list):
            _collect(found, body)
        return found
    _collect(found, body.get("errors"))
    for key in ("error_description", "message", "error"):
        if isinstance(text := body.get(key), str):
            _collect(found, text)
            break
    return found


def _collect(found: _Found, errors: Any, name: str = "", depth: int = 0) -> None:
    """Add the messages of an `errors` member of any shape; `name` is the field they are about.

    A body may have tens of thousands, so that each costs a few calls.
    """
    if depth > _DEEPEST:
        return
    if isinstance(errors, str):
        if errors and not errors.isspace():
            found[name, errors] = None
    elif isinstance(errors, list):
        for entry in errors:
            _collect(found, entry, name, depth + 1)
    elif isinstance(errors, dict):
        # Beside the status of a JSON:API error, a title is a message; elsewhere it may be a field.
        for key in _TITLED if "status" in errors else _UNTITLED:
            text = errors.get(key)
            if isinstance(text, str):
                about = errors.get("field") or errors.get("attribute")
                about = about or _source(errors.get("source"))
                _collect(found, text, about if isinstance(about, str) and about else name)
                return
        for key, inner in errors.items():
            _collect(found, inner, key, depth + 1)


def _source(source: Any) -> str:
    """The parameter, or the pointer into the body, that a JSON:API error names."""
    if not isinstance(source, dict):
        return ""
    return str(source.get("parameter") or source.get("pointer") or "")
