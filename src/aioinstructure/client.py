"""Client: Call -> Request -> pipeline -> model. The base of Canvas and ABConnect.

A client is one origin, one credential and one scheduler. Views of it (`with_options`) share all
three and differ in how their calls are queued; they own nothing and need no closing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar, cast, get_origin, overload

from attrs import define, evolve, field

from aioinstructure._suggest import suggestion
from aioinstructure._types import Lane, OnChange
from aioinstructure.clock import Clock
from aioinstructure.config import hashable, is_positive, seconds
from aioinstructure.conversion.annotations import is_optional
from aioinstructure.conversion.model import Model
from aioinstructure.conversion.shared import converter_for
from aioinstructure.endpoints.lookup import namespace_type, namespaces_of, route_of
from aioinstructure.endpoints.route import Call, Route, Verb, checked_path
from aioinstructure.errors import ClientClosed, DecodeError, InputError, ResponseError
from aioinstructure.paging.cursor import Cursor, CursorState
from aioinstructure.paging.page_source import LinkNotice, PageSource
from aioinstructure.paging.pagers import LinkHeaderPager, Pager
from aioinstructure.paging.paginator import Paginator
from aioinstructure.paging.reading_options import OnBadItem, ReadingOptions
from aioinstructure.quota import Cost, Scheduler
from aioinstructure.transport.call_context import AnonymousFlow, CallContext, Handler, Options
from aioinstructure.transport.pipeline import Components, build
from aioinstructure.wire.links import reserved_names
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.params import (
    Query,
    checked_headers,
    form_body,
    json_body,
    query_string,
    rails_pairs,
)
from aioinstructure.wire.redact import shown
from aioinstructure.wire.responses import decoded_json, error_messages

__all__ = ["Client"]

T = TypeVar("T")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@define(eq=False)
class _Core:
    """What a client shares with its views."""

    origin: str
    components: Components
    handler: Handler
    closed: bool = False
    link_notice: LinkNotice = field(factory=LinkNotice)


class Client:
    """What Canvas and ABConnect have in common. Make one of those.

    A service sets the class variables: the usual pager, the secondary quota bucket of a call, and
    the media type of its responses.
    """

    _accept: ClassVar[str] = "application/json"
    _pager: ClassVar[Pager] = LinkHeaderPager()

    _fixed_query: Query = ()
    """Pairs that every request of this view has, such as the user that it acts as."""

    _reading = ReadingOptions()
    """How the lists of this view are read."""

    _is_view = False

    def __init__(self, origin: str, components: Components, deadline: float | None = None) -> None:
        self._core = _Core(origin, components, build(components))
        self._options = Options(deadline=seconds("deadline", deadline))
        self._queued_as = _with_flow(self._options)
        self._headers = Headers({"accept": self._accept})

    @property
    def quota(self) -> Scheduler:
        """The scheduler: `.snapshot()`, `.set_rate()`; give it to another client to share it."""
        return self._core.components.scheduler

    @property
    def clock(self) -> Clock:
        """The clock that the client uses."""
        return self._core.components.clock

    @property
    def origin(self) -> str:
        """Scheme, host and port that every request goes to."""
        return self._core.origin

    @property
    def deadline(self) -> float | None:
        """Seconds for one call or page, queueing and attempts together; None for no limit."""
        return self._options.deadline

    def with_options(
        self,
        *,
        lane: Lane | None = None,
        flow: Hashable = None,
        weight: float | None = None,
        deadline: float | None = None,
        on_bad_item: OnBadItem | None = None,
        on_change: OnChange | None = None,
    ) -> Self:
        """A view of this client with other options. Omitted ones keep their values.

        Args:
            lane: "interactive" calls go first, "background" ones last.
            flow: Calls of one flow keep their order; flows of a lane share it by weight.
            weight: The share of the flow, above 0.
            deadline: Seconds for queueing, attempts and body of one call or page together.
            on_bad_item: What lists do with an item that is not what its model says: "raise" (the
                `cursor` of the error lies after it), "skip" with a warning in the log, or a function
                that is called with a `BadItem`. The others are yielded.
            on_change: What lists do if they change while they are read: "raise" or "restart", which
                skips what was yielded. Canvas's lists, which have no count, are then checked for
                items that come twice; the ids of all items are kept for that.

        Raises:
            InputError: Another lane, a flow that cannot be hashed, a number that is not above 0, a
                value that is none of an option.
        """
        changes: dict[str, Any] = {}
        if lane is not None:
            if lane not in ("interactive", "bulk", "background"):
                raise InputError(f"lane must be interactive, bulk or background, not {lane!r}")
            changes["lane"] = lane
        if flow is not None:
            changes["flow"] = hashable("flow", flow)
        if weight is not None:
            if not is_positive(weight):
                raise InputError(f"weight must be a number above 0, not {weight!r}")
            changes["weight"] = weight
        if deadline is not None:
            changes["deadline"] = seconds("deadline", deadline)
        return self._view(
            _options=evolve(self._options, **changes),
            _reading=self._reading.changed(on_bad_item, on_change),
        )

    def _view(self, **attributes: Any) -> Self:
        view = self._copy(**attributes)
        for name in namespaces_of(type(self)):  # the view makes its own, on first use
            view.__dict__.pop(name, None)
        return view

    def _copy(self, **attributes: Any) -> Self:
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__, _is_view=True, **attributes)
        view.__dict__["_queued_as"] = _with_flow(view.__dict__["_options"])
        return view

    def _list(self, call: Call[T], state: CursorState | None = None) -> Paginator[T]:
        view = self if self._options.flow is not None else self._copy()
        source = PageSource(
            view.send,
            self.origin,
            self._fixed_query,
            self._pager,
            self._core.link_notice,
            self._reading,
        )
        return Paginator(source, call, state=state)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | Sequence[Any] | None = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """Send a request that has no method here, checked, retried and throttled like the others.

        Args:
            method: The HTTP method.
            path: Below the origin, percent-encoded, such as "/api/v1/some/new/endpoint".
            params: The query: lists as `a[]=1`, dicts as `a[b]=1`, None is not sent. Names may
                have their brackets, as in "include[]".
            json: The body. Names with brackets are nested: "course[name]".
            form: The body as a form, instead of `json`; as `params`.
            headers: Header fields in addition, such as another Accept.
            idempotent: Whether it may be repeated; by default GET, HEAD, PUT and DELETE.

        Raises:
            InputError: A method, path or value that cannot be sent; nothing was sent.
            Error: The call failed; see `aioinstructure.errors`.
        """
        if not (isinstance(method, str) and method.isascii() and method.isalpha()):
            raise InputError(f"not an HTTP method: {method!r}")
        method = method.upper()
        safe = method in _SAFE if idempotent is None else idempotent
        call = self._raw_call(method, path, params, Any, idempotent=safe)
        added = () if headers is None else checked_headers(headers)
        if json is not None and form is not None:
            raise InputError("a request has one body: give either json= or form=")
        if json is not None:
            call = evolve(call, body=json_body(json))
        if form is not None:
            call = evolve(call, body=form_body(form))
            added = (("content-type", "application/x-www-form-urlencoded"), *added)
        return await self.send(evolve(call, headers=added) if added else call)

    @overload
    def paginate(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        items: str = "",
        cursor: str | None = None,
    ) -> Paginator[dict[str, Any]]: ...
    @overload
    def paginate(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        model: type[T],
        items: str = "",
        cursor: str | None = None,
    ) -> Paginator[T]: ...
    def paginate(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        model: type[Any] | None = None,
        items: str = "",
        cursor: str | None = None,
    ) -> Paginator[Any]:
        """A list that the library has no method for, paged and resumable like the others.

        Args:
            path: Below the origin, percent-encoded, such as "/api/v1/some/new/list".
            params: The query: lists as `a[]=1`, dicts as `a[b]=1`, None is not sent.
            model: What the items become, such as a `Model` of yours; by default the JSON itself.
            items: Where the items are in the body, as a dotted path. By default the body is the
                list, and on AB Connect its `data`.
            cursor: The position of an earlier list of the same path and parameters.

        Raises:
            InputError: A path or value that cannot be sent, or a cursor of another list.
        """
        if model is not None and not isinstance(model, type) and get_origin(model) is None:
            raise InputError(f"model must be a class, not {model!r:.100}")
        call = self._raw_call("GET", path, params, model or Any, items=items, paginated=True)
        if cursor is None:
            return self._list(call)
        state = CursorState.decode(cursor, self.origin, "path")
        self._check_fixed(state)
        pager = self._pager
        start = pager.first_call(evolve(call, query=state.query))
        if dict(state.arguments) != {"path": path} or start.query != call.query:
            raise InputError("the cursor was made with another path or other parameters")
        return self._list(state.call(call.route, pager.names), state)

    def _raw_call(
        self,
        method: Any,
        path: str,
        params: Mapping[str, Any] | None,
        returns: Any,
        *,
        items: str = "",
        paginated: bool = False,
        idempotent: bool = True,
    ) -> Call[Any]:
        """A call of a path that has no operation."""
        if params is not None and not isinstance(params, Mapping):
            raise InputError(f"params must be a mapping, not {params!r:.100}")
        if not isinstance(items, str):
            raise InputError(f"items must be a dotted path, not {items!r:.100}")
        if "{" in str(path) or "}" in str(path):
            raise InputError(f"braces in a path must be percent-encoded: {path!r:.200}")
        route = _raw_route(method, checked_path(path), returns, items, paginated, idempotent)
        if not params and "?" not in path:
            return Call(route)
        given = {} if params is None else params
        pairs = [pair for name, value in given.items() for pair in rails_pairs(str(name), value)]
        call: Call[Any] = Call(route, (), tuple(pairs))
        for name in reserved_names(call.target):
            if name != "as_user_id":  # errors, logs and cursors show the query
                raise InputError(f"{name} is set by the client: leave it out")
        return call

    @overload
    def resume(self, cursor: Cursor[T]) -> Paginator[T]: ...
    @overload
    def resume(self, cursor: str) -> Paginator[Any]: ...
    def resume(self, cursor: str) -> Paginator[Any]:
        """Continue a list after a cursor, in another process too.

        At least once: items may be yielded again if the page has changed since. If none of the
        items read last is on its page any more, the loop raises IncompleteError, since items might
        be lost. With `on_change="restart"` the list then starts again from its first item.

        Raises:
            InputError: It is no cursor, or one of another version, service, user or operation.
        """
        state = CursorState.decode(cursor, self.origin)
        self._check_fixed(state)
        route = route_of(type(self), state.route)
        pager: Pager = route.pager or self._pager
        return self._list(state.call(route, pager.names), state)

    def _check_fixed(self, state: CursorState) -> None:
        if state.fixed != tuple((name, str(value)) for name, value in self._fixed_query):
            if not state.fixed:
                raise InputError(
                    "the cursor was made without as_user(): resume it with that client"
                )
            theirs = ", ".join(f"{name}={value}" for name, value in state.fixed)
            raise InputError(
                f"the cursor was made by a view with {theirs}: resume it with that view"
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that the client has opened. Calls that wait raise ClientClosed.

        An injected session stays open. Closing a view does nothing.
        """
        if not self._is_view:
            self._core.closed = True
            self._core.components.scheduler.dismiss(self._core.components.transport)
            await self._core.components.transport.close()

    def __repr__(self) -> str:
        core = self.__dict__.get("_core")
        if core is None:  # its constructor has failed
            return f"<{type(self).__name__}>"
        usual = Options()
        options = self._options
        shown = [f"{name}={value!r}" for name, value in self._fixed_query]
        shown += [
            f"{name}={getattr(options, name)!r}"
            for name in ("lane", "flow", "weight", "deadline")
            if getattr(options, name) != getattr(usual, name)
        ]
        closed = " (closed)" if core.closed else ""
        return " ".join([f"<{type(self).__name__} {core.origin}", *shown]) + f"{closed}>"

    def __copy__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied: use with_options() for a view of it")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied: use with_options() for a view of it")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be pickled: make a client in each process")

    if not TYPE_CHECKING:  # a checker sees the annotated namespaces, and nothing else

        def __getattr__(self, name: str) -> Any:
            known = namespaces_of(type(self))
            if name in known:
                made = self.__dict__[name] = namespace_type(type(self), name)(self, name)
                return made
            hint = "" if name.startswith("_") else suggestion(name, known)
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *namespaces_of(type(self))})

    def list_pages(self, call: Call[Any]) -> Paginator[Any]:
        """The lazy list that a paginated call returns."""
        return self._list(call)

    async def fetch(self, call: Call[Any]) -> Any:
        """The object that the call returns."""
        response = await self.send(call)
        returns = call.route.returns
        if returns is None:
            return None
        if returns is bytes:
            return response.body
        if returns is str and "json" not in response.headers.get("content-type", "").lower():
            return response.text
        if not response.body and call.route.method != "GET":
            return _nothing(returns)
        return self.structure(response, returns)

    async def send(self, call: Call[Any]) -> Response:
        """Send a call and return its response, if it is a success; anything else is raised."""
        core = self._core
        if core.closed:  # before it takes a place in the queue
            raise ClientClosed("the client is closed")
        cost = _cost(call.route.name or call.route.path, self._bucket_of(call))
        context = CallContext(self._request(call), self._queued_as, cost)
        context.expects_json = call.route.expects_json
        try:
            return await core.handler(context)
        except ResponseError as error:
            raise error.with_traceback(None)  # noqa: B904 - as in `Namespace`

    def _bucket_of(self, call: Call[Any]) -> str:
        """The secondary quota bucket that a call also takes from; "" for none."""
        return ""

    def _request(self, call: Call[Any]) -> Request:
        route = call.route
        target = call.target
        if self._fixed_query:
            target = self._with_fixed_query(target)
        headers = self._headers
        if call.body is not None:
            headers = headers.with_field("content-type", "application/json")
        if route.returns in (bytes, str):
            headers = headers.with_field("accept", "*/*")
        for name, value in call.headers:
            headers = headers.with_field(name, value)
        return Request(
            route.method, self.origin + target, headers, call.body, route.name, route.idempotent
        )

    def _with_fixed_query(self, target: str) -> str:
        if names := reserved_names(target):
            raise InputError(f"{names[0]} is set by the client: leave it out")
        return f"{target}{'&' if '?' in target else '?'}{query_string(self._fixed_query)}"

    def structure(self, response: Response, tp: type[T]) -> T:
        """The body of a response as a model; for calls that were made by `request`.

        Raises:
            DecodeError: It is no JSON, or not what the model says.
        """
        body = decoded_json(response)
        try:
            found = converter_for(tp)(body)
        except DecodeError as error:
            error.response = response
            raise
        # All fields have defaults, so that any other object would become an empty model.
        is_read = response.request is not None and response.request.method == "GET"
        if is_read and isinstance(found, Model) and found.is_empty():
            says = "; ".join(error_messages(response)) or shown(response.text, 200)
            raise DecodeError(f"the response has no {tp.__name__}: {says}", response=response)
        return cast("T", found)


def _nothing(returns: Any) -> Any:
    """The result of a write that is done, and about which nothing was sent."""
    if is_optional(returns):
        return None
    return [] if get_origin(returns) is list else converter_for(returns)({})


def _with_flow(options: Options) -> Options:
    """Without a named flow, each view is one for its single calls, and each list is one."""
    return options if options.flow is not None else evolve(options, flow=AnonymousFlow())


@functools.lru_cache(maxsize=256)
def _raw_route(
    method: Verb, path: str, returns: Any, items: str, paginated: bool, idempotent: bool
) -> Route:
    return Route(
        method=method,
        path=path,
        name="",
        parameters=(),
        returns=returns,
        paginated=paginated,
        idempotent=idempotent,
        items=tuple(items.split(".")) if items else (),
    )


@functools.lru_cache(maxsize=1024)
def _cost(route: str, bucket: str) -> Cost:
    if "/" in route:  # paths that differ only in segments with a digit, such as ids, are one route
        route = re.sub(r"[^/]*\d[^/]*", "*", route.partition("?")[0])
    return Cost(route, bucket=bucket)
