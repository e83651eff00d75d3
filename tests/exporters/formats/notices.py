"""Alerts with something of everything in them, as formats are given them."""

from __future__ import annotations

from exporters.message import Message, Notice, notice
from monitor.snapshot import Alert, AlertState

PAGE = "https://sidelight.test/"
EVIL = "<!channel> & [click](https://evil.test) <https://evil.test|here>"


def told(
    column: str = "delay", *, firing: bool = True, severity: str = "warning", turn: int = 0
) -> Notice:
    labels = {
        "alertname": "SidelightFeatureDrift",
        "severity": severity,
        "model": "flights",
        "version": "3",
        "column": column,
        "role": "feature",
    }
    notes = {
        "summary": f"{column} has drifted in flights 3",
        "description": f"psi 0.5 (threshold 0.2) over 400 rows. {turn}",
        "dashboard_url": f"{PAGE}#column=delay",
        "runbook_url": f"{PAGE}runbook#sidelightfeaturedrift",
    }
    state = AlertState.FIRING if firing else AlertState.RESOLVED
    ended = None if firing else 2000.5
    return notice(Alert(labels, notes, state, 900.0, 1000.0, ended), PAGE)


def message(*notices: Notice) -> Message:
    return Message("msg_1", "flights", notices or (told(),))
