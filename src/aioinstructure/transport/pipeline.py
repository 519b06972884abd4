"""The order of the layers; docs/architecture.md gives the reason for each position."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from attrs import Factory, field, frozen

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.quota import Scheduler
from aioinstructure.transport.authorize import authorize_layer
from aioinstructure.transport.call_context import Handler, Transport
from aioinstructure.transport.deadline import deadline_layer
from aioinstructure.transport.log_attempts import log_attempts_layer
from aioinstructure.transport.raise_for_status import raise_for_status_layer
from aioinstructure.transport.refresh_credential import refresh_credential_layer
from aioinstructure.transport.renewal import Renewal
from aioinstructure.transport.retry import Recovery, RetryBudget, RetryPolicy, retry_layer
from aioinstructure.transport.server_clock import ServerClock
from aioinstructure.transport.single_flight import SingleFlight, single_flight_layer
from aioinstructure.transport.throttle import throttle_layer

__all__ = ["LAYERS", "Components", "build"]


@frozen
class Components:
    """What the layers share; a client and its views have one set."""

    transport: Transport
    scheduler: Scheduler
    credential: Credential
    clock: Clock = field(factory=Clock)
    rng: random.Random = field(factory=random.Random, repr=False)
    retry: RetryPolicy = field(factory=RetryPolicy)
    max_retry_after: float = 300.0
    """The longest Retry-After, in seconds, after which a failed call is repeated."""

    shares_reads: bool = False
    """Whether identical concurrent reads share one request."""

    budget: RetryBudget = field(
        default=Factory(lambda parts: RetryBudget(parts.retry), takes_self=True), init=False
    )
    renewal: Renewal = field(
        default=Factory(lambda parts: Renewal(parts.credential), takes_self=True), init=False
    )
    server_clock: ServerClock = field(
        default=Factory(lambda parts: ServerClock(parts.clock), takes_self=True), init=False
    )


LAYERS: Final[tuple[tuple[str, Callable[[Handler, Components], Handler]], ...]] = (
    ("single_flight", lambda inner, c: single_flight_layer(inner, SingleFlight(), c.shares_reads)),
    ("deadline", lambda inner, c: deadline_layer(inner, c.scheduler)),
    (
        "retry",
        lambda inner, c: retry_layer(
            inner, Recovery(c.renewal, c.server_clock, c.budget, c.rng, c.max_retry_after), c.clock
        ),
    ),
    ("raise_for_status", lambda inner, c: raise_for_status_layer(inner, c.clock)),
    ("log_attempts", lambda inner, c: log_attempts_layer(inner, c.clock)),
    (
        "refresh_credential",
        lambda inner, c: refresh_credential_layer(inner, c.renewal, c.server_clock),
    ),
    (
        "throttle",
        lambda inner, c: throttle_layer(
            inner, c.scheduler, c.clock, c.transport, c.max_retry_after
        ),
    ),
)
"""The layers by name, outermost first. After the last one, the request is authorized and sent."""


def build(components: Components) -> Handler:
    """Build the pipeline: the outermost layer, which calls the next one, down to the transport."""
    handler = authorize_layer(components.transport, components.renewal, components.server_clock)
    for _, layer in reversed(LAYERS):
        handler = layer(handler, components)
    return handler
