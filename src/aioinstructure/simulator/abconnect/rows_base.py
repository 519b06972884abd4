"""Resources as numbered rows with values at paths, independent of HTTP and JSON:API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from aioinstructure.simulator.coerce import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from aioinstructure.simulator.abconnect.filters import Expr

__all__ = ["Book", "Rows", "flat", "walk"]

Book: TypeAlias = "dict[str, Rows]"
"""All resources by type; relations connect them."""


def walk(value: Any, names: Sequence[str]) -> list[Any]:
    """Return all values at a path, also inside lists; omit nulls and empty objects."""
    for at, name in enumerate(names):
        if (elements := listed(value)) is not None:
            rest = names[at:]
            return [leaf for inner in elements for leaf in walk(inner, rest)]
        members = mapping(value)
        value = None if members is None else members.get(name)
    if (elements := listed(value)) is not None:
        return [leaf for inner in elements for leaf in walk(inner, ())]
    return [] if value is None or value == {} else [value]


def flat(value: Any, prefix: str = "") -> set[str]:
    """Return all property paths of an object, including those of nested objects."""
    if (elements := listed(value)) is not None:
        return {name for inner in elements for name in flat(inner, prefix)}
    found: set[str] = set()
    for name, inner in (mapping(value) or {}).items():
        path = f"{prefix}{name}"
        found |= {path} | flat(inner, f"{path}.")
    return found


def same(path: str) -> str:
    """Normalize a path: `document.id` is the same as `document.guid`."""
    return f"{path[:-2]}guid" if path.endswith(".id") or path == "id" else path


class Rows:
    """The rows of one resource.

    Attributes:
        name: The resource type.
        targets: The relationships in order, each with its target type.
        to_one: Relationships with at most one object.
        through: Properties of the related objects that a filter can use, by relationship.
        lifted_by: If a filter uses this property, `usual` does not apply.
        facets: The names of the facets that are always available.
        texts: The properties that a query without a property searches.
        known: The names of all properties.
        cut: The maximum of related objects to show, if it differs from the general rule.
    """

    name: str = ""
    targets: ClassVar[Mapping[str, str]] = {}
    to_one: frozenset[str] = frozenset()
    through: ClassVar[Mapping[str, frozenset[str]]] = {}
    lifted_by: str = ""
    facets: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    cut: int | None = None

    def __init__(self, book: Book) -> None:
        self._book = book
        book[self.name] = self

    # Specific to each resource.

    def numbers(self) -> Iterable[int]:
        """Return the numbers of all rows; none if the resource has no list."""
        return ()

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        raise NotImplementedError

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        raise NotImplementedError

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row; URLs in them start with `origin`."""
        raise NotImplementedError

    def related(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows of a relation, licensed or not."""
        raise NotImplementedError

    # Common to most resources.

    def meta(self, row: int, other: int, relation: str) -> Mapping[str, Any] | None:
        """Return the properties of a relation; None if it has none."""
        del row, other, relation
        return None

    def absent(self, row: int) -> Collection[str]:
        """Return the relationships that this row does not show at all."""
        del row
        return ()

    def shown(self, row: int, relation: str, url: str) -> dict[str, Any] | None:
        """Return a special relationship object; None for the general form."""
        del row, relation, url
        return None

    def usual(self, row: int) -> bool:
        """Whether lists show the row by default."""
        del row
        return True

    def withholds(self) -> bool:
        """Whether any row is not licensed."""
        return False

    def readable(self, row: int) -> bool:
        """Whether the row is licensed."""
        del row
        return True

    def alike(self, row: int) -> int:
        """Return a number that only rows with the same values of all facets share."""
        return row

    def candidates(self, expr: Expr) -> set[int] | None:
        """Return the rows that can match, or None for all; avoids checking each row."""
        del expr
        return None

    def paths(self) -> frozenset[str]:
        """Return all property names, without relations."""
        return self.known

    def has(self, path: str) -> bool:
        """Whether it is a property that `fields` can use."""
        return path in self.paths()

    def searched(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows that text searches include."""
        return self.linked(row, relation)

    def facet_values(self, row: int, name: str) -> list[Any]:
        """Return the values of a facet in one row."""
        return walk(self.attributes(row, ""), name.split("."))

    def all_facets(self) -> tuple[str, ...]:
        """Return the facets that are currently available."""
        return self.facets

    @property
    def relations(self) -> tuple[str, ...]:
        """All relationships."""
        return tuple(self.targets)

    def linked(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows that are licensed."""
        others = self.related(row, relation)
        target = self._book[self.targets[relation]]
        if not target.withholds():
            return others
        return [other for other in others if target.readable(other)]

    def values(self, row: int, path: str) -> Sequence[Any]:
        """Return all values at a path of a row."""
        if path in {"guid", "id"}:
            return (self.guid(row),)
        head, _, tail = path.partition(".")
        if head in self.targets:
            return self._through(row, head, tail)
        return walk(self.attributes(row, ""), same(path).split("."))

    def _through(self, row: int, relation: str, tail: str) -> Sequence[Any]:
        """Return values of the related rows, or of the relation itself."""
        if tail.startswith("meta."):
            names = tail.split(".")[1:]
            others = self.linked(row, relation)
            return [leaf for one in others for leaf in walk(self.meta(row, one, relation), names)]
        target = self._book[self.targets[relation]]
        if tail in {"", "id", "guid"}:
            return [target.guid(other) for other in self.linked(row, relation)]
        # Standards have a shorter path for this.
        tail = tail.replace("document.disciplines.subjects.", "disciplines.subjects.")
        others = self.searched(row, relation)
        return [value for other in others for value in target.values(other, tail)]
