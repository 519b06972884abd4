"""The command group: prints errors without a traceback and handles Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import click

from aioinstructure._version import __version__
from aioinstructure.cli.call import call
from aioinstructure.cli.demo import demo
from aioinstructure.cli.quota import quota
from aioinstructure.cli.simulate import simulate
from aioinstructure.cli.sync import sync
from aioinstructure.errors import Error

__all__ = ["app"]

INTERRUPTED = 130
"""The exit status of a program ended by Ctrl-C (128 + SIGINT)."""

_SHOW_CURSOR = b"\x1b[?25h"


class _Group(click.Group):
    """Prints the library's errors without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            outcome: Any = super().invoke(ctx)
            return outcome if outcome is None else run(outcome)
        except Error as error:
            notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
            raise click.ClickException(f"{error}{notes}") from error


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a command's coroutine; Ctrl-C cancels it, so that resources are closed in order.

    A second Ctrl-C ends the process immediately. This loses no data: a sync commits each batch
    together with its checkpoint.
    """
    try:
        with _interruptible() as begin:
            asyncio.run(begin(main))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.exceptions.Exit(INTERRUPTED) from None


@contextlib.contextmanager
def _interruptible() -> Generator[Callable[..., Coroutine[Any, Any, None]]]:
    task: asyncio.Task[Any] | None = None

    async def begin(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        nonlocal task
        task = asyncio.current_task()
        await main()

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal task
        if task is None:
            if sys.stdout.isatty():
                os.write(sys.stdout.fileno(), _SHOW_CURSOR)
            os._exit(INTERRUPTED)
        task.get_loop().call_soon_threadsafe(task.cancel)
        task = None

    if threading.current_thread() is not threading.main_thread():
        yield begin  # only the main thread can handle signals
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield begin
    finally:
        signal.signal(signal.SIGINT, before)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aioinstructure")
def app() -> None:
    """Canvas LMS and AB Connect from the command line."""


app.add_command(demo)
app.add_command(sync)
app.add_command(call)
app.add_command(quota)
app.add_command(simulate)
