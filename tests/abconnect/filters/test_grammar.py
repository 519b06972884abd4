"""The filter language: printed filters are parsed by the client and the simulator."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aioinstructure.abconnect import F, Filter
from aioinstructure.abconnect.filters.expressions import (
    Raw,
    checked_filter,
    parse_filter,
    query,
)
from aioinstructure.abconnect.filters.grammar import (
    And,
    Comparison,
    In,
    IsEmpty,
    Not,
    Or,
    Query,
)
from aioinstructure.abconnect.filters.vocabulary import check
from aioinstructure.errors import InputError
from aioinstructure.simulator.abconnect import filters as simulator_filters

# Filters of any shape.

texts = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]))
words = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda word: word not in {"and", "or", "not", "in"}
)
paths = st.lists(words, min_size=1, max_size=3).map(lambda parts: F[".".join(parts)])
values = st.one_of(
    texts,
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
    st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001 - as it asks
    words.map(Raw),
)
OPERATORS = ["__eq__", "__ne__", "__gt__", "__ge__", "__lt__", "__le__"]
terms = st.one_of(
    st.builds(
        lambda path, name, value: getattr(path, name)(value),
        paths,
        st.sampled_from(OPERATORS),
        values,
    ),
    st.builds(lambda path, some: path.in_(*some), paths, st.lists(values, min_size=1, max_size=3)),
    paths.map(lambda path: path.isempty()),
    st.builds(lambda path, text: path.query(text), paths, texts),
    texts.map(query),
)
filters: st.SearchStrategy[Filter] = st.recursive(
    terms,
    lambda inner: st.one_of(
        inner.map(lambda one: ~one),
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
    ),
    max_leaves=12,
)


@given(filters)
def test_a_printed_filter_is_parsed_to_the_same_tree(made: Filter) -> None:
    """Whatever its values contain."""
    assert parse_filter(str(made)) == made
    assert checked_filter(str(made)) == str(made)


@given(filters)
def test_the_simulator_parses_printed_filters(made: Filter) -> None:
    """It finds the same properties."""
    read = simulator_filters.parse_filter(str(made))
    assert simulator_filters.paths_of(read) == set(made.paths())


@given(texts)
@example("it's")
@example("' or a eq '1")
@example("🦉\n\t\0(")
def test_any_text_survives(text: str) -> None:
    """Including quotes and parentheses, in the client and in the simulator."""
    made = (F.a == text) | F.b.in_("x", text) | F.c.query(text)
    assert parse_filter(str(made)) == made
    read = simulator_filters.parse_filter(str(made))
    assert read == simulator_filters.Or(
        (
            simulator_filters.Compare("a", "eq", (text,)),
            simulator_filters.Compare("b", "in", ("x", text)),
            simulator_filters.Call("query", "c", text),
        )
    )


@given(st.text("ab'()\\ ,", max_size=12))
def test_raw_text_is_balanced_or_refused(text: str) -> None:
    """The parser accepts only balanced text, and what it prints parses to the same tree."""
    try:
        made = parse_filter(text)
    except InputError as error:
        assert str(error).startswith("filter: ")  # noqa: PT017 - both outcomes are right
    else:
        assert checked_filter(text) == text
        assert parse_filter(str(made)) == made


# Small objects with three properties, and which filters match them.

scalars = st.sampled_from([1, 2, "x", "y", "Y"])
objects = st.dictionaries(st.sampled_from("abc"), st.lists(scalars, max_size=2))
leaf = st.sampled_from([F.a, F.b, F.c])
simple = st.recursive(
    st.one_of(
        st.builds(lambda p, v: p == v, leaf, scalars),
        st.builds(lambda p, v: p != v, leaf, scalars),
        st.builds(lambda p, v, w: p.in_(v, w), leaf, scalars, scalars),
        leaf.map(lambda p: p.isempty()),
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: ~one),
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
    ),
    max_leaves=8,
)


def matches(made: Filter, item: dict[str, list[Any]]) -> bool:
    """Evaluate the tree of a filter."""
    match made:
        case And(parts=parts):
            return all(matches(part, item) for part in parts)
        case Or(parts=parts):
            return any(matches(part, item) for part in parts)
        case Not(inner=inner):
            return not matches(inner, item)
        case IsEmpty(path=path):
            return not item.get(path)
        case In(path=path, values=given_values):
            return any(literal(value) in given_values for value in item.get(path, []))
        case Comparison(path=path, operator=operator, value=value):
            found = any(literal(one) == value for one in item.get(path, []))
            return found if operator == "eq" else not found
    raise AssertionError(made)


def literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


@given(simple, objects)
def test_the_simulator_evaluates_filters_the_same_way(
    made: Filter, item: dict[str, list[Any]]
) -> None:
    """Grouping is preserved, for objects of all shapes."""
    run = simulator_filters.compile_filter(
        simulator_filters.parse_filter(str(made)), lambda _, __: 0
    )
    assert run(lambda path: item.get(path, [])) == matches(made, item)


# The parser.


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a EQ 1", F.a == 1),
        ("  (( a eq 1 ))  ", F.a == 1),
        ("NOT a IN('x' , 'y')", ~F.a.in_("x", "y")),
        ("a not eq 'x'", ~(F.a == "x")),
        ("a not in (1)", ~F.a.in_(1)),
        ("not not isempty(a)", ~~F.a.isempty()),
        (
            "isempty(a) AND (query('x') and a.b ne N)",
            F.a.isempty() & query("x") & (F.a.b != Raw("N")),
        ),
        ("query(a.b,'x y')", F.a.b.query("x y")),
        ("query(words)", Query("words")),
        ("query eq 1 or isempty in (2)", (F["query"] == 1) | F["isempty"].in_(2)),
        (r"a eq 'it\'s'", F.a == "it's"),
        (r"a eq 'C:\\x'", F.a == Raw(r"'C:\\x'")),
        ("custom_attributes.3rd_grade eq 1", F.custom_attributes["3rd grade"] == 1),
        ("(a eq 1 and b eq 2) or c eq 3", (F.a == 1) & (F.b == 2) | (F.c == 3)),
    ],
)
def test_the_parser_accepts_every_form(text: str, made: Filter) -> None:
    """Any case, blanks and parentheses, negation in both places, bare words."""
    assert parse_filter(text) == made


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (
            "a eq 1 and b eq 2 or c eq 3",
            "`and` and `or` cannot be mixed without parentheses at 18, before 'or c eq 3'",
        ),
        ("a eq 1 or b eq 2 and c eq 3", "cannot be mixed"),
        ("a", "expected an operator at the end"),
        ("a is 1", "expected an operator at 2, before 'is 1'"),
        ("a eq", "expected a value at the end"),
        ("a eq and", "expected a value at 5"),
        ("a eq 1 b eq 2", "expected `and` or `or` at 7"),
        ("a in ()", r"expected a value at 6, before '\)'"),
        ("a in (1 2)", r"expected '\)' at 8"),
        ("a in 1", r"expected '\('"),
        ("and eq 1", "expected a property at 0"),
        ("5 eq 1", "expected a property at 0"),
        ("a..b eq 1", "expected a property"),
        ("isempty('a')", "expected a property at 8"),
        ("query(a, )", "expected a value at 9"),
        ("query(-, 'x')", "expected a property"),
        ("()", "expected a property at 1"),
        ("not", "expected a property at the end"),
        ("a eq \\", "unexpected character at 4"),
        ("a eq 'x", "quote is not closed"),
        ("(a eq 1", "parenthesis is not closed"),
        ("", "empty"),
        (f"{'(' * 200}a eq 1{')' * 200}", "nested too deeply"),
        (f"{'not ' * 20000}a eq 1", "nested too deeply"),
    ],
)
def test_syntax_errors_have_a_position(text: str, where: str) -> None:
    """The message says what was expected, and where."""
    with pytest.raises(InputError, match=f"^filter: .*{where}"):
        parse_filter(text)


def test_a_long_chain_has_no_depth() -> None:
    """Thousands of alternatives count as one level."""
    made: Filter = F.a == 0
    for number in range(1, 2000):
        made = made | (F.a == number)
    assert isinstance(made, Or)
    assert parse_filter(str(made)) == made


# The examples of the documentation: resource, parameter, text, and the expression that builds it.
# They are shown there without URL encoding; parentheses around a complete filter mean nothing.

CA = F.alignments.document.publication.authorities.descr == "California DOE"
TOPIC = F.alignments.topics.descr == "Exponents and Roots"
MATH, GRADE5 = F.disciplines.subjects.code == "MATH", F.education_levels.grades.code == "5"
KENTUCKY = F.document.publication.authorities.descr == "Kentucky DOE"
GRADE8 = F.education_levels.grades.code == "8"
VIRGINIA = F.document.publication.authorities.descr == "Virginia DOE"
ACTIVE = F.status == "active"
AUTHORITY = F.document.publication.authorities.guid
ONE_TOPIC = "06EA4018-32ED-11E0-8DE3-079AD51F4EFC"
NOON = datetime(2017, 9, 12, 12, tzinfo=UTC)

FILTERS: list[tuple[str, str, str, Filter]] = [
    (
        "standards",
        "standards",
        "(disciplines.subjects.code eq 'MATH' and education_levels.grades.code eq '5' and document.publication.authorities.descr eq 'Kentucky DOE' and utilizations.type eq 'alignable')",
        MATH & GRADE5 & KENTUCKY & (F.utilizations.type == "alignable"),
    ),
    (
        "standards",
        "standards",
        "disciplines.subjects.code eq 'MATH' and education_levels.grades.code eq '5'",
        MATH & GRADE5,
    ),
    (
        "standards",
        "standards",
        "document.publication.authorities.descr eq 'Kentucky DOE' and not disciplines.subjects.code eq 'MATH'",
        KENTUCKY & ~MATH,
    ),
    (
        "standards",
        "standards",
        "(disciplines.subjects.code eq 'MATH' and education_levels.grades.code eq '5') or (disciplines.subjects.code eq 'ELA' and education_levels.grades.code eq '7')",
        MATH & GRADE5
        | (F.disciplines.subjects.code == "ELA") & (F.education_levels.grades.code == "7"),
    ),
    (
        "standards",
        "standards",
        "(query(statement.descr, 'adding fractions'))",
        F.statement.descr.query("adding fractions"),
    ),
    (
        "standards",
        "standards",
        "(query(statement.descr, 'fractions') and query(statement.descr, 'adding'))",
        F.statement.descr.query("fractions") & F.statement.descr.query("adding"),
    ),
    ("standards", "standards", "(query('adding fractions'))", query("adding fractions")),
    (
        "standards",
        "standards",
        "query('triangle pythagorean theorem')",
        F.query("triangle pythagorean theorem"),
    ),
    ("standards", "standards", r"(query('don\'t'))", query("don't")),
    ("standards", "standards", "isempty(concepts)", F.concepts.isempty()),
    ("assets", "assets", "isempty(disciplines.subjects)", F.disciplines.subjects.isempty()),
    ("assets", "assets", "(client_id eq 'AJIH-45679')", F.client_id == "AJIH-45679"),
    ("assets", "assets", "owner.id eq _all", F.owner.id == Raw("_all")),
    (
        "standards",
        "standards",
        "document.id EQ '351CFFCC-9BDD-11E6-ABFB-8C24CDC8CA83'",
        F.document.id == "351CFFCC-9BDD-11E6-ABFB-8C24CDC8CA83",
    ),
    ("events", "events", "seq GT 28974", F.seq > 28974),
    (
        "standards",
        "standards",
        "(ancestors.id eq 'CB411CD4-D90D-11E2-8BD3-EF629DFF4B22')",
        F.ancestors.id == "CB411CD4-D90D-11E2-8BD3-EF629DFF4B22",
    ),
    (
        "assets",
        "assets",
        "(alignments.id eq '6B29DCD6-29EB-11D8-9C6E-A97B3BAEC73A')",
        F.alignments.id == "6B29DCD6-29EB-11D8-9C6E-A97B3BAEC73A",
    ),
    (
        "assets",
        "assets",
        "(alignments.id in ('6B29DCD6-29EB-11D8-9C6E-A97B3BAEC73A','6DF95514-36D9-11E6-B844-14D399AB8BA3'))",
        F.alignments.id.in_(
            "6B29DCD6-29EB-11D8-9C6E-A97B3BAEC73A", "6DF95514-36D9-11E6-B844-14D399AB8BA3"
        ),
    ),
    (
        "standards",
        "standards",
        "(document.publication.authorities.guid eq '91296E80-F1B9-11E5-862E-0938DC287387' and disciplines.subjects.code eq 'SCI')",
        (AUTHORITY == "91296E80-F1B9-11E5-862E-0938DC287387")
        & (F.disciplines.subjects.code == "SCI"),
    ),
    (
        "standards",
        "standards",
        "(document.publication.authorities.descr eq 'Kentucky DOE')",
        KENTUCKY,
    ),
    (
        "standards",
        "standards",
        "not isempty(peers) and utilizations.type eq alignable",
        ~F.peers.isempty() & (F.utilizations.type == Raw("alignable")),
    ),
    ("assets", "assets", "disciplines.subjects.code eq 'MATH'", MATH),
    (
        "assets",
        "alignments",
        "document.publication.authorities.guid eq '912830F6-F1B9-11E5-862E-0938DC287387' AND meta.date_created_utc gt '2020-03-12'",
        (AUTHORITY == "912830F6-F1B9-11E5-862E-0938DC287387")
        & (F.meta.date_created_utc > date(2020, 3, 12)),
    ),
    (
        "assets",
        "alignments",
        "document.publication.authorities.guid eq '912830F6-F1B9-11E5-862E-0938DC287387'",
        AUTHORITY == "912830F6-F1B9-11E5-862E-0938DC287387",
    ),
    ("assets", "topics", "query(descr,'square')", F.descr.query("square")),
    (
        "assets",
        "concepts",
        "query(descr,'square') AND query(context,'exponents')",
        F.descr.query("square") & F.context.query("exponents"),
    ),
    (
        "assets",
        "assets",
        "(alignments.document.publication.authorities.descr eq 'California DOE')",
        CA,
    ),
    (
        "assets",
        "assets",
        "(alignments.document.publication.authorities.descr eq 'California DOE' and alignments.topics.descr eq 'Exponents and Roots')",
        CA & TOPIC,
    ),
    (
        "assets",
        "assets",
        "(alignments.document.publication.authorities.descr eq 'California DOE' and alignments.topics.descr eq 'Exponents and Roots' and education_levels.grades.code eq '8')",
        CA & TOPIC & GRADE8,
    ),
    (
        "assets",
        "assets",
        "(alignments.id eq '0029A5C3-3C0C-4127-9766-C44E5E255C26' and alignments.meta.disposition eq 'accepted')",
        (F.alignments.id == "0029A5C3-3C0C-4127-9766-C44E5E255C26")
        & (F.alignments.meta.disposition == "accepted"),
    ),
    (
        "topics",
        "topics",
        "(query(descr, 'exponents') and education_levels.grades.code eq '8')",
        F.descr.query("exponents") & GRADE8,
    ),
    (
        "standards",
        "standards",
        "(document.publication.authorities.descr eq 'Virginia DOE' and education_levels.grades.code eq '8' and topics.id eq '06EA4018-32ED-11E0-8DE3-079AD51F4EFC')",
        VIRGINIA & GRADE8 & (F.topics.id == ONE_TOPIC),
    ),
    (
        "standards",
        "standards",
        "(document.publication.authorities.descr eq 'Virginia DOE' and education_levels.grades.code eq '8' and topics.id in ('06EA4018-32ED-11E0-8DE3-079AD51F4EFC','067C7C8E-EBE5-11E5-AE48-F5189AAB8BA3'))",
        VIRGINIA & GRADE8 & F.topics.id.in_(ONE_TOPIC, "067C7C8E-EBE5-11E5-AE48-F5189AAB8BA3"),
    ),
    (
        "assets",
        "assets",
        "(date_alignments_modified_utc gt '2017-09-12 12:00:00')",
        F.date_alignments_modified_utc > NOON,
    ),
    (
        "assets",
        "alignments",
        "(meta.date_modified_utc gt '2017-09-12 12:00:00')",
        F.meta.date_modified_utc > NOON,
    ),
    (
        "assets",
        "alignments",
        "(meta.date_created_utc gt '2017-09-12 12:00:00')",
        F.meta.date_created_utc > NOON,
    ),
    (
        "assets",
        "deleted_alignments",
        "(meta.date_deleted_utc gt '2017-09-12 12:00:00')",
        F.meta.date_deleted_utc > NOON,
    ),
    (
        "assets",
        "alignments",
        "(meta.disposition eq 'accepted' and document.publication.authorities.descr eq 'Texas DOE')",
        (F.meta.disposition == "accepted")
        & (F.document.publication.authorities.descr == "Texas DOE"),
    ),
    ("assets", "topics", "(meta.disposition eq 'accepted')", F.meta.disposition == "accepted"),
    ("assets", "concepts", "(meta.emphasis eq 'central')", F.meta.emphasis == "central"),
    ("standards", "standards", "status EQ 'active'", ACTIVE),
    (
        "standards",
        "standards",
        "(document.publication.authorities.guid EQ '9127D390-F1B9-11E5-862E-0938DC287387' AND status EQ 'active')",
        (AUTHORITY == "9127D390-F1B9-11E5-862E-0938DC287387") & ACTIVE,
    ),
    (
        "standards",
        "standards",
        "(document.publication.guid EQ '4D7B5584-9C82-11E7-8A3F-4EABBF03DF2F' AND status EQ 'active')",
        (F.document.publication.guid == "4D7B5584-9C82-11E7-8A3F-4EABBF03DF2F") & ACTIVE,
    ),
    (
        "standards",
        "standards",
        "(document.guid EQ '49C1ACA6-9CC6-11E7-8E55-D1F6CCC8CA83')",
        F.document.guid == "49C1ACA6-9CC6-11E7-8E55-D1F6CCC8CA83",
    ),
    (
        "standards",
        "standards",
        "(section.guid eq '6C23310C-6EC0-11DF-AB2D-366B9DFF4B22' and level eq 1)",
        (F.section.guid == "6C23310C-6EC0-11DF-AB2D-366B9DFF4B22") & (F.level == 1),
    ),
    (
        "standards",
        "standards",
        "(parent.id eq '1D9D7C1A-7053-11DF-8EBF-BE719DFF4B22')",
        F.parent.id == "1D9D7C1A-7053-11DF-8EBF-BE719DFF4B22",
    ),
    (
        "assets",
        "assets",
        "(date_modified_utc gt '2018-09-12 12:00:00')",
        F.date_modified_utc > NOON.replace(year=2018),
    ),
    (
        "standards",
        "standards",
        "replaces.id eq '0011921D-A923-435C-985F-FBB3C810E735'",
        F.replaces.id == "0011921D-A923-435C-985F-FBB3C810E735",
    ),
    (
        "standards",
        "standards",
        "replaced_by.id eq '8CB54468-0F56-4767-95DE-6D684CC9244F' and document.guid eq 'E1C9B054-DA22-11E2-95B3-3B359DFF4B22'",
        (F.replaced_by.id == "8CB54468-0F56-4767-95DE-6D684CC9244F")
        & (F.document.guid == "E1C9B054-DA22-11E2-95B3-3B359DFF4B22"),
    ),
    (
        "assets",
        "assets",
        "alignments.id eq '00000CD0-D9E7-11E2-BBB0-00249DFF4B22'",
        F.alignments.id == "00000CD0-D9E7-11E2-BBB0-00249DFF4B22",
    ),
    (
        "assets",
        "alignments",
        "status eq 'deleted' and meta.disposition eq 'accepted'",
        (F.status == "deleted") & (F.meta.disposition == "accepted"),
    ),
    (
        "assets",
        "assets",
        "education_levels.grades.code eq '3'",
        F.education_levels.grades.code == "3",
    ),
    # The corrected form of a documented example with a missing quote.
    (
        "standards",
        "standards",
        "related_courses.id eq '2FADED92-647D-4183-89C1-17F28CF065ED'",
        F.related_courses.id == "2FADED92-647D-4183-89C1-17F28CF065ED",
    ),
]

# Written as in the documentation, with names that it gives differently elsewhere.
STALE: list[tuple[str, str, str, Filter]] = [
    (
        "standards",
        "standards",
        "replaces.id eq '00CAA27E-AF8B-4385-AC22-285B911685B5' and replaces.same_concepts eq Y",
        (F.replaces.id == "00CAA27E-AF8B-4385-AC22-285B911685B5")
        & (F[Raw("replaces.same_concepts")] == Raw("Y")),
    ),
    (
        "assets",
        "assets",
        "standards.document.guid eq 'E1C9B054-DA22-11E2-95B3-3B359DFF4B22'",
        F[Raw("standards.document.guid")] == "E1C9B054-DA22-11E2-95B3-3B359DFF4B22",
    ),
    (
        "standards",
        "standards",
        "(standards.id eq 'F97EA8C2-D9AE-11E2-8230-99ABD51F4EFC')",
        F[Raw("standards.id")] == "F97EA8C2-D9AE-11E2-8230-99ABD51F4EFC",
    ),
    (
        "assets",
        "assets",
        'education_levels.grades in ("F1F9FA12-3B53-11E0-A421-F4B24952E9DF", "ABBAABBA-ACDC-ACDC-B042-495E9DFF4B22") and disciplines.subjects.ids in ("495E9DFF-3B53-11E0-B042-C4B222F1FB2F")',
        F.education_levels.grades.in_(
            Raw('"F1F9FA12-3B53-11E0-A421-F4B24952E9DF"'),
            Raw('"ABBAABBA-ACDC-ACDC-B042-495E9DFF4B22"'),
        )
        & F[Raw("disciplines.subjects.ids")].in_(Raw('"495E9DFF-3B53-11E0-B042-C4B222F1FB2F"')),
    ),
    (
        "assets",
        "assets",
        "field_1 in (value_A, value_B) and field_2 in (value_C, value_D)",
        F[Raw("field_1")].in_(Raw("value_A"), Raw("value_B"))
        & F[Raw("field_2")].in_(Raw("value_C"), Raw("value_D")),
    ),
    ("", "standards", "propertyX gt 5", F.propertyX > 5),
    ("", "standards", "propertyX ge 5", F.propertyX >= 5),
    ("", "standards", "propertyX lt 5", F.propertyX < 5),
    ("", "standards", "propertyX le 5", F.propertyX <= 5),
    ("", "standards", "propertyX eq 'apple'", F.propertyX == "apple"),
    (
        "",
        "standards",
        "propertyX in ('value1', 'value2', 'value3')",
        F.propertyX.in_("value1", "value2", "value3"),
    ),
    (
        "",
        "standards",
        "propertyX eq 5 and propertyY ne 'A'",
        (F.propertyX == 5) & (F.propertyY != "A"),
    ),
    (
        "",
        "standards",
        "propertyX eq 5 or propertyY ne 'A'",
        (F.propertyX == 5) | (F.propertyY != "A"),
    ),
]

_PIECE = re.compile(r"'(?:[^'\\]|\\.)*'|,|[^\s(),']+")


def pieces(text: str) -> list[str]:
    """Split a filter into words without blanks and parentheses; all but text in lower case."""
    return [p if p[0] in "'\"" else p.lower() for p in _PIECE.findall(text)]


@pytest.mark.parametrize(("resource", "name", "text", "made"), FILTERS + STALE)
def test_documented_filters_are_built(resource: str, name: str, text: str, made: Filter) -> None:
    """The same text except for blanks, case and parentheses; the grouping is the same."""
    assert pieces(str(made)) == pieces(text)
    assert simulator_filters.parse_filter(str(made)) == simulator_filters.parse_filter(text)
    assert parse_filter(text) == made
    assert check(resource, f"filter[{name}]", text) == text


@pytest.mark.parametrize(("resource", "name", "text", "made"), FILTERS)
def test_documented_filters_pass_the_check_of_names(
    resource: str, name: str, text: str, made: Filter
) -> None:
    """No documented example is refused."""
    assert check(resource, f"filter[{name}]", made) is made
    assert str(check(resource, f"filter[{name}]", parse_filter(text))) == str(made)


NAMES: list[tuple[str, str, str, Sequence[Any]]] = [
    ("standards", "sort[standards]", "number.enhanced", [F.number.enhanced]),
    (
        "standards",
        "sort[standards]",
        "number.enhanced,statement.descr",
        [F.number.enhanced, F.statement.descr],
    ),
    ("standards", "sort[standards]", "-number.enhanced", [-F.number.enhanced]),
    ("standards", "sort[standards]", "seq", [F.seq]),
    ("events", "sort[events]", "seq", [F.seq]),
    (
        "standards",
        "fields[standards]",
        "statement.descr,standard_type,number.enhanced",
        [F.statement.descr, F.standard_type, F.number.enhanced],
    ),
    (
        "assets",
        "fields[assets]",
        "alignments.meta.date_created_utc",
        [F.alignments.meta.date_created_utc],
    ),
    ("standards", "fields[standards]", "statement,number", [F.statement, F.number]),
    ("standards", "fields[standards]", "ancestors", [F.ancestors]),
    ("standards", "fields[standards]", "*", ["*"]),
    ("standards", "fields[standards]", "peers,statement,number", [F.peers, F.statement, F.number]),
    ("topics", "fields[topics]", "standards", [F.standards]),
    (
        "assets",
        "fields[standards]",
        "number.enhanced,statement.descr",
        [F.number.enhanced, F.statement.descr],
    ),
    (
        "standards",
        "fields[standards]",
        "seq,number,statement,children",
        [F.seq, F.number, F.statement, F.children],
    ),
    (
        "standards",
        "fields[standards]",
        "statement,number,section,course_standards",
        [F.statement, F.number, F.section, F.course_standards],
    ),
    (
        "standards",
        "fields[standards]",
        "number,statement,section",
        [F.number, F.statement, F.section],
    ),
    (
        "standards",
        "fields[standards]",
        "statement,number,section,related_courses",
        [F.statement, F.number, F.section, F.related_courses],
    ),
    ("standards", "include", "ancestors", ["ancestors"]),
    ("standards", "include", "peers", ["peers"]),
    ("topics", "include", "standards", ["standards"]),
    ("standards", "include", "course_standards", ["course_standards"]),
    ("standards", "include", "related_courses", ["related_courses"]),
    ("standards", "facet_summary", "*", ["*"]),
    ("assets", "facet_summary", "custom_attributes.item_type", [F.custom_attributes["item_type"]]),
    ("assets", "facet", "custom_attributes.item_type", [F.custom_attributes["Item Type"]]),
    (
        "standards",
        "facet",
        "document.publication.authorities,disciplines.subjects",
        [F.document.publication.authorities, F.disciplines.subjects],
    ),
    ("standards", "facet", "disciplines.strands", [F.disciplines.strands]),
    (
        "standards",
        "facet",
        "document.publication.authorities",
        [F.document.publication.authorities],
    ),
    ("standards", "facet", "document.publication", [F.document.publication]),
    ("standards", "facet", "document", [F.document]),
    ("standards", "facet", "section", [F.section]),
]


@pytest.mark.parametrize(("resource", "name", "text", "made"), NAMES)
def test_documented_lists_of_names_are_built(
    resource: str, name: str, text: str, made: Sequence[Any]
) -> None:
    """From paths, and from text."""
    assert ",".join(check(resource, name, made)) == text
    assert check(resource, name, text.split(",")) == text.split(",")


@pytest.mark.parametrize(
    "text",
    [
        "related_courses.id eq '2FADED92-647D-4183-89C1-17F28CF065ED",
        "not propertyX in ('a', 'b, 'c')",
    ],
)
def test_documented_examples_with_a_missing_quote_are_refused(text: str) -> None:
    """They are mistakes of the documentation."""
    with pytest.raises(InputError, match="a quote is not closed"):
        check("standards", "filter[standards]", text)


@pytest.mark.parametrize(
    "use",
    [
        lambda: (F.a == 1) and (F.b == 2),
        F.a.in_,
        lambda: F.a == datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
        lambda: F.a.in_(math.nan),
        lambda: checked_filter("(a eq 1"),
        lambda: F.a == "\\",
        lambda: check("standards", "filter[standards]", F.satus == "active"),
    ],
)
def test_bad_input_is_refused_before_it_is_sent(use: Callable[[], Any]) -> None:
    """All of it raises the same error."""
    with pytest.raises(InputError):
        use()
