"""Collections of standards and assets: named filters. Their data are not JSON:API objects."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.abconnect.filters import compile_filter, paths_of
from aioinstructure.simulator.abconnect.request import ABCall, RefusedError
from aioinstructure.simulator.abconnect.rows_base import walk
from aioinstructure.simulator.abconnect.writes import done
from aioinstructure.simulator.coerce import mapping
from aioinstructure.simulator.http.responses import Reply, json_reply

if TYPE_CHECKING:
    from aioinstructure.simulator.abconnect.filters import Call, Getter
    from aioinstructure.simulator.abconnect.reads import View
    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["Collections"]

_MEMBERS = ("guid", "name", "filters", "advanced_search")


class Collections:
    """All collections of one kind.

    Args:
        kind: "standard_collections" or "asset_collections".
    """

    def __init__(self, standards: Standards, kind: str) -> None:
        self._standards, self._kind = standards, kind
        self._rows: dict[str, dict[str, Any]] = {}
        self._made = 0

    def answer(self, call: ABCall, view: View) -> Reply:
        """Answer a call; the last part of the operation name is the action."""
        action = call.operation.rpartition(".")[2]
        names = self._fields(call)  # refused before anything is written
        if action == "list":
            return self._list(call, view, names)
        if action == "create":
            return self._one(view, self._create(call), names, status=201)
        row = self._rows.get(call.values["guid"].lower())
        if row is None:
            raise RefusedError(404)
        if action == "delete":
            del self._rows[call.values["guid"].lower()]
            return done()
        if action == "patch":
            row.update(self._sent(call, row))
        return self._one(view, row, names)

    def _create(self, call: ABCall) -> dict[str, Any]:
        sent = self._sent(call, None)
        guid = self._standards.name_guid(self._kind, self._made)
        self._made += 1
        row = {"guid": guid, "name": sent["name"], "filters": {}, "advanced_search": {}, **sent}
        self._rows[guid.lower()] = row
        return row

    def _sent(self, call: ABCall, row: dict[str, Any] | None) -> dict[str, Any]:
        """Return the checked members of a body; a GUID is ignored."""
        data = call.data()
        sent = {name: data[name] for name in _MEMBERS[1:] if name in data}
        if row is None or "name" in sent:
            name = sent.get("name")
            if not isinstance(name, str) or not name.strip():
                raise RefusedError(422, "name must be a non-empty string.", pointer="/data/name")
            if any(other["name"] == name and other is not row for other in self._rows.values()):
                # 409 is documented for POST only.
                status = 409 if row is None else 422
                raise RefusedError(status, "The name is already taken.", pointer="/data/name")
        for name in ("filters", "advanced_search"):
            if name in sent and mapping(sent[name]) is None:
                raise RefusedError(422, f"{name} must be an object.", pointer=f"/data/{name}")
        return sent

    def _one(
        self, view: View, row: dict[str, Any], names: tuple[str, ...], *, status: int = 200
    ) -> Reply:
        url = view.address(f"/rest/v4.1/{self._kind}/{row['guid']}")
        body = {"links": {"self": url}, "data": self._show(row, names), "meta": {"took": 9}}
        return json_reply(body, status=status)

    def _fields(self, call: ABCall) -> tuple[str, ...]:
        """Return the requested members; default all, because there are no type and id to show."""
        parameter = f"fields[{self._kind}]"
        names = call.names(parameter)
        for name in names:
            if name not in {*_MEMBERS, "*"}:
                raise RefusedError(400, f"Unknown property {name}.", parameter=parameter)
        return _MEMBERS if not names or "*" in names else tuple(names)

    @staticmethod
    def _show(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        return {name: row[name] for name in _MEMBERS if name in names}

    def _fitting(self, call: ABCall) -> list[dict[str, Any]]:
        """Return the matching collections in the requested order."""
        found = sorted(self._rows.values(), key=lambda row: str(row["guid"]))
        if (exact := call.parameter("collection_name")) is not None:
            found = [row for row in found if row["name"] == exact]
        if (part := call.parameter("search_collection_name")) is not None:
            found = [row for row in found if part.lower() in row["name"].lower()]
        parameter = f"filter[{self._kind}]"
        if (expr := call.filter(parameter)) is not None:
            for path in paths_of(expr):
                if path.partition(".")[0] not in {*_MEMBERS, "id"}:
                    raise RefusedError(400, f"Unknown property {path}.", parameter=parameter)
            fits = compile_filter(expr, _score)
            found = [row for row in found if fits(_getter(row))]
        parameter = f"sort[{self._kind}]"
        for key in reversed(call.names(parameter)):
            name = key.removeprefix("-")
            if name not in {"guid", "name", "id"}:
                raise RefusedError(400, f"Unknown property {name}.", parameter=parameter)
            member = "guid" if name == "id" else name
            found.sort(key=itemgetter(member), reverse=key.startswith("-"))
        return found

    def _list(self, call: ABCall, view: View, names: tuple[str, ...]) -> Reply:
        found = self._fitting(call)
        limit, offset = call.window()
        data = [self._show(row, names) for row in found[offset : offset + limit]]
        meta = {"took": 10 + len(data), "limit": limit, "offset": offset, "count": len(found)}
        return view.listing(data, meta, [])


def _getter(row: dict[str, Any]) -> Getter:
    return lambda path: walk(row, ("guid",) if path == "id" else path.split("."))


def _score(get: Getter, call: Call) -> int:
    texts = [str(value).lower() for value in get(call.path or "name")]
    return sum(word in text for word in call.words.lower().split() for text in texts)
