"""Every error that the library raises, a class for each decision a caller makes.

Error:
    ├ ConfigurationError   a missing credential, plain http off loopback, two quotas for one credential
    ├ InputError           a bad literal, id, limit, cursor, filter or date; nothing was sent
    ├ OriginError          a link or redirect that leaves the origin; nothing was sent there
    ├ ClientClosed         the client was closed, or belongs to another event loop
    ├ TransportError       no answer
    │  ├ ConnectError      the connection could not be made: surely not sent
    │  ├ DeadlineError     time ran out in flight
    │  └ UnknownOutcome    a write that may have happened
    ├ ResponseError        an answer that says no
    │  ├ BadRequest  Unauthorized  Forbidden  NotFound  Conflict  Unprocessable  RedirectError
    │  ├ Throttled         the quota is spent, and waiting for more would pass the deadline
    │  ├ ServerError       5xx
    │  └ GraphQLError
    ├ DecodeError          the body is not what the model says, or no JSON
    ├ IncompleteError      a list changed under us, or does not add up
    ├ ProgressFailed       an asynchronous job of Canvas ended badly
    ├ QuotaError           waiting would pass the deadline; nothing was sent
    │  └ QueueFull
    ├ SignatureError       a live event that is not signed by Canvas
    └ SyncError            a stream could not be synced

No message or repr shows a credential: requests are kept as they were before they were authorized.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from aioinstructure.wire.message import Request, Response

__all__ = [
    "BadRequest",
    "ClientClosed",
    "ConfigurationError",
    "Conflict",
    "ConnectError",
    "DeadlineError",
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


class Error(Exception):
    """Anything that the library raises on purpose. It can be copied and pickled."""

    def with_wait(self, seconds: float) -> Self:
        """The error, with the seconds until another attempt could be sent in `.wait`."""
        error: Error = self
        if isinstance(error, TransportError | ResponseError):  # no other follows an attempt
            error.wait = seconds
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own calls the class with the message, which most of ours are not made from.
        return _restored, (type(self), self.args, self.__dict__.copy())


def _restored(kind: type[Error], args: tuple[Any, ...], state: dict[str, Any]) -> Error:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigurationError(Error):
    """The client cannot be set up like this: a credential is missing, the origin is not safe."""


class InputError(Error, ValueError):
    """An argument that the server would refuse or misread; nothing was sent."""


class OriginError(Error):
    """A link or redirect points to another origin; nothing was sent there."""


class ClientClosed(Error):
    """The client was closed, or it belongs to an event loop that is not this one."""


class TransportError(Error):
    """There was no answer, or not all of it.

    Attributes:
        request: What was being sent.
        wait: Seconds until another attempt would have been let through; None if not known.
    """

    def __init__(
        self, message: str, *, request: Request | None = None, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.request = request
        self.wait = wait


class ConnectError(TransportError):
    """The connection could not be made: the request was surely not sent."""


class DeadlineError(TransportError):
    """The deadline or the timeout passed while the request was in flight."""


class UnknownOutcome(TransportError):
    """A write got no answer: it may have happened. Look before you repeat it."""


class ResponseError(Error):
    """An answer that says no.

    Attributes:
        response: The answer; `.response.request` is what was asked, without a credential.
        status: Its HTTP status.
        request_id: The id that the server's support asks for, or None.
        errors: The messages that the body holds, in order; empty for HTML or an empty body.
        retry_after: Seconds that the server asked to wait, or None.
        wait: Seconds until another attempt would have been let through; None if not known.
    """

    def __init__(
        self,
        response: Response,
        *,
        errors: Sequence[str] = (),
        snippet: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.response = response
        self.errors = list(errors)
        self.retry_after = retry_after
        self.wait: float | None = None
        super().__init__(self._describe(snippet))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    @property
    def request(self) -> Request | None:
        """What was asked, without a credential."""
        return self.response.request

    @property
    def request_id(self) -> str | None:
        """The id that the server's support asks for, or None."""
        return self.response.request_id

    def _describe(self, snippet: str) -> str:
        try:
            phrase = f" {HTTPStatus(self.status).phrase}"
        except ValueError:
            phrase = ""
        says = "; ".join(self.errors) or snippet or "no body"
        where = f" ({self.request.method} {self.request.path})" if self.request else ""
        mark = f" [request id {self.request_id}]" if self.request_id else ""
        return f"{self.status}{phrase}{where}: {says}{mark}"


class BadRequest(ResponseError):
    """400: the request is malformed, or a parameter is missing."""


class Unauthorized(ResponseError):
    """401: the credential is unknown, expired or revoked; on Canvas also a missing permission."""


class Forbidden(ResponseError):
    """403: not permitted, or not licensed."""


class NotFound(ResponseError):
    """404 or 410: there is no such thing, or it is not shown to you."""


class Conflict(ResponseError):
    """409: it clashes with what is there."""


class Unprocessable(ResponseError):
    """422: understood and refused; `.errors` tells why."""


class RedirectError(ResponseError):
    """3xx: the server points elsewhere, often to a login page. It was not followed."""


class Throttled(ResponseError):
    """The quota is spent, and the deadline or the Retry-After leaves no time for another try."""


class ServerError(ResponseError):
    """5xx: the server failed.

    Attributes:
        may_have_happened: Whether this was a write whose effect may stand all the same.
    """

    @property
    def may_have_happened(self) -> bool:
        """Whether this was a write whose effect may stand all the same."""
        return self.request is not None and self.request.method not in {"GET", "HEAD"}


class GraphQLError(ResponseError):
    """The answer of a GraphQL query lists errors."""


class DecodeError(Error):
    """The body is not what the model says, or is no JSON.

    Attributes:
        paths: What differs and where, as "expected a list, got 5 @ $.modules[0].items".
        response: The whole answer, or None when a value from elsewhere was converted.
    """

    def __init__(
        self, message: str, *, paths: Sequence[str] = (), response: Response | None = None
    ) -> None:
        super().__init__(f"{message}: {'; '.join(paths[:5])}" if paths else message)
        self.paths = list(paths)
        self.response = response


class IncompleteError(Error):
    """A list changed under us, or its pages do not add up.

    Attributes:
        expected: What was announced.
        got: What came.
    """

    def __init__(self, message: str, *, expected: object = None, got: object = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.got = got


class ProgressFailed(Error):
    """A job that the server works off later failed, was canceled, or did not end in time.

    Attributes:
        progress: What was last seen of it: a Progress of Canvas, a prediction's queue status.
    """

    def __init__(self, message: str, *, progress: Any) -> None:
        super().__init__(message)
        self.progress = progress


class QuotaError(Error):
    """Waiting for the quota would pass the deadline; nothing was sent.

    Attributes:
        wait: Seconds until the call would have been let through, by today's queue.
    """

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


class QueueFull(QuotaError):
    """The queue has as many waiters as it may hold; nothing was sent."""


class SignatureError(Error):
    """A live event that Canvas has not signed."""


class SyncError(Error):
    """A stream could not be synced; what was written stands, and the next run goes on there.

    Attributes:
        stream: The name of the stream.
        checkpoint: The cursor that the next run starts from, or None.
    """

    def __init__(self, message: str, *, stream: str, checkpoint: str | None = None) -> None:
        super().__init__(message)
        self.stream = stream
        self.checkpoint = checkpoint
