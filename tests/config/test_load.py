"""Settings: what wins over what, and every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Config, load, reveal
from monitor.config.judge import FromReference
from monitor.errors import ConfigError

UPSTREAM = "upstream: http://127.0.0.1:8080\n"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIDELIGHT_TOKEN", "SIDELIGHT_UPSTREAM"):
        monkeypatch.delenv(name, raising=False)


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")
    return path


def _faults(tmp_path: Path, text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load(_file(tmp_path, text))
    return dict(caught.value.faults)


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    config = load(_file(tmp_path, UPSTREAM))
    assert str(config.listen) == "0.0.0.0:8000"
    assert str(config.control) == "127.0.0.1:8001"
    assert (config.window.size, config.window.pane, config.window.min_rows) == (3600, 60, 100)
    assert (config.alerts.for_seconds, config.alerts.keep_firing_for) == (120, 600)
    assert config.performance.label_ttl == 30 * 86400
    assert config.limits.queue_bytes == 64 << 20
    assert config.timeouts.upstream_idle == 3


def test_environment_wins_over_file_and_flags_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, UPSTREAM + "window: {size: 2h, pane: 1m}\nmodel: {name: a}\n")
    monkeypatch.setenv("SIDELIGHT_WINDOW__PANE", "2m")
    monkeypatch.setenv("SIDELIGHT_MODEL__NAME", "b")
    monkeypatch.setenv("SIDELIGHT_ALERTS__FOR", "5s")
    monkeypatch.setenv("SIDELIGHT_OBSERVE__FEATURES", '["x", "y"]')
    monkeypatch.setenv("SIDELIGHT_CONTROL", "127.0.0.1:9")
    config = load(path, {"model.name": "c", "listen": None})
    assert (config.window.size, config.window.pane) == (7200, 120)
    assert config.model.name == "c"
    assert config.alerts.for_seconds == 5
    assert config.observe.features == ("x", "y")
    assert str(config.control) == "127.0.0.1:9"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h", 3600), ("7d", 604800), ("1.5h", 5400)],
)
def test_durations(tmp_path: Path, text: str, seconds: float) -> None:
    config = load(_file(tmp_path, UPSTREAM + f"timeouts: {{drain: {text}}}\n"))
    assert config.timeouts.drain == seconds


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("upstream: localhost:8080\n", "upstream"),
        ("model: {}\n", "upstream"),
        (UPSTREAM + "upstrem: 1\n", "upstrem"),
        (UPSTREAM + "window: {sice: 1h}\n", "window.sice"),
        (UPSTREAM + "window: {size: 1h, pane: 7m}\n", "window"),
        (UPSTREAM + "window: {size: 1 fortnight}\n", "window.size"),
        (UPSTREAM + "listen: 8000\n", "listen"),
        (UPSTREAM + "listen: 0.0.0.0:99999\n", "listen.port"),
        (UPSTREAM + "model: {task: guess}\n", "model.task"),
        (UPSTREAM + "alerts: {webhooks: [{url: nowhere}]}\n", "alerts.webhooks.0.url"),
        (UPSTREAM + "observe: {sample: 2}\n", "observe.sample"),
        (UPSTREAM + "- a\n", ""),
        ("[1, 2]\n", ""),
    ],
)
def test_a_fault_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    assert key in _faults(tmp_path, text)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    faults = _faults(tmp_path, "upstream: x\nwindow: {pane: 0s}\nmodle: {}\nlimits: {series: no}\n")
    assert set(faults) == {"upstream", "window.pane", "modle", "limits.series"}


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nothing.yaml"):
        load(tmp_path / "nothing.yaml")


def test_writes_beyond_loopback_need_a_token(tmp_path: Path) -> None:
    text = UPSTREAM + "control: 0.0.0.0:8001\n"
    with pytest.raises(ConfigError, match=r"control_auth\.token is required"):
        load(_file(tmp_path, text))
    assert not load(_file(tmp_path, text + "control_auth: {token: t}\n")).control.loopback


def test_secrets_come_from_the_environment_and_stay_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, UPSTREAM + 'control_auth: {token: "${SIDELIGHT_TOKEN}"}\n')
    with pytest.raises(ConfigError, match="SIDELIGHT_TOKEN is not set"):
        load(path)
    monkeypatch.setenv("SIDELIGHT_TOKEN", "canary-7261")
    config = load(path)
    assert "canary-7261" not in repr(config)
    assert "canary-7261" not in config.model_dump_json()
    assert config.control_auth.token is not None
    assert config.control_auth.token.get_secret_value() == "canary-7261"


def test_a_misspelt_variable_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDELIGHT_UPSTREM", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="SIDELIGHT_UPSTREM names no setting"):
        load(_file(tmp_path, UPSTREAM))


def test_the_revealed_tree_makes_the_same_settings(tmp_path: Path) -> None:
    text = UPSTREAM + (
        "control_auth: {token: t}\nalerts: {for: 1m, webhooks: [{url: 'http://h/x', secret: s}]}\n"
        "drift: {columns: {distance: {method: psi, threshold: 0.2}}}\nlisten: '[::1]:80'\n"
    )
    config = load(_file(tmp_path, text))
    assert Config.model_validate(reveal(config)) == config


def test_a_threshold_is_a_number_or_so_many_deviations_of_the_reference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = '{"rmse": 45, "mae": "reference+3std", "r2": "reference - 2.5 std"}'
    monkeypatch.setenv("SIDELIGHT_PERFORMANCE__THRESHOLDS", told)
    config = load(None, {"upstream": "http://127.0.0.1:1"})
    expected = {
        "rmse": 45.0,
        "mae": FromReference(deviations=3.0),
        "r2": FromReference(deviations=2.5),
    }
    assert dict(config.performance.thresholds) == expected
    assert dict(Config.model_validate(reveal(config)).performance.thresholds) == expected
    monkeypatch.setenv("SIDELIGHT_PERFORMANCE__THRESHOLDS", '{"rmse": "three"}')
    with pytest.raises(ConfigError, match=r"performance.thresholds.rmse: .*reference\+3std"):
        load(None, {"upstream": "http://127.0.0.1:1"})
