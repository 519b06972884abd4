"""All errors that the library raises: one class for each decision that a caller makes.

Error:
    ├ ConfigurationError   no credential, plain http off loopback, two quotas for one credential
    ├ InputError           a bad literal, id, limit, cursor, filter or date; nothing was sent
    ├ OriginError          a redirect to another origin, or a link that leaves the API; not followed
    ├ ClientClosed         the client was closed, or belongs to another event loop
    ├ TransportError       no complete response
    │  ├ ConnectError      the connection failed: the request was certainly not sent
    │  ├ DeadlineError     the deadline or timeout passed in flight; also a DeadlineExceeded
    │  └ UnknownOutcome    a write that may have taken effect
    ├ ResponseError        an error response
    │  ├ BadRequest  Unauthorized  Forbidden  NotFound  Conflict  Unprocessable  RedirectError
    │  ├ Throttled         the quota is exhausted, and the deadline allows no retry
    │  ├ ServerError       5xx
    │  └ GraphQLError
    ├ DecodeError          the body does not match the model, or is not JSON
    ├ IncompleteError      a list changed while it was read, or its pages are inconsistent
    ├ ProgressFailed       an asynchronous job failed, was canceled, or did not end in time
    ├ DeadlineExceeded     what every missed deadline ends in; also a TimeoutError
    │  └ QuotaError        the quota is not available before the deadline; nothing was sent
    ├ QueueFull            too many calls wait; nothing was sent
    ├ SignatureError       a live event is not signed by Canvas
    └ SyncError            a stream could not be synced

A deadline may pass after an attempt has failed. Then its error is raised, as a DeadlineExceeded too:
`except DeadlineExceeded` catches every missed deadline, and `except ServerError` this one.

No message or repr shows a credential: errors hold the request from before it was authorized.
Every message is one printable line of at most 2,000 characters, whatever a server sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from aioinstructure.wire.message import Request, Response

from aioinstructure._public import public
from aioinstructure._text import one_line

__all__ = [
    "BadRequest",
    "ClientClosed",
    "ConfigurationError",
    "Conflict",
    "ConnectError",
    "DeadlineError",
    "DeadlineExceeded",
    "DecodeError",
    "Error",
    "Forbidden",
    "GraphQLError",
    "IncompleteError",
    "InputError",
    "NotFound",
    "OriginError",
    "ProgressFailed",
    "QueueFull",
    "QuotaError",
    "RedirectError",
    "ResponseError",
    "ServerError",
    "SignatureError",
    "SyncError",
    "Throttled",
    "TransportError",
    "Unauthorized",
    "UnknownOutcome",
    "Unprocessable",
]


_ERRORS_SHOWN = 10
_PATHS_SHOWN = 5
_PATHS_KEPT = 100
# Their sum, with the rest of a message, stays below the limit of an error.
_ERRORS_LENGTH = 1_000
_REQUEST_LENGTH = 600
_ID_LENGTH = 100
_PATH_LENGTH = 300


@public
class Error(Exception):
    """The base of all errors of the library. Errors can be copied and pickled.

    Its message is one printable line of at most 2,000 characters.
    """

    _earlier: bool = False  # whether an earlier attempt of the same write may have taken effect

    def __init__(self, *args: object) -> None:
        super().__init__(*(one_line(arg) if isinstance(arg, str) else arg for arg in args))

    def with_wait(self, seconds: float) -> Self:
        """Set `.wait`, the seconds until another attempt could be sent, and return the error."""
        error: Error = self
        if isinstance(error, TransportError | ResponseError):  # only these have a wait
            error.wait = seconds
        return self

    def with_earlier_attempt(self) -> Self:
        """Record that an earlier attempt of the write may have taken effect; return the error."""
        self._earlier = True
        return self

    def ending_deadline(self) -> Error:
        """The same error as a DeadlineExceeded, for a deadline that passed after it."""
        if isinstance(self, DeadlineExceeded):
            return self
        error = _restored(type(self), self.args, self.__dict__, ends_deadline=True)
        error.__cause__ = self.__cause__
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with the message alone, which most constructors do not accept.
        kind = type(self)
        ends_deadline = issubclass(kind, _EndsDeadline)
        own = kind.__bases__[1] if ends_deadline else kind
        return _restored, (own, self.args, self.__dict__.copy(), ends_deadline)


def _restored(
    kind: type[Error], args: tuple[Any, ...], state: dict[str, Any], ends_deadline: bool
) -> Error:
    if ends_deadline:
        kind = _ending_deadline(kind)
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


@public
class DeadlineExceeded(Error, TimeoutError):
    """What every missed deadline ends in. It is a TimeoutError, and so an OSError.

    A QuotaError and a DeadlineError are always one. An error of the last attempt, such as a
    Throttled, is one if the deadline left no time for another attempt.

    Attributes:
        wait: Seconds until the call, or another attempt, could be sent; None if unknown.
    """

    wait: float | None = None

    @property
    def retry_after_header(self) -> str:
        """The wait as a Retry-After header: whole seconds, rounded up, at least 1."""
        return str(max(1, math.ceil(min(self.wait or 0.0, 1e9))))


class _EndsDeadline:
    """Marks the classes that `_ending_deadline` has made."""


_ending: dict[type[Error], type[Error]] = {}


def _ending_deadline(kind: type[Error]) -> type[Error]:
    """The class of errors of a kind that are also a DeadlineExceeded; shown as that kind."""
    if kind not in _ending:
        names = ("__module__", "__qualname__", "__doc__")
        body = {name: getattr(kind, name) for name in names}
        bases: tuple[Any, ...] = (_EndsDeadline, kind, DeadlineExceeded)
        _ending[kind] = type(kind.__name__, bases, body)
    return _ending[kind]


_READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def _is_write(request: Request | None) -> bool:
    """Whether a request may change something. One that must not be repeated may."""
    return request is not None and (request.method not in _READS or not request.idempotent)


@public
class ConfigurationError(Error):
    """The client cannot be configured: a credential is missing, or the origin is not safe."""


@public
class InputError(Error, ValueError):
    """An argument that the server would refuse or misread; nothing was sent."""


@public
class OriginError(Error):
    """A redirect to another origin, or a link that is none of the API; nothing was sent there."""


@public
class ClientClosed(Error):
    """The client was closed, or it belongs to another event loop."""


@public
class TransportError(Error):
    """There was no response, or it was incomplete.

    Attributes:
        request: The request.
        wait: Seconds until the quota would have allowed another attempt; None if unknown.
        is_final: Whether the library does not repeat the request, since it would end the same way:
            the response is no valid HTTP, its body is larger than `max_body`, or the
            proxy wants a password.
        may_have_happened: Whether this is a write that may have taken effect, by this attempt or
            an earlier one.
    """

    def __init__(
        self,
        message: str,
        *,
        request: Request | None = None,
        wait: float | None = None,
        is_final: bool = False,
    ) -> None:
        super().__init__(message)
        self.request = request
        self.wait = wait
        self.is_final = is_final

    @property
    def may_have_happened(self) -> bool:
        """Whether this is a write that may have taken effect, by this attempt or an earlier one."""
        return self._earlier or _is_write(self.request)


@public
class ConnectError(TransportError):
    """The connection failed: the request was certainly not sent."""

    @property
    def may_have_happened(self) -> bool:
        """False: nothing was sent."""
        return self._earlier


@public
class DeadlineError(TransportError, DeadlineExceeded):
    """The deadline or the timeout passed while the request was in flight."""


@public
class UnknownOutcome(TransportError):
    """A write may have taken effect, and no response says whether. Check before you repeat it."""

    @property
    def may_have_happened(self) -> bool:
        """True."""
        return True


@public
class ResponseError(Error):
    """The server returned an error response.

    Attributes:
        response: The response; `.response.request` is the request, without a credential.
        status: Its HTTP status.
        request_id: The request id to give to the vendor's support, or None.
        errors: The first 100 different messages in the body, in order, each on one line of at most
            500 characters; empty for HTML or an empty body.
        more_errors: How many further messages the body has.
        retry_after: Seconds that the server asked to wait, or None.
        wait: Seconds until the quota would have allowed another attempt; None if unknown.
        may_have_happened: Whether this is a write that may have taken effect: by this attempt if
            the status is 5xx or 408, or by an earlier one.
    """

    def __init__(
        self,
        response: Response,
        *,
        errors: Sequence[str] = (),
        more_errors: int = 0,
        snippet: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.response = response
        self.errors = list(errors)
        self.more_errors = more_errors
        self.retry_after = retry_after
        self.wait: float | None = None
        super().__init__(self._describe(snippet))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    @property
    def request(self) -> Request | None:
        """The request, without a credential."""
        return self.response.request

    @property
    def request_id(self) -> str | None:
        """The request id to give to the vendor's support, or None."""
        return self.response.request_id

    @property
    def may_have_happened(self) -> bool:
        """Whether this is a write that may have taken effect, by this attempt or an earlier one."""
        is_unclear = self.status == 408 or self.status >= 500
        return self._earlier or (is_unclear and _is_write(self.request))

    def _describe(self, snippet: str) -> str:
        try:
            phrase = f" {HTTPStatus(self.status).phrase}"
        except ValueError:
            phrase = ""
        listed = one_line("; ".join(self.errors[:_ERRORS_SHOWN]), _ERRORS_LENGTH)
        says = listed or one_line(snippet, _ERRORS_LENGTH) or "no body"
        says += _and_more(max(0, len(self.errors) - _ERRORS_SHOWN) + self.more_errors)
        request = self.request
        where = (
            f" ({one_line(f'{request.method} {request.path}', _REQUEST_LENGTH)})" if request else ""
        )
        mark = f" [request id {one_line(self.request_id, _ID_LENGTH)}]" if self.request_id else ""
        return f"{self.status}{phrase}{where}: {says}{mark}"


def _and_more(count: int) -> str:
    return f"; and {count:,} more" if count else ""


@public
class BadRequest(ResponseError):
    """400, and any 4xx without its own class: the request is malformed or incomplete."""


@public
class Unauthorized(ResponseError):
    """401: the credential is unknown, expired or revoked; on Canvas also a missing permission.

    Attributes:
        refused: What was refused: "token" (also a signature of AB Connect), "scope" (the token has
            no scope for this operation) or "right" (the user may not do this). None if the response
            does not say it, such as one of a gateway.
    """

    refused: Literal["token", "scope", "right"] | None = None


@public
class Forbidden(ResponseError):
    """403: not permitted, or not licensed."""


@public
class NotFound(ResponseError):
    """404 or 410: the object does not exist, or is not visible to you."""


@public
class Conflict(ResponseError):
    """409: the request conflicts with the current state."""


@public
class Unprocessable(ResponseError):
    """422: the request is well-formed but was rejected; `.errors` says why."""


@public
class RedirectError(ResponseError):
    """3xx: a redirect, often to a login page. It was not followed."""


@public
class Throttled(ResponseError):
    """The quota is exhausted, and the deadline or Retry-After leaves no time for a retry."""


@public
class ServerError(ResponseError):
    """5xx: the server failed. A write may have taken effect."""


@public
class GraphQLError(ResponseError):
    """The response to a GraphQL query lists errors."""


@public
class DecodeError(Error):
    """The body does not match the model, or is not JSON.

    Attributes:
        paths: What is wrong and where, such as "expected a list, got 5 @ $.modules[0].items"; the
            first 100, each on one line of at most 300 characters.
        response: The complete response; None if the value did not come from one.
        cursor: The position after the item, if it is an item of a list; else None.
    """

    def __init__(
        self, message: str, *, paths: Sequence[str] = (), response: Response | None = None
    ) -> None:
        self.paths = [one_line(path, _PATH_LENGTH) for path in paths[:_PATHS_KEPT]]
        if self.paths:
            rest = _and_more(max(0, len(paths) - _PATHS_SHOWN))
            shown = "; ".join(self.paths[:_PATHS_SHOWN])
            message = f"{one_line(message, _PATH_LENGTH)}: {shown}{rest}"
        super().__init__(message)
        self.response = response
        self.cursor: Any = None


@public
class IncompleteError(Error):
    """A list changed while it was read, or its pages are inconsistent.

    Attributes:
        expected: What the server announced.
        got: What it sent.
    """

    def __init__(self, message: str, *, expected: object = None, got: object = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.got = got


@public
class ProgressFailed(Error):
    """An asynchronous job failed, was canceled, or did not end in time.

    Attributes:
        progress: Its last known state: a Canvas Progress, or the queue status of a prediction.
    """

    def __init__(self, message: str, *, progress: Any) -> None:
        super().__init__(message)
        self.progress = progress


@public
class QuotaError(DeadlineExceeded):
    """The quota is not available before the deadline; nothing was sent.

    Attributes:
        wait: Seconds until the call would have been sent, estimated from the current queue.
    """

    wait: float

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait  # pyright: ignore[reportIncompatibleVariableOverride]  # never None here


@public
class QueueFull(Error):
    """Too many calls wait; nothing was sent.

    Attributes:
        wait: Seconds until the call would have been sent, estimated from the current queue.
    """

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


@public
class SignatureError(Error):
    """A live event is not signed by Canvas."""


@public
class SyncError(Error):
    """A stream could not be synced. What was written is kept; the next run resumes after it.

    Attributes:
        stream: The name of the stream.
        checkpoint: The cursor from which the next run resumes, or None.
    """

    def __init__(self, message: str, *, stream: str, checkpoint: str | None = None) -> None:
        super().__init__(message)
        self.stream = stream
        self.checkpoint = checkpoint
