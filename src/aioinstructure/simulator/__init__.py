"""A simulator of Canvas LMS and AB Connect, exact in throttling, paging and errors.

It is an oracle for the client: it shares no code with it but the shape of a message.
"""

from __future__ import annotations

from aioinstructure.simulator.http.faults import Fault
from aioinstructure.simulator.knobs import Knobs
from aioinstructure.simulator.simulator import Simulator

__all__ = ["Fault", "Knobs", "Simulator"]
