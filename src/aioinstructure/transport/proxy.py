"""A proxy's address and password, kept apart: only the address is ever shown."""

from __future__ import annotations

from typing import Self
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from aioinstructure.errors import ConfigurationError, ConnectError
from aioinstructure.wire.message import Request
from aioinstructure.wire.redact import Secrets

__all__ = ["Proxy"]


@frozen
class Proxy:
    """A proxy, or none.

    Attributes:
        address: Its URL without user and password; None for a direct connection.
        authorization: The Proxy-Authorization header; "" for none.
        secrets: What no text may contain.
    """

    address: str | None = None
    authorization: str = field(default="", repr=False)
    secrets: Secrets = field(factory=Secrets, repr=False)

    @classmethod
    def of(cls, url: str | None) -> Self:
        """Read the URL of a proxy; None for no proxy.

        Raises:
            ConfigurationError: It is no http or https URL with a host. The message does not show
                the URL, which may hold a password.
        """
        if url is None:
            return cls()
        wrong = ConfigurationError(
            "the proxy must be a URL such as http://host:3128, with a port from 1 to 65535"
        )
        if not isinstance(url, str) or not url.isascii() or not url.isprintable():
            raise wrong
        try:
            parts = urlsplit(url)
            is_complete = bool(parts.hostname) and parts.port != 0
        except ValueError:  # its message quotes the URL
            raise wrong from None
        if not is_complete or parts.scheme not in ("http", "https"):
            raise wrong
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if parts.username is None:
            return cls(address)
        import base64  # noqa: PLC0415 - not at import

        user, password = unquote(parts.username), unquote(parts.password or "")
        both = f"{user}:{password}"
        coded = base64.b64encode(both.encode()).decode()
        return cls(address, f"Basic {coded}", Secrets.of(password, both, coded, shortest=1))

    @property
    def is_used(self) -> bool:
        """Whether there is one."""
        return self.address is not None

    def refusal(self, request: Request, status: int = 407) -> ConnectError:
        """The error of a request that the proxy has refused; the server has not seen it."""
        where = (self.address or "").partition("//")[2]
        return ConnectError(
            f"the proxy{f' {where}' if where else ''} refused the request"
            f" ({'407, it wants a password' if status == 407 else status}):"
            f" {request.method} {request.path.partition('?')[0]}",
            request=request,
            is_final=status == 407,
        )
