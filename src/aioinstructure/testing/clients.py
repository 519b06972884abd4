"""Clients for a simulator in the same process."""

from __future__ import annotations

from typing import Unpack

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.config import CommonOptions
from aioinstructure.simulator import Simulator
from aioinstructure.testing.transports import SimulatorTransport

__all__ = ["abconnect_of", "canvas_of"]


def canvas_of(simulator: Simulator, **options: Unpack[CommonOptions]) -> Canvas:
    """Create a client for the simulator's Canvas, in the same process; options as for `Canvas`."""
    return Canvas(
        "https://canvas.test",
        token=simulator.canvas_token,
        transport=SimulatorTransport(simulator),
        **options,
    )


def abconnect_of(
    simulator: Simulator, *, user_id: str = "", **options: Unpack[CommonOptions]
) -> ABConnect:
    """Create a client for the simulator's AB Connect, in the same process.

    Takes the options of `ABConnect`.
    """
    return ABConnect(
        partner_id=simulator.partner_id,
        partner_key=simulator.partner_key,
        user_id=user_id,
        base_url="https://abconnect.test",
        transport=SimulatorTransport(simulator),
        **options,
    )
