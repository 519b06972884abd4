"""The filter language of AB Connect as a tree that prints as its text, and a reader of the text.

    expr       := term ("and" term)* | term ("or" term)*
    term       := "not" term | "(" expr ")" | call | comparison
    comparison := path ["not"] op value | path ["not"] "in" "(" value ("," value)* ")"
    call       := "isempty" "(" path ")" | "query" "(" [path ","] value ")"

`and` and `or` share one precedence in the documentation, so that nobody knows what a mix of both
without parentheses means: the tree never prints one, and the reader refuses it. Knows no resource.
Source: https://developerdocs.instructure.com/services/ab-connect/introduction/filtering
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final, NoReturn

from attrs import frozen

from aioinstructure.errors import InputError

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
_DEPTH: Final = 100  # nested terms, well before Python's own limit
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<mark>[(),])|(?P<word>[^\s(),'\\]+))", re.DOTALL
)
_BALANCE: Final = re.compile(r"'(?:[^'\\]|\\.)*'|['()]", re.DOTALL)
_PATH: Final = re.compile(r"[^\W\d][\w-]*(?:\.\w[\w-]*)*")
_SHOWN: Final = 20


def is_path(text: str) -> bool:
    """Whether the language can have it as the name of a property."""
    return _PATH.fullmatch(text) is not None and text.lower() not in KEYWORDS


def is_value(text: str) -> bool:
    """Whether it is one value of the language: text in its quotes, or a bare word."""
    match = _TOKEN.fullmatch(text)
    return match is not None and (
        match["string"] == text or (match["word"] == text and text.lower() not in KEYWORDS)
    )


class Filter(ABC):
    """A condition. Join two by `&` and `|`, negate one by `~`; `str()` is what is sent."""

    __slots__ = ()

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def paths(self) -> Iterator[str]:
        """The properties that it names, those named twice twice."""

    def __and__(self, other: Filter) -> Filter:
        return And(_joined(And, self, other)) if isinstance(other, Filter) else NotImplemented

    def __or__(self, other: Filter) -> Filter:
        return Or(_joined(Or, self, other)) if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> Filter:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InputError("join filters by & and |, negate by ~: and, or and not would drop one")


def _joined(kind: type[And | Or], *filters: Filter) -> tuple[Filter, ...]:
    """The parts of a chain: one of the same kind gives its own, since order does not matter."""
    return tuple(
        part for one in filters for part in (one.parts if isinstance(one, kind) else (one,))
    )


@frozen
class Comparison(Filter):
    """A property against one value, which is text as the language writes it."""

    path: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {self.value}"

    def paths(self) -> Iterator[str]:
        """Its property."""
        yield self.path


@frozen
class In(Filter):
    """A property against several values: any of them."""

    path: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path} in ({','.join(self.values)})"

    def paths(self) -> Iterator[str]:
        """Its property."""
        yield self.path


@frozen
class IsEmpty(Filter):
    """No value at all."""

    path: str

    def __str__(self) -> str:
        return f"isempty({self.path})"

    def paths(self) -> Iterator[str]:
        """Its property."""
        yield self.path


@frozen
class Query(Filter):
    """Full text, in one property or, without a path, in all text of the resource."""

    words: str
    path: str = ""

    def __str__(self) -> str:
        return f"query({self.path}, {self.words})" if self.path else f"query({self.words})"

    def paths(self) -> Iterator[str]:
        """Its property, if it has one."""
        if self.path:
            yield self.path


@frozen
class Not(Filter):
    """The opposite. It is true where there is no value."""

    inner: Filter

    def __str__(self) -> str:
        # A call binds tighter than anything, all else is put in parentheses.
        is_call = isinstance(self.inner, IsEmpty | Query)
        return f"not {self.inner}" if is_call else f"not ({self.inner})"

    def paths(self) -> Iterator[str]:
        """Those of what is negated."""
        return self.inner.paths()


@frozen
class _Chain(Filter):
    """Several conditions that are joined by one word."""

    parts: tuple[Filter, ...]
    _word: ClassVar[str]

    def __str__(self) -> str:
        return f" {self._word} ".join(f"({part})" for part in self.parts)

    def paths(self) -> Iterator[str]:
        """Those of all parts."""
        for part in self.parts:
            yield from part.paths()


@frozen
class And(_Chain):
    """All of them."""

    _word: ClassVar[str] = "and"


@frozen
class Or(_Chain):
    """Any of them."""

    _word: ClassVar[str] = "or"


@frozen
class _Token:
    """A string, mark or word at its place; the last one is the end."""

    kind: str
    text: str
    at: int


def _bad(text: str, at: int, what: str) -> InputError:
    rest = text[at : at + _SHOWN]
    place = f"at {at}, before {rest!r}" if rest.strip() else "at its end"
    return InputError(f"filter: {what} {place}")


def checked_text(text: str) -> str:
    """A raw filter, if its quotes and parentheses are closed; what it says is the server's matter.

    Raises:
        InputError: It is empty, or one is left open or closed too often; the message says where.
    """
    opened: list[int] = []
    for match in _BALANCE.finditer(text):
        mark, at = match[0], match.start()
        if mark == "'":
            raise _bad(text, at, "a quote is not closed (one in a value is written \\')")
        if mark == "(":
            opened.append(at)
        elif mark == ")":
            if not opened:
                raise _bad(text, at, "a parenthesis is closed that was not opened")
            opened.pop()
    if opened:
        raise _bad(text, opened[-1], "a parenthesis is not closed")
    if not text.strip():
        raise InputError("filter: it is empty; leave it out instead")
    return str.__str__(text)


def searches(text: str) -> bool:
    """Whether a filter has a full-text search; what stands in quotes is a value and no call.

    Reads what it can of a raw filter, which need not be one that `parse_filter` takes.
    """
    before = ""
    for token in _TOKEN.finditer(text):
        if before == "query" and token["mark"] == "(":
            return True
        before = (token["word"] or "").lower()
    return False


def parse_filter(text: str) -> Filter:
    """Reads a filter into its tree, to join it with others or to see what it names.

    Operators are read in any case, and `x not eq 1` as `not x eq 1`, as the service does.

    Raises:
        InputError: It has a mistake, or mixes `and` with `or` without parentheses; the message says
            where.
    """
    return _Parser(checked_text(text)).whole()


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Filter:
        found = self._expression()
        if self._now.kind != "end":
            raise self._expected("an and or an or")
        return found

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _expected(self, what: str) -> InputError:
        return _bad(self._text, self._now.at, f"{what} is expected")

    def _take(self) -> str:
        token = self._now
        self._at += 1
        return token.text

    def _word(self, words: Iterable[str]) -> str:
        """The next word in lower case, taken if it is one of these."""
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
                raise _bad(self._text, at, "and with or needs parentheses to say which goes first,")
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
            raise _bad(text, at, "cannot be read")
        kind = str(match.lastgroup)
        yield _Token(kind, match[kind], match.start(kind))
        at = match.end()
    yield _Token("end", "", end)
