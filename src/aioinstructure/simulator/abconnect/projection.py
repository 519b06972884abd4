"""JSON:API representation of rows: sparse fields, relationships, facets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from aioinstructure.simulator.coerce import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from aioinstructure.simulator.abconnect.rows_base import Book, Rows

__all__ = ["Fields", "Narrow", "Projector", "facet", "facet_count"]

_WHOLE = 25  # up to this many related items, all are embedded
_PART = 10  # otherwise this many
_ALWAYS = ("education_levels", "grades")  # the only list that is shown even if empty

Narrow: TypeAlias = "Callable[[int, int], bool]"
"""Whether to show a related row: takes the row and the related row."""

Tree: TypeAlias = "dict[str, Tree]"
"""Names of properties; an empty tree means the complete value."""


@frozen
class Fields:
    """The content of `fields[type]`.

    Args:
        tree: The properties; None if everything is requested.
        relations: The relationships, in the order of the table.
        asked: Whether any field is requested.
    """

    tree: Tree | None
    relations: tuple[str, ...]
    asked: bool = True

    @classmethod
    def parse(cls, text: str | None, rows: Rows) -> Fields:
        """Parse the parameter.

        Raises:
            ValueError: A property does not exist.
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
            elif rows.has(name):
                _plant(tree, name.split("."))
            elif not (name == "id" or name.endswith(".id")):  # ids are ignored among other fields
                raise ValueError(name)
        return cls(tree, tuple(name for name in rows.relations if name in relations), bool(names))


def _plant(tree: Tree, names: list[str]) -> None:
    """Add a path. A complete value wins over its parts, in either order."""
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
        # An empty list is omitted if only a part of its elements was requested.
        if part == [] and inner and (*trail, name) != _ALWAYS:
            continue
        shown[name] = _project(part, inner, (*trail, name))
    return shown


class Projector:
    """Converter from rows to JSON:API objects for one request.

    Args:
        origin: The origin that links use.
        hidden: Relationships and properties that are not licensed.
        narrowed: Conditions for related rows, by relationship.
    """

    def __init__(
        self,
        rows: Rows,
        book: Book,
        origin: str,
        hidden: AbstractSet[str],
        narrowed: Mapping[str, Narrow],
    ) -> None:
        self._rows, self._book = rows, book
        self._origin, self._hidden, self._narrowed = origin, hidden, narrowed

    def show(self, row: int, fields: Fields) -> dict[str, Any]:
        """Show one object; only type and id if no fields are requested."""
        guid = self._rows.guid(row)
        shown: dict[str, Any] = {"type": self._rows.name, "id": guid}
        if not fields.asked:
            return shown
        if fields.tree is None or fields.tree:
            attributes = self._rows.attributes(row, self._origin)
            for name in self._hidden & attributes.keys():
                del attributes[name]
            shown["attributes"] = _project(attributes, fields.tree or {})
        url = f"{self._origin}/rest/v4.1/{self._rows.name}/{guid}"
        absent = self._rows.absent(row)
        relations = {
            name: self._relation(row, f"{url}/{name}", name)
            for name in fields.relations
            if name not in self._hidden and name not in absent
        }
        if relations:
            shown["relationships"] = relations
        return shown

    def embedded(self, row: int, relation: str) -> tuple[Sequence[int], int]:
        """Return the related rows that an object shows, and the count of all."""
        others = self._rows.linked(row, relation)
        fits = self._narrowed.get(relation)
        if fits is not None:
            others = [other for other in others if fits(row, other)]
        if self._rows.cut is not None:
            others = others[: self._rows.cut]
        return (others if len(others) <= _WHOLE else others[:_PART]), len(others)

    def _relation(self, row: int, related: str, name: str) -> dict[str, Any]:
        special = self._rows.shown(row, name, related)
        if special is not None:
            return special
        others, count = self.embedded(row, name)
        if name in self._rows.to_one:
            if not others:
                return {"data": {}}
            return {"data": self.identifier(row, others[0], name), "links": {"related": related}}
        if not others:
            return {"data": []}
        links = {"related": related}
        if count > _WHOLE:
            links["next"] = f"{related}?offset={_PART}"
            links["last"] = f"{related}?offset={(count - 1) // _PART * _PART}"
        return {"data": [self.identifier(row, other, name) for other in others], "links": links}

    def identifier(self, row: int, other: int, relation: str) -> dict[str, Any]:
        """Return type and id of a related object, with the properties of the relation."""
        target = self._rows.targets[relation]
        found: dict[str, Any] = {"type": target, "id": self._book[target].guid(other)}
        meta = self._rows.meta(row, other, relation)
        if meta is not None:
            found["meta"] = meta
        return found


_CUT = 10_000
_MEMBERS = {
    "document": ("guid", "descr", "adopt_year"),
    "document.publication": ("guid", "descr", "title", "acronym"),
    "document.publication.authorities": ("guid", "descr", "acronym"),
    "section": ("guid", "descr", "seq"),
    "disciplines.subjects": ("guid", "descr", "code"),
    "education_levels.grades": ("guid", "descr", "code", "seq"),
    "education_levels.ece_ages": ("guid", "descr", "seq"),
    "topics": ("guid", "descr", "parent_descr"),
    "concepts": ("guid", "descr", "context"),
}


def _groups(rows: Rows, found: Iterable[int], name: str) -> dict[str, tuple[Any, int]]:
    """Return the values of a facet by key, each with the number of rows that have it."""
    groups: dict[str, tuple[Any, int]] = {}
    memory: dict[int, list[Any]] = {}
    for row in found:
        for value in _facet_values(rows, row, name, memory):
            members = mapping(value)
            key = str(value if members is None else members["guid"])
            groups[key] = (value, groups.get(key, (value, 0))[1] + 1)
    return groups


def _facet_values(rows: Rows, row: int, name: str, memory: dict[int, list[Any]]) -> list[Any]:
    """Return the values of a facet; rows that are `alike` share them, so one is read."""
    key = rows.alike(row)
    if key not in memory:
        memory[key] = rows.facet_values(row, name)
    return memory[key]


def facet_count(rows: Rows, found: Iterable[int], name: str) -> dict[str, Any]:
    """Return a facet summary: the number of values."""
    return {"facet": name, "count": len(_groups(rows, found, name))}


def facet(rows: Rows, found: Iterable[int], name: str) -> dict[str, Any]:
    """Return a facet: at most 10,000 values, most frequent first; `count` is that of all."""
    groups = _groups(rows, found, name)
    shown = _MEMBERS.get(name, ("guid", "descr"))
    details: list[dict[str, Any]] = []
    for _, (value, count) in sorted(groups.items(), key=lambda pair: (-pair[1][1], pair[0])):
        members = mapping(value)
        # Documents of topics have fewer members than documents of standards.
        data = value if members is None else {key: members[key] for key in shown if key in members}
        details.append({"count": count, "data": data})
    return {"facet": name, "count": len(groups), "details": details[:_CUT]}
