"""What of a row is shown: sparse fields, relationships, facets. Knows JSON:API, not HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from .rows import walk
from .values import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .rows import Rows
    from .standards import Standards

__all__ = ["FACETS", "Fields", "Projector", "facet", "facet_count"]

_WHOLE = 25  # related items that are embedded whole
_PART = 10  # of more than that, so many
_ALWAYS = ("education_levels", "grades")  # the one list that is shown even when empty

Tree: TypeAlias = "dict[str, Tree]"
"""Names of properties; an empty tree stands for the whole."""


@frozen
class Fields:
    """What `fields[type]` asks for.

    Args:
        tree: The properties; None where everything is asked for.
        relations: The relationships, in the order of the table.
        asked: Whether anything was asked for at all.
    """

    tree: Tree | None
    relations: tuple[str, ...]
    asked: bool = True

    @classmethod
    def parse(cls, text: str | None, rows: Rows) -> Fields:
        """Reads the parameter.

        Raises:
            ValueError: It names a property that does not exist.
        """
        names = [name.strip() for name in (text or "").split(",") if name.strip()]
        if "*" in names:
            return cls(None, rows.relations)
        tree: Tree = {}
        relations: set[str] = set()
        for name in names:
            head = name.partition(".")[0]
            if head in rows.relations:
                relations.add(head)
            elif name in rows.paths():
                _plant(tree, name.split("."))
            elif not (name == "id" or name.endswith(".id")):  # asked among others it is dropped
                raise ValueError(name)
        return cls(tree, tuple(name for name in rows.relations if name in relations), bool(names))


def _plant(tree: Tree, names: list[str]) -> None:
    """Adds a path. The whole wins over its parts, whichever was named first."""
    head, rest = names[0], names[1:]
    if not rest:
        tree[head] = {}
        return
    if head in tree and not tree[head]:
        return
    _plant(tree.setdefault(head, {}), rest)


def _project(value: Any, tree: Tree, trail: tuple[str, ...] = ()) -> Any:
    if not tree:
        return value
    if (elements := listed(value)) is not None:
        return [_project(inner, tree, trail) for inner in elements]
    if (members := mapping(value)) is None:
        return value
    shown: dict[str, Any] = {}
    for name, inner in tree.items():
        if name not in members:
            continue
        part = members[name]
        # A list without elements of which a part was asked for is left out.
        if part == [] and inner and (*trail, name) != _ALWAYS:
            continue
        shown[name] = _project(part, inner, (*trail, name))
    return shown


class Projector:
    """Turns rows into JSON:API objects for one request."""

    def __init__(
        self, rows: Rows, standards: Standards, origin: str, hidden: Collection[str]
    ) -> None:
        self._rows, self._standards = rows, standards
        self._origin, self._hidden = origin, hidden

    def show(self, row: int, fields: Fields) -> dict[str, Any]:
        """One object; type and id alone where nothing was asked for."""
        guid = self._rows.guid(row)
        shown: dict[str, Any] = {"type": self._rows.name, "id": guid}
        if not fields.asked:
            return shown
        if fields.tree is None:
            shown["attributes"] = self._rows.attributes(row, self._origin)
        elif fields.tree:
            shown["attributes"] = _project(self._rows.attributes(row, self._origin), fields.tree)
        relations = {
            name: self._relation(row, guid, name)
            for name in fields.relations
            if name not in self._hidden
        }
        if relations:
            shown["relationships"] = relations
        return shown

    def _relation(self, row: int, guid: str, name: str) -> dict[str, Any]:
        others = self._rows.related(row, name)
        related = f"{self._origin}/rest/v4.1/{self._rows.name}/{guid}/{name}"
        if name in self._rows.to_one:
            if not others:
                return {"data": {}}
            return {"data": self.identifier(row, others[0], name), "links": {"related": related}}
        if not others:
            return {"data": []}
        links = {"related": related}
        count = len(others)
        if count > _WHOLE:
            others = others[:_PART]
            links["next"] = f"{related}?offset={_PART}"
            links["last"] = f"{related}?offset={(count - 1) // _PART * _PART}"
        return {"data": [self.identifier(row, other, name) for other in others], "links": links}

    def identifier(self, row: int, other: int, relation: str) -> dict[str, Any]:
        """A related standard by type and id, with the properties of the relation."""
        found: dict[str, Any] = {"type": "standards", "id": self._standards.guid(other)}
        if self._rows.name == "standards":
            meta = self._standards.relation_meta(row, other, relation)
            if meta is not None:
                found["meta"] = meta
        return found


FACETS = {
    "standards": (
        "document",
        "document.publication",
        "document.publication.authorities",
        "document.publication.regions",
        "section",
        "disciplines.subjects",
        "disciplines.strands",
        "disciplines.ece_domains",
        "education_levels.grades",
        "education_levels.ece_ages",
    ),
    "events": ("change_type", "target"),
}
"""The facets of each list. Those of events are not documented."""

_CUT = 10_000
_MEMBERS = {
    "document": ("guid", "descr", "adopt_year"),
    "document.publication": ("guid", "descr", "title", "acronym"),
    "document.publication.authorities": ("guid", "descr", "acronym"),
    "section": ("guid", "descr", "seq"),
    "disciplines.subjects": ("guid", "descr", "code"),
    "education_levels.grades": ("guid", "descr", "code", "seq"),
    "education_levels.ece_ages": ("guid", "descr", "seq"),
}


def _groups(rows: Rows, found: Iterable[int], name: str) -> dict[str, tuple[Any, int]]:
    """The values of a facet by their key, each with the number of rows that have it."""
    groups: dict[str, tuple[Any, int]] = {}
    memory: dict[int, list[Any]] = {}
    for row in found:
        for value in _facet_values(rows, row, name, memory):
            members = mapping(value)
            key = str(value if members is None else members["guid"])
            groups[key] = (value, groups.get(key, (value, 0))[1] + 1)
    return groups


def _facet_values(rows: Rows, row: int, name: str, memory: dict[int, list[Any]]) -> list[Any]:
    """Rows that are alike have the same values: only one of them is looked at."""
    key = rows.alike(row)
    if key not in memory:
        memory[key] = walk(rows.attributes(row, ""), name.split("."))
    return memory[key]


def facet_count(rows: Rows, found: Iterable[int], name: str) -> dict[str, Any]:
    """A summary: the number of values."""
    return {"facet": name, "count": len(_groups(rows, found, name))}


def facet(rows: Rows, found: Iterable[int], name: str) -> dict[str, Any]:
    """The values, the most frequent first, cut at 10,000; `count` tells of the cut."""
    groups = _groups(rows, found, name)
    shown = _MEMBERS.get(name, ("guid", "descr"))
    details: list[dict[str, Any]] = []
    for _, (value, count) in sorted(groups.items(), key=lambda pair: (-pair[1][1], pair[0])):
        members = mapping(value)
        data = value if members is None else {key: members[key] for key in shown}
        details.append({"count": count, "data": data})
    return {"facet": name, "count": len(groups), "details": details[:_CUT]}
