"""Match the standards of one document to those of another, and rank how far to trust each match.

Reads for the traversals of `relations`, 100 standards at a time. Knows nothing of cursors except
the positions that it passes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from attrs import frozen

from aioinstructure.abconnect.filters.expressions import F, Filter, PathLike
from aioinstructure.abconnect.json_api.resources import Relationship, normalized_guid
from aioinstructure.abconnect.standards import Standard, StandardRelationship
from aioinstructure.abconnect.traversal.documents import Sections
from aioinstructure.abconnect.traversal.resumable import Position, asked_fields

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

__all__ = [
    "BATCH",
    "LINKS",
    "Candidate",
    "Link",
    "Match",
    "Matches",
    "is_flag_set",
    "related_ids",
    "tier",
]

Link: TypeAlias = Literal[
    "derivatives",
    "origins",
    "replaced_by",
    "replaces",
    "peer_derivatives",
    "crosswalks",
    "peers",
]
"""The relationships that lead to the counterpart of a standard in another document."""

BATCH: Final = 100
"""Standards whose relationships are read together: as many as a page holds."""

_DIRECT: Final[tuple[Link, ...]] = ("derivatives", "origins", "replaced_by", "replaces")
_DERIVED: Final[tuple[Link, ...]] = (*_DIRECT, "peer_derivatives")
_LOOSE: Final[tuple[Link, ...]] = ("crosswalks", "peers")
LINKS: Final[tuple[Link, ...]] = get_args(Link)
_BACK: Final[Mapping[Link, StandardRelationship]] = {
    "derivatives": "origins",
    "origins": "derivatives",
    "replaced_by": "replaces",
    "replaces": "replaced_by",
    "peer_derivatives": "peer_derivatives",
    "crosswalks": "crosswalks",
    "peers": "peers",
}
"""The same relationship, from the other end."""


@frozen
class Candidate:
    """A standard of the target document, and the relationship that leads to it.

    Attributes:
        standard: The standard, with the requested fields.
        relation: The relationship that leads to it, the most trusted one if there are several.
        same_text: Whether the text is known to be the same.
        same_concepts: Whether the concepts are known to be the same.
    """

    standard: Standard
    relation: Link
    same_text: bool = False
    same_concepts: bool = False


@frozen
class Match:
    """A standard of the source document with its candidates, most trusted first.

    Attributes:
        standard: The standard of the source document.
        depth: Its depth in the source document.
        candidates: The standards of the target document, if any.
    """

    standard: Standard
    depth: int
    candidates: list[Candidate]


_Pair: TypeAlias = "tuple[Standard, str, Mapping[str, Any]]"
"""A source standard, the id of a target standard, and the properties of the relationship."""


class Matches:
    """Reads 100 standards of the source at a time."""

    def __init__(
        self,
        ab: ABConnect,
        source: Sections,
        document: str,
        fields: list[PathLike],
        links: list[Link],
        *,
        all_links: bool,
    ) -> None:
        self._ab = ab
        self._source = source
        self._rows: list[tuple[tuple[int, Standard], Position]] = []
        self._document = document
        self._fields = fields
        self._derived: list[Link] = [link for link in links if link in _DERIVED]
        self._loose: list[Link] = [link for link in links if link in _LOOSE]
        self._all_links = all_links
        self._target: dict[str, Standard] | None = None

    async def more(self) -> list[tuple[Match, Position]] | None:
        """Return the next 100 matches."""
        if self._target is None:
            self._target = {
                normalized_guid(one.id): one
                async for one in self._ab.standards.list(
                    filter=F.document.guid == self._document,
                    fields=self._fields,
                    sort=["guid"],
                    page_size=100,
                )
            }
        while len(self._rows) < BATCH and (rows := await self._source.more()) is not None:
            self._rows += rows
        batch, self._rows = self._rows[:BATCH], self._rows[BATCH:]
        if not batch:
            return None
        standards = [one for (_, one), _ in batch]
        found: dict[str, dict[str, Candidate]] = {normalized_guid(one.id): {} for one in standards}
        for link in self._derived:
            await self._find(link, standards, found)
        for link in self._loose:
            left = [
                one for one in standards if self._all_links or not found[normalized_guid(one.id)]
            ]
            await self._find(link, left, found)
        return [
            (Match(one, depth, sorted(found[normalized_guid(one.id)].values(), key=_trust)), place)
            for (depth, one), place in batch
        ]

    async def _find(
        self, link: Link, standards: list[Standard], found: dict[str, dict[str, Candidate]]
    ) -> None:
        """Add the candidates that one relationship leads to."""
        target = self._target or {}
        pairs = list(_embedded(link, standards))
        if cut := [one for one in standards if getattr(one, link).truncated]:
            pairs += await self._cut(link, cut)
        for one, other, meta in pairs:
            if other not in target:
                continue
            text, concepts = is_flag_set(meta, "same_text"), is_flag_set(meta, "same_concepts")
            if link == "peer_derivatives":
                own = [ref.meta for ref in one.origins.data]
                text = text and bool(own) and all(is_flag_set(each, "same_text") for each in own)
                concepts = (
                    concepts
                    and bool(own)
                    and all(is_flag_set(each, "same_concepts") for each in own)
                )
            candidate = Candidate(target[other], link, text, concepts)
            best = found[normalized_guid(one.id)].get(other)
            if best is None or _trust(candidate) < _trust(best):
                found[normalized_guid(one.id)][other] = candidate

    async def _cut(self, link: Link, cut: list[Standard]) -> list[_Pair]:
        """Return the pairs of standards whose related standards are too many to be embedded."""
        back = _BACK[link]
        ids = [one.id for one in cut if one.id is not None]
        related: Filter = F[back].id.in_(*ids)
        pairs: list[_Pair] = []
        async for other in self._ab.standards.list(
            filter=(F.document.guid == self._document) & related,
            fields=asked_fields([back], ("guid", "origins")),
            sort=["guid"],
            page_size=100,
        ):
            seen = _seen_from(other, link, cut)
            if seen is None:
                break
            pairs += seen
        else:
            return pairs
        return [
            (one, other_id, meta)
            for one in cut
            async for other_id, meta in related_ids(self._ab, one, link)
        ]


def _embedded(link: Link, standards: list[Standard]) -> Iterator[_Pair]:
    for one in standards:
        relationship: Relationship[Standard] = getattr(one, link)
        if not relationship.truncated:
            for ref in relationship.data:
                yield one, normalized_guid(ref.id), ref.meta


def _seen_from(other: Standard, link: Link, standards: list[Standard]) -> list[_Pair] | None:
    """Return the pairs of a target standard with these; None if it does not show them."""
    back: Relationship[Standard] = getattr(other, _BACK[link])
    if link == "peer_derivatives":
        # They share an origin. The properties of the target are relative to its origin, too.
        own = {normalized_guid(ref.id): ref.meta for ref in other.origins.data}
        shared: list[_Pair] = [
            (one, normalized_guid(other.id), own[origin])
            for one in standards
            for origin in (normalized_guid(ref.id) for ref in one.origins.data)
            if origin in own
        ]
        return shared or None
    if back.truncated:
        return None
    by_id = {normalized_guid(ref.id): ref.meta for ref in back.data}
    return [
        (one, normalized_guid(other.id), by_id[normalized_guid(one.id)])
        for one in standards
        if normalized_guid(one.id) in by_id
    ]


def _trust(candidate: Candidate) -> tuple[int, int, str]:
    """Return a sort key, smaller for more trust; the id comes last to make the order stable."""
    is_loose = candidate.relation in _LOOSE
    rank = 3 if is_loose else tier(candidate.same_text, candidate.same_concepts)
    return rank, LINKS.index(candidate.relation), normalized_guid(candidate.standard.id)


# --- properties of relationships ----------------------------------------------------------------


def is_flag_set(meta: Mapping[str, Any], flag: str) -> bool:
    """Whether a flag of a relationship is "Y"."""
    return meta.get(flag) == "Y"


def tier(same_text: bool, same_concepts: bool) -> int:
    """Return how far to trust a relationship by its flags: 0 is the highest trust."""
    if same_concepts:
        return 0 if same_text else 1
    return 2


async def related_ids(
    ab: ABConnect, standard: Standard, name: StandardRelationship
) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    """Yield the id and properties of each related standard, listed if the embedded list is cut."""
    relationship: Relationship[Standard] = getattr(standard, name)
    if not relationship.truncated:
        for ref in relationship.data:
            yield normalized_guid(ref.id), ref.meta
    elif standard.id is not None:
        async for other in ab.standards.related(standard.id, name, page_size=100):
            yield normalized_guid(other.id), other.meta
