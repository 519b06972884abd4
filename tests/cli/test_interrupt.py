"""Ctrl-C: the first one closes everything in order, the second one exits at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

import click
import pytest

from aioinstructure.cli.app import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX signal")


def test_the_first_one_cancels_the_command() -> None:
    """The command closes its resources; the status is 130, and the old handler is restored."""
    closed: list[bool] = []

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(click.exceptions.Exit) as caught:
        run(main)
    assert caught.value.exit_code == 130
    assert closed == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_one_ends_it_at_once() -> None:
    """A command that hangs while closing still ends, without a traceback."""
    program = """if True:
        import asyncio, os, signal
        from aioinstructure.cli.app import run

        async def main():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.Event().wait()
            finally:
                print("closing", flush=True)
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.Event().wait()

        run(main)
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "closing\n", "")


def test_a_command_may_run_in_a_thread() -> None:
    """Only the main thread can handle signals; in other threads no handler is installed."""
    ran: list[bool] = []

    async def main() -> None:
        ran.append(True)

    thread = threading.Thread(target=run, args=(main,))
    thread.start()
    thread.join()
    assert ran == [True]
