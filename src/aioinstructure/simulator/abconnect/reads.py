"""Read responses of AB Connect: one object, a list, related objects, facets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.abconnect.filters import (
    Compare,
    Expr,
    Not,
    compile_filter,
    paths_of,
    words_of,
)
from aioinstructure.simulator.abconnect.projection import (
    Fields,
    Narrow,
    Projector,
    facet,
    facet_count,
)
from aioinstructure.simulator.abconnect.request import ABCall, RefusedError
from aioinstructure.simulator.abconnect.rows_base import walk
from aioinstructure.simulator.http.parsing import Pairs, link_query
from aioinstructure.simulator.http.responses import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aioinstructure.simulator.abconnect.rows_base import Book, Rows
    from aioinstructure.simulator.abconnect.table import Table

__all__ = ["View"]

_WORDED = {"topics", "concepts"}
_OWNER = {"owner", "owner.id", "owner.guid"}


class View:
    """Responses to one read request.

    Args:
        tables: All resources by type.
        hidden: Relationships and properties that are not licensed.
        echo: Whether `links.self` repeats the credentials.
    """

    def __init__(
        self,
        call: ABCall,
        tables: Mapping[str, Table],
        book: Book,
        hidden: Collection[str],
        *,
        echo: bool,
    ) -> None:
        self._call, self._tables, self._book = call, tables, book
        self._hidden, self._echo = frozenset(hidden), echo
        self._url = f"{call.origin}{call.path}"

    def check(self, table: Table) -> None:
        """Refuse invalid fields and includes before anything is written."""
        self._fields(table)
        self._asked(table)

    def one(self, table: Table, row: int, *, status: int = 200) -> Reply:
        """Reply with a single object."""
        fields = self._fields(table)
        shown = self._projector(table)
        body: dict[str, Any] = {"links": {"self": self.address(self._call.path)}}
        body["data"] = shown.show(row, fields)
        if included := self._included(table, shown, [row], fields):
            body["included"] = included
        body["meta"] = {"took": 12}
        return json_reply(body, status=status, cacheable=not self._echo)

    def rows(self, table: Table) -> Reply:
        """Reply with a list."""
        name = table.name
        parameter = f"filter[{name}]"
        expr = self._call.filter(parameter)
        self._check(table, expr, parameter)
        sort = self._sort(table, f"sort[{name}]")
        limit, offset = self._call.window()
        fields = self._fields(table)
        shown = self._projector(table)
        found = table.find(expr, self._call.parameter(parameter) or "", sort)
        page = found[offset : offset + limit]
        data = [shown.show(row, fields) for row in page]
        meta: dict[str, Any] = {"took": 10 + len(page), "limit": limit, "offset": offset}
        meta["count"] = len(found)
        if facets := self._facets(table, found):
            meta["facets"] = facets
        return self.listing(data, meta, self._included(table, shown, page, fields))

    def related(self, table: Table, row: int, relation: str) -> Reply:
        """Reply with the related objects of a relation, paged."""
        target = self._tables[table.rows.targets[relation]]
        others: Sequence[int] = table.rows.linked(row, relation)
        if (fits := self._narrow(table, relation, target.name)) is not None:
            others = [other for other in others if fits(row, other)]
        if sort := self._related_sort(table, relation, target):
            others = list(others)
            self._arrange(table, row, relation, others, sort)
        limit, offset = self._call.window()
        shown = Projector(target.rows, self._book, self._call.origin, self._hidden, {})
        fields = self._fields(target)
        # Objects here show neither their relations nor includes.
        bare = Fields(fields.tree, (), fields.asked)
        data: list[dict[str, Any]] = []
        for other in others[offset : offset + limit]:
            item = shown.show(other, bare)
            if (meta := table.rows.meta(row, other, relation)) is not None:
                item["meta"] = meta
            data.append(item)
        about = {"took": 10 + len(data), "limit": limit, "offset": offset, "count": len(others)}
        return self.listing(data, about, [])

    def related_one(self, table: Table, row: int, relation: str) -> Reply:
        """Reply with the object of a to-one relation; an empty object if there is none."""
        target = self._tables[table.rows.targets[relation]]
        fields = self._fields(target)
        shown = Projector(target.rows, self._book, self._call.origin, self._hidden, {})
        bare = Fields(fields.tree, (), fields.asked)
        others = table.rows.linked(row, relation)
        body: dict[str, Any] = {"links": {"self": self.address(self._call.path)}}
        body["data"] = shown.show(others[0], bare) if others else {}
        body["meta"] = {"took": 11}
        return json_reply(body, cacheable=not self._echo)

    def listing(self, data: list[Any], meta: dict[str, Any], included: list[Any]) -> Reply:
        """Reply with a list in its envelope."""
        body: dict[str, Any] = {"links": self._links(meta["limit"], meta["offset"], meta["count"])}
        body["data"] = data
        if included:
            body["included"] = included
        body["meta"] = meta
        return json_reply(body, items=len(data), cacheable=not self._echo)

    # Parameters.

    def _projector(self, table: Table) -> Projector:
        rows = table.rows
        narrowed: dict[str, Narrow] = {}
        for relation in rows.relations:
            if (fits := self._narrow(table, relation)) is not None:
                narrowed[relation] = fits
        return Projector(rows, self._book, self._call.origin, self._hidden, narrowed)

    def _narrow(self, table: Table, relation: str, *others: str) -> Narrow | None:
        """Return the condition of `filter[relation]`. Relations of topics take no filter.

        Samples use the type instead, and one table of the documentation has `alignments` for
        deleted alignments: `others` are such names, which relationship endpoints also accept.
        """
        if table.name == "topics" or not table.rows.targets[relation]:
            return None
        names = [relation, *others, *(["alignments"] if others and "deleted" in relation else [])]
        for name in names:
            parameter = f"filter[{name}]"
            if (expr := self._call.filter(parameter)) is not None:
                self._check_related(table.rows, relation, expr, parameter)
                return self._fitting(table, relation, expr)
        return None

    def _check_related(self, rows: Rows, relation: str, expr: Expr, parameter: str) -> None:
        known = rows.through.get(relation, frozenset())
        if rows.cut is not None:  # the properties for filters of the clarifier are not documented
            known = self._book[rows.targets[relation]].paths()
        for path in paths_of(expr):
            if not (path.startswith("meta.") or path in {"id", "guid"} or path in known):
                raise RefusedError(400, f"Unknown property {path}.", parameter=parameter)

    def _fitting(self, table: Table, relation: str, expr: Expr) -> Narrow:
        rows, target = table.rows, self._tables[table.rows.targets[relation]]
        fits = compile_filter(expr, target.score)
        # Text searches do not find rejected topics and excluded concepts.
        worded = relation in _WORDED and (words_of(expr) or paths_of(expr) & {"descr", "context"})

        def narrow(row: int, other: int) -> bool:
            def get(path: str) -> Sequence[Any]:
                if path.startswith("meta."):
                    return walk(rows.meta(row, other, relation), path.split(".")[1:])
                return target.rows.values(other, path)

            if worded and other not in rows.searched(row, relation):
                return False
            return fits(get)

        return narrow

    def _check(self, table: Table, expr: Expr | None, parameter: str) -> None:
        paths = set[str]() if expr is None else paths_of(expr)
        for path in paths:
            if not table.known(path):
                raise RefusedError(400, f"Unknown property {path}.", parameter=parameter)
        if table.name != "assets" or expr is None or not _leaves_home(expr, self._mine()):
            return
        for path in [*paths, *self._call.names("facet")]:
            if path.startswith("custom_attributes"):
                detail = "custom_attributes cannot be used across owners."
                raise RefusedError(400, detail, parameter=parameter)

    def _mine(self) -> set[str]:
        return {"_me", self._book["providers"].guid(0).lower()}

    def _sort(self, table: Table, *parameters: str) -> list[str]:
        for parameter in parameters:
            keys = self._call.names(parameter)
            for key in keys:
                path = key.removeprefix("-")
                if not (table.known(path) or path.startswith("meta.")):
                    raise RefusedError(400, f"Unknown property {path}.", parameter=parameter)
            if keys:
                return keys
        return []

    def _related_sort(self, table: Table, relation: str, target: Table) -> list[str]:
        names = [relation, target.name, *(["alignments"] if "deleted" in relation else [])]
        keys = [f"sort[{name}]" for name in names]
        return [] if table.name == "topics" else self._sort(target, *keys)

    def _arrange(
        self, table: Table, row: int, relation: str, others: list[int], sort: Sequence[str]
    ) -> None:
        target = self._tables[table.rows.targets[relation]]

        def values(other: int, path: str) -> Sequence[Any]:
            if path.startswith("meta."):
                return walk(table.rows.meta(row, other, relation), path.split(".")[1:])
            return target.rows.values(other, path)

        target.arrange(others, sort, values)

    def _fields(self, table: Table) -> Fields:
        parameter = f"fields[{table.name}]"
        try:
            return Fields.parse(self._call.parameter(parameter), table.rows)
        except ValueError as error:
            raise RefusedError(400, f"Unknown property {error}.", parameter=parameter) from error

    def _facets(self, table: Table, rows: Sequence[int]) -> list[dict[str, Any]]:
        hidden = self._hidden
        available = [name for name in table.rows.all_facets() if name not in hidden]
        full = self._facet_names("facet", available)
        found = [facet(table.rows, rows, name) for name in full]
        every = self._call.parameter("facet_summary") == "*"
        names = available if every else self._facet_names("facet_summary", available)
        found.extend(facet_count(table.rows, rows, name) for name in names if name not in full)
        return found

    def _facet_names(self, parameter: str, available: Sequence[str]) -> list[str]:
        names = [name for name in self._call.names(parameter) if name not in {"*", "_none"}]
        for name in names:
            if name not in available:
                raise RefusedError(400, f"Unknown facet {name}.", parameter=parameter)
        return names

    def _asked(self, table: Table) -> set[str]:
        """Return the relationships to include."""
        asked = set(self._call.names("include"))
        for name in asked - set(table.rows.relations):
            raise RefusedError(400, f"Unknown relationship {name}.", parameter="include")
        return asked

    # Bodies.

    def _included(
        self, table: Table, shown: Projector, rows: Sequence[int], fields: Fields
    ) -> list[dict[str, Any]]:
        """Return the full related objects: those embedded by relations among the fields."""
        asked = self._asked(table)
        wanted = [
            name
            for name in fields.relations
            if name in asked and name not in self._hidden and table.rows.targets[name]
        ]
        found: list[dict[str, Any]] = []
        seen: set[tuple[str, int]] = set()
        for name in wanted:
            target = self._tables[table.rows.targets[name]]
            inner = self._fields(target)
            other_shown = Projector(target.rows, self._book, self._call.origin, self._hidden, {})
            for row in rows:
                for other in shown.embedded(row, name)[0]:
                    if (target.name, other) not in seen:
                        seen.add((target.name, other))
                        found.append(other_shown.show(other, inner))
        return found

    def _links(self, limit: int, offset: int, count: int) -> dict[str, str]:
        """Return links without credentials; those to the first page have no offset."""
        links = {"self": self.address(self._call.path)}
        if limit == 0:
            return links
        bare = [pair for pair in self._call.public if pair[0] != "offset"]

        def at(place: int) -> str:
            return self._link([*bare, ("offset", str(place))] if place > 0 else bare)

        if offset > 0:
            links["first"] = at(0)
            links["prev"] = at(max(0, offset - limit))
        if offset + limit < count:
            links["next"] = at(offset + limit)
            links["last"] = at((count - 1) // limit * limit)
        return links

    def address(self, path: str) -> str:
        """Return `links.self` for a path, with the query of the call.

        Some servers repeat the credentials there; a knob enables this.
        """
        pairs = self._call.pairs if self._echo else self._call.public
        url = f"{self._call.origin}{path}"
        return f"{url}?{link_query(pairs)}" if pairs else url

    def _link(self, pairs: Pairs) -> str:
        return f"{self._url}?{link_query(pairs)}" if pairs else self._url


def _leaves_home(expr: Expr, mine: set[str]) -> bool:
    """Whether a filter includes assets of other owners."""
    if isinstance(expr, Compare):
        return expr.path in _OWNER and not {str(one).lower() for one in expr.values} <= mine
    if isinstance(expr, Not):
        return bool(paths_of(expr) & _OWNER)
    parts = getattr(expr, "parts", ())
    return any(_leaves_home(part, mine) for part in parts)
