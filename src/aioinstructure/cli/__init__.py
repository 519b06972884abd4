"""The command line: `aioinstructure demo | sync | call | quota | simulate`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; without its extra, say how to install it."""
    try:
        from aioinstructure.cli.app import app  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich", "sqlalchemy", "aiosqlite"):
            raise
        sys.exit(f'{error.name} is missing: pip install "aioinstructure[cli]"')
    app()
