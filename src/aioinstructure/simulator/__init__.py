"""Simulator of Canvas LMS and AB Connect with exact throttling, paging and errors.

It is a test oracle: it shares no code with the client except the message types.
"""

from __future__ import annotations

from aioinstructure.simulator.http.faults import Fault
from aioinstructure.simulator.knobs import Knobs
from aioinstructure.simulator.simulator import Simulator

__all__ = ["Fault", "Knobs", "Simulator"]
