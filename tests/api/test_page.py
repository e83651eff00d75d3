"""The page: nothing inline, nothing from elsewhere, no markup made of names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from monitor.alerting import conditions
from monitor.api.app import ASSETS

ALERTS = sorted(
    value
    for name, value in vars(conditions).items()
    if name.isupper() and isinstance(value, str) and value.startswith("Sidelight")
)
SCRIPTS = sorted(path.name for path in ASSETS.glob("*.js"))
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


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_make_no_markup_of_text(client: Any, name: str) -> None:
    script = client.get(f"/assets/{name}").text
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://(?!\$)"
    assert not re.search(forbidden, script)
    assert script.startswith("//"), "its first lines say what it is for"
    for imported in re.findall(r'from "\./(\w+\.js)"', script):
        assert (ASSETS / imported).is_file()


def test_assets_are_only_what_is_meant(client: Any) -> None:
    for path in ("/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py", "/assets/"):
        assert client.get(path).status_code == 404, path


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_its_runbook(client: Any, name: str) -> None:
    assert f'id="{name.lower()}"' in client.get("/runbook").text
    assert f"### {name}\n" in DOCS.read_text("utf-8")
