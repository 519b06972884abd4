"""The standards of AB Connect, made by number on demand. Knows nothing of HTTP or filters.

Every publication has the same plan: four documents (subjects) of ten sections (grade bands), each
a tree of domains, clusters, standards and their parts. The plan is drawn once from the seed; the
standard with the number `i` is place `i % len(plan)` of publication `i // len(plan)`. Publication
0 is the national one that the others derive from. So a quarter of a million of them take no more
memory than a few thousand, and any one is made in microseconds.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Any

from attrs import define

from aioinstructure.simulator.abconnect import standard_details as extras
from aioinstructure.simulator.abconnect.publication_plan import Slot, make_plan
from aioinstructure.simulator.abconnect.relations import StandardRelations, is_course
from aioinstructure.simulator.abconnect.taxonomy import Taxonomy
from aioinstructure.simulator.abconnect.vocabulary import (
    BANDS,
    DOMAINS,
    GRADES,
    STATES,
    SUBJECTS,
)
from aioinstructure.simulator.hashing import hash_mix

__all__ = ["Standards"]

_MASK = 0xFFFFFFFF
_ODD = 0x9E3779B1  # multiplying by an odd number can be undone modulo 2**32
_UNDO = pow(_ODD, -1, 1 << 32)
_LABELS = ("", "Domain", "Cluster", "Standard", "Component")


@define
class _Edition:
    """A publication: its authority's number, its name and which edition of it this is."""

    number: int
    authority: str
    prefix: str
    region: str
    edition: int
    title: str


class Standards:
    """All standards, by number from 0 to `count - 1`.

    Attributes:
        patches: What edits have changed, by number and dotted path.
        withheld: Sections out of licence, each with its publication.
        kin: The relations between standards.
        taxonomy: Topics and concepts.
        all_grades: All grades, lowest first.
    """

    def __init__(self, seed: int, count: int) -> None:
        self._salt = hash_mix(seed) & _MASK
        self.count = count
        self.plan = make_plan(Random(f"{seed}:plan"))  # noqa: S311 -- a world, no secret
        self.size = len(self.plan)
        self._sections: list[list[int]] = [[] for _ in range(len(SUBJECTS) * len(BANDS))]
        for slot in self.plan:
            self._sections[slot.section].append(slot.place)
        self.patches: dict[int, dict[str, Any]] = {}
        self.withheld: set[tuple[int, int]] = set()
        self.relations = StandardRelations(self)
        self.taxonomy = Taxonomy(self)
        self.all_grades = [
            {"guid": self.name_guid("grade", number), "code": code, "descr": descr, "seq": seq}
            for number, (code, descr, seq) in enumerate(GRADES)
        ]
        self._grades = [
            [grade for grade in self.all_grades if grade["code"] in codes] for _, _, codes in BANDS
        ]
        self.section = lru_cache(maxsize=8192)(self._section)
        self.document = lru_cache(maxsize=1024)(self._document)

    @property
    def publications(self) -> int:
        """How many publications there are; the last one may be cut short."""
        return -(-self.count // self.size)

    # Ids. Case is mixed as in the real data: one in eight is lower case.

    def guid(self, index: int) -> str:
        """The id of a standard. Its first eight digits can be turned back into the number."""
        mixed = hash_mix(index ^ (self._salt << 32))
        text = (
            f"{(index * _ODD + self._salt) & _MASK:08X}-{mixed & 0xFFFF:04X}"
            f"-1{mixed >> 16 & 0xFFF:03X}-{mixed >> 28 & 0x3FFF | 0x8000:04X}"
            f"-{hash_mix(mixed) & 0xFFFFFFFFFFFF:012X}"
        )
        return text.lower() if mixed >> 61 == 0 else text

    def index_of(self, guid: str) -> int | None:
        """The number of a standard, its id in any case; None for a foreign id."""
        try:
            head = int(guid[:8], 16)
        except ValueError:
            return None
        index = ((head - self._salt) * _UNDO) & _MASK
        if index < self.count and self.guid(index).lower() == guid.lower():
            return index
        return None

    def name_guid(self, kind: str, number: int) -> str:
        """The id of anything but a standard."""
        mixed = hash_mix(int.from_bytes(kind.encode()[:7], "big") * 1_000_003 + number + self._salt)
        return (
            f"{mixed & _MASK:08X}-{mixed >> 32 & 0xFFFF:04X}-11E{mixed >> 48 & 0xF:X}"
            f"-8{mixed >> 52:03X}-{hash_mix(mixed) & 0xFFFFFFFFFFFF:012X}"
        )

    # Places.

    def slot(self, index: int) -> Slot:
        """The place of a standard in the plan."""
        return self.plan[index % self.size]

    def sections(self) -> list[tuple[int, int, list[int]]]:
        """Publication, section and the standards' numbers, for all sections there are."""
        found: list[tuple[int, int, list[int]]] = []
        for edition in range(self.publications):
            base = edition * self.size
            for section, places in enumerate(self._sections):
                if numbers := [base + place for place in places if base + place < self.count]:
                    found.append((edition, section, numbers))
        return found

    def status(self, index: int) -> str:
        """active, deleted or obsolete. The first edition of an authority is never obsolete."""
        patch = self.patches.get(index)
        if patch and "status" in patch:
            return str(patch["status"])
        if self.gone(index):
            return "deleted"
        edition = index // self.size
        newest = edition == 0 or edition + len(STATES) >= self.publications
        return "active" if newest else "obsolete"

    @staticmethod
    def gone(index: int) -> bool:
        """Whether it was retired before the world began."""
        return hash_mix(index + 77) % 100 < 2

    def readable(self, index: int) -> bool:
        """Whether its document and section are delivered."""
        if not self.withheld:
            return True
        return (index // self.size, self.slot(index).section) not in self.withheld

    def modified(self, index: int) -> str:
        """When it was last changed."""
        patch = self.patches.get(index)
        if patch and "date_modified_utc" in patch:
            return str(patch["date_modified_utc"])
        mixed = hash_mix(index + 501)
        return (
            f"{2014 + mixed % 12}-{1 + mixed // 12 % 12:02}-{1 + mixed // 144 % 28:02}"
            f" {mixed // 5000 % 24:02}:{mixed // 200000 % 60:02}:{mixed // 9000000 % 60:02}"
        )

    # Relations: numbers of standards, in order.

    def parent(self, index: int) -> int | None:
        """The number of the parent."""
        return self.relations.parent(index)

    def children(self, index: int) -> list[int]:
        """One level below."""
        return self.relations.children(index)

    # Properties.

    def section_of(self, index: int) -> dict[str, Any]:
        """The section of a standard, shared by all in it."""
        return self.section(index // self.size, self.slot(index).section)

    def document_of(self, index: int) -> dict[str, Any]:
        """The document of a standard, shared by all in it."""
        return self.document(index // self.size, self.slot(index).subject)

    def edition(self, number: int) -> _Edition:
        """A publication."""
        if number == 0:
            title = "National Core Standards"
            return _Edition(
                0, "National Core Consortium", "NCS", "United States of America", 0, title
            )
        state, _, code = STATES[(number - 1) % len(STATES)].rpartition(" ")
        again = (number - 1) // len(STATES)
        return _Edition(number, f"{state} DOE", code, state, again, f"{state} Learning Standards")

    def subject(self, number: int) -> dict[str, Any]:
        """A subject."""
        code, descr, _ = SUBJECTS[number]
        return {"guid": self.name_guid("subject", number), "code": code, "descr": descr}

    def grades(self, band: int) -> list[dict[str, Any]]:
        """The grades of a band, in a list of its own."""
        return list(self._grades[band])

    def _document(self, edition: int, subject: int) -> dict[str, Any]:
        of = self.edition(edition)
        authority = 0 if edition == 0 else 1 + (edition - 1) % len(STATES)
        kind = "country" if edition == 0 else "state"
        course = is_course(edition, subject)
        title = f"{of.region} Course Catalog" if course else of.title
        return {
            "guid": self.name_guid("document", edition * len(SUBJECTS) + subject),
            "descr": SUBJECTS[subject][1],
            "source_url": f"https://standards.example.org/{of.prefix.lower()}/{SUBJECTS[subject][2].lower()}",
            "date_modified_utc": f"20{16 + of.edition}-02-13 16:26:49",
            **self._years(of.edition),
            "disciplines": {"primary_subject": self.subject(subject)},
            "publication": {
                "guid": self.name_guid("courses" if course else "publication", edition),
                "descr": title,
                "title": title,
                "extended_descr": None,
                "acronym": of.prefix if edition == 0 else None,
                "source_url": f"https://standards.example.org/{of.prefix.lower()}",
                "publication_type": "course" if course else "standard",
                "authorities": [
                    {
                        "guid": self.name_guid("authority", authority),
                        "descr": of.authority,
                        "acronym": of.prefix if edition == 0 else None,
                    }
                ],
                "regions": [
                    {
                        "guid": self.name_guid("region", authority),
                        "descr": of.region,
                        "code": "US" if edition == 0 else of.prefix,
                        "type": kind,
                    }
                ],
            },
        }

    def _section(self, edition: int, section: int) -> dict[str, Any]:
        subject, band = divmod(section, len(BANDS))
        of = self.edition(edition)
        number = edition * len(SUBJECTS) * len(BANDS) + section
        return {
            "_id": 21_000 + number,
            "guid": self.name_guid("section", number),
            "descr": BANDS[band][0],
            "label": "Grade Level",
            "number": None,
            "seq": 100 + band * 210,
            "date_modified_utc": f"20{16 + of.edition}-02-13 16:26:49",
            **self._years(of.edition),
            "disciplines": {"primary_subject": self.subject(subject)},
        }

    @staticmethod
    def _years(edition: int) -> dict[str, Any]:
        return {
            "adopt_year": str(2010 + edition * 6),
            "revision_year": str(2010 + edition * 6),
            "implementation_year": None,
            "assessment_year": None,
            "obsolete_year": None,
        }

    def number(self, index: int) -> dict[str, Any]:
        """The numbers, of which some are null."""
        slot = self.slot(index)
        prefix = self.edition(index // self.size).prefix
        short = SUBJECTS[slot.subject][2]
        full = f"{prefix}.{short}.{slot.number}"
        return {
            "raw": None if slot.level == 2 else f"{slot.number.rpartition('.')[2]}.",
            "enhanced": slot.number,
            "prefix_enhanced": full,
            "root_enhanced": slot.number,
            "alternate": None if slot.level > 2 else slot.number,
        }

    def attributes(self, index: int, origin: str) -> dict[str, Any]:
        """Everything a standard has; a fresh dict, shared below."""
        slot = self.slot(index)
        guid = self.guid(index)
        deleted = self.status(index) == "deleted"
        use = "alignable" if slot.deepest else ("" if slot.level == 1 else "clarification")
        found: dict[str, Any] = {
            "guid": guid,
            "seq": slot.seq,
            "level": slot.level,
            "status": self.status(index),
            "label": self._label(index),
            "standard_type": "objective" if slot.deepest else "organizational",
            "captured_by": "AB",
            "uri": f"{origin}/rest/v4.1/standards/{guid}",
            "deepest": "Y" if slot.deepest else "N",
            "in_list": "Y" if slot.level == len(_LABELS) - 1 else "N",
            "has_list": "N" if slot.deepest or slot.level < 3 else "Y",
            "topic_organizer": None,
            "date_modified_utc": self.modified(index),
            "date_deleted_utc": self.modified(index) if deleted else None,
            "statement": extras.statement(index, slot),
            "number": self.number(index),
            "utilizations": [{"type": use, "guid": self.name_guid("use", index)}] if use else [],
            "legends": extras.legends(index, slot),
            "alt_identifiers": [
                {"type": "GUID", "source": "canonical", "id": guid.replace("-", "")}
            ],
            "extensions": self.extensions(index),
            "key_ideas": self.taxonomy.key_ideas(index),
            "disciplines": self.disciplines(index),
            "education_levels": self.education_levels(index),
            "section": self.section_of(index),
            "document": self.document_of(index),
        }
        for path, value in self.patches.get(index, {}).items():
            _put(found, path, value)
        return found

    def disciplines(self, index: int) -> dict[str, Any]:
        """Subject and strand."""
        slot = self.slot(index)
        return {
            "subjects": [self.subject(slot.subject)],
            "strands": [self.strand(slot)],
            "genres": [],
            "ece_domains": [],
            "_content_connections": [],
        }

    def education_levels(self, index: int) -> dict[str, Any]:
        """The grades; nothing here is for early childhood."""
        return {"grades": self.grades(self.slot(index).band), "ece_ages": []}

    def extensions(self, index: int) -> list[dict[str, Any]]:
        """Remarks of the authority; most standards have none."""
        return extras.extensions(index, self.slot(index), self.name_guid("extensi", index))

    def _label(self, index: int) -> str:
        slot = self.slot(index)
        course = slot.level == 1 and is_course(index // self.size, slot.subject)
        return "Course" if course else _LABELS[slot.level]

    def strand(self, slot: Slot) -> dict[str, Any]:
        """The strand of a place: its domain."""
        domains = DOMAINS[SUBJECTS[slot.subject][0]]
        code = slot.number.split(".")[1]
        number = next(place for place, (short, _) in enumerate(domains) if short == code)
        return self.strand_of(slot.subject, number)

    def strand_of(self, subject: int, number: int) -> dict[str, Any]:
        """A strand of a subject."""
        return {
            "guid": self.name_guid("strand", subject * 10 + number),
            "descr": DOMAINS[SUBJECTS[subject][0]][number][1],
        }


def _put(into: dict[str, Any], path: str, value: Any) -> None:
    """Sets a dotted path; what lies on the way is copied, for it may be shared."""
    name, _, rest = path.partition(".")
    if not rest:
        into[name] = value
        return
    inner = dict(into.get(name) or {})
    into[name] = inner
    _put(inner, rest, value)
