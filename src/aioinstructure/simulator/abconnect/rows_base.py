"""Resources as rows with numbers and values at paths. Knows no HTTP and no JSON:API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from aioinstructure.simulator.coerce import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from aioinstructure.simulator.abconnect.filters import Expr

__all__ = ["Book", "Rows", "flat", "walk"]

Book: TypeAlias = "dict[str, Rows]"
"""All resources by type: relations lead from one to another."""


def walk(value: Any, names: Sequence[str]) -> list[Any]:
    """All values at a path; lists are walked through, nulls and empty objects are no values."""
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
    """All property names of an object, those of whole objects included."""
    if (elements := listed(value)) is not None:
        return {name for inner in elements for name in flat(inner, prefix)}
    found: set[str] = set()
    for name, inner in (mapping(value) or {}).items():
        path = f"{prefix}{name}"
        found |= {path} | flat(inner, f"{path}.")
    return found


def same(path: str) -> str:
    """`document.id` and `document.guid` are the same."""
    return f"{path[:-2]}guid" if path.endswith(".id") or path == "id" else path


class Rows:
    """What can be searched and shown: one resource.

    Attributes:
        name: The resource type.
        targets: The relationships in order, each with the type it leads to.
        to_one: Those with at most one object.
        through: What of the other end a filter may name, by relationship.
        lifted_by: The property whose mention in a filter lets `usual` no longer count.
        facets: The names of the facets that every request may ask for.
        texts: The properties that a query without a property looks at.
        known: The names of all properties.
        cut: How many related objects are shown at most, where it is not the rule of all.
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

    # What each resource has of its own.

    def numbers(self) -> Iterable[int]:
        """The numbers of all rows; none where there is no list."""
        return ()

    def guid(self, row: int) -> str:
        """The id of a row."""
        raise NotImplementedError

    def row_of(self, guid: str) -> int | None:
        """The row of an id in any case."""
        raise NotImplementedError

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Everything a row has; URLs in it are on the origin."""
        raise NotImplementedError

    def related(self, row: int, relation: str) -> Sequence[int]:
        """The numbers of the other end of a relation, licensed or not."""
        raise NotImplementedError

    # What most have in common.

    def meta(self, row: int, other: int, relation: str) -> Mapping[str, Any] | None:
        """The properties of a relation; None where it has none."""
        del row, other, relation
        return None

    def absent(self, row: int) -> Collection[str]:
        """Relationships that this row does not show at all."""
        del row
        return ()

    def shown(self, row: int, relation: str, url: str) -> dict[str, Any] | None:
        """A relationship object of its own kind; None for one like all others."""
        del row, relation, url
        return None

    def usual(self, row: int) -> bool:
        """Whether lists show it by default."""
        del row
        return True

    def withholds(self) -> bool:
        """Whether anything is out of licence at all."""
        return False

    def readable(self, row: int) -> bool:
        """Whether it is in the licence."""
        del row
        return True

    def alike(self, row: int) -> int:
        """A number that only rows share whose values of all facets are the same."""
        return row

    def candidates(self, expr: Expr) -> set[int] | None:
        """Rows that may fit, or None for all; spares looking at each."""
        del expr
        return None

    def paths(self) -> frozenset[str]:
        """All property names, relations not included."""
        return self.known

    def has(self, path: str) -> bool:
        """Whether it is a property, as fields may name it."""
        return path in self.paths()

    def searched(self, row: int, relation: str) -> Sequence[int]:
        """The other end of a relation as far as its texts are searched."""
        return self.linked(row, relation)

    def facet_values(self, row: int, name: str) -> list[Any]:
        """The values of a facet in one row."""
        return walk(self.attributes(row, ""), name.split("."))

    def all_facets(self) -> tuple[str, ...]:
        """The facets there are now."""
        return self.facets

    @property
    def relations(self) -> tuple[str, ...]:
        """All relationships."""
        return tuple(self.targets)

    def linked(self, row: int, relation: str) -> Sequence[int]:
        """The other end of a relation as far as it is in the licence."""
        others = self.related(row, relation)
        target = self._book[self.targets[relation]]
        if not target.withholds():
            return others
        return [other for other in others if target.readable(other)]

    def values(self, row: int, path: str) -> Sequence[Any]:
        """All values at a path of a row."""
        if path in {"guid", "id"}:
            return (self.guid(row),)
        head, _, tail = path.partition(".")
        if head in self.targets:
            return self._through(row, head, tail)
        return walk(self.attributes(row, ""), same(path).split("."))

    def _through(self, row: int, relation: str, tail: str) -> Sequence[Any]:
        """Values of the other end, or of the relation itself."""
        if tail.startswith("meta."):
            names = tail.split(".")[1:]
            others = self.linked(row, relation)
            return [leaf for one in others for leaf in walk(self.meta(row, one, relation), names)]
        target = self._book[self.targets[relation]]
        if tail in {"", "id", "guid"}:
            return [target.guid(other) for other in self.linked(row, relation)]
        # What standards call by a shorter name.
        tail = tail.replace("document.disciplines.subjects.", "disciplines.subjects.")
        others = self.searched(row, relation)
        return [value for other in others for value in target.values(other, tail)]
