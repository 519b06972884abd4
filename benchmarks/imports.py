"""Import time of the package compared with `import aiohttp`: medians over new interpreters.

Goal: less than `import aiohttp`, which the package loads on the first request only.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 15
STATEMENTS = {
    "nothing": "pass",
    "import aiohttp": "import aiohttp",
    "from aioinstructure import Canvas, ABConnect": "from aioinstructure import Canvas, ABConnect",
}
_TIMER = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def seconds(statement: str) -> float:
    """The time of the statement in a new interpreter, in seconds."""
    out = subprocess.check_output([sys.executable, "-c", _TIMER.format(statement)])  # noqa: S603
    return float(out)


def main() -> None:
    """Measure in rounds, so that a slow moment of the machine affects all statements."""
    found: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):
        for name, statement in STATEMENTS.items():
            found[name].append(seconds(statement))
    medians = {name: statistics.median(times) for name, times in found.items()}
    base = medians["import aiohttp"]
    for name, median in medians.items():
        print(f"{name:<48} {median * 1e3:7.1f} ms   {median / base:5.2f} of aiohttp")


if __name__ == "__main__":
    main()
