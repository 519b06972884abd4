"""What a server says is shown as text: one printable line, bounded, without credentials."""

from __future__ import annotations

import json
import pickle
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure._text import LONGEST, one_line
from aioinstructure.canvas.courses import Course
from aioinstructure.conversion.converter import shared_converter
from aioinstructure.errors import (
    BadRequest,
    DecodeError,
    Error,
    IncompleteError,
    OriginError,
    ResponseError,
)
from aioinstructure.wire.links import next_by_header
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.redact import shown
from aioinstructure.wire.responses import decoded_json, no_response_error, raise_for_status
from tests.counting import counted_calls

GET = Request("GET", "https://canvas.test/api/v1/courses?include=term")
HOSTILE = "a\u001b[31m\u202e b\u0007\u0085c"
TEXT = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\n\r\x1b\x85\u2028\u202e\ud800")
)


def error_of(response: Response) -> Error:
    with pytest.raises(Error) as caught:
        raise_for_status(GET, response, now=0.0)
    return caught.value


def check(error: Error, limit: int = LONGEST) -> None:
    """The text of an error can be printed, encoded and pickled."""
    assert str(error).isprintable()
    assert len(str(error)) <= limit
    str(error).encode()  # lone surrogates cannot be encoded
    assert repr(error).isprintable()
    assert len(repr(error)) <= 2 * limit + 100  # a repr doubles backslashes
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled here
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def body_of(*messages: str) -> bytes:
    return json.dumps({"errors": [{"message": message} for message in messages]}).encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("", ""),
        ("two  blanks stay", "two  blanks stay"),
        ("Schüler\u4e16", "Schüler\u4e16"),
        ("a\r\n  b\n\n\u2028c\n", "a b c"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eb\u200f", "\\u202eb\\u200f"),
        ("\udcff", "\\udcff"),
        ("\U000e0001", "\\U000e0001"),
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 17 + "..."),
        ("\x00" * 20, "\\x00\\x00\\x00\\x00\\..."),
    ],
)
def test_text_becomes_one_line(text: str, line: str) -> None:
    """Lines are joined, what cannot be printed is escaped, and a cut is visible."""
    assert one_line(text, 20) == line


@given(TEXT, st.integers(3, 50))
def test_any_text_is_printable_and_bounded(text: str, limit: int) -> None:
    """Printable text that is short enough is unchanged; a second pass changes nothing."""
    line = one_line(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    assert one_line(line, limit) == line
    if text.isprintable() and len(text) <= limit:
        assert line == text


def test_a_credential_is_removed_before_the_text_is_escaped_and_cut() -> None:
    """An escape, or a cut in the middle of a token, would hide it from the search."""
    token = "s3cret" * 10
    assert "s3cr" not in shown(f"access_token={token[:7]}\x1b{token}", 200)
    assert "s3cr" not in shown(f"{'x' * 30} Bearer {token}", 40)


def test_the_work_for_long_text_is_bounded() -> None:
    """Only what can be shown is looked at."""
    counts: list[int] = []
    for size in (10_000, 1_000_000):
        with counted_calls() as count:
            one_line("\x1b" * size, 100)
        counts.append(count.calls)
    assert counts[0] == counts[1] < 1_000


def test_16000_messages_are_counted_and_ten_are_shown() -> None:
    """The error lists ten messages, keeps a hundred, and says how many there are besides."""
    response = Response(400, {}, body_of(*(f"field {n} is wrong" for n in range(16_000))), GET)
    error = error_of(response)
    assert isinstance(error, BadRequest)
    assert str(error).endswith("field 8 is wrong; field 9 is wrong; and 15,990 more")
    assert "field 10 " not in str(error)
    assert error.errors == [f"field {n} is wrong" for n in range(100)]
    assert error.more_errors == 15_900
    check(error)


def test_the_work_for_further_messages_is_small() -> None:
    """Messages that are only counted are not searched for credentials or compared in turn."""
    found: list[int] = []
    for size in (1_000, 16_000):
        response = Response(400, {}, body_of(*(f"field {n} is wrong" for n in range(size))), GET)
        with counted_calls() as count:
            error_of(response)
        found.append(count.calls)
    assert found[1] - found[0] < 15_000 * 20


def test_long_messages_leave_room_for_the_count_and_the_request_id() -> None:
    """The end of the text survives messages, paths and ids of any length."""
    headers = {"x-request-context-id": "i" * 60_000}
    request = Request("GET", f"https://canvas.test/{'p' * 9_000}")
    messages = {"f" * 60_000: [f"{n} {'m' * 5_000}" for n in range(200)], "g": ["n" * 5_000] * 3}
    response = Response(400, headers, orjson.dumps({"errors": messages}), request)
    error = error_of(response)
    assert isinstance(error, ResponseError)
    assert "; and 191 more [request id iii" in str(error)
    assert str(error).endswith("i...]")
    assert all(len(message) <= 500 for message in error.errors)
    check(error)


def test_repeated_messages_count_once() -> None:
    """Different texts that are shown alike are one message."""
    error = error_of(Response(400, {}, body_of("a b", "a  b", "a\nb", "c", "c", " "), GET))
    assert isinstance(error, ResponseError)
    assert (error.errors, error.more_errors) == (["a b", "c"], 0)


def test_a_hostile_message_is_shown_escaped() -> None:
    """No terminal control and no change of direction; a line end is a blank."""
    error = error_of(Response(400, {}, body_of(HOSTILE), GET))
    assert str(error).endswith(r": a\x1b[31m\u202e b\x07 c")
    check(error)


@pytest.mark.parametrize("request_id", ["\udcff\x1b[2J", "r" * 60_000])
def test_a_hostile_request_id_is_shown_escaped(request_id: str) -> None:
    """Bytes that are not UTF-8 arrive as lone surrogates; `.request_id` is as it was sent."""
    error = error_of(Response(500, {"x-request-context-id": request_id}, b"", GET))
    assert isinstance(error, ResponseError)
    assert error.request_id == request_id
    check(error, 500)


def test_the_error_of_a_redirect_is_bounded() -> None:
    """The host of another origin is a text of the server."""
    error = error_of(Response(302, {"location": f"https://{'h' * 60_000}.test/"}, b"", GET))
    assert isinstance(error, OriginError)
    assert str(error).endswith(": nothing was sent there")
    check(error, 500)


@given(status=st.sampled_from([302, 400, 401, 403, 404, 409, 422, 429, 500, 599]), body=st.data())
def test_any_error_response_gives_printable_text(status: int, body: st.DataObject) -> None:
    """Any text in the body, in a header and in a message of JSON."""
    tree: st.SearchStrategy[Any] = st.recursive(
        TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT | st.just("message"), inner)
    )
    content = body.draw(
        st.binary()
        | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))
        | st.fixed_dictionaries({"errors": tree}).map(lambda value: json.dumps(value).encode())
        | TEXT.map(lambda text: json.dumps({"message": text}, ensure_ascii=True).encode())
    )
    names = ["x-request-context-id", "content-type", "www-authenticate", "location", "retry-after"]
    headers = body.draw(st.dictionaries(st.sampled_from(names) | TEXT, TEXT))
    response = Response(status, headers, content, GET)
    error = error_of(response)
    check(error)
    assert repr(response).isprintable()
    assert repr(response.headers).isprintable()


@given(TEXT, TEXT)
def test_any_other_error_has_printable_text(one: str, two: str) -> None:
    """Errors that quote a value, a content type or the reason of a failure."""
    check(DecodeError("not a valid Course", paths=[one, two]))
    check(IncompleteError(one))
    check(no_response_error(GET, one))
    with pytest.raises(DecodeError) as caught:
        decoded_json(Response(200, {"content-type": one}, b"<", GET))
    check(caught.value)


@given(st.dictionaries(TEXT, TEXT, min_size=1))
def test_a_value_that_does_not_fit_is_quoted_as_text(value: dict[str, str]) -> None:
    """The paths of a DecodeError contain names and values of the server."""
    with pytest.raises(DecodeError) as caught:
        shared_converter().structure(value, dict[str, Course])
    check(caught.value)
    assert all(path.isprintable() and len(path) <= 300 for path in caught.value.paths)


def test_many_paths_are_counted() -> None:
    """A list of 16,000 wrong items gives five places and the number of the others."""
    error = DecodeError("not a valid list", paths=[f"{'x' * 900} @ $[{n}]" for n in range(16_000)])
    assert str(error).endswith("; and 15,995 more")
    assert len(error.paths) == 100
    check(error)


def test_a_link_header_of_any_length_is_quoted_in_part() -> None:
    """An unreadable Link header, and one that is no address."""
    with pytest.raises(DecodeError) as caught:
        next_by_header(GET, Response(200, {"link": f"<\x1b{'x' * 60_000}"}, b"", GET))
    check(caught.value, 500)
    link = f"<https://\u202e{'h' * 60_000}:x/>; rel=next"
    with pytest.raises(OriginError) as left:
        next_by_header(GET, Response(200, {"link": link}, b"", GET))
    check(left.value, 500)


def test_reprs_of_messages_are_bounded() -> None:
    """A server chooses the names of its headers and the URL of the next page."""
    assert len(repr(Headers({"h" * 60_000: ""}))) < 1_100
    assert len(repr(Request("GET", f"https://canvas.test/{'p' * 60_000}"))) < 1_200
