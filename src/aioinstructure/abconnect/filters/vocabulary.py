"""The known properties of each AB Connect resource, and checks of names before they are sent.

The known names are those in the documentation. An unknown name is refused, and the error suggests
the nearest known one; custom attributes and names in `Raw` are not checked. This module sends
nothing and knows no endpoint.
Source: https://developerdocs.instructure.com/services/ab-connect/
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, Final, TypeAlias

from attrs import frozen

from aioinstructure._types import UNSET
from aioinstructure.abconnect.filters.expressions import (
    PathLike,
    Raw,
    checked_filter,
    names_of,
)
from aioinstructure.abconnect.filters.grammar import Filter
from aioinstructure.errors import InputError

__all__ = [
    "check",
    "check_facets",
    "check_fields",
    "check_filter_paths",
    "check_include",
    "check_sort",
]

KnownNames: TypeAlias = frozenset[str]
"""Known names; one that ends in ".*" covers all names below it."""

_BRACKETS: Final = re.compile(r"(fields|filter|sort)\[([^\[\]]+)\]")
_WORD: Final = re.compile(r"[\w-]+|[{}]")


@frozen
class _Known:
    """One resource. Attributes nest in braces; a relation has its target, then its properties."""

    attributes: str
    relations: dict[str, str]
    facets: str = ""


_CODED: Final = "{guid code descr}"
_YEARS: Final = "adopt_year revision_year implementation_year assessment_year obsolete_year"
_DATED: Final = f"date_modified_utc {_YEARS} disciplines{{primary_subject{_CODED}}}"
_GRADES: Final = "grades{guid code descr seq}"
_DISCIPLINES: Final = f"subjects{_CODED} strands{{guid descr}} genres{_CODED} ece_domains{_CODED}"
_COLLECTION: Final = _Known("guid name filters advanced_search", {})
_PLAIN: Final = (
    "parent ancestors children contexts peers crosswalks breakouts breakout_origins"
    " course_standards related_courses associations"
)
_FLAGGED: Final = "derivatives origins peer_derivatives replaces replaced_by"
_ALIGNMENT: Final = "standards disposition tags score date_created_utc date_modified_utc"

_RESOURCES: Final = {
    "standards": _Known(
        f"""
        guid seq level status label standard_type captured_by uri deepest in_list has_list
        topic_organizer date_modified_utc date_deleted_utc
        statement{{descr combined_descr addendums{{descr position seq add_context}}}}
        number{{raw enhanced prefix_enhanced root_enhanced alternate}}
        utilizations{{type guid}} legends{{symbol symbol_position descr}}
        alt_identifiers{{type source id}} extensions{{type guid descr}}
        key_ideas{{guid concepts{{guid descr}}}}
        disciplines{{{_DISCIPLINES}}}
        education_levels{{{_GRADES} ece_ages{{guid descr seq}}}}
        section{{guid descr label number seq {_DATED}}}
        document{{guid descr source_url {_DATED} publication{{
            guid descr extended_descr acronym source_url publication_type
            authorities{{guid descr acronym}} regions{{guid descr code type}}}}}}
        """,
        {
            **dict.fromkeys(_PLAIN.split(), "standards"),
            **dict.fromkeys(_FLAGGED.split(), "standards same_text same_concepts"),
            "topics": "topics",
            "concepts": "concepts",
        },
        "document document.publication document.publication.authorities"
        " document.publication.regions section disciplines.subjects disciplines.strands"
        " disciplines.ece_domains education_levels.grades education_levels.ece_ages",
    ),
    "topics": _Known(
        f"""
        guid descr status seq level uri date_modified_utc
        disciplines{{subjects{_CODED}}} education_levels{{{_GRADES}}}
        document{{guid descr adopt_year revision_year date_modified_utc}}
        section{{guid descr seq date_modified_utc}}
        """,
        {"parent": "topics", "children": "topics", "standards": "standards"},
        "document section",
    ),
    "concepts": _Known(f"guid descr context disciplines{{subjects{_CODED}}}", {}),
    "assets": _Known(
        f"""
        guid client_id asset_type title prediction_algorithm date_modified_utc
        date_alignments_modified_utc descriptors{{name value}} custom_attributes
        disciplines{{{_DISCIPLINES}}} education_levels{{{_GRADES}}}
        """,
        {
            "alignments": _ALIGNMENT,
            "deleted_alignments": f"{_ALIGNMENT} date_deleted_utc",
            "topics": "topics disposition",
            "concepts": "concepts emphasis",
            "owner": "providers",
            **dict.fromkeys(("parent", "alignment_donors", "concept_donors"), "assets"),
        },
        "asset_types disciplines.subjects topics concepts",
    ),
    "asset_definitions": _Known(
        "guid type asset_type properties{label seq filterable field{name id} facet{name id}}", {}
    ),
    "providers": _Known("guid descr taxonomies", {"owners": "providers", "consumers": "providers"}),
    "events": _Known(
        "guid seq date_utc change_type target document_guid section_guid"
        " affected_properties{name previous_value new_value}",
        dict.fromkeys(("standard", "deleted_standard", "nondeliverable_standard"), "standards"),
    ),
    "standard_collections": _COLLECTION,
    "asset_collections": _COLLECTION,
    "predictions": _Known(
        "guid algorithm date_requested_utc date_expires_utc",
        {
            "asset": "assets",
            "standard": "standards",
            "focus": "unspecified",
            **{
                name: f"{name} score disposition steps"
                for name in ("standards", "topics", "assets")
            },
        },
    ),
    "queue-status": _Known(
        "guid code status",
        {"asset": "assets", "standard": "standards", "predictions": "predictions"},
    ),
    "clarifier": _Known(
        "", {"clarification_concepts": "concepts", "clarification_standards": "standards"}
    ),
}

_SEARCHED: Final = """
    ancestors{id} concepts{context descr} topics{descr} disciplines{subjects{descr guid}}
    document{descr guid disciplines{subjects{descr guid}} publication{
        descr guid authorities{descr guid} regions{descr guid}}}
    education_levels{grades{descr guid}} number{raw enhanced prefix_enhanced}
    section{guid descr} status statement{descr}
    """
"""Properties of a standard that a search over assets or events can name."""


def _expanded(text: str) -> tuple[KnownNames, KnownNames]:
    """Return all paths of a nested text, and the leaves among them."""
    paths: list[str] = []
    above: list[str] = []
    for word in _WORD.findall(text):
        if word == "{":
            above.append(paths[-1])
        elif word == "}":
            above.pop()
        else:
            paths.append(f"{above[-1]}.{word}" if above else word)
    return frozenset(paths), frozenset(paths) - {path.rpartition(".")[0] for path in paths}


_ALIGNED: Final = _expanded(_SEARCHED)[1]
_RELATED: Final[dict[tuple[str, str], AbstractSet[str]]] = {
    ("assets", "alignments"): _ALIGNED,
    ("assets", "deleted_alignments"): _ALIGNED,
    ("assets", "topics"): {"descr"},
    ("assets", "concepts"): {"descr", "context"},
    ("standards", "concepts"): {"descr", "context"},
    **dict.fromkeys((("events", name) for name in _RESOURCES["events"].relations), _ALIGNED),
}
"""Properties of related objects that a search can name, after the relation or in its filter."""


@cache
def _attributes(resource: str) -> tuple[KnownNames, KnownNames]:
    """Return the paths of all attributes, and the leaves among them."""
    return _expanded(_RESOURCES[resource].attributes)


def _metas(resource: str, relation: str) -> list[str]:
    """Return the properties of a relation; any property, if none is documented."""
    _, *names = _RESOURCES[resource].relations[relation].split()
    return [f"meta.{name}" for name in names] or ["meta.*"]


@cache
def _fields(resource: str) -> KnownNames:
    relations = _RESOURCES[resource].relations
    metas = [f"{rel}.{meta}" for rel in relations for meta in ("meta", *_metas(resource, rel))]
    return _attributes(resource)[0] | {"*", "id", "custom_attributes.*", *relations, *metas}


@cache
def _own(resource: str) -> tuple[KnownNames, KnownNames]:
    """Return the names that the list of a resource accepts as a filter, and those as a sort."""
    paths, leaves = _attributes(resource)
    known = _fields(resource) - {"*"}
    ids = {f"{path[:-4]}id" for path in paths if path.endswith(".guid")}
    relations = _RESOURCES[resource].relations
    ids |= {f"{relation}.{key}" for relation in relations for key in ("id", "guid")}
    through = {
        f"{rel}.{name}"
        for (owner, rel), names in _RELATED.items()
        if owner == resource
        for name in names
    }
    if resource == "events":
        known -= {"affected_properties.previous_value", "affected_properties.new_value"}
        through |= _ALIGNED  # whether they need the relation as a prefix is not documented
    return known | ids | through, leaves | {"id", "custom_attributes.*"}


@cache
def _related(resource: str, relation: str) -> tuple[KnownNames, KnownNames]:
    """Return the names that related objects accept as a filter, and those as a sort."""
    if resource == "topics":
        return frozenset(), frozenset()
    metas = {"id", "guid", *_metas(resource, relation)}
    target = _RESOURCES[resource].relations[relation].split()[0]
    if resource in ("predictions", "clarifier") and target in _RESOURCES:
        filters, sorts = _own(target)
        return filters | metas, sorts | metas
    names = metas.union(_RELATED.get((resource, relation), ()))
    return frozenset(names), frozenset(names)


@cache
def _searched(resource: str, name: str) -> tuple[KnownNames, KnownNames]:
    """Return the names that `filter[name]` and `sort[name]` accept on an endpoint of a resource."""
    if resource in _RESOURCES and name in _RESOURCES[resource].relations:
        return _related(resource, name)
    owners = [owner for owner, known in _RESOURCES.items() if name in known.relations]
    if name not in _RESOURCES:
        if not owners:
            raise InputError(f"AB Connect has no resource or relationship {name!r}")
        both = [_related(owner, name) for owner in owners]
        return frozenset().union(*(f for f, _ in both)), frozenset().union(*(s for _, s in both))
    # The list of a resource, or the same resource reached through a relation of another one.
    filters, sorts = _own(name)
    metas = {meta for owner in owners for meta in _metas(owner, name)} - {"meta.*"}
    for relation, words in _RESOURCES.get(resource, _COLLECTION).relations.items():
        if words.split()[0] == name and resource != name:
            metas.update(_metas(resource, relation))
    return filters | metas, sorts | metas


@cache
def _facets(resource: str) -> KnownNames:
    """Return the documented facets and all paths with a guid; if none is documented, all."""
    known = _RESOURCES[resource]
    if resource == "clarifier":
        return frozenset()
    if not known.facets:
        return _fields(resource) - {"*"}
    paths = _attributes(resource)[0]
    named = {path.removesuffix(".guid") for path in paths if path.endswith(".guid")}
    more = {"topics", "concepts"} & set(known.relations)
    return frozenset({*known.facets.split(), *named, *more, "custom_attributes.*"})


def _has(known: KnownNames, name: str) -> bool:
    if name in known:
        return True
    words = name.split(".")
    return all(words) and any(f"{'.'.join(words[:end])}.*" in known for end in range(1, len(words)))


def _checked(where: str, known: KnownNames, names: Any, *, signed: bool = False) -> list[str]:
    found = names_of(names)
    for name in found:
        plain = name.removeprefix("-") if signed else name
        if not isinstance(name, Raw) and not _has(known, plain):
            raise _unknown(where, known, plain)
    return found


def _unknown(where: str, known: KnownNames, name: str) -> InputError:
    """Build the error. It suggests a similar name, or the nearest one above or below."""
    low = name.lower()
    plain = sorted((one for one in known if not one.endswith("*")), key=lambda one: (len(one), one))
    near = (
        difflib.get_close_matches(low, plain, 1, 0.8)
        or [one for one in plain if one.startswith(f"{low}.") or one.endswith(f".{low}")]
        or difflib.get_close_matches(low, plain, 1)
    )
    hint = f", did you mean {near[0]!r}?" if near else "."
    return InputError(
        f"{where} does not accept {name!r}{hint} Use Raw({name!r}) to skip this check"
    )


def _of(resource: str) -> str:
    if resource not in _RESOURCES:
        raise InputError(f"AB Connect has no resource {resource!r}")
    return resource


def check_fields(resource: str, names: PathLike | Iterable[PathLike]) -> list[str]:
    """Check names of properties to request: objects, leaves, relationships, "id" or "*".

    Raises:
        InputError: A name is unknown; the message suggests the nearest known one.
    """
    return _checked(f"fields[{resource}]", _fields(_of(resource)), names)


def check_sort(
    resource: str, keys: PathLike | Iterable[PathLike], *, relation: str = ""
) -> list[str]:
    """Check names to sort by: leaves, with a leading "-" for descending order.

    With `relation`, the names are those of its objects, as listed by an endpoint of the resource.

    Raises:
        InputError: A name is unknown; the message suggests the nearest known one.
    """
    word = relation or _of(resource)
    return _checked(f"sort[{word}]", _searched(resource, word)[1], keys, signed=True)


def check_include(resource: str, names: PathLike | Iterable[PathLike]) -> list[str]:
    """Check names of relationships whose objects are included.

    Raises:
        InputError: A name is unknown; the message suggests the nearest known one.
    """
    known = frozenset(_RESOURCES[_of(resource)].relations)
    return _checked(f"include of {resource}", known, names)


def check_facets(
    resource: str, names: PathLike | Iterable[PathLike], *, summary: bool = False
) -> list[str]:
    """Check names of facets; a summary also accepts "*" for all and "_none".

    The facets of a licence are not known here. Accepted are the documented ones, every property
    with a guid, and every property of resources whose facets are not documented.

    Raises:
        InputError: A name is unknown; the message suggests the nearest known one.
    """
    known = _facets(_of(resource)) | ({"*", "_none"} if summary else set())
    return _checked(f"{'facet_summary' if summary else 'facet'} of {resource}", known, names)


def check_filter_paths(resource: str, condition: Filter, *, relation: str = "") -> None:
    """Check that the properties named by a filter are known.

    With `relation`, they are those of its objects, as listed by an endpoint of the resource.

    Raises:
        InputError: A name is unknown; the message suggests the nearest known one.
    """
    word = relation or _of(resource)
    known = _searched(resource, word)[0]
    _checked(f"filter[{word}]", known, condition.paths())


def check(resource: str, wire_name: str, value: Any) -> Any:
    """Check a parameter, and return what is sent: the text of a filter, or the list of names.

    Args:
        resource: The resource of the endpoint, in which `include` and facets are looked up. Names
            of an unknown resource are not checked.
        wire_name: The name of the parameter, such as "fields[standards]", "filter[alignments]",
            "include" or "facet". The values of other parameters are returned unchanged.
        value: The value from the caller; None and UNSET are returned unchanged.

    Raises:
        InputError: A name is unknown, or the quotes or parentheses of a raw filter are not
            balanced.
    """
    if value is None or value is UNSET:
        return value
    if wire_name in ("include", "facet", "facet_summary"):
        if resource not in _RESOURCES:
            return names_of(value)
        if wire_name == "include":
            return check_include(resource, value)
        return check_facets(resource, value, summary=wire_name == "facet_summary")
    match = _BRACKETS.fullmatch(wire_name)
    if match is None:
        return value
    kind, name = match.groups()
    if kind == "fields":
        return check_fields(name, value)
    if kind == "sort":
        return check_sort(resource, value, relation=name)
    if isinstance(value, Filter):
        check_filter_paths(resource, value, relation=name)
        return value
    return checked_filter(value)
