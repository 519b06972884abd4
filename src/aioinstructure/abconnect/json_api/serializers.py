"""Bodies of the writes on assets, made of the parameters of an endpoint. Pure: they send nothing.

What is not given is not sent. GUIDs are checked here, since those in a body pass no other check.
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
    """The body of a create, or of a change of what is given."""
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
    """Standards by what was decided about them; tags are for the accepted ones."""
    good = _items("standards", accepted, disposition="accepted", tags=[*tags])
    return {"data": good + _items("standards", rejected, disposition="rejected")}


def topics(*, accepted: Sequence[str], rejected: Sequence[str], **_: Any) -> dict[str, Any]:
    """Topics by what was decided about them."""
    good = _items("topics", accepted, disposition="accepted")
    return {"data": good + _items("topics", rejected, disposition="rejected")}


def concepts(*, id: str, **by_emphasis: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001 - of the path
    """Concepts by their emphasis."""
    return {
        "data": [
            item
            for emphasis, ids in by_emphasis.items()
            for item in _items("concepts", ids, emphasis=emphasis)
        ]
    }


def members(kind: str) -> Callable[..., dict[str, Any]]:
    """The function that makes a list of objects of one kind, without properties."""

    def listed(*, ids: Sequence[str], **_: Any) -> dict[str, Any]:
        return {"data": _items(kind, ids)}

    return listed


def parent(*, parent_id: str, **_: Any) -> dict[str, Any]:
    """One asset: there is no more than one parent."""
    return {"data": {"type": "assets", "id": check_guid("parent_id", parent_id)}}


def collection(*, id: str | None = None, **given: Any) -> dict[str, Any]:  # noqa: ARG001 - of the path
    """The body of a collection, which is no JSON:API: `data` holds the members directly."""
    return {"data": {name: value for name, value in given.items() if value is not UNSET}}
