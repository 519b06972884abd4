"""Paging by key: an event list in the order of its numbers goes on behind the last number.

Offsets shift when events come in, and a stored offset means something else tomorrow. A list that
asks for `seq gt n` in the order of `seq` can instead ask for `seq gt <last>` from offset 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from aioinstructure.wire.params import query_string

__all__ = ["behind_last"]

_BEHIND = re.compile(r"\s*seq\s+gt\s+[0-9]+\s*", re.IGNORECASE)


def behind_last(path: str, raw: list[Any]) -> str | None:
    """The path for the page behind these events; None if the list is not one by number."""
    resource, _, query = path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    asked = dict(pairs)
    if resource != "/events" or asked.get("sort[events]") != "seq":
        return None
    if not _BEHIND.fullmatch(asked.get("filter[events]", "")):
        return None
    last = _seq(raw[-1]) if raw else None
    if last is None:
        return None
    asked["filter[events]"] = f"seq gt {last}"
    asked.pop("offset", None)
    return f"{resource}?{query_string(asked.items())}"


def _seq(event: Any) -> int | None:
    attributes = event.get("attributes") if isinstance(event, Mapping) else None
    seq = attributes.get("seq") if isinstance(attributes, Mapping) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else None
