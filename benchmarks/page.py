"""The README's picture of the page: `python benchmarks/page.py docs/pictures/page.png`.

Runs the demo as a person would, waits until its flights drift, and has Chromium take the picture.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DEMO = (sys.executable, "-c", "from monitor.cli import main; main()", "demo")
PAGE = re.compile(r"the page\s+(http://\S+/)")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
WIDTH, HEIGHT = 1120, 1010
DRIFTED = """() => document.querySelectorAll('#drift-rows [data-mood=drift].pill').length >= 2
  && document.querySelectorAll('#alerts-list [data-mood=firing].pill').length >= 1"""
DRAWN = """() => [...document.querySelectorAll('#drift-rows .chart')].slice(0, 8)
  .every((chart) => chart.querySelector('.main-svg'))"""


@contextmanager
def demo(seconds: float) -> Iterator[str]:
    """The address of a running demo's page."""
    words = [*DEMO, "--seconds", f"{seconds:g}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield address(running)
        finally:
            running.send_signal(signal.SIGINT)


def address(running: subprocess.Popen[str]) -> str:
    for line in running.stdout or ():
        if found := PAGE.search(line):
            return found[1]
    raise SystemExit("the demo ended before it had a page")


def take(page: Page, url: str, path: Path) -> None:
    page.goto(url)
    page.wait_for_function(DRIFTED, timeout=240_000)
    page.wait_for_function(DRAWN, timeout=60_000)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--seconds", type=float, default=150.0, help="of replay")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("chromium is not installed")
    with demo(arguments.seconds) as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        take(page, url, arguments.picture)
        browser.close()


if __name__ == "__main__":
    main()
