"""The operations of AB Connect. Knows no throttle and no clock but the one it is handed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .filters import And, Expr, FilterError, compile_filter, parse_filter, paths_of
from .query import Pairs, first, link_query
from .reply import Reply, abconnect_error, json_reply
from .rows import EventRows, StandardRows
from .shape import FACETS, Fields, Projector, facet, facet_count
from .signature import accepted
from .standards import RELATIONS
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .knobs import Knobs
    from .routes import Operation
    from .world import World

__all__ = ["ABConnectService", "is_wildcard"]

_AUTH = {"partner.id", "auth.signature", "auth.expires", "user.id"}
_DEFAULT_LIMIT = 10
_MAXIMUM_LIMIT = 100


class _BadRequestError(Exception):
    """Carries the answer out of the depth of a request."""

    def __init__(self, parameter: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.reply = abconnect_error(status, detail, parameter=parameter)


def is_wildcard(pairs: Pairs) -> bool:
    """Whether a call is one of those that only two a second are let through."""
    return any(
        (name.startswith("fields[") and "*" in value.split(","))
        or (name == "facet_summary" and value == "*")
        for name, value in pairs
    )


class ABConnectService:
    """Answers calls of AB Connect from a world.

    Args:
        partners: Partner ids with their keys.
    """

    def __init__(self, world: World, knobs: Knobs, partners: Mapping[str, str]) -> None:
        self._world, self._knobs, self._partners = world, knobs, partners
        self._standards = Table(StandardRows(world.standards))
        self._events = Table(EventRows(world))
        self._edits = world.edits

    def refused(self, method: str, path: str, pairs: Pairs, now: float) -> Reply | None:
        """401 of a call that is not signed well; None if it is."""
        partner, signature = first(pairs, "partner.id"), first(pairs, "auth.signature")
        key = self._partners.get(partner or "")
        rest = path.removeprefix("/rest/v4.1/").split("/")
        good = key is not None and accepted(
            key,
            signature or "",
            expires=first(pairs, "auth.expires") or "",
            user=first(pairs, "user.id"),
            method=method,
            resource=rest[0].lower(),
            now=now,
        )
        return None if good else abconnect_error(401, "Signature is not authorized.")

    def answer(
        self, operation: Operation, values: dict[str, str], path: str, pairs: Pairs, origin: str
    ) -> Reply:
        """The answer of a signed call."""
        if self._edits != self._world.edits:
            self._standards.forget()
            self._events.forget()
            self._edits = self._world.edits
        kept = [pair for pair in pairs if pair[0] not in _AUTH]
        view = _View(self, kept, path, origin)
        try:
            if operation.name == "standards.list":
                return view.rows(self._standards)
            if operation.name == "events.list":
                return view.rows(self._events)
            row = self._standards.rows.row_of(values["guid"])
            if row is None:
                return abconnect_error(404)
            if operation.name == "standards.get":
                return view.one(self._standards, row)
            return view.related(self._standards, row, values["relationship"])
        except _BadRequestError as refusal:
            return refusal.reply

    def projector(self, table: Table, origin: str) -> Projector:
        """What turns rows into objects."""
        return Projector(
            table.rows, self._world.standards, origin, self._knobs.unlicensed_relations
        )

    @property
    def standards(self) -> Table:
        """The table that all relations lead to."""
        return self._standards

    def licensed(self, relation: str) -> bool:
        """Whether a relation is in the licence."""
        return relation not in self._knobs.unlicensed_relations

    def relation_meta(self, row: int, other: int, relation: str) -> dict[str, str] | None:
        """The properties of a relation."""
        return self._world.standards.relation_meta(row, other, relation)


class _View:
    """One request."""

    def __init__(self, service: ABConnectService, pairs: Pairs, path: str, origin: str) -> None:
        self._service, self._pairs, self._origin = service, pairs, origin
        self._url = f"{origin}{path}"

    def one(self, table: Table, row: int) -> Reply:
        """A single object."""
        shown = self._service.projector(table, self._origin)
        fields = self._fields(table)
        body: dict[str, Any] = {"links": {"self": self._link(self._pairs)}}
        body["data"] = shown.show(row, fields)
        if included := self._included(table, [row], fields):
            body["included"] = included
        body["meta"] = {"took": 12}
        return json_reply(body, cacheable=True)

    def rows(self, table: Table) -> Reply:
        """A list."""
        name = table.name
        text = first(self._pairs, f"filter[{name}]") or ""
        expr = self._filter(table, text, f"filter[{name}]")
        sort = self._sort(table, f"sort[{name}]")
        limit, offset = self._window()
        fields = self._fields(table)
        found = table.find(expr, text, sort)
        page = found[offset : offset + limit]
        shown = self._service.projector(table, self._origin)
        data = [shown.show(row, fields) for row in page]
        meta: dict[str, Any] = {"took": 10 + len(page), "limit": limit, "offset": offset}
        meta["count"] = len(found)
        if facets := self._facets(table, found):
            meta["facets"] = facets
        return self._list(data, meta, self._included(table, page, fields))

    def related(self, table: Table, row: int, relation: str) -> Reply:
        """The other end of a relation, paged."""
        if relation not in RELATIONS:
            return abconnect_error(404)
        if not self._service.licensed(relation):
            return abconnect_error(403, f"This account is not licensed to access {relation}")
        meta_of = self._service.relation_meta
        rows = table.rows.related(row, relation)
        name = f"filter[{relation}]"
        if (expr := self._filter(table, first(self._pairs, name) or "", name)) is not None:
            rows = _fitting(
                table, expr, rows, {other: meta_of(row, other, relation) for other in rows}
            )
        if sort := self._sort(table, f"sort[{relation}]"):
            rows = list(rows)
            table.arrange(rows, [key for key in sort if "meta." not in key])
        limit, offset = self._window()
        shown = self._service.projector(table, self._origin)
        fields = self._fields(table)
        data: list[dict[str, Any]] = []
        for other in rows[offset : offset + limit]:
            item = shown.show(other, Fields(fields.tree, (), fields.asked))
            if (meta := meta_of(row, other, relation)) is not None:
                item["meta"] = meta
            data.append(item)
        about = {"took": 10 + len(data), "limit": limit, "offset": offset, "count": len(rows)}
        return self._list(data, about, [])

    # Parameters.

    def _window(self) -> tuple[int, int]:
        limit = self._number("limit", _DEFAULT_LIMIT)
        offset = self._number("offset", 0)
        if limit > _MAXIMUM_LIMIT:
            raise _BadRequestError("limit", f"limit must not exceed {_MAXIMUM_LIMIT}.")
        return limit, offset

    def _number(self, name: str, default: int) -> int:
        text = first(self._pairs, name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()):
            raise _BadRequestError(name, f"{name} must be a whole number, not negative.")
        return int(text)

    def _filter(self, table: Table, text: str, parameter: str) -> Expr | None:
        if not text.strip():
            return None
        try:
            expr = parse_filter(text)
        except FilterError as error:
            raise _BadRequestError(parameter, f"The filter cannot be read: {error}.") from error
        for path in paths_of(expr):
            if not (table.known(path) or path.startswith("meta.")):
                raise _BadRequestError(parameter, f"Unknown property {path}.")
        return expr

    def _sort(self, table: Table, parameter: str) -> list[str]:
        text = first(self._pairs, parameter) or ""
        keys = [key.strip() for key in text.split(",") if key.strip()]
        for key in keys:
            path = key.removeprefix("-")
            if not (table.known(path) or path.startswith("meta.")):
                raise _BadRequestError(parameter, f"Unknown property {path}.")
        return keys

    def _fields(self, table: Table) -> Fields:
        parameter = f"fields[{table.name}]"
        try:
            return Fields.parse(first(self._pairs, parameter), table.rows)
        except ValueError as error:
            raise _BadRequestError(parameter, f"Unknown property {error}.") from error

    def _facets(self, table: Table, rows: Sequence[int]) -> list[dict[str, Any]]:
        available = FACETS[table.name]
        found: list[dict[str, Any]] = []
        full = self._names("facet", available)
        found.extend(facet(table.rows, rows, name) for name in full)
        summary = first(self._pairs, "facet_summary")
        names = available if summary == "*" else self._names("facet_summary", available)
        found.extend(facet_count(table.rows, rows, name) for name in names if name not in full)
        return found

    def _names(self, parameter: str, available: Sequence[str]) -> list[str]:
        text = first(self._pairs, parameter) or ""
        names = [name.strip() for name in text.split(",") if name.strip() not in {"", "*", "_none"}]
        for name in names:
            if name not in available:
                raise _BadRequestError(parameter, f"Unknown facet {name}.")
        return names

    # Bodies.

    def _included(self, table: Table, rows: Sequence[int], fields: Fields) -> list[dict[str, Any]]:
        """Related objects in full; only of relations that are also among the fields."""
        asked = {name.strip() for name in (first(self._pairs, "include") or "").split(",")} - {""}
        for name in asked - set(table.rows.relations):
            raise _BadRequestError("include", f"Unknown relationship {name}.")
        wanted = [
            name for name in fields.relations if name in asked and self._service.licensed(name)
        ]
        others = {
            other: None
            for name in wanted
            for row in rows
            for other in table.rows.related(row, name)
        }
        if not others:
            return []
        target = self._service.standards
        shown = self._service.projector(target, self._origin)
        inner = self._fields(target)
        return [shown.show(other, inner) for other in others]

    def _list(self, data: list[Any], meta: dict[str, Any], included: list[Any]) -> Reply:
        body: dict[str, Any] = {"links": self._links(meta["limit"], meta["offset"], meta["count"])}
        body["data"] = data
        if included:
            body["included"] = included
        body["meta"] = meta
        return json_reply(body, items=len(data), cacheable=True)

    def _links(self, limit: int, offset: int, count: int) -> dict[str, str]:
        """No credential in any link, and no offset in those to the first page."""
        links = {"self": self._link(self._pairs)}
        if limit == 0:
            return links
        bare = [pair for pair in self._pairs if pair[0] != "offset"]

        def at(place: int) -> str:
            return self._link([*bare, ("offset", str(place))] if place > 0 else bare)

        if offset > 0:
            links["first"] = at(0)
            links["prev"] = at(max(0, offset - limit))
        if offset + limit < count:
            links["next"] = at(offset + limit)
            links["last"] = at((count - 1) // limit * limit)
        return links

    def _link(self, pairs: Pairs) -> str:
        return f"{self._url}?{link_query(pairs)}" if pairs else self._url


def _fitting(
    table: Table, expr: Expr, rows: Sequence[int], metas: Mapping[int, dict[str, str] | None]
) -> list[int]:
    """The related rows that a filter lets stay; `meta.` paths look at the relation."""
    fits = compile_filter(And((expr,)), table.score)
    found: list[int] = []
    for row in rows:

        def get(path: str, row: int = row) -> Sequence[Any]:
            if path.startswith("meta."):
                value = (metas[row] or {}).get(path.removeprefix("meta."))
                return [] if value is None else [value]
            return table.rows.values(row, path)

        if fits(get):
            found.append(row)
    return found
