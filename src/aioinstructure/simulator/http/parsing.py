"""Queries and bodies as the servers parse them: names, brackets, order."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus, unquote_to_bytes

import orjson

from aioinstructure.simulator.coerce import mapping

__all__ = [
    "Pairs",
    "conflicts",
    "first",
    "hidden",
    "is_encoded",
    "last",
    "link_query",
    "many",
    "parse",
    "parse_body",
    "ruby_to_i",
]

Pairs = list[tuple[str, str]]
"""Names and values in the order they were sent, decoded."""

_SECRET = ("access_token", "api_key", "partner.id", "auth.signature")


def parse(query: str) -> Pairs:
    """Parse a query into pairs."""
    pairs: Pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def last(pairs: Pairs, name: str) -> str | None:
    """Return the value of a plain name; like Rails, the last one."""
    found = None
    for key, value in pairs:
        if key == name:
            found = value
    return found


def first(pairs: Pairs, name: str) -> str | None:
    """Return the first value of a name."""
    for key, value in pairs:
        if key == name:
            return value
    return None


def many(pairs: Pairs, name: str) -> list[str]:
    """Return the non-empty values of `name[]`, or else the one of `name`, as `Array()` of Ruby."""
    listed = [value for key, value in pairs if key == f"{name}[]" and value]
    if not listed and (plain := last(pairs, name)):
        listed = [plain]
    return listed


def conflicts(pairs: Pairs) -> bool:
    """Whether a name is given as a plain one and as a list, which Rack refuses."""
    names = {name for name, _ in pairs}
    return any(name.endswith("[]") and name[:-2] in names for name in names)


def is_encoded(query: str) -> bool:
    """Whether each percent sign has its two digits, and the bytes are UTF-8."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", query):
        return False
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return True


def ruby_to_i(text: str) -> int:
    """The number at the start of a text; 0 if there is none."""
    found = re.match(r"\s*([+-]?\d{1,30})", text, re.ASCII)
    return int(found[1]) if found else 0


def hidden(path: str) -> str:
    """Return a path with its query, unchanged except that credentials are masked."""
    bare, mark, query = path.partition("?")
    if not mark:
        return path
    parts = [
        f"{name}=***" if unquote_plus(name) in _SECRET else f"{name}{sign}{value}"
        for name, sign, value in (part.partition("=") for part in query.split("&"))
    ]
    return f"{bare}?{'&'.join(parts)}"


def rails_query(pairs: Pairs) -> str:
    """Encode a query as Rails does: sorted by name, brackets and spaces encoded.

    It is a hash there: of a plain name that was repeated, the last value is left.
    """
    plain = {name: value for name, value in pairs if not name.endswith("[]")}
    pairs = [*plain.items(), *(pair for pair in pairs if pair[0].endswith("[]"))]
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}"
        for name, value in sorted(pairs, key=lambda pair: pair[0])
    )


def link_query(pairs: Pairs) -> str:
    """Encode a query as the links of AB Connect do: brackets encoded, quotes and commas not."""
    return "&".join(
        f"{quote(name, safe='.')}={quote(value, safe=chr(32) + _LEFT).replace(' ', '+')}"
        for name, value in pairs
    )


_LEFT = ",'()*:-_."


def parse_body(content_type: str, body: bytes | None) -> dict[str, Any] | None:
    """Return the parameters of a JSON or form body; None if it is not a JSON object."""
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
    """Store a form field where its brackets say. In a list a repeated key starts a new element."""
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
