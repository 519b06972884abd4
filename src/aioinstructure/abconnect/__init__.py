"""AB Connect v4.1: the client, its resources and their models, loaded on first use."""

from __future__ import annotations

import ssl as tls
from typing import TYPE_CHECKING, Any, Self

from aioinstructure._lazy import lazy
from aioinstructure.abconnect.flights import Flights
from aioinstructure.abconnect.service import BASE, Service
from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.settings import checked_origin, from_environment, http_transport
from aioinstructure.transport.exchange import Transport
from aioinstructure.wire.auth import Credential, PartnerSignature

if TYPE_CHECKING:
    import aiohttp

    from aioinstructure.abconnect.assets import (
        AlignmentTag,
        Asset,
        AssetInclude,
        Assets,
        Coded,
        Descriptor,
        DescriptorValue,
        Disposition,
        Emphasis,
    )
    from aioinstructure.abconnect.collections import (
        AssetCollections,
        Collection,
        StandardCollections,
    )
    from aioinstructure.abconnect.concepts import Concept, Concepts
    from aioinstructure.abconnect.events import AffectedProperty, Event, Events
    from aioinstructure.abconnect.facets import Facet, FacetDetail, FacetSummary
    from aioinstructure.abconnect.follow import Follow
    from aioinstructure.abconnect.many import Gatherer, Many
    from aioinstructure.abconnect.predictions import (
        Clarification,
        Clarifier,
        Focus,
        Prediction,
        Predictions,
        QueueStatus,
    )
    from aioinstructure.abconnect.providers import (
        AssetDefinition,
        AssetDefinitions,
        AssetProperty,
        NameAndId,
        Provider,
        Providers,
    )
    from aioinstructure.abconnect.query import (
        F,
        Filter,
        FilterLike,
        Path,
        PathLike,
        Raw,
        isempty,
        parse_filter,
    )
    from aioinstructure.abconnect.relations import (
        Candidate,
        Crosswalk,
        Match,
        Replacements,
        Successor,
    )
    from aioinstructure.abconnect.resource import (
        Links,
        OnChange,
        Relationship,
        Resource,
        ResourceRef,
    )
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
        StandardRelationship,
        Standards,
        Statement,
        Utilization,
    )
    from aioinstructure.abconnect.topics import Topic, TopicInclude, Topics
    from aioinstructure.abconnect.tree import Branch, DocumentTree

__all__ = [
    "ABConnect",
    "Addendum",
    "AffectedProperty",
    "AlignmentTag",
    "AltIdentifier",
    "Asset",
    "AssetDefinition",
    "AssetInclude",
    "AssetProperty",
    "Branch",
    "Candidate",
    "Clarification",
    "Coded",
    "Collection",
    "Concept",
    "Crosswalk",
    "Descriptor",
    "DescriptorValue",
    "Disciplines",
    "Disposition",
    "Document",
    "DocumentTree",
    "EducationLevels",
    "Emphasis",
    "Event",
    "Extension",
    "F",
    "Facet",
    "FacetDetail",
    "FacetSummary",
    "Filter",
    "FilterLike",
    "Focus",
    "Follow",
    "Gatherer",
    "Grade",
    "KeyIdea",
    "Labelled",
    "Legend",
    "Links",
    "Many",
    "Match",
    "NameAndId",
    "Number",
    "OnChange",
    "Path",
    "PathLike",
    "Prediction",
    "Provider",
    "Publication",
    "QueueStatus",
    "Raw",
    "Relationship",
    "Replacements",
    "Resource",
    "ResourceRef",
    "Section",
    "Standard",
    "StandardRelationship",
    "Statement",
    "Successor",
    "Topic",
    "TopicInclude",
    "Utilization",
    "isempty",
    "parse_filter",
]

_FILES = {
    "assets": [
        "AlignmentTag",
        "Asset",
        "AssetInclude",
        "Assets",
        "Coded",
        "Descriptor",
        "DescriptorValue",
        "Disposition",
        "Emphasis",
    ],
    "collections": ["AssetCollections", "Collection", "StandardCollections"],
    "concepts": ["Concept", "Concepts"],
    "events": ["AffectedProperty", "Event", "Events"],
    "facets": ["Facet", "FacetDetail", "FacetSummary"],
    "follow": ["Follow"],
    "many": ["Gatherer", "Many"],
    "predictions": [
        "Clarification",
        "Clarifier",
        "Focus",
        "Prediction",
        "Predictions",
        "QueueStatus",
    ],
    "providers": [
        "AssetDefinition",
        "AssetDefinitions",
        "AssetProperty",
        "NameAndId",
        "Provider",
        "Providers",
    ],
    "query": ["F", "Filter", "FilterLike", "Path", "PathLike", "Raw", "isempty", "parse_filter"],
    "relations": ["Candidate", "Crosswalk", "Match", "Replacements", "Successor"],
    "resource": ["Links", "OnChange", "Relationship", "Resource", "ResourceRef"],
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
        "StandardRelationship",
        "Standards",
        "Statement",
        "Utilization",
    ],
    "tree": ["Branch", "DocumentTree"],
    "topics": ["Topic", "TopicInclude", "Topics"],
}

ORIGIN = "https://api.abconnect.instructure.com"


__getattr__, __dir__ = lazy(globals(), _FILES)


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

    asset_collections: AssetCollections
    asset_definitions: AssetDefinitions
    assets: Assets
    clarifier: Clarifier
    concepts: Concepts
    events: Events
    predictions: Predictions
    providers: Providers
    standard_collections: StandardCollections
    standards: Standards
    topics: Topics

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
        self._flights = Flights()
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
