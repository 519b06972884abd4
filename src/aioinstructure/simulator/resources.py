"""Standards and events as tables that can be searched. Knows no HTTP and no JSON:API."""

from __future__ import annotations

import re
from array import array
from collections import OrderedDict
from typing import Any, TYPE_CHECKING

from .filters import And, Call, Compare, Expr, Getter, compile_filter, paths_of, words_of
from .standards import RELATIONS, Standards
from .values import listed, mapping

if TYPE_CHECKING:
    from .world import Event, World
    from collections.abc import Iterable, Sequence

__all__ = ["EventTable", "StandardTable", "Table", "walk"]

_QUERY_PATHS = ("statement.descr", "statement.combined_descr", "legends.descr", "extensions.descr")
_REMEMBERED = 64


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


def _flat(value: Any, prefix: str = "") -> set[str]:
    """All property names of an object, those of whole objects included."""
    if (elements := listed(value)) is not None:
        return {name for inner in elements for name in _flat(inner, prefix)}
    found: set[str] = set()
    for name, inner in (mapping(value) or {}).items():
        path = f"{prefix}{name}"
        found |= {path} | _flat(inner, f"{path}.")
    return found


class Table:
    """Rows with numbers, found by filters and brought into order."""

    name = ""
    to_one: frozenset[str] = frozenset()
    relations: tuple[str, ...] = ()
    hides_deleted = False

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str], array[int]] = OrderedDict()
        self._order: array[int] | None = None

    # What a table must tell.

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def guid(self, row: int) -> str:
        """The id of a row."""
        raise NotImplementedError

    def row_of(self, guid: str) -> int | None:
        """The row of an id in any case."""
        raise NotImplementedError

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Everything a row has."""
        raise NotImplementedError

    def related(self, row: int, relation: str) -> list[int]:
        """The numbers of related standards."""
        raise NotImplementedError

    def paths(self) -> frozenset[str]:
        """All property names, relations not included."""
        raise NotImplementedError

    def values(self, row: int, path: str) -> Sequence[Any]:
        """All values at a path of a row."""
        return walk(self.attributes(row, ""), path.split("."))

    # What follows.

    def known(self, path: str) -> bool:
        """Whether a filter or sort may name it."""
        head, _, tail = path.partition(".")
        if head in self.relations:
            return tail in {"", "id", "guid"} or tail.startswith("meta.") or path in self.paths()
        return path == "id" or path in self.paths() or path.endswith(".id")

    def forget(self) -> None:
        """Drops what was remembered, after a change."""
        self._found.clear()
        self._order = None

    def order(self) -> array[int]:
        """All rows by the bytes of their ids."""
        if self._order is None:
            self._order = array("I", sorted(range(self.count()), key=self.guid))
        return self._order

    def candidates(self, _expr: Expr) -> set[int] | None:
        """Rows that may fit, or None for all; spares looking at each."""
        return None

    def find(self, expr: Expr | None, text: str, sort: Sequence[str]) -> array[int]:
        """The rows that fit, in order. `text` stands for `expr` where results are remembered."""
        key = (text, ",".join(sort))
        found = self._found.get(key)
        if found is None:
            found = self._find(expr, sort)
            self._found[key] = found
            if len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)
        else:
            self._found.move_to_end(key)
        return found

    def _find(self, expr: Expr | None, sort: Sequence[str]) -> array[int]:
        hide = self.hides_deleted and (expr is None or "status" not in paths_of(expr))
        few = None if expr is None else self.candidates(expr)
        rows: Iterable[int] = self.order() if few is None else sorted(few, key=self.guid)
        if hide:
            rows = (row for row in rows if "deleted" not in self.values(row, "status"))
        if expr is not None:
            fits = compile_filter(expr, self.score)
            rows = (row for row in rows if fits(self.getter(row)))
        listed = list(rows)
        if sort:
            self.arrange(listed, sort)
        elif expr is not None and (calls := words_of(expr)):
            listed.sort(key=lambda row: -sum(self.score(self.getter(row), call) for call in calls))
        return array("I", listed)

    def getter(self, row: int) -> Getter:
        """A function that gives the values of one row."""
        return lambda path: self.values(row, path)

    def arrange(self, rows: list[int], sort: Sequence[str]) -> None:
        """Sorts by several keys, in place; what has no value comes first."""
        for key in reversed(sort):
            path = key.removeprefix("-")
            if path in {"id", "guid"}:
                rows.sort(key=self.guid, reverse=key.startswith("-"))
            else:
                ranks = {row: _rank(self.values(row, path)) for row in rows}
                rows.sort(key=ranks.__getitem__, reverse=key.startswith("-"))

    def score(self, get: Getter, call: Call) -> int:
        """How well a row fits a query: words found, a phrase ahead of single words."""
        if call.path.startswith("number."):
            wanted = _parts(call.words)
            return max((len(wanted & _parts(str(value))) for value in get(call.path)), default=0)
        paths = (call.path,) if call.path else _QUERY_PATHS
        texts = [str(value).lower() for path in paths for value in get(path)]
        words = [word.removesuffix("s") for word in re.findall(r"\w+", call.words.lower())]
        hits = sum(any(word in text for text in texts) for word in words)
        phrase = any(call.words.lower() in text for text in texts)
        return hits + (len(words) if phrase else 0)


def _rank(values: Sequence[Any]) -> tuple[int, Any]:
    if not values:
        return (0, 0)
    value = values[0]
    return (1, value) if isinstance(value, int | float) else (2, str(value))


def _parts(text: str) -> set[str]:
    return {part.lower() for part in re.split(r"[^0-9A-Za-z]+", text) if part}


_EXTRA_PATHS = frozenset(
    [
        "statement.addendums.descr",
        "statement.addendums.position",
        "statement.addendums.seq",
        "statement.addendums.add_context",
        "utilizations.type",
        "utilizations.guid",
        "legends.symbol",
        "legends.symbol_position",
        "legends.descr",
        "extensions.type",
        "extensions.guid",
        "extensions.descr",
        "key_ideas.guid",
        "key_ideas.concepts",
        "key_ideas.concepts.guid",
        "key_ideas.concepts.descr",
        "disciplines.genres.guid",
        "disciplines.genres.code",
        "disciplines.genres.descr",
        "disciplines.ece_domains.guid",
        "disciplines.ece_domains.code",
        "disciplines.ece_domains.descr",
        "education_levels.ece_ages.guid",
        "education_levels.ece_ages.descr",
        "education_levels.ece_ages.seq",
    ]
)
_OF_SECTION = ("document.", "section.", "disciplines.subjects.", "education_levels.grades.")


class StandardTable(Table):
    """The standards. Paths that filters like are read without making the whole standard."""

    name = "standards"
    to_one = frozenset({"parent"})
    relations = RELATIONS
    hides_deleted = True

    def __init__(self, standards: Standards) -> None:
        super().__init__()
        self._standards = standards
        self._paths: frozenset[str] | None = None
        self._sections = standards.sections()

    @override
    def count(self) -> int:
        return self._standards.count

    @override
    def guid(self, row: int) -> str:
        return self._standards.guid(row)

    @override
    def row_of(self, guid: str) -> int | None:
        return self._standards.index_of(guid)

    @override
    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        return self._standards.attributes(row, origin)

    @override
    def related(self, row: int, relation: str) -> list[int]:
        return self._standards.related(row, relation)

    @override
    def paths(self) -> frozenset[str]:
        if self._paths is None:
            first = self._standards.attributes(0, "") if self.count() else {}
            self._paths = frozenset(_flat(first)) | _EXTRA_PATHS
        return self._paths

    @override
    def values(self, row: int, path: str) -> Sequence[Any]:
        standards = self._standards
        head, _, tail = path.partition(".")
        if path in {"guid", "id"}:
            return (standards.guid(row),)
        if head in RELATIONS:
            return [standards.guid(other) for other in standards.related(row, head)]
        if row in standards.patches:
            return self._slow(row, path)
        if head == "status":
            return (standards.status(row),)
        if head in {"seq", "level"}:
            return (getattr(standards.slot(row), head),)
        if head == "date_modified_utc":
            return (standards.modified(row),)
        edition, slot = row // standards.size, standards.slot(row)
        names = _same(tail).split(".")
        if head == "statement" and tail in {"descr", "combined_descr"}:
            return (slot.text,)
        if head == "number":
            return walk(standards.number(row), names)
        if head == "section":
            return walk(standards.section(edition, slot.section), names)
        if head == "document":
            return walk(standards.document(edition, slot.subject), names)
        return self._slow(row, path)

    def alike(self, row: int) -> int:
        """A number that rows share if their document, section and strand are the same."""
        standards = self._standards
        if row in standards.patches:
            return -1 - row
        slot = standards.slot(row)
        while slot.parent >= 0:
            slot = standards.plan[slot.parent]
        return row - row % standards.size + slot.place

    def _slow(self, row: int, path: str) -> Sequence[Any]:
        attributes = self._standards.attributes(row, "")
        return walk(attributes, _same(path).split("."))

    @override
    def candidates(self, expr: Expr) -> set[int] | None:
        """Follows the terms that all must hold: ids, parents, and what a whole section shares."""
        terms = expr.parts if isinstance(expr, And) else (expr,)
        shared: list[Expr] = []
        for term in terms:
            if isinstance(term, Compare) and term.op in {"eq", "in"}:
                if term.path in {"id", "guid"}:
                    rows = (self.row_of(str(value)) for value in term.values)
                    return {row for row in rows if row is not None}
                if term.path == "parent.id":
                    parents = (self.row_of(str(value)) for value in term.values)
                    return {
                        row
                        for parent in parents
                        if parent is not None
                        for row in self._standards.children(parent)
                    }
            if paths_of(term) and all(path.startswith(_OF_SECTION) for path in paths_of(term)):
                shared.append(term)
        if not shared:
            return None
        fits = compile_filter(And(tuple(shared)), self.score)
        found = set(self._standards.patches)
        for _, _, numbers in self._sections:
            plain = next((row for row in numbers if row not in self._standards.patches), numbers[0])
            if fits(self.getter(plain)):
                found.update(numbers)
        return found


def _same(path: str) -> str:
    """`document.id` and `document.guid` are the same."""
    return f"{path[:-2]}guid" if path.endswith(".id") or path == "id" else path


class EventTable(Table):
    """The events; row and place in the feed are the same."""

    name = "events"
    to_one = frozenset({"standard", "deleted_standard", "nondeliverable_standard"})
    relations = ("standard", "deleted_standard", "nondeliverable_standard")

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def _event(self, row: int) -> Event:
        return self._world.events[row]

    @override
    def count(self) -> int:
        return len(self._world.events)

    @override
    def guid(self, row: int) -> str:
        return self._event(row).guid

    @override
    def row_of(self, guid: str) -> int | None:
        lower = guid.lower()
        return next(
            (row for row, event in enumerate(self._world.events) if event.guid == lower), None
        )

    @override
    def attributes(self, row: int, origin: str) -> dict[str, Any]:
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

    @override
    def related(self, row: int, relation: str) -> list[int]:
        standard = self._event(row).standard
        return [standard] if relation == "standard" and standard is not None else []

    @override
    def paths(self) -> frozenset[str]:
        return _EVENT_PATHS

    @override
    def values(self, row: int, path: str) -> Sequence[Any]:
        event = self._event(row)
        if path == "seq":
            return (event.seq,)
        if path.partition(".")[0] in self.relations:
            rows = self.related(row, path.partition(".")[0])
            return [self._world.standards.guid(other) for other in rows]
        return walk(self.attributes(row, ""), ("guid",) if path == "id" else path.split("."))


_EVENT_PATHS = frozenset(
    [
        "guid",
        "seq",
        "date_utc",
        "change_type",
        "target",
        "document_guid",
        "section_guid",
        "affected_properties",
        "affected_properties.name",
        "affected_properties.previous_value",
        "affected_properties.new_value",
    ]
)
