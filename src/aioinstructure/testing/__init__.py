"""Tools to test your own program: a fake transport, virtual time and the simulator.

    async def test_my_sync():
        transport = FakeTransport([reply([{"id": 1, "name": "Algebra"}])])
        async with Canvas("https://canvas.test", token="t", transport=transport) as canvas:
            assert [course.name async for course in canvas.courses.list()] == ["Algebra"]
        assert transport.requests[0].path == "/api/v1/courses?per_page=100"

Virtual time jumps to the next timer: ten minutes of throttled calls take milliseconds.
"""

from __future__ import annotations

from aioinstructure.testing.clients import abconnect_of, canvas_of
from aioinstructure.testing.sinks import MemorySink
from aioinstructure.testing.transports import FakeTransport, SimulatorTransport, reply
from aioinstructure.testing.virtual_time import VirtualLoop, virtual_clock

__all__ = [
    "FakeTransport",
    "MemorySink",
    "SimulatorTransport",
    "VirtualLoop",
    "abconnect_of",
    "canvas_of",
    "reply",
    "virtual_clock",
]
