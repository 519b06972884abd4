"""Credentials, which authorize requests.

No repr shows a secret. A credential authorizes a copy of the request; errors and logs hold the
original.
"""

from __future__ import annotations

import math
from typing import Protocol
from urllib.parse import quote

from attrs import define, field

from aioinstructure.errors import ConfigurationError
from aioinstructure.wire.message import Request

__all__ = ["BearerToken", "Credential", "PartnerSignature", "sign"]


class Credential(Protocol):
    """Authorizes requests. Implement this protocol for another authentication method."""

    def authorize(self, request: Request, now: float) -> Request:
        """Return a copy of the request that is authorized at wall time `now`."""
        ...

    def needs_refresh(self, now: float) -> bool:
        """Whether `refresh` must run before the next request is authorized."""
        ...

    async def refresh(self) -> None:
        """Renew the credential. Called when `needs_refresh` is true, before any quota is taken.

        A client calls it once for all calls that wait, in a task that their deadlines and
        cancellations do not end: give what it sends a time limit. If it fails, they all get the
        error, and the next call tries again.
        """
        ...

    def invalidate(self) -> bool:
        """Discard what the server has refused. Return True if a retry may succeed.

        A client calls it once for all requests that carried the same credential.
        """
        ...


def _secret(name: str, value: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name} is missing")
    if value != value.strip() or not value.isprintable() or not value.isascii():
        raise ConfigurationError(f"{name} must be printable ASCII without surrounding whitespace")
    return value


@define(eq=False)
class BearerToken:
    """A Canvas access token in the Authorization header.

    Source: Canvas developer portal, pages on OAuth2.
    """

    _token: str = field(repr=False)
    _header: str = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._header = f"Bearer {_secret('the token', self._token)}"

    def authorize(self, request: Request, now: float) -> Request:
        """Add the token to the Authorization header."""
        headers = request.headers.with_field("authorization", self._header)
        return request.at(request.url, headers)

    def needs_refresh(self, now: float) -> bool:
        """Never: only the server knows when the token expires."""
        return False

    async def refresh(self) -> None:
        """Do nothing: an access token cannot be refreshed."""

    def invalidate(self) -> bool:
        """Return False: a refused token stays refused."""
        return False


def sign(
    partner_key: str, expires: int, user: str = "", method: str = "", resource: str = ""
) -> str:
    r"""Return the `auth.signature` of AB Connect: the base64 HMAC-SHA256 of up to four lines.

    Unused lines before a used one stay empty, trailing ones are omitted: "1512570029\n\nGET"
    allows GET calls of any user until that time.
    """
    message = "\n".join([str(expires), user, method.upper(), resource.lower()]).rstrip("\n")
    import base64  # noqa: PLC0415 - these take a twentieth of the import time,
    import hashlib  # noqa: PLC0415 - and Canvas needs none of them
    import hmac  # noqa: PLC0415

    digest = hmac.new(partner_key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@define(eq=False)
class PartnerSignature:
    """Signs AB Connect calls with the partner's key, which is never sent.

    A signature covers neither path nor query, so one is used for all calls until it is renewed.

    Args:
        partner_id: The account.
        partner_key: The key, as text, exactly as AB Support provided it.
        user_id: The user on whose behalf calls are made, if the service must distinguish users.
        lifetime: Seconds for which a signature is valid. The service documents no maximum.
        renew: Seconds before the expiry at which a signature is renewed.
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
            # A line feed would end its line in the signed message.
            raise ConfigurationError("user_id must be printable and not blank")
        if not 0 <= self.renew < self.lifetime:
            raise ConfigurationError(
                f"renew must be from 0 to less than lifetime ({self.lifetime} s), not {self.renew} s"
            )

    def authorize(self, request: Request, now: float) -> Request:
        """Add a signature that is valid for at least `renew` more seconds."""
        # After a clock was set back, the signature expires too far ahead: renew it as well.
        if not self._query or not self._renew_at - self.lifetime <= now < self._renew_at:
            self._sign(now)
        glue = "&" if "?" in request.url else "?"
        return request.at(f"{request.url}{glue}{self._query}", request.headers)

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
        """Never: `authorize` renews the signature, after queueing."""
        return False

    async def refresh(self) -> None:
        """Do nothing: signing needs no server."""

    def invalidate(self) -> bool:
        """Make the next call sign again. A retry may succeed: the clock may have been set."""
        self._query = ""
        return True
