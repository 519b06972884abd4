"""Walks from standards to others: what replaces them, and what stands for them elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aioinstructure.abconnect.filters.expressions import F, PathLike
from aioinstructure.abconnect.json_api.resources import check_guid
from aioinstructure.abconnect.standards import Standard
from aioinstructure.abconnect.traversal.documents import (
    ALL_STATUSES,
    NEEDED,
    Sections,
    is_tree_position,
)
from aioinstructure.abconnect.traversal.matching import (
    BATCH,
    LINKS,
    Candidate,
    Link,
    Match,
    Matches,
    is_flag_set,
    related_ids,
    tier,
)
from aioinstructure.abconnect.traversal.resumable import (
    DEFAULT_FIELDS,
    BatchReader,
    Position,
    ResumableTraversal,
    asked_fields,
    normalized_guid,
)
from aioinstructure.errors import IncompleteError, InputError

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

__all__ = ["Candidate", "Crosswalk", "Link", "Match", "Replacements", "Successor"]


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


class Replacements(ResumableTraversal[tuple[str, list[Successor]]]):
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
        IncompleteError: Your licence has successors without the relationship that tells whose.

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
        fields: Sequence[PathLike] = DEFAULT_FIELDS,
        deleted: bool = False,
        cursor: str | None = None,
    ) -> None:
        if isinstance(guids, str):
            raise InputError(f"guids must be a list of GUIDs, not {guids!r:.100}")
        self._guids = [check_guid("guids", guid) for guid in guids]
        self._fields = asked_fields(fields, ("guid", "status", "replaces"))
        self._deleted = bool(deleted)
        super().__init__(ab, [self._deleted], cursor)

    def _reader(self, start: Position) -> BatchReader[tuple[str, list[Successor]]]:
        done = start[0] if start else 0
        return _Successors(self._ab, self._guids, self._fields, done, deleted=self._deleted)

    def _is_position(self, place: list[Any]) -> bool:
        if len(place) != 2 or type(place[0]) is not int or not isinstance(place[1], str):
            return False
        done, last = place
        return 0 < done <= len(self._guids) and normalized_guid(
            self._guids[done - 1]
        ) == normalized_guid(last)


class _Successors:
    """Reads the successors of a hundred standards at a time."""

    def __init__(
        self, ab: ABConnect, guids: list[str], fields: list[PathLike], done: int, *, deleted: bool
    ) -> None:
        self._ab = ab
        self._guids = guids
        self._fields = fields
        self._done: int = done
        self._deleted = deleted

    async def more(self) -> list[tuple[tuple[str, list[Successor]], Position]] | None:
        """The next hundred, with or without successors."""
        batch = self._guids[self._done : self._done + BATCH]
        if not batch:
            return None
        found: dict[str, list[Successor]] = {normalized_guid(guid): [] for guid in batch}
        where = F.replaces.id.in_(*dict.fromkeys(batch))
        if self._deleted:
            where &= ALL_STATUSES
        async for new in self._ab.standards.list(
            filter=where, fields=self._fields, sort=["guid"], page_size=100
        ):
            if "replaces" not in new.fields_set:
                raise IncompleteError(
                    f"no replaces was sent for {new.id}: is that relationship licensed?",
                    expected="replaces",
                    got=sorted(new.fields_set),
                )
            async for old, meta in related_ids(self._ab, new, "replaces"):
                if old in found:
                    successor = Successor(
                        new, is_flag_set(meta, "same_text"), is_flag_set(meta, "same_concepts")
                    )
                    found[old].append(successor)
        for successors in found.values():
            successors.sort(key=lambda one: tier(one.same_text, one.same_concepts))
        first = self._done
        self._done += len(batch)
        return [
            ((guid, list(found[normalized_guid(guid)])), [first + at, guid])
            for at, guid in enumerate(batch, 1)
        ]


# --- from one document to another ---------------------------------------------------------------


class Crosswalk(ResumableTraversal[Match]):
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
        fields: Sequence[PathLike] = DEFAULT_FIELDS,
        links: Sequence[Link] = LINKS,
        all_links: bool = False,
        cursor: str | None = None,
    ) -> None:
        self._source = check_guid("source_document", source_document)
        self._target = check_guid("target_document", target_document)
        if normalized_guid(source_document) == normalized_guid(target_document):
            raise InputError(f"a document cannot be mapped to itself: {source_document}")
        unknown = [link for link in links if link not in LINKS]
        if isinstance(links, str) or unknown or not links:
            raise InputError(f"links must be some of {', '.join(LINKS)}, not {links!r:.200}")
        self._fields = fields
        self._links: list[Link] = [link for link in LINKS if link in links]
        self._all_links = bool(all_links)
        super().__init__(
            ab, [normalized_guid(source_document), normalized_guid(target_document)], cursor
        )

    def _reader(self, start: Position) -> BatchReader[Match]:
        # `origins` is asked for in any case: what peer derivatives are the same as depends on it.
        fields = asked_fields(self._fields, (*NEEDED, "origins", *self._links))
        source = Sections(self._ab, self._source, fields, start)
        wanted = asked_fields(self._fields, ("guid",))
        return Matches(
            self._ab, source, self._target, wanted, self._links, all_links=self._all_links
        )

    def _is_position(self, place: list[Any]) -> bool:
        return is_tree_position(place)
