"""Configuration: what a user gives to set a client up, checked before anything is sent."""

from __future__ import annotations

import os
import random
import re
import ssl as tls
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from aioinstructure._suggest import suggestion
from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.quota import Limiter, Scheduler
from aioinstructure.transport.call_context import Transport
from aioinstructure.transport.http import MAX_BODY, USER_AGENT, HttpTransport
from aioinstructure.transport.pipeline import Components
from aioinstructure.transport.retry import RetryPolicy
from aioinstructure.wire.links import origin_of

if TYPE_CHECKING:
    import aiohttp

__all__ = [
    "ClientOptions",
    "CommonOptions",
    "check_options",
    "checked_origin",
    "components_of",
    "from_environment",
    "hashable",
    "is_positive",
    "seconds",
]


class CommonOptions(TypedDict, total=False):
    """The options that clients of a service and of a simulator take by name.

    Keys:
        quota: The scheduler of another client with the same credential, to share one budget.
        session: An aiohttp session to use; it stays yours and open.
        user_agent: Names your program. Canvas refuses calls without one, so the default names this
            library and its version.
        timeout: Seconds for one attempt on the network, queueing not included; 60 by default.
        ssl: A context with your own certificate authorities.
        proxy: The URL of a proxy.
        trust_env: Read proxies from the environment.
        allow_http: Allow plain http to other hosts than loopback; warns.
        deadline: Seconds for one call or page; see `with_options`.
        retry: How often and when failed calls are repeated.
        max_body: The most bytes of a decoded response body; 64 MiB by default. A larger response
            is a TransportError. Streamed downloads have no limit.
        max_retry_after: The longest Retry-After, in seconds, after which a failed call is repeated;
            300 by default. If the server asks for more, the call fails at once.
        clock: Other sources of time.
    """

    quota: Scheduler | None
    session: aiohttp.ClientSession | None
    user_agent: str | None
    timeout: float
    ssl: tls.SSLContext | None
    proxy: str | None
    trust_env: bool
    allow_http: bool
    deadline: float | None
    retry: RetryPolicy | None
    max_body: int
    max_retry_after: float
    clock: Clock | None


class ClientOptions(CommonOptions, total=False):
    """The options that all clients take by name: `CommonOptions`, and these.

    Keys:
        auth: Another way to sign in, instead of the service's own credentials.
        transport: Another way to send than HTTP, such as `aioinstructure.testing.FakeTransport`.
    """

    auth: Credential | None
    transport: Transport | None


def check_options(client: str, options: Mapping[str, Any], own: Sequence[str]) -> None:
    """Raise TypeError if an option is unknown, with the nearest known name.

    Args:
        client: The name of the class.
        options: What was given by name.
        own: The names that its constructor has beside them.
    """
    known = [*own, *ClientOptions.__annotations__]
    for name in options:
        if name not in known:
            raise TypeError(f"{client}() takes no {name!r}{suggestion(name, known)}")


def components_of(
    origin: str,
    auth: Credential,
    limiter: Callable[[], Limiter],
    options: ClientOptions,
    *,
    shares_reads: bool = False,
) -> Components:
    """What the pipeline of a client is made of.

    Args:
        origin: Where its requests go.
        auth: Its credential.
        limiter: Makes the replica of the service's limit, unless `quota` is given.
        options: As the user gave them.
        shares_reads: Whether identical reads at the same time are one request.
    """
    for name, kind in (("retry", RetryPolicy), ("quota", Scheduler), ("clock", Clock)):
        given = options.get(name)
        if given is not None and not isinstance(given, kind):
            raise InputError(f"{name} must be a {kind.__name__}, not {given!r:.100}")
    clock = options.get("clock") or Clock()
    scheduler = options.get("quota") or Scheduler(limiter(), clock=clock, name=origin)
    return Components(
        transport=options.get("transport") or _http_transport(options),
        scheduler=scheduler,
        credential=auth,
        clock=clock,
        rng=random.Random(),  # noqa: S311 - jitter
        retry=options.get("retry") or RetryPolicy(),
        max_retry_after=seconds("max_retry_after", options.get("max_retry_after", 300.0)) or 0.0,
        shares_reads=shares_reads,
    )


_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")


def seconds(name: str, value: float | None) -> float | None:
    """The value, if it is None or a number of seconds.

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
    """The value, if it can be a key.

    Raises:
        InputError: It, or something in it, is mutable.
    """
    try:
        hash(value)
    except TypeError as error:
        raise InputError(f"{name} must be hashable, not {value!r:.100}") from error
    return value


def _http_transport(options: ClientOptions) -> HttpTransport:
    user_agent, ssl = options.get("user_agent"), options.get("ssl")
    agent = USER_AGENT if user_agent is None else user_agent.strip()
    if not agent or not agent.isprintable():
        raise ConfigurationError(f"user_agent must be printable text, not {user_agent!r}")
    if ssl is not None and not isinstance(ssl, tls.SSLContext):
        raise ConfigurationError("ssl must be an ssl.SSLContext: certificates are always verified")
    return HttpTransport(
        session=options.get("session"),
        headers={"User-Agent": agent},
        timeout=seconds("timeout", options.get("timeout", 60.0)) or 0.0,
        ssl=ssl,
        proxy=options.get("proxy"),
        trust_env=options.get("trust_env", False),
        max_body=_whole("max_body", options.get("max_body", MAX_BODY)),
    )


def _whole(name: str, value: int) -> int:
    if type(value) is not int or value < 1:
        raise InputError(f"{name} must be an integer of 1 or more, not {value!r:.100}")
    return value


def checked_origin(url: str, *, allow_http: bool, bases: Sequence[str] = ()) -> str:
    """The origin of a URL that a user gave.

    Args:
        url: An origin, with or without one of the bases and a slash at its end.
        allow_http: Whether plain http may go to other hosts than loopback; warns.
        bases: Paths that may follow the origin, such as "/api/v1".

    Raises:
        ConfigurationError: It is no origin, or plain http to a host that is not loopback.
    """
    if not isinstance(url, str) or not url.strip():
        raise ConfigurationError("the URL is missing")
    # Users and queries may be credentials: they are shown nowhere.
    shown = re.sub(r"(//)[^/]*@", r"\1...@", re.split(r"[?#]", url)[0])
    more = "".join(f", or with {base} after it" for base in bases)
    wrong = ConfigurationError(f"the URL must be an origin such as https://host{more}: {shown!r}")
    try:
        origin = origin_of(url)
    except InputError:
        raise wrong from None
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"the URL must not hold a user or password: {parts.hostname}")
    if parts.path.rstrip("/") not in ("", *bases) or "?" in url or "#" in url:
        raise wrong
    if not _HOST.fullmatch(parts.hostname or ""):
        raise wrong
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        if not allow_http:
            raise ConfigurationError(
                f"plain http would expose the credential on the network: {origin}"
            )
        warnings.warn(f"plain http shows the credential to everyone: {origin}", stacklevel=3)
    return origin


def _is_loopback(host: str) -> bool:
    import ipaddress  # noqa: PLC0415 - for plain http only, and a hundredth of the import time

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def from_environment(*names: str) -> list[str]:
    """The values of environment variables.

    Raises:
        ConfigurationError: Some are not set, or empty; the message names all of these.
    """
    values = [os.environ.get(name, "").strip() for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        many = len(missing) > 1
        raise ConfigurationError(
            f"the environment variable{'s' * many} {' and '.join(missing)} "
            f"{'are' if many else 'is'} not set"
        )
    return values
