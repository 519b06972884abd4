"""The tree of errors is the documented one, and no error shows a credential."""

from __future__ import annotations

import copy
import math
import pickle
import traceback

import pytest

from aioinstructure import errors
from aioinstructure.canvas.progress import Progress
from aioinstructure.errors import (
    ConfigurationError,
    ConnectError,
    DeadlineError,
    DeadlineExceeded,
    DecodeError,
    Error,
    IncompleteError,
    InputError,
    NotFound,
    ProgressFailed,
    QueueFull,
    QuotaError,
    ResponseError,
    ServerError,
    SyncError,
    Throttled,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.wire.message import Request, Response

TREE = {
    "ConfigurationError": "Error",
    "InputError": "Error",
    "OriginError": "Error",
    "ClientClosed": "Error",
    "TransportError": "Error",
    "ConnectError": "TransportError",
    "DeadlineError": "TransportError",
    "UnknownOutcome": "TransportError",
    "ResponseError": "Error",
    "BadRequest": "ResponseError",
    "Unauthorized": "ResponseError",
    "Forbidden": "ResponseError",
    "NotFound": "ResponseError",
    "Conflict": "ResponseError",
    "Unprocessable": "ResponseError",
    "RedirectError": "ResponseError",
    "Throttled": "ResponseError",
    "ServerError": "ResponseError",
    "GraphQLError": "ResponseError",
    "DecodeError": "Error",
    "IncompleteError": "Error",
    "ProgressFailed": "Error",
    "DeadlineExceeded": "Error",
    "QuotaError": "DeadlineExceeded",
    "QueueFull": "Error",
    "SignatureError": "Error",
    "SyncError": "Error",
}

REQUEST = Request(
    "PUT", "https://canvas.test/api/v1/courses/5?a=1", {"authorization": "Bearer t0ken"}
)
RESPONSE = Response(404, {"x-request-context-id": "r-1"}, b"{}", REQUEST)


def test_the_tree_is_the_documented_one() -> None:
    """Names and parents, no more and no less."""
    found = {
        name: kind.__bases__[0].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Error) and kind is not Error
    }
    assert found == TREE
    assert {*TREE, "Error"} == set(errors.__all__)


def test_bad_input_is_also_a_value_error() -> None:
    """As raised by Python's own functions."""
    assert InputError.__bases__ == (Error, ValueError)


def test_every_missed_deadline_is_a_timeout() -> None:
    """And so an OSError; a full queue is none."""
    for error in (QuotaError("x", wait=1.0), DeadlineError("x")):
        assert isinstance(error, DeadlineExceeded)
        assert isinstance(error, TimeoutError)
        assert isinstance(error, OSError)
    assert isinstance(DeadlineError("x"), TransportError)
    assert not isinstance(QueueFull("x", wait=1.0), DeadlineExceeded)


@pytest.mark.parametrize(
    ("wait", "header"), [(None, "1"), (0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (90.0, "90")]
)
def test_the_wait_as_a_header(wait: float | None, header: str) -> None:
    """Whole seconds, rounded up, at least 1: 0 would ask for an immediate repetition."""
    error = DeadlineError("x")
    error.wait = wait
    assert error.retry_after_header == header
    assert QuotaError("x", wait=math.inf).retry_after_header.isdigit()


@pytest.mark.parametrize(
    "error",
    [
        Throttled(RESPONSE, errors=["slow"], retry_after=3.0),
        ServerError(RESPONSE),
        ConnectError("no", request=REQUEST),
        UnknownOutcome("lost", request=REQUEST),
        ConfigurationError("x"),
    ],
    ids=repr,
)
def test_an_error_that_ends_a_deadline_is_also_a_missed_deadline(error: Error) -> None:
    """It keeps its class, message and attributes, also in a copy and a pickle."""
    ended = error.ending_deadline()
    assert not isinstance(error, DeadlineExceeded)
    for each in (ended, copy.copy(ended), pickle.loads(pickle.dumps(ended))):  # noqa: S301 - pickled here
        assert isinstance(each, type(error))
        assert isinstance(each, DeadlineExceeded)
        assert isinstance(each, TimeoutError)
        assert (str(each), repr(each), each.args) == (str(error), repr(error), error.args)
        assert vars(each) == vars(error)
        assert type(each) is type(ended)
    assert ended.ending_deadline() is ended
    line = traceback.format_exception_only(ended)[-1]
    assert line.startswith(f"aioinstructure.{type(error).__name__}: ")


def test_a_response_error_shows_the_request() -> None:
    """Status, method, path and request id; never the headers."""
    error = NotFound(RESPONSE, errors=["gone", "really"], retry_after=3.0)
    assert str(error) == "404 Not Found (PUT /api/v1/courses/5?a=1): gone; really [request id r-1]"
    assert (error.status, error.request, error.request_id) == (404, REQUEST, "r-1")
    assert (error.errors, error.retry_after, error.wait) == (["gone", "really"], 3.0, None)
    assert "t0ken" not in repr(error) + str(error)


def test_a_response_without_a_request_is_described() -> None:
    """A status without a name, no request, no body."""
    assert str(ServerError(Response(599))) == "599: no body"
    assert not ServerError(Response(599)).may_have_happened


METHODS = {"GET": False, "HEAD": False, "OPTIONS": False, "TRACE": False} | dict.fromkeys(
    ["POST", "PUT", "PATCH", "DELETE"], True
)


@pytest.mark.parametrize(("method", "may"), METHODS.items())
def test_a_write_without_a_clear_answer_may_have_happened(method: str, may: bool) -> None:
    """5xx, 408 and no response leave it open; a read has no effect."""
    request = Request(method, "https://h/")
    for status in (500, 503, 599, 408):
        assert ResponseError(Response(status, request=request)).may_have_happened is may
    for kind in (TransportError, DeadlineError):
        assert kind("cut off", request=request).may_have_happened is may


def test_a_refused_or_unsent_write_has_not_happened() -> None:
    """The server said no, or was not reached; an error without a request says nothing."""
    for status in (200, 302, 400, 401, 403, 404, 409, 422, 429):
        assert not ResponseError(Response(status, request=REQUEST)).may_have_happened
    assert not ConnectError("refused", request=REQUEST).may_have_happened
    assert not TransportError("cut off").may_have_happened


def test_a_request_that_must_not_be_repeated_is_a_write() -> None:
    """Whatever its method: its caller says that it has an effect."""
    request = Request("GET", "https://h/", idempotent=False)
    assert TransportError("cut off", request=request).may_have_happened
    assert ServerError(Response(500, request=request)).may_have_happened


def test_an_earlier_attempt_is_recorded() -> None:
    """It is the same error, and it says that the write may have happened."""
    for error in (NotFound(RESPONSE), TransportError("x"), ConnectError("x", request=REQUEST)):
        assert not error.may_have_happened
        assert error.with_earlier_attempt() is error
        assert error.may_have_happened


def test_a_decode_error_shows_the_first_paths() -> None:
    """All are kept, five are shown."""
    error = DecodeError("not a valid Course", paths=[f"bad @ $.{n}" for n in "abcdefg"])
    assert str(error).startswith("not a valid Course: bad @ $.a; ")
    assert "$.f" not in str(error)
    assert len(error.paths) == 7
    assert str(DecodeError("not JSON")) == "not JSON"


EVERY = [
    InputError("x"),
    NotFound(RESPONSE, errors=["gone"]),
    NotFound(RESPONSE).with_earlier_attempt(),
    UnknownOutcome("x", request=REQUEST, wait=2.0),
    TransportError("x"),
    DecodeError("x", paths=["a @ $"], response=RESPONSE),
    IncompleteError("x", expected=5, got=[4]),
    ProgressFailed("x", progress=Progress(id=5)),
    QuotaError("x", wait=1.5),
    QueueFull("x", wait=0.0),
    SyncError("x", stream="events", checkpoint="c"),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("copied", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - pickled here
def test_errors_cross_processes(error: Error, copied: object) -> None:
    """A process pool hangs on an error that cannot be unpickled."""
    assert callable(copied)
    again = copied(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_all_response_errors_have_one_base() -> None:
    """Callers can catch one base class for every error response."""
    kinds = [getattr(errors, name) for name, parent in TREE.items() if parent == "ResponseError"]
    assert all(isinstance(kind(RESPONSE), ResponseError) for kind in kinds)
