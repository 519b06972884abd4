"""Where the next page is: Link headers (RFC 8288) and the `links` of JSON:API bodies.

A link is opaque and untrusted: it is sent to the letter, and only to the origin that gave it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from attrs import evolve

from aioinstructure.errors import DecodeError, InputError, OriginError
from aioinstructure.wire.message import Request, Response

__all__ = ["next_by_body", "next_by_header", "origin_of", "parse_link"]

_ENTRY = re.compile(r"""<([^<>]*)>((?:[^,"<]|"[^"]*")*)""")
_REL = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))""", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in one normal form, such as "https://canvas.example.edu".

    Raises:
        InputError: The URL has no such origin.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"no URL: {url!r}") from error
    if scheme not in _DEFAULT_PORTS or not host:
        raise InputError(f"no http or https URL: {url!r}")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[scheme]) else "")


def parse_link(header: str) -> dict[str, str]:
    """The URL of each relation, the first one of a name; entries that make no sense are skipped."""
    links: dict[str, str] = {}
    for url, parameters in _ENTRY.findall(header):
        if found := _REL.search(parameters):
            for relation in (found[1] or found[2]).lower().split():
                links.setdefault(relation, url)
    return links


def next_by_header(request: Request, response: Response) -> Request | None:
    """The request for the next page by the Link header; None on the last page.

    Raises:
        DecodeError: There is a Link header, and nothing in it can be read: to end there would
            cut the list short in silence.
        OriginError: The next page lies on another origin.
    """
    header = response.headers.get("link", "").strip()
    if not header:
        return None
    links = parse_link(header)
    if not links:
        raise DecodeError(f"the Link header makes no sense: {header[:200]!r}", response=response)
    return _follow(request, links["next"]) if "next" in links else None


def next_by_body(request: Request, body: Any) -> Request | None:
    """The request for the next page by `links.next` of a JSON:API body; None on the last page.

    Raises:
        OriginError: The next page lies on another origin.
    """
    links = body.get("links") if isinstance(body, Mapping) else None
    url = links.get("next") if isinstance(links, Mapping) else None
    return _follow(request, url) if isinstance(url, str) and url else None


def _follow(request: Request, link: str) -> Request:
    url = link if link.startswith(("https://", "http://")) else urljoin(request.url, link)
    try:
        origin = origin_of(url)
    except InputError as error:
        raise OriginError(f"the next page is no http link: {link[:200]!r}") from error
    if origin != (home := origin_of(request.url)):
        raise OriginError(f"the next page lies on {origin}, not on {home}: nothing was sent there")
    return evolve(request, url=url)
