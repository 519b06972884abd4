"""The order of the layers, in one list. Why they stand so is told in docs/architecture.md."""

from __future__ import annotations

import random

from attrs import field, frozen

from aioinstructure.auth.credentials import Credential
from aioinstructure.clock import Clock
from aioinstructure.quota import Scheduler
from aioinstructure.transport.authorize import authorize_layer
from aioinstructure.transport.call_context import Handler, Transport
from aioinstructure.transport.deadline import deadline_layer
from aioinstructure.transport.log_attempts import log_attempts_layer
from aioinstructure.transport.raise_for_status import raise_for_status_layer
from aioinstructure.transport.refresh_credential import refresh_credential_layer
from aioinstructure.transport.retry import RetryBudget, retry_layer
from aioinstructure.transport.throttle import throttle_layer

__all__ = ["LAYERS", "Components", "build"]

LAYERS = ("deadline", "retry", "raise_for_status", "trace", "credential", "throttle", "authorize")


@frozen
class Components:
    """What the layers share; one set a client, whatever its views."""

    transport: Transport
    scheduler: Scheduler
    credential: Credential
    clock: Clock = field(factory=Clock)
    rng: random.Random = field(factory=random.Random, repr=False)
    budget: RetryBudget = field(factory=RetryBudget)


def build(parts: Components) -> Handler:
    """The pipeline: the outermost layer, which calls the next one in, down to the transport."""
    clock = parts.clock
    handler = authorize_layer(parts.transport, parts.credential, clock)
    handler = throttle_layer(handler, parts.scheduler, clock)
    handler = refresh_credential_layer(handler, parts.credential, clock)
    handler = log_attempts_layer(handler, clock)
    handler = raise_for_status_layer(handler, clock)
    handler = retry_layer(handler, parts.credential, clock, parts.budget, parts.rng)
    return deadline_layer(handler, parts.scheduler)
