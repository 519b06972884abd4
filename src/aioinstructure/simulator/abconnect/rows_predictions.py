"""Predictions, their queue and the clarifier as rows, independent of HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aioinstructure.simulator.abconnect.rows_base import Book, Rows
from aioinstructure.simulator.abconnect.rows_standards import ALIGNED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aioinstructure.simulator.abconnect.assets import Assets
    from aioinstructure.simulator.abconnect.prediction_state import Oracle, Prediction, Predictions
    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["ClarifierRows", "PredictionRows", "QueueRows"]


class PredictionRows(Rows):
    """Sets of predictions. They have no list."""

    name = "predictions"
    targets: ClassVar[Mapping[str, str]] = {
        "asset": "assets",
        "standard": "standards",
        "focus": "",
        "standards": "standards",
        "topics": "topics",
        "assets": "assets",
    }
    to_one = frozenset({"asset", "standard"})
    through: ClassVar[Mapping[str, frozenset[str]]] = {
        "standards": ALIGNED,
        "topics": frozenset({"descr"}),
        "assets": frozenset({"title", "client_id", "asset_type"}),
    }
    known = frozenset({"guid", "algorithm", "date_requested_utc", "date_expires_utc"})

    def __init__(self, book: Book, predictions: Predictions) -> None:
        super().__init__(book)
        self._predictions = predictions
        self.now = 0.0

    def _one(self, row: int) -> Prediction:
        return self._predictions.rows[row]

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._one(row).guid

    def row_of(self, guid: str) -> int | None:
        """Return the row of a set that is complete and has not expired."""
        one = self._predictions.of_guid(guid, self.now)
        return None if one is None else one.number

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row; none is a URL."""
        del origin
        one = self._one(row)
        return {
            "guid": one.guid,
            "algorithm": one.algorithm,
            "date_requested_utc": one.requested,
            "date_expires_utc": one.expires,
        }

    def related(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows of a relation, without assets that were deleted."""
        one = self._one(row)
        if relation == "standard":
            return () if one.standard is None else (one.standard,)
        assets = self._book["assets"]
        numbers = set(assets.numbers()) if relation in {"asset", "assets"} else set[int]()
        if relation == "asset":
            return (one.asset,) if one.asset is not None and one.asset in numbers else ()
        found = list(one.found[relation])
        return [other for other in found if other in numbers] if relation == "assets" else found

    def meta(self, row: int, other: int, relation: str) -> Mapping[str, Any] | None:
        """Return score, disposition and steps."""
        return self._one(row).found.get(relation, {}).get(other)

    def shown(self, row: int, relation: str, url: str) -> dict[str, Any] | None:
        """Return the subject with a link to its own URL, and the focus unchanged.

        The focus is a list in the request and an object in the documented response.
        """
        one = self._one(row)
        if relation == "focus":
            return {"data": one.focus[0] if len(one.focus) == 1 else one.focus or {}}
        if relation not in self.to_one or not (others := self.related(row, relation)):
            return None
        kind = self.targets[relation]
        guid = self._book[kind].guid(others[0])
        related = f"{url.partition('/predictions/')[0]}/{kind}/{guid}"
        return {"data": {"type": kind, "id": guid}, "links": {"related": related}}


class QueueRows(Rows):
    """Entries of the queue. Their relations have only links."""

    name = "queue-status"
    targets: ClassVar[Mapping[str, str]] = {"asset": "", "standard": "", "predictions": ""}
    known = frozenset({"guid", "code", "status"})

    def __init__(self, book: Book, predictions: Predictions) -> None:
        super().__init__(book)
        self._predictions = predictions
        self.now = 0.0

    def _one(self, row: int) -> Prediction:
        return self._predictions.rows[row]

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._one(row).queue_guid

    def row_of(self, guid: str) -> int | None:
        """Return the row of an entry whose set has not expired."""
        one = self._predictions.of_queue(guid, self.now)
        return None if one is None else one.number

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row."""
        del origin
        one = self._one(row)
        done = one.ready_at <= self.now
        return {
            "guid": one.queue_guid,
            "code": "complete" if done else "pending",
            "status": "The predictions are ready." if done else "The request is in the queue.",
        }

    def absent(self, row: int) -> Sequence[str]:
        """Return the subject relationship that the entry does not have."""
        return ("asset",) if self._one(row).asset is None else ("standard",)

    def shown(self, row: int, relation: str, url: str) -> dict[str, Any]:
        """Return a link to the related object. The set gives 404 until it is complete."""
        one, base = self._one(row), url.partition("/queue-status/")[0]
        places = {
            "asset": ("assets", one.asset),
            "standard": ("standards", one.standard),
            "predictions": ("predictions", None),
        }
        kind, number = places[relation]
        guid = one.guid if number is None else self._book[kind].guid(number)
        return {"links": {"related": f"{base}/{kind}/{guid}"}}


class ClarifierRows(Rows):
    """Suggestions of standards and concepts to review, by asset."""

    name = "clarifier"
    targets: ClassVar[Mapping[str, str]] = {
        "clarification_concepts": "concepts",
        "clarification_standards": "standards",
    }
    cut = 5

    def __init__(self, book: Book, assets: Assets, standards: Standards, oracle: Oracle) -> None:
        super().__init__(book)
        self._assets, self._standards, self._oracle = assets, standards, oracle

    def guid(self, row: int) -> str:
        """Return the id of the asset."""
        return self._assets.rows[row].guid

    def row_of(self, guid: str) -> int | None:
        """Return the number of the asset."""
        asset = self._assets.find(guid)
        return None if asset is None else asset.number

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return no attributes: the clarifier has none."""
        del row, origin
        return {}

    def related(self, row: int, relation: str) -> list[int]:
        """Return standards or concepts without an opinion yet, best first."""
        asset = self._assets.rows[row]
        scores = self._oracle.confident(asset)
        best = sorted(scores, key=lambda one: -scores[one])
        if relation == "clarification_standards":
            return best
        known = asset.related("concepts")
        concepts = (one for other in best for one in self._standards.taxonomy.concepts_of(other))
        return [one for one in dict.fromkeys(concepts) if one not in known]
