"""The plan that every publication of standards follows, without ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from aioinstructure.simulator.abconnect.vocabulary import (
    ADJECTIVES,
    BANDS,
    DOMAINS,
    OBJECTS,
    SUBJECTS,
    VERBS,
)

if TYPE_CHECKING:
    from random import Random

__all__ = ["Slot", "make_plan"]


@frozen
class Slot:
    """A place in the plan, the same in every publication.

    Args:
        section: The number of its section in the plan.
        parent: The place of its parent; -1 at the top.
        number: The number without the prefix of the publication, such as "5.NF.A.1".
        cluster: Standards with the same cluster are peers.
    """

    place: int
    section: int
    subject: int
    band: int
    level: int
    parent: int
    seq: int
    number: str
    text: str
    deepest: bool
    cluster: str


def make_plan(random: Random) -> tuple[Slot, ...]:
    """Generate the plan: all places, each after its parent."""
    slots: list[Slot] = []
    for subject in range(len(SUBJECTS)):
        for band in range(len(BANDS)):
            _plan_section(random, slots, subject, band)
    return tuple(slots)


def _plan_section(random: Random, slots: list[Slot], subject: int, band: int) -> None:
    code, grade = SUBJECTS[subject][0], BANDS[band][1]
    section = subject * len(BANDS) + band

    def add(
        level: int, parent: int, seq: int, number: str, text: str, *, deepest: bool = False
    ) -> int:
        parts = number.split(".")
        cluster = f"{subject}.{(band + 2) // 3}.{parts[1]}.{parts[2]}" if deepest else ""
        place = len(slots)
        slots.append(
            Slot(
                place,
                section,
                subject,
                band,
                level,
                parent,
                seq * 10,
                number,
                text,
                deepest,
                cluster,
            )
        )
        return place

    for first, (short, title) in enumerate(DOMAINS[code], 1):
        domain = add(1, -1, first, f"{grade}.{short}", title)
        for second in range(1, random.randint(1, 2) + 1):
            letter = "ABC"[second - 1]
            text = _sentence(random, code)
            cluster = add(2, domain, second, f"{grade}.{short}.{letter}", text)
            for third in range(1, random.randint(2, 4) + 1):
                number = f"{grade}.{short}.{letter}.{third}"
                parts = random.choice((0, 0, 0, 2, 3))
                text = _sentence(random, code)
                standard = add(3, cluster, third, number, text, deepest=not parts)
                for fourth in range(1, parts + 1):
                    text = _sentence(random, code)
                    add(4, standard, fourth, f"{number}.{'abc'[fourth - 1]}", text, deepest=True)


def _sentence(random: Random, subject: str) -> str:
    verb, adjective = random.choice(VERBS), random.choice(ADJECTIVES)
    return f"{verb} {adjective} {random.choice(OBJECTS[subject])}."
