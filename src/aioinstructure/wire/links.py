"""Links to the next page: Link headers (RFC 8288) and the `links` of JSON:API bodies.

A link is opaque and untrusted. Its path and query are sent unchanged, to the origin of the request
that returned it. Another origin that it names is not used: a service behind several names or a proxy
names any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from attrs import evolve

from aioinstructure.errors import DecodeError, InputError, OriginError
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import scrub

__all__ = [
    "next_by_body",
    "next_by_header",
    "origin_of",
    "other_origin_by_body",
    "other_origin_by_header",
    "parse_link",
    "reserved_names",
]

_GAP = re.compile(r"[\s,]*")
_URL = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(
    r"""\s*;\s*(?:([^\s=;,"<>]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"<>]+)))?)?"""
)
_END_OF_ENTRY = re.compile(r"\s*(?:,|$)")
_RELATION = re.compile(r"[a-z0-9][a-z0-9._-]*|[a-z][a-z0-9+.-]*:\S+")
"""A registered name, or a URI."""

_PAGING = frozenset({"first", "prev", "current", "next", "last"})
"""The relations of a list's pages. A header without any of them says nothing about the list."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_RESERVED = frozenset(
    {
        "access_token",
        "api_key",
        "as_user_id",
        "auth.expires",
        "auth.signature",
        "partner.id",
        "partner.key",
        "user.id",
    }
)
"""Parameters that only the client adds to a request: credentials, and the user it acts as."""


def reserved_names(path: str) -> list[str]:
    """Return the names in a query that only the client may add, parsed like a lenient server."""
    query = path.partition("?")[2].partition("#")[0]
    names = (pair.partition("=")[0] for pair in re.split("[&;]", query))
    return [name for name in map(_plain_name, names) if name in _RESERVED]


def _plain_name(name: str) -> str:
    """A parameter's name, fully decoded, without brackets, in lower case."""
    while (decoded := unquote(name)) != name:
        name = decoded
    return name.partition("[")[0].strip().lower()


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL in normal form, such as "https://canvas.example.edu".

    Raises:
        InputError: The URL is invalid, or its scheme is not http or https.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"not a URL: {url!r}") from error
    if scheme not in _DEFAULT_PORTS or not host:
        raise InputError(f"not an http or https URL: {url!r}")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[scheme]) else "")


def parse_link(header: str) -> dict[str, str]:
    """Return the URL of each relation, the first one of a name, as far as the header can be read."""
    return _read(header)[0]


def _read(header: str) -> tuple[dict[str, str], int]:
    """Return the URL of each relation, and the position up to which the header can be read.

    That is its length, or the start of the first entry that is invalid: what comes after that
    start may be delimited in another way than it seems.
    """
    links: dict[str, str] = {}
    at = _end(_GAP, header, 0)
    while at < len(header):
        url = _URL.match(header, at)
        if url is None:
            return links, at
        relations, end = _relations(header, url.end())
        end = _end(_END_OF_ENTRY, header, end)
        if end < 0 or not relations or not all(map(_RELATION.fullmatch, relations)):
            return links, at
        for relation in relations:
            links.setdefault(relation, url[1])
        at = _end(_GAP, header, end)
    return links, at


def _end(pattern: re.Pattern[str], header: str, at: int) -> int:
    found = pattern.match(header, at)
    return -1 if found is None else found.end()


def _relations(header: str, at: int) -> tuple[list[str], int]:
    """Return the relations that an entry's parameters name, and where the parameters end."""
    relations: list[str] | None = None
    while (found := _PARAMETER.match(header, at)) is not None:
        name, quoted, bare = found.groups()
        if relations is None and name is not None and name.lower() == "rel":
            relations = (quoted or bare or "").lower().split()  # RFC 8288: the first one is used
        at = found.end()
    return relations or [], at


def next_by_header(request: Request, response: Response) -> Request | None:
    """Return the request for the next page from the Link header; None on the last page.

    Raises:
        DecodeError: The Link header cannot be read to its end, or has no relation of a page:
            stopping there could silently truncate the list.
        OriginError: The link is not one that can be followed.
    """
    link = _link_in_header(response)
    return None if link is None else _follow(request, link)


def other_origin_by_header(request: Request, response: Response) -> str | None:
    """Return the origin that the Link header names for the next page, if it is not the request's.

    Raises:
        DecodeError: As for `next_by_header`.
        OriginError: As for `next_by_header`.
    """
    link = _link_in_header(response)
    return None if link is None else _other_origin(request, link)


def _link_in_header(response: Response) -> str | None:
    header = response.headers.get("link", "").strip()
    if not header:
        return None
    links, end = _read(header)
    if end < len(header):
        raise DecodeError(
            f"invalid Link header, from character {end + 1}: {scrub(header[:200])!r}",
            response=response,
        )
    if links.keys().isdisjoint(_PAGING):
        raise DecodeError(
            f"the Link header has no known relation: {scrub(header[:200])!r}", response=response
        )
    return links.get("next")


def next_by_body(request: Request, body: Any) -> Request | None:
    """Return the request for the next page from `links.next` of a JSON:API body; None on the last.

    Raises:
        DecodeError: The link is not text: stopping there would truncate the list.
        OriginError: The link is not one that can be followed.
    """
    link = _link_in_body(body)
    return None if link is None else _follow(request, link)


def other_origin_by_body(request: Request, body: Any) -> str | None:
    """Return the origin that a JSON:API body names for the next page, if it is not the request's.

    Raises:
        DecodeError: As for `next_by_body`.
        OriginError: As for `next_by_body`.
    """
    link = _link_in_body(body)
    return None if link is None else _other_origin(request, link)


def _link_in_body(body: Any) -> str | None:
    links = body.get("links") if isinstance(body, Mapping) else None
    url = links.get("next") if isinstance(links, Mapping) else None
    if isinstance(url, Mapping):  # a link object of JSON:API
        url = url.get("href")
    if url is None or url == "":
        return None
    if not isinstance(url, str):
        what = f"expected a link, got {scrub(repr(url)):.60} @ $.links.next"
        raise DecodeError("invalid link to the next page", paths=[what])
    return url


def _follow(request: Request, link: str) -> Request:
    """Return the request for a link's path and query, on the origin of the request before.

    They are unchanged except for characters that a URL cannot contain, and for parameters that the
    client adds itself: cursors must not contain them.
    """
    url, _ = _resolve(request, link)
    target = evolve(request, url=url.partition("#")[0]).path
    return evolve(request, url=origin_of(request.url) + _without_reserved(target))


def _other_origin(request: Request, link: str) -> str | None:
    _, origin = _resolve(request, link)
    return None if origin == origin_of(request.url) else origin


def _resolve(request: Request, link: str) -> tuple[str, str]:
    """Return the absolute URL of a link, and the origin that it names.

    Raises:
        OriginError: It is not an http URL, has a user name, or has control characters.
    """
    if _CONTROL.search(link):
        raise OriginError("the link to the next page has control characters: it was not followed")
    try:
        link = quote(link, safe=_PRINTABLE)  # blanks and non-ASCII characters
        url = link if link.startswith(("https://", "http://")) else urljoin(request.url, link)
        origin = origin_of(url)
    except ValueError as error:
        raise OriginError(f"the next page is not an http URL: {scrub(link[:200])!r}") from error
    if "@" in urlsplit(url).netloc:
        raise OriginError("the link to the next page has a user name: it was not followed")
    return url, origin


def _without_reserved(url: str) -> str:
    path, mark, query = url.partition("?")
    pairs = re.split("(?<=[&;])", query)  # each with the separator after it
    kept = [pair for pair in pairs if not reserved_names(f"?{pair}")]
    if len(kept) == len(pairs):
        return url
    text = "".join(kept)
    if reserved_names(f"?{pairs[-1]}"):
        text = text[:-1]  # the separator before it
    return path + (mark if text else "") + text
