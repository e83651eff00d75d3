"""The relay process: `python -m monitor.relay`, its settings as one JSON document on stdin.

Says `{"ready": true, "pid": …}` on stdout once it accepts; SIGTERM drains, a second one ends it at
once.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys

import uvloop

from monitor.errors import ConfigError
from monitor.relay.settings import RelaySettings
from monitor.relay.worker import Worker

GARBAGE_THRESHOLD = (
    50_000  # what a request leaves behind is freed by its references; cycles are rare
)


async def _serve(settings: RelaySettings) -> None:
    worker = Worker(settings, socket.socket(fileno=settings.listen_fd))
    worker.obey_signals()
    await worker.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    print(json.dumps({"ready": True, "pid": os.getpid()}), flush=True)  # noqa: T201 - the supervisor reads it
    await worker.stopped()


def main() -> int:
    """The process's exit code."""
    text = sys.stdin.buffer.read()
    sys.stdin.close()
    try:
        settings = RelaySettings.from_json(text)
        uvloop.run(_serve(settings))
    except (ConfigError, OSError) as error:
        print(f"relay: {error}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
