"""The commands and what they have in common: errors in one line, Ctrl-C without a traceback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
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
"""What shells expect of a program that Ctrl-C has ended."""


class _Group(click.Group):
    """Our errors are for people: no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            outcome: Any = super().invoke(ctx)
            return outcome if outcome is None else run(outcome)
        except Error as error:
            notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
            raise click.ClickException(f"{error}{notes}") from error


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a command's coroutine; Ctrl-C cancels it, so that everything is closed in order."""
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aioinstructure")
def app() -> None:
    """Canvas LMS and AB Connect from the command line."""


app.add_command(demo)
app.add_command(sync)
app.add_command(call)
app.add_command(quota)
app.add_command(simulate)
