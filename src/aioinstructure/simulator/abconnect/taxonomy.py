"""Topics and concepts, and which standards have them, by number. Independent of HTTP.

A topic is a place in the upper two levels of the plan, so all publications share it: level 1 is a
branch, level 2 a topic below it. Above them are a subject (`document`) and a grade band
(`section`), which are not topics. A concept is the subject of a sentence: its object, in the
context of a range of grades, or its adjective, without a context.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aioinstructure.simulator.abconnect.vocabulary import (
    ADJECTIVES,
    BANDS,
    OBJECTS,
    SUBJECTS,
)

if TYPE_CHECKING:
    from aioinstructure.simulator.abconnect.publication_plan import Slot
    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["Concept", "Taxonomy"]

_TOPIC_LEVEL = 2
_CONTEXTS = ("first steps", "primary school", "intermediate school", "secondary school")


@frozen
class Concept:
    """A concept; the context distinguishes concepts with the same name."""

    number: int
    subject: int
    descr: str
    context: str | None


class Taxonomy:
    """All topics and concepts of the world."""

    def __init__(self, standards: Standards) -> None:
        self._standards = standards
        self.topics: list[int] = [
            slot.place for slot in standards.plan if slot.level <= _TOPIC_LEVEL
        ]
        self._numbers = {place: number for number, place in enumerate(self.topics)}
        self._below: dict[int, list[int]] = {}
        self.concepts: list[Concept] = []
        for subject, (code, _, _) in enumerate(SUBJECTS):
            keys = [(name, context) for name in OBJECTS[code] for context in _CONTEXTS]
            for descr, context in [*keys, *((name, None) for name in ADJECTIVES)]:
                number = len(self.concepts)
                self.concepts.append(Concept(number, subject, descr.capitalize(), context))
        self._concepts = {
            (one.subject, one.descr.lower(), one.context): one.number for one in self.concepts
        }
        self.of_place = lru_cache(maxsize=8192)(self._of_place)

    # Topics.

    def topic_guid(self, topic: int) -> str:
        """Return the id of a topic."""
        return self._standards.name_guid("topic", topic)

    def topics_of(self, index: int) -> list[int]:
        """Return the topic of a standard; the titles of the upper levels have none."""
        slot = self._standards.slot(index)
        if slot.level <= _TOPIC_LEVEL:
            return []
        while slot.level > _TOPIC_LEVEL:
            slot = self._standards.plan[slot.parent]
        return [self._numbers[slot.place]]

    def topic_standards(self, topic: int) -> list[int]:
        """Return the standards of a topic in all publications; a branch has none itself."""
        standards = self._standards
        places = self._places().get(topic, ())
        found = (
            edition * standards.size + place
            for edition in range(standards.publications)
            for place in places
        )
        return [index for index in found if index < standards.count]

    def _places(self) -> dict[int, list[int]]:
        if not self._below:
            for slot in self._standards.plan:
                for topic in self.topics_of(slot.place):
                    self._below.setdefault(topic, []).append(slot.place)
        return self._below

    def topic_parent(self, topic: int) -> list[int]:
        """Return the branch of a topic."""
        parent = self._slot(topic).parent
        return [] if parent < 0 else [self._numbers[parent]]

    def topic_children(self, topic: int) -> list[int]:
        """Return the topics of a branch."""
        here = self.topics[topic]
        places = (place for place in self.topics if self._standards.plan[place].parent == here)
        return [self._numbers[place] for place in places]

    def topic_text(self, topic: int) -> str:
        """Return a short text: the title of a branch, or what a topic's sentence is about."""
        slot = self._slot(topic)
        if slot.level < _TOPIC_LEVEL:
            return slot.text
        return " ".join(_about(slot)).capitalize()

    def topic_attributes(self, topic: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a topic."""
        standards, slot, guid = self._standards, self._slot(topic), self.topic_guid(topic)
        subject, band = slot.subject, slot.band
        date = "2024-07-09 08:15:00"
        return {
            "guid": guid,
            "descr": self.topic_text(topic),
            "status": "active",
            "seq": slot.seq,
            "level": slot.level,
            "uri": f"{origin}/rest/v4.1/topics/{guid}",
            "date_modified_utc": f"20{15 + topic % 10}-03-14 09:26:53",
            "disciplines": {"subjects": [standards.subject(subject)]},
            "education_levels": {"grades": standards.grades(band)},
            "document": {
                "guid": standards.name_guid("t-docum", subject),
                "descr": SUBJECTS[subject][1],
                "adopt_year": "2012",
                "revision_year": "2024",
                "date_modified_utc": date,
            },
            "section": {
                "guid": standards.name_guid("t-secti", subject * len(BANDS) + band),
                "descr": BANDS[band][0],
                "seq": 100 + band * 10,
                "date_modified_utc": date,
            },
        }

    def _slot(self, topic: int) -> Slot:
        return self._standards.plan[self.topics[topic]]

    # Concepts.

    def concept_guid(self, concept: int) -> str:
        """Return the id of a concept."""
        return self._standards.name_guid("concept", concept)

    def concepts_of(self, index: int) -> tuple[int, ...]:
        """Return the concepts of a standard."""
        return self.of_place(index % self._standards.size)

    def _of_place(self, place: int) -> tuple[int, ...]:
        """Return the concepts of a place; the titles of the upper levels have none."""
        slot = self._standards.plan[place]
        if slot.level <= _TOPIC_LEVEL:
            return ()
        adjective, thing = _about(slot)
        context = _CONTEXTS[(slot.band + 2) // 3]
        return (
            self._concepts[slot.subject, thing, context],
            self._concepts[slot.subject, adjective, None],
        )

    def concept_attributes(self, concept: int) -> dict[str, Any]:
        """Return all attributes of a concept."""
        one = self.concepts[concept]
        return {
            "guid": self.concept_guid(concept),
            "descr": one.descr,
            "context": one.context,
            "disciplines": {"subjects": [self._standards.subject(one.subject)]},
        }

    def key_ideas(self, index: int) -> list[dict[str, Any]]:
        """Return the key ideas of a standard, each with its concepts."""
        found = self.concepts_of(index)
        parts = [part for part in (found, found[:1]) if part]
        return [
            {
                "guid": self._standards.name_guid(
                    "keyidea", index % self._standards.size * 2 + number
                ),
                "concepts": [
                    {"guid": self.concept_guid(one), "descr": self.concepts[one].descr}
                    for one in part
                ],
            }
            for number, part in enumerate(parts[: 1 + index % 2])
        ]


def _about(slot: Slot) -> tuple[str, str]:
    """Return adjective and object of a sentence in the plan."""
    text = slot.text.rstrip(".")
    code = SUBJECTS[slot.subject][0]
    thing = next(name for name in OBJECTS[code] if text.endswith(name))
    return text.removesuffix(thing).split()[-1], thing
