"""Documents in order, replacements of standards, and matches in other documents."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import (
    ABConnect,
    DecodeError,
    IncompleteError,
    InputError,
    Request,
    Response,
)
from aioinstructure.abconnect import F, Raw
from aioinstructure.abconnect.traversal.documents import (
    Branch,
    DocumentTree,
    authorities,
    documents,
    publications,
    sections,
)
from aioinstructure.abconnect.traversal.relations import (
    Candidate,
    Crosswalk,
    Match,
    Replacements,
)
from aioinstructure.simulator import Simulator
from aioinstructure.testing import FakeTransport, reply

ORIGIN = "https://api.abconnect.instructure.com"
OTHER = "49C1ACA6-9CC6-11E7-8E55-D1F6CCC8CA83"


def guid(number: int) -> str:
    return f"{number:08X}-0000-1000-8000-000000000000"


DOCUMENT, TARGET = guid(0xD0), guid(0xD1)


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


def query(path: str) -> dict[str, str]:
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


def served(simulator: Simulator) -> int:
    return int(simulator.stats()["abconnect"]["served"])


async def read(traversal: AsyncIterable[Any], n: int | None = None) -> list[Any]:
    found = []
    async for item in traversal:
        found.append(item)
        if len(found) == n:
            break
    return found


# --- one document -------------------------------------------------------------------------------


def document(simulator: Simulator, edition: int = 0, subject: int = 0) -> str:
    return str(simulator.world.standards.document(edition, subject)["guid"])


def in_document(
    simulator: Simulator, edition: int = 0, subject: int = 0, *, deleted: bool = False
) -> list[tuple[int, str]]:
    """Return the order of a document from the state of the simulator."""
    standards = simulator.world.standards

    def down(depth: int, rows: list[int]) -> Iterator[tuple[int, str]]:
        for row in sorted(rows, key=lambda row: (standards.slot(row).seq, standards.guid(row))):
            if deleted or standards.status(row) != "deleted":
                yield depth, standards.guid(row)
            yield from down(depth + 1, standards.children(row))

    found: list[tuple[int, str]] = []
    for of, section, rows in standards.sections():
        if (of, section // 10) == (edition, subject):
            found += down(0, [row for row in rows if standards.parent(row) is None])
    return found


def ids(rows: list[Any]) -> list[tuple[int, str]]:
    return [(depth, one.id) for depth, one in rows]


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_document_in_its_order(
    simulator: Simulator, abconnect: ABConnect, deleted: bool
) -> None:
    """The order is the simulator's, at one request per 100 standards; retired parents count."""
    expected = in_document(simulator, deleted=deleted)
    tree = DocumentTree(abconnect, document(simulator).lower(), deleted=deleted)
    assert ids(await read(tree)) == expected
    total = len(in_document(simulator, deleted=True))
    assert served(simulator) == -(-total // 100) == 6
    assert (len(expected) < total) is not deleted


async def test_the_fields_of_a_standard_in_a_tree(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """It has the requested fields, and those needed for the order."""
    tree = DocumentTree(abconnect, document(simulator), fields=["section", "number.enhanced"])
    ((depth, one),) = await read(tree, 1)
    assert depth == 0
    assert one.section.descr == "Kindergarten"
    assert one.number.enhanced == "K.OA"
    assert one.level == 1
    assert one.statement.descr is None
    assert repr(tree).startswith("<DocumentTree ")


async def test_a_moved_standard_is_below_its_new_parent(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """The order follows parents, not only levels."""
    world = simulator.world
    levels = {
        level: [row for row in range(40) if world.standards.slot(row).level == level]
        for level in (2, 3)
    }
    old = world.standards.parent(levels[3][0])
    to = next(row for row in levels[2] if row != old)
    world.move_standard(world.standards.guid(levels[3][0]), world.standards.guid(to))
    rows = ids(await read(DocumentTree(abconnect, document(simulator))))
    assert rows == in_document(simulator)


@pytest.mark.parametrize("taken", [1, 2, 42, 43, 44, 119, 300, 571, 572])
async def test_a_tree_resumes_from_a_cursor(
    simulator: Simulator, abconnect: ABConnect, taken: int
) -> None:
    """Within a section and between two: the same sequence, and fewer requests."""
    expected = in_document(simulator)
    first = DocumentTree(abconnect, document(simulator))
    assert ids(await read(first, taken)) == expected[:taken]
    cursor = first.cursor
    before = served(simulator)
    second = DocumentTree(abconnect, document(simulator), cursor=cursor)
    assert second.cursor == cursor
    assert ids(await read(second)) == expected[taken:]
    assert served(simulator) - before <= -(-(len(expected) - taken + 100) // 100)
    for secret in (simulator.partner_id, simulator.partner_key):
        assert secret not in cursor


async def test_resuming_repeatedly(simulator: Simulator, abconnect: ABConnect) -> None:
    """A resumed traversal has valid cursors, too."""
    expected = in_document(simulator)
    found: list[tuple[int, str]] = []
    cursor = None
    while True:
        tree = DocumentTree(abconnect, document(simulator), cursor=cursor)
        rows = ids(await read(tree, 111))
        if not rows:
            break
        found += rows
        cursor = tree.cursor
    assert found == expected


async def test_standards_retired_between_two_runs_shift_nothing(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """Even if one is the last yielded standard."""
    expected = in_document(simulator)
    first = DocumentTree(abconnect, document(simulator))
    await read(first, 120)
    simulator.world.retire_standard(expected[119][1])
    simulator.world.retire_standard(expected[3][1])
    second = DocumentTree(abconnect, document(simulator), cursor=first.cursor)
    assert ids(await read(second)) == expected[120:]


async def test_a_section_resumes_by_count() -> None:
    """If the last yielded standard is no longer in it."""
    ab, _ = ab_with(listed(row(1), row(2), row(3)), listed(row(2), row(3), row(4)))
    first = DocumentTree(ab, DOCUMENT)
    await read(first, 1)
    second = DocumentTree(ab, DOCUMENT, cursor=first.cursor)
    assert [one.seq for _, one in await read(second)] == [3, 4]


async def test_loops_restart_and_run_one_at_a_time(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """Like loops over lists."""
    tree = DocumentTree(abconnect, document(simulator))
    async for _ in tree:
        with pytest.raises(InputError, match="two loops"):
            aiter(tree)
        break
    first = tree.cursor
    assert len(await read(tree)) == len(in_document(simulator))
    assert len(await read(tree, 1)) == 1
    assert tree.cursor == first


async def test_leaving_a_loop_leaves_no_task(simulator: Simulator, abconnect: ABConnect) -> None:
    """A page that is being fetched ahead is cancelled at once."""
    simulator.knobs.abconnect_latency_seconds = 5.0
    await read(DocumentTree(abconnect, document(simulator)), 1)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failed_traversal_resumes_from_its_cursor(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """The error is raised at the failed item; the cursor is after the last yielded one."""
    expected = in_document(simulator)
    tree = DocumentTree(abconnect, document(simulator))
    loop = aiter(tree)
    found = [await anext(loop) for _ in range(50)]
    simulator.world.retire_standard(expected[560][1])
    simulator.world.revoke(document(simulator))
    with pytest.raises(IncompleteError, match="changed"):  # noqa: PT012 - rows before it count
        async for row in loop:
            found.append(row)  # noqa: PERF401 - kept when it fails
    with pytest.raises(StopAsyncIteration):
        await anext(loop)
    simulator.world.grant(document(simulator))
    rest = await read(DocumentTree(abconnect, document(simulator), cursor=tree.cursor))
    assert ids(found + rest) == [pair for pair in expected if pair != expected[560]]


async def test_an_unknown_document_is_empty(abconnect: ABConnect) -> None:
    """As in the service: no standard matches."""
    assert await read(DocumentTree(abconnect, OTHER)) == []


def row(number: int, parent: int | None = None, **more: Any) -> dict[str, Any]:
    """Return a standard as the service sends it; by default in section A with number 10."""
    attributes = {
        "guid": guid(number),
        "seq": number,
        "level": 1 if parent is None else 2,
        "status": "active",
        "section": {"guid": more.pop("section", guid(0xA)), "seq": more.pop("section_seq", 10)},
        **more,
    }
    up = {"data": {} if parent is None else {"type": "standards", "id": guid(parent).lower()}}
    return {
        "type": "standards",
        "id": guid(number),
        "attributes": attributes,
        "relationships": {"parent": up},
    }


def listed(*rows: Any, count: int | None = None, behind: str | None = None) -> Response:
    links = {} if behind is None else {"next": f"{ORIGIN}{behind}"}
    meta = {"count": len(rows) if count is None else count, "limit": 100}
    return reply({"data": list(rows), "links": links, "meta": meta})


async def test_the_request_of_a_tree() -> None:
    """It has all statuses, a unique order with sections together, and pages of 100."""
    ab, transport = ab_with(listed(row(1)))
    await read(DocumentTree(ab, DOCUMENT, fields=["number", "section"]))
    assert query(transport.paths[0]) == {
        "filter[standards]": f"(document.guid eq '{DOCUMENT}')"
        " and (status in ('active','deleted','obsolete'))",
        "fields[standards]": "number,section,guid,seq,level,status,parent",
        "sort[standards]": "section.seq,section.guid,level,seq,guid",
        "limit": "100",
    }
    ab, transport = ab_with(listed(row(1)))
    await read(DocumentTree(ab, DOCUMENT, fields=["*", "number"]))
    assert query(transport.paths[0])["fields[standards]"] == "*"


async def test_a_standard_without_its_parent_is_last_at_the_top() -> None:
    """The parent may be in another section or unlicensed. Missing numbers come last."""
    rows = [row(5), row(1, parent=99), row(2, parent=5), row(3, parent=5, seq=None), row(9)]
    ab, _ = ab_with(listed(*rows))
    found = [(depth, one.seq) for depth, one in await read(DocumentTree(ab, DOCUMENT))]
    assert found == [(0, 5), (1, 2), (1, None), (0, 9), (0, 1)]


def feed(rows: list[dict[str, Any]]) -> Any:
    """Return the rows whose section has no number, or one not below the requested one."""

    def answer(request: Request) -> Response:
        asked = query(request.path)["filter[standards]"]
        floor = int(asked.rpartition("section.seq lt ")[2].rstrip(")")) if " lt " in asked else 0
        seqs = [(one, one["attributes"]["section"]["seq"]) for one in rows]
        return listed(*(one for one, seq in seqs if seq is None or seq >= floor))

    return answer


@pytest.mark.parametrize("nulls_last", [False, True])
@pytest.mark.parametrize("taken", range(9))
async def test_sections_with_equal_or_missing_numbers(taken: int, nulls_last: bool) -> None:
    """Resuming by section number neither skips nor repeats such a section."""
    plan = [(0xC1, None), (0xC2, None), (0xA1, 10), (0xA2, 20), (0xA3, 20), (0xA4, 30)]
    if nulls_last:
        plan = plan[2:] + plan[:2]
    rows = [
        row(place * 10 + at, section=guid(section), section_seq=seq)
        for place, (section, seq) in enumerate(plan, 1)
        for at in (1, 2)
    ]
    expected = [one["id"] for one in rows]
    ab, _ = ab_with(feed(rows))
    first = DocumentTree(ab, DOCUMENT)
    got = [one.id for _, one in await read(first, taken)] if taken else []
    second = DocumentTree(ab, DOCUMENT, cursor=first.cursor)
    got += [one.id for _, one in await read(second, 2)]
    third = DocumentTree(ab, DOCUMENT, cursor=second.cursor)
    assert got + [one.id for _, one in await read(third)] == expected


BARE = row(2, parent=1)
del BARE["relationships"]["parent"]


@pytest.mark.parametrize(
    ("replies", "message"),
    [
        ([listed(row(1), row(1))], "not form a tree"),
        ([listed(row(1), row(1, parent=1))], "not form a tree"),
        ([listed(row(1), row(2, parent=2))], "not form a tree"),
        ([listed(row(1, parent=2), row(2, parent=1))], "not form a tree"),
        ([listed(row(1), BARE)], "no parent was sent"),
        ([listed(row(1), row(2, section=guid(0xB)), row(3))], "two parts"),
        ([listed(row(1), count=2)], "changed|2 items"),
        (
            [
                listed(row(1), count=2, behind="/rest/v4.1/standards?offset=1&limit=1"),
                listed(row(2), count=3),
            ],
            "changed",
        ),
    ],
)
async def test_an_inconsistent_document(replies: list[Any], message: str) -> None:
    """It is an error, instead of an incomplete tree."""
    ab, _ = ab_with(*replies)
    with pytest.raises(IncompleteError, match=message):
        await read(DocumentTree(ab, DOCUMENT))


PLACE: list[Any] = [10, guid(0xA), [], 1, guid(1)]
BAD_PLACES: list[Any] = [
    5,
    "x",
    {},
    [],
    PLACE[:4],
    ["10", *PLACE[1:]],
    [True, *PLACE[1:]],
    [10, "' or 1", *PLACE[2:]],
    [10, None, *PLACE[2:]],
    [10, guid(1), guid(1), *PLACE[3:]],
    [10, guid(1), ["x"], *PLACE[3:]],
    [*PLACE[:3], -1, guid(1)],
    [*PLACE[:3], 1.5, guid(1)],
    [*PLACE[:4], None],
]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "null",
        "{}",
        "[]",
        "[1]",
        "\ud800",
        5,
        b"[]",
        [2, "document_tree", ORIGIN],
        [2, "document_tree", ORIGIN, [DOCUMENT.lower(), False]],
        [1, "document_tree", ORIGIN, DOCUMENT.lower(), False, PLACE],
        [True, "document_tree", ORIGIN, DOCUMENT.lower(), False, PLACE],
        [2, "crosswalk", ORIGIN, [DOCUMENT.lower(), False, PLACE]],
        [2, "document_tree", "https://evil.test", [DOCUMENT.lower(), False, PLACE]],
        [2, "document_tree", ORIGIN, [OTHER.lower(), False, PLACE]],
        [2, "document_tree", ORIGIN, [DOCUMENT.lower(), True, PLACE]],
        *([2, "document_tree", ORIGIN, [DOCUMENT.lower(), False, place]] for place in BAD_PLACES),
    ],
)
async def test_a_cursor_is_checked(cursor: Any) -> None:
    """Garbage, another version, service, document or kind is refused before anything is sent."""
    ab, transport = ab_with()
    given = json.dumps(cursor) if isinstance(cursor, list) else cursor
    with pytest.raises(InputError, match="cursor"):
        DocumentTree(ab, DOCUMENT, cursor=given)
    assert transport.requests == []


async def test_a_valid_cursor_is_accepted() -> None:
    """The one from which the invalid ones above are derived."""
    ab, _ = ab_with(listed(row(1), row(2)))
    cursor = json.dumps([2, "document_tree", ORIGIN, [DOCUMENT.lower(), False, PLACE]])
    rows = await read(DocumentTree(ab, DOCUMENT, cursor=cursor))
    assert [one.id for _, one in rows] == [guid(2)]


@pytest.mark.parametrize("wrong", ["", "x", "5", 5, None, f"{DOCUMENT} ", DOCUMENT[:-1], b"x"])
async def test_a_guid_is_checked(wrong: Any) -> None:
    """Everywhere, before anything is sent."""
    ab, transport = ab_with()
    for make in (
        lambda: DocumentTree(ab, wrong),
        lambda: Crosswalk(ab, wrong, TARGET),
        lambda: Crosswalk(ab, DOCUMENT, wrong),
        lambda: Replacements(ab, [DOCUMENT, wrong]),
    ):
        with pytest.raises(InputError, match="GUID"):
            make()
    for ask in (publications, documents, sections):
        with pytest.raises(InputError, match="GUID"):
            await ask(ab, wrong)
    with pytest.raises(InputError, match="fields"):
        DocumentTree(ab, DOCUMENT, fields="number")
    assert transport.requests == []


# --- authorities, publications, documents, sections ---------------------------------------------


async def test_from_authorities_to_sections(simulator: Simulator, abconnect: ABConnect) -> None:
    """Each step is one request; the counts add up to all delivered standards not retired."""
    counts = []
    for authority in await authorities(abconnect):
        for publication in await publications(abconnect, authority.guid):
            for one in await documents(abconnect, publication.guid):
                found = await sections(abconnect, one.guid)
                assert [each.seq for each in found] == sorted(each.seq or 0 for each in found)
                assert sum(each.count for each in found) == one.count
                counts.append(one.count)
    standards = simulator.world.standards
    kept = [row for row in range(standards.count) if standards.status(row) != "deleted"]
    assert sum(counts) == len(kept)
    national = next(one for one in await authorities(abconnect) if one.acronym)
    assert (national.acronym, national.descr) == ("NCS", "National Core Consortium")
    assert served(simulator) == 2 + 3 + 5 + 10


async def test_a_branch() -> None:
    """The request, and the decoded value."""
    data = {"guid": OTHER, "descr": "Mathematics", "adopt_year": "2017"}
    facet = {"facet": "document", "count": 1, "details": [{"count": 1300, "data": data}]}
    ab, transport = ab_with(reply({"meta": {"facets": [facet]}, "data": []}))
    assert await documents(ab, TARGET) == [Branch(OTHER, "Mathematics", 1300, adopt_year="2017")]
    assert query(transport.paths[0]) == {
        "facet": "document",
        "limit": "0",
        "filter[standards]": f"document.publication.guid eq '{TARGET}'",
    }


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"meta": None}, {"meta": {"facets": 5}}, {"meta": {"facets": []}}, "x"],
)
async def test_a_response_without_facets(body: object) -> None:
    """DecodeError, not an empty list."""
    ab, _ = ab_with(reply(body))
    with pytest.raises(DecodeError):
        await authorities(ab)


async def test_truncated_invalid_and_empty_facets(abconnect: ABConnect) -> None:
    """Missing values and missing GUIDs are errors; no values are an empty list."""
    facet = {"facet": "section", "count": 2, "details": [{"count": 1, "data": {"guid": OTHER}}]}
    ab, _ = ab_with(reply({"meta": {"facets": [facet]}}))
    with pytest.raises(IncompleteError, match="2 values"):
        await sections(ab, DOCUMENT)
    facet = {"facet": "section", "count": 1, "details": [{"count": 1, "data": "A"}]}
    ab, _ = ab_with(reply({"meta": {"facets": [facet]}}))
    with pytest.raises(DecodeError, match="has no GUID"):
        await sections(ab, DOCUMENT)
    assert await sections(abconnect, OTHER) == []


# --- replacements -------------------------------------------------------------------------------


def successors(simulator: Simulator, row: int, *, deleted: bool = False) -> set[str]:
    standards = simulator.world.standards
    return {
        standards.guid(new)
        for new in standards.relations.related(row, "replaced_by")
        if deleted or standards.status(new) != "deleted"
    }


@pytest.mark.parametrize("deleted", [False, True])
async def test_replacements(simulator: Simulator, abconnect: ABConnect, deleted: bool) -> None:
    """In request order, including those without a successor, 100 per request."""
    world = simulator.world
    gone = [row for row in range(5000) if world.standards.status(row) == "deleted"]
    chosen = [*gone[:100], *range(150)]
    world.retire_standard(world.standards.guid(7), replaced_by=world.standards.guid(gone[0]))
    asked = [world.standards.guid(row) for row in chosen]
    traversal = Replacements(abconnect, [guid.swapcase() for guid in asked], deleted=deleted)
    found = await read(traversal)
    assert [old for old, _ in found] == [guid.swapcase() for guid in asked]
    for row, (_, new) in zip(chosen, found, strict=True):
        assert {one.standard.id for one in new} == successors(simulator, row, deleted=deleted)
        for one in new:
            other = world.standards.index_of(one.standard.id)
            meta = world.standards.relations.relation_meta(row, other or 0, "replaced_by") or {}
            flags = {"same_text": one.same_text, "same_concepts": one.same_concepts}
            assert {name: "Y" if flag else "N" for name, flag in flags.items()} == meta
    assert any(new for _, new in found)
    assert not all(new for _, new in found)
    assert served(simulator) == 3


async def test_replacements_resume_from_a_cursor(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """The same sequence; a cursor is only valid for the same GUIDs."""
    standards = simulator.world.standards
    asked = [standards.guid(row) for row in range(130)] * 2
    complete = await read(Replacements(abconnect, asked))
    for taken in (1, 99, 100, 101, 259, 260):
        first = Replacements(abconnect, asked)
        head = await read(first, taken)
        rest = await read(Replacements(abconnect, asked, cursor=first.cursor))
        assert [old for old, _ in head + rest] == asked
        assert [len(new) for _, new in head + rest] == [len(new) for _, new in complete]
        for others in (asked[1:], asked[:taken][:-1], []):
            with pytest.raises(InputError, match="cursor"):
                Replacements(abconnect, others, cursor=first.cursor)
        with pytest.raises(InputError, match="cursor"):
            Replacements(abconnect, asked, deleted=True, cursor=first.cursor)


def related(number: int, name: str, *others: int, cut: bool = False, **meta: str) -> dict[str, Any]:
    data = [{"type": "standards", "id": guid(one), "meta": meta} for one in others]
    links = {"related": "x", **({"next": "x?offset=10"} if cut else {})}
    return {
        "type": "standards",
        "id": guid(number),
        "relationships": {name: {"data": data, "links": links}},
    }


async def test_the_better_successor_comes_first() -> None:
    """Same text and concepts, then same concepts, then the rest; missing flags are false."""
    ab, transport = ab_with(
        listed(
            related(11, "replaces", 1),
            related(12, "replaces", 1, same_text="N", same_concepts="Y"),
            related(13, "replaces", 1, 2, same_text="Y", same_concepts="Y"),
            related(14, "replaces", 1, same_text="Y", same_concepts="N"),
        )
    )
    found = dict(await read(Replacements(ab, [guid(1), guid(2).lower(), guid(3)])))
    assert [one.standard.id for one in found[guid(1)]] == [guid(13), guid(12), guid(11), guid(14)]
    assert [one.standard.id for one in found[guid(2).lower()]] == [guid(13)]
    assert found[guid(3)] == []
    asked = query(transport.paths[0])
    assert (
        asked["filter[standards]"]
        == f"replaces.id in ('{guid(1)}','{guid(2).lower()}','{guid(3)}')"
    )
    assert asked["fields[standards]"] == "number,statement,label,guid,status,replaces"


async def test_a_successor_of_many_standards() -> None:
    """If it replaces more than are embedded, the relationship is listed."""
    ab, transport = ab_with(
        listed(related(11, "replaces", *range(50, 60), cut=True)),
        listed(*({"type": "standards", "id": guid(one)} for one in range(1, 40))),
    )
    ((_, found),) = await read(Replacements(ab, [guid(30)]))
    assert [one.standard.id for one in found] == [guid(11)]
    assert transport.paths[1].startswith(f"/rest/v4.1/standards/{guid(11)}/replaces?limit=100")


async def test_successors_with_an_unlicensed_relationship(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """It is unknown what they replace: an error, since an empty list would be wrong."""
    standards = simulator.world.standards
    asked = [standards.guid(row) for row in range(150)]
    assert any(new for _, new in await read(Replacements(abconnect, asked)))
    simulator.knobs.update(unlicensed_relations=["replaces"])
    with pytest.raises(IncompleteError, match="no replaces was sent"):
        await read(Replacements(abconnect, asked))


@pytest.mark.parametrize("name", [Raw("brand_new"), F[Raw("brand_new")], F.label, "label"])
async def test_fields_of_a_traversal_are_checked_as_everywhere(name: Any) -> None:
    """Paths, text and Raw are accepted; the traversal adds the fields that it needs."""
    ab, transport = ab_with(listed(), listed())
    await read(DocumentTree(ab, DOCUMENT, fields=[name]))
    await read(Replacements(ab, [DOCUMENT], fields=(name,)))
    asked = [query(path)["fields[standards]"].split(",") for path in transport.paths]
    assert [one[0] for one in asked] == [str(name)] * 2
    assert "section.seq" in asked[0]
    assert "replaces" in asked[1]
    with pytest.raises(InputError, match="did you mean 'label'"):
        await read(DocumentTree(ab, DOCUMENT, fields=["labels"]))


async def test_no_standards_have_no_replacements() -> None:
    """And send no request; text is refused."""
    ab, transport = ab_with()
    assert await read(Replacements(ab, [])) == []
    assert transport.requests == []
    with pytest.raises(InputError, match="list of GUIDs"):
        Replacements(ab, guid(1))


@pytest.mark.parametrize(
    "place", [[0, guid(1)], [2, guid(1)], [True, guid(1)], [1, 5], [1], [1, guid(2)]]
)
async def test_a_cursor_of_replacements_is_checked(place: Any) -> None:
    """It must belong to the same GUIDs."""
    ab, _ = ab_with()
    cursor = json.dumps([1, "replacements", ORIGIN, False, place])
    with pytest.raises(InputError, match="cursor"):
        Replacements(ab, [guid(1)], cursor=cursor)


# --- from one document to another ---------------------------------------------------------------

DERIVED = ("derivatives", "origins", "replaced_by", "replaces", "peer_derivatives")


def why(candidate: Candidate) -> tuple[str | None, str]:
    return candidate.standard.id, candidate.relation


def expected_of(simulator: Simulator, one: str, target: str, *, all_links: bool) -> set[str]:
    """Return the candidates according to the state of the simulator."""
    standards = simulator.world.standards
    row = standards.index_of(one) or 0
    found: set[str] = set()
    for links in (DERIVED, ("crosswalks",), ("peers",)):
        if found and not all_links:
            break
        for link in links:
            for other in standards.relations.related(row, link):
                in_target = standards.document_of(other)["guid"] == target
                if in_target and standards.status(other) != "deleted":
                    found.add(standards.guid(other))
    return found


@pytest.mark.parametrize("all_links", [False, True])
@pytest.mark.parametrize(
    ("source", "target"), [((0, 1), (1, 1)), ((2, 1), (0, 1)), ((2, 1), (1, 1))]
)
async def test_a_document_mapped_to_another(
    simulator: Simulator,
    abconnect: ABConnect,
    source: tuple[int, int],
    target: tuple[int, int],
    all_links: bool,
) -> None:
    """Every standard in order with all related standards, most trusted first."""
    to = document(simulator, *target)
    traversal = Crosswalk(abconnect, document(simulator, *source), to, all_links=all_links)
    matches: list[Match] = await read(traversal)
    assert [(one.depth, one.standard.id) for one in matches] == in_document(simulator, *source)
    for match in matches:
        assert match.standard.id is not None
        found = {one.standard.id for one in match.candidates}
        assert found == expected_of(simulator, match.standard.id, to, all_links=all_links)
        ranks = [
            (one.relation in {"crosswalks", "peers"}, not one.same_concepts, not one.same_text)
            for one in match.candidates
            if one.same_concepts or one.relation in {"crosswalks", "peers"}
        ]
        assert ranks == sorted(ranks)
        assert all(one.standard.statement.descr for one in match.candidates)
    if not all_links:
        n = len(in_document(simulator, *source, deleted=True))
        batches = -(-n // 100)
        pages = batches + -(-len(in_document(simulator, *target)) // 100)
        assert served(simulator) <= pages + 4 * batches


async def test_a_crosswalk_resumes_from_a_cursor(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """The same matches; a cursor is only valid for the same two documents."""
    both = document(simulator, 2, 1), document(simulator, 1, 1)

    def plain(matches: list[Match]) -> list[Any]:
        return [(one.standard.id, [why(each) for each in one.candidates]) for one in matches]

    complete = await read(Crosswalk(abconnect, *both))
    for taken in (1, 100, 157):
        first = Crosswalk(abconnect, *both)
        head = await read(first, taken)
        rest = await read(Crosswalk(abconnect, *both, cursor=first.cursor))
        assert plain(head + rest) == plain(complete)
        with pytest.raises(InputError, match="cursor"):
            Crosswalk(abconnect, *reversed(both), cursor=first.cursor)


SOURCE_FIELDS = (
    "number,statement,label,guid,seq,level,status,parent,section.guid,section.seq,"
    "origins,derivatives,replaced_by,replaces,peer_derivatives,crosswalks,peers"
)


def service(source: list[dict[str, Any]], target: list[int], sides: Any, lists: Any) -> Any:
    """Fake a service with a source and a target document, for shapes rare in the simulator."""

    def answer(request: Request) -> Response:
        asked = query(request.path)
        where = asked.get("filter[standards]", "")
        if "/standards/" in request.path:
            return listed(*lists(request.path.partition("?")[0].rpartition("/standards/")[2]))
        if where == f"document.guid eq '{TARGET}'":
            return listed(*({"type": "standards", "id": guid(one)} for one in target))
        if where.startswith(f"(document.guid eq '{TARGET}') and ("):
            return listed(*sides(where))
        assert asked["fields[standards]"] == SOURCE_FIELDS
        return listed(*source)

    return answer


def with_links(number: int, **links: dict[str, Any]) -> dict[str, Any]:
    one = row(number)
    for name, linked in links.items():
        one["relationships"] |= {name: linked["relationships"][name]}
    return one


def nothing(_: str) -> list[Any]:
    raise AssertionError("unexpected request")


async def test_the_order_of_trust() -> None:
    """Flags first, then the relationship; crosswalks and peers only without derived ones."""
    one = with_links(
        1,
        origins=related(1, "origins", 101, same_text="Y", same_concepts="N"),
        derivatives=related(1, "derivatives", 102, same_text="N", same_concepts="Y"),
        replaced_by=related(1, "replaced_by", 103, same_text="Y", same_concepts="Y"),
        crosswalks=related(1, "crosswalks", 104, 101),
        peers=related(1, "peers", 105),
    )
    two = with_links(2, crosswalks=related(2, "crosswalks", 104), peers=related(2, "peers", 105))
    three = with_links(3, peers=related(3, "peers", 105, 999))
    four = with_links(4)
    ab, _ = ab_with(service([one, two, three, four], range(101, 110), nothing, nothing))  # type: ignore[arg-type]
    traversal = Crosswalk(ab, DOCUMENT, TARGET)
    found = [[why(each) for each in match.candidates] for match in await read(traversal)]
    assert found == [
        [(guid(103), "replaced_by"), (guid(102), "derivatives"), (guid(101), "origins")],
        [(guid(104), "crosswalks")],
        [(guid(105), "peers")],
        [],
    ]
    everything = await read(Crosswalk(ab, DOCUMENT, TARGET, all_links=True))
    assert [why(each) for each in everything[0].candidates][3:] == [
        (guid(104), "crosswalks"),
        (guid(105), "peers"),
    ]


@pytest.mark.parametrize(
    ("own", "peer", "expected"),
    [
        (("Y", "Y"), ("Y", "Y"), (True, True)),
        (("N", "Y"), ("Y", "Y"), (False, True)),
        (("Y", "Y"), ("N", "N"), (False, False)),
        (None, ("Y", "Y"), (False, False)),
    ],
)
async def test_a_peer_derivative_is_compared_with_the_origin(
    own: tuple[str, str] | None, peer: tuple[str, str], expected: tuple[bool, bool]
) -> None:
    """It is the same only if the source standard is also the same as the origin."""
    flags: Any = {"same_text": peer[0], "same_concepts": peer[1]}
    links = {"peer_derivatives": related(1, "peer_derivatives", 101, **flags)}
    if own is not None:
        links["origins"] = related(1, "origins", 500, same_text=own[0], same_concepts=own[1])
    ab, _ = ab_with(service([with_links(1, **links)], [101], nothing, nothing))
    ((candidate,),) = (match.candidates for match in await read(Crosswalk(ab, DOCUMENT, TARGET)))
    assert (candidate.same_text, candidate.same_concepts) == expected


async def test_a_truncated_list_is_read_from_the_other_side() -> None:
    """One request for 100 standards; the flags are those of the same relationship."""
    many = [
        with_links(one, derivatives=related(one, "derivatives", *range(900, 910), cut=True))
        for one in (1, 2, 3)
    ]
    asked = []

    def sides(where: str) -> list[Any]:
        asked.append(where)
        return [related(101, "origins", 1, 3, 77, same_text="Y", same_concepts="Y")]

    ab, transport = ab_with(service(many, [101, 102], sides, nothing))
    found = await read(Crosswalk(ab, DOCUMENT, TARGET))
    assert [[why(each) for each in match.candidates] for match in found] == [
        [(guid(101), "derivatives")],
        [],
        [(guid(101), "derivatives")],
    ]
    assert found[0].candidates[0].same_text
    ids = ",".join(f"'{guid(one)}'" for one in (1, 2, 3))
    assert asked == [f"(document.guid eq '{TARGET}') and (origins.id in ({ids}))"]
    assert query(transport.paths[2])["fields[standards]"] == "origins,guid"
    assert len(transport.requests) == 3


async def test_a_list_truncated_on_both_sides_is_listed() -> None:
    """For each such standard; standards of the target are taken from its pages."""
    many = [
        with_links(one, peers=related(one, "peers", *range(900, 910), cut=True)) for one in (1, 2)
    ]

    def lists(path: str) -> list[Any]:
        one, _, name = path.partition("/")
        assert name == "peers"
        others = {guid(1): [102, 950], guid(2): [101, 102]}[one]
        return [{"type": "standards", "id": guid(other)} for other in others]

    def sides(_: str) -> list[Any]:
        return [related(101, "peers", *range(800, 810), cut=True)]

    ab, transport = ab_with(service(many, [101, 102], sides, lists))
    found = await read(Crosswalk(ab, DOCUMENT, TARGET))
    assert [[why(each) for each in match.candidates] for match in found] == [
        [(guid(102), "peers")],
        [(guid(101), "peers"), (guid(102), "peers")],
    ]
    assert len(transport.requests) == 2 + 1 + 2


@pytest.mark.parametrize("visible", [True, False])
async def test_many_peer_derivatives_are_matched_by_their_origin(visible: bool) -> None:
    """They share an origin. If the licence hides it, the relationship is listed."""
    flags: Any = {"same_text": "Y", "same_concepts": "Y"}
    cut = related(1, "peer_derivatives", *range(900, 910), cut=True, **flags)
    links = {"peer_derivatives": cut, "origins": related(1, "origins", 500, **flags)}
    one = with_links(1, **links) if visible else with_links(1, peer_derivatives=cut)

    def sides(_: str) -> list[Any]:
        other = related(101, "peer_derivatives", *range(800, 810), cut=True)
        origins = related(101, "origins", 500, same_text="N", same_concepts="Y")
        other["relationships"] |= origins["relationships"]
        return [other]

    def lists(_: str) -> list[Any]:
        return [{"type": "standards", "id": guid(101), "meta": flags}]

    ab, transport = ab_with(service([one], [101], sides, lists))
    ((candidate,),) = (match.candidates for match in await read(Crosswalk(ab, DOCUMENT, TARGET)))
    assert candidate.relation == "peer_derivatives"
    assert (candidate.same_text, candidate.same_concepts) == (False, visible)
    assert len(transport.requests) == (3 if visible else 4)


@pytest.mark.parametrize("links", [["derivative"], [], "peers", ["peers", None]])
async def test_links_are_checked(links: Any) -> None:
    """Before anything is sent; a document cannot be mapped to itself either."""
    ab, _ = ab_with()
    with pytest.raises(InputError, match="links"):
        Crosswalk(ab, DOCUMENT, TARGET, links=links)
    with pytest.raises(InputError, match="itself"):
        Crosswalk(ab, DOCUMENT, DOCUMENT.lower())


async def test_only_the_requested_links_are_used(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """Other relationships give no candidates."""
    both = document(simulator, 0, 1), document(simulator, 1, 1)
    matches = await read(Crosswalk(abconnect, *both, links=["peers", "derivatives"]))
    relations = {each.relation for match in matches for each in match.candidates}
    assert relations == {"derivatives", "peers"}


async def test_unlicensed_relationships_give_no_candidates(
    simulator: Simulator, abconnect: ABConnect
) -> None:
    """The service omits such relationships without an error."""
    simulator.knobs.unlicensed_relations = ("derivatives", "crosswalks")
    both = document(simulator, 0, 1), document(simulator, 1, 1)
    matches = await read(Crosswalk(abconnect, *both))
    relations = {each.relation for match in matches for each in match.candidates}
    assert relations == {"peers"}


def test_cursors_of_different_traversals_differ() -> None:
    """Each kind has its own text."""
    ab, _ = ab_with()
    kinds = (
        DocumentTree(ab, DOCUMENT),
        Replacements(ab, [DOCUMENT]),
        Crosswalk(ab, DOCUMENT, TARGET),
    )
    texts = [traversal.cursor for traversal in kinds]
    assert all(one != other for one, other in itertools.combinations(texts, 2))
    assert all(json.loads(text)[0] == 2 for text in texts)
