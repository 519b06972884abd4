"""The seeded state of both services. Knows nothing of HTTP."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from attrs import define

from aioinstructure.simulator.abconnect.edits import Changes, prop
from aioinstructure.simulator.abconnect.prediction_state import Oracle, Predictions
from aioinstructure.simulator.abconnect.seed_assets import make_assets
from aioinstructure.simulator.abconnect.standards import Standards
from aioinstructure.simulator.canvas.state import CanvasState

if TYPE_CHECKING:
    from aioinstructure.simulator.knobs import Knobs

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
    """Courses, standards, events and assets. Two of one seed and of equal sizes are equal.

    Args:
        seed: Decides everything.
        knobs: Gives the sizes.
    """

    def __init__(self, seed: int, knobs: Knobs) -> None:
        self.seed = seed
        self.campus = CanvasState(
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
        self.assets = make_assets(seed, self.standards, knobs.assets, knobs.asset_types)
        self.predictions = Predictions()
        self.oracle = Oracle(self.standards, self.assets)
        self._changes = Changes(self)
        self.version = 0  # counts all changes since it was made
        self.edits = 0  # counts those of standards and events

    def _make_events(self, count: int) -> None:
        """First what was delivered, document by document, then changes of all sorts."""
        documents = sorted(
            {(edition, section // 10) for edition, section, _ in self.standards.sections()}
        )
        for edition, subject in documents[:count]:
            guid = self.standards.document(edition, subject)["guid"]
            self.append("added", "document", guid, None, None, [])
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
            affected = [prop("section.seq", section["seq"] - 10, section["seq"])]
            self.append("reordered", "section", document, section["guid"], None, affected)
        elif kind == "section added":
            self.append("added", "section", document, section["guid"], None, [])
        else:
            affected = self._affected(kind, index)
            if kind == "deleted":  # what the feed says must be what the standard says
                standards.patches.setdefault(index, {})["status"] = "deleted"
            self.append(kind, "standard", document, section["guid"], index, affected)

    def _affected(self, kind: str, index: int) -> list[dict[str, Any]]:
        slot = self.standards.slot(index)
        if kind == "updated numbering":
            number = self.standards.number(index)["prefix_enhanced"]
            return [prop("number.prefix_enhanced", f"{number}.old", number)]
        if kind == "updated statement":
            return [prop("statement.descr", slot.text.rstrip("."), slot.text)]
        if kind == "updated metadata":
            return [prop("education_levels.grades", [], self.standards.grades(slot.band))]
        if kind == "reordered":
            return [prop("seq", slot.seq + 10, slot.seq)]
        if kind == "deleted":
            return [prop("status", "active", "deleted")]
        return []

    def append(
        self,
        change_type: str,
        target: str,
        document: str | None,
        section: str | None,
        standard: int | None,
        affected: list[dict[str, Any]],
        *,
        shown: bool = True,
    ) -> Event:
        """Puts an event at the end of the feed; one that is not shown only uses up a number."""
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
        if shown:
            self.events.append(event)
        return event

    # What happens later.

    def changed(self) -> None:
        """Counts a change of standards or events."""
        self.version += 1
        self.edits += 1

    def edit_standard(
        self, guid: str, changes: dict[str, Any], *, change_type: str = "updated metadata"
    ) -> Event:
        """Changes properties of a standard, by dotted path, and lets an event follow.

        Raises:
            KeyError: There is no such standard.
        """
        return self._changes.edit(guid, changes, change_type)

    def retire_standard(self, guid: str, *, replaced_by: str | None = None) -> Event:
        """Deletes a standard, as its authority does; it can still be read by its id.

        Raises:
            KeyError: There is no such standard.
        """
        return self._changes.retire(guid, replaced_by)

    def move_standard(self, guid: str, parent: str) -> Event:
        """Puts a standard below another parent of the same section.

        Raises:
            KeyError: There is no such standard.
            ValueError: It cannot be there.
        """
        return self._changes.move(guid, parent)

    def grant(self, guid: str) -> Event:
        """Delivers a document or section again; an `added` event follows.

        Raises:
            KeyError: There is no such document or section.
            ValueError: It is delivered already.
        """
        return self._changes.deliver(guid, granted=True)

    def revoke(self, guid: str) -> Event:
        """Takes a document or section out of the licence; a `removed` event follows.

        Raises:
            KeyError: There is no such document or section.
            ValueError: It is not delivered.
        """
        return self._changes.deliver(guid, granted=False)


_CHANGES = (
    ("updated numbering",) * 3
    + ("updated statement",) * 5
    + ("updated metadata",) * 5
    + ("added", "deleted", "moved", "reordered", "section reordered", "section added")
)
