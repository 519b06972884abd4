"""From standards to others: what replaces them, and what stands for them in another document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from attrs import frozen

from aioinstructure.abconnect.query import F, Filter, PathLike
from aioinstructure.abconnect.resource import Relationship
from aioinstructure.abconnect.resource import guid as checked_guid
from aioinstructure.abconnect.standards import Standard, StandardRelationship
from aioinstructure.abconnect.tree import (
    ALL_STATUSES,
    NEEDED,
    SHOWN,
    Place,
    Reader,
    Sections,
    Walk,
    asked_fields,
    is_tree_place,
    same,
)
from aioinstructure.errors import InputError

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

__all__ = ["Candidate", "Crosswalk", "Link", "Match", "Replacements", "Successor"]

Link: TypeAlias = Literal[
    "derivatives",
    "origins",
    "replaced_by",
    "replaces",
    "peer_derivatives",
    "crosswalks",
    "peers",
]
"""The relationships that lead to a standard's like in another document."""

_BATCH: Final = 100


def _says(meta: Mapping[str, Any], flag: str) -> bool:
    return meta.get(flag) == "Y"


# --- what replaces retired standards ------------------------------------------------------------


@frozen
class Successor:
    """A standard that takes the place of another.

    Attributes:
        standard: The new one.
        same_text: Whether its text is that of the old one, letter by letter.
        same_concepts: Whether it covers the same concepts: what most people migrate by themselves.
    """

    standard: Standard
    same_text: bool
    same_concepts: bool


class Replacements(Walk[tuple[str, list[Successor]]]):
    """What replaces standards: (old guid, successors), in the order asked.

    Old ones without a successor come with an empty list; those with the same text and concepts
    stand before those with the same concepts, and these before the rest. Takes one request for a
    hundred old standards, and more where those have more than a hundred successors. The memory is
    that of the GUIDs and the successors of a hundred.

    Args:
        ab: The client.
        guids: The old standards, retired or not.
        fields: What is asked for each successor besides guid and status.
        deleted: Give successors that were retired meanwhile as well; ask for theirs in turn.
        cursor: Where another walk over the same GUIDs was.

    Raises:
        InputError: One is no GUID, or the cursor is not of these GUIDs.

    Example:
        async for old, successors in Replacements(ab, retired):
            print(old, [one.standard.id for one in successors if one.same_concepts])
    """

    _kind = "replacements"

    def __init__(
        self,
        ab: ABConnect,
        guids: Iterable[str],
        *,
        fields: Sequence[PathLike] = SHOWN,
        deleted: bool = False,
        cursor: str | None = None,
    ) -> None:
        if isinstance(guids, str):
            raise InputError(f"guids must be a list of GUIDs, not {guids!r:.100}")
        self._guids = [checked_guid("guids", guid) for guid in guids]
        self._fields = asked_fields(fields, ("guid", "status", "replaces"))
        self._deleted = bool(deleted)
        super().__init__(ab, [self._deleted], cursor)

    def _reader(self, start: Place) -> Reader[tuple[str, list[Successor]]]:
        done = start[0] if start else 0
        return _Successors(self._ab, self._guids, self._fields, done, deleted=self._deleted)

    def _is_place(self, place: list[Any]) -> bool:
        if len(place) != 2 or type(place[0]) is not int or not isinstance(place[1], str):
            return False
        done, last = place
        return 0 < done <= len(self._guids) and same(self._guids[done - 1]) == same(last)


class _Successors:
    """Reads the successors of a hundred standards at a time."""

    def __init__(
        self, ab: ABConnect, guids: list[str], fields: list[str], done: int, *, deleted: bool
    ) -> None:
        self._ab = ab
        self._guids = guids
        self._fields = fields
        self._done = done
        self._deleted = deleted

    async def more(self) -> list[tuple[tuple[str, list[Successor]], Place]] | None:
        """The next hundred, with or without successors."""
        batch = self._guids[self._done : self._done + _BATCH]
        if not batch:
            return None
        found: dict[str, list[Successor]] = {same(guid): [] for guid in batch}
        where = F.replaces.id.in_(*dict.fromkeys(batch))
        if self._deleted:
            where &= ALL_STATUSES
        async for new in self._ab.standards.list(
            filter=where, fields=self._fields, sort=["guid"], page_size=100
        ):
            async for old, meta in _members(self._ab, new, "replaces"):
                if old in found:
                    successor = Successor(
                        new, _says(meta, "same_text"), _says(meta, "same_concepts")
                    )
                    found[old].append(successor)
        for successors in found.values():
            successors.sort(key=lambda one: _tier(one.same_text, one.same_concepts))
        first, self._done = self._done, self._done + len(batch)
        return [
            ((guid, list(found[same(guid)])), [first + at, guid])
            for at, guid in enumerate(batch, 1)
        ]


async def _members(
    ab: ABConnect, standard: Standard, name: StandardRelationship
) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    """Ids and properties of all that are related: embedded, or listed if that was cut."""
    relationship: Relationship = getattr(standard, name)
    if not relationship.cut:
        for ref in relationship.data:
            yield same(ref.id), ref.meta
    elif standard.id is not None:
        async for other in ab.standards.related(standard.id, name, page_size=100):
            yield same(other.id), other.meta


def _tier(same_text: bool, same_concepts: bool) -> int:
    if same_concepts:
        return 0 if same_text else 1
    return 2


# --- from one document to another ---------------------------------------------------------------

_DIRECT: Final[tuple[Link, ...]] = ("derivatives", "origins", "replaced_by", "replaces")
_DERIVED: Final[tuple[Link, ...]] = (*_DIRECT, "peer_derivatives")
_LOOSE: Final[tuple[Link, ...]] = ("crosswalks", "peers")
_LINKS: Final[tuple[Link, ...]] = get_args(Link)
_BACK: Final[Mapping[Link, StandardRelationship]] = {
    "derivatives": "origins",
    "origins": "derivatives",
    "replaced_by": "replaces",
    "replaces": "replaced_by",
    "peer_derivatives": "peer_derivatives",
    "crosswalks": "crosswalks",
    "peers": "peers",
}
"""The same relationship, seen from its other end."""


@frozen
class Candidate:
    """A standard of the target document, and why it is one.

    Attributes:
        standard: It, with the fields asked for.
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
    """A standard of the source document with its candidates, the most trusted one first.

    Attributes:
        standard: The one of the source.
        depth: Its depth there.
        candidates: Those of the target; maybe none.
    """

    standard: Standard
    depth: int
    candidates: list[Candidate]


class Crosswalk(Walk[Match]):
    """Each standard of a document, in order, with its candidates in another one.

    In the order of trust that the service's own guide gives: derivatives, origins, replacements
    and peer derivatives with the same text and concepts; then those with the same concepts; then
    the rest of them. Standards that have none of these get their crosswalks (curated by experts),
    and those that have no crosswalk either their peers (gathered from shared resources); with
    `all_links` every standard gets both. A peer derivative is compared with the common origin, so
    it counts as the same only if the source standard is, too.

    The target document is read first, m/100 requests, and kept: the memory is that of its
    standards with `fields`, and of what `DocumentTree` needs for the source. Then n/100 requests
    for the source. Where a standard has more than 25 related ones, the service cuts the list: those
    of the target are searched from their side, one request or two for a hundred standards of the
    source; where that is cut as well, each such standard's relationship is listed, hundreds at a
    time. What your licence does not hold is missing without a word.

    Args:
        ab: The client.
        source_document: The document that is mapped.
        target_document: The one that it is mapped to.
        fields: What is asked for the standards of both.
        links: The relationships to look at.
        all_links: Look at crosswalks and peers of all standards.
        cursor: Where another walk of the same two documents was. The target is read again.

    Raises:
        InputError: No GUIDs, one document twice, an unknown link, no cursor of these documents.
        IncompleteError: A document changed while it was read: go on from the cursor.

    Example:
        async for match in Crosswalk(ab, common_core, california):
            for candidate in match.candidates:
                print(match.standard.id, candidate.standard.id, candidate.relation)
    """

    _kind = "crosswalk"

    def __init__(
        self,
        ab: ABConnect,
        source_document: str,
        target_document: str,
        *,
        fields: Sequence[PathLike] = SHOWN,
        links: Sequence[Link] = _LINKS,
        all_links: bool = False,
        cursor: str | None = None,
    ) -> None:
        self._source = checked_guid("source_document", source_document)
        self._target = checked_guid("target_document", target_document)
        if same(source_document) == same(target_document):
            raise InputError(f"a document cannot be mapped to itself: {source_document}")
        unknown = [link for link in links if link not in _LINKS]
        if isinstance(links, str) or unknown or not links:
            raise InputError(f"links must be some of {', '.join(_LINKS)}, not {links!r:.200}")
        self._fields = fields
        self._links: list[Link] = [link for link in _LINKS if link in links]
        self._all_links = bool(all_links)
        super().__init__(ab, [same(source_document), same(target_document)], cursor)

    def _reader(self, start: Place) -> Reader[Match]:
        # `origins` is asked for in any case: what peer derivatives are the same as depends on it.
        fields = asked_fields(self._fields, (*NEEDED, "origins", *self._links))
        source = Sections(self._ab, self._source, fields, start)
        wanted = asked_fields(self._fields, ("guid",))
        return _Matches(
            self._ab, source, self._target, wanted, self._links, all_links=self._all_links
        )

    def _is_place(self, place: list[Any]) -> bool:
        return is_tree_place(place)


_Pair: TypeAlias = "tuple[Standard, str, Mapping[str, Any]]"
"""A standard of the source, the id of one of the target, and the properties of the relationship."""


class _Matches:
    """Reads a hundred standards of the source at a time."""

    def __init__(
        self,
        ab: ABConnect,
        source: Sections,
        document: str,
        fields: list[str],
        links: list[Link],
        *,
        all_links: bool,
    ) -> None:
        self._ab = ab
        self._source = source
        self._rows: list[tuple[tuple[int, Standard], Place]] = []
        self._document = document
        self._fields = fields
        self._derived: list[Link] = [link for link in links if link in _DERIVED]
        self._loose: list[Link] = [link for link in links if link in _LOOSE]
        self._all_links = all_links
        self._target: dict[str, Standard] | None = None

    async def more(self) -> list[tuple[Match, Place]] | None:
        """The next hundred."""
        if self._target is None:
            self._target = {
                same(one.id): one
                async for one in self._ab.standards.list(
                    filter=F.document.guid == self._document,
                    fields=self._fields,
                    sort=["guid"],
                    page_size=100,
                )
            }
        while len(self._rows) < _BATCH and (rows := await self._source.more()) is not None:
            self._rows += rows
        batch, self._rows = self._rows[:_BATCH], self._rows[_BATCH:]
        if not batch:
            return None
        standards = [one for (_, one), _ in batch]
        found: dict[str, dict[str, Candidate]] = {same(one.id): {} for one in standards}
        for link in self._derived:
            await self._find(link, standards, found)
        for link in self._loose:
            left = [one for one in standards if self._all_links or not found[same(one.id)]]
            await self._find(link, left, found)
        return [
            (Match(one, depth, sorted(found[same(one.id)].values(), key=_trust)), place)
            for (depth, one), place in batch
        ]

    async def _find(
        self, link: Link, standards: list[Standard], found: dict[str, dict[str, Candidate]]
    ) -> None:
        """Add the candidates that one relationship leads to."""
        target = self._target or {}
        pairs = list(_embedded(link, standards))
        if cut := [one for one in standards if getattr(one, link).cut]:
            pairs += await self._cut(link, cut)
        for one, other, meta in pairs:
            if other not in target:
                continue
            text, concepts = _says(meta, "same_text"), _says(meta, "same_concepts")
            if link == "peer_derivatives":
                own = [ref.meta for ref in one.origins.data]
                text = text and bool(own) and all(_says(each, "same_text") for each in own)
                concepts = (
                    concepts and bool(own) and all(_says(each, "same_concepts") for each in own)
                )
            candidate = Candidate(target[other], link, text, concepts)
            best = found[same(one.id)].get(other)
            if best is None or _trust(candidate) < _trust(best):
                found[same(one.id)][other] = candidate

    async def _cut(self, link: Link, cut: list[Standard]) -> list[_Pair]:
        """The pairs of standards whose related ones are too many to be embedded."""
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
            async for other_id, meta in _members(self._ab, one, link)
        ]


def _embedded(link: Link, standards: list[Standard]) -> Iterator[_Pair]:
    for one in standards:
        relationship: Relationship = getattr(one, link)
        if not relationship.cut:
            for ref in relationship.data:
                yield one, same(ref.id), ref.meta


def _seen_from(other: Standard, link: Link, standards: list[Standard]) -> list[_Pair] | None:
    """The pairs that one of the target makes with these; None if it does not tell them."""
    back: Relationship = getattr(other, _BACK[link])
    if link == "peer_derivatives":
        # They share an origin. What the target's side is compared with is its own origin, too.
        own = {same(ref.id): ref.meta for ref in other.origins.data}
        shared: list[_Pair] = [
            (one, same(other.id), own[origin])
            for one in standards
            for origin in (same(ref.id) for ref in one.origins.data)
            if origin in own
        ]
        return shared or None
    if back.cut:
        return None
    by_id = {same(ref.id): ref.meta for ref in back.data}
    return [
        (one, same(other.id), by_id[same(one.id)]) for one in standards if same(one.id) in by_id
    ]


def _trust(candidate: Candidate) -> tuple[int, int, str]:
    """The smaller the more trusted; ids last, so that the order is always the same."""
    tier = _tier(candidate.same_text, candidate.same_concepts)
    if candidate.relation in _LOOSE:
        tier = 3
    return tier, _LINKS.index(candidate.relation), same(candidate.standard.id)
