"""A real Alertmanager behind a real sidecar: told while something is wrong, and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.alertmanager import BINARY, alertmanager, alerts, wait
from tests.end_to_end.sidecar import Sidecar

CONFIG = """\
window: {{size: 4s, pane: 500ms, min_rows: 50}}
drift: {{columns: {{x: {{method: psi, threshold: 0.2}}}}}}
alerts:
  for: 200ms
  keep_firing_for: 200ms
  webhooks: [{{url: "{url}", format: alertmanager_api}}]
  allow_private: [127.0.0.1]
"""


@pytest.mark.end_to_end
@pytest.mark.skipif(BINARY is None, reason="alertmanager is not installed")
def test_alertmanager_hears_of_drift_and_of_its_end(
    start: Callable[..., Sidecar], tmp_path: Path
) -> None:
    (tmp_path / "alertmanager").mkdir()
    with alertmanager(tmp_path / "alertmanager") as url:
        sidecar = start(config=CONFIG.format(url=url))
        for turn in range(52):  # the reference: 5,000 rows around zero
            sidecar.predict([(row % 11 - 5 + turn % 3) / 5 for row in range(100)])
        sidecar.wait(lambda: sidecar.json("/api/v1/health")["reference"]["state"] == "ready")

        def seen() -> bool:
            sidecar.predict([5.0] * 20)
            names = {each["labels"]["alertname"] for each in alerts(url, "?active=true")}
            return "SidelightFeatureDrift" in names

        wait(seen, 40)
        found = {(e["labels"]["alertname"], e["labels"].get("column")): e for e in alerts(url)}
        one = found["SidelightFeatureDrift", "x"]
        assert one["labels"]["role"] == "feature"
        assert one["annotations"]["runbook_url"].endswith("/runbook#sidelightfeaturedrift")
        assert one["generatorURL"].endswith("#column=x")
        wait(lambda: not alerts(url, "?active=true"), 40)  # the rows have left the window

        def sent() -> float:
            sink = {"sink": "alertmanager_api-0", "outcome": "sent"}
            return sidecar.metric("alert_deliveries_total", **sink)

        sidecar.wait(lambda: sent() >= 2)
        assert sidecar.metric("alert_deliveries_total", outcome="failed") == 0
