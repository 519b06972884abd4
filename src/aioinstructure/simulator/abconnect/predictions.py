"""Requests for predictions, the queue, and commits to an asset."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.abconnect.prediction_state import Prediction
from aioinstructure.simulator.abconnect.request import ABCall, RefusedError, day
from aioinstructure.simulator.coerce import listed, mapping
from aioinstructure.simulator.http.responses import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioinstructure.simulator.abconnect.assets import Asset
    from aioinstructure.simulator.abconnect.rows_base import Book
    from aioinstructure.simulator.knobs import Knobs
    from aioinstructure.simulator.world import World

__all__ = ["Predictor"]

_ALGORITHMS = ("confidence", "crosswalk")


class Predictor:
    """Handlers of requests and commits. Sets are read like any other resource."""

    def __init__(self, world: World, knobs: Knobs, book: Book) -> None:
        self._world, self._knobs, self._book = world, knobs, book

    def create(self, call: ABCall) -> Prediction:
        """Create a queue entry and its set of predictions."""
        data = call.data()
        algorithm = (mapping(data.get("attributes")) or {}).get("algorithm")
        if algorithm not in _ALGORITHMS:
            detail = f"algorithm must be one of {', '.join(_ALGORITHMS)}."
            raise RefusedError(422, detail, pointer="/data/attributes/algorithm")
        about = mapping(data.get("relationships"))
        if about is None:
            raise RefusedError(422, "relationships is missing.", pointer="/data/relationships")
        asset, standard = self._subject(about)
        if asset is None and algorithm == "confidence":
            detail = "confidence does not predict for standards."
            raise RefusedError(422, detail, pointer="/data/attributes/algorithm")
        predictions, knobs = self._world.predictions, self._knobs
        number = predictions.next_number()
        name_guid = self._world.standards.name_guid
        one = Prediction(
            number,
            name_guid("predict", number),
            name_guid("queue", number),
            str(algorithm),
            None if asset is None else asset.number,
            standard,
            listed(about.get("focus")) or [],
            day(call.wall),
            day(call.wall + knobs.prediction_expires_seconds),
            call.now + knobs.prediction_seconds,
            call.now + knobs.prediction_seconds + knobs.prediction_expires_seconds,
        )
        one.found = self._world.oracle.ask(one.algorithm, asset, standard)
        predictions.put(one)
        return one

    def _subject(self, about: dict[str, Any]) -> tuple[Asset | None, int | None]:
        """Return the asset or the standard of a request. Types are case-insensitive."""
        kind, guid = str(about.get("type", "")).lower(), str(about.get("id", ""))
        if kind not in {"assets", "standards"}:
            pointer = "/data/relationships/type"
            raise RefusedError(422, "The type must be assets or standards.", pointer=pointer)
        rows = self._book[kind]
        number = rows.row_of(guid)
        if number is None or not rows.readable(number):
            pointer = "/data/relationships/id"
            raise RefusedError(
                422, f"{guid} does not exist." if guid else "id is missing.", pointer=pointer
            )
        if kind == "standards":
            return None, number
        return self._world.assets.rows[number], None

    def held(self, one: Prediction, call: ABCall, show: Callable[[], Reply]) -> Reply:
        """Reply to a request: wait until the set is complete, within the limit of the knob."""
        return _hold(min(one.ready_at - call.now, self._knobs.prediction_inline_seconds), show)

    def polled(self, one: Prediction, call: ABCall, show: Callable[[], Reply]) -> Reply:
        """Reply to a poll of the queue: wait for at most `max_wait` seconds."""
        longest = call.number("max_wait", 0)
        return _hold(min(one.ready_at - call.now, longest), show)

    def commit(self, call: ABCall) -> Reply:
        """Store a set in its asset. The reply has no body."""
        one = self._world.predictions.of_guid(call.values["guid"], call.now)
        if one is None:
            raise RefusedError(404)
        if one.asset is None:
            # Not documented; the how-to relates assets one by one.
            raise RefusedError(409, "Predictions for a standard cannot be stored.")
        asset = self._world.assets.rows.get(one.asset)
        if asset is None:
            raise RefusedError(404)
        if asset.owner != 0:
            raise RefusedError(403, "The asset belongs to another provider.")
        date = day(call.wall)
        for relation, found in (("alignments", "standards"), ("topics", "topics")):
            metas = {number: _stored(relation, meta) for number, meta in one.found[found].items()}
            self._world.assets.commit(asset, relation, metas, date)
        return Reply(202)


def _stored(relation: str, meta: dict[str, Any]) -> dict[str, Any]:
    """Return the properties to store: the score becomes a number; topics have no score."""
    if relation == "topics":
        return {"disposition": "predicted"}
    return {"disposition": "predicted", "score": float(meta["score"])}


def _hold(seconds: float, show: Callable[[], Reply]) -> Reply:
    return Reply(seconds=seconds, later=partial(show)) if seconds > 0 else show()
