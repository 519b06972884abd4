"""Initial assets, providers and asset definitions of a world, independent of HTTP."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aioinstructure.simulator.abconnect.assets import Asset, Assets
from aioinstructure.simulator.abconnect.vocabulary import BANDS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["PROVIDERS", "Provider", "definition", "make_assets"]


@frozen
class Provider:
    """A partner. The first one is the caller."""

    descr: str
    owner: bool = False  # shares with the caller
    consumer: bool = False  # reads the caller's assets
    taxonomies: tuple[str, ...] = ("concepts", "topics")


PROVIDERS = (
    Provider("Simulated Learning"),
    Provider("Open Lesson Library", owner=True),
    Provider("Quiz House", owner=True, consumer=True, taxonomies=("topics",)),
    Provider("District Seven", consumer=True, taxonomies=()),
)

_NOUNS = ("Lesson", "Warm-up", "Quiz", "Project", "Reading", "Lab", "Video")
_TAGS = ("Excellent", "Good", "Moderate", "Related", "Partial", "Best One")
_COLORS = ("blue", "yellow", "green")
_MANY = 10  # one asset in this many has more alignments than are embedded
_PROPERTIES = (
    ("Grade", "education_levels.grades"),
    ("Subject", "disciplines.subjects"),
    ("Topic", "topics"),
    ("Concept", "concepts"),
)
_CUSTOM = (
    ("Color", "color"),
    ("Reading Level", "reading_level"),
    ("Duration (min)", "duration_min_"),
)


def definition(standards: Standards, number: int, kind: str) -> dict[str, Any]:
    """Create the definition of an asset type: its searchable properties."""
    properties: list[dict[str, Any]] = [
        {
            "label": label,
            "filterable": "Y",
            "field": {"name": name, "id": f"{name}.guid"},
            "facet": {"name": "data.descr", "id": "data.guid"},
        }
        for label, name in _PROPERTIES
    ]
    # The values of custom attributes are not objects: name and id are both the value itself.
    properties += [
        {
            "label": label,
            "filterable": "Y",
            "field": {"name": f"custom_attributes.{key}", "id": f"custom_attributes.{key}"},
            "facet": {"name": "data", "id": "data"},
        }
        for label, key in _CUSTOM
    ]
    return {
        "guid": standards.name_guid("assetdef", number),
        "type": "assets",
        "asset_type": kind,
        "properties": [{"seq": seq * 10, **one} for seq, one in enumerate(properties, 1)],
    }


def make_assets(seed: int, standards: Standards, count: int, kinds: Sequence[str]) -> Assets:
    """Generate all assets: three of four are the caller's."""
    random = Random(f"{seed}:assets")  # noqa: S311 -- not a secret
    assets = Assets()
    places: dict[tuple[int, int], list[int]] = {}
    for slot in standards.plan:
        if slot.deepest:
            places.setdefault((slot.subject, slot.band), []).append(slot.place)
    for number in range(count if kinds else 0):
        band = random.randrange(len(BANDS))
        asset = _asset(random, standards, number, band, str(random.choice(kinds)))
        near = places.get((_subject(number), band), [])
        everywhere = [
            edition * standards.size + place
            for edition in range(min(standards.publications, 4))
            for place in near
        ]
        _relate(random, standards, asset, [one for one in everywhere if one < standards.count])
        assets.put(asset)
    _family(assets)
    assets.edits = 0
    return assets


def _subject(number: int) -> int:
    """Cycle through the subjects, out of step with the owners."""
    return (number + number // len(SUBJECTS)) % len(SUBJECTS)


def _asset(random: Random, standards: Standards, number: int, band: int, kind: str) -> Asset:
    subject = _subject(number)
    date = f"2025-{1 + number % 12:02}-{1 + number % 28:02} {number % 24:02}:30:00"
    guid = standards.name_guid("asset", number)
    minutes = random.choice((5, 10, 45))
    return Asset(
        number,
        guid.lower() if number % 5 == 0 else guid,
        0 if number % 4 else 1 + number // 4 % 2,
        f"item-{number:05}",
        kind,
        date,
        title=f"{random.choice(_NOUNS)}: {SUBJECTS[subject][1]}, {BANDS[band][0]}",
        algorithm=2 + number % 2,
        custom={
            "color": random.sample(_COLORS, 1 + number % 2),
            "reading_level": [random.choice(("low", "middle", "high"))],
            "duration_min_": [minutes],
        },
        labels={key: label for label, key in _CUSTOM},
        disciplines={"subjects": [standards.subject(subject)]},
        grades=standards.grades(band)[:1],
    )


def _relate(random: Random, standards: Standards, asset: Asset, near: list[int]) -> None:
    """Align an asset to standards of its subject and grades, some of them retired."""
    taxonomy = standards.taxonomy
    wanted = 40 if asset.number % _MANY == 1 else random.randint(1, 6)
    chosen = random.sample(near, min(wanted, len(near)))
    if asset.number % _MANY == 1:
        chosen += [one for one in near if standards.gone(one) and one not in chosen][:2]
    for number in chosen:
        kind = random.choice(("accepted", "accepted", "accepted", "predicted", "rejected"))
        meta: dict[str, Any] = {"date_created_utc": asset.modified, "disposition": kind}
        if kind == "accepted":
            meta["tags"] = random.sample(_TAGS, 1 + number % 2)
        elif kind == "predicted":
            meta["score"] = random.randint(50, 99) / 100
        asset.own["alignments"][number] = {**meta, "date_modified_utc": asset.modified}
        if kind != "rejected":
            for topic in taxonomy.topics_of(number):
                asset.own["topics"].setdefault(topic, {"disposition": kind})
        for concept in taxonomy.concepts_of(number)[: asset.number % 3]:
            asset.own["concepts"].setdefault(
                concept, {"emphasis": random.choice(("central", "central", "related", "avoid"))}
            )
    if chosen:
        asset.aligned = asset.modified
        extra = [one for one in near if one not in chosen][:1]
        for number in extra if asset.number % 3 == 0 else ():
            asset.deleted[number] = {
                "disposition": "accepted",
                "date_created_utc": asset.modified,
                "date_modified_utc": asset.modified,
                "date_deleted_utc": asset.modified,
            }


def _family(assets: Assets) -> None:
    """Make some assets children of the previous one, which is a donor of half of them."""
    for number, asset in assets.rows.items():
        before = assets.rows.get(number - 1)
        if number % 12 not in {3, 7} or before is None:
            continue
        asset.parent = before.number
        if number % 12 == 3:
            asset.own["concepts"].clear()
            for donors in ("alignment_donors", "concept_donors"):
                asset.own[donors][before.number] = {}
                assets.refresh(asset, donors)
