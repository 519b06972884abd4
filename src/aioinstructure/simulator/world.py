"""The seeded state of both services. Knows nothing of HTTP."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from attrs import define

from .campus import Campus
from .standards import Standards
from .values import mapping

if TYPE_CHECKING:
    from .knobs import Knobs

__all__ = ["Event", "World"]


@define
class Event:
    """One change of AB Connect's data. `standard` is a number in `Standards`, or None."""

    seq: int
    guid: str
    date_utc: str
    change_type: str
    target: str
    document_guid: str | None
    section_guid: str | None
    standard: int | None
    affected: list[dict[str, Any]]


class World:
    """Courses, standards and events. Two of one seed and of equal sizes are equal.

    Args:
        seed: Decides everything.
        knobs: Gives the sizes.
    """

    def __init__(self, seed: int, knobs: Knobs) -> None:
        self.seed = seed
        self.campus = Campus(
            seed,
            courses=knobs.courses,
            modules=knobs.modules_per_course,
            items=knobs.items_per_module,
            students=knobs.students_per_course,
        )
        self.standards = Standards(seed, knobs.standards)
        self._random = Random(f"{seed}:events")  # noqa: S311 -- a world, no secret
        self.events: list[Event] = []
        self._seq = 12_354
        self._minutes = 0
        self._make_events(knobs.events)
        self.version = 0  # counts all changes since it was made
        self.edits = 0  # counts those of standards and events

    def _make_events(self, count: int) -> None:
        """First what was delivered, document by document, then changes of all sorts."""
        documents = sorted(
            {(edition, section // 10) for edition, section, _ in self.standards.sections()}
        )
        for edition, subject in documents[:count]:
            guid = self.standards.document(edition, subject)["guid"]
            self._append("added", "document", guid, None, None, [])
        while len(self.events) < count and self.standards.count:
            self._any_change()

    def _any_change(self) -> None:
        random, standards = self._random, self.standards
        index = random.randrange(standards.count)
        slot, edition = standards.slot(index), index // standards.size
        document = standards.document(edition, slot.subject)["guid"]
        section = standards.section(edition, slot.section)
        kind = random.choice(_CHANGES)
        if kind == "section reordered":
            affected = [_property("section.seq", section["seq"] - 10, section["seq"])]
            self._append("reordered", "section", document, section["guid"], None, affected)
        elif kind == "section added":
            self._append("added", "section", document, section["guid"], None, [])
        else:
            affected = self._affected(kind, index)
            if kind == "deleted":  # what the feed says must be what the standard says
                standards.patches.setdefault(index, {})["status"] = "deleted"
            self._append(kind, "standard", document, section["guid"], index, affected)

    def _affected(self, kind: str, index: int) -> list[dict[str, Any]]:
        slot = self.standards.slot(index)
        if kind == "updated numbering":
            number = self.standards.number(index)["prefix_enhanced"]
            return [_property("number.prefix_enhanced", f"{number}.old", number)]
        if kind == "updated statement":
            return [_property("statement.descr", slot.text.rstrip("."), slot.text)]
        if kind == "updated metadata":
            return [_property("education_levels.grades", [], self.standards.grades(slot.band))]
        if kind == "reordered":
            return [_property("seq", slot.seq + 10, slot.seq)]
        if kind == "deleted":
            return [_property("status", "active", "deleted")]
        return []

    def _append(
        self,
        change_type: str,
        target: str,
        document: str | None,
        section: str | None,
        standard: int | None,
        affected: list[dict[str, Any]],
    ) -> Event:
        random = self._random
        self._seq += random.choice((1, 1, 1, 2, 3, 7, 40))  # other partners use numbers as well
        self._minutes += random.randint(1, 240)
        days, minutes = divmod(self._minutes, 1440)
        date = (
            f"{2024 + days // 336}-{days // 28 % 12 + 1:02}-{days % 28 + 1:02}"
            f" {minutes // 60:02}:{minutes % 60:02}:{random.randrange(60):02}"
        )
        guid = self.standards.name_guid("event", self._seq).lower()
        event = Event(
            self._seq, guid, date, change_type, target, document, section, standard, affected
        )
        self.events.append(event)
        return event

    def edit_standard(
        self, guid: str, changes: dict[str, Any], *, change_type: str = "updated metadata"
    ) -> Event:
        """Changes properties of a standard, by dotted path, and lets an event follow.

        Raises:
            KeyError: There is no such standard.
        """
        index = self.standards.index_of(guid)
        if index is None:
            raise KeyError(guid)
        standards = self.standards
        slot, edition = standards.slot(index), index // standards.size
        before = standards.attributes(index, "")
        affected = [_property(path, _value(before, path), value) for path, value in changes.items()]
        event = self._append(
            change_type,
            "standard",
            standards.document(edition, slot.subject)["guid"],
            standards.section(edition, slot.section)["guid"],
            index,
            affected,
        )
        patch = {**standards.patches.get(index, {}), **changes, "date_modified_utc": event.date_utc}
        standards.patches[index] = patch
        self.version += 1
        self.edits += 1
        return event


_CHANGES = (
    ("updated numbering",) * 3
    + ("updated statement",) * 5
    + ("updated metadata",) * 5
    + ("added", "deleted", "moved", "reordered", "section reordered", "section added")
)


def _property(name: str, before: Any, after: Any) -> dict[str, Any]:
    return {"name": name, "previous_value": before, "new_value": after}


def _value(attributes: dict[str, Any], path: str) -> Any:
    value: Any = attributes
    for name in path.split("."):
        members = mapping(value)
        value = None if members is None else members.get(name)
    return value
