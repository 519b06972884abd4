"""Models shared by several resources: documents, sections, disciplines, grades, collections."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from attrs import define, field

from aioinstructure.conversion.model import Model

__all__ = [
    "Collection",
    "Disciplines",
    "Document",
    "EducationLevels",
    "Grade",
    "Labelled",
    "Publication",
    "Section",
]


@define
class Labelled(Model):
    """A subject, strand, genre, region, authority or concept: a GUID and a description."""

    guid: str | None = None
    descr: str | None = None
    code: str | None = None
    acronym: str | None = None
    type: str | None = None


@define
class Grade(Model):
    """A grade or an age; sort by `seq` (K has 20, grade 9 has 110)."""

    guid: str | None = None
    code: str | None = None
    descr: str | None = None
    seq: int | None = None


@define
class Disciplines(Model):
    """Subjects, strands and similar terms."""

    subjects: list[Labelled] = field(factory=list)
    strands: list[Labelled] = field(factory=list)
    genres: list[Labelled] = field(factory=list)
    ece_domains: list[Labelled] = field(factory=list)
    primary_subject: Labelled | None = None


@define
class EducationLevels(Model):
    """Grades, and ages in early childhood education."""

    grades: list[Grade] = field(factory=list)
    ece_ages: list[Grade] = field(factory=list)


@define
class Publication(Model):
    """The publication that documents belong to, and its authorities."""

    guid: str | None = None
    descr: str | None = None
    extended_descr: str | None = None
    acronym: str | None = None
    source_url: str | None = None
    publication_type: Literal["standard", "course"] | str | None = None
    authorities: list[Labelled] = field(factory=list)
    regions: list[Labelled] = field(factory=list)


@define
class Document(Model):
    """The document of a standard. Years are text or numbers, as sent by the service."""

    guid: str | None = None
    descr: str | None = None
    source_url: str | None = None
    date_modified_utc: datetime | None = None
    adopt_year: str | int | None = None
    revision_year: str | int | None = None
    implementation_year: str | int | None = None
    assessment_year: str | int | None = None
    obsolete_year: str | int | None = None
    disciplines: Disciplines = field(factory=Disciplines)
    publication: Publication = field(factory=Publication)


@define
class Section(Model):
    """The section of a document that a standard is in."""

    guid: str | None = None
    descr: str | None = None
    label: str | None = None
    number: str | None = None
    seq: int | None = None
    date_modified_utc: datetime | None = None
    adopt_year: str | int | None = None
    revision_year: str | int | None = None
    implementation_year: str | int | None = None
    assessment_year: str | int | None = None
    obsolete_year: str | int | None = None
    disciplines: Disciplines = field(factory=Disciplines)


@define
class Collection(Model):
    """A named filter.

    Sources: https://developerdocs.instructure.com/services/ab-connect/reference/standard-collections
    and https://developerdocs.instructure.com/services/ab-connect/reference/asset-collections
    """

    guid: str | None = None
    name: str | None = None
    filters: dict[str, Any] = field(factory=dict)
    advanced_search: dict[str, Any] = field(factory=dict)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Unwrap `data`."""
        inner = data.get("data")
        return inner if isinstance(inner, dict) else data
