"""The client of AB Connect v4.1."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, Unpack

from aioinstructure._public import public
from aioinstructure.abconnect.json_api.paging import BASE, PAGER, bucket_of
from aioinstructure.auth.credentials import PartnerSignature
from aioinstructure.client import Client
from aioinstructure.config import (
    ClientOptions,
    check_options,
    checked_origin,
    components_of,
    from_environment,
)
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import ConfigurationError
from aioinstructure.paging.pagers import Pager
from aioinstructure.quota import TokenBucket

if TYPE_CHECKING:
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

__all__ = ["ORIGIN", "ABConnect"]

ORIGIN: Final = "https://api.abconnect.instructure.com"


@public
class ABConnect(Client):
    """An AB Connect account.

    Args:
        partner_id: The account.
        partner_key: Its key, which is never sent: calls are signed with it.
        user_id: The user on whose behalf calls are made, if the service must distinguish users.
        base_url: Another origin, with or without "/rest/v4.1".
        options: See `aioinstructure.config.ClientOptions`; `auth` replaces the first three.

    Raises:
        ConfigurationError: No credential, or a URL that is not a safe origin.

    Example:
        async with ABConnect(partner_id="...", partner_key="...") as ab:
            async for standard in ab.standards.list(filter=F.level == 1, fields=["statement"]):
                print(standard.statement.descr)
    """

    _pager: ClassVar[Pager] = PAGER

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
        base_url: str = ORIGIN,
        **options: Unpack[ClientOptions],
    ) -> None:
        own = ("partner_id", "partner_key", "user_id", "base_url")
        check_options("ABConnect", options, own)
        origin = checked_origin(
            base_url, allow_http=options.get("allow_http", False), bases=(BASE,)
        )
        auth = options.get("auth")
        if auth is None:
            if partner_id is None or partner_key is None:
                raise ConfigurationError("AB Connect needs a partner_id and a partner_key")
            auth = PartnerSignature(partner_id, partner_key, user_id)
        elif partner_id is not None or partner_key is not None:
            raise ConfigurationError(
                "AB Connect needs either partner_id= and partner_key=, or auth="
            )
        components = components_of(origin, auth, TokenBucket, options, shares_reads=True)
        super().__init__(origin, components, options.get("deadline"))

    @classmethod
    def from_env(
        cls, *, user_id: str = "", base_url: str | None = None, **options: Unpack[ClientOptions]
    ) -> Self:
        """Create a client from ABCONNECT_PARTNER_ID and ABCONNECT_PARTNER_KEY; options as for `ABConnect`.

        ABCONNECT_URL is another base URL, if it is set and none is given.

        Raises:
            ConfigurationError: One of the two is not set.
        """
        partner_id, partner_key = from_environment("ABCONNECT_PARTNER_ID", "ABCONNECT_PARTNER_KEY")
        return cls(
            partner_id=partner_id,
            partner_key=partner_key,
            user_id=user_id,
            base_url=base_url or os.environ.get("ABCONNECT_URL", "").strip() or ORIGIN,
            **options,
        )

    def _bucket_of(self, call: Call[Any]) -> str:
        """The bucket of 2 a second for a call with a wildcard."""
        return bucket_of(call)
