"""Predictions and their queue, independent of HTTP and JSON:API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from aioinstructure.simulator.abconnect.vocabulary import BANDS, SUBJECTS
from aioinstructure.simulator.hashing import hash_mix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aioinstructure.simulator.abconnect.assets import Asset, Assets
    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["Oracle", "Prediction", "Predictions"]

_MOST = 60  # of each kind in a set
_EDITIONS = 4  # publications that predictions use


@define(eq=False)
class Prediction:
    """A set of predictions, and its entry in the queue.

    Args:
        asset: The number of the asset it is for, or None.
        standard: The number of the standard it is for, or None.
        focus: The value from the request; its meaning is not documented.
        ready_at: When it is complete, by the simulator's clock.
        expires_at: When it expires, by the simulator's clock.
    """

    number: int
    guid: str
    queue_guid: str
    algorithm: str
    asset: int | None
    standard: int | None
    focus: list[Any]
    requested: str
    expires: str
    ready_at: float
    expires_at: float
    found: dict[str, dict[int, dict[str, Any]]] = field(
        factory=dict[str, "dict[int, dict[str, Any]]"]
    )


class Predictions:
    """All sets of predictions by number."""

    def __init__(self) -> None:
        self.rows: dict[int, Prediction] = {}
        self._guids: dict[str, int] = {}
        self._queue: dict[str, int] = {}

    def put(self, one: Prediction) -> None:
        """Add a set."""
        self.rows[one.number] = one
        self._guids[one.guid.lower()] = one.number
        self._queue[one.queue_guid.lower()] = one.number

    def next_number(self) -> int:
        """Return the number of the next set."""
        return len(self.rows)

    def of_guid(self, guid: str, now: float) -> Prediction | None:
        """Return a set that is complete and has not expired."""
        one = self._find(self._guids, guid, now)
        return one if one is not None and one.ready_at <= now else None

    def of_queue(self, guid: str, now: float) -> Prediction | None:
        """Return a queue entry; it expires with its set."""
        return self._find(self._queue, guid, now)

    def _find(self, where: dict[str, int], guid: str, now: float) -> Prediction | None:
        number = where.get(guid.lower())
        one = None if number is None else self.rows[number]
        return one if one is not None and now < one.expires_at else None


class Oracle:
    """Generator of predictions; the same request gives the same result."""

    def __init__(self, standards: Standards, assets: Assets) -> None:
        self._standards, self._assets = standards, assets
        self._places: dict[tuple[str, str], list[int]] = {}
        for slot in standards.plan:
            if slot.deepest:
                for grade in BANDS[slot.band][2]:
                    key = (SUBJECTS[slot.subject][0], grade)
                    self._places.setdefault(key, []).append(slot.place)

    def ask(
        self, algorithm: str, asset: Asset | None, standard: int | None
    ) -> dict[str, dict[int, dict[str, Any]]]:
        """Return standards and topics for an asset, or assets for a standard."""
        if asset is None:
            return {"standards": {}, "topics": {}, "assets": self._for_standard(standard or 0)}
        scores = self.confident(asset) if algorithm == "confidence" else {}
        steps: dict[int, int] = {}
        if algorithm == "crosswalk":
            steps = self._steps(_accepted(asset))
            steps = {one: step for one, step in steps.items() if self._open(asset, one)}
            scores = {one: _score(asset.number, one) / step for one, step in steps.items()}
        best = dict(sorted(scores.items(), key=lambda pair: -pair[1])[:_MOST])
        topics: dict[int, float] = {}
        for one, score in best.items():
            for topic in self._standards.taxonomy.topics_of(one):
                topics[topic] = max(score, topics.get(topic, 0.0))
        for one in _accepted(asset):
            for topic in self._standards.taxonomy.topics_of(one):
                topics.setdefault(topic, 0.5)
        return {
            "standards": {one: _meta(score, steps.get(one)) for one, score in best.items()},
            "topics": {one: _meta(score, None) for one, score in topics.items()},
            "assets": {},
        }

    def confident(self, asset: Asset) -> dict[int, float]:
        """Return alignable standards of the asset's subjects and grades, with their scores."""
        standards, taxonomy = self._standards, self._standards.taxonomy
        concepts = asset.related("concepts")
        avoided = {one for one, meta in concepts.items() if meta.get("emphasis") == "avoid"}
        wanted = set(concepts) - avoided
        near = {
            peer for one in _accepted(asset) for peer in standards.relations.related(one, "peers")
        }
        found: dict[int, float] = {}
        for place in self._near(asset):
            for edition in range(min(standards.publications, _EDITIONS)):
                one = edition * standards.size + place
                has = set(taxonomy.concepts_of(one))
                likely = one in near or bool(has & wanted) or hash_mix(one + asset.number * 977) % 2
                if likely and not has & avoided and self._open(asset, one):
                    bonus = 0.06 * (one in near) + 0.06 * bool(has & wanted)
                    found[one] = _score(asset.number, one) + bonus
        return found

    def _near(self, asset: Asset) -> list[int]:
        subjects = [str(one.get("code")) for one in asset.disciplines.get("subjects", [])]
        grades = [str(one.get("code")) for one in asset.grades]
        places = (
            place
            for subject in subjects
            for grade in grades
            for place in self._places.get((subject, grade), ())
        )
        return list(dict.fromkeys(places))

    def _open(self, asset: Asset, one: int) -> bool:
        """Whether a standard can be predicted: readable, and neither accepted nor rejected."""
        standards = self._standards
        if one >= standards.count or standards.status(one) == "deleted":
            return False
        said = asset.related("alignments").get(one, {}).get("disposition", "predicted")
        return said == "predicted" and standards.readable(one)

    def _steps(self, begin: Iterable[int]) -> dict[int, int]:
        """Return what crosswalks lead to: directly (1), or through another standard (2)."""
        relations = self._standards.relations
        start = list(begin)
        first = {other for one in start for other in relations.related(one, "crosswalks")}
        second = {other for one in first for other in relations.related(one, "crosswalks")}
        found = dict.fromkeys(sorted(second - first), 2) | dict.fromkeys(sorted(first), 1)
        return {one: step for one, step in found.items() if one not in start}

    def _for_standard(self, standard: int) -> dict[int, dict[str, Any]]:
        steps = self._steps([standard])
        found: dict[int, dict[str, Any]] = {}
        for number, asset in self._assets.rows.items():
            near = [steps[one] for one in _accepted(asset) if one in steps]
            if near:
                step = min(near)
                found[number] = _meta(_score(number, standard) / step, step)
        return found


def _accepted(asset: Asset) -> list[int]:
    relations = asset.related("alignments").items()
    return [one for one, meta in relations if meta.get("disposition") == "accepted"]


def _score(left: int, right: int) -> float:
    return 0.5 + hash_mix(left * 7919 + right) % 36 / 100


def _meta(score: float, steps: int | None) -> dict[str, Any]:
    """Return the properties of a prediction; only crosswalks have steps."""
    meta: dict[str, Any] = {"score": f"{score:.2f}", "disposition": "predicted"}
    return meta if steps is None else {**meta, "steps": steps}
