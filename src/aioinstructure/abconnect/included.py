"""What `include` asked for, put beside the references to it. Knows no model."""

from __future__ import annotations

from typing import Any

__all__ = ["attach_included"]


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
