"""Client: Call -> Request -> pipeline -> model. The base of Canvas and ABConnect.

A client is one origin, one credential and one scheduler. Views of it (`with_options`) share all
three and differ in how their calls are queued; they own nothing and need no closing.
"""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import random
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar, cast, overload

from attrs import define, evolve

from aioinstructure._types import Lane
from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.config import hashable, is_positive, seconds
from aioinstructure.conversion.converter import shared_converter
from aioinstructure.endpoints.declare import Namespace
from aioinstructure.endpoints.lookup import routes_of
from aioinstructure.endpoints.route import Call, Route, checked_path
from aioinstructure.errors import (
    ClientClosed,
    DecodeError,
    InputError,
    OriginError,
)
from aioinstructure.paging.cursor import Cursor, Place, list_at
from aioinstructure.paging.paginator import Paginator
from aioinstructure.paging.result_page import Check, ResultPage, items_in
from aioinstructure.quota import Cost, Scheduler
from aioinstructure.transport.call_context import (
    CallContext,
    Handler,
    Options,
    Transport,
)
from aioinstructure.transport.pipeline import Components, build
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.params import json_body, query_string, rails_pairs

__all__ = ["Client"]

T = TypeVar("T")

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAFE = _READS | {"PUT", "DELETE"}


@define(eq=False)
class _Core:
    """What a client shares with its views."""

    origin: str
    parts: Components
    handler: Handler
    closed: bool = False


class Client:
    """What Canvas and ABConnect have in common. Make one of those."""

    _base: ClassVar[str] = ""
    _accept: ClassVar[str] = "application/json"

    def __init__(
        self,
        origin: str,
        credential: Credential,
        scheduler: Scheduler,
        transport: Transport,
        *,
        clock: Clock,
        deadline: float | None = None,
    ) -> None:
        parts = Components(transport, scheduler, credential, clock, random.Random())  # noqa: S311 - jitter
        self._core = _Core(origin, parts, build(parts))
        self._set_options(Options(deadline=seconds("deadline", deadline)))
        self._is_view = False
        self._headers = Headers({"accept": self._accept})

    # --- what a user does with it -------------------------------------------------------------

    @property
    def quota(self) -> Scheduler:
        """The scheduler: `.snapshot()`, `.set_rate()`; hand it to another client to share it."""
        return self._core.parts.scheduler

    @property
    def clock(self) -> Clock:
        """Where its seconds come from."""
        return self._core.parts.clock

    @property
    def origin(self) -> str:
        """Scheme, host and port that every request goes to."""
        return self._core.origin

    def with_options(
        self,
        *,
        lane: Lane | None = None,
        flow: Hashable = None,
        weight: float | None = None,
        deadline: float | None = None,
    ) -> Self:
        """A view of this client that queues its calls differently; what is left out stays.

        Args:
            lane: "interactive" calls go first, "background" ones last.
            flow: Calls of one flow keep their order; flows of a lane share it by weight.
            weight: The share of the flow, above 0.
            deadline: Seconds for queueing, attempts and body of one call or page together.

        Raises:
            InputError: Another lane, a flow that cannot be hashed, a number that is not above 0.
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
        return self._view(evolve(self._options, **changes))

    def _view(self, options: Options) -> Self:
        view = self._copy(options)
        for name in self._namespace_types():  # made by the view's own, on first use
            view.__dict__.pop(name, None)
        return view

    def _copy(self, options: Options) -> Self:
        view = copy.copy(self)
        view._set_options(options)
        view._is_view = True
        return view

    def _set_options(self, options: Options) -> None:
        self._options = options
        # Who names no flow is one: each view for its single calls, and each list.
        self._queued_as = options if options.flow is not None else evolve(options, flow=object())

    def _list(self, call: Call[T], place: Place | None = None) -> Paginator[T]:
        source = self if self._options.flow is not None else self._copy(self._options)
        return Paginator(source, call, place=place)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """Send what the library has no method for: judged, retried and throttled like the rest.

        Args:
            method: The HTTP verb.
            path: Below the origin, encoded, such as "/api/v1/some/new/endpoint".
            params: The query: lists as `a[]=1`, dicts as `a[b]=1`, None left out.
            json: The body.
            idempotent: Whether it may be repeated; by default GET, HEAD, PUT and DELETE.

        Raises:
            InputError: A verb, path or value that cannot be sent as it is; nothing was sent.
            Error: Whatever became of it, as for all calls; see `aioinstructure.errors`.
        """
        if not (isinstance(method, str) and method.isascii() and method.isalpha()):
            raise InputError(f"no HTTP verb: {method!r}")
        method = method.upper()
        path = checked_path(path)
        params = {} if params is None else params
        if not isinstance(params, Mapping):
            raise InputError(f"params must be a mapping, not {params!r:.100}")
        if query := query_string(p for n, v in params.items() for p in rails_pairs(str(n), v)):
            path = f"{path}{'&' if '?' in path else '?'}{query}"
        body = None if json is None else json_body(json)
        safe = method in _SAFE if idempotent is None else idempotent
        return await self._send(self._request(method, path, body, "", safe), self._cost(path, ""))

    @overload
    def resume(self, cursor: Cursor[T]) -> Paginator[T]: ...
    @overload
    def resume(self, cursor: str) -> Paginator[Any]: ...
    def resume(self, cursor: str) -> Paginator[Any]:
        """Go on with a list behind a cursor, in another process too.

        At least once: items that moved on the page meanwhile may come again, and by `await` and
        `.pages()` the page that the cursor is in comes whole. A list of `on_change="restart"` that
        changes while it is gone on with begins at its very start, before the cursor. Where another
        list of AB Connect no longer has the item before the cursor at its place, the loop raises
        IncompleteError: some might be lost from there on.

        Raises:
            InputError: It is no cursor, or one of another service, user or endpoint.
        """
        place = Place.decode(cursor)
        if place.origin != self.origin:
            raise InputError(f"the cursor belongs to {place.origin}, not to {self.origin}")
        self._check_user(place)
        route = list_at(place, routes_of(type(self)))
        return self._list(Call(route, place.path, on_change=place.on_change), place)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that the client has opened; further calls raise ClientClosed.

        An injected session stays open. Closing a view does nothing.
        """
        if not self._is_view:
            self._core.closed = True
            await self._core.parts.transport.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.origin}>"

    # --- namespaces, made on first use ---------------------------------------------------------

    @classmethod
    @functools.cache
    def _namespace_types(cls) -> dict[str, tuple[str, str]]:
        """Attribute names with module and name of their classes: the client class's annotations.

        A resource of ours stands in the module of its name, beside the client's.
        """
        return {
            name: (_module_of(base.__module__, name), text)
            for base in reversed(cls.__mro__)
            if base is not Client and issubclass(base, Client)
            for name, text in inspect.get_annotations(base).items()
            if not name.startswith("_") and _is_namespace(base.__module__, text)
        }

    @classmethod
    def namespaces(cls) -> Iterator[tuple[str, type[Namespace]]]:
        """The resources of this client: attribute name and class."""
        for name, (module, text) in cls._namespace_types().items():
            yield name, getattr(importlib.import_module(module), text)

    def __getattr__(self, name: str) -> Any:
        if found := type(self)._namespace_types().get(name):
            module, text = found
            made = self.__dict__[name] = getattr(importlib.import_module(module), text)(self, name)
            return made
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # --- what namespaces and lists need --------------------------------------------------------

    def list_pages(self, call: Call[Any]) -> Paginator[Any]:
        """The lazy list that a paginated call stands for."""
        return self._list(call)

    async def fetch(self, call: Call[Any]) -> Any:
        """The object that the call gives."""
        response = await self.send(call)
        returns = call.route.returns
        if returns is None:
            return None
        if not response.body and call.route.method == "DELETE":
            return self.converter_for(returns)({})  # gone, and nothing left to tell
        return self._structure(self._json(response), returns, response)

    async def fetch_page(self, call: Call[T]) -> ResultPage[T]:
        """Send the call and take the answer apart."""
        response = await self.send(call)
        assert response.request is not None  # noqa: S101 - the pipeline sets it
        body = self._json(response)
        raw = self._items(body, call.route, response)
        try:
            following = self._next(response.request, response, body)
        except DecodeError as error:
            error.response = response
            raise
        keyed = self._behind(call, raw)
        after = None
        if following is not None:
            after = keyed or self._after(call, self._path_of(following), body)
        place = after or keyed
        return ResultPage(
            raw=raw,
            response=response,
            total=self._total(body),
            next=after,
            cursor=Cursor(self.place_of(place, 0, None).encode()) if place else None,
            structure=self.converter_for(call.route.returns),
        )

    def place_of(self, call: Call[Any], skip: int, last_id: Any) -> Place:
        """What a cursor in this page says."""
        user = self._options.as_user
        return Place(self.origin, call.route.name, call.path, skip, last_id, user, call.on_change)

    def converter_for(self, tp: Any) -> Callable[[Any], Any]:
        """The function that makes a raw value a model, or raises DecodeError."""
        return shared_converter().maker(tp)

    def ahead_of(self, call: Call[T], page: ResultPage[T]) -> Sequence[Call[T]]:
        """The calls behind a page that may be made before that page is read, in order."""
        return () if page.next is None else (page.next,)

    def check_of(self, call: Call[Any], place: Place | None) -> Check | None:
        """What notices that a list changes while it is read: nothing, unless a service says."""
        return None

    async def send(self, call: Call[Any]) -> Response:
        """The judged answer to a call."""
        route = call.route
        request = self._request(
            route.method, self._base + call.path, call.body, route.name, route.idempotent
        )
        return await self._send(request, self._cost(call.path, route.name))

    async def _send(self, request: Request, cost: Cost) -> Response:
        if self._core.closed:  # not first a place in the queue, and then the transport's no
            raise ClientClosed("the client is closed")
        return await self._core.handler(CallContext(request, self._queued_as, cost))

    def _request(
        self, method: str, path: str, body: bytes | None, route: str, idempotent: bool
    ) -> Request:
        headers = self._headers
        if body is not None:
            headers = headers.with_field("content-type", "application/json")
        return Request(method, self.origin + path, headers, body, route, idempotent)

    def _json(self, response: Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            kind = response.headers.get("content-type", "no content type")
            what = f"{len(response.body)} bytes of {kind}" if response.body else "an empty body"
            raise DecodeError(f"no JSON but {what}", response=response) from error

    def structure(self, response: Response, tp: type[T]) -> T:
        """The body of an answer as a model; for calls that were made by `request`.

        Raises:
            DecodeError: It is no JSON, or not what the model says.
        """
        return cast("T", self._structure(self._json(response), tp, response))

    def _structure(self, value: Any, tp: Any, response: Response) -> Any:
        try:
            return self.converter_for(tp)(value)
        except DecodeError as error:
            error.response = response
            raise

    def _path_of(self, request: Request) -> str:
        path = request.path
        if not path.startswith(f"{self._base}/"):
            raise OriginError(f"the next page lies outside of {self._base}/: {path[:200]!r}")
        return path.removeprefix(self._base)

    # --- what the services differ in -------------------------------------------------------------

    def _cost(self, path: str, route: str) -> Cost:
        return _cost_of(route)

    def _items(self, body: Any, route: Route, response: Response) -> list[Any]:
        """The items of a page."""
        return items_in(body, route.items, response)

    def _next(self, request: Request, response: Response, body: Any) -> Request | None:
        raise NotImplementedError

    def _after(self, call: Call[T], path: str, body: Any) -> Call[T]:
        """The call for the next page, where its link says that it is."""
        return call.at(path)

    def _behind(self, call: Call[T], raw: list[Any]) -> Call[T] | None:
        """The call for what lies behind a page by key instead of by link, where lists allow it."""
        return None

    def _total(self, body: Any) -> int | None:
        raise NotImplementedError

    def _check_user(self, place: Place) -> None:
        """Raise InputError for a cursor that acts for somebody else than this client."""
        if place.as_user is not None:
            raise InputError("the cursor belongs to another as_user")


@functools.lru_cache(maxsize=1024)
def _cost_of(route: str) -> Cost:
    return Cost(key=route)


def _module_of(module: str, name: str) -> str:
    if module.startswith(f"{__package__}."):
        return f"{module.rpartition('.')[0]}.{name}"
    return module


def _is_namespace(module: str, text: Any) -> bool:
    """Whether an annotation names a resource; our own modules have no others, and load late."""
    if not isinstance(text, str) or module.startswith(f"{__package__}."):
        return isinstance(text, str)
    found = getattr(sys.modules[module], text, None)
    return isinstance(found, type) and issubclass(found, Namespace)
