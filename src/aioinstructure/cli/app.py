"""The command group: prints errors without a traceback and handles Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import click

from aioinstructure._version import __version__
from aioinstructure.errors import (
    Error,
    Forbidden,
    NotFound,
    QueueFull,
    QuotaError,
    SyncError,
    Throttled,
    TransportError,
    Unauthorized,
)

__all__ = ["app"]

_COMMANDS = ("demo", "sync", "call", "quota", "simulate")
"""The commands, each in the module of its name, which is imported when it is used."""

INTERRUPTED = 130
"""The exit status of a program ended by Ctrl-C (128 + SIGINT)."""

_STATUSES: tuple[tuple[tuple[type[Error], ...], int], ...] = (
    ((Unauthorized, Forbidden), 3),
    ((NotFound,), 4),
    ((QuotaError, QueueFull, Throttled), 5),
    ((TransportError,), 6),
)
"""The exit status for each cause; 1 for any other error."""

_SHOW_CURSOR = b"\x1b[?25h"


class _Group(click.Group):
    """Imports a command when it is used, and prints errors without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"aioinstructure.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            outcome: Any = super().invoke(ctx)
            return outcome if outcome is None else run(outcome)
        except Error as error:
            notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
            click.ClickException(f"{error}{notes}").show()
            raise click.exceptions.Exit(exit_status(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader has gone: click ends the program
                raise
            raise click.ClickException(str(error)) from error


def exit_status(error: BaseException) -> int:
    """The exit status of an error; that of its cause for a failed sync."""
    if isinstance(error, SyncError) and error.__cause__ is not None:
        return exit_status(error.__cause__)
    return next((status for kinds, status in _STATUSES if isinstance(error, kinds)), 1)


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
    """Canvas LMS and AB Connect from the command line.

    Exit status: 3 no access, 4 not found, 5 no time left for the quota, 6 no connection, 1 another
    error, 2 wrong usage, 130 Ctrl-C.
    """
