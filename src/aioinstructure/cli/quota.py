"""`aioinstructure quota`: show the gauges of running syncs, or probe an account.

A running `sync` or `demo` writes its gauges once a second to a file in the temporary directory
that only its user can read. The file has numbers and origins, no credential.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.cli.gauges import EVERY_SECONDS, gauge, running_gauges

__all__ = ["quota"]


@click.command()
@click.option("--probe", type=click.Choice(["canvas", "abconnect"]), help="Query a real account.")
@click.option("--once", is_flag=True, help="Print the current state and exit.")
def quota(probe: str | None, once: bool) -> Callable[[], Coroutine[Any, Any, None]]:
    """Show live the quota of the syncs that are running on this machine.

    With --probe, send one request with the account that the environment names, and show the quota
    that the response reports.
    """
    return (lambda: _probe(probe)) if probe else (lambda: _watch(once))


async def _watch(once: bool) -> None:
    console = Console()
    if once or not console.is_terminal:
        console.print(_picture(), soft_wrap=True)
        return
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(_picture(), refresh=True)
            await asyncio.sleep(EVERY_SECONDS)


def _picture() -> Group:
    lines: list[Text] = []
    for process, gauges in running_gauges().items():
        lines.append(Text(f"process {process}", style="bold"))
        lines += [gauge(name, snapshot) for name, snapshot in gauges.items()]
    return Group(*(lines or [Text("no sync is running on this machine")]))


async def _probe(service: str) -> None:
    console = Console()
    if service == "abconnect":
        async with ABConnect.from_env() as ab:
            await ab.request("GET", "/rest/v4.1/standards", params={"limit": 0})
            console.print(gauge("AB Connect", ab.quota.snapshot()), soft_wrap=True)
            console.print(
                "AB Connect does not report its quota: this assumes a full bucket before this call."
            )
            return
    async with Canvas.from_env() as canvas:
        response = await canvas.request("GET", "/api/v1/courses", params={"per_page": 1})
        console.print(gauge("Canvas", canvas.quota.snapshot()), soft_wrap=True)
        left, cost = response.rate_limit_remaining, response.request_cost
        if left is None:
            console.print("Canvas did not report its quota.")
        else:
            console.print(f"Canvas reports {left:g} units left; the request cost {cost or 0:g}.")
