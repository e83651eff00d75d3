"""What a start hands to the relay, and what it leaves on the disk."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from monitor.config import Config
from monitor.errors import ConfigError
from monitor.relay.settings import RelaySettings
from monitor.service import launch


def _settings(**keys: object) -> RelaySettings:
    document = launch.relay_document(Config.model_validate(keys), 0, 7, "/tap")
    return RelaySettings.from_json(json.dumps(document))


@pytest.mark.parametrize(
    ("upstream", "host", "port", "authority"),
    [
        ("http://[::1]:8080", "::1", 8080, "[::1]:8080"),
        ("http://127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("http://model", "model", 80, "model:80"),
        ("https://model", "model", 443, "model:443"),
        ("https://[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]:443"),
    ],
)
def test_the_upstream(upstream: str, host: str, port: int, authority: str) -> None:
    settings = _settings(upstream=upstream)
    assert (settings.upstream_host, settings.upstream_port) == (host, port)
    assert settings.upstream_authority == authority
    assert settings.upstream_tls.enabled == upstream.startswith("https")
    assert settings.upstream_tls.verify


def test_tls_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = _settings(
        upstream="https://h",
        tls={"certificate": "a.pem", "key": "b.pem"},
        upstream_tls={"ca": "c.pem", "server_name": "model", "verify": False},
    )
    assert settings.tls.certificate == str(tmp_path / "a.pem")
    assert (settings.tls.key, settings.tls.client_ca) == (str(tmp_path / "b.pem"), "")
    assert settings.upstream_tls.ca == str(tmp_path / "c.pem")
    assert (settings.upstream_tls.server_name, settings.upstream_tls.verify) == ("model", False)


@pytest.mark.parametrize(
    "keys",
    [
        {"upstream": "http://h", "upstream_tls": {"verify": False}},
        {"upstream": "http://h", "tls": {"certificate": "a.pem"}},
        {"upstream": "ftp://h"},
    ],
)
def test_tls_settings_without_a_meaning_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"upstream_tls|tls\.key|is not a URL"):
        Config.model_validate(keys)


def test_a_long_data_directory_costs_one_short_one_however_often_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Path(tempfile.mkdtemp(dir=tmp_path))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(short))
    long = tmp_path / ("d" * 120)
    paths = {launch._tap_path(long) for _ in range(3)}
    assert len(paths) == 1
    assert [path.name for path in short.iterdir()] == [paths.pop().parent.name]
    assert launch._tap_path(tmp_path / ("e" * 120)).parent.parent == short
    (made,) = (path for path in short.iterdir() if path == launch._tap_path(long).parent)
    assert made.stat().st_mode & 0o777 == 0o700
    made.chmod(0o755)
    with pytest.raises(ConfigError, match="is not this user's alone"):
        launch._tap_path(long)
