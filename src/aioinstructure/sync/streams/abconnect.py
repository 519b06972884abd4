"""The streams of AB Connect."""

from __future__ import annotations

from typing import Any, Final

from aioinstructure.abconnect import ABConnect
from aioinstructure.abconnect.filters.expressions import F
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.streams.base import Stream, list_reader

__all__ = ["STREAMS"]

_STANDARD_FIELDS: Final = (
    "guid",
    "number",
    "statement",
    "label",
    "level",
    "seq",
    "status",
    "date_modified_utc",
    "disciplines.subjects",
    "education_levels.grades",
    "document.guid",
    "section.guid",
    "parent",
)


# Without the two others a copy would keep what was retired meanwhile as if it were in force.
_MIRROR: Final = F.status.in_("active", "deleted", "obsolete")


# Relations are left out: of more than 25 only the first 10 would come.
_ASSET_FIELDS: Final = (
    "guid",
    "client_id",
    "asset_type",
    "title",
    "date_modified_utc",
    "date_alignments_modified_utc",
    "custom_attributes",
    "disciplines",
    "education_levels",
)


def standards(ab: ABConnect, page_size: int | None = None) -> Paginator[Any]:
    """All standards, retired ones too."""
    # Without a unique sort the order is by relevance, and pages overlap.
    return ab.standards.list(
        filter=_MIRROR, fields=_STANDARD_FIELDS, sort=["guid"], page_size=page_size
    )


def assets(ab: ABConnect, page_size: int | None = None) -> Paginator[Any]:
    """Your own assets, without their relationships."""
    return ab.assets.list(fields=_ASSET_FIELDS, sort=["guid"], page_size=page_size)


def events(ab: ABConnect, page_size: int | None = None) -> Paginator[Any]:
    """All events, by their numbers."""
    return ab.events.since(0, page_size=page_size)


STREAMS: Final = (
    Stream("standards", "abconnect", list_reader(standards), standards),
    Stream("assets", "abconnect", list_reader(assets), assets),
    Stream("events", "abconnect", list_reader(events, counts_rest=True), events, continues=True),
)
"""The streams of AB Connect, in the order that a report lists them."""
