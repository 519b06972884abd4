"""What of a row is shown: sparse fields, relationships, facets. Knows JSON:API, not HTTP."""

from __future__ import annotations

from typing import Any, TypeAlias, TYPE_CHECKING

from attrs import frozen

from .resources import StandardTable, Table, walk
from .values import listed, mapping

if TYPE_CHECKING:
    from .standards import Standards
    from collections.abc import Collection, Iterable

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
    def parse(cls, text: str | None, table: Table) -> Fields:
        """Reads the parameter.

        Raises:
            ValueError: It names a property that does not exist.
        """
        names = [name.strip() for name in (text or "").split(",") if name.strip()]
        if "*" in names:
            return cls(None, table.relations)
        tree: Tree = {}
        relations: set[str] = set()
        for name in names:
            head = name.partition(".")[0]
            if head in table.relations:
                relations.add(head)
            elif name in table.paths():
                _plant(tree, name.split("."))
            elif not (name == "id" or name.endswith(".id")):  # asked among others it is dropped
                raise ValueError(name)
        return cls(tree, tuple(name for name in table.relations if name in relations), bool(names))


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
        self, table: Table, standards: Standards, origin: str, hidden: Collection[str]
    ) -> None:
        self._table, self._standards = table, standards
        self._origin, self._hidden = origin, hidden

    def show(self, row: int, fields: Fields) -> dict[str, Any]:
        """One object; type and id alone where nothing was asked for."""
        guid = self._table.guid(row)
        shown: dict[str, Any] = {"type": self._table.name, "id": guid}
        if not fields.asked:
            return shown
        if fields.tree is None:
            shown["attributes"] = self._table.attributes(row, self._origin)
        elif fields.tree:
            shown["attributes"] = _project(self._table.attributes(row, self._origin), fields.tree)
        relations = {
            name: self._relation(row, guid, name)
            for name in fields.relations
            if name not in self._hidden
        }
        if relations:
            shown["relationships"] = relations
        return shown

    def _relation(self, row: int, guid: str, name: str) -> dict[str, Any]:
        rows = self._table.related(row, name)
        related = f"{self._origin}/rest/v4.1/{self._table.name}/{guid}/{name}"
        if name in self._table.to_one:
            if not rows:
                return {"data": {}}
            return {"data": self.identifier(row, rows[0], name), "links": {"related": related}}
        if not rows:
            return {"data": []}
        links = {"related": related}
        count = len(rows)
        if count > _WHOLE:
            rows = rows[:_PART]
            links["next"] = f"{related}?offset={_PART}"
            links["last"] = f"{related}?offset={(count - 1) // _PART * _PART}"
        return {"data": [self.identifier(row, other, name) for other in rows], "links": links}

    def identifier(self, row: int, other: int, relation: str) -> dict[str, Any]:
        """A related standard by type and id, with the properties of the relation."""
        found: dict[str, Any] = {"type": "standards", "id": self._standards.guid(other)}
        if self._table.name == "standards":
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


def _groups(table: Table, rows: Iterable[int], name: str) -> dict[str, tuple[Any, int]]:
    """The values of a facet by their key, each with the number of rows that have it."""
    groups: dict[str, tuple[Any, int]] = {}
    memory: dict[int, list[Any]] = {}
    for row in rows:
        for value in _facet_values(table, row, name, memory):
            members = mapping(value)
            key = str(value if members is None else members["guid"])
            groups[key] = (value, groups.get(key, (value, 0))[1] + 1)
    return groups


def _facet_values(table: Table, row: int, name: str, memory: dict[int, list[Any]]) -> list[Any]:
    """Standards of one section and strand have the same values: looked at once."""
    if not isinstance(table, StandardTable):
        return walk(table.attributes(row, ""), name.split("."))
    key = table.alike(row)
    if key not in memory:
        memory[key] = walk(table.attributes(row, ""), name.split("."))
    return memory[key]


def facet_count(table: Table, rows: Iterable[int], name: str) -> dict[str, Any]:
    """A summary: the number of values."""
    return {"facet": name, "count": len(_groups(table, rows, name))}


def facet(table: Table, rows: Iterable[int], name: str) -> dict[str, Any]:
    """The values, the most frequent first, cut at 10,000; `count` tells of the cut."""
    groups = _groups(table, rows, name)
    shown = _MEMBERS.get(name, ("guid", "descr"))
    details: list[dict[str, Any]] = []
    for _, (value, count) in sorted(groups.items(), key=lambda pair: (-pair[1][1], pair[0])):
        members = mapping(value)
        data = value if members is None else {key: members[key] for key in shown}
        details.append({"count": count, "data": data})
    return {"facet": name, "count": len(groups), "details": details[:_CUT]}
