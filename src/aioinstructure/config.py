"""Settings: what a user gives to set a client up, checked before anything is sent."""

from __future__ import annotations

import os
import re
import ssl as tls
import sys
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.transport.http import USER_AGENT, HttpTransport
from aioinstructure.wire.links import origin_of

if TYPE_CHECKING:
    import aiohttp

__all__ = [
    "checked_origin",
    "from_environment",
    "hashable",
    "http_transport",
    "is_positive",
    "seconds",
]

_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")


def seconds(name: str, value: float | None) -> float | None:
    """The value, if it is None or seconds that can be waited.

    Raises:
        InputError: It is neither.
    """
    if value is not None and not is_positive(value):
        raise InputError(f"{name} must be seconds above 0, not {value!r}")
    return value


def is_positive(value: Any) -> bool:
    """Whether it is a finite number above 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value <= sys.float_info.max  # an int may be beyond what a float holds


def hashable(name: str, value: Any) -> Any:
    """The value, if it can be looked up by.

    Raises:
        InputError: It, or something in it, can change.
    """
    try:
        hash(value)
    except TypeError as error:
        raise InputError(f"{name} must be hashable, not {value!r:.100}") from error
    return value


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
        timeout=seconds("timeout", timeout) or 0.0,
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
    import ipaddress  # noqa: PLC0415 - for plain http only, and a hundredth of the import time

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
