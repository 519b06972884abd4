"""The client's model of a server's quota, and the scheduler that spends it. Independent of HTTP.

`Scheduler.acquire` waits for a turn and returns a `Lease`. `TokenBucket` (AB Connect) and
`CostBucket` (Canvas) are pure replicas that say when a call can be sent.
"""

from __future__ import annotations

from aioinstructure.quota.cost_bucket import CostBucket
from aioinstructure.quota.events import (
    Answered,
    LimitLearned,
    Queued,
    QuotaEvent,
    Refused,
    Retried,
    Sent,
    Snapshot,
)
from aioinstructure.quota.lease import Lease, Outcome
from aioinstructure.quota.limiter import (
    Cost,
    Learned,
    Limiter,
    LimiterState,
    Ticket,
)
from aioinstructure.quota.scheduler import Scheduler
from aioinstructure.quota.token_bucket import TokenBucket

__all__ = [
    "Answered",
    "Cost",
    "CostBucket",
    "Learned",
    "Lease",
    "LimitLearned",
    "Limiter",
    "LimiterState",
    "Outcome",
    "Queued",
    "QuotaEvent",
    "Refused",
    "Retried",
    "Scheduler",
    "Sent",
    "Snapshot",
    "Ticket",
    "TokenBucket",
]
