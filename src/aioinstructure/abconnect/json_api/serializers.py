"""Request bodies of writes, built from the parameters of an endpoint. Pure functions, no I/O.

Parameters that are not given are not sent. GUIDs in a body are checked here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aioinstructure._types import UNSET
from aioinstructure.abconnect.json_api.resources import check_guid

__all__ = ["alignments", "asset", "concepts", "members", "parent", "topics"]

_GROUPS = {
    "grades": "education_levels",
    "subjects": "disciplines",
    "strands": "disciplines",
    "genres": "disciplines",
    "ece_domains": "disciplines",
}


def asset(*, id: str | None = None, **given: Any) -> dict[str, Any]:
    """Build the body of a create, or of an update of the given attributes."""
    attributes: dict[str, Any] = {}
    for name, value in given.items():
        if value is not UNSET:
            group = _GROUPS.get(name)
            (attributes.setdefault(group, {}) if group else attributes)[name] = value
    data = {"type": "assets", "attributes": attributes}
    return {"data": data if id is None else {**data, "id": id}}


def _items(kind: str, ids: Iterable[str], **meta: Any) -> list[dict[str, Any]]:
    given = {name: value for name, value in meta.items() if value}
    more = {"meta": given} if given else {}
    return [{"type": kind, "id": check_guid(f"an id of {kind}", each), **more} for each in ids]


def alignments(
    *, accepted: Sequence[str], rejected: Sequence[str], tags: Sequence[str], **_: Any
) -> dict[str, Any]:
    """Build the list of standards by disposition; tags apply to the accepted ones."""
    good = _items("standards", accepted, disposition="accepted", tags=[*tags])
    return {"data": good + _items("standards", rejected, disposition="rejected")}


def topics(*, accepted: Sequence[str], rejected: Sequence[str], **_: Any) -> dict[str, Any]:
    """Build the list of topics by disposition."""
    good = _items("topics", accepted, disposition="accepted")
    return {"data": good + _items("topics", rejected, disposition="rejected")}


def concepts(*, id: str, **by_emphasis: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001 - in the path
    """Build the list of concepts by emphasis."""
    return {
        "data": [
            item
            for emphasis, ids in by_emphasis.items()
            for item in _items("concepts", ids, emphasis=emphasis)
        ]
    }


def members(kind: str) -> Callable[..., dict[str, Any]]:
    """Return a function that builds a list of objects of one kind, without properties."""

    def listed(*, ids: Sequence[str], **_: Any) -> dict[str, Any]:
        return {"data": _items(kind, ids)}

    return listed


def parent(*, parent_id: str, **_: Any) -> dict[str, Any]:
    """Build the reference to the parent; an asset has at most one."""
    return {"data": {"type": "assets", "id": check_guid("parent_id", parent_id)}}


def collection(*, id: str | None = None, **given: Any) -> dict[str, Any]:  # noqa: ARG001 - in the path
    """Build the body of a collection. It is not JSON:API: `data` holds the members directly."""
    return {"data": {name: value for name, value in given.items() if value is not UNSET}}
