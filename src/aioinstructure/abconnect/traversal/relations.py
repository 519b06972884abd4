"""Traversals from standards to others: replacements, and counterparts in other documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aioinstructure.abconnect.filters.expressions import F, PathLike
from aioinstructure.abconnect.json_api.resources import check_guid, normalized_guid
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
)
from aioinstructure.errors import IncompleteError, InputError

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

__all__ = ["Candidate", "Crosswalk", "Link", "Match", "Replacements", "Successor"]


# --- replacements of retired standards ----------------------------------------------------------


@frozen
class Successor:
    """A standard that replaces another.

    Attributes:
        standard: The new standard.
        same_text: Whether its text is identical to that of the old one.
        same_concepts: Whether it covers the same concepts; most users then migrate automatically.
    """

    standard: Standard
    same_text: bool
    same_concepts: bool


class Replacements(ResumableTraversal[tuple[str, list[Successor]]]):
    """The replacements of standards: (old guid, successors), in the given order.

    A standard without a successor has an empty list. Successors with the same text and concepts
    come first, then those with the same concepts, then the rest. 100 old standards take one
    request, or more if they have more than 100 successors. Memory holds the GUIDs, and the
    successors of 100 standards.

    Args:
        ab: The client.
        guids: The old standards, retired or not.
        fields: Fields to request for each successor besides guid and status.
        deleted: Also yield successors that have been retired; request their successors in turn.
        cursor: The cursor of another traversal of the same GUIDs, to resume from.

    Raises:
        InputError: A GUID is invalid, or the cursor belongs to other GUIDs.
        IncompleteError: Your licence includes successors, but not the relationship that says which
            standards they replace.

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

    def _is_position(self, position: list[Any]) -> bool:
        if len(position) != 2 or type(position[0]) is not int or not isinstance(position[1], str):
            return False
        done, last = position
        return 0 < done <= len(self._guids) and normalized_guid(
            self._guids[done - 1]
        ) == normalized_guid(last)


class _Successors:
    """Reads the successors of 100 standards at a time."""

    def __init__(
        self, ab: ABConnect, guids: list[str], fields: list[PathLike], done: int, *, deleted: bool
    ) -> None:
        self._ab = ab
        self._guids = guids
        self._fields = fields
        self._done: int = done
        self._deleted = deleted

    async def more(self) -> list[tuple[tuple[str, list[Successor]], Position]] | None:
        """Return the next 100 standards, with or without successors."""
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
                    f"no replaces was sent for {new.id}:"
                    " your licence may not include that relationship",
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
    """Each standard of a document, in order, with its candidates in another document.

    Candidates are in the order of trust given by the service's guide: derivatives, origins,
    replacements and peer derivatives with the same text and concepts; then those with the same
    concepts; then the rest of them. Standards with none of these get their crosswalks (curated by
    experts), and those without crosswalks get their peers (gathered from shared resources); with
    `all_links` every standard gets both. A peer derivative is compared with the common origin, so
    it counts as the same only if the source standard is also the same as the origin.

    The target document of m standards is read first, in m/100 requests, and kept: memory holds its
    standards with `fields`, and what `DocumentTree` needs for the source. The source document of n
    standards then takes n/100 requests. If a standard has more than 25 related ones, the service
    truncates the list. Those of the target are then searched from the other side, in one or two
    requests for 100 standards of the source. If that list is truncated as well, the relationship
    of each such standard is listed, in pages of 100. Relationships that your licence does not
    include are missing without an error.

    Args:
        ab: The client.
        source_document: The document to map.
        target_document: The document to map it to.
        fields: Fields to request for the standards of both.
        links: The relationships to use.
        all_links: Use crosswalks and peers for all standards.
        cursor: The cursor of another traversal of the same two documents, to resume from. The
            target is read again.

    Raises:
        InputError: A GUID or link is invalid, both documents are the same, or the cursor belongs to
            other documents.
        IncompleteError: A document changed while it was read: resume from the cursor.

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
            raise InputError(
                f"links must be a list of names from {', '.join(LINKS)}, not {links!r:.200}"
            )
        self._fields = fields
        self._links: list[Link] = [link for link in LINKS if link in links]
        self._all_links = bool(all_links)
        super().__init__(
            ab, [normalized_guid(source_document), normalized_guid(target_document)], cursor
        )

    def _reader(self, start: Position) -> BatchReader[Match]:
        # `origins` is always requested: the flags of peer derivatives depend on it.
        fields = asked_fields(self._fields, (*NEEDED, "origins", *self._links))
        source = Sections(self._ab, self._source, fields, start)
        wanted = asked_fields(self._fields, ("guid",))
        return Matches(
            self._ab, source, self._target, wanted, self._links, all_links=self._all_links
        )

    def _is_position(self, position: list[Any]) -> bool:
        return is_tree_position(position)
