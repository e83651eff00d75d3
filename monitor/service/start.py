"""The monitor process's way in: loads `monitoring` in about two thirds of the time, and runs it.

Traffic is not observed while a killed monitor is being replaced, so every import counts.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module

GARBAGE_THRESHOLD = 50_000  # rows are freed by their references; cycles are rare


def main() -> None:
    """Run the monitor as the document on standard input says."""
    gc.disable()  # what is being loaded is there to stay: looking through it takes a tenth of it
    # Libraries would draw their tracebacks and commands with them; this process writes JSON lines.
    sys.modules["rich"] = sys.modules["pygments"] = None  # type: ignore[assignment]
    monitoring = import_module("monitor.service.monitoring")
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.enable()
    monitoring.main()


if __name__ == "__main__":
    main()
