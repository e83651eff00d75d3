"""The dashboards as Grafana reads them, written by `python -m dashboards.boards`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def dashboards() -> dict[str, dict[str, Any]]:
    """uid → dashboard, as committed."""
    found = (json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json")))
    return {one["uid"]: one for one in found}
