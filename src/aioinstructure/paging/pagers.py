"""How lists are paged: by Link header, by offset, by key, or by page number.

A pager is a value without state: it reads the items of a body, makes the call for the next page,
and says where a list can be resumed. A namespace names its own, the client the usual one. Knows no
service: names of parameters and places in the body are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote

from attrs import evolve, field, frozen

from aioinstructure._types import UNSET
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError, IncompleteError, InputError, OriginError
from aioinstructure.paging.consistency import ConsistencyCheck, OffsetConsistencyCheck
from aioinstructure.paging.cursor import id_of
from aioinstructure.paging.result_page import ResultPage, items_at, items_of
from aioinstructure.wire.links import (
    next_by_body,
    next_by_header,
    other_origin_by_body,
    other_origin_by_header,
    parse_link,
)
from aioinstructure.wire.message import Request, Response

__all__ = [
    "AHEAD",
    "KeysetPager",
    "LinkHeaderPager",
    "NumberedPager",
    "OffsetPager",
    "Pager",
]

T = TypeVar("T")

AHEAD: Final = 4
"""Pages that are requested before they are read: at 5 calls a second, for responses that take 0.8 s."""

_DIGITS: Final = 18
_DATA: Final = ("data",)


class Pager(Protocol):
    """How one kind of list is paged."""

    @property
    def names(self) -> Sequence[str]:
        """The parameters of the query that it adds itself."""
        ...

    def items(self, body: Any, call: Call[Any], response: Response) -> list[Any]:
        """The items in a body; raises DecodeError if there is no list."""
        ...

    def total(self, body: Any) -> int | None:
        """How many items the list has, where the server says so."""
        ...

    def next_call(
        self, call: Call[T], response: Response, body: Any, raw: Sequence[Any]
    ) -> Call[T] | None:
        """The call for the next page; None on the last one.

        Raises:
            DecodeError: What the server says about the next page cannot be read.
            IncompleteError: It says nothing about it where it should.
            OriginError: The link is not one that can be followed, or leaves the API.
        """
        ...

    def other_origin(self, response: Response, body: Any) -> str | None:
        """The origin that a link of `next_call` names, if it is not the client's; never used."""
        ...

    def may_be_past_end(self, page: ResultPage[Any]) -> bool:
        """Whether an empty page that links to a next one may be a page after the end of the list."""
        ...

    def first_call(self, call: Call[T]) -> Call[T]:
        """The call for the first page of the list that a page is of."""
        ...

    def calls_ahead(self, call: Call[T], page: ResultPage[T]) -> Sequence[Call[T]]:
        """The calls after a page that may be made before that page is read, in order."""
        ...

    def resume_point(self, call: Call[T], page: ResultPage[T]) -> tuple[Call[T], int]:
        """Where the list resumes after this page: a page's call, and how many items to skip there."""
        ...

    def grows(self, call: Call[Any]) -> bool:
        """Whether new items come at the end only, so that its end is a position as well."""
        ...

    def consistency_check(self, call: Call[Any]) -> ConsistencyCheck | None:
        """What notices that the list changes while it is read; None where nothing can."""
        ...


@frozen
class _OnePageAhead:
    """What most pagers have in common."""

    @property
    def names(self) -> Sequence[str]:
        """None of its own."""
        return ()

    def items(self, body: Any, call: Call[Any], response: Response) -> list[Any]:
        """Where the operation says that they are."""
        return items_of(body, call.route, response)

    def total(self, body: Any) -> int | None:
        """What `total_entries` says, which some wrapped lists have."""
        total = body.get("total_entries") if isinstance(body, Mapping) else None
        return total if type(total) is int else None

    def other_origin(self, response: Response, body: Any) -> str | None:
        """There is no link."""
        return None

    def may_be_past_end(self, page: ResultPage[Any]) -> bool:
        """No such page has a next one."""
        return False

    def first_call(self, call: Call[T]) -> Call[T]:
        """The same list without a page."""
        return evolve(call, page=None)

    def calls_ahead(self, call: Call[T], page: ResultPage[T]) -> Sequence[Call[T]]:
        """The next page."""
        return () if page.next is None else (page.next,)

    def resume_point(self, call: Call[T], page: ResultPage[T]) -> tuple[Call[T], int]:
        """After the last item of this page, wherever it is then."""
        return call, len(page.raw)

    def grows(self, call: Call[Any]) -> bool:
        """The last page is read again."""
        return False

    def consistency_check(self, call: Call[Any]) -> ConsistencyCheck | None:
        """There is nothing to compare."""
        return None


@frozen
class LinkHeaderPager(_OnePageAhead):
    """Pages by the Link header (RFC 8288), whose links are opaque.

    Args:
        root: What the links must be below, such as "/api/".
        safe_url_length: Up to which length of a request's URL the server certainly sends the links,
            if it leaves out long ones.
        size_name: The parameter of the page size.
        default_size: The page size of a request that names none.
    """

    root: str = "/"
    safe_url_length: int | None = None
    size_name: str = "per_page"
    default_size: int = 10

    def next_call(
        self, call: Call[T], response: Response, body: Any, raw: Sequence[Any]
    ) -> Call[T] | None:
        """By the path and query of `rel="next"`, sent unchanged to the client's own origin."""
        request = _request(response)
        following = next_by_header(request, response)
        if following is not None:
            return call.at_page(_path_below(self.root, following))
        if not response.headers.get("link", "").strip():
            self._check_length(request, raw)
        return None

    def other_origin(self, response: Response, body: Any) -> str | None:
        """That of `rel="next"`."""
        return other_origin_by_header(_request(response), response)

    def _check_length(self, request: Request, raw: Sequence[Any]) -> None:
        """Refuse a page without links whose links may have been left out for their length.

        The server may give fewer items a page than were asked for, but not fewer than by default:
        a page of fewer items is the only one.
        """
        length = len(request.url)
        if self.safe_url_length is None or length <= self.safe_url_length:
            return
        size = dict(parse_qsl(request.path.partition("?")[2])).get(self.size_name, "")
        full = self.default_size
        if size.isascii() and size.isdecimal() and len(size) <= _DIGITS:
            full = min(full, max(1, int(size)))
        if len(raw) >= full:
            raise IncompleteError(
                f"{len(raw)} items came without a Link header for a URL of {length} characters:"
                " the server leaves out links that are too long, so that more pages may follow;"
                " ask for less in one call",
                expected="a Link header",
                got=f"a URL of {length} characters",
            )

    def may_be_past_end(self, page: ResultPage[Any]) -> bool:
        """Where the next page has a number and the last page is not known.

        Canvas replies so to a number after the last page. Elsewhere an empty page is one whose
        items the caller may not see.
        """
        following = page.next
        if following is None or following.page is None:
            return False
        number = _page_token(following.page)
        links = parse_link(page.response.headers.get("link", ""))
        return number.isascii() and number.isdecimal() and "last" not in links

    def resume_point(self, call: Call[T], page: ResultPage[T]) -> tuple[Call[T], int]:
        """At the next page where its link is a bookmark, which names an item and not a number."""
        if (
            page.next is not None
            and page.next.page is not None
            and _page_token(page.next.page).startswith("bookmark:")
        ):
            return page.next, 0
        return call, len(page.raw)


def _page_token(page: str) -> str:
    """What a link calls its page: a number or a bookmark; "" if it has no such parameter."""
    pages = [value for name, value in parse_qsl(page.partition("?")[2]) if name == "page"]
    return pages[-1] if pages else ""


@frozen
class NumberedPager(_OnePageAhead):
    """Pages by a number in the query, for lists that come without links: an empty one ends them.

    Args:
        name: The parameter of the page's number, which counts from 1.
    """

    name: str = "page"

    @property
    def names(self) -> Sequence[str]:
        """The page's number."""
        return (self.name,)

    def next_call(
        self, call: Call[T], response: Response, body: Any, raw: Sequence[Any]
    ) -> Call[T] | None:
        """By the next number, until a page is empty."""
        if not raw:
            return None
        return call.with_values(**{self.name: str(_number(call, self.name, 1) + 1)})

    def first_call(self, call: Call[T]) -> Call[T]:
        """Without a number."""
        return call.with_values(**{self.name: None})


@frozen
class OffsetPager:
    """Pages by offset, as JSON:API bodies with `data`, `links` and `meta` report them.

    The next page is requested by its offset, not by its link: pages that are requested early must
    have the same address. The link still says whether there is one.

    Args:
        root: What the links must be below, such as "/rest/v4.1/".
        name: The parameter of the offset.
        is_ordered: Whether a list has a stable order, so that its pages can be requested side by
            side.
        is_to_one: Whether a list is a relationship to one object at most.
    """

    root: str = "/"
    name: str = "offset"
    is_ordered: Callable[[Call[Any]], bool] = field(default=lambda _: True, repr=False)
    is_to_one: Callable[[Call[Any]], bool] = field(default=lambda _: False, repr=False)

    @property
    def names(self) -> Sequence[str]:
        """The offset."""
        return (self.name,)

    def offset(self, call: Call[Any]) -> int:
        """The offset of a page."""
        return _number(call, self.name, 0)

    def at(self, call: Call[T], offset: int) -> Call[T]:
        """The call for another page of the same list; the first one's has no offset."""
        return call.with_values(**{self.name: str(offset) if offset else None})

    def items(self, body: Any, call: Call[Any], response: Response) -> list[Any]:
        """What `data` holds, unless the operation says otherwise.

        A to-one relationship is an object: a list of one or none. Elsewhere an object or null is
        no list.
        """
        if call.route.items not in ((), _DATA):
            return items_at(body, call.route.items, response)
        found = body.get("data", UNSET) if isinstance(body, Mapping) else UNSET
        if isinstance(found, Mapping | None):
            if self.is_to_one(call):
                return [found] if found else []
            shown = "null" if found is None else "an object" if found else "an empty object"
            raise DecodeError(
                "no list", paths=[f"expected a list at data, got {shown} @ $"], response=response
            )
        return items_at(body, _DATA, response)

    def total(self, body: Any) -> int | None:
        """What `meta.count` says."""
        return _meta(body, "count")

    def next_call(
        self, call: Call[T], response: Response, body: Any, raw: Sequence[Any]
    ) -> Call[T] | None:
        """By offset and `meta.limit`; by the offset of the link where the size is unknown."""
        request = _request(response)
        following = next_by_body(request, body)
        if following is None:
            return None
        path = _path_below(self.root, following)
        size = _meta(body, "limit")
        if size is None or size < 1:
            return call.at_page(path)
        return self.at(call, self.offset(call) + size)

    def other_origin(self, response: Response, body: Any) -> str | None:
        """That of `links.next`."""
        return other_origin_by_body(_request(response), body)

    def may_be_past_end(self, page: ResultPage[Any]) -> bool:
        """Where all items that the server has counted have come: OffsetConsistencyCheck adds them up."""
        return page.total is not None

    def first_call(self, call: Call[T]) -> Call[T]:
        """At offset 0."""
        return self.at(call, 0)

    def calls_ahead(self, call: Call[T], page: ResultPage[T]) -> Sequence[Call[T]]:
        """The next `AHEAD` pages, where the order is stable and the total is known."""
        following = page.next
        if following is None:
            return ()
        start = self.offset(following)
        size = start - self.offset(call)  # the server may give less than the limit of the query
        if page.total is None or size < 1 or not self.is_ordered(call):
            return (following,)
        end = min(page.total, start + AHEAD * size)
        return [self.at(call, offset) for offset in range(start, end, size)]

    def resume_point(self, call: Call[T], page: ResultPage[T]) -> tuple[Call[T], int]:
        """At the last item of this page, from which the next page is then read.

        So a change of the list is noticed without a further call.
        """
        start = self.offset(call) + len(page.raw)
        following = page.next
        if following is None or following.page is not None or not page.raw:
            return call, len(page.raw)
        if self.offset(following) != start or id_of(page.raw[-1]) is None:
            return call, len(page.raw)
        return self.at(call, start - 1), 1

    def grows(self, call: Call[Any]) -> bool:
        """The last page is read again."""
        return False

    def consistency_check(self, call: Call[Any]) -> ConsistencyCheck | None:
        """A sum of the pages."""
        return OffsetConsistencyCheck(self.offset(call))


@frozen
class KeysetPager:
    """Pages by the key of the last item: a list in the order of a growing number.

    Offsets shift when items are added, and a stored offset means another item tomorrow. A list of
    "key greater than n" in the order of that key can be continued by "greater than the last one".

    Args:
        fallback: How the list is paged where it is not in that order.
        key_of: The key of a raw item; None if it has none.
        after: The call for the items after a key; None where the list is not in that order.
    """

    fallback: Pager
    key_of: Callable[[Any], int | None] = field(repr=False)
    after: Callable[[Call[Any], int], Call[Any] | None] = field(repr=False)

    @property
    def names(self) -> Sequence[str]:
        """Those of the fallback."""
        return self.fallback.names

    def items(self, body: Any, call: Call[Any], response: Response) -> list[Any]:
        """As the fallback."""
        return self.fallback.items(body, call, response)

    def total(self, body: Any) -> int | None:
        """As the fallback; counts only the items after the key."""
        return self.fallback.total(body)

    def _after_last(self, call: Call[T], raw: Sequence[Any]) -> Call[T] | None:
        last = self.key_of(raw[-1]) if raw else None
        return None if last is None else self.after(call, last)

    def next_call(
        self, call: Call[T], response: Response, body: Any, raw: Sequence[Any]
    ) -> Call[T] | None:
        """After the last key, while there is a next page."""
        following = self.fallback.next_call(call, response, body, raw)
        if following is None:
            self._check_count(call, body, raw)
            return None
        return self._after_last(call, raw) or following

    def other_origin(self, response: Response, body: Any) -> str | None:
        """As the fallback."""
        return self.fallback.other_origin(response, body)

    def _check_count(self, call: Call[Any], body: Any, raw: Sequence[Any]) -> None:
        """Compare the last page with the count of the items after the key, which it must hold."""
        total = self.total(body)
        if total is None or total <= len(raw) or not self.grows(call):
            return
        if call.page is not None or any(call.value(name) is not None for name in self.names):
            return  # a page of the fallback: the items before it are counted too
        raise IncompleteError(
            f"the server counts {total} items, but the last page has {len(raw)}",
            expected=total,
            got=len(raw),
        )

    def may_be_past_end(self, page: ResultPage[Any]) -> bool:
        """As the fallback."""
        return self.fallback.may_be_past_end(page)

    def first_call(self, call: Call[T]) -> Call[T]:
        """As the fallback."""
        return self.fallback.first_call(call)

    def calls_ahead(self, call: Call[T], page: ResultPage[T]) -> Sequence[Call[T]]:
        """The next page, whose key is known then."""
        if self.grows(call):
            return () if page.next is None else (page.next,)
        return self.fallback.calls_ahead(call, page)

    def resume_point(self, call: Call[T], page: ResultPage[T]) -> tuple[Call[T], int]:
        """After the last key."""
        following = self._after_last(call, page.raw)
        return self.fallback.resume_point(call, page) if following is None else (following, 0)

    def grows(self, call: Call[Any]) -> bool:
        """Where it is in the order of the key."""
        return self.after(call, 0) is not None

    def consistency_check(self, call: Call[Any]) -> ConsistencyCheck | None:
        """By key nothing shifts."""
        return None if self.grows(call) else self.fallback.consistency_check(call)


def _request(response: Response) -> Request:
    assert response.request is not None  # noqa: S101 - the pipeline sets it
    return response.request


def _path_below(root: str, request: Request) -> str:
    path = request.path
    steps = unquote(path.partition("?")[0]).split("/")
    if not path.startswith(root) or ".." in steps:
        raise OriginError(f"the next page is outside of {root}: {path[:200]!r}")
    return path


def _meta(body: Any, name: str) -> int | None:
    meta = body.get("meta") if isinstance(body, Mapping) else None
    number = meta.get(name) if isinstance(meta, Mapping) else None
    return number if type(number) is int else None


def _number(call: Call[Any], name: str, default: int) -> int:
    """A number in the query that pages it; the text may come from a cursor, which is untrusted."""
    value = call.value(name)
    if value is None and call.page is not None:
        value = dict(parse_qsl(call.page.partition("?")[2])).get(name)
    if value is None:
        return default
    text = str(value)
    if len(text) > _DIGITS:
        raise InputError(f"{name} is too large: {text!r:.40}")
    return int(text) if text.isascii() and text.isdecimal() else default
