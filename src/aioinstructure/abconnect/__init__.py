"""AB Connect v4.1: the client, its resources and their models, loaded on first use."""

from __future__ import annotations

import importlib
import ssl as tls
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from aioinstructure.abconnect.keyed import behind_last
from aioinstructure.client import Client, checked_origin, from_environment, http_transport
from aioinstructure.clock import Clock
from aioinstructure.endpoint import Call, Route
from aioinstructure.errors import ConfigurationError
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.transport.exchange import Transport
from aioinstructure.wire.auth import Credential, PartnerSignature
from aioinstructure.wire.link import next_by_body
from aioinstructure.wire.message import Request, Response

if TYPE_CHECKING:
    import aiohttp

    from aioinstructure.abconnect.events import AffectedProperty, Event, Events
    from aioinstructure.abconnect.query import F, Filter, Path
    from aioinstructure.abconnect.resource import Links, Relationship, Resource, ResourceRef
    from aioinstructure.abconnect.standards import (
        Addendum,
        AltIdentifier,
        Disciplines,
        Document,
        EducationLevels,
        Extension,
        Grade,
        KeyIdea,
        Labelled,
        Legend,
        Number,
        Publication,
        Section,
        Standard,
        Standards,
        Statement,
        Utilization,
    )

__all__ = [
    "ABConnect",
    "Addendum",
    "AffectedProperty",
    "AltIdentifier",
    "Disciplines",
    "Document",
    "EducationLevels",
    "Event",
    "Extension",
    "F",
    "Filter",
    "Grade",
    "KeyIdea",
    "Labelled",
    "Legend",
    "Links",
    "Number",
    "Path",
    "Publication",
    "Relationship",
    "Resource",
    "ResourceRef",
    "Section",
    "Standard",
    "Statement",
    "Utilization",
]

_FILES = {
    "events": ["AffectedProperty", "Event", "Events"],
    "query": ["F", "Filter", "Path"],
    "resource": ["Links", "Relationship", "Resource", "ResourceRef"],
    "standards": [
        "Addendum",
        "AltIdentifier",
        "Disciplines",
        "Document",
        "EducationLevels",
        "Extension",
        "Grade",
        "KeyIdea",
        "Labelled",
        "Legend",
        "Number",
        "Publication",
        "Section",
        "Standard",
        "Standards",
        "Statement",
        "Utilization",
    ],
}
_MODULES = {name: file for file, names in _FILES.items() for name in names}

BASE = "/rest/v4.1"
ORIGIN = "https://api.abconnect.instructure.com"


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


class ABConnect(Client):
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

    _base = BASE

    events: Events
    standards: Standards

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

    def _cost(self, path: str, route: str) -> Cost:
        return Cost(key=route, wildcard=_is_wildcard(path))

    def _items_path(self, route: Route) -> tuple[str, ...]:
        return route.items or ("data",)

    def _next(self, request: Request, response: Response, body: Any) -> Request | None:
        return next_by_body(request, body)

    def _behind(self, call: Call[Any], raw: list[Any]) -> Call[Any] | None:
        # Events by key: what comes in meanwhile shifts no offset, and a cursor never grows stale.
        path = behind_last(call.path, raw)
        return None if path is None else Call(call.route, path)

    def _total(self, body: Any) -> int | None:
        meta = body.get("meta") if isinstance(body, Mapping) else None
        count = meta.get("count") if isinstance(meta, Mapping) else None
        return count if isinstance(count, int) else None


def _is_wildcard(path: str) -> bool:
    """Whether a call also takes from the bucket of 2 a second: a `*` among fields or summaries."""
    if "%2A" not in path and "*" not in path:
        return False
    return any(
        "*" in value.split(",")
        for name, value in parse_qsl(path.partition("?")[2])
        if name == "facet_summary" or name.startswith("fields[")
    )
