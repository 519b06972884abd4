"""Credentials: what they add to a request, how long they are valid, and that they stay hidden."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.auth.credentials import BearerToken, PartnerSignature, sign
from aioinstructure.errors import ConfigurationError
from aioinstructure.wire.message import Request
from aioinstructure.wire.redact import scrub

KEY = "ajk84Hjk93h59skaAJ8732"  # the account in the documentation
NOW = 1_512_566_429.0
REQUEST = Request("GET", "https://ab.test/rest/v4.1/standards?limit=5")


def query_of(credential: PartnerSignature, now: float) -> dict[str, str]:
    url = credential.authorize(REQUEST, now).url
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_the_signature_of_the_documentation() -> None:
    """The only test vector that AB Connect publishes."""
    signature = sign(KEY, 1512570029, method="GET")
    assert signature == "Sdcfa9xgRAUzQnlLik5nKj1ntqdB85jFYyFCkNxwD/M="
    assert sign(KEY, 1512570029, method="get") == signature


def test_trailing_lines_of_the_message_are_omitted() -> None:
    """A signature for everything signs only the expiry, and each line changes it."""
    signed = {
        sign(KEY, 1),
        sign(KEY, 1, "u"),
        sign(KEY, 1, "u", "GET"),
        sign(KEY, 1, "u", "GET", "standards"),
        sign(KEY, 1, "", "GET", "standards"),
    }
    assert len(signed) == 5
    assert sign(KEY, 1, "u", "GET", "Standards") in signed


def test_a_request_is_signed_in_its_query() -> None:
    """After the existing query, percent-encoded; the request itself does not change."""
    ready = PartnerSignature("p id".replace(" ", "-"), KEY, lifetime=3600).authorize(REQUEST, NOW)
    assert ready.url.startswith(f"{REQUEST.url}&partner.id=p-id&auth.signature=")
    assert ready.url.endswith("&auth.expires=1512570029")
    assert quote(sign(KEY, 1512570029), safe="") in ready.url
    assert "auth." not in REQUEST.url
    assert "user.id" not in ready.url


def test_a_request_without_a_query_gets_one() -> None:
    """With a question mark."""
    ready = PartnerSignature("p", KEY).authorize(Request("GET", "https://ab.test/events"), NOW)
    assert ready.url.startswith("https://ab.test/events?partner.id=p&")


def test_the_user_is_signed_and_sent() -> None:
    """The server compares the two."""
    query = query_of(PartnerSignature("p", KEY, "ü 1"), NOW)
    assert query["user.id"] == "ü 1"
    assert query["auth.signature"] == sign(KEY, int(query["auth.expires"]), "ü 1")


@pytest.mark.parametrize(
    ("later", "renewed"),
    [
        (0.0, False),
        (3539.0, False),
        (3540.0, True),  # 60 s before the expiry
        (3600.0, True),
        (1e6, True),
        (-59.0, False),
        (-61.0, True),  # the clock was set back
        (-1e6, True),
    ],
)
def test_a_signature_is_used_until_shortly_before_its_end(later: float, renewed: bool) -> None:
    """It is renewed when the wall clock jumps, in either direction."""
    credential = PartnerSignature("p", KEY)
    before, after = query_of(credential, NOW), query_of(credential, NOW + later)
    assert (before != after) is renewed
    if renewed:
        assert int(after["auth.expires"]) == NOW + later + 3600


@given(
    st.floats(1.0, 1e5),
    st.lists(st.floats(-1e5, 1e5), max_size=5),
)
def test_a_signature_is_always_valid_for_some_time(lifetime: float, jumps: list[float]) -> None:
    """At least `renew` seconds, however the clock jumps."""
    renew = lifetime / 10
    credential = PartnerSignature("p", KEY, lifetime=lifetime, renew=renew)
    now = NOW
    for jump in [0.0, *jumps]:
        now += jump
        left = int(query_of(credential, now)["auth.expires"]) - now
        assert renew * 0.999 <= left <= lifetime + renew + 1


def test_a_refused_signature_is_renewed() -> None:
    """The next one differs, since time has passed."""
    credential = PartnerSignature("p", KEY)
    before = query_of(credential, NOW)
    assert credential.invalidate()
    assert query_of(credential, NOW + 5) != before


def test_a_token_goes_into_the_header() -> None:
    """It replaces an existing one and changes nothing else."""
    request = Request("GET", REQUEST.url, {"Authorization": "Basic x", "accept": "a"})
    ready = BearerToken("t0ken").authorize(request, NOW)
    assert dict(ready.headers) == {"authorization": "Bearer t0ken", "accept": "a"}
    assert ready.url == request.url


async def test_neither_credential_needs_a_refresh() -> None:
    """A token is valid until the server refuses it; a signature is renewed when it is used."""
    token, signature = BearerToken("t"), PartnerSignature("p", KEY)
    for credential in (token, signature):
        assert not credential.needs_refresh(1e12)
        await credential.refresh()
    assert not token.invalidate()


BAD: list[Any] = ["", " ", "\t", "a\nb", "a\r\nX: y", " a", "a ", "é", "a\x00b", None, 5, b"token"]


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_an_invalid_secret_is_refused(value: Any) -> None:
    """Before anything is sent, and without showing it."""
    for make in (
        lambda: BearerToken(value),
        lambda: PartnerSignature(value, KEY),
        lambda: PartnerSignature("p", value),
    ):
        with pytest.raises(
            ConfigurationError, match=r"is missing|must be printable ASCII"
        ) as caught:
            make()
        assert "a\nb" not in str(caught.value)


@pytest.mark.parametrize("user", ["\n", " ", "a\nGET", "a\ud800"])
def test_a_user_that_breaks_the_message_is_refused(user: str) -> None:
    """A line feed would end its line, and sign something else."""
    with pytest.raises(ConfigurationError, match="user_id"):
        PartnerSignature("p", KEY, user)


@pytest.mark.parametrize(("lifetime", "renew"), [(60.0, 60.0), (10.0, 60.0), (10.0, -1.0)])
def test_renew_must_be_less_than_lifetime(lifetime: float, renew: float) -> None:
    """Otherwise each request would be signed again, or never in time."""
    with pytest.raises(ConfigurationError, match="lifetime"):
        PartnerSignature("p", KEY, lifetime=lifetime, renew=renew)


def test_no_repr_shows_a_secret() -> None:
    """Neither before nor after use."""
    token, signature = BearerToken("t0ken-t0ken"), PartnerSignature("p", KEY)
    ready = signature.authorize(REQUEST, NOW)
    text = repr(token) + repr(signature) + repr(token.authorize(REQUEST, NOW)) + repr(ready)
    assert "t0ken" not in text
    assert KEY not in text
    assert query_of(signature, NOW)["auth.signature"][:10] not in text


SECRETS = st.text("abcXYZ0123456789-._~", min_size=8, max_size=40)
NAMES = st.sampled_from(
    ["access_token", "auth.signature", "partner.key", "partner_key", "client_secret", "api_key"]
)
AROUND = st.sampled_from(
    [
        "https://h/x?a=1&{name}={secret}&b=2",
        "/x?{name}={secret}",
        "<a href='/x?{name}={secret}'>",
        "next=%2Fx%3F{name}%3D{secret}%26b",
        '{{"{name}": "{secret}"}}',
        '{{"{name}":"{secret}","b":1}}',
        '"{{\\"{name}\\": \\"{secret}\\"}}"',
        "{{&quot;{name}&quot;:&quot;{secret}&quot;}}",
        "{{'{name}': '{secret}'}}",
        '{{"{name}"=>"{secret}"}}',
        "{name}: {secret}",
        "Authorization: Bearer {secret}",
        "authorization=bearer%20{secret}",
        '{{"Authorization": "Bearer {secret}"}}',
    ]
)


@given(SECRETS, NAMES, AROUND)
def test_scrubbed_text_does_not_contain_the_secret(secret: str, name: str, around: str) -> None:
    """Wherever a server echoes it: URLs, forms, JSON, HTML, a printed dict."""
    text = around.format(name=name, secret=secret)
    assert secret in text
    rest = scrub(text)
    assert secret not in rest or secret in around
    assert "..." in rest


@given(SECRETS, st.dictionaries(st.sampled_from("abc"), st.text()))
def test_scrubbed_json_does_not_contain_the_secret(secret: str, more: dict[str, str]) -> None:
    """Beside any other members, and as text within JSON."""
    body = json.dumps({**more, "access_token": f"{secret}!", "zz": more})
    for text in (body, json.dumps(body), json.dumps({"message": body})):
        assert f"{secret}!" not in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "The specified resource does not exist.",
        "user authorization required",
        'Bearer realm="canvas-lms"',
        "https://h/x?token_count=5",
        "",
    ],
)
def test_harmless_text_is_unchanged(text: str) -> None:
    """So that messages remain readable."""
    assert scrub(text) == text
