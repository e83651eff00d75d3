"""The demo's configuration is one that the sidecar takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from monitor.config import load
from monitor.demo.settings import SECRET_VARIABLE, Addresses, run_config, window_seconds

ADDRESSES = Addresses(18080, 18000, 18001, "http://127.0.0.1:18002/alerts")


@pytest.mark.parametrize("seconds", [20.0, 33.3, 60.0, 600.0])
def test_it_loads_at_any_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "whsec_c2VjcmV0")
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(run_config(ADDRESSES, tmp_path, seconds, round(seconds * 830))))
    config = load(path)
    assert config.window.size == pytest.approx(window_seconds(seconds), rel=0.01)
    assert config.window.size == pytest.approx(12 * config.window.pane)
    assert config.alerts.for_seconds == pytest.approx(seconds / 60, abs=1e-3)
    assert config.alerts.webhooks[0].secret is not None
    assert config.alerts.webhooks[0].secret.get_secret_value() == "whsec_c2VjcmV0"
    assert str(config.listen) == "127.0.0.1:18000"


def test_the_examples_own_file_is_the_one_of_a_minute(tmp_path: Path) -> None:
    here = Path(__file__).parents[2] / "examples" / "flights" / "config.yaml"
    example = load(here)
    generated = run_config(ADDRESSES, tmp_path, 60.0, 49_887)
    assert generated["window"]["size"] == "6000ms"
    assert example.window.size == 6.0
    assert generated["window"]["min_rows"] == pytest.approx(example.window.min_rows, rel=0.01)
    assert example.performance.thresholds == generated["performance"]["thresholds"]
