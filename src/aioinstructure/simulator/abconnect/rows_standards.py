"""Standards, topics, concepts and events as rows, independent of HTTP and JSON:API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from aioinstructure.simulator.abconnect import standard_details as extras
from aioinstructure.simulator.abconnect.filters import (
    And,
    Compare,
    Expr,
    compile_filter,
    paths_of,
)
from aioinstructure.simulator.abconnect.relations import RELATIONS
from aioinstructure.simulator.abconnect.rows_base import (
    Book,
    Rows,
    flat,
    same,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aioinstructure.simulator.abconnect.standards import Standards
    from aioinstructure.simulator.world import Event, World

__all__ = ["ALIGNED", "ConceptRows", "EventRows", "StandardRows", "TopicRows"]

ALIGNED = frozenset(
    [
        "ancestors.id",
        "concepts.context",
        "concepts.descr",
        "disciplines.subjects.descr",
        "disciplines.subjects.guid",
        "document.disciplines.subjects.descr",
        "document.disciplines.subjects.guid",
        "document.descr",
        "document.guid",
        "document.id",
        "document.publication.descr",
        "document.publication.guid",
        "document.publication.authorities.descr",
        "document.publication.authorities.guid",
        "document.publication.regions.descr",
        "document.publication.regions.guid",
        "education_levels.grades.descr",
        "education_levels.grades.guid",
        "number.raw",
        "number.enhanced",
        "number.prefix_enhanced",
        "section.guid",
        "section.id",
        "section.descr",
        "status",
        "statement.descr",
        "topics.descr",
    ]
)
"""Properties of standards that filters of other resources can use."""

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
_OF_SECTION = ("document.", "section.", "disciplines.subjects.", "education_levels.grades.")
_WORDED = frozenset({"descr", "context"})


class StandardRows(Rows):
    """The standards. Common filter paths are read without building the complete standard."""

    name = "standards"
    targets: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(RELATIONS, "standards"),
        "topics": "topics",
        "concepts": "concepts",
    }
    to_one = frozenset({"parent"})
    through: ClassVar[Mapping[str, frozenset[str]]] = {
        "concepts": _WORDED,
    }
    lifted_by = "status"
    facets = (
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
    )
    texts = (
        "statement.descr",
        "statement.combined_descr",
        "statement.addendums.descr",
        "extensions.descr",
        "legends.descr",
        "concepts.descr",
        "concepts.context",
    )

    def __init__(self, book: Book, standards: Standards) -> None:
        super().__init__(book)
        self._standards = standards
        self._sections = standards.sections()
        self.known = frozenset(flat(standards.attributes(0, ""))) | frozenset(_EXTRA.split())
        self._quick: dict[str, Callable[[int, Sequence[str]], Sequence[Any]]] = {
            "status": lambda row, _: (standards.status(row),),
            "seq": lambda row, _: (standards.slot(row).seq,),
            "level": lambda row, _: (standards.slot(row).level,),
            "date_modified_utc": lambda row, _: (standards.modified(row),),
            "statement": lambda row, names: walk(extras.statement(row, standards.slot(row)), names),
            "legends": lambda row, names: walk(extras.legends(row, standards.slot(row)), names),
            "extensions": lambda row, names: walk(standards.extensions(row), names),
            "number": lambda row, names: walk(standards.number(row), names),
            "disciplines": lambda row, names: walk(standards.disciplines(row), names),
            "education_levels": lambda row, names: walk(standards.education_levels(row), names),
            "section": lambda row, names: walk(standards.section_of(row), names),
            "document": lambda row, names: walk(standards.document_of(row), names),
        }

    def numbers(self) -> range:
        """Return the numbers of all rows."""
        return range(self._standards.count)

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._standards.guid(row)

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        return self._standards.index_of(guid)

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row."""
        return self._standards.attributes(row, origin)

    def related(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows of a relation."""
        if relation == "topics":
            return self._standards.taxonomy.topics_of(row)
        if relation == "concepts":
            return self._standards.taxonomy.concepts_of(row)
        return self._standards.relations.related(row, relation)

    def meta(self, row: int, other: int, relation: str) -> dict[str, str] | None:
        """Return whether text and concepts are the same, for relations that compare them."""
        return self._standards.relations.relation_meta(row, other, relation)

    def usual(self, row: int) -> bool:
        """Whether it is not deleted: lists omit deleted rows unless the filter uses the status."""
        return self._standards.status(row) != "deleted"

    def withholds(self) -> bool:
        """Whether a document or section is not licensed."""
        return bool(self._standards.withheld)

    def readable(self, row: int) -> bool:
        """Whether its section is licensed."""
        return self._standards.readable(row)

    def values(self, row: int, path: str) -> Sequence[Any]:
        """Return all values at a path."""
        head, _, tail = path.partition(".")
        quick = self._quick.get(head)
        if quick is None or row in self._standards.patches:
            return super().values(row, path)
        return quick(row, same(tail).split(".") if tail else ())

    def facet_values(self, row: int, name: str) -> list[Any]:
        """Return the values of a facet in one row."""
        return list(self.values(row, name))

    def alike(self, row: int) -> int:
        """Return the number of its topmost ancestor, or a unique one if it was edited."""
        standards = self._standards
        if row in standards.patches:
            return -1 - row
        slot = standards.slot(row)
        while slot.parent >= 0:
            slot = standards.plan[slot.parent]
        return row - row % standards.size + slot.place

    def candidates(self, expr: Expr) -> set[int] | None:
        """Use the required terms on ids, parents, and properties that all of a section shares."""
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
        """Check one standard of each section; edited ones can differ from the others."""
        patches = self._standards.patches
        fits = compile_filter(expr, lambda _get, _call: 0)
        found = set(patches)
        for _, _, numbers in self._sections:
            plain = next((row for row in numbers if row not in patches), numbers[0])
            if fits(partial(self.values, plain)):
                found.update(numbers)
        return found


class TopicRows(Rows):
    """The topics: branches and the topics below them."""

    name = "topics"
    targets: ClassVar[Mapping[str, str]] = {
        "parent": "topics",
        "children": "topics",
        "standards": "standards",
    }
    to_one = frozenset({"parent"})
    facets = ("document", "section")
    texts = ("descr", "section.descr")

    def __init__(self, book: Book, standards: Standards) -> None:
        super().__init__(book)
        self._taxonomy = standards.taxonomy
        self._guids = {
            self._taxonomy.topic_guid(row).lower(): row for row in range(len(self._taxonomy.topics))
        }
        self.known = frozenset(flat(self._taxonomy.topic_attributes(0, "")))

    def numbers(self) -> range:
        """Return the numbers of all rows."""
        return range(len(self._taxonomy.topics))

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._taxonomy.topic_guid(row)

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        return self._guids.get(guid.lower())

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row."""
        return self._taxonomy.topic_attributes(row, origin)

    def related(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows of a relation."""
        if relation == "parent":
            return self._taxonomy.topic_parent(row)
        if relation == "children":
            return self._taxonomy.topic_children(row)
        return self._taxonomy.topic_standards(row)


class ConceptRows(Rows):
    """The concepts. They have no relations; standards and assets are related to them."""

    name = "concepts"
    facets = ("disciplines.subjects",)  # the documentation does not list them
    texts = ("descr", "context")

    def __init__(self, book: Book, standards: Standards) -> None:
        super().__init__(book)
        self._taxonomy = standards.taxonomy
        count = len(self._taxonomy.concepts)
        self._guids = {self._taxonomy.concept_guid(row).lower(): row for row in range(count)}
        self.known = frozenset(flat(self._taxonomy.concept_attributes(0)))

    def numbers(self) -> range:
        """Return the numbers of all rows."""
        return range(len(self._taxonomy.concepts))

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._taxonomy.concept_guid(row)

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        return self._guids.get(guid.lower())

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row; none is a URL."""
        del origin
        return self._taxonomy.concept_attributes(row)


class EventRows(Rows):
    """The events; the number of a row is its position in the feed."""

    name = "events"
    targets: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("standard", "deleted_standard", "nondeliverable_standard"), "standards"
    )
    to_one = frozenset(targets)
    through: ClassVar[Mapping[str, frozenset[str]]] = {"standard": ALIGNED}
    facets = ("change_type", "target")  # not documented
    known = frozenset(
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

    def __init__(self, book: Book, world: World) -> None:
        super().__init__(book)
        self._world = world

    def _event(self, row: int) -> Event:
        return self._world.events[row]

    def numbers(self) -> range:
        """Return the numbers of all rows."""
        return range(len(self._world.events))

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._event(row).guid

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        wanted = guid.lower()
        events = enumerate(self._world.events)
        return next((row for row, event in events if event.guid == wanted), None)

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row; none is a URL."""
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
        """Return the standard, as `nondeliverable_standard` if it can no longer be read.

        `deleted_standard` is always empty, as in the real feed.
        """
        standard = self._event(row).standard
        if standard is None:
            return []
        readable = self._world.standards.readable(standard)
        return [standard] if relation == ("standard" if readable else _NONDELIVERABLE) else []

    def linked(self, row: int, relation: str) -> list[int]:
        """Return the standard even if it is not licensed: the feed shows what to purge."""
        return self.related(row, relation)

    def values(self, row: int, path: str) -> Sequence[Any]:
        """Return all values at a path."""
        return (self._event(row).seq,) if path == "seq" else super().values(row, path)


_NONDELIVERABLE = "nondeliverable_standard"
