"""The meaning of responses, and which errors may be retried."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure import errors
from aioinstructure.errors import (
    BadRequest,
    Conflict,
    ConnectError,
    DeadlineError,
    Error,
    Forbidden,
    InputError,
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
from aioinstructure.transport.retry import RetryPolicy
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.quota_report import QuotaReport, is_throttled
from aioinstructure.wire.responses import (
    denial_of,
    error_messages,
    is_credential_error,
    no_response_error,
    raise_for_status,
    refused_part,
)

NOW = 1_767_225_600.0  # 1 January 2026
GET = Request("GET", "https://canvas.test/api/v1/courses/5?include=term")
POST = Request("POST", "https://canvas.test/api/v1/courses", idempotent=False)
JSON = {"content-type": "application/json; charset=utf-8"}


def response_of(
    status: int, body: Any = None, headers: dict[str, str] | None = None, *, request: Request = GET
) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {**JSON, **(headers or {})}, raw, request)


def error_of(response: Response, request: Request = GET) -> ResponseError:
    with pytest.raises(ResponseError) as caught:
        raise_for_status(request, response, now=NOW)
    return caught.value


MISSING = "The specified resource does not exist."
SHAPES: list[tuple[int, Any, type[ResponseError], list[str]]] = [
    # Canvas: exceptions that become JSON
    (404, {"errors": [{"message": MISSING}]}, NotFound, [MISSING]),
    (
        401,
        {"errors": [{"message": "Invalid access token."}]},
        Unauthorized,
        ["Invalid access token."],
    ),
    (
        401,
        {"errors": [{"message": "Expired access token.", "expired_at": "2026-01-01T00:00:00Z"}]},
        Unauthorized,
        ["Expired access token."],
    ),
    (
        400,
        {"errors": [{"message": "course_pace is missing"}]},
        BadRequest,
        ["course_pace is missing"],
    ),
    (
        422,
        {"errors": [{"field": "name", "message": "is too long", "error_code": "too_long"}]},
        Unprocessable,
        ["name: is too long"],
    ),
    (
        422,
        {"errors": [{"field": None, "message": "no", "error_code": "x"}], "error_report_id": 7},
        Unprocessable,
        ["no"],
    ),
    (
        500,
        {"errors": [{"message": "An error occurred.", "error_code": "internal_server_error"}]},
        ServerError,
        ["An error occurred."],
    ),
    (404, {"status": "not_found", "message": MISSING, "error_report_id": 1}, NotFound, [MISSING]),
    # Canvas: rendered by controllers
    (
        400,
        {"errors": {"name": [{"attribute": "name", "type": "blank", "message": "can't be blank"}]}},
        BadRequest,
        ["name: can't be blank"],
    ),
    (
        400,
        {"errors": {"base": ["a", "b"], "title": "is blank", "url": [{"message": "is bad"}]}},
        BadRequest,
        ["a", "b", "title: is blank", "url: is bad"],
    ),
    (400, {"errors": ["one", "two", "one"]}, BadRequest, ["one", "two"]),
    (422, {"success": False, "errors": ["not so"]}, Unprocessable, ["not so"]),
    (
        422,
        {"success": False, "errors": "You cannot delete the default course pace."},
        Unprocessable,
        ["You cannot delete the default course pace."],
    ),
    (
        401,
        {"errors": "Invalid as_user_id", "merged_into_user_id": 5},
        Unauthorized,
        ["Invalid as_user_id"],
    ),
    (
        409,
        {"message": "write conflict for custom_data hash"},
        Conflict,
        ["write conflict for custom_data hash"],
    ),
    (403, {"error": "cannot generate a JWT"}, Forbidden, ["cannot generate a JWT"]),
    (
        400,
        {"error": "invalid_grant", "error_description": "refresh_token not found"},
        BadRequest,
        ["refresh_token not found"],
    ),
    (
        500,
        {"errors": {"base": "Unexpected error, ID: 123"}, "status": "500 Internal Server Error"},
        ServerError,
        ["Unexpected error, ID: 123"],
    ),
    # Canvas: not permitted, not logged in
    (
        403,
        {"status": "unauthorized", "errors": [{"message": "user not authorized"}]},
        Forbidden,
        ["user not authorized"],
    ),
    # AB Connect
    (
        401,
        {
            "errors": [
                {"status": "401", "title": "Unauthorized", "detail": "Signature is not authorized."}
            ]
        },
        Unauthorized,
        ["Signature is not authorized."],
    ),
    (
        404,
        {"errors": [{"status": "404", "title": "Not Found", "detail": None}]},
        NotFound,
        ["Not Found"],
    ),
    (
        400,
        {
            "errors": [
                {
                    "status": "400",
                    "title": "Bad",
                    "detail": "bad name",
                    "source": {"parameter": "filter[standards]"},
                }
            ]
        },
        BadRequest,
        ["filter[standards]: bad name"],
    ),
    (
        400,
        {
            "errors": [
                {
                    "status": "400",
                    "detail": "blank",
                    "source": {"pointer": "/data/attributes/title"},
                }
            ]
        },
        BadRequest,
        ["/data/attributes/title: blank"],
    ),
    # neither service
    (400, "just text", BadRequest, ["just text"]),
    (400, ["a", {"message": "b"}], BadRequest, ["a", "b"]),
    (400, {"errors": None, "message": "m"}, BadRequest, ["m"]),
    (400, {"errors": [None, 5, [], {}]}, BadRequest, []),
    (410, {}, NotFound, []),
    (418, 5, BadRequest, []),
    (503, None, ServerError, []),
    (600, None, ServerError, []),
]


@pytest.mark.parametrize(("status", "body", "kind", "messages"), SHAPES)
def test_every_shape_of_error_is_read(
    status: int, body: Any, kind: type[ResponseError], messages: list[str]
) -> None:
    """The status decides the class; each message appears once, in order, with its field."""
    error = error_of(response_of(status, body))
    assert type(error) is kind
    assert error.errors == messages
    assert error.status == status
    assert error.request is GET
    assert all(message in str(error) for message in messages)
    assert "GET /api/v1/courses/5" in str(error)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_successful_response_is_returned(status: int) -> None:
    """Unchanged."""
    response = response_of(status)
    assert raise_for_status(GET, response, now=NOW) is response


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>" + b"x" * 500, "<html>" + "x" * 191 + "..."),
        (b"", "no body"),
        (b"  \n ", "no body"),
        (b"a\r\n\r\n  b", "a b"),
        (b'{"a": 1}', '{"a": 1}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"{", "{"),
    ],
)
def test_a_body_without_messages_is_shown_in_part(body: bytes, shown: str) -> None:
    """HTML or an empty body: its beginning, the status and the request id."""
    headers = {"content-type": "text/html", "x-request-context-id": "abc-123"}
    error = error_of(Response(502, headers, body, GET))
    assert error.errors == []
    assert error.request_id == "abc-123"
    assert str(error) == f"502 Bad Gateway (GET {GET.path}): {shown} [request id abc-123]"


def test_a_credential_in_a_body_is_not_shown() -> None:
    """Even if the shown part would end inside of it."""
    secret = "1234567890abcdef"
    for filler in range(150, 210):
        body = f"{'x' * filler} Bearer {secret} access_token={secret}".encode()
        text = str(error_of(Response(500, {}, body, GET)))
        assert secret[:4] not in text
    assert secret not in str(error_of(response_of(400, {"message": f"bad ?access_token={secret}"})))


# --- throttles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "body", "refused"),
    [
        (429, "application/json", b"{}", True),
        (429, "text/html", b"", True),
        (403, "text/html", b"403 Forbidden (Rate Limit Exceeded)\n", True),
        (403, "", b"403 Forbidden (Rate Limit Exceeded)\n", True),
        (403, "application/json", b'{"message": "Rate Limit Exceeded"}', False),
        (403, "Application/JSON", b'{"message": "Rate Limit Exceeded"}', False),
        (403, "text/html", b"<html>Forbidden", False),
        (403, "text/html", b"", False),
        (200, "text/html", b"Rate Limit Exceeded", False),
        (503, "text/html", b"Rate Limit Exceeded", False),
    ],
)
def test_a_throttle_is_distinguished_from_a_missing_permission(
    status: int, kind: str, body: bytes, refused: bool
) -> None:
    """429 is always a throttle, 403 only with its text, and never in JSON."""
    response = Response(status, {"content-type": kind}, body, GET)
    assert is_throttled(response) is refused
    if status >= 400:
        assert isinstance(error_of(response), Throttled) is refused


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 01:01:00 +0100", 60.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", 1e9),
        ("9" * 20, 1e20),
        ("²", None),
        ("9" * 400, None),
        ("1.2.3", None),
        ("Thu, 01 Jan 2026 00:00:99999999999999999999 GMT", None),
        ("Thu, 99 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_retry_after_in_both_forms_and_invalid(text: str, seconds: float | None) -> None:
    """Seconds or a date; an invalid value is None."""
    response = Response(429, {"Retry-After": text})
    assert QuotaReport.of(response.headers, NOW).retry_after == seconds
    assert error_of(Response(429, {"Retry-After": text}, b"", GET)).retry_after == seconds


@given(st.one_of(st.text(), st.text("0123456789 .:,+-JanThuGMT")))
def test_no_retry_after_breaks_the_client(text: str) -> None:
    """It is a finite number of seconds, 0 or more, or None."""
    seconds = QuotaReport.of(Headers({"retry-after": text}), NOW).retry_after
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


# --- redirects ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/login",
        "//evil.test",
        "http://canvas.test/x",
        "HTTPS://EVIL.TEST",
        "https://canvas.test@evil.test/",
    ],
)
def test_a_redirect_to_another_origin_is_an_origin_error(location: str) -> None:
    """Nothing is sent there, and the message names both origins."""
    with pytest.raises(OriginError, match=r"from https://canvas\.test to ") as caught:
        raise_for_status(GET, Response(302, {"location": location}, b"", GET), now=NOW)
    assert "nothing was sent" in str(caught.value)


@pytest.mark.parametrize(
    "location",
    ["https://canvas.test/login", "/login", "?x", "", "https://[", "javascript:x", "\x00"],
)
def test_a_redirect_within_the_origin_is_not_followed(location: str) -> None:
    """Usually to a login page."""
    assert type(error_of(Response(302, {"location": location}, b"", GET))) is RedirectError


# --- what may be retried ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "read", "write"),
    [
        (lambda: ConnectError("x"), True, True),
        (lambda: TransportError("x"), True, False),
        (lambda: DeadlineError("x"), True, False),
        (lambda: UnknownOutcome("x"), False, False),
        (lambda: ServerError(Response(500)), True, False),
        (lambda: ServerError(Response(502)), True, False),
        (lambda: ServerError(Response(501)), False, False),
        (lambda: BadRequest(Response(408)), True, False),
        (lambda: BadRequest(Response(400)), False, False),
        (lambda: NotFound(Response(404)), False, False),
        (lambda: InputError("x"), False, False),
    ],
)
def test_which_errors_may_be_retried(make: Callable[[], Error], read: bool, write: bool) -> None:
    """Always if certainly not sent; a read also without a response or after a server error."""
    policy = RetryPolicy()
    assert policy.may_retry(make(), GET) is read
    assert policy.may_retry(make(), POST) is write


@pytest.mark.parametrize(
    ("response", "blamed"),
    [
        (response_of(401, {}, {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}), True),
        (
            response_of(401, {"errors": [{"message": "Insufficient scopes on access token."}]}),
            False,
        ),
        (
            response_of(
                401, {"errors": [{"status": "401", "detail": "Signature is not authorized."}]}
            ),
            True,
        ),
        (response_of(401, {"errors": [{"message": "Invalid access token."}]}), True),
        (response_of(403, {}, {"WWW-Authenticate": "Bearer"}), False),
    ],
)
def test_a_401_is_about_the_credential_or_a_permission(response: Response, blamed: bool) -> None:
    """Only the first is worth another signature."""
    assert is_credential_error(error_of(response)) is blamed
    assert not is_credential_error(ConnectError("x"))


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
DENIED = "user not authorized to perform that action"
NO_OBJECT: dict[str, Any] = {"errors": [{"message": "The specified resource does not exist."}]}
NO_RIGHT: dict[str, Any] = {"status": "unauthorized", "errors": [{"message": DENIED}]}


def said(message: str, **more: Any) -> dict[str, Any]:
    return {**more, "errors": [{"message": message}]}


@pytest.mark.parametrize(
    ("response", "part"),
    [
        (response_of(401, said("Invalid access token."), CHALLENGE), "token"),
        (response_of(401, said("Invalid access token.")), "token"),
        (response_of(401, said("Expired access token.")), "token"),
        (response_of(401, said("Revoked access token.")), "token"),
        (response_of(401, said("user authorization required", status="unauthenticated")), "token"),
        (response_of(401, b"", CHALLENGE), "token"),
        (response_of(401, NO_RIGHT, CHALLENGE), "token"),
        (response_of(401, {"errors": [{"detail": "Signature is not authorized."}]}), "token"),
        (response_of(401, said("Insufficient scopes on access token.")), "scope"),
        (response_of(401, NO_RIGHT), "right"),
        (response_of(401, {**NO_RIGHT, "error_report_id": 5}), "right"),
        (response_of(401, said("usuario no autorizado", status="unauthorized")), "right"),
        (response_of(401, said("user not authorised", status="unauthorised")), "right"),
        (response_of(401, said("Invalid access token.", status="unauthorized")), "token"),
        (response_of(401, said(f"{DENIED} until verifying email", status="unverified")), None),
        (response_of(401, {"errors": "Invalid as_user_id"}), None),
        (response_of(401, {"status": "unauthorized"}), None),
        (response_of(401, {"status": "unauthorized", "errors": DENIED}), None),
        (response_of(401, {"status": "unauthorized", "errors": []}), None),
        (response_of(401, {"status": "unauthorized", "errors": [{"message": 5}]}), None),
        (response_of(401, {"message": DENIED}), None),
        (response_of(401, [DENIED]), None),
        (response_of(401, DENIED.encode()), None),
        (response_of(401, b""), None),
    ],
)
def test_unauthorized_says_what_was_refused(response: Response, part: str | None) -> None:
    """The token, its scope or the user's right; None if the body does not say it."""
    error = error_of(response)
    assert isinstance(error, Unauthorized)
    assert error.refused == part
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - ours
        assert same.refused == part


@pytest.mark.parametrize(
    ("response", "part"),
    [
        (response_of(403, NO_RIGHT), "right"),
        (response_of(403, NO_RIGHT, CHALLENGE), None),
        (response_of(403, said("Invalid access token.")), None),
        (response_of(403, said("Insufficient scopes on access token.")), None),
        (response_of(404, NO_RIGHT), None),
        (response_of(500, NO_RIGHT), None),
    ],
)
def test_a_missing_right_may_have_the_status_403(response: Response, part: str | None) -> None:
    """As on newer versions of Canvas; a token is refused with 401 only."""
    assert refused_part(response) == part


@pytest.mark.parametrize(
    ("response", "denial"),
    [
        (response_of(401, NO_RIGHT), "the user is not authorized"),
        (response_of(403, NO_RIGHT), "the user is not authorized"),
        (response_of(404, NO_OBJECT), "the resource does not exist"),
        (response_of(404, {**NO_OBJECT, "error_report_id": 5}), "the resource does not exist"),
        (
            response_of(
                404, {"errors": [{"message": "An error occurred.", "error_code": "not_found"}]}
            ),
            "the resource does not exist",
        ),
        (response_of(404, {"errors": [{"error_code": "not_found"}]}), None),
        (response_of(404, {**NO_OBJECT, "service": "gateway"}), None),
        (response_of(404, {"errors": NO_OBJECT["errors"] * 2}), None),
        (response_of(404, {"errors": [{"status": "404", "title": "Not Found"}]}), None),
        (response_of(404, {"message": "no Route matched with those values"}), None),
        (response_of(404, b"<html>Not Found</html>"), None),
        (response_of(404, b""), None),
        (response_of(404, NO_RIGHT), None),
        (response_of(401, NO_OBJECT), None),
        (response_of(403, NO_OBJECT), None),
        (response_of(410, NO_OBJECT), None),
        (response_of(503, NO_OBJECT), None),
        (response_of(401, said("Invalid access token.")), None),
        (response_of(401, said("Insufficient scopes on access token.")), None),
        (
            response_of(
                403, {"errors": [{"message": "An error occurred.", "error_code": "forbidden"}]}
            ),
            None,
        ),
        (response_of(403, {"message": "Rate Limit Exceeded"}), None),
        (response_of(403, b"403 Forbidden (Rate Limit Exceeded)\n"), None),
    ],
)
def test_only_canvas_can_say_that_there_is_nothing(response: Response, denial: str | None) -> None:
    """A status proves nothing without the body of Canvas, and a body nothing with another status."""
    assert denial_of(response) == denial


STATUSES = st.sampled_from([401, 403, 404, 410, 429, 500, 503])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "message", "status", "error", "detail"]) | st.text(), inner
        )
    ),
)


@given(STATUSES, st.text() | st.binary())
def test_no_other_text_proves_that_there_is_nothing(status: int, body: str | bytes) -> None:
    """Whatever the body is."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    assert denial_of(response_of(status, raw)) is None


@given(STATUSES, VALUES)
def test_no_other_json_proves_that_there_is_nothing(status: int, body: Any) -> None:
    """Whatever its members are."""
    assert denial_of(response_of(status, body)) is None


@given(STATUSES, st.sampled_from([NO_RIGHT, NO_OBJECT]), st.text(), st.text())
def test_a_text_that_quotes_canvas_proves_nothing(
    status: int, body: Any, before: str, after: str
) -> None:
    """The body must be Canvas's own: not part of a page, and no longer message."""
    quoted = f"<p>{before}{json.dumps(body)}{after}".encode("utf-8", "replace")
    assert denial_of(response_of(status, quoted)) is None
    (error,) = body["errors"]
    longer = said(f"{before}{error['message']}{after}x")
    assert denial_of(response_of(status, longer)) is None


def test_no_response_is_another_error_for_a_write() -> None:
    """A read has failed, a write may have taken effect; neither message shows the query."""
    read, write = no_response_error(GET, "reset"), no_response_error(POST, "reset")
    assert type(read) is TransportError
    assert type(write) is UnknownOutcome
    assert str(read) == "no complete response: GET /api/v1/courses/5: reset"
    assert write.request is POST


def test_a_failed_write_may_have_happened() -> None:
    """A failed read has no effect."""
    assert error_of(response_of(500, request=POST), POST).may_have_happened
    assert not error_of(response_of(500)).may_have_happened


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["errors", "error", "message", "detail", "title", "field", "source", "status"]
            ),
            inner,
        )
    ),
)


@given(
    st.integers(0, 999).filter(lambda status: not 200 <= status < 300),
    st.one_of(st.binary(), ANY_JSON.map(lambda body: json.dumps(body).encode())),
    st.dictionaries(st.sampled_from(["content-type", "retry-after", "location"]), st.text()),
)
def test_any_error_response_becomes_an_error(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    """The parser never fails itself, whatever the bytes."""
    response = Response(status, headers, body, GET)
    with pytest.raises((ResponseError, OriginError, TransportError)) as caught:
        raise_for_status(GET, response, now=NOW)
    assert isinstance(caught.value, TransportError) == (status < 200 or status == 407)
    assert str(caught.value)
    assert all(isinstance(message, str) and message for message in error_messages(response))


@pytest.mark.parametrize("unit", [("[", "]"), ('{"errors":', "}"), ('[{"a":', "}]")])
def test_deeply_nested_bodies_are_read(unit: tuple[str, str]) -> None:
    """Hundreds of levels can be parsed, but exceed Python's recursion limit."""
    opened, closed = unit
    body = f'{{"errors":{opened * 400}1{closed * 400}}}'.encode()
    assert error_messages(Response(400, JSON, body)) == []


def test_all_response_errors_are_reachable_by_status() -> None:
    """Except GraphQLError, which is raised elsewhere."""
    kinds = {kind for _, _, kind, _ in SHAPES} | {Throttled, RedirectError}
    known = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ResponseError)
    }
    assert known - kinds == {ResponseError, errors.GraphQLError}
