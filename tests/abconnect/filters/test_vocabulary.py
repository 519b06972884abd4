"""Names are checked before they are sent: properties, sort keys, relationships, facets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from aioinstructure._types import UNSET
from aioinstructure.abconnect import F, standards
from aioinstructure.abconnect.filters.expressions import Raw
from aioinstructure.abconnect.filters.vocabulary import (
    check,
    check_facets,
    check_fields,
    check_filter_paths,
    check_include,
    check_sort,
)
from aioinstructure.abconnect.json_api.resources import Links
from aioinstructure.errors import InputError


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        ("standards", ["*"]),
        ("standards", ["id", "guid", "statement", "statement.descr", "statement.addendums.seq"]),
        ("standards", ["document.publication.regions.code", "section.disciplines"]),
        (
            "standards",
            ["parent", "ancestors", "topics", "origins.meta.same_text", "peers.meta.any"],
        ),
        ("topics", ["descr", "education_levels.grades.seq", "standards"]),
        ("concepts", ["context", "disciplines.subjects.code"]),
        ("assets", ["alignments", "alignments.meta", "alignments.meta.date_created_utc"]),
        ("assets", ["custom_attributes", "custom_attributes.item_type", "descriptors.name"]),
        ("asset_definitions", ["properties.facet.id"]),
        ("providers", ["taxonomies", "owners"]),
        ("events", ["affected_properties.new_value", "deleted_standard"]),
        ("standard_collections", ["name", "filters"]),
        ("asset_collections", ["advanced_search"]),
        ("predictions", ["algorithm", "standards.meta.steps"]),
        ("queue-status", ["code", "predictions"]),
        ("clarifier", ["clarification_standards"]),
    ],
)
def test_documented_fields_are_known(resource: str, names: list[str]) -> None:
    """Objects, leaves, relationships and their properties, and "*" for all."""
    assert check_fields(resource, names) == names


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda: check_fields("standards", ["statment"]),
            "fields[standards] does not accept 'statment', did you mean 'statement'?",
        ),
        (lambda: check_fields("standards", [F.number.enhancd]), "'number.enhanced'"),
        (lambda: check_fields("standards", ["enhanced"]), "'number.enhanced'"),
        (lambda: check_fields("standards", ["Statement"]), "'statement'"),
        (lambda: check_fields("standards", ["document.id"]), "'document.guid'"),
        (lambda: check_fields("standards", ["origins.meta.sametext"]), "origins.meta.same_text"),
        (lambda: check_fields("standards", ["peers."]), "'peers'"),
        (lambda: check_fields("standards", ["-seq"]), "'seq'"),
        (lambda: check_fields("standards", ["a,b"]), "'a,b' has a comma"),
        (lambda: check_fields("standards", [Raw("a,b")]), "'a,b' has a comma"),
        (lambda: check_fields("assets", ["alignments.meta.score.x"]), "alignments.meta.score"),
        (lambda: check_fields("nothing", ["guid"]), "no resource 'nothing'"),
        (
            lambda: check_sort("standards", ["-sq"]),
            "sort[standards] does not accept 'sq', did you mean 'seq'",
        ),
        (lambda: check_sort("standards", ["statement"]), "'statement.descr'"),
        (lambda: check_sort("standards", ["*"]), "does not accept '*'"),
        (lambda: check_sort("standards", ["--seq"]), "'seq'"),
        (lambda: check_sort("standards", ["\N{MINUS SIGN}seq"]), "'seq'"),
        (lambda: check_sort("standards", ["-"]), "does not accept ''"),
        (
            lambda: check_include("standards", ["childs"]),
            "include of standards does not accept 'childs', did",
        ),
        (lambda: check_include("standards", ["statement"]), "does not accept 'statement'"),
        (lambda: check_include("concepts", ["standards"]), "does not accept 'standards'. Use Raw"),
        (lambda: check_facets("standards", ["authorities"]), "document.publication.authorities"),
        (lambda: check_facets("standards", ["*"]), "facet of standards does not accept '*'"),
        (lambda: check_facets("standards", "level", summary=True), "facet_summary of standards"),
        (lambda: check_facets("clarifier", ["document"]), "does not accept 'document'"),
        (lambda: check_filter_paths("standards", F.levle == 1), "'level'"),
        (
            lambda: check_filter_paths("standards", (F.level == 1) & ~F.a.query("x")),
            "filter[standards] does not accept 'a'",
        ),
        (
            lambda: check_filter_paths("standards", F.replaces.same_concepts == "Y"),
            "'replaces.meta.same_concepts'",
        ),
        (
            lambda: check_filter_paths("assets", F.standards.document.guid == "x"),
            "'alignments.document.guid'",
        ),
        (
            lambda: check_filter_paths("events", F.affected_properties.new_value == 1),
            "affected_properties",
        ),
        (
            lambda: check_filter_paths("assets", F.title == "x", relation="alignments"),
            "filter[alignments] does not accept 'title'",
        ),
        (
            lambda: check_filter_paths("topics", F.seq == 1, relation="standards"),
            "filter[standards] does not accept 'seq'",
        ),
        (
            lambda: check_filter_paths("assets", F.meta.dispositon == "x", relation="topics"),
            "'meta.disposition'",
        ),
        (
            lambda: check_filter_paths("standards", F.a == 1, relation="nothing"),
            "no resource or relationship 'nothing'",
        ),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(use: Callable[[], Any], message: str) -> None:
    """Nothing is sent, and the message says how to send the name anyway."""
    with pytest.raises(InputError, match=re.escape(message)):
        use()


@pytest.mark.parametrize("names", [[""], [" "], [None], [5], [F], "", "a,,b"])
def test_values_that_are_not_names_are_refused(names: Any) -> None:
    """In all lists of names."""
    for use in (check_fields, check_sort, check_include, check_facets):
        with pytest.raises(InputError, match=r"not a property name|name one|does not accept 'a'"):
            use("standards", names)


def test_raw_names_are_not_checked() -> None:
    """They are for properties that are newer than this version; they stay text."""
    assert check_fields("standards", [Raw("brand_new")]) == ["brand_new"]
    assert check_fields("standards", [F[Raw("brand")].new]) == ["brand.new"]
    assert check_sort("standards", [-F[Raw("brand_new")], Raw("-x")]) == ["-brand_new", "-x"]
    assert check_include("standards", [Raw("brand_new")]) == ["brand_new"]
    assert check_facets("standards", [Raw("brand_new")]) == ["brand_new"]
    check_filter_paths("standards", F[Raw("brand")].new == 1)
    with pytest.raises(InputError, match="does not accept 'brand'"):
        check_filter_paths("standards", (F[Raw("brand")].new == 1) | (F.brand == 1))


def test_custom_attributes_are_not_checked() -> None:
    """They belong to the customer; their names are sent as the keys of the service."""
    path = F.custom_attributes["My Field"]
    assert check_fields("assets", [path]) == ["custom_attributes.my_field"]
    assert check_sort("assets", [-path]) == ["-custom_attributes.my_field"]
    assert check_facets("assets", [path]) == ["custom_attributes.my_field"]
    check_filter_paths("assets", path.in_("x") & path.query("y"))


@pytest.mark.parametrize(
    ("resource", "keys"),
    [
        ("standards", ["seq", "-number.enhanced", "id", "guid", "date_modified_utc"]),
        ("assets", ["-date_alignments_modified_utc", "custom_attributes.color"]),
        ("events", ["seq"]),
        ("asset_collections", ["name"]),
    ],
)
def test_leaves_can_be_sorted_by(resource: str, keys: list[str]) -> None:
    """A leading minus is not part of the name."""
    assert check_sort(resource, keys) == keys
    assert check_sort(resource, ",".join(keys)) == keys


@pytest.mark.parametrize(
    ("resource", "relation", "names"),
    [
        ("assets", "alignments", ["meta.score", "statement.descr", "number.raw", "ancestors.id"]),
        ("assets", "deleted_alignments", ["meta.date_deleted_utc", "status"]),
        ("assets", "topics", ["descr", "meta.disposition"]),
        ("assets", "concepts", ["descr", "context", "meta.emphasis"]),
        ("assets", "standards", ["meta.disposition", "level"]),
        ("standards", "concepts", ["context", "meta.anything"]),
        ("standards", "origins", ["meta.same_text"]),
        ("standards", "peers", ["meta.anything"]),
        ("topics", "topics", ["level", "meta.disposition"]),
        ("predictions", "standards", ["meta.score", "level"]),
        ("predictions", "topics", ["meta.steps", "descr"]),
        ("", "alignments", ["meta.score"]),
        ("", "queue-status", ["code"]),
        ("clarifier", "clarification_standards", ["level", "statement.descr"]),
    ],
)
def test_related_objects_are_filtered_by_their_own_names(
    resource: str, relation: str, names: list[str]
) -> None:
    """By properties of the relationship, and by those that the documentation lists."""
    for name in names:
        check_filter_paths(resource, F[name] == 1, relation=relation)
        assert check_sort(resource, [f"-{name}"], relation=relation) == [f"-{name}"]


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        ("standards", ["parent.id", "concepts.descr", "topics.id", "document.id", "peers", "guid"]),
        ("assets", ["owner.id", "alignments.meta.tags", "alignments.topics.descr"]),
        ("assets", ["deleted_alignments.section.guid", "topics.descr", "concepts.context"]),
        ("events", ["seq", "document_guid", "statement.descr", "standard.document.guid"]),
        ("providers", ["id"]),
    ],
)
def test_searches_go_through_relations(resource: str, names: list[str]) -> None:
    """Any relationship by id, and the properties that the documentation lists."""
    for name in names:
        check_filter_paths(resource, F[name].isempty())


def test_facets_are_known() -> None:
    """The documented ones are; "*" is for summaries only."""
    named = ["document.publication.authorities", "disciplines.subjects", "section"]
    assert check_facets("standards", named) == named
    assert check_facets("assets", ["asset_types", "topics"]) == ["asset_types", "topics"]
    assert check_facets("events", ["change_type"]) == ["change_type"]
    assert check_facets("topics", ["*"], summary=True) == ["*"]
    assert check_facets("assets", "_none", summary=True) == ["_none"]


def test_a_parameter_is_checked_by_its_name_on_the_wire() -> None:
    """Names become a list, a filter its text, as the endpoint layer expects."""
    assert check("standards", "fields[standards]", ["statement", F.number]) == [
        "statement",
        "number",
    ]
    assert check("assets", "fields[standards]", F.level) == ["level"]
    assert str(check("standards", "filter[standards]", F.level == 1)) == "level eq 1"
    assert str(check("assets", "filter[alignments]", F.meta.score > 1)) == "meta.score gt 1"
    assert check("assets", "sort[alignments]", ["-meta.score"]) == ["-meta.score"]
    assert check("standards", "sort[standards]", [-F.seq]) == ["-seq"]
    assert check("standards", "include", ["parent"]) == ["parent"]
    assert check("standards", "facet", ["section"]) == ["section"]
    assert check("standards", "facet_summary", ["*"]) == ["*"]
    assert check("standards", "facet_summary", "*") == ["*"]


def test_raw_filters_are_only_checked_for_balance() -> None:
    """Their names are up to the caller."""
    assert check("standards", "filter[standards]", "brand_new is 1") == "brand_new is 1"
    with pytest.raises(InputError, match="not closed"):
        check("standards", "filter[standards]", "(brand_new eq 1")


@pytest.mark.parametrize("name", ["limit", "collection_name", "filter", "fields[]", "max_wait"])
def test_other_parameters_are_returned_unchanged(name: str) -> None:
    """They are neither names nor filters."""
    value = object()
    assert check("standards", name, value) is value


@pytest.mark.parametrize("name", ["fields[standards]", "filter[standards]", "include", "facet"])
def test_omitted_values_stay_omitted(name: str) -> None:
    """They are not sent."""
    assert check("standards", name, None) is None
    assert check("standards", name, UNSET) is UNSET


def test_names_of_a_resource_without_properties_are_not_looked_up() -> None:
    """It is only checked that they are names."""
    assert check("", "include", ["anything"]) == ["anything"]


def test_every_field_of_the_model_is_known() -> None:
    """All fields of a standard can be requested, down to the leaves."""
    models = {
        "": standards.Standard,
        "statement.": standards.Statement,
        "number.": standards.Number,
    }
    for prefix, model in models.items():
        own = {field.name for field in attrs.fields(Links)} - {"related", "next", "last"}
        names = {field.name for field in attrs.fields(model)} - own - {"type", "meta"}
        fields = [prefix + name for name in names if not name.startswith("_")]
        assert check_fields("standards", fields) == fields
