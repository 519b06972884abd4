"""The command line: `aioinstructure demo | sync | call | quota | simulate`."""

from __future__ import annotations

import logging
import sys

from aioinstructure._version import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line; print how to install the `cli` extra if it is missing."""
    if sys.argv[1:] == ["--version"]:  # without the imports of the commands
        print(f"aioinstructure, version {__version__}")  # noqa: T201 - the command line
        return
    # The report already contains what it logs, except for noise about cut connections.
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    try:
        from aioinstructure.cli.app import app  # noqa: PLC0415 - the extra may be missing

        app()
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich", "sqlalchemy", "aiosqlite"):
            raise
        sys.exit(f'{error.name} is missing: pip install "aioinstructure[cli]"')
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C before the command started
