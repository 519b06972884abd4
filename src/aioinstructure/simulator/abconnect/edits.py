"""Changes to standards and licences, and the events that they cause. Independent of HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.abconnect.vocabulary import BANDS
from aioinstructure.simulator.coerce import mapping

if TYPE_CHECKING:
    from aioinstructure.simulator.world import Event, World

__all__ = ["Changes"]

_RETIRED = "deleted"


class Changes:
    """Changes of a world. Each raises KeyError for an unknown id.

    Events report only changes to standards that were delivered at the time. Other changes still
    use a sequence number.
    """

    def __init__(self, world: World) -> None:
        self._world, self._standards = world, world.standards
        self._places: dict[str, tuple[int, int]] | None = None

    def edit(self, guid: str, changes: dict[str, Any], change_type: str) -> Event:
        """Change properties of a standard, by dotted path."""
        index = self._index(guid)
        before = self._standards.attributes(index, "")
        for path, value in changes.items():
            old = _value(before, path)
            if old is not None and value is not None and _kind(old) != _kind(value):
                raise ValueError(f"{path} is {_kind(old)}, not {_kind(value)}")
        affected = [prop(path, _value(before, path), value) for path, value in changes.items()]
        return self._add_event(index, change_type, affected, changes)

    def retire(self, guid: str, replaced_by: str | None) -> Event:
        """Delete a standard, as its authority would; another can replace it."""
        index = self._index(guid)
        if replaced_by is not None:
            self._standards.relations.successors[index] = [self._index(replaced_by)]
        before = self._standards.status(index)
        event = self._add_event(
            index, _RETIRED, [prop("status", before, _RETIRED)], {"status": _RETIRED}
        )
        self._standards.patches[index]["date_deleted_utc"] = event.date_utc
        return event

    def move(self, guid: str, parent: str) -> Event:
        """Move a standard below another parent.

        Raises:
            ValueError: The new parent is not in the same section, at the level of the old parent.
        """
        index, to = self._index(guid), self._index(parent)
        standards = self._standards
        old = standards.parent(index)
        one, other = standards.slot(index), standards.slot(to)
        same_home = index // standards.size == to // standards.size and one.section == other.section
        if old is None or not same_home or other.level != one.level - 1:
            raise ValueError(
                "new parent must be in the same section and one level above the standard"
            )
        # Which property an event names for a move is not documented.
        affected = [prop("parent.guid", standards.guid(old), standards.guid(to))]
        standards.relations.moves[index] = to
        return self._add_event(index, "moved", affected, {})

    def deliver(self, guid: str, *, granted: bool) -> Event:
        """Deliver or withdraw a document or section.

        Raises:
            ValueError: It is already delivered, or already withdrawn.
        """
        standards, world = self._standards, self._world
        edition, section = self._place(guid)
        is_document = section < 0
        bands = len(BANDS)
        if is_document:
            subject = -1 - section
            places = {(edition, subject * bands + band) for band in range(bands)}
            document, part = standards.document(edition, subject)["guid"], None
        else:
            places = {(edition, section)}
            document = standards.document(edition, section // bands)["guid"]
            part = standards.section(edition, section)["guid"]
        if granted:
            if not places & standards.withheld:
                raise ValueError(f"{guid} is already delivered")
            standards.withheld -= places
        else:
            if places <= standards.withheld:
                raise ValueError(f"{guid} is not delivered")
            standards.withheld |= places
        kind = "added" if granted else "removed"
        target = "document" if is_document else "section"
        event = world.append(kind, target, document, part, None, [])
        world.changed()
        return event

    def _index(self, guid: str) -> int:
        index = self._standards.index_of(guid)
        if index is None:
            raise KeyError(guid)
        return index

    def _place(self, guid: str) -> tuple[int, int]:
        """Return publication and section of an id; a document has `-1 - subject` as its section."""
        if self._places is None:
            self._places = {}
            for edition, section, _ in self._standards.sections():
                subject = section // len(BANDS)
                of_section = self._standards.section(edition, section)["guid"]
                self._places[of_section.lower()] = (edition, section)
                of_document = self._standards.document(edition, subject)["guid"]
                self._places[of_document.lower()] = (edition, -1 - subject)
        return self._places[guid.lower()]

    def _add_event(
        self,
        index: int,
        change_type: str,
        affected: list[dict[str, Any]],
        changes: dict[str, Any],
    ) -> Event:
        world, standards = self._world, self._standards
        slot, edition = standards.slot(index), index // standards.size
        event = world.append(
            change_type,
            "standard",
            standards.document(edition, slot.subject)["guid"],
            standards.section(edition, slot.section)["guid"],
            index,
            affected,
            shown=standards.readable(index),
        )
        patch = {**standards.patches.get(index, {}), **changes, "date_modified_utc": event.date_utc}
        standards.patches[index] = patch
        world.changed()
        return event


def prop(name: str, before: Any, after: Any) -> dict[str, Any]:
    """Return a changed property as an event shows it."""
    return {"name": name, "previous_value": before, "new_value": after}


def _value(attributes: dict[str, Any], path: str) -> Any:
    value: Any = attributes
    for name in path.split("."):
        members = mapping(value)
        value = None if members is None else members.get(name)
    return value


def _kind(value: Any) -> str:
    """The kind of a JSON value, in words."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return kinds.get(type(value), "a list" if isinstance(value, list | tuple) else "an object")
