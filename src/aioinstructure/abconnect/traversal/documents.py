"""Documents in reading order: the documents that exist, and the standards of one document.

Uses the public calls of the client, and knows nothing of the wire format.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from aioinstructure._text import short_repr
from aioinstructure.abconnect.filters.expressions import F, Filter, PathLike
from aioinstructure.abconnect.json_api.facets import FacetDetail
from aioinstructure.abconnect.json_api.resources import check_guid, normalized_guid
from aioinstructure.abconnect.standards import Standard
from aioinstructure.abconnect.traversal.resumable import (
    DEFAULT_FIELDS,
    BatchReader,
    Position,
    ResumableTraversal,
    asked_fields,
    is_guid,
)
from aioinstructure.conversion.checked import checked
from aioinstructure.errors import DecodeError, IncompleteError
from aioinstructure.paging.result_page import ResultPage

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

__all__ = ["Branch", "DocumentTree", "authorities", "documents", "publications", "sections"]

# --- one document -----------------------------------------------------------------------------

NEEDED = ("guid", "seq", "level", "status", "parent", "section.guid", "section.seq")
_ORDER = ("section.seq", "section.guid", "level", "seq", "guid")
RETIRED = "deleted"
ALL_STATUSES: Final = F.status.in_("active", RETIRED, "obsolete")


class DocumentTree(ResumableTraversal[tuple[int, Standard]]):
    """The standards of a document in reading order: (depth, standard), parents before children.

    Sections are ordered by their number. Within a section, the standards of each level are ordered
    by number, and each is followed by its children. Depth is 0 at the top level of a section.

    A document of n standards takes n/100 requests, rounded up: its standards are listed section by
    section, and the order within a section is computed from parents and numbers, instead of one
    list for each parent. Memory holds the largest section and the pages that are fetched ahead.
    Retired standards are fetched as well (n includes them), since others may still be below them.
    A standard whose parent is not in its section comes at the end of the top level.

    A cursor resumes by section number, not by offset: the section is fetched again, and the
    standards that were already yielded are skipped, by the last id if it is still in the section,
    else by count.

    Args:
        ab: The client.
        document_guid: The document.
        fields: Fields to request besides guid, seq, level, status and parent.
        deleted: Also yield retired standards.
        cursor: The cursor of another tree of the same document, to resume from.

    Raises:
        InputError: The GUID is invalid, or the cursor belongs to another document.
        IncompleteError: The document changed while it was read: resume from the cursor.

    Example:
        async for depth, standard in DocumentTree(ab, guid):
            print("  " * depth, standard.number.enhanced, standard.statement.descr)
    """

    _kind = "document_tree"

    def __init__(
        self,
        ab: ABConnect,
        document_guid: str,
        *,
        fields: Sequence[PathLike] = DEFAULT_FIELDS,
        deleted: bool = False,
        cursor: str | None = None,
    ) -> None:
        self._document = check_guid("document_guid", document_guid)
        self._fields = asked_fields(fields, NEEDED)
        self._deleted = bool(deleted)
        super().__init__(ab, [normalized_guid(document_guid), self._deleted], cursor)

    def _reader(self, start: Position) -> BatchReader[tuple[int, Standard]]:
        return Sections(self._ab, self._document, self._fields, start, deleted=self._deleted)

    def _is_position(self, position: list[Any]) -> bool:
        return is_tree_position(position)


def is_tree_position(place: object) -> bool:
    """Whether a value has the form [floor, section, done, count, last id].

    All sections with a number below the floor are done; `done` lists the others that are.
    """
    if not isinstance(place, list) or len(place) != 5:
        return False
    floor, section, done, count, last = place
    return (
        type(floor) in (int, type(None))
        and (section == "" or is_guid(section))
        and isinstance(done, list)
        and all(one == "" or is_guid(one) for one in done)
        and type(count) is int
        and count > 0
        and is_guid(last)
    )


class Sections:
    """Reads a document section by section, each in tree order."""

    def __init__(
        self,
        ab: ABConnect,
        document: str,
        fields: list[PathLike],
        start: Position,
        *,
        deleted: bool = False,
    ) -> None:
        self._deleted = deleted
        self._start = start
        # Done: all sections with a number below the floor, and those in the two lists.
        self._floor: int | None = start[0] if start else None
        self._done: list[str] = [normalized_guid(one) for one in start[2]] if start else []
        self._done_at_floor: list[str] = []
        self._skipped = frozenset(self._done)
        where = ALL_STATUSES
        if self._floor is not None:  # negated, to keep sections without a number
            where &= ~(F.section.seq < self._floor)
        listed = ab.standards.list(
            filter=(F.document.guid == document) & where, fields=fields, sort=_ORDER, page_size=100
        )
        self._pages: AsyncIterator[ResultPage[Standard]] = listed.pages()
        self._read: deque[Standard] = deque()
        self._closed: set[str] = set()

    async def more(self) -> list[tuple[tuple[int, Standard], Position]] | None:
        """Return the next section."""
        standards = await self._section()
        if not standards:
            return None
        seq = checked(standards[0].section.seq, int, "section.seq")
        guid = normalized_guid(standards[0].section.guid)
        if guid in self._closed:
            raise IncompleteError(
                f"section {guid or 'without a GUID'} was sent in two parts",
                expected="the standards of a section together",
                got=f"{standards[0].id} after another section",
            )
        if seq is not None and seq != self._floor:
            self._floor, self._done_at_floor = seq, []
        rows: list[tuple[tuple[int, Standard], Position]] = []
        if guid not in self._skipped:
            done = self._done + self._done_at_floor
            ordered = in_order(standards)
            skip = self._already_yielded(guid, ordered)
            count = 0
            for at, row in enumerate(ordered):
                if self._deleted or row[1].status != RETIRED:
                    count += 1
                    if at >= skip:
                        rows.append(
                            (row, [self._floor, guid, done, count, normalized_guid(row[1].id)])
                        )
        self._closed.add(guid)
        if guid not in self._skipped:
            (self._done if seq is None else self._done_at_floor).append(guid)
        return rows

    def _already_yielded(self, guid: str, ordered: list[tuple[int, Standard]]) -> int:
        """Return how many standards of a section were yielded before the start cursor."""
        if self._start is None or guid != normalized_guid(self._start[1]):
            return 0
        _, _, _, count, last = self._start
        found = (
            at
            for at, (_, one) in enumerate(ordered, 1)
            if normalized_guid(one.id) == normalized_guid(last)
        )
        return next(found, min(count, len(ordered)))

    async def _section(self) -> list[Standard]:
        """Return all standards of the next section."""
        standards: list[Standard] = []
        while (one := await self._peek()) is not None:
            if standards and normalized_guid(one.section.guid) != normalized_guid(
                standards[0].section.guid
            ):
                break
            standards.append(self._read.popleft())
        return standards

    async def _peek(self) -> Standard | None:
        if not self._read and (page := await anext(self._pages, None)) is not None:
            self._read.extend(page.items)
        return self._read[0] if self._read else None


def in_order(standards: Sequence[Standard]) -> list[tuple[int, Standard]]:
    """Sort the standards of one section depth first, and return each with its depth.

    Raises:
        IncompleteError: A standard was sent twice, or without its parent, or is its own ancestor.
    """
    known = {normalized_guid(one.id) for one in standards}
    if "" in known:
        raise DecodeError("a standard has no id", paths=["expected text, got null @ $.id"])
    below: dict[str, list[Standard]] = {}
    for one in standards:
        if "parent" not in one.fields_set and (checked(one.level, int, "level") or 1) > 1:
            raise IncompleteError(
                f"no parent was sent for {one.id}: your licence may not include that relationship",
                expected="parent",
                got=sorted(one.fields_set),
            )
        parent = _parent(one)
        below.setdefault(parent if parent in known else "", []).append(one)
    for parent, children in below.items():
        # At the top level, those whose parent is elsewhere come last, grouped by parent.
        children.sort(
            key=lambda one, top=not parent: (  # type: ignore[misc]  # bound now
                _parent(one) if top else "",
                one.seq is None,
                checked(one.seq, int, "seq") or 0,
                normalized_guid(one.id),
            )
        )
    found = list(_down(below)) if len(known) == len(standards) else []
    if len(found) != len(standards):
        raise IncompleteError(
            "the standards of a section do not form a tree: one was sent twice or is its own ancestor",
            expected=len(standards),
            got=len(found) or len(known),
        )
    return found


def _parent(one: Standard) -> str:
    return normalized_guid(one.parent.single.id) if one.parent.single is not None else ""


def _down(below: Mapping[str, list[Standard]]) -> Iterator[tuple[int, Standard]]:
    stack = [(0, one) for one in reversed(below.get("", []))]
    while stack:
        depth, one = stack.pop()
        yield depth, one
        stack.extend(
            (depth + 1, child) for child in reversed(below.get(normalized_guid(one.id), []))
        )


# --- authorities, publications, documents, sections -------------------------------------------


@frozen
class Branch:
    """An authority, publication, document or section, with its number of standards.

    Attributes:
        guid: The GUID.
        descr: The name.
        count: The number of its standards that are delivered to you.
        acronym: The acronym of an authority or publication, if it has one.
        adopt_year: The year of a document; text or a number, as sent by the service.
        seq: The number of a section, by which sections are ordered.
    """

    guid: str
    descr: str | None
    count: int
    acronym: str | None = None
    adopt_year: str | int | None = None
    seq: int | None = None


async def authorities(ab: ABConnect) -> list[Branch]:
    """List the authorities whose standards are delivered to you, in one request."""
    return await _branches(ab, "document.publication.authorities", None)


async def publications(ab: ABConnect, authority_guid: str) -> list[Branch]:
    """List the publications of an authority, in one request."""
    guid = check_guid("authority_guid", authority_guid)
    path = F.document.publication.authorities.guid
    return await _branches(ab, "document.publication", path == guid)


async def documents(ab: ABConnect, publication_guid: str) -> list[Branch]:
    """List the documents of a publication, in one request."""
    guid = check_guid("publication_guid", publication_guid)
    return await _branches(ab, "document", F.document.publication.guid == guid)


async def sections(ab: ABConnect, document_guid: str) -> list[Branch]:
    """List the sections of a document in order, in one request."""
    guid = check_guid("document_guid", document_guid)
    found = await _branches(ab, "section", F.document.guid == guid)
    return sorted(found, key=lambda one: (one.seq is None, one.seq or 0))


async def _branches(ab: ABConnect, name: str, where: Filter | None) -> list[Branch]:
    summary = await ab.standards.facets(name, filter=where)
    facet = next((one for one in summary.facets if one.facet == name), None)
    if facet is None:
        raise DecodeError(f"the response has no facet {name}")
    if facet.truncated:
        raise IncompleteError(
            f"{name} has {facet.count} values, but only {len(facet.details)} were sent:"
            " facets are not paged",
            expected=facet.count,
            got=len(facet.details),
        )
    return [_branch(name, one) for one in facet.details]


def _branch(name: str, detail: FacetDetail) -> Branch:
    data = detail.data if isinstance(detail.data, Mapping) else {}
    if not isinstance(data.get("guid"), str):
        raise DecodeError(f"a value of {name} has no GUID: {short_repr(detail.data, 100)}")
    return Branch(
        guid=data["guid"],
        descr=data.get("descr"),
        count=checked(detail.count, int, "count") or 0,
        acronym=data.get("acronym"),
        adopt_year=data.get("adopt_year"),
        seq=checked(data.get("seq"), int, "seq"),
    )
