"""Relations between standards, by number.

Most relations follow from the plan: the same place in another publication, the same cluster, the
level below. Edits are applied on top: moves, and successors of retired standards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure.simulator.abconnect.vocabulary import STATES, SUBJECTS
from aioinstructure.simulator.hashing import hash_mix

if TYPE_CHECKING:
    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["RELATIONS", "StandardRelations", "is_course"]

RELATIONS = (
    "parent", "ancestors", "children", "contexts", "origins", "derivatives", "peer_derivatives",
    "peers", "crosswalks", "replaces", "replaced_by", "breakouts", "breakout_origins",
    "course_standards", "related_courses", "associations",
)  # fmt: skip
"""The relations between standards, without those to topics and concepts."""

_COMPARED = {"origins", "derivatives", "peer_derivatives", "replaces", "replaced_by"}
_NEAR = 3  # crosswalks lead to publications within this distance
_COURSE_LEVEL = 3  # the level of the standards in a course


def is_course(edition: int, subject: int) -> bool:
    """Whether a document lists courses: each state has one such subject."""
    return edition > 0 and subject == (edition + 2) % len(SUBJECTS)


class StandardRelations:
    """The relations of all standards.

    Attributes:
        moves: New parents of standards that an edit has moved.
        successors: Retired standards with their replacements.
    """

    def __init__(self, standards: Standards) -> None:
        self._standards = standards
        self._below: dict[int, list[int]] = {}
        self._clusters: dict[str, list[int]] = {}
        self._courses: dict[tuple[int, int], list[int]] = {}
        self._taught: dict[tuple[int, int], list[int]] = {}
        for slot in standards.plan:
            self._below.setdefault(slot.parent, []).append(slot.place)
            if slot.cluster:
                self._clusters.setdefault(slot.cluster, []).append(slot.place)
            if slot.level == 1:
                self._courses.setdefault((slot.subject, slot.band), []).append(slot.place)
            elif slot.level == _COURSE_LEVEL:
                self._taught.setdefault((slot.subject, slot.band), []).append(slot.place)
        self.moves: dict[int, int] = {}
        self.successors: dict[int, list[int]] = {}

    # Hierarchy.

    def parent(self, index: int) -> int | None:
        """Return the number of the parent."""
        moved = self.moves.get(index)
        if moved is not None:
            return moved
        standards = self._standards
        parent = standards.slot(index).parent
        return None if parent < 0 else index - index % standards.size + parent

    def ancestors(self, index: int) -> list[int]:
        """Return the ancestors from the top down."""
        found: list[int] = []
        parent = self.parent(index)
        while parent is not None:
            found.append(parent)
            parent = self.parent(parent)
        return found[::-1]

    def children(self, index: int) -> list[int]:
        """Return the standards one level below."""
        standards = self._standards
        base = index - index % standards.size
        below = (base + place for place in self._below.get(index % standards.size, ()))
        found = [other for other in below if other < standards.count]
        if self.moves:
            found = [other for other in found if self.moves.get(other, index) == index]
            came = (other for other, to in self.moves.items() if to == index)
            found += [other for other in came if other not in found]
        return found

    # Other relations.

    def related(self, index: int, relation: str) -> list[int]:
        """Return the standards of any relation."""
        if relation == "parent":
            return self.ancestors(index)[-1:]
        if relation == "ancestors":
            return self.ancestors(index)
        if relation == "contexts":
            return self.ancestors(index)[:1]
        if relation == "children":
            return self.children(index)
        if relation == "peers":
            return self._peers(index)
        if relation == "crosswalks":
            return self._crosswalks(index)
        if relation in {"replaces", "replaced_by"}:
            return self._replacements(index, relation)
        if relation in {"breakouts", "breakout_origins"}:
            return self._breakouts(index, relation)
        if relation in {"course_standards", "related_courses"}:
            return self._teaching(index, relation)
        return self._copies(index, relation)

    def derived(self, edition: int, place: int) -> bool:
        """Whether a publication has adopted a standard of the national one."""
        return edition > 0 and hash_mix(edition * self._standards.size + place + 9) % 3 != 0

    def _copies(self, index: int, relation: str) -> list[int]:
        """Return the standards at the same place in other publications."""
        standards = self._standards
        edition, place = divmod(index, standards.size)
        derived = self.derived(edition, place)
        found: list[int] = []
        if relation == "origins" and derived:
            found = [place]
        elif relation == "associations" and edition > 0 and hash_mix(index + 33) % 5 == 0:
            found = [place]  # the best match in the national one, which several can share
        elif (relation == "derivatives" and edition == 0) or (
            relation == "peer_derivatives" and derived
        ):
            others = (other for other in range(1, standards.publications) if other != edition)
            found = [
                other * standards.size + place for other in others if self.derived(other, place)
            ]
        return [other for other in found if other < standards.count]

    def _peers(self, index: int) -> list[int]:
        standards = self._standards
        places = self._clusters.get(standards.slot(index).cluster, ())
        found = (
            edition * standards.size + place
            for edition in range(standards.publications)
            for place in places
        )
        return [other for other in found if other != index and other < standards.count]

    def _crosswalks(self, index: int) -> list[int]:
        """Return a third of the peers in nearby publications; the relation is symmetric."""
        standards = self._standards
        edition = index // standards.size
        places = self._clusters.get(standards.slot(index).cluster, ())
        near = range(max(0, edition - _NEAR), min(standards.publications, edition + _NEAR + 1))
        found = (
            other * standards.size + place for other in near if other != edition for place in places
        )
        return [
            other
            for other in found
            if other < standards.count
            and hash_mix(min(index, other) * 71 + max(index, other)) % 3 == 0
        ]

    def _replacements(self, index: int, relation: str) -> list[int]:
        """Return older or newer editions, the neighbour of a retired standard, and edits."""
        standards = self._standards
        edition, step = index // standards.size, len(STATES) * standards.size
        if relation == "replaced_by":
            found = [index + step] if edition else []
            found += [other for other in (index + 1,) if self._takes_over(other)]
            found += self.successors.get(index, [])
        else:
            found = [index - step] if edition > len(STATES) else []
            found += [index - 1] if self._takes_over(index) else []
            found += [old for old, new in self.successors.items() if index in new]
        return [other for other in dict.fromkeys(found) if other < standards.count]

    def _takes_over(self, index: int) -> bool:
        """Whether a standard has replaced its previous sibling, which was retired."""
        standards = self._standards
        if not 0 < index < standards.count or standards.gone(index):
            return False
        siblings = standards.slot(index).parent == standards.slot(index - 1).parent
        return siblings and standards.gone(index - 1)

    def _breakouts(self, index: int, relation: str) -> list[int]:
        """Return the parts of a standard of the third level, or the standard of a part."""
        level = self._standards.slot(index).level
        if relation == "breakouts":
            return self.children(index) if level == _COURSE_LEVEL else []
        parent = self.parent(index)
        return [parent] if parent is not None and level > _COURSE_LEVEL else []

    def _teaching(self, index: int, relation: str) -> list[int]:
        """Distribute the standards of the next subject over the courses of the same grades."""
        standards = self._standards
        slot, edition = standards.slot(index), index // standards.size
        subjects = len(SUBJECTS)
        course = slot.subject if relation == "course_standards" else (slot.subject - 1) % subjects
        if not is_course(edition, course):
            return []
        courses = self._courses.get((course, slot.band), [])
        if relation == "course_standards":
            if slot.level != 1:
                return []
            turn = courses.index(slot.place)
            taught = self._taught.get(((course + 1) % subjects, slot.band), [])
            found = [place for place in taught if place % len(courses) == turn]
        else:
            if slot.level != _COURSE_LEVEL:
                return []
            found = [courses[slot.place % len(courses)]]
        base = edition * standards.size
        return [base + place for place in found if base + place < standards.count]

    def relation_meta(self, index: int, other: int, relation: str) -> dict[str, str] | None:
        """Return the properties of a relation; None if it has none."""
        if relation not in _COMPARED:
            return None
        same = hash_mix(min(index, other) * 31 + max(index, other))
        return {
            "same_text": "Y" if same % 4 else "N",
            "same_concepts": "Y" if same % 8 else "N",
        }
