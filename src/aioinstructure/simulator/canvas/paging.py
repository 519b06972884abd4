"""Canvas's pages and Link headers, independent of resources.

A numbered (ordinal) list has links to all its pages; one without a count has no `last` before the
last page. A bookmarked list only knows where the
current page starts: it has no `prev`, and no `last` before the last page. An invalid token gives
the first page of a bookmarked list, but 404 on a numbered one.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from attrs import frozen

from aioinstructure.simulator.http.parsing import Pairs, last, rails_query, ruby_to_i

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aioinstructure.simulator.knobs import Knobs

__all__ = ["BadPageError", "Slice", "bookmark", "cut", "link_header"]

T = TypeVar("T")

_NOT_REPEATED = {"page", "per_page", "access_token", "api_key"}
_LINKS_BYTES = 6144
_EMITTED = ("current", "next", "prev", "first", "last")
_BY_WEIGHT = ("next", "last", "prev", "current", "first")
_TAG = "bookmark:"


class BadPageError(ValueError):
    """An invalid page number."""


@frozen
class Slice:
    """The rows of one page as (start, stop), and the `page` values of its neighbours."""

    start: int
    stop: int
    per_page: int
    tokens: dict[str, str]


def _per_page(pairs: Pairs, knobs: Knobs) -> int:
    """Return the page size. Never an error: a value that is not a number counts as 1."""
    text = last(pairs, "per_page")
    number = knobs.per_page_default if text is None else ruby_to_i(text)
    return min(max(number, 1), knobs.per_page_maximum)


def bookmark(key: Any) -> str:
    """Return the token of the position after a row."""
    text = base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")
    return f"{_TAG}{text}"


def _key(token: str | None) -> Any:
    """Decode a token; None if it is invalid."""
    if token is None or not token.startswith(_TAG):
        return None
    text = token.removeprefix(_TAG)
    try:
        value = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    return value if isinstance(value, int) else None


def cut(
    rows: Sequence[T], pairs: Pairs, knobs: Knobs, *, kind: str, key: Callable[[T], int]
) -> Slice:
    """Select the rows of the requested page.

    Args:
        rows: All rows; for bookmarks in ascending order of `key`.
        pairs: The query.
        knobs: The settings of pages.
        kind: ordinal, without_count or bookmark.
        key: The unique number of a row, such as its id.

    Raises:
        BadPageError: The page of a numbered list is not a positive number.
    """
    per_page = _per_page(pairs, knobs)
    if kind == "bookmark":
        return _bookmarked(rows, last(pairs, "page"), per_page, key)
    has_count = kind == "ordinal" and knobs.last_link
    return _numbered(len(rows), last(pairs, "page"), per_page, knobs, has_count=has_count)


def _bookmarked(
    rows: Sequence[T], token: str | None, per_page: int, key: Callable[[T], int]
) -> Slice:
    after = _key(token)
    start = 0
    if after is None:
        token = "first"  # noqa: S105 -- a page token
    else:
        # By key, not by count: rows added or deleted before the position do not shift it.
        start = next((at for at, row in enumerate(rows) if key(row) > after), len(rows))
    stop = min(start + per_page, len(rows))
    tokens = {"current": str(token), "first": "first"}
    if stop < len(rows):
        tokens["next"] = bookmark(key(rows[stop - 1]))
    else:
        tokens["last"] = tokens["current"]
    return Slice(start, stop, per_page, tokens)


def _numbered(
    count: int, token: str | None, per_page: int, knobs: Knobs, *, has_count: bool
) -> Slice:
    # Without the parameter it is the first page; an empty one is a number, and out of bounds.
    page = 1 if token is None else ruby_to_i(token)
    if page < 1:
        raise BadPageError(token)
    pages = max(1, -(-count // per_page))
    tokens = {"current": str(page), "first": "1"}
    if page > 1:
        tokens["prev"] = str(page - 1)
    if page > pages:
        # After the last page the server no longer knows the total.
        if knobs.endless_next:
            tokens["next"] = str(page + 1)
        return Slice(count, count, per_page, tokens)
    if page < pages:
        tokens["next"] = str(page + 1)
    if has_count or page == pages:
        tokens["last"] = str(pages)
    start = (page - 1) * per_page
    return Slice(start, min(start + per_page, count), per_page, tokens)


def link_header(url: str, pairs: Pairs, part: Slice) -> str:
    """Build the Link header. Beyond 6 KB of URLs the less important links are dropped."""
    kept = rails_query([pair for pair in pairs if pair[0] not in _NOT_REPEATED])
    base = f"{url}?{kept}&" if kept else f"{url}?"
    links: dict[str, str] = {}
    size = 0
    for rel in _BY_WEIGHT:
        if rel not in part.tokens:
            continue
        link = f"{base}page={part.tokens[rel]}&per_page={part.per_page}"  # the colon is not encoded
        size += len(link)
        if size > _LINKS_BYTES:
            break
        links[rel] = link
    return ",".join(f'<{links[rel]}>; rel="{rel}"' for rel in _EMITTED if rel in links)
