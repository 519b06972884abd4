"""Client: Call -> Request -> pipeline -> model. The base of Canvas and ABConnect.

A client is one origin, one credential and one scheduler. Views of it (`with_options`) share all
three and differ in how their calls are queued; they own nothing and need no closing.
"""

from __future__ import annotations

import copy
import functools
import inspect
import ipaddress
import os
import random
import re
import ssl as tls
import sys
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast, overload
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from aioinstructure._types import Lane
from aioinstructure.clock import Clock
from aioinstructure.convert import Converter
from aioinstructure.endpoint import Call, Namespace, Route, routes_of
from aioinstructure.errors import (
    ConfigurationError,
    DecodeError,
    InputError,
    OriginError,
)
from aioinstructure.paging import Check, Cursor, Page, Pages, Place, items_in
from aioinstructure.quota import Cost, Scheduler
from aioinstructure.transport.exchange import Exchange, Handler, Options, Transport
from aioinstructure.transport.http import USER_AGENT, HttpTransport
from aioinstructure.transport.pipeline import Parts, build
from aioinstructure.wire.auth import Credential, scrub
from aioinstructure.wire.link import origin_of
from aioinstructure.wire.message import Headers, Request, Response
from aioinstructure.wire.params import json_body, query_string, rails_pairs

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Client"]

T = TypeVar("T")

_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ENCODED = re.compile(r"[!\"$-~]*")
"""What a path and its query may be made of: ASCII without blanks and control characters, and #."""
_SAFE = _READS | {"PUT", "DELETE"}


@frozen(eq=False)
class _Core:
    """What a client shares with its views."""

    origin: str
    parts: Parts
    handler: Handler
    converter: Converter = field(factory=Converter)
    hooks: dict[Any, Callable[[Any], Any]] = field(factory=dict)


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
        parts = Parts(transport, scheduler, credential, clock, random.Random())  # noqa: S311 - jitter
        self._core = _Core(origin, parts, build(parts))
        self._set_options(Options(deadline=_seconds("deadline", deadline)))
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
        """
        changes: dict[str, Any] = {}
        if lane is not None:
            if lane not in ("interactive", "bulk", "background"):
                raise InputError(f"lane must be interactive, bulk or background, not {lane!r}")
            changes["lane"] = lane
        if flow is not None:
            if not isinstance(flow, Hashable):
                raise InputError(f"flow must be hashable, not {flow!r}")
            changes["flow"] = flow
        if weight is not None:
            if not _is_positive(weight):
                raise InputError(f"weight must be a number above 0, not {weight!r}")
            changes["weight"] = weight
        if deadline is not None:
            changes["deadline"] = _seconds("deadline", deadline)
        return self._view(evolve(self._options, **changes))

    def _view(self, options: Options) -> Self:
        view = copy.copy(self)
        view._set_options(options)
        view._is_view = True
        for name in self._namespace_types():  # made by the view's own, on first use
            view.__dict__.pop(name, None)
        return view

    def _set_options(self, options: Options) -> None:
        self._options = options
        # Who names no flow is one: each view for its single calls, and each list.
        self._queued_as = options if options.flow is not None else evolve(options, flow=object())

    def _list(self, call: Call[T], place: Place | None = None) -> Pages[T]:
        source = self if self._options.flow is not None else self._view(self._options)
        return Pages(source, call, place=place)

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
        """
        method = method.upper()
        if not (method.isascii() and method.isalpha()):
            raise InputError(f"no HTTP verb: {method!r}")
        path = _checked_path(path)
        if query := query_string(p for n, v in (params or {}).items() for p in rails_pairs(n, v)):
            path = f"{path}{'&' if '?' in path else '?'}{query}"
        body = None if json is None else json_body(json)
        safe = method in _SAFE if idempotent is None else idempotent
        return await self._send(self._request(method, path, body, "", safe), self._cost(path, ""))

    @overload
    def resume(self, cursor: Cursor[T]) -> Pages[T]: ...
    @overload
    def resume(self, cursor: str) -> Pages[Any]: ...
    def resume(self, cursor: str) -> Pages[Any]:
        """Go on with a list behind a cursor, in another process too.

        At least once: items that moved on the page meanwhile may come again.

        Raises:
            InputError: It is no cursor, or one of another service, user or endpoint.
        """
        place = Place.decode(cursor)
        if place.origin != self.origin:
            raise InputError(f"the cursor belongs to {place.origin}, not to {self.origin}")
        self._check_user(place)
        if scrub(place.path) != place.path:
            raise InputError("the cursor holds a credential")
        route = next((r for r in routes_of(type(self)) if r.name == place.route), None)
        if route is None or not route.paginated:
            raise InputError(f"the cursor is of {place.route!r}, which is no list of this client")
        if not route.matches(_checked_path(place.path)):
            raise InputError(f"the cursor's path is none of {route.name}: {place.path[:200]!r}")
        return self._list(Call(route, place.path), place)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that the client has opened. Views and injected sessions stay."""
        if not self._is_view:
            await self._core.parts.transport.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.origin}>"

    # --- namespaces, made on first use ---------------------------------------------------------

    @classmethod
    @functools.cache
    def _namespace_types(cls) -> dict[str, tuple[str, str]]:
        """Attribute names with module and name of their classes: the client class's annotations."""
        return {
            name: (base.__module__, text)
            for base in reversed(cls.__mro__)
            if base is not Client and issubclass(base, Client)
            for name, text in inspect.get_annotations(base).items()
            if not name.startswith("_") and _is_namespace(base.__module__, text)
        }

    @classmethod
    def namespaces(cls) -> Iterator[tuple[str, type[Namespace]]]:
        """The resources of this client: attribute name and class."""
        for name, (module, text) in cls._namespace_types().items():
            yield name, getattr(sys.modules[module], text)

    def __getattr__(self, name: str) -> Any:
        if found := type(self)._namespace_types().get(name):
            module, text = found
            made = self.__dict__[name] = getattr(sys.modules[module], text)(self, name)
            return made
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # --- what namespaces and lists need --------------------------------------------------------

    def list_pages(self, call: Call[Any]) -> Pages[Any]:
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

    async def fetch_page(self, call: Call[T]) -> Page[T]:
        """Send the call and take the answer apart."""
        response = await self.send(call)
        assert response.request is not None  # noqa: S101 - the pipeline sets it
        body = self._json(response)
        raw = self._items(body, call.route, response)
        following = self._next(response.request, response, body)
        keyed = self._behind(call, raw)
        after = None
        if following is not None:
            after = keyed or self._after(call, self._path_of(following), body)
        place = after or keyed
        return Page(
            raw=raw,
            response=response,
            total=self._total(body),
            next=after,
            cursor=Cursor(self.place_of(place, 0, None).encode()) if place else None,
            structure=self.converter_for(call.route.returns),
        )

    def place_of(self, call: Call[Any], skip: int, last_id: Any) -> Place:
        """What a cursor in this page says."""
        options = self._options
        return Place(self.origin, call.route.name, call.path, skip, last_id, options.as_user)

    def converter_for(self, tp: Any) -> Callable[[Any], Any]:
        """The function that makes a raw value a model, or raises DecodeError."""
        hooks = self._core.hooks
        if tp not in hooks:
            structure = self._core.converter.structure
            hooks[tp] = lambda value: structure(value, tp)
        return hooks[tp]

    def ahead_of(self, call: Call[T], page: Page[T]) -> Sequence[Call[T]]:
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
        return await self._core.handler(Exchange(request, self._queued_as, cost))

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
        """The body of an answer as a model; for calls that were made by `request`."""
        return cast("T", self._structure(self._json(response), tp, response))

    def _structure(self, value: Any, tp: Any, response: Response) -> Any:
        if value is None:  # within a model null may stand for an empty one, but not for all of it
            raise DecodeError("the body is null", response=response)
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
        return Cost(key=route)

    def _items(self, body: Any, route: Route, response: Response) -> list[Any]:
        """The items of a page."""
        return items_in(body, route.items, response)

    def _next(self, request: Request, response: Response, body: Any) -> Request | None:
        raise NotImplementedError

    def _after(self, call: Call[T], path: str, body: Any) -> Call[T]:
        """The call for the next page, where its link says that it is."""
        return Call(call.route, path)

    def _behind(self, call: Call[T], raw: list[Any]) -> Call[T] | None:
        """The call for what lies behind a page by key instead of by link, where lists allow it."""
        return None

    def _total(self, body: Any) -> int | None:
        raise NotImplementedError

    def _check_user(self, place: Place) -> None:
        """Raise InputError for a cursor that acts for somebody else than this client."""
        if place.as_user is not None:
            raise InputError("the cursor belongs to another as_user")


def _is_namespace(module: str, text: Any) -> bool:
    """Whether an annotation names a resource; our own modules have no others, and load late."""
    if not isinstance(text, str) or module.startswith(f"{__package__}."):
        return isinstance(text, str)
    found = getattr(sys.modules[module], text, None)
    return isinstance(found, type) and issubclass(found, Namespace)


def _seconds(name: str, value: float | None) -> float | None:
    if value is not None and not _is_positive(value):
        raise InputError(f"{name} must be seconds above 0, not {value!r}")
    return value


def _is_positive(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < float("inf")


def _checked_path(path: str) -> str:
    """The path, if it can be sent as it is."""
    if not path.startswith("/") or path.startswith("//"):
        raise InputError(f"a path begins with one slash: {path[:200]!r}")
    if not _ENCODED.fullmatch(path):
        raise InputError(f"the path must be percent-encoded: {path[:200]!r}")
    return path


def http_transport(
    *,
    session: aiohttp.ClientSession | None,
    user_agent: str | None,
    timeout: float,
    ssl: tls.SSLContext | None,
    proxy: str | None,
    trust_env: bool,
) -> HttpTransport:
    """The transport of a client that was not given one."""
    agent = USER_AGENT if user_agent is None else user_agent.strip()
    if not agent or not agent.isprintable():
        raise ConfigurationError(f"user_agent must be printable text, not {user_agent!r}")
    if ssl is not None and not isinstance(ssl, tls.SSLContext):
        raise ConfigurationError("ssl must be an ssl.SSLContext: certificates are always verified")
    return HttpTransport(
        session=session,
        headers={"User-Agent": agent},
        timeout=_seconds("timeout", timeout) or 0.0,
        ssl=ssl,
        proxy=proxy,
        trust_env=trust_env,
    )


def checked_origin(url: str, *, allow_http: bool, base: str = "") -> str:
    """The origin of a URL that a user gave.

    Raises:
        ConfigurationError: It is no origin, or plain http to a host that is not loopback.
    """
    if not isinstance(url, str) or not url.strip():
        raise ConfigurationError("the URL is missing")
    # Users and queries may be credentials: they are shown nowhere.
    shown = re.sub(r"(//)[^/]*@", r"\1...@", re.split(r"[?#]", url)[0])
    more = f", or that and {base}" if base else ""
    wrong = ConfigurationError(f"the URL must be an origin such as https://host{more}: {shown!r}")
    try:
        origin = origin_of(url)
    except InputError:
        raise wrong from None
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"the URL must not hold a user or password: {parts.hostname}")
    if parts.path.rstrip("/") not in ("", base) or "?" in url or "#" in url:
        raise wrong
    if not _HOST.fullmatch(parts.hostname or ""):
        raise wrong
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        if not allow_http:
            raise ConfigurationError(f"plain http would show the credential to all: {origin}")
        warnings.warn(f"plain http shows the credential to all: {origin}", stacklevel=3)
    return origin


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def from_environment(name: str, default: str = "") -> str:
    """The value of an environment variable.

    Raises:
        ConfigurationError: It is not set, or empty, and there is no default.
    """
    value = os.environ.get(name, "").strip() or default
    if not value:
        raise ConfigurationError(f"the environment variable {name} is not set")
    return value
