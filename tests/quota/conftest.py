"""Every test of this folder runs on the virtual loop."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from virtual import VirtualLoop


def pytest_asyncio_loop_factories(config, item):
    """Run the tests of this folder in virtual time."""
    return {"virtual": VirtualLoop}
