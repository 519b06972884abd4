"""Request and Response as values. Independent of services, credentials and other modules."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from attrs import field, frozen

from aioinstructure._json import loads
from aioinstructure._public import public
from aioinstructure._text import one_line

__all__ = ["BodySource", "Headers", "Request", "Response"]

_REPR = 1_000  # a server chooses the names of headers, and the URL of a next page


class Headers(Mapping[str, str]):
    """Header fields, case-insensitive. Repeated fields are joined with a comma (RFC 9110)."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs: Any = fields.items() if isinstance(fields, Mapping) else fields
        joined: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        self._fields = joined

    def with_field(self, name: str, value: str) -> Headers:
        """Return a copy in which the field has only this value."""
        copy = Headers.__new__(Headers)
        copy._fields = {**self._fields, name.lower(): value}
        return copy

    def number(self, name: str) -> float | None:
        """Return a field, named in lower case, as a number; None if it is not a finite one."""
        text = self._fields.get(name)
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    def date(self, name: str) -> float | None:
        """Return a field, named in lower case, as seconds since 1970 (UTC); None if it is no date."""
        text = self._fields.get(name)
        if text is None:
            return None
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()

    @property
    def lower(self) -> Mapping[str, str]:
        """The fields as a plain dictionary with lower-case names."""
        return self._fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({one_line(str(list(self._fields)), _REPR)})"


class BodySource(Protocol):
    """A request body that is read in chunks, from the start for each attempt.

    Attributes:
        length: Its size in bytes; None if unknown, which makes the transfer chunked.
    """

    @property
    def length(self) -> int | None:
        """Its size in bytes; None if unknown."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the body from its start."""
        ...


_KIND = 300  # the longest Content-Type that is read
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.-]+)", re.IGNORECASE)
# Python knows other encodings too, some of which are no text or take quadratic time.
_ENCODING = re.compile(
    r"(iso-?8859-(?!12)(1[0-6]|[1-9])|latin-?1|windows-125[0-8]|cp125[0-8]|koi8-[ru]|utf-(16|32)"
    r"(-?[bl]e)?|shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5)"
)

_HOST = re.compile(r"^[^:]*://[^/?]*")
_SIGNED = re.compile(
    r"([?&](?:auth\.\w+|partner\.\w+|user\.id|access_token|api_key)=)[^&]*", re.IGNORECASE
)


def _unsigned(url: str) -> str:
    return one_line(repr(_SIGNED.sub(r"\1...", url)), _REPR)


def _headers(fields: Mapping[str, str]) -> Headers:
    return fields if isinstance(fields, Headers) else Headers(fields)


@public
@frozen
class Request:
    """One HTTP request, complete except for its credential.

    Args:
        method: In upper case.
        url: Absolute and percent-encoded; sent unchanged.
        headers: Header fields in addition to those of the transport.
        body: The bytes to send, or None.
        route: The name of the endpoint, such as "courses.list", for logs and cost estimates.
        idempotent: Whether the request may be repeated when its outcome is unknown.
        source: The body in chunks, instead of `body`.
    """

    method: str
    url: str = field(repr=_unsigned)
    headers: Headers = field(factory=Headers, converter=_headers, repr=False)
    body: bytes | None = field(default=None, repr=False)
    route: str = ""
    idempotent: bool = True
    source: BodySource | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """The path and query of the URL, as sent."""
        path = _HOST.sub("", self.url, count=1)
        return path if path.startswith("/") else f"/{path}"

    def at(self, url: str, headers: Headers) -> Request:
        """Return a copy with another URL and other headers."""
        # Not by `evolve`, which costs five times as much, and each call comes by here.
        return Request(
            self.method, url, headers, self.body, self.route, self.idempotent, self.source
        )


def _charset(headers: Headers) -> str:
    """The encoding that the Content-Type names; "" for UTF-8, and for what no page is written in."""
    kind = headers.lower.get("content-type", "")
    if "charset" not in kind.lower():
        return ""
    found = _CHARSET.search(kind[:_KIND])
    name = "" if found is None else found[1].lower()
    return name if _ENCODING.fullmatch(name) else ""


@public
@frozen
class Response:
    """One complete HTTP response.

    Args:
        status: The status code.
        headers: Header fields, case-insensitive.
        body: The complete body; empty if it was streamed.
        request: The request, without a credential.
    """

    status: int
    headers: Headers = field(factory=Headers, converter=_headers, repr=False)
    body: bytes = field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    request: Request | None = field(default=None, repr=False)

    def json(self) -> Any:
        """Parse the body as JSON.

        What other parsers refuse is read too: lone surrogates, NaN, a byte order mark, integers of
        any size, bytes that are not in the encoding of the body (these are replaced).

        Raises:
            ValueError: The body is not JSON, or nested too deep.
        """
        return loads(self.body, _charset(self.headers))

    @property
    def text(self) -> str:
        """The body as text; bytes that are not in its encoding are replaced."""
        return self.body.decode(_charset(self.headers) or "utf-8", "replace")

    @property
    def request_id(self) -> str | None:
        """The request id to give to the vendor's support."""
        for name in ("x-request-context-id", "x-request-id", "x-amzn-requestid"):
            if value := self.headers.get(name):
                return value
        return None

    @property
    def request_cost(self) -> float | None:
        """What Canvas charged for the call, in quota units; None if not reported."""
        return self.headers.number("x-request-cost")

    @property
    def rate_limit_remaining(self) -> float | None:
        """What remains of the Canvas quota, less the reservations of concurrent calls."""
        return self.headers.number("x-rate-limit-remaining")
