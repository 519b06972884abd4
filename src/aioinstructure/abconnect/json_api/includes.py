"""Included objects: which relationships must be shown, and where the objects go. Knows no model."""

from __future__ import annotations

from typing import Any, TypeVar

from aioinstructure.endpoints.route import Call
from aioinstructure.wire.params import CommaList

__all__ = ["attach_included", "with_included_fields"]

T = TypeVar("T")


def with_included_fields(call: Call[T], resource: str) -> Call[T]:
    """The call with the relationships to include among the fields that it requests.

    The service includes nothing of a relationship that is not shown, and does not say so.
    """
    include = call.value("include")
    if include is None:
        return call
    name = f"fields[{resource}]"
    fields = call.value(name) or CommaList()
    shown = {field.partition(".")[0] for field in fields}
    hidden = [each for each in include if each not in shown]
    if not hidden or "*" in shown:
        return call
    return call.with_values(**{name: CommaList([*fields, *hidden])})


def attach_included(body: Any) -> None:
    """Put the objects that `include` requested beside the references to them, in place.

    One step deep: what an included object refers to stays a reference, or it would be a cycle.
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
