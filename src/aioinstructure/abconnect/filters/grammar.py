"""The filter language of AB Connect: a syntax tree that prints as its text, and a parser.

    expr       := term ("and" term)* | term ("or" term)*
    term       := "not" term | "(" expr ")" | call | comparison
    comparison := path ["not"] op value | path ["not"] "in" "(" value ("," value)* ")"
    call       := "isempty" "(" path ")" | "query" "(" [path ","] value ")"

In the documentation `and` and `or` have the same precedence, so the meaning of a mix of both
without parentheses is unclear: the tree never prints one, and the parser refuses it. This module
knows no resource.
Source: https://developerdocs.instructure.com/services/ab-connect/introduction/filtering
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final, NoReturn

from attrs import frozen

from aioinstructure.errors import InputError
from aioinstructure.wire.params import QueryValue

__all__ = [
    "And",
    "Comparison",
    "Filter",
    "In",
    "IsEmpty",
    "Not",
    "Or",
    "Query",
    "checked_text",
    "is_path",
    "is_value",
    "parse_filter",
    "searches",
]

KEYWORDS: Final = frozenset({"and", "or", "not", "in"})
OPERATORS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_DEPTH: Final = 100  # nested terms, well below Python's recursion limit
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<mark>[(),])|(?P<word>[^\s(),'\\]+))", re.DOTALL
)
_BALANCE: Final = re.compile(r"'(?:[^'\\]|\\.)*'|['()]", re.DOTALL)
_PATH: Final = re.compile(r"[^\W\d][\w-]*(?:\.\w[\w-]*)*")
_SHOWN: Final = 20


def is_path(text: str) -> bool:
    """Whether the text can be the name of a property in the filter language."""
    return _PATH.fullmatch(text) is not None and text.lower() not in KEYWORDS


def is_value(text: str) -> bool:
    """Whether the text is one value of the filter language: text in quotes, or a bare word."""
    match = _TOKEN.fullmatch(text)
    return match is not None and (
        match["string"] == text or (match["word"] == text and text.lower() not in KEYWORDS)
    )


class Filter(QueryValue, ABC):
    """A condition. Combine with `&` and `|`, negate with `~`; `str()` returns the text to send."""

    __slots__ = ()

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def paths(self) -> Iterator[str]:
        """Yield the properties that the filter names, including duplicates."""

    def __and__(self, other: Filter) -> Filter:
        return And(_joined(And, self, other)) if isinstance(other, Filter) else NotImplemented

    def __or__(self, other: Filter) -> Filter:
        return Or(_joined(Or, self, other)) if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> Filter:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InputError(
            "a filter has no truth value (Python's and, or and not would drop a condition):"
            " combine filters with & and |, negate with ~"
        )


def _joined(kind: type[And | Or], *filters: Filter) -> tuple[Filter, ...]:
    """Return the parts of a chain; chains of the same kind are merged, as order does not matter."""
    return tuple(
        part for one in filters for part in (one.parts if isinstance(one, kind) else (one,))
    )


@frozen
class Comparison(Filter):
    """A property compared with one value, which is text in the syntax of the language."""

    path: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {self.value}"

    def paths(self) -> Iterator[str]:
        """Yield the property."""
        yield self.path


@frozen
class In(Filter):
    """A property that equals any of several values."""

    path: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path} in ({','.join(self.values)})"

    def paths(self) -> Iterator[str]:
        """Yield the property."""
        yield self.path


@frozen
class IsEmpty(Filter):
    """A property without any value."""

    path: str

    def __str__(self) -> str:
        return f"isempty({self.path})"

    def paths(self) -> Iterator[str]:
        """Yield the property."""
        yield self.path


@frozen
class Query(Filter):
    """Full-text search in one property or, without a path, in all text of the resource."""

    words: str
    path: str = ""

    def __str__(self) -> str:
        return f"query({self.path}, {self.words})" if self.path else f"query({self.words})"

    def paths(self) -> Iterator[str]:
        """Yield the property, if there is one."""
        if self.path:
            yield self.path


@frozen
class Not(Filter):
    """The negation of a filter. It is also true if there is no value."""

    inner: Filter

    def __str__(self) -> str:
        # A call binds tightest; everything else is put in parentheses.
        is_call = isinstance(self.inner, IsEmpty | Query)
        return f"not {self.inner}" if is_call else f"not ({self.inner})"

    def paths(self) -> Iterator[str]:
        """Yield the properties of the negated filter."""
        return self.inner.paths()


@frozen
class _Chain(Filter):
    """Several conditions joined by one keyword."""

    parts: tuple[Filter, ...]
    _word: ClassVar[str]

    def __str__(self) -> str:
        return f" {self._word} ".join(f"({part})" for part in self.parts)

    def paths(self) -> Iterator[str]:
        """Yield the properties of all parts."""
        for part in self.parts:
            yield from part.paths()


@frozen
class And(_Chain):
    """All conditions hold."""

    _word: ClassVar[str] = "and"


@frozen
class Or(_Chain):
    """At least one condition holds."""

    _word: ClassVar[str] = "or"


@frozen
class _Token:
    """A string, mark or word, and its position; the last token is the end."""

    kind: str
    text: str
    at: int


def _bad(text: str, at: int, what: str) -> InputError:
    rest = text[at : at + _SHOWN]
    place = f"at {at}, before {rest!r}" if rest.strip() else "at the end"
    return InputError(f"filter: {what} {place}")


def checked_text(text: str) -> str:
    """Return a raw filter if its quotes and parentheses are balanced; the server checks the rest.

    Raises:
        InputError: The text is empty, or a quote or parenthesis is not balanced; the message has
            the position.
    """
    opened: list[int] = []
    for match in _BALANCE.finditer(text):
        mark, at = match[0], match.start()
        if mark == "'":
            raise _bad(text, at, "a quote is not closed (write a quote within a value as \\')")
        if mark == "(":
            opened.append(at)
        elif mark == ")":
            if not opened:
                raise _bad(text, at, "a parenthesis is closed but was not opened")
            opened.pop()
    if opened:
        raise _bad(text, opened[-1], "a parenthesis is not closed")
    if not text.strip():
        raise InputError("filter: the text is empty; omit the filter instead")
    return str.__str__(text)


def searches(condition: Filter | str) -> bool:
    """Whether a filter has a full-text search, so that the service orders by relevance.

    Reads as much as it can of a raw filter, even of one that `parse_filter` refuses; text in quotes
    is a value, not a call.
    """
    if isinstance(condition, Filter):
        return _searches(condition)
    before = ""
    for token in _TOKEN.finditer(condition):
        if before == "query" and token["mark"] == "(":
            return True
        before = (token["word"] or "").lower()
    return False


def _searches(condition: Filter) -> bool:
    if isinstance(condition, Not):
        return _searches(condition.inner)
    if isinstance(condition, And | Or):
        return any(_searches(part) for part in condition.parts)
    return isinstance(condition, Query)


def parse_filter(text: str) -> Filter:
    """Parse a filter into its tree, to combine it with others or to inspect it.

    Operators are read in any case, and `x not eq 1` as `not x eq 1`, as the service does.

    Raises:
        InputError: The text has a syntax error, or mixes `and` with `or` without parentheses; the
            message has the position.
    """
    return _Parser(checked_text(text)).parse()


class _Parser:
    """A recursive descent parser over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def parse(self) -> Filter:
        found = self._expression()
        if self._now.kind != "end":
            raise self._expected("`and` or `or`")
        return found

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _expected(self, what: str) -> InputError:
        return _bad(self._text, self._now.at, f"expected {what}")

    def _take(self) -> str:
        token = self._now
        self._at += 1
        return token.text

    def _word(self, words: Iterable[str]) -> str:
        """Take the next word if it is one of these, and return it in lower case; else return ""."""
        found = self._now.text.lower()
        if self._now.kind == "word" and found in words:
            self._at += 1
            return found
        return ""

    def _is_mark(self, mark: str) -> bool:
        return (self._now.kind, self._now.text) == ("mark", mark)

    def _mark(self, mark: str) -> None:
        if not self._is_mark(mark):
            raise self._expected(repr(mark))
        self._at += 1

    def _expression(self) -> Filter:
        parts = [self._term()]
        word = ""
        while joined := self._word(("and", "or")):
            if word and joined != word:
                at = self._tokens[self._at - 1].at
                raise _bad(self._text, at, "`and` and `or` cannot be mixed without parentheses")
            word = joined
            parts.append(self._term())
        if not word:
            return parts[0]
        return And(_joined(And, *parts)) if word == "and" else Or(_joined(Or, *parts))

    def _term(self) -> Filter:
        if self._depth == _DEPTH:
            raise _bad(self._text, self._now.at, "nested too deeply")
        self._depth += 1
        try:
            if self._word(("not",)):
                return Not(self._term())
            if self._is_mark("("):
                self._at += 1
                inner = self._expression()
                self._mark(")")
                return inner
            return self._call() if self._calls() else self._comparison()
        finally:
            self._depth -= 1

    def _calls(self) -> bool:
        is_name = self._now.kind == "word" and self._now.text.lower() in ("isempty", "query")
        return is_name and self._tokens[self._at + 1].text == "("

    def _call(self) -> Filter:
        name = self._take().lower()
        self._mark("(")
        found: Filter
        if name == "isempty":
            found = IsEmpty(self._path())
        elif self._now.kind == "word" and self._tokens[self._at + 1].text == ",":
            path = self._path()
            self._mark(",")
            found = Query(self._value(), path)
        else:
            found = Query(self._value())
        self._mark(")")
        return found

    def _comparison(self) -> Filter:
        path = self._path()
        negated = self._word(("not",))
        found: Filter
        if self._word(("in",)):
            found = In(path, self._values())
        elif operator := self._word(OPERATORS):
            found = Comparison(path, operator, self._value())
        else:
            raise self._expected("an operator")
        return Not(found) if negated else found

    def _values(self) -> tuple[str, ...]:
        self._mark("(")
        values = [self._value()]
        while self._is_mark(","):
            self._at += 1
            values.append(self._value())
        self._mark(")")
        return tuple(values)

    def _path(self) -> str:
        if self._now.kind != "word" or not is_path(self._now.text):
            raise self._expected("a property")
        return self._take()

    def _value(self) -> str:
        if self._now.kind not in ("string", "word") or self._now.text.lower() in KEYWORDS:
            raise self._expected("a value")
        return self._take()


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _bad(text, at, "unexpected character")
        kind = str(match.lastgroup)
        yield _Token(kind, match[kind], match.start(kind))
        at = match.end()
    yield _Token("end", "", end)
