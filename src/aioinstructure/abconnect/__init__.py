"""AB Connect v4.1: the client, its resources and their models, loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._lazy import lazy

if TYPE_CHECKING:
    from aioinstructure.abconnect.asset_definitions import (
        AssetDefinition,
        AssetProperty,
        NameAndId,
    )
    from aioinstructure.abconnect.assets import (
        AlignmentTag,
        Asset,
        AssetInclude,
        Coded,
        Descriptor,
        DescriptorValue,
        Disposition,
        Emphasis,
    )
    from aioinstructure.abconnect.batching import Batcher, BatchResult
    from aioinstructure.abconnect.clarifier import Clarification
    from aioinstructure.abconnect.client import ABConnect
    from aioinstructure.abconnect.concepts import Concept
    from aioinstructure.abconnect.events import AffectedProperty, Event, Follow
    from aioinstructure.abconnect.filters.expressions import (
        F,
        Filter,
        FilterLike,
        Path,
        PathLike,
        Raw,
        isempty,
        parse_filter,
    )
    from aioinstructure.abconnect.json_api.facets import Facet, FacetDetail, FacetSummary
    from aioinstructure.abconnect.json_api.resources import (
        Links,
        OnChange,
        Relationship,
        Resource,
        ResourceRef,
    )
    from aioinstructure.abconnect.predictions import Focus, Prediction, QueueStatus
    from aioinstructure.abconnect.providers import Provider
    from aioinstructure.abconnect.shared_models import (
        Collection,
        Disciplines,
        Document,
        EducationLevels,
        Grade,
        Labelled,
        Publication,
        Section,
    )
    from aioinstructure.abconnect.standards import (
        Addendum,
        AltIdentifier,
        Extension,
        KeyIdea,
        Legend,
        Number,
        Standard,
        StandardRelationship,
        Statement,
        Utilization,
    )
    from aioinstructure.abconnect.topics import Topic, TopicInclude
    from aioinstructure.abconnect.traversal.documents import Branch, DocumentTree
    from aioinstructure.abconnect.traversal.relations import (
        Candidate,
        Crosswalk,
        Match,
        Replacements,
        Successor,
    )

__all__ = [
    "ABConnect",
    "Addendum",
    "AffectedProperty",
    "AlignmentTag",
    "AltIdentifier",
    "Asset",
    "AssetDefinition",
    "AssetInclude",
    "AssetProperty",
    "BatchResult",
    "Batcher",
    "Branch",
    "Candidate",
    "Clarification",
    "Coded",
    "Collection",
    "Concept",
    "Crosswalk",
    "Descriptor",
    "DescriptorValue",
    "Disciplines",
    "Disposition",
    "Document",
    "DocumentTree",
    "EducationLevels",
    "Emphasis",
    "Event",
    "Extension",
    "F",
    "Facet",
    "FacetDetail",
    "FacetSummary",
    "Filter",
    "FilterLike",
    "Focus",
    "Follow",
    "Grade",
    "KeyIdea",
    "Labelled",
    "Legend",
    "Links",
    "Match",
    "NameAndId",
    "Number",
    "OnChange",
    "Path",
    "PathLike",
    "Prediction",
    "Provider",
    "Publication",
    "QueueStatus",
    "Raw",
    "Relationship",
    "Replacements",
    "Resource",
    "ResourceRef",
    "Section",
    "Standard",
    "StandardRelationship",
    "Statement",
    "Successor",
    "Topic",
    "TopicInclude",
    "Utilization",
    "isempty",
    "parse_filter",
]

_FILES = {
    "asset_definitions": ["AssetDefinition", "AssetProperty", "NameAndId"],
    "assets": [
        "AlignmentTag",
        "Asset",
        "AssetInclude",
        "Coded",
        "Descriptor",
        "DescriptorValue",
        "Disposition",
        "Emphasis",
    ],
    "batching": ["Batcher", "BatchResult"],
    "clarifier": ["Clarification"],
    "client": ["ABConnect"],
    "concepts": ["Concept"],
    "events": ["AffectedProperty", "Event", "Follow"],
    "filters.expressions": [
        "F",
        "Filter",
        "FilterLike",
        "Path",
        "PathLike",
        "Raw",
        "isempty",
        "parse_filter",
    ],
    "json_api.facets": ["Facet", "FacetDetail", "FacetSummary"],
    "json_api.resources": ["Links", "OnChange", "Relationship", "Resource", "ResourceRef"],
    "predictions": ["Focus", "Prediction", "QueueStatus"],
    "providers": ["Provider"],
    "shared_models": [
        "Collection",
        "Disciplines",
        "Document",
        "EducationLevels",
        "Grade",
        "Labelled",
        "Publication",
        "Section",
    ],
    "standards": [
        "Addendum",
        "AltIdentifier",
        "Extension",
        "KeyIdea",
        "Legend",
        "Number",
        "Standard",
        "StandardRelationship",
        "Statement",
        "Utilization",
    ],
    "topics": ["Topic", "TopicInclude"],
    "traversal.documents": ["Branch", "DocumentTree"],
    "traversal.relations": ["Candidate", "Crosswalk", "Match", "Replacements", "Successor"],
}

__getattr__, __dir__ = lazy(globals(), _FILES)
