"""Assets, providers and asset definitions as rows, independent of HTTP and JSON:API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aioinstructure.simulator.abconnect.rows_base import Book, Rows, flat
from aioinstructure.simulator.abconnect.rows_standards import ALIGNED
from aioinstructure.simulator.abconnect.seed_assets import PROVIDERS, definition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from aioinstructure.simulator.abconnect.assets import Asset, Assets
    from aioinstructure.simulator.abconnect.standards import Standards

__all__ = ["AssetRows", "DefinitionRows", "ProviderRows"]

_ME, _ALL = "_me", "_all"
_CUSTOM = "custom_attributes"


class AssetRows(Rows):
    """The assets. Lists show the caller's assets unless the filter uses the owner."""

    name = "assets"
    targets: ClassVar[Mapping[str, str]] = {
        "alignments": "standards",
        "deleted_alignments": "standards",
        "topics": "topics",
        "concepts": "concepts",
        "owner": "providers",
        "parent": "assets",
        "alignment_donors": "assets",
        "concept_donors": "assets",
    }
    to_one = frozenset({"owner", "parent"})
    through: ClassVar[Mapping[str, frozenset[str]]] = {
        "alignments": ALIGNED,
        "deleted_alignments": ALIGNED,
        "topics": frozenset({"descr"}),
        "concepts": frozenset({"descr", "context"}),
    }
    lifted_by = "owner.id"
    facets = ("asset_types", "disciplines.subjects", "topics", "concepts")
    texts = (
        "title",
        "custom_attributes",
        "alignments.concepts.context",
        "alignments.concepts.descr",
        "alignments.document.descr",
        "alignments.document.publication.descr",
        "alignments.section.descr",
        "alignments.statement.descr",
        "alignments.topics.descr",
        "topics.descr",
        "concepts.context",
        "concepts.descr",
    )
    known = frozenset(
        [
            "guid",
            "client_id",
            "asset_type",
            "title",
            "prediction_algorithm",
            "date_modified_utc",
            "date_alignments_modified_utc",
            "descriptors",
            "descriptors.name",
            "descriptors.value",
            "custom_attributes",
            "disciplines",
            "disciplines.subjects",
            "disciplines.subjects.guid",
            "disciplines.subjects.code",
            "disciplines.subjects.descr",
            "disciplines.strands",
            "disciplines.strands.guid",
            "disciplines.strands.descr",
            "disciplines.genres",
            "disciplines.genres.guid",
            "disciplines.genres.code",
            "disciplines.genres.descr",
            "disciplines.ece_domains",
            "disciplines.ece_domains.guid",
            "disciplines.ece_domains.code",
            "disciplines.ece_domains.descr",
            "education_levels",
            "education_levels.grades",
            "education_levels.grades.guid",
            "education_levels.grades.code",
            "education_levels.grades.descr",
            "education_levels.grades.seq",
        ]
    )

    def __init__(self, book: Book, assets: Assets, standards: Standards) -> None:
        super().__init__(book)
        self._assets, self._standards = assets, standards

    def _asset(self, row: int) -> Asset:
        return self._assets.rows[row]

    def numbers(self) -> Iterable[int]:
        """Return the numbers of all assets, of all owners."""
        return self._assets.rows

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._asset(row).guid

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        asset = self._assets.find(guid)
        return None if asset is None else asset.number

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row; custom attributes appear twice."""
        del origin
        asset = self._asset(row)
        return {
            "guid": asset.guid,
            "client_id": asset.client_id,
            "asset_type": asset.asset_type,
            "title": asset.title,
            "prediction_algorithm": asset.algorithm,
            "date_modified_utc": asset.modified,
            "date_alignments_modified_utc": asset.aligned,
            "descriptors": [
                {"name": asset.labels.get(key, key), "value": str(value)}
                for key, values in asset.custom.items()
                for value in values
            ],
            "custom_attributes": asset.custom,
            "disciplines": {
                name: asset.disciplines.get(name, [])
                for name in ("subjects", "strands", "genres", "ece_domains")
            },
            "education_levels": {"grades": asset.grades},
        }

    def related(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows of a relation."""
        asset = self._asset(row)
        return (asset.owner,) if relation == "owner" else list(asset.related(relation))

    def meta(self, row: int, other: int, relation: str) -> Mapping[str, Any] | None:
        """Return disposition, tags, score, dates, emphasis."""
        if relation == "owner":
            return None
        return self._asset(row).related(relation).get(other) or None

    def usual(self, row: int) -> bool:
        """Whether it is the caller's: lists show only those by default."""
        return self._asset(row).owner == 0

    def searched(self, row: int, relation: str) -> Sequence[int]:
        """Return the related rows without rejected topics; only central or related concepts."""
        others = self.linked(row, relation)
        if relation not in {"topics", "concepts"}:
            return others
        metas = self._asset(row).related(relation)
        return [other for other in others if taken(metas[other])]

    def has(self, path: str) -> bool:
        """Whether it is a property; custom attributes can have any name."""
        return path in self.known or path.startswith(f"{_CUSTOM}.")

    def values(self, row: int, path: str) -> Sequence[Any]:
        """Return all values at a path; an owner also has its keywords as values."""
        asset = self._asset(row)
        if path in {"owner", "owner.id", "owner.guid"}:
            guid = self._book["providers"].guid(asset.owner)
            return (guid, _ALL, _ME) if asset.owner == 0 else (guid, _ALL)
        if path == _CUSTOM:
            return [value for values in asset.custom.values() for value in values]
        if path.startswith(f"{_CUSTOM}."):
            return asset.custom.get(path.partition(".")[2], ())
        return super().values(row, path)

    def all_facets(self) -> tuple[str, ...]:
        """Return the fixed facets, and one for each custom attribute."""
        keys = {key for asset in self._assets.rows.values() for key in asset.custom}
        return (*self.facets, *(f"{_CUSTOM}.{key}" for key in sorted(keys)))

    def facet_values(self, row: int, name: str) -> list[Any]:
        """Return facet values: types and custom attributes are plain, topics have their parents."""
        if name == "asset_types":
            return [self._asset(row).asset_type]
        if name.startswith(f"{_CUSTOM}."):
            return list(self.values(row, name))
        if name in {"topics", "concepts"}:
            show = self._topic if name == "topics" else self._standards.taxonomy.concept_attributes
            return [show(other) for other in self.searched(row, name)]
        return super().facet_values(row, name)

    def _topic(self, topic: int) -> dict[str, Any]:
        taxonomy = self._standards.taxonomy
        parents = [taxonomy.topic_text(parent) for parent in taxonomy.topic_parent(topic)]
        return {
            "guid": taxonomy.topic_guid(topic),
            "descr": taxonomy.topic_text(topic),
            "parent_descr": parents[0] if parents else None,
        }


def taken(meta: Mapping[str, Any]) -> bool:
    """Whether searches include a relation to a topic or concept."""
    return meta.get("disposition") != "rejected" and meta.get("emphasis") not in {
        "not_applicable",
        "avoid",
    }


class ProviderRows(Rows):
    """The caller and the providers it shares with."""

    name = "providers"
    targets: ClassVar[Mapping[str, str]] = {"owners": "providers", "consumers": "providers"}
    known = frozenset({"guid", "descr", "taxonomies"})
    texts = ("descr",)

    def __init__(
        self, book: Book, standards: Standards, unlicensed: Callable[[], Collection[str]]
    ) -> None:
        super().__init__(book)
        self._standards, self._unlicensed = standards, unlicensed

    def numbers(self) -> range:
        """Return the numbers of all rows."""
        return range(len(PROVIDERS))

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return self._standards.name_guid("provide", row)

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        wanted = guid.lower()
        return next((row for row in self.numbers() if self.guid(row).lower() == wanted), None)

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row. The caller's taxonomies show what is licensed."""
        del origin
        one = PROVIDERS[row]
        gone = self._unlicensed() if row == 0 else ()
        return {
            "guid": self.guid(row),
            "descr": one.descr,
            "taxonomies": [name for name in one.taxonomies if name not in gone],
        }

    def related(self, row: int, relation: str) -> list[int]:
        """Return the providers that share with the caller, or read the caller's assets."""
        if row != 0:
            return []
        return [
            other
            for other, one in enumerate(PROVIDERS)
            if (one.owner if relation == "owners" else one.consumer)
        ]

    def absent(self, row: int) -> Collection[str]:
        """Return the hidden relationships: only the caller's own object shows them."""
        return () if row == 0 else self.targets

    def values(self, row: int, path: str) -> Sequence[Any]:
        """Return all values at a path; ids also have their keywords as values."""
        if path in {"id", "guid"}:
            return (self.guid(row), _ALL, _ME) if row == 0 else (self.guid(row), _ALL)
        return super().values(row, path)


class DefinitionRows(Rows):
    """The definitions of asset types: their searchable properties."""

    name = "asset_definitions"
    texts = ("asset_type",)

    def __init__(self, book: Book, standards: Standards, kinds: Sequence[str]) -> None:
        super().__init__(book)
        self._definitions = [
            definition(standards, number, kind) for number, kind in enumerate(kinds)
        ]
        self.known = frozenset(flat(definition(standards, 0, "")))

    def numbers(self) -> range:
        """Return the numbers of all rows."""
        return range(len(self._definitions))

    def guid(self, row: int) -> str:
        """Return the id of a row."""
        return str(self._definitions[row]["guid"])

    def row_of(self, guid: str) -> int | None:
        """Return the row of an id in any case."""
        wanted = guid.lower()
        return next((row for row in self.numbers() if self.guid(row).lower() == wanted), None)

    def attributes(self, row: int, origin: str) -> dict[str, Any]:
        """Return all attributes of a row."""
        del origin
        return self._definitions[row]
