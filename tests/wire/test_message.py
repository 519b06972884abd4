"""Request and Response as values."""

from __future__ import annotations

import pytest

from aioinstructure.wire.message import Headers, Request, Response


def test_headers_are_found_in_any_case_and_joined() -> None:
    """Repeated fields are one list (RFC 9110)."""
    headers = Headers([("Link", "<a>"), ("LINK", "<b>"), ("X-Request-Id", "7")])
    assert headers["link"] == headers["Link"] == "<a>, <b>"
    assert "x-REQUEST-id" in headers
    assert list(headers) == ["link", "x-request-id"]
    assert len(headers) == 2
    assert headers == Headers({"link": "<a>, <b>", "x-request-id": "7"})


def test_a_field_is_replaced_in_a_copy() -> None:
    """The original is a value and does not change."""
    headers = Headers({"accept": "a", "x": "1"})
    assert dict(headers.with_field("Accept", "b")) == {"accept": "b", "x": "1"}
    assert headers["accept"] == "a"


def test_the_repr_of_headers_shows_names_only() -> None:
    """One of the values is the credential."""
    assert "secret" not in repr(Headers({"authorization": "Bearer secret"}))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://canvas.test/api/v1/courses?a=b/c", "/api/v1/courses?a=b/c"),
        ("https://canvas.test", "/"),
        ("https://canvas.test?next=/api/v1", "/?next=/api/v1"),
        ("https://canvas.test/?u=https://x/y", "/?u=https://x/y"),
        ("http://[::1]:80/a%2Fb", "/a%2Fb"),
    ],
)
def test_the_path_of_a_request_is_as_sent(url: str, path: str) -> None:
    """With its query, unchanged."""
    assert Request("GET", url).path == path


def test_the_repr_of_a_request_shows_no_credential() -> None:
    """Neither the headers nor the signature in the query; the rest of the query is shown."""
    request = Request(
        "GET",
        "https://ab.test/x?limit=5&partner.id=pp&auth.signature=sssig&auth.expires=99&user.id=uu",
        {"authorization": "Bearer tttoken"},
        b"bbbody",
    )
    text = repr(request)
    assert "limit=5" in text
    for secret in ("=pp", "sssig", "=99", "=uu", "tttoken", "bbbody"):
        assert secret not in text


def test_a_response_shows_its_size_and_not_its_body() -> None:
    """Bodies contain personal data."""
    assert repr(Response(200, body=b"12345")) == "Response(status=200, body=<5 bytes>)"


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"X-Request-Context-Id": "a", "X-Request-Id": "b"}, "a"),
        ({"x-request-id": "b"}, "b"),
        ({"x-amzn-RequestId": "c"}, "c"),
        ({"x-request-context-id": ""}, None),
        ({}, None),
    ],
)
def test_the_request_id_of_either_service(headers: dict[str, str], request_id: str | None) -> None:
    """The id of Canvas precedes the one of the load balancer."""
    assert Response(200, headers).request_id == request_id


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.25", 0.25), ("699", 699.0), ("nan", None), ("inf", None), ("", None), ("much", None)],
)
def test_the_numbers_of_the_quota(text: str, number: float | None) -> None:
    """An invalid value is None: the quota must not believe it."""
    response = Response(200, {"X-Request-Cost": text, "X-Rate-Limit-Remaining": text})
    assert response.request_cost == number
    assert response.rate_limit_remaining == number
    assert Response(200).request_cost is None


def test_text_that_is_not_utf8_is_replaced() -> None:
    """It is used in messages."""
    assert Response(500, body=b"caf\xe9").text == "caf\ufffd"
