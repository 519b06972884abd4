"""The seeded state of both services, independent of HTTP."""

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
    """One change of AB Connect's data. `standard` is its number in `Standards`, or None."""

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
    """Courses, standards, events and assets. Equal seeds and sizes give equal worlds.

    Args:
        seed: Determines all generated data.
        knobs: Contains the sizes.
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
        self._random = Random(f"{seed}:events")  # noqa: S311 -- not a secret
        self.events: list[Event] = []
        self._seq = 12_354
        self._minutes = 0
        self._make_events(knobs.events)
        self.assets = make_assets(seed, self.standards, knobs.assets, knobs.asset_types)
        self.predictions = Predictions()
        self.oracle = Oracle(self.standards, self.assets)
        self._changes = Changes(self)
        self.version = 0  # number of changes since creation
        self.edits = 0  # number of changes to standards and events

    def _make_events(self, count: int) -> None:
        """Add one delivery per document, then changes of all kinds."""
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
            if kind == "deleted":  # the standard must agree with the feed
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
        """Append an event to the feed; one that is not `shown` only uses a sequence number."""
        random = self._random
        self._seq += random.choice((1, 1, 1, 2, 3, 7, 40))  # other partners use numbers too
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

    # Later changes.

    def changed(self) -> None:
        """Count a change of standards or events."""
        self.version += 1
        self.edits += 1

    def edit_standard(
        self, guid: str, changes: dict[str, Any], *, change_type: str = "updated metadata"
    ) -> Event:
        """Change properties of a standard, by dotted path, and append an event.

        Raises:
            KeyError: The standard does not exist.
            ValueError: A value is of another kind than the present one; nothing is changed.
        """
        return self._changes.edit(guid, changes, change_type)

    def retire_standard(self, guid: str, *, replaced_by: str | None = None) -> Event:
        """Delete a standard, as its authority would; it can still be read by id.

        Raises:
            KeyError: The standard does not exist.
        """
        return self._changes.retire(guid, replaced_by)

    def move_standard(self, guid: str, parent: str) -> Event:
        """Move a standard below another parent of the same section.

        Raises:
            KeyError: A standard does not exist.
            ValueError: It has no parent, or `parent` is in another section or at a wrong level.
        """
        return self._changes.move(guid, parent)

    def grant(self, guid: str) -> Event:
        """Deliver a document or section again and append an `added` event.

        Raises:
            KeyError: The document or section does not exist.
            ValueError: It is already delivered.
        """
        return self._changes.deliver(guid, granted=True)

    def revoke(self, guid: str) -> Event:
        """Remove a document or section from the licence and append a `removed` event.

        Raises:
            KeyError: The document or section does not exist.
            ValueError: It is not delivered.
        """
        return self._changes.deliver(guid, granted=False)


_CHANGES = (
    ("updated numbering",) * 3
    + ("updated statement",) * 5
    + ("updated metadata",) * 5
    + ("added", "deleted", "moved", "reordered", "section reordered", "section added")
)
