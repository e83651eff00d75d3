"""The real Alertmanager, alone and on loopback; tests that need it are skipped where it is not."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.end_to_end.sidecar import free_port

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = "route: {receiver: none, group_wait: 1s}\nreceivers: [{name: none}]\n"


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """The real one, alone, on loopback."""
    assert BINARY is not None
    port = free_port()
    (folder / "config.yml").write_text(CONFIG)
    words = [
        f"--config.file={folder / 'config.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([BINARY, *words], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait(lambda: alerts(url) == [])
        yield url
    finally:
        process.terminate()
        process.wait(10)


def alerts(url: str, query: str = "") -> list[Any]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts{query}", timeout=5) as answer:  # noqa: S310
        found: list[Any] = json.load(answer)
        return found


def wait(until: Callable[[], bool], seconds: float = 20.0) -> None:
    began = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            if until():
                return
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
