"""The page: nothing inline, nothing from elsewhere, no markup made of names; in a browser too."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from monitor.alerting import conditions
from monitor.api.app import ASSETS
from monitor.snapshot import ReferenceInfo, Snapshot

ALERTS = sorted(
    value
    for name, value in vars(conditions).items()
    if name.isupper() and isinstance(value, str) and value.startswith("Sidelight")
)
DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"


@pytest.mark.parametrize("path", ["/", "/docs", "/runbook"])
def test_pages_run_nothing_inline_and_ask_nobody_else(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert not re.search(r"<style|\bstyle=|\son\w+=|javascript:", answer.text)
    linked = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert linked
    for target in linked:
        assert target.startswith(("/", "#")), target
        if target.startswith("/assets/"):
            assert client.get(target).status_code == 200, target


@pytest.mark.parametrize("name", ["page.js", "columns.js", "words.js", "docs.js"])
def test_scripts_make_no_markup_of_text(client: Any, name: str) -> None:
    script = client.get(f"/assets/{name}").text
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://(?!\$)"
    assert not re.search(forbidden, script)
    for imported in re.findall(r'from "\./(\w+\.js)"', script):
        assert (ASSETS / imported).is_file()


def test_assets_are_only_what_is_meant(client: Any) -> None:
    for path in ("/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py", "/assets/"):
        assert client.get(path).status_code == 404, path


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_its_runbook(client: Any, name: str) -> None:
    assert f'id="{name.lower()}"' in client.get("/runbook").text
    assert f"### {name}\n" in DOCS.read_text("utf-8")


@contextmanager
def served(app: Any) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(10)


def rendered(url: str, profile: Path) -> str:
    """What stands in the page after its scripts have run, as Chromium sees it."""
    flags = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--virtual-time-budget=3000", "--dump-dom",
    )  # fmt: skip
    done = subprocess.run(
        ["chromium", *flags, f"--user-data-dir={profile}", url],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.end_to_end
@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_the_page_in_a_browser(client: Any, house: Any, tmp_path: Path) -> None:
    readings = house.current.readings
    evil = "<img src=x onerror=document.title='owned'>"
    renamed = (replace(readings[0], column=evil), *readings[1:])
    house.current = replace(house.current, readings=renamed)
    with served(client.app) as url:
        dom = rendered(f"{url}#column=same", tmp_path / "full")
        assert "<title>m · Sidelight</title>" in dom
        assert "&lt;img src=x onerror=document.title='owned'&gt;" in dom
        assert "<img" not in dom
        assert 'aria-expanded="true"' in dom, "the column of the address is open"
        assert re.search(r"rmse.*?4.*?3.*?\+33\.3%", dom, re.DOTALL)
        house.current = Snapshot("m", "1", 1.0, 0, 0, 0, ReferenceInfo("learning", "", 0, 5000))
        assert "Nothing has arrived yet" in rendered(url, tmp_path / "silent")
        house.current = _learning(house.current)
        assert "1,240 of 5,000 rows seen" in rendered(url, tmp_path / "learning")


def _learning(snapshot: Snapshot) -> Snapshot:
    health = replace(snapshot.health, predictions=1240)
    return replace(snapshot, health=health, reference=ReferenceInfo("learning", "", 1240, 5000))
