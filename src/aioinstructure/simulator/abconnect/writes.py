"""Writes of assets and their relations: parsing, checking and applying bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from aioinstructure.simulator.abconnect.assets import (
    Asset,
    ConflictError,
    Item,
    attribute_key,
)
from aioinstructure.simulator.abconnect.request import ABCall, RefusedError, day
from aioinstructure.simulator.abconnect.vocabulary import DOMAINS, SUBJECTS
from aioinstructure.simulator.coerce import listed, mapping
from aioinstructure.simulator.http.responses import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aioinstructure.simulator.abconnect.rows_base import Book
    from aioinstructure.simulator.knobs import Knobs
    from aioinstructure.simulator.world import World

__all__ = ["AssetWriter"]

_TARGETS = {
    "alignments": "standards",
    "topics": "topics",
    "concepts": "concepts",
    "parent": "assets",
    "alignment_donors": "assets",
    "concept_donors": "assets",
}
_TAGS = {
    "Excellent", "Good", "Moderate", "Encompassing", "Related", "Partial", "Limited", "Best One",
    "Maybe",
}  # fmt: skip
_EMPHASES = {"central", "related", "not_applicable", "avoid"}
_DISPOSITIONS = {"accepted", "rejected"}  # only the service sets predicted
_FIXED = ("client_id", "asset_type")
_WRITABLE = {"title", "descriptors", "custom_attributes", "disciplines", "education_levels"}


class AssetWriter:
    """Writes of the caller's assets. A body is applied completely or not at all."""

    def __init__(self, world: World, knobs: Knobs, book: Book) -> None:
        self._world, self._knobs, self._book = world, knobs, book

    def create(self, call: ABCall) -> Asset:
        """Create an asset of the caller."""
        data = call.data()
        _expect_type(data, "assets", "/data/type")
        attributes = _attributes(data)
        for name in _FIXED:
            if not isinstance(attributes.get(name), str) or not attributes[name]:
                raise RefusedError(422, f"{name} is required.", pointer=f"/data/attributes/{name}")
        kind = str(attributes["asset_type"])
        if kind not in self._knobs.asset_types:
            detail = f"{kind} is not one of the asset types of this account."
            raise RefusedError(422, detail, pointer="/data/attributes/asset_type")
        assets = self._world.assets
        number = assets.next_number()
        asset = Asset(
            number,
            self._world.standards.name_guid("asset", number),
            0,
            str(attributes["client_id"]),
            kind,
            day(call.wall),
        )
        self._change(asset, attributes)
        try:
            assets.put(asset)
        except ConflictError as error:
            pointer = "/data/attributes/client_id"
            raise RefusedError(409, str(error), pointer=pointer) from error
        return asset

    def patch(self, call: ABCall, asset: Asset) -> None:
        """Replace each attribute that was sent completely."""
        self._mine(asset)
        data = call.data()
        _expect_type(data, "assets", "/data/type")
        if str(data.get("id", asset.guid)).lower() != asset.guid.lower():
            raise RefusedError(409, "The id must be that of the asset.", pointer="/data/id")
        attributes = _attributes(data)
        for name in _FIXED:
            if attributes.get(name, getattr(asset, name)) != getattr(asset, name):
                pointer = f"/data/attributes/{name}"
                raise RefusedError(422, f"{name} cannot be changed.", pointer=pointer)
        # Changed on a copy first: if the last attribute is invalid, the others must not change.
        changed = evolve(asset)
        self._change(changed, attributes)
        for name in ("title", "custom", "labels", "disciplines", "grades"):
            setattr(asset, name, getattr(changed, name))
        asset.modified = day(call.wall)
        self._world.assets.refresh(asset, "concept_donors")
        self._world.assets.edits += 1

    def delete(self, asset: Asset) -> Reply:
        """Delete an asset, unless it is a donor."""
        self._mine(asset)
        try:
            self._world.assets.drop(asset)
        except ConflictError as error:
            raise RefusedError(409, str(error)) from error
        return done()

    def relate(self, call: ABCall, asset: Asset, relation: str, action: str) -> Reply:
        """Add, replace or remove relations; `parent` takes one object instead of a list."""
        self._mine(asset)
        date, assets = day(call.wall), self._world.assets
        try:
            if relation == "parent":
                self._parent(call, asset, action)
            elif action == "add":
                assets.add(asset, relation, self._items(call, relation), date)
            elif action == "replace":
                assets.replace(asset, relation, self._items(call, relation), date)
            else:
                numbers = self._numbers(call.items(), relation)
                assets.remove(asset, relation, numbers, date)
        except ConflictError as error:
            pointer = None if error.place is None else f"/data/{error.place}"
            raise RefusedError(409, str(error), pointer=pointer) from error
        except KeyError as error:
            pointer = f"/data/{error.args[0]}"
            raise RefusedError(404, "The relation does not exist.", pointer=pointer) from error
        return done()

    def _mine(self, asset: Asset) -> None:
        if asset.owner != 0:
            raise RefusedError(403, "The asset belongs to another provider.")

    # Relations.

    def _parent(self, call: ABCall, asset: Asset, action: str) -> None:
        """Set the parent for POST and PATCH; clear it for DELETE and for PATCH without data."""
        date, assets = day(call.wall), self._world.assets
        body = mapping(call.body) or {}
        if action == "remove" or (action == "replace" and body.get("data") in ([], {}, None)):
            assets.set_parent(asset, None, date)
            return
        (number,) = self._numbers([call.data()], "parent", alone=True)
        if assets.rows[number].owner != asset.owner:
            raise RefusedError(400, "The parent belongs to another provider.", pointer="/data/id")
        assets.set_parent(asset, number, date)

    def _items(self, call: ABCall, relation: str) -> list[Item]:
        items = call.items()
        numbers = self._numbers(items, relation)
        return [
            (number, _meta(relation, mapping(item) or {}, f"/data/{place}/meta"))
            for place, (number, item) in enumerate(zip(numbers, items, strict=True))
        ]

    def _numbers(self, items: Iterable[Any], relation: str, *, alone: bool = False) -> list[int]:
        kind = _TARGETS[relation]
        rows = self._book[kind]
        found: list[int] = []
        for place, item in enumerate(items):
            pointer = "/data" if alone else f"/data/{place}"
            if (members := mapping(item)) is None:
                raise RefusedError(400, "An item must be an object.", pointer=pointer)
            _expect_type(members, kind, f"{pointer}/type", needed=True)
            guid = str(members.get("id", ""))
            number = rows.row_of(guid)
            if number is None:
                raise RefusedError(
                    400,
                    f"{guid} does not exist." if guid else "id is missing.",
                    pointer=f"{pointer}/id",
                )
            if not rows.readable(number):
                detail = f"This account is not licensed to access {guid}"
                raise RefusedError(403, detail, pointer=f"{pointer}/id")
            found.append(number)
        return found

    # Attributes.

    def _change(self, asset: Asset, attributes: dict[str, Any]) -> None:
        for name in attributes:
            if name not in _WRITABLE and name not in _FIXED:
                detail = f"{name} cannot be written."
                raise RefusedError(422, detail, pointer=f"/data/attributes/{name}")
        if "title" in attributes:
            asset.title = None if attributes["title"] is None else str(attributes["title"])
        self._name_values(asset, attributes)
        if "disciplines" in attributes:
            asset.disciplines = self._disciplines(attributes["disciplines"])
        if "education_levels" in attributes:
            levels = mapping(attributes["education_levels"]) or {}
            pointer = "/data/attributes/education_levels/grades"
            asset.grades = _known(
                levels.get("grades", []), self._world.standards.all_grades, pointer
            )

    def _name_values(self, asset: Asset, attributes: dict[str, Any]) -> None:
        """Replace the custom attributes by either form; if both are sent, they are merged."""
        if "descriptors" not in attributes and "custom_attributes" not in attributes:
            return
        custom: dict[str, list[Any]] = {}
        labels: dict[str, str] = {}
        for place, one in enumerate(listed(attributes.get("descriptors")) or []):
            members = mapping(one) or {}
            if not isinstance(members.get("name"), str) or "value" not in members:
                pointer = f"/data/attributes/descriptors/{place}"
                raise RefusedError(
                    422, "A descriptor must have a name and a value.", pointer=pointer
                )
            key = attribute_key(members["name"])
            labels[key] = members["name"]
            custom.setdefault(key, []).append(members["value"])
        many = attributes.get("custom_attributes", {})
        if (named := mapping(many)) is None:
            pointer = "/data/attributes/custom_attributes"
            raise RefusedError(422, "custom_attributes must be an object.", pointer=pointer)
        for name, value in named.items():
            key = attribute_key(name)
            labels.setdefault(key, asset.labels.get(key, name))
            values = listed(value)
            custom[key] = [value] if values is None else list(values)
        asset.custom, asset.labels = custom, labels

    def _disciplines(self, value: Any) -> dict[str, list[Any]]:
        sent = mapping(value)
        if sent is None:
            pointer = "/data/attributes/disciplines"
            raise RefusedError(422, "disciplines must be an object.", pointer=pointer)
        standards = self._world.standards
        known = {
            "subjects": [standards.subject(number) for number in range(len(SUBJECTS))],
            "strands": [
                standards.strand_of(subject, number)
                for subject, (code, _, _) in enumerate(SUBJECTS)
                for number in range(len(DOMAINS[code]))
            ],
            "genres": [],
            "ece_domains": [],
        }
        return {
            name: _known(many, known.get(name, []), f"/data/attributes/disciplines/{name}")
            for name, many in sent.items()
        }


def done() -> Reply:
    """Return the reply to a write without data."""
    return json_reply({"meta": {"took": 14}})


def _attributes(data: dict[str, Any]) -> dict[str, Any]:
    attributes = mapping(data.get("attributes"))
    if attributes is None:
        raise RefusedError(422, "attributes must be an object.", pointer="/data/attributes")
    return attributes


def _expect_type(members: dict[str, Any], kind: str, pointer: str, *, needed: bool = False) -> None:
    """Check a type. Case does not matter: the documentation uses both."""
    found = members.get("type", "" if needed else kind)
    if not isinstance(found, str) or found.lower() != kind:
        raise RefusedError(400, f"The type must be {kind}.", pointer=pointer)


def _known(value: Any, candidates: list[dict[str, Any]], pointer: str) -> list[Any]:
    """Return the full terms for codes or GUIDs."""
    found: list[Any] = []
    for place, one in enumerate(listed(value) or []):
        members = mapping(one) or {}
        guid, code = str(members.get("guid", "")).lower(), members.get("code")
        term = next((term for term in candidates if _is_term(term, guid, code)), None)
        if term is None:
            raise RefusedError(422, "The term does not exist.", pointer=f"{pointer}/{place}")
        found.append(term)
    return found


def _is_term(term: dict[str, Any], guid: str, code: Any) -> bool:
    """Whether a term matches; the GUID decides if both were sent."""
    if guid:
        return str(term["guid"]).lower() == guid
    return code is not None and term.get("code") == code


def _meta(relation: str, item: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Return the properties that a caller can write; score and dates in a body are ignored."""
    meta = mapping(item.get("meta", {}))
    if meta is None:
        raise RefusedError(400, "meta must be an object.", pointer=pointer)
    if relation == "concepts":
        emphasis = meta.get("emphasis", "central")  # without one: not documented
        if emphasis not in _EMPHASES:
            raise RefusedError(400, "The emphasis does not exist.", pointer=f"{pointer}/emphasis")
        return {"emphasis": emphasis}
    if relation.endswith("_donors"):
        return {}
    disposition = meta.get("disposition", "accepted")  # without one: not documented
    if disposition not in _DISPOSITIONS:
        detail = "disposition must be accepted or rejected."
        raise RefusedError(400, detail, pointer=f"{pointer}/disposition")
    if relation == "topics" or "tags" not in meta:
        return {"disposition": disposition}
    tags = listed(meta["tags"])
    if tags is None or not set(map(str, tags)) <= _TAGS or (tags and disposition != "accepted"):
        detail = "tags must be known values, and need the disposition accepted."
        raise RefusedError(400, detail, pointer=f"{pointer}/tags")
    return {"disposition": disposition, "tags": tags} if tags else {"disposition": disposition}
