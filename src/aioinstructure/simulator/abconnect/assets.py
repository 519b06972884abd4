"""Assets of AB Connect and the rules of their relations, independent of HTTP and JSON:API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LINKS", "Asset", "Assets", "ConflictError", "Item", "attribute_key"]

Item = tuple[int, dict[str, Any]]
"""The number of a related object and the properties of the relation."""

LINKS = ("alignments", "topics", "concepts", "alignment_donors", "concept_donors")
"""The to-many relations that callers can write. `parent` is to-one; the rest is read-only."""

_TAUGHT = {"alignments", "topics", "concepts"}  # a change of these updates prediction_algorithm
_EMPHASES = (
    "central",
    "related",
    "not_applicable",
    "avoid",
)  # if donors disagree, the first of these wins
_CONFIDENCE = 3


class ConflictError(ValueError):
    """A violated rule of relations. `place` is the index of the item in the body."""

    def __init__(self, detail: str, place: int | None = None) -> None:
        super().__init__(detail)
        self.place = place


def _links() -> dict[str, dict[int, dict[str, Any]]]:
    return {name: {} for name in LINKS}


@define(eq=False)
class Asset:
    """One asset.

    Args:
        owner: The number of its provider; 0 is the caller.
        algorithm: 2 for assets from before 2020, until a relation changes.
        custom: Custom attributes by key.
        labels: The display names of custom attributes, by key.
        own: Direct relations, by relation and number of the related object.
        donated: Relations from its donors, as of the last refresh.
        deleted: Deleted alignments.
    """

    number: int
    guid: str
    owner: int
    client_id: str
    asset_type: str
    modified: str
    title: str | None = None
    algorithm: int = _CONFIDENCE
    aligned: str | None = None
    custom: dict[str, list[Any]] = field(factory=dict[str, list[Any]])
    labels: dict[str, str] = field(factory=dict[str, str])
    disciplines: dict[str, list[Any]] = field(factory=dict[str, list[Any]])
    grades: list[Any] = field(factory=list[Any])
    own: dict[str, dict[int, dict[str, Any]]] = field(factory=_links)
    donated: dict[str, dict[int, dict[str, Any]]] = field(factory=_links)
    deleted: dict[int, dict[str, Any]] = field(factory=dict[int, dict[str, Any]])
    parent: int | None = None

    def related(self, relation: str) -> dict[int, dict[str, Any]]:
        """Return the current relations. A direct one overrides one from a donor."""
        if relation == "deleted_alignments":
            return self.deleted
        if relation == "parent":
            return {} if self.parent is None else {self.parent: {}}
        return {**self.donated[relation], **self.own[relation]}


def attribute_key(name: str) -> str:
    """Return the key of a custom attribute: runs of special characters become one `_`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


class Assets:
    """All assets by number; numbers are never reused. `edits` counts changes."""

    def __init__(self) -> None:
        self.rows: dict[int, Asset] = {}
        self.edits = 0
        self._guids: dict[str, int] = {}
        self._next = 0

    def next_number(self) -> int:
        """Return the number of the next asset."""
        return self._next

    def put(self, asset: Asset) -> None:
        """Add a new asset.

        Raises:
            ConflictError: Its owner has another asset with the same client_id.
        """
        same = (asset.owner, asset.client_id)
        if any((other.owner, other.client_id) == same for other in self.rows.values()):
            raise ConflictError(f"An asset with the client_id {asset.client_id} already exists.")
        self.rows[asset.number] = asset
        self._guids[asset.guid.lower()] = asset.number
        self._next = asset.number + 1
        self.edits += 1

    def find(self, guid: str) -> Asset | None:
        """Return the asset of an id in any case."""
        number = self._guids.get(guid.lower())
        return None if number is None else self.rows[number]

    def drop(self, asset: Asset) -> None:
        """Delete an asset. Its children remain, without a parent.

        Raises:
            ConflictError: It is a donor of another asset.
        """
        number = asset.number
        for other in self.rows.values():
            if number in other.own["alignment_donors"] or number in other.own["concept_donors"]:
                raise ConflictError(f"The asset is a donor of {other.guid}.")
        del self.rows[number], self._guids[asset.guid.lower()]
        for other in self.rows.values():
            if other.parent == number:
                other.parent = None
        self.edits += 1

    # Relations.

    def add(self, asset: Asset, relation: str, items: Iterable[Item], date: str) -> None:
        """Add items; existing ones are not changed.

        A new item replaces a predicted one, and overrides one from a donor.

        Raises:
            ConflictError: An item exists with other properties, which cannot be changed in
                place, or the rules of donors forbid it. Nothing was changed.
        """
        present = asset.own[relation]
        fresh: list[Item] = []
        for place, (number, meta) in enumerate(items):
            self._check(asset, relation, number, place)
            old = present.get(number)
            if old is None or old.get("disposition") == "predicted":
                fresh.append((number, meta))
            elif any(old.get(name) != value for name, value in meta.items()):
                raise ConflictError(
                    "An existing relation cannot be changed: remove it first.", place
                )
        for number, meta in fresh:
            self._set(asset, relation, number, meta, date)
        self._changed(asset, relation, date)

    def replace(self, asset: Asset, relation: str, items: Iterable[Item], date: str) -> None:
        """Replace all direct relations; those that are not among the items are removed.

        Raises:
            ConflictError: The rules of donors forbid it. Nothing was changed.
        """
        wanted = dict(items)
        for place, number in enumerate(wanted):
            self._check(asset, relation, number, place)
        for number in [number for number in asset.own[relation] if number not in wanted]:
            self._unset(asset, relation, number, date)
        for number, meta in wanted.items():
            self._set(asset, relation, number, meta, date)
        self._changed(asset, relation, date)

    def remove(self, asset: Asset, relation: str, numbers: Iterable[int], date: str) -> None:
        """Remove items.

        Raises:
            KeyError: An item does not exist; the argument is its index in the body.
            ConflictError: An item comes from a donor. Nothing was changed.
        """
        gone = list(numbers)
        for place, number in enumerate(gone):
            if number not in asset.own[relation]:
                if number in asset.donated[relation]:
                    raise ConflictError("The relation comes from a donor.", place)
                raise KeyError(place)
        for number in dict.fromkeys(gone):
            self._unset(asset, relation, number, date)
        self._changed(asset, relation, date)

    def set_parent(self, asset: Asset, parent: int | None, date: str) -> None:
        """Set or clear the parent of an asset.

        Raises:
            ConflictError: It would be its own ancestor.
        """
        above = parent
        while above is not None:
            if above == asset.number:
                raise ConflictError("An asset cannot be its own ancestor.")
            above = self.rows[above].parent
        asset.parent = parent
        asset.modified = date
        self.edits += 1

    def commit(
        self, asset: Asset, relation: str, predicted: Mapping[int, dict[str, Any]], date: str
    ) -> None:
        """Replace predicted relations; accepted and rejected ones remain and take precedence."""
        own = asset.own[relation]
        old = [number for number, meta in own.items() if meta.get("disposition") == "predicted"]
        for number in old:
            if number not in predicted:
                self._unset(asset, relation, number, date)
        for number, meta in predicted.items():
            if own.get(number, {}).get("disposition", "predicted") == "predicted":
                self._set(asset, relation, number, meta, date)
        self.refresh(asset, "alignment_donors")
        self.refresh(asset, "concept_donors")
        self._changed(asset, relation, date)

    def refresh(self, asset: Asset, donors: str) -> None:
        """Update the relations from the donors of an asset."""
        others = [self.rows[number] for number in asset.own[donors] if number in self.rows]
        if donors == "concept_donors":
            asset.donated["concepts"] = _best(
                (other.related("concepts") for other in others), "emphasis", _EMPHASES
            )
            return
        for relation in ("alignments", "topics"):
            asset.donated[relation] = _best(
                (other.related(relation) for other in others),
                "disposition",
                ("accepted", "predicted"),
            )

    def _check(self, asset: Asset, relation: str, number: int, place: int) -> None:
        if relation == "concepts" and asset.own["concept_donors"]:
            raise ConflictError("An asset with concept donors has no concepts of its own.", place)
        if relation == "concept_donors" and asset.own["concepts"]:
            raise ConflictError("An asset with concepts of its own has no concept donors.", place)
        if relation.endswith("_donors") and number == asset.number:
            raise ConflictError("An asset cannot be its own donor.", place)

    @staticmethod
    def _set(asset: Asset, relation: str, number: int, meta: dict[str, Any], date: str) -> None:
        """Set a relation. An existing one keeps its creation date, even if it changes."""
        if relation == "alignments":
            old = asset.own[relation].get(number, {})
            same = {name: old[name] for name in old if not name.startswith("date_")} == meta
            meta = {
                "date_created_utc": old.get("date_created_utc", date),
                **meta,
                "date_modified_utc": old["date_modified_utc"] if same else date,
            }
            asset.deleted.pop(number, None)  # related again, so no longer deleted
        asset.own[relation][number] = meta

    @staticmethod
    def _unset(asset: Asset, relation: str, number: int, date: str) -> None:
        meta = asset.own[relation].pop(number)
        if relation == "alignments":
            asset.deleted[number] = {**meta, "date_deleted_utc": date}

    def _changed(self, asset: Asset, relation: str, date: str) -> None:
        """Update dates and donated relations. Only the date of alignments is documented."""
        if relation == "alignments":
            asset.aligned = date
        else:
            asset.modified = date
        if relation in _TAUGHT:
            asset.algorithm = _CONFIDENCE
        if relation == "alignment_donors":
            self.refresh(asset, relation)
        # Concepts are refreshed by any write on the recipient, alignments only by a commit or a
        # change of donors.
        self.refresh(asset, "concept_donors")
        self.edits += 1


def _best(
    many: Iterable[Mapping[int, dict[str, Any]]], name: str, order: tuple[str, ...]
) -> dict[int, dict[str, Any]]:
    """Merge the relations of donors; if two differ, the one that is first in `order` wins."""
    found: dict[int, dict[str, Any]] = {}
    for relations in many:
        for number, meta in relations.items():
            if meta.get(name) not in order:
                continue
            old = found.get(number)
            if old is None or order.index(str(meta[name])) < order.index(str(old[name])):
                found[number] = meta
    return found
