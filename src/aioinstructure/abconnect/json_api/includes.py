"""What `include` asks for, and where it goes: beside the references to it. Knows no model."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from aioinstructure.wire.params import query_string

__all__ = ["attach_included", "with_included"]


def with_included(path: str, resource: str) -> str:
    """The path with the relationships to include among the fields that it asks for.

    The service includes nothing of a relationship that is not shown, and says no word about it.
    """
    name, _, query = path.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    fields = [field for field in asked.get(f"fields[{resource}]", "").split(",") if field]
    shown = {field.partition(".")[0] for field in fields}
    hidden = [one for one in asked.get("include", "").split(",") if one and one not in shown]
    if not hidden or "*" in shown:
        return path
    asked[f"fields[{resource}]"] = ",".join([*fields, *hidden])
    return f"{name}?{query_string(asked.items())}"


def attach_included(body: Any) -> None:
    """Put the objects that `include` asked for beside the references to them, in place.

    One step deep: what an included object refers to stays a reference, or it would run in circles.
    """
    included = body.get("included") if isinstance(body, dict) else None
    if not isinstance(included, list) or not included:
        return
    index = {_key(each): each for each in included if isinstance(each, dict)}
    data = body.get("data")
    for item in data if isinstance(data, list) else [data]:
        relationships = item.get("relationships") if isinstance(item, dict) else None
        for relationship in relationships.values() if isinstance(relationships, dict) else ():
            members = relationship.get("data") if isinstance(relationship, dict) else None
            for ref in members if isinstance(members, list) else [members]:
                if isinstance(ref, dict) and (found := index.get(_key(ref))) is not None:
                    ref["resource"] = found


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return str(item.get("type")).lower(), str(item.get("id")).lower()
