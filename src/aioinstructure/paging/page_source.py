"""Where the pages of a list come from: a call is sent, and its response read as a page."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from attrs import define, evolve, field, frozen

from aioinstructure.conversion.shared import converter_for
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError, IncompleteError
from aioinstructure.paging.cursor import CursorState, ids_of
from aioinstructure.paging.pagers import Pager
from aioinstructure.paging.reading_options import ReadingOptions
from aioinstructure.paging.result_page import ResultPage
from aioinstructure.wire.message import Response
from aioinstructure.wire.params import Query
from aioinstructure.wire.redact import shown
from aioinstructure.wire.responses import decoded_json

__all__ = ["LinkNotice", "PageSource"]

T = TypeVar("T")

log = logging.getLogger("aioinstructure.http")


@define
class LinkNotice:
    """Whether a client has logged that links name another origin: once is enough.

    Attributes:
        given: Whether it has.
    """

    given: bool = False


@frozen
class PageSource:
    """Reads the pages of one list.

    Attributes:
        send: Sends a call, queued as the other calls of the list.
        origin: The origin of the client, which cursors are bound to.
        fixed: The pairs that each request of the client has; a cursor names them.
        pager: How lists are paged, unless their operation says otherwise.
        notice: Shared by the lists of a client.
        reading: What lists do with bad items, and when they change.
    """

    send: Callable[[Call[Any]], Awaitable[Response]]
    origin: str
    fixed: Query
    pager: Pager
    notice: LinkNotice
    reading: ReadingOptions = field(factory=ReadingOptions)

    def pager_for(self, call: Call[Any]) -> Pager:
        """How a list is paged."""
        return call.route.pager or self.pager

    async def fetch_page(self, call: Call[T]) -> ResultPage[T]:
        """Send the call and read the page in its response.

        Where the next page is not known, the page says so, since its items are valid. A page
        without items raises the error.

        Raises:
            DecodeError: There is no list; or no item, and the link to the next page is invalid.
            OriginError: The link to the next page is not one that can be followed.
            Error: As for any call.
        """
        response = await self.send(call)
        body = decoded_json(response)
        pager = self.pager_for(call)
        try:
            raw = pager.items(body, call, response)
        except DecodeError as error:
            error.response = response
            raise
        following, next_error = None, None
        try:
            following = pager.next_call(call, response, body, raw)
        except (DecodeError, IncompleteError) as error:
            if isinstance(error, DecodeError):
                error.response = response
            if not raw:
                raise
            next_error = error.with_traceback(None)
        if following is not None:
            self._log_other_origin(pager, response, body)
        page = ResultPage(
            raw=raw,
            response=response,
            total=pager.total(body),
            next=following,
            state=None,
            structure=converter_for(call.route.returns),
            next_error=next_error,
            reading=self.reading,
            route=call.route.name,
        )
        if next_error is None and following is None and not pager.grows(call):
            return page
        point, read = pager.resume_point(call, page) if next_error is None else (call, len(raw))
        return evolve(
            page, state=self.state_for(point, read, ids_of(raw)[:read], len(response.body))
        )

    def _log_other_origin(self, pager: Pager, response: Response, body: Any) -> None:
        if self.notice.given or not log.isEnabledFor(logging.INFO):
            return
        other = pager.other_origin(response, body)
        if other is not None:
            self.notice.given = True
            log.info(
                "a link to a next page names %s: not used, the page is requested from %s"
                " (logged once per client)",
                shown(other, 200),
                self.origin,
            )

    def state_for(
        self, call: Call[Any], read: int, last_ids: tuple[Any, ...], body_length: int = 0
    ) -> CursorState:
        """What a cursor in this page says."""
        route = call.route
        return CursorState(
            origin=self.origin,
            route=route.name,
            arguments=call.arguments if route.name else (("path", route.path),),
            query=call.query,
            page=call.page,
            read=read,
            last_ids=last_ids,
            body_length=0 if last_ids else body_length,
            fixed=self.fixed,
            on_change=call.on_change,
        )
