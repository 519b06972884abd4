"""The client of AB Connect v4.1: costs, pages, orders, reads that are joined."""

from __future__ import annotations

import ssl as tls
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qsl

from attrs import evolve

from aioinstructure.abconnect.json_api.includes import attach_included, with_included
from aioinstructure.abconnect.keyed import behind_last
from aioinstructure.abconnect.whole import (
    WholeList,
    is_by_relevance,
    offset_of,
    offsets_behind,
    with_offset,
    with_unique_sort,
)
from aioinstructure.auth.credentials import Credential, PartnerSignature
from aioinstructure.client import Client
from aioinstructure.clock import Clock
from aioinstructure.config import checked_origin, from_environment, http_transport
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.route import Call, Route
from aioinstructure.errors import ConfigurationError, DecodeError
from aioinstructure.paging.cursor import Cursor, Place, id_of
from aioinstructure.paging.paginator import Paginator
from aioinstructure.paging.result_page import ResultPage, items_in
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.transport.call_context import Transport
from aioinstructure.transport.single_flight import SingleFlight
from aioinstructure.wire.links import next_by_body
from aioinstructure.wire.message import Request, Response

if TYPE_CHECKING:
    import aiohttp

    from aioinstructure.abconnect.asset_collections import AssetCollectionsAPI
    from aioinstructure.abconnect.asset_definitions import AssetDefinitionsAPI
    from aioinstructure.abconnect.assets import AssetsAPI
    from aioinstructure.abconnect.clarifier import ClarifierAPI
    from aioinstructure.abconnect.concepts import ConceptsAPI
    from aioinstructure.abconnect.events import EventsAPI
    from aioinstructure.abconnect.predictions import PredictionsAPI
    from aioinstructure.abconnect.providers import ProvidersAPI
    from aioinstructure.abconnect.standard_collections import StandardCollectionsAPI
    from aioinstructure.abconnect.standards import StandardsAPI
    from aioinstructure.abconnect.topics import TopicsAPI

__all__ = ["BASE", "ORIGIN", "ABConnect"]

BASE: Final = "/rest/v4.1"


class Service(Client):
    """A client that reads and pages as AB Connect wants it. Make an `ABConnect`."""

    _base = BASE
    _single_flight: SingleFlight

    def _cost(self, path: str, route: str) -> Cost:
        return Cost(key=route, wildcard=_is_wildcard(path))

    def _items(self, body: Any, route: Route, response: Response) -> list[Any]:
        # The endpoint of a to-one relationship may answer with an object: a list of one or none.
        one = body.get("data") if isinstance(body, Mapping) else None
        if isinstance(one, Mapping):
            return [one] if one else []
        return items_in(body, ("data",), response)

    def _next(self, request: Request, response: Response, body: Any) -> Request | None:
        return next_by_body(request, body)

    @property
    def base(self) -> str:
        """The path that all of the service is below."""
        return self._base

    def list_pages(self, call: Call[Any]) -> Paginator[Any]:
        """The lazy list that a paginated call stands for, in an order that has no ties."""
        resource = _sorted_resource(call.route)
        if resource is not None:
            call = evolve(call, path=with_unique_sort(call.path, resource))
        return super().list_pages(_shown(call))

    async def fetch(self, call: Call[Any]) -> Any:
        """The object that the call gives."""
        return await super().fetch(_shown(call))

    async def _send(self, request: Request, cost: Cost) -> Response:
        """The judged answer; the same read twice at once, queued alike, is one request."""
        if request.method != "GET":
            try:
                return await super()._send(request, cost)
            finally:
                self._single_flight.forget()  # what was asked for before may be as it was before

        async def send(deadline: float | None) -> Response:
            view = self
            if deadline is not None and deadline != self._options.deadline:
                view = self.with_options(deadline=max(deadline, 0.001))
            return await super(Service, view)._send(request, cost)

        return await self._single_flight.join(request, self._options, send)

    async def fetch_page(self, call: Call[Any]) -> ResultPage[Any]:
        """Send the call and take the answer apart; the cursor behind it overlaps by one item.

        Whoever goes on from there sees whether the list still is what it was, at no call more.
        """
        page = await super().fetch_page(call)
        last_id = id_of(page.raw[-1]) if page.raw else None
        if page.next is None or last_id is None:
            return page
        start = offset_of(page.next.path)
        if start != offset_of(call.path) + len(page.raw):
            return page  # by key, or pages of a size that the server did not keep to
        before = call.at(with_offset(call.path, start - 1))
        return evolve(page, cursor=Cursor(self.place_of(before, 1, last_id).encode()))

    def ahead_of(self, call: Call[Any], page: ResultPage[Any]) -> Sequence[Call[Any]]:
        """The pages behind one that may be asked for before it is read."""
        following = page.next
        if following is None:
            return ()
        start = offset_of(following.path)
        resource = _sorted_resource(call.route) or ""
        by_offset = start > offset_of(call.path) and not is_by_relevance(call.path, resource)
        if page.total is None or not by_offset:
            return (following,)
        return [call.at(path) for path in offsets_behind(call.path, page.total, start)]

    def check_of(self, call: Call[Any], place: Place | None) -> WholeList | None:
        """What notices that a list by offset changes while it is read."""
        if behind_last(call.path, [_EVENT]):
            return None  # by key: nothing shifts
        return WholeList(offset_of(call.path), place)

    def _after(self, call: Call[Any], path: str, body: Any) -> Call[Any]:
        """The next page by our own words: pages that are asked for early must have the same."""
        meta = body.get("meta") if isinstance(body, Mapping) else None
        size = meta.get("limit") if isinstance(meta, Mapping) else None
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            return call.at(path)
        return call.at(with_offset(call.path, offset_of(call.path) + size))

    def _json(self, response: Response) -> Any:
        body = super()._json(response)
        attach_included(body)
        return body

    def _behind(self, call: Call[Any], raw: list[Any]) -> Call[Any] | None:
        # Events by key: what comes in meanwhile shifts no offset, and a cursor never grows stale.
        path = behind_last(call.path, raw)
        return None if path is None else call.at(path)

    def _structure(self, value: Any, tp: Any, response: Response) -> Any:
        found = super()._structure(value, tp, response)
        is_read = response.request is not None and response.request.method == "GET"
        # All fields have defaults, so that another body altogether would make an empty object.
        if is_read and isinstance(found, Model) and not found.fields_set - {"meta"}:
            raise DecodeError(f"the answer has no {tp.__name__}", response=response)
        return found

    def _total(self, body: Any) -> int | None:
        meta = body.get("meta") if isinstance(body, Mapping) else None
        count = meta.get("count") if isinstance(meta, Mapping) else None
        return count if isinstance(count, int) else None


_EVENT: Final = {"attributes": {"seq": 0}}


def _shown(call: Call[Any]) -> Call[Any]:
    """The call, with what it is to include among the fields that it asks for."""
    if "include=" not in call.path:
        return call
    resource = call.route.path.split("/")[1]
    return evolve(call, path=with_included(call.path, resource))


def _sorted_resource(route: Route) -> str | None:
    """The resource whose list a route is, if the list can be sorted."""
    for parameter in route.parameters:
        if parameter.wire_name.startswith("sort["):
            resource = parameter.wire_name[5:-1]
            return resource if route.path == f"/{resource}" else None
    return None


def _is_wildcard(path: str) -> bool:
    """Whether a call also takes from the bucket of 2 a second: a `*` among fields or summaries."""
    if "%2A" not in path and "*" not in path:
        return False
    return any(
        "*" in value.split(",")
        for name, value in parse_qsl(path.partition("?")[2])
        if name == "facet_summary" or name.startswith("fields[")
    )


ORIGIN = "https://api.abconnect.instructure.com"


class ABConnect(Service):
    """An AB Connect account.

    Args:
        partner_id: The account.
        partner_key: Its key, which is never sent: calls are signed with it.
        user_id: The user on whose behalf calls are made, if they are to be told apart.
        auth: Another way to sign, instead of the three above.
        base_url: Another origin, with or without "/rest/v4.1".
        quota: The scheduler of another client of the same account, to share one budget.
        session: An aiohttp session to use; it stays yours and open.
        user_agent: Names your program.
        timeout: Seconds for one attempt on the network, queueing not included.
        ssl: A context with your own authorities.
        proxy: The URL of a proxy.
        trust_env: Read proxies from the environment.
        allow_http: Allow plain http to other hosts than loopback; warns.
        deadline: Seconds for a whole call; see `with_options`.
        transport: Something else than HTTP, such as `aioinstructure.testing.FakeTransport`.
        clock: Other sources of time.

    Raises:
        ConfigurationError: No credential, or a URL that is no safe origin.

    Example:
        async with ABConnect(partner_id="...", partner_key="...") as ab:
            async for standard in ab.standards.list(filter=F.level == 1, fields=["statement"]):
                print(standard.statement.descr)
    """

    asset_collections: AssetCollectionsAPI
    asset_definitions: AssetDefinitionsAPI
    assets: AssetsAPI
    clarifier: ClarifierAPI
    concepts: ConceptsAPI
    events: EventsAPI
    predictions: PredictionsAPI
    providers: ProvidersAPI
    standard_collections: StandardCollectionsAPI
    standards: StandardsAPI
    topics: TopicsAPI

    def __init__(
        self,
        *,
        partner_id: str | None = None,
        partner_key: str | None = None,
        user_id: str = "",
        auth: Credential | None = None,
        base_url: str = ORIGIN,
        quota: Scheduler | None = None,
        session: aiohttp.ClientSession | None = None,
        user_agent: str | None = None,
        timeout: float = 60.0,
        ssl: tls.SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        allow_http: bool = False,
        deadline: float | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        origin = checked_origin(base_url, allow_http=allow_http, base=BASE)
        if auth is None:
            if partner_id is None or partner_key is None:
                raise ConfigurationError("AB Connect needs a partner_id and a partner_key")
            auth = PartnerSignature(partner_id, partner_key, user_id)
        elif partner_id is not None or partner_key is not None:
            raise ConfigurationError("AB Connect needs a partner or an auth, one of the two")
        clock = clock or Clock()
        self._single_flight = SingleFlight()
        super().__init__(
            origin,
            auth,
            quota or Scheduler(TokenBucket(), clock=clock, name=origin),
            transport
            or http_transport(
                session=session,
                user_agent=user_agent,
                timeout=timeout,
                ssl=ssl,
                proxy=proxy,
                trust_env=trust_env,
            ),
            clock=clock,
            deadline=deadline,
        )

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client by ABCONNECT_PARTNER_ID and ABCONNECT_PARTNER_KEY; options as for `ABConnect`.

        ABCONNECT_URL is another base URL, if it is set.

        Raises:
            ConfigurationError: One of the two is not set.
        """
        options.setdefault("base_url", from_environment("ABCONNECT_URL", default=ORIGIN))
        return cls(
            partner_id=from_environment("ABCONNECT_PARTNER_ID"),
            partner_key=from_environment("ABCONNECT_PARTNER_KEY"),
            **options,
        )
