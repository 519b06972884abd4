"""`aioinstructure simulate`: serve both simulated services on loopback, limits enforced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import click
import orjson

from aioinstructure.simulator import Knobs, Simulator

__all__ = ["simulate"]

PORT = 8400


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="0 selects a free port.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback addresses only.")
@click.option("--seed", default=1, show_default=True, help="Seed of the generated data.")
@click.option("--knob", multiple=True, metavar="NAME=VALUE", help="Set a knob; VALUE is JSON.")
@click.option("--env", is_flag=True, help="Print `export NAME=value` lines first.")
@click.option("--until-eof", is_flag=True, help="Exit when standard input closes.")
@click.option("--knobs", "show_knobs", is_flag=True, help="List the knobs and their values.")
def simulate(
    port: int,
    host: str,
    seed: int,
    knob: tuple[str, ...],
    env: bool,
    until_eof: bool,
    show_knobs: bool,
) -> Callable[[], Coroutine[Any, Any, None]] | None:
    """Serve a simulated Canvas and AB Connect with generated data, to test against.

    Throttles, paging, errors and signatures match the real services. Statistics are at
    /_control/stats, next to knobs and faults.
    """
    knobs = Knobs()
    try:
        knobs.update(**dict(_setting(text) for text in knob))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if show_knobs:
        for name, value in knobs.to_dict().items():
            click.echo(f"{name}={orjson.dumps(value).decode()}")
        return None
    return lambda: _serve(Simulator(seed=seed, knobs=knobs), host, port, env, until_eof)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"invalid knob {text!r}: expected NAME=VALUE")
    try:
        return name, orjson.loads(value)
    except ValueError:
        return name, value


async def _serve(simulator: Simulator, host: str, port: int, env: bool, until_eof: bool) -> None:
    from aioinstructure.simulator.server import start  # noqa: PLC0415 - imports aiohttp

    try:
        server = await start(simulator, host=host, port=port)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    try:
        if env:
            for name, value in simulator.env(server.origin).items():
                click.echo(f"export {name}={value}")
        click.echo(f"# simulator listening on {server.origin}, press Ctrl-C to stop")
        await _end_of_input(until_eof)
    finally:
        await server.close()


async def _end_of_input(watched: bool) -> None:
    """Wait for the end of standard input if it is watched, otherwise forever."""
    ended = asyncio.Event()
    if watched:
        loop = asyncio.get_running_loop()
        # A daemon thread: a blocking read cannot be cancelled, and not every event loop can watch
        # every kind of standard input.
        watch = partial(_watch, sys.stdin.fileno(), partial(loop.call_soon_threadsafe, ended.set))
        threading.Thread(target=watch, daemon=True).start()
    await ended.wait()


def _watch(descriptor: int, at_end: Callable[[], object]) -> None:
    with contextlib.suppress(OSError, RuntimeError):  # the input or the loop was closed
        while os.read(descriptor, 1024):
            pass
        at_end()
