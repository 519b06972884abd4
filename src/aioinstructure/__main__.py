"""`python -m aioinstructure`: the command line."""

from __future__ import annotations

from aioinstructure.cli import main

if __name__ == "__main__":
    main()
