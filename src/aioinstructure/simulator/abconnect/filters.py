"""The filter language of AB Connect: a parser and an evaluator, independent of resources.

    expr       := and_expr ("or" and_expr)*
    and_expr   := term ("and" term)*
    term       := "not" term | "(" expr ")" | call | comparison
    comparison := path ["not"] op value | path ["not"] "in" "(" value ("," value)* ")"
    call       := "isempty" "(" path ")" | "query" "(" [path ","] value ")"

Which of `and` and `or` binds tighter is not documented; here it is `and`, as in OData. Keywords are
case-insensitive. A negation is true if there is no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from attrs import frozen

__all__ = [
    "And",
    "Call",
    "Compare",
    "Expr",
    "FilterError",
    "Not",
    "Or",
    "compile_filter",
    "parse_filter",
    "paths_of",
    "words_of",
]


class FilterError(ValueError):
    """An invalid filter; the message says where."""


@frozen
class Compare:
    """A comparison of a path with values; `in` has several. Quoted numbers stay text."""

    path: str
    op: str
    values: tuple[str | float, ...]


@frozen
class Call:
    """isempty(path), or query([path,] words); an empty path means all text fields."""

    name: str
    path: str
    words: str = ""


@frozen
class Not:
    """The negation of an expression."""

    inner: Expr


@frozen
class And:
    """True if all parts are true."""

    parts: tuple[Expr, ...]


@frozen
class Or:
    """True if any part is true."""

    parts: tuple[Expr, ...]


Expr: TypeAlias = Compare | Call | Not | And | Or

Getter: TypeAlias = Callable[[str], Sequence[Any]]
"""Returns all values at a path; none for null or absent."""

_OPS = {"eq", "ne", "gt", "ge", "lt", "le"}
_KEYWORDS = {"and", "or", "not", "in"}
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<mark>[(),])
    | (?P<word>[^\s(),'\\]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2})?")
_DATE_LENGTH = 10
_DEPTH = 100  # of nesting, below Python's recursion limit


class _Parser:
    """Recursive descent parser; the last token is ("end", "")."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("end", "")]
        self._at = 0
        self._depth = 0

    def parse(self) -> Expr:
        expr = self._or()
        if self._kind() != "end":
            raise FilterError(f"unexpected {self._text()!r}")
        return expr

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _text(self) -> str:
        return self._tokens[self._at][1]

    def _is(self, keyword: str) -> bool:
        return self._kind() == "word" and self._text().lower() == keyword

    def _accept(self, kind: str, text: str) -> bool:
        fits = self._is(text) if kind == "word" else (self._kind(), self._text()) == (kind, text)
        if fits:
            self._at += 1
        return fits

    def _expect(self, mark: str) -> None:
        if not self._accept("mark", mark):
            raise FilterError(f"expected {mark!r} instead of {self._text()!r}")

    def _or(self) -> Expr:
        parts = [self._and()]
        while self._accept("word", "or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Expr:
        parts = [self._term()]
        while self._accept("word", "and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _term(self) -> Expr:
        self._depth += 1
        if self._depth > _DEPTH:
            raise FilterError("nested too deeply")
        try:
            if self._accept("word", "not"):
                return Not(self._term())
            if self._accept("mark", "("):
                inner = self._or()
                self._expect(")")
                return inner
            return self._call_or_comparison()
        finally:
            self._depth -= 1

    def _call_or_comparison(self) -> Expr:
        word = self._text()
        name = word.lower()
        opens = self._tokens[min(self._at + 1, len(self._tokens) - 1)] == ("mark", "(")
        if self._kind() == "word" and name in {"isempty", "query"} and opens:
            self._at += 2
            return self._call(name)
        path = self._path()
        negated = self._accept("word", "not")
        if self._accept("word", "in"):
            self._expect("(")
            values = [self._value()]
            while self._accept("mark", ","):
                values.append(self._value())
            self._expect(")")
            found: Expr = Compare(path, "in", tuple(values))
        else:
            op = self._text().lower()
            if self._kind() != "word" or op not in _OPS:
                raise FilterError(
                    f"expected an operator after {path!r} instead of {self._text()!r}"
                )
            self._at += 1
            found = Compare(path, op, (self._value(),))
        return Not(found) if negated else found

    def _call(self, name: str) -> Expr:
        path = words = ""
        if name == "isempty":
            path = self._path()
        elif self._kind() == "string":
            words = str(self._value())
        else:
            first = self._text()
            self._at += 1
            if self._accept("mark", ","):
                if not _PATH.fullmatch(first):
                    raise FilterError(f"expected a property instead of {first!r}")
                path, words = first, str(self._value())
            else:
                words = first
        self._expect(")")
        return Call(name, path, words)

    def _path(self) -> str:
        word = self._text()
        if self._kind() != "word" or word.lower() in _KEYWORDS or not _PATH.fullmatch(word):
            raise FilterError(f"expected a property instead of {word!r}")
        self._at += 1
        return word

    def _value(self) -> str | float:
        kind, text = self._tokens[self._at]
        if kind == "string":
            self._at += 1
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if kind != "word" or text.lower() in _KEYWORDS:
            raise FilterError(f"expected a value instead of {text!r}")
        self._at += 1
        return float(text) if _NUMBER.fullmatch(text) else text


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"cannot read {text[at : at + 20]!r} at {at}")
        at = match.end()
        yield str(match.lastgroup), match.group(str(match.lastgroup))


def parse_filter(text: str) -> Expr:
    """Parse a filter.

    Raises:
        FilterError: The filter is invalid.
    """
    return _Parser(text).parse()


def paths_of(expr: Expr) -> set[str]:
    """Return all properties that a filter names."""
    if isinstance(expr, Compare):
        return {expr.path}
    if isinstance(expr, Call):
        return {expr.path} - {""}
    if isinstance(expr, Not):
        return paths_of(expr.inner)
    return {path for part in expr.parts for path in paths_of(part)}


def words_of(expr: Expr) -> list[Call]:
    """Return the query calls that are not negated; the order by relevance uses them."""
    if isinstance(expr, Call):
        return [expr] if expr.name == "query" else []
    if isinstance(expr, Compare | Not):
        return []
    return [call for part in expr.parts for call in words_of(part)]


# Evaluation. A filter is compiled to closures once, and applied to thousands of items.


def compile_filter(expr: Expr, score: Callable[[Getter, Call], int]) -> Callable[[Getter], bool]:
    """Return a function that checks whether an item matches.

    Args:
        expr: The parsed filter.
        score: How well an item matches a query call; 0 for no match.
    """
    if isinstance(expr, Compare):
        return _compare(expr)
    if isinstance(expr, Call):
        path = expr.path
        if expr.name == "isempty":
            return lambda get: not get(path)
        return lambda get: score(get, expr) > 0
    if isinstance(expr, Not):
        inner = compile_filter(expr.inner, score)
        return lambda get: not inner(get)
    parts = [compile_filter(part, score) for part in expr.parts]
    if isinstance(expr, And):
        return lambda get: all(part(get) for part in parts)
    return lambda get: any(part(get) for part in parts)


def _compare(expr: Compare) -> Callable[[Getter], bool]:
    path, op = expr.path, expr.op
    if op in {"eq", "ne", "in"}:
        wanted = {_key(value) for value in expr.values}
        if op == "ne":
            return lambda get: not any(_key(value) in wanted for value in get(path))
        return lambda get: any(_key(value) in wanted for value in get(path))
    bound = expr.values[0]
    return lambda get: any(_ordered(value, op, bound) for value in get(path))


def _key(value: Any) -> str:
    """Return a key for equality: numbers by value, dates by time, GUIDs in any case."""
    if isinstance(value, int | float):
        return f"{float(value):g}" if abs(value) < 1e6 else repr(float(value))
    text = str(value)
    if _NUMBER.fullmatch(text):
        return _key(float(text))
    if len(text) == 36 and _GUID.fullmatch(text):
        return text.lower()
    if len(text) == _DATE_LENGTH and _DATE.fullmatch(text):
        return f"{text} 00:00:00"
    return text


def _ordered(value: Any, op: str, bound: Any) -> bool:
    left: Any
    right: Any
    try:
        left, right = float(value), float(bound)
    except ValueError:
        left, right = _key(value), _key(bound)
    if op == "gt":
        return bool(left > right)
    if op == "ge":
        return bool(left >= right)
    if op == "lt":
        return bool(left < right)
    return bool(left <= right)
