"""Clients for a simulator in the same process."""

from __future__ import annotations

from typing import Any

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.simulator import Simulator
from aioinstructure.testing.transports import SimulatorTransport

__all__ = ["abconnect_of", "canvas_of"]


def canvas_of(simulator: Simulator, **options: Any) -> Canvas:
    """Create a client for the simulator's Canvas, in the same process; options as for `Canvas`."""
    return Canvas(
        "https://canvas.test",
        token=simulator.canvas_token,
        transport=SimulatorTransport(simulator),
        **options,
    )


def abconnect_of(simulator: Simulator, **options: Any) -> ABConnect:
    """Create a client for the simulator's AB Connect, in the same process.

    Takes the options of `ABConnect`.
    """
    return ABConnect(
        partner_id=simulator.partner_id,
        partner_key=simulator.partner_key,
        base_url="https://abconnect.test",
        transport=SimulatorTransport(simulator),
        **options,
    )
