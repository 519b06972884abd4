"""Standards and events as rows with numbers and values at paths. Knows no HTTP and no JSON:API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from .filters import And, Compare, Expr, compile_filter, paths_of
from .standards import RELATIONS, Standards
from .values import listed, mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .world import Event, World

__all__ = ["EventRows", "Rows", "StandardRows", "walk"]


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


class Rows(Protocol):
    """What can be searched and shown.

    Attributes:
        name: The resource type.
        to_one: The relationships with at most one object.
        relations: All relationships.
        hides_deleted: Whether lists leave out what is deleted, unless the filter names `status`.
    """

    name: str
    to_one: frozenset[str]
    relations: tuple[str, ...]
    hides_deleted: bool

    def count(self) -> int:
        """How many rows there are."""
        ...

    def guid(self, row: int) -> str:
        """The id of a row."""
        ...

    def row_of(self, guid: str) -> int | None:
        """The row of an id in any case."""
        ...

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Everything a row has; URLs in it are on the origin."""
        ...

    def related(self, row: int, relation: str) -> list[int]:
        """The numbers of related standards."""
        ...

    def paths(self) -> frozenset[str]:
        """All property names, relations not included."""
        ...

    def values(self, row: int, path: str) -> Sequence[Any]:
        """All values at a path of a row."""
        ...

    def alike(self, row: int) -> int:
        """A number that only rows share whose document, section and strand are the same."""
        ...

    def candidates(self, expr: Expr) -> set[int] | None:
        """Rows that may fit, or None for all; spares looking at each."""
        ...


def _flat(value: Any, prefix: str = "") -> set[str]:
    """All property names of an object, those of whole objects included."""
    if (elements := listed(value)) is not None:
        return {name for inner in elements for name in _flat(inner, prefix)}
    found: set[str] = set()
    for name, inner in (mapping(value) or {}).items():
        path = f"{prefix}{name}"
        found |= {path} | _flat(inner, f"{path}.")
    return found


_EXTRA = """
    statement.addendums.descr statement.addendums.position statement.addendums.seq
    statement.addendums.add_context utilizations.type utilizations.guid legends.symbol
    legends.symbol_position legends.descr extensions.type extensions.guid extensions.descr
    key_ideas.guid key_ideas.concepts key_ideas.concepts.guid key_ideas.concepts.descr
    disciplines.genres.guid disciplines.genres.code disciplines.genres.descr
    disciplines.ece_domains.guid disciplines.ece_domains.code disciplines.ece_domains.descr
    education_levels.ece_ages.guid education_levels.ece_ages.descr
    education_levels.ece_ages.seq
"""
_EXTRA_PATHS = frozenset(_EXTRA.split())
_OF_SECTION = ("document.", "section.", "disciplines.subjects.", "education_levels.grades.")


def _same(path: str) -> str:
    """`document.id` and `document.guid` are the same."""
    return f"{path[:-2]}guid" if path.endswith(".id") or path == "id" else path


class StandardRows:
    """The standards. Paths that filters like are read without making the whole standard."""

    name = "standards"
    to_one = frozenset({"parent"})
    relations: tuple[str, ...] = RELATIONS
    hides_deleted = True

    def __init__(self, standards: Standards) -> None:
        self._standards = standards
        self._paths: frozenset[str] | None = None
        self._sections = standards.sections()
        self._quick: dict[str, Callable[[int, Sequence[str]], Sequence[Any]]] = {
            "status": lambda row, _: (standards.status(row),),
            "seq": lambda row, _: (standards.slot(row).seq,),
            "level": lambda row, _: (standards.slot(row).level,),
            "date_modified_utc": lambda row, _: (standards.modified(row),),
            "statement": self._statement,
            "number": lambda row, names: walk(standards.number(row), names),
            "section": lambda row, names: walk(standards.section_of(row), names),
            "document": lambda row, names: walk(standards.document_of(row), names),
        }

    def count(self) -> int:
        """How many there are."""
        return self._standards.count

    def guid(self, row: int) -> str:
        """The id of one."""
        return self._standards.guid(row)

    def row_of(self, guid: str) -> int | None:
        """The number of an id in any case."""
        return self._standards.index_of(guid)

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Everything one has."""
        return self._standards.attributes(row, origin)

    def related(self, row: int, relation: str) -> list[int]:
        """The other ends of a relation."""
        return self._standards.related(row, relation)

    def paths(self) -> frozenset[str]:
        """All property names."""
        if self._paths is None:
            first = self._standards.attributes(0, "") if self.count() else {}
            self._paths = frozenset(_flat(first)) | _EXTRA_PATHS
        return self._paths

    def values(self, row: int, path: str) -> Sequence[Any]:
        """All values at a path."""
        standards = self._standards
        head, _, tail = path.partition(".")
        if path in {"guid", "id"}:
            return (standards.guid(row),)
        if head in RELATIONS:
            return [standards.guid(other) for other in standards.related(row, head)]
        quick = self._quick.get(head)
        if quick is None or row in standards.patches:
            return walk(standards.attributes(row, ""), _same(path).split("."))
        return quick(row, _same(tail).split(".") if tail else ())

    def _statement(self, row: int, names: Sequence[str]) -> Sequence[Any]:
        text = self._standards.slot(row).text
        return walk({"descr": text, "combined_descr": text}, names)

    def alike(self, row: int) -> int:
        """The number of its ancestor at the top, or one of its own if it was edited."""
        standards = self._standards
        if row in standards.patches:
            return -1 - row
        slot = standards.slot(row)
        while slot.parent >= 0:
            slot = standards.plan[slot.parent]
        return row - row % standards.size + slot.place

    def candidates(self, expr: Expr) -> set[int] | None:
        """Follows the terms that all must hold: ids, parents, and what a whole section shares."""
        terms = expr.parts if isinstance(expr, And) else (expr,)
        shared: list[Expr] = []
        for term in terms:
            if isinstance(term, Compare) and term.op in {"eq", "in"}:
                if term.path in {"id", "guid"}:
                    return self._rows_of(term)
                if term.path == "parent.id":
                    children = self._standards.children
                    return {row for parent in self._rows_of(term) for row in children(parent)}
            if paths_of(term) and all(path.startswith(_OF_SECTION) for path in paths_of(term)):
                shared.append(term)
        return self._of_sections(And(tuple(shared))) if shared else None

    def _rows_of(self, term: Compare) -> set[int]:
        rows = (self.row_of(str(value)) for value in term.values)
        return {row for row in rows if row is not None}

    def _of_sections(self, expr: Expr) -> set[int]:
        """Looks at one standard of each section; edited ones may differ from the others."""
        patches = self._standards.patches
        fits = compile_filter(expr, lambda _get, _call: 0)
        found = set(patches)
        for _, _, numbers in self._sections:
            plain = next((row for row in numbers if row not in patches), numbers[0])
            if fits(partial(self.values, plain)):
                found.update(numbers)
        return found


class EventRows:
    """The events; a row's number is its place in the feed."""

    name = "events"
    to_one = frozenset({"standard", "deleted_standard", "nondeliverable_standard"})
    relations: tuple[str, ...] = ("standard", "deleted_standard", "nondeliverable_standard")
    hides_deleted = False

    def __init__(self, world: World) -> None:
        self._world = world

    def _event(self, row: int) -> Event:
        return self._world.events[row]

    def count(self) -> int:
        """How many there are."""
        return len(self._world.events)

    def guid(self, row: int) -> str:
        """The id of one."""
        return self._event(row).guid

    def row_of(self, guid: str) -> int | None:
        """The number of an id in any case."""
        wanted = guid.lower()
        events = enumerate(self._world.events)
        return next((row for row, event in events if event.guid == wanted), None)

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Everything one has; nothing of it is a URL."""
        del origin
        event = self._event(row)
        return {
            "guid": event.guid,
            "seq": event.seq,
            "date_utc": event.date_utc,
            "change_type": event.change_type,
            "target": event.target,
            "document_guid": event.document_guid,
            "section_guid": event.section_guid,
            "affected_properties": event.affected,
        }

    def related(self, row: int, relation: str) -> list[int]:
        """The standard, or nothing: the other two relations are never filled by the real feed."""
        standard = self._event(row).standard
        return [standard] if relation == "standard" and standard is not None else []

    def paths(self) -> frozenset[str]:
        """All property names."""
        return _EVENT_PATHS

    def values(self, row: int, path: str) -> Sequence[Any]:
        """All values at a path."""
        if path == "seq":
            return (self._event(row).seq,)
        head = path.partition(".")[0]
        if head in self.relations:
            return [self._world.standards.guid(other) for other in self.related(row, head)]
        return walk(self.attributes(row, ""), ("guid",) if path == "id" else path.split("."))

    def alike(self, row: int) -> int:
        """Every event is one of its kind."""
        return row

    def candidates(self, expr: Expr) -> set[int] | None:
        """All of them: there are few."""
        del expr
        return None


_OF_EVENT = """
    guid seq date_utc change_type target document_guid section_guid affected_properties
    affected_properties.name affected_properties.previous_value
    affected_properties.new_value
"""
_EVENT_PATHS = frozenset(_OF_EVENT.split())
