"""The operations of AB Connect, independent of throttles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from aioinstructure.simulator.abconnect.collections import Collections
from aioinstructure.simulator.abconnect.predictions import Predictor
from aioinstructure.simulator.abconnect.reads import View
from aioinstructure.simulator.abconnect.relations import RELATIONS
from aioinstructure.simulator.abconnect.request import ABCall, RefusedError
from aioinstructure.simulator.abconnect.rows_assets import AssetRows, DefinitionRows, ProviderRows
from aioinstructure.simulator.abconnect.rows_predictions import (
    ClarifierRows,
    PredictionRows,
    QueueRows,
)
from aioinstructure.simulator.abconnect.rows_standards import (
    ConceptRows,
    EventRows,
    StandardRows,
    TopicRows,
)
from aioinstructure.simulator.abconnect.signature import accepted
from aioinstructure.simulator.abconnect.table import Table
from aioinstructure.simulator.abconnect.writes import AssetWriter
from aioinstructure.simulator.http.parsing import Pairs, first
from aioinstructure.simulator.http.responses import Reply, abconnect_error
from aioinstructure.simulator.licence import Licence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aioinstructure.simulator.abconnect.assets import Asset
    from aioinstructure.simulator.abconnect.rows_base import Book
    from aioinstructure.simulator.knobs import Knobs
    from aioinstructure.simulator.world import World

__all__ = ["ABConnectService", "is_wildcard"]

_ACTIONS = {"add", "set", "replace", "remove"}
_TO_ONE = {"parent", "owner"}  # of assets: one object; standards and topics give a list


def is_wildcard(pairs: Pairs) -> bool:
    """Whether the stricter rate limit for wildcards applies to a call (2 per second by default)."""
    return any(
        (name.startswith("fields[") and "*" in value.split(","))
        or (name == "facet_summary" and value == "*")
        for name, value in pairs
    )


class ABConnectService:
    """Handlers of AB Connect calls on a world.

    Args:
        partners: Partner ids with their keys.
        now: The simulator's clock, for delayed responses.
    """

    def __init__(
        self,
        world: World,
        knobs: Knobs,
        partners: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._world, self._knobs, self._partners, self._now = world, knobs, partners, now
        self._book: Book = {}
        book, standards = self._book, world.standards
        StandardRows(book, standards)
        TopicRows(book, standards)
        ConceptRows(book, standards)
        EventRows(book, world)
        ProviderRows(book, standards, lambda: self._licence().hidden)
        DefinitionRows(book, standards, knobs.asset_types)
        AssetRows(book, world.assets, standards)
        self._sets = PredictionRows(book, world.predictions)
        self._queue = QueueRows(book, world.predictions)
        ClarifierRows(book, world.assets, standards, world.oracle)
        self._tables = {name: Table(rows) for name, rows in book.items()}
        self._writer = AssetWriter(world, knobs, book)
        self._predictor = Predictor(world, knobs, book)
        self._collections = {
            kind: Collections(standards, kind)
            for kind in ("standard_collections", "asset_collections")
        }
        self._edits = (world.edits, world.assets.edits)
        # Everything except plain reads and relations.
        self._special: dict[str, Callable[[ABCall, View], Reply]] = {
            "predictions.create": self._predict,
            "predictions.queue_status.get": self._poll,
            "predictions.commit": lambda call, _: self._predictor.commit(call),
            "assets.create": self._create_asset,
            "assets.patch": self._patch_asset,
            "assets.delete": lambda call, _: self._writer.delete(self._asset(call)),
        }

    def handles(self, name: str) -> bool:
        """Whether an operation has a handler."""
        return self._handler(name) is not None

    def refused(self, method: str, path: str, pairs: Pairs, now: float) -> Reply | None:
        """Return 401 for a call without a valid signature, else None."""
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

    def answer(self, call: ABCall) -> Reply:
        """Answer a signed call. A write changes everything it contains, or nothing."""
        self._forget()
        self._sets.now = self._queue.now = call.now
        handler = self._handler(call.operation)
        if handler is None:
            return abconnect_error(404)
        try:
            self._check_licence(call)
            return handler(call, self._view(call))
        except RefusedError as refusal:
            return refusal.reply

    def _handler(self, name: str) -> Callable[[ABCall, View], Reply] | None:
        """Find the handler of an operation by its name: resource, relation, action."""
        if (special := self._special.get(name)) is not None:
            return special
        resource, *middle, action = name.split(".")
        if (collections := self._collections.get(resource)) is not None:
            return collections.answer
        if middle and action == "list":
            return self._related
        if middle and action in _ACTIONS:
            return self._relate
        return {"list": self._list, "get": self._get}.get(action)

    def _forget(self) -> None:
        """Drop cached lists whose data has changed."""
        before, self._edits = self._edits, (self._world.edits, self._world.assets.edits)
        if before[0] != self._edits[0]:
            for table in self._tables.values():
                table.forget()
        elif before != self._edits:
            self._tables["assets"].forget()

    def _licence(self) -> Licence:
        return Licence(self._knobs.unlicensed_features, self._knobs.unlicensed_relations)

    def _view(self, call: ABCall) -> View:
        return View(
            call,
            self._tables,
            self._book,
            self._licence().hidden,
            echo=self._knobs.echo_credentials,
        )

    def _check_licence(self, call: ABCall) -> None:
        resource, *middle, _ = call.operation.split(".")
        relation = call.values.get("relationship", middle[0] if middle else "")
        if resource == "standards" and relation and relation not in _OF_STANDARDS:
            raise RefusedError(404)
        detail = self._licence().refusal(resource, relation)
        if detail is not None:
            raise RefusedError(403, detail)

    # Reads.

    def _list(self, call: ABCall, view: View) -> Reply:
        return view.rows(self._tables[call.operation.partition(".")[0]])

    def _get(self, call: ABCall, view: View) -> Reply:
        table, row = self._found(call)
        reply = view.one(table, row)
        reply.cacheable = reply.cacheable and table.name != "predictions"  # sets expire
        return reply

    def _related(self, call: ABCall, view: View) -> Reply:
        relation = call.values.get("relationship", call.operation.split(".")[1])
        table, row = self._found(call)
        if relation not in table.rows.targets or relation in table.rows.absent(row):
            raise RefusedError(404)
        if table.name == "assets" and relation in _TO_ONE:
            return view.related_one(table, row, relation)
        reply = view.related(table, row, relation)
        reply.cacheable = reply.cacheable and table.name != "predictions"
        return reply

    def _found(self, call: ABCall) -> tuple[Table, int]:
        table = self._tables[call.operation.partition(".")[0]]
        guid = call.values["guid"]
        row = table.rows.row_of(guid)
        if row is None:
            raise RefusedError(404)
        if not table.rows.readable(row):
            raise RefusedError(403, f"This account is not licensed to access standard {guid}")
        return table, row

    # Writes.

    def _asset(self, call: ABCall) -> Asset:
        asset = self._world.assets.find(call.values["guid"])
        if asset is None:
            raise RefusedError(404)
        return asset

    def _create_asset(self, call: ABCall, view: View) -> Reply:
        view.check(self._tables["assets"])
        asset = self._writer.create(call)
        here = evolve(
            call, path=f"{call.path.rstrip('/')}/{asset.guid}"
        )  # links.self names the new asset
        return self._view(here).one(self._tables["assets"], asset.number, status=201)

    def _patch_asset(self, call: ABCall, view: View) -> Reply:
        asset = self._asset(call)
        view.check(self._tables["assets"])
        self._writer.patch(call, asset)
        return view.one(self._tables["assets"], asset.number)

    def _relate(self, call: ABCall, view: View) -> Reply:
        del view
        _, relation, action = call.operation.split(".")
        return self._writer.relate(call, self._asset(call), relation, action)

    # Predictions.

    def _predict(self, call: ABCall, view: View) -> Reply:
        view.check(self._tables["queue-status"])
        one = self._predictor.create(call)
        return self._predictor.held(one, call, lambda: self._queued(call, one.queue_guid, 202))

    def _poll(self, call: ABCall, view: View) -> Reply:
        view.check(self._tables["queue-status"])
        guid = call.values["guid"]
        one = self._world.predictions.of_queue(guid, call.now)
        if one is None:
            raise RefusedError(404)
        return self._predictor.polled(one, call, lambda: self._queued(call, guid, 200))

    def _queued(self, call: ABCall, guid: str, status: int) -> Reply:
        """Reply with a queue entry in its current state. `links.self` always names the entry."""
        self._sets.now = self._queue.now = self._now()
        row = self._queue.row_of(guid)
        if row is None:
            return abconnect_error(404)
        here = evolve(call, path=f"/rest/v4.1/predictions/queue-status/{guid}")
        reply = self._view(here).one(self._tables["queue-status"], row, status=status)
        reply.cacheable = False
        return reply


_OF_STANDARDS = {*RELATIONS, "topics", "concepts"}
