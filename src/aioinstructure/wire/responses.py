"""The meaning of a response: success, or one of the errors.

Canvas reports errors in a dozen shapes (strings, lists, dicts, HTML, nothing). The parser accepts
all of them and never fails itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from aioinstructure.errors import (
    BadRequest,
    Conflict,
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
from aioinstructure.wire.redact import scrub

__all__ = [
    "decoded_json",
    "error_messages",
    "is_credential_error",
    "no_response_error",
    "raise_for_status",
]

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
_DEEPEST = 20


def decoded_json(response: Response) -> Any:
    """The body of a response as JSON.

    Raises:
        DecodeError: It is not JSON.
    """
    try:
        return response.json()
    except ValueError as error:
        kind = response.headers.get("content-type", "no content type")
        what = f"{len(response.body)} bytes of {kind}" if response.body else "an empty body"
        raise DecodeError(f"expected JSON, got {what}", response=response) from error


def raise_for_status(request: Request, response: Response, *, now: float) -> Response:
    """Return the response if its status is 2xx; raise its error otherwise.

    Args:
        request: The request.
        response: Its response.
        now: Wall time in seconds, for a Retry-After that is a date.

    Raises:
        ResponseError: The subclass for the status and the body.
        OriginError: A redirect to another origin; it was not followed.
    """
    status = response.status
    if 200 <= status < 300:
        return response
    if 300 <= status < 400:
        _check_redirect_origin(request, response)
    refused = is_throttled(response)
    kind = Throttled if refused else _CLASSES.get(status, _by_hundreds(status))
    raise kind(
        response,
        errors=error_messages(response),
        # Scrub before truncating: half a token may be too short to be recognized.
        snippet=" ".join(scrub(response.text[: 10 * _SNIPPET]).split())[:_SNIPPET],
        retry_after=QuotaReport.of(response.headers, now).retry_after,
    )


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
            f"{request.method} {request.path} was redirected from {home} to {target}:"
            " nothing was sent there"
        )


def is_credential_error(error: Error) -> bool:
    """Whether a 401 is about the credential, not about a permission.

    Canvas sends WWW-Authenticate only for a token problem; AB Connect says "Signature ...".
    """
    return isinstance(error, Unauthorized) and (
        "www-authenticate" in error.response.headers
        or any(message.startswith("Signature") for message in error.errors)
    )


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
    """Return the error messages in the body, in order; none if it is not JSON."""
    try:
        body = response.json()
    except ValueError:
        return []
    found: list[str] = []
    for message in _messages(body):
        text = scrub(" ".join(message.split()))
        if text and text not in found:
            found.append(text)
    return found


def _messages(body: Any) -> Iterator[str]:
    if not isinstance(body, Mapping):
        if isinstance(body, str | list):
            yield from _entries(body)
        return
    yield from _entries(body.get("errors"))
    for key in ("error_description", "message", "error"):
        if isinstance(text := body.get(key), str):
            yield text
            break


def _entries(errors: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    """The messages of an `errors` member of any shape; `name` is the field they are about."""
    if depth > _DEEPEST:
        return
    if isinstance(errors, str):
        yield f"{name}: {errors}" if name not in ("", "base") else errors
    elif isinstance(errors, list):
        for entry in errors:
            yield from _entries(entry, name, depth + 1)
    elif isinstance(errors, Mapping):
        # Beside the status of a JSON:API error, a title is a message; elsewhere it may be a field.
        keys = ("message", "detail", "title") if "status" in errors else ("message", "detail")
        text = next((errors[key] for key in keys if isinstance(errors.get(key), str)), None)
        if text is None:
            for key, inner in errors.items():
                yield from _entries(inner, key, depth + 1)
            return
        about = errors.get("field") or errors.get("attribute") or _source(errors.get("source"))
        yield from _entries(text, about if isinstance(about, str) and about else name)


def _source(source: Any) -> str:
    """The parameter, or the pointer into the body, that a JSON:API error names."""
    if not isinstance(source, Mapping):
        return ""
    return str(source.get("parameter") or source.get("pointer") or "")
