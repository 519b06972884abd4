"""Credentials: how a request is authorized, and for how long that holds.

No repr shows a secret, and what is authorized is a copy: errors and logs hold the request as it
was before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from typing import Protocol
from urllib.parse import quote

from attrs import define, evolve, field

from aioinstructure.errors import ConfigurationError
from aioinstructure.wire.message import Request

__all__ = ["BearerToken", "Credential", "PartnerSignature", "sign"]


class Credential(Protocol):
    """What makes a request ours. Write one for another way to sign in."""

    def authorize(self, request: Request, now: float) -> Request:
        """A copy of the request that the server accepts at wall time `now`."""
        ...

    def needs_refresh(self, now: float) -> bool:
        """Whether `refresh` must run before the next request is authorized."""
        ...

    async def refresh(self) -> None:
        """Make it fresh again; called when it is stale, before any quota is taken."""
        ...

    def invalidate(self) -> bool:
        """Forget what the server has just refused. True if another try may fare better."""
        ...


def _secret(name: str, value: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name} is missing")
    if value != value.strip() or not value.isprintable() or not value.isascii():
        raise ConfigurationError(f"{name} holds blanks or characters that no header can carry")
    return value


@define(eq=False)
class BearerToken:
    """A Canvas access token in the Authorization header.

    Source: the pages on OAuth2 of the Canvas developer portal.
    """

    _token: str = field(repr=False)
    _header: str = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._header = f"Bearer {_secret('the token', self._token)}"

    def authorize(self, request: Request, now: float) -> Request:
        """The request with the token in its header."""
        headers = request.headers.with_field("authorization", self._header)
        return evolve(request, headers=headers)

    def needs_refresh(self, now: float) -> bool:
        """Never: nothing but the server knows when it ends."""
        return False

    async def refresh(self) -> None:
        """There is nothing to refresh it with."""

    def invalidate(self) -> bool:
        """A refused token stays refused."""
        return False


def sign(
    partner_key: str, expires: int, user: str = "", method: str = "", resource: str = ""
) -> str:
    r"""The `auth.signature` of AB Connect: base64 of the HMAC-SHA256 of up to four lines.

    Unused slots before a used one stay empty, trailing ones are left out: "1512570029\n\nGET"
    grants GET calls of any user until then.
    """
    message = "\n".join([str(expires), user, method.upper(), resource.lower()]).rstrip("\n")
    digest = hmac.new(partner_key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@define(eq=False)
class PartnerSignature:
    """Signs AB Connect calls with the partner's key, which itself is never sent.

    A signature covers neither path nor query, so one serves every call until it is renewed.

    Args:
        partner_id: The account.
        partner_key: The key, as the text that AB Support gave.
        user_id: The user on whose behalf calls are made, if they are to be told apart.
        lifetime: Seconds that a signature holds. The service documents no bound.
        renew: Seconds before its end at which it is made anew.
    """

    partner_id: str
    _partner_key: str = field(repr=False)
    user_id: str = ""
    lifetime: float = 3600.0
    renew: float = 60.0
    _query: str = field(default="", init=False, repr=False)
    _renew_at: float = field(default=0.0, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _secret("partner_id", self.partner_id)
        _secret("partner_key", self._partner_key)
        if self.user_id and not (self.user_id.strip() and self.user_id.isprintable()):
            # A line feed would end its line in the message that is signed.
            raise ConfigurationError("user_id holds characters that are not printable")
        if not 0 <= self.renew < self.lifetime:
            raise ConfigurationError(
                f"a lifetime of {self.lifetime} s leaves nothing after renewing {self.renew} s ahead"
            )

    def authorize(self, request: Request, now: float) -> Request:
        """The request with a signature that holds for at least `renew` seconds more."""
        # A clock that was set back leaves a signature too far ahead: it is renewed as well.
        if not self._query or not self._renew_at - self.lifetime <= now < self._renew_at:
            self._sign(now)
        glue = "&" if "?" in request.url else "?"
        return evolve(request, url=f"{request.url}{glue}{self._query}")

    def _sign(self, now: float) -> None:
        expires = math.ceil(now + self.lifetime)
        signature = sign(self._partner_key, expires, self.user_id)
        pairs = [
            ("partner.id", self.partner_id),
            ("auth.signature", signature),
            ("auth.expires", str(expires)),
        ]
        if self.user_id:
            pairs.append(("user.id", self.user_id))
        self._query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        self._renew_at = now + self.lifetime - self.renew

    def needs_refresh(self, now: float) -> bool:
        """Never: it is renewed where it is used, after queueing."""
        return False

    async def refresh(self) -> None:
        """Signing needs nobody."""

    def invalidate(self) -> bool:
        """Make the next call sign anew; another try may fare better (a clock was set)."""
        self._query = ""
        return True
