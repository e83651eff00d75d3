"""Where each dashboard is found: its lasting uid, and its URL with a model and a column chosen."""

from __future__ import annotations

OVERVIEW = "sidelight-overview"
COLUMNS = "sidelight-columns"
PERFORMANCE = "sidelight-performance"
HEALTH = "sidelight-health"
FOLDER = "sidelight"
FOLDER_TITLE = "Sidelight"
TAG = "sidelight"  # what the links between the dashboards go by


def dashboard_path(uid: str, **variables: str) -> str:
    """The path of a dashboard with some of its variables chosen.

    >>> dashboard_path(COLUMNS, column="x")
    '/d/sidelight-columns?var-column=x'
    """
    chosen = "&".join(f"var-{name}={value}" for name, value in variables.items())
    return f"/d/{uid}?{chosen}" if chosen else f"/d/{uid}"
