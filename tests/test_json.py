"""JSON as real services send it, and as it is stored."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure._json import dumps, loads
from aioinstructure.wire.message import Response

NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(NESTED)
def test_every_value_is_read_exactly(value: Any) -> None:
    """Integers of any size, also beside other digits: the standard library is the measure."""
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(NESTED)
def test_every_value_is_written_so_that_it_can_be_read(value: Any) -> None:
    """Integers beyond 64 bits too; infinities become null."""
    plain = json.loads(dumps(value))
    assert plain == json.loads(json.dumps(value), parse_constant=lambda _: None)
    assert json.loads(dumps(value, indent=True)) == plain


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775809", -(2**63) - 1),
        (b"[18446744073709551616]", [2**64]),
        (b'{"id":1180591620717411303424}', {"id": 2**70}),
        (b'["0000000000000000000000000"]', ["0" * 25]),
        (b"0.12345678901234567890123", 0.12345678901234568),
        (b'"\\ud83d"', "\ud83d"),
        (b"[Infinity, -Infinity]", [math.inf, -math.inf]),
        (b"1e400", math.inf),
        (b"\xef\xbb\xbf[1]", [1]),
        (b"while(1);[1]", [1]),
        (b" \n while(1); [1]", [1]),
        (b'"a\nb"', "a\nb"),
        (b'"caf\xe9"', "caf\ufffd"),
        (b"\xff\xfe[\x001\x00]\x00", [1]),
    ],
)
def test_what_other_parsers_refuse_is_read(body: bytes, value: Any) -> None:
    """One odd value does not cost the rest of a body."""
    assert loads(body) == value


def test_nan_is_read() -> None:
    """It is not equal to itself."""
    (found,) = loads(b"[NaN]")
    assert math.isnan(found)


@pytest.mark.parametrize(
    "body", [b"", b"[1,", b"{'a':1}", b"<html>", b"[" * 100_000, b"[1]]", b"9" * 5_000]
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    """Also what is nested too deep, and never another exception."""
    with pytest.raises(ValueError, match=r"."):
        loads(body)


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("application/json; charset=ISO-8859-1", b'"caf\xe9"', "café"),
        ('application/json;charset="windows-1252"', b'"\x80"', "€"),
        ("application/json; charset=utf-8", '"é"'.encode(), "é"),
        ("application/json; charset=UTF-16LE", '"é"'.encode("utf-16-le"), "é"),
        ("application/json; charset=unicode_escape", '"é"'.encode(), "é"),
        ("application/json; charset=zlib", b"[1]", [1]),
        ("application/json; charset=", b"[1]", [1]),
        ("", '"é"'.encode(), "é"),
    ],
)
def test_a_declared_charset_is_used(kind: str, body: bytes, value: Any) -> None:
    """If pages are written in it: other encodings of Python may take long, or are no text."""
    response = Response(200, {"content-type": kind}, body)
    assert response.json() == value
    assert str(value).strip("[]") in response.text


def test_deep_values_are_written() -> None:
    """Deeper than orjson writes; too deep for Python is a ValueError."""
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    assert json.loads(dumps(deep)) == deep
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deep"):
        dumps(deep)
