"""Queries and bodies as the servers read them: names, brackets, order. Knows no operation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import orjson

from aioinstructure.simulator.coerce import mapping

__all__ = ["Pairs", "first", "hidden", "last", "link_query", "many", "parse", "parse_body"]

Pairs = list[tuple[str, str]]
"""Names and values in the order they were sent, decoded."""

_SECRET = ("access_token", "api_key", "partner.id", "auth.signature")


def parse(query: str) -> Pairs:
    """The pairs of a query."""
    pairs: Pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def last(pairs: Pairs, name: str) -> str | None:
    """The value of a plain name; Rails keeps the last one."""
    found = None
    for key, value in pairs:
        if key == name:
            found = value
    return found


def first(pairs: Pairs, name: str) -> str | None:
    """The first value of a name."""
    for key, value in pairs:
        if key == name:
            return value
    return None


def many(pairs: Pairs, name: str) -> list[str]:
    """The values of `name[]`, or of a plain `name` with commas; empty ones do not count."""
    listed = [value for key, value in pairs if key == f"{name}[]" and value]
    if not listed and (plain := last(pairs, name)):
        listed = plain.split(",")
    return listed


def hidden(path: str) -> str:
    """A path with its query, to the letter but for the values of credentials."""
    bare, mark, query = path.partition("?")
    if not mark:
        return path
    parts = [
        f"{name}=***" if unquote_plus(name) in _SECRET else f"{name}{sign}{value}"
        for name, sign, value in (part.partition("=") for part in query.split("&"))
    ]
    return f"{bare}?{'&'.join(parts)}"


def rails_query(pairs: Pairs) -> str:
    """A query as Rails writes it: sorted by name, brackets and blanks encoded."""
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}"
        for name, value in sorted(pairs, key=lambda pair: pair[0])
    )


def link_query(pairs: Pairs) -> str:
    """A query as the links of AB Connect write it: brackets encoded, quotes and commas not."""
    return "&".join(
        f"{quote(name, safe='.')}={quote(value, safe=chr(32) + _LEFT).replace(' ', '+')}"
        for name, value in pairs
    )


_LEFT = ",'()*:-_."


def parse_body(content_type: str, body: bytes | None) -> dict[str, Any] | None:
    """The parameters of a body, JSON or form; None if it cannot be read."""
    if not body:
        return {}
    if "json" in content_type:
        try:
            return mapping(orjson.loads(body))
        except orjson.JSONDecodeError:
            return None
    form: dict[str, Any] = {}
    for name, value in parse(body.decode("utf-8", "replace")):
        keys = [name.partition("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        _nest(form, keys, value)
    return form


def _nest(into: dict[str, Any], keys: list[str], value: str) -> None:
    """Puts one form field where its brackets say. In a list a repeated key starts an element."""
    key, rest = keys[0], keys[1:]
    if not rest:
        into[key] = value
    elif rest[0] == "":
        elements: list[Any] = into.setdefault(key, [])
        if len(rest) == 1:
            if value:
                elements.append(value)
            return
        if not elements or rest[1] in elements[-1]:
            elements.append({})
        _nest(elements[-1], rest[1:], value)
    else:
        inner = mapping(into.setdefault(key, {}))
        if inner is not None:
            _nest(inner, rest, value)
