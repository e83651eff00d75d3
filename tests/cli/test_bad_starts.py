"""What can be wrong with a start: one clear line that names the key or the file, and exit 2."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.sidecar import command, environment
from tests.relay.certificates import Authority, needs_openssl

pytestmark = pytest.mark.end_to_end

UPSTREAM = "http://127.0.0.1:9"
DATA = "x,p,y\n" + "".join(f"{i},{i},{i}\n" for i in range(50))


def _run(folder: Path, *words: str, **variables: str) -> tuple[int, list[str], list[str]]:
    done = subprocess.run(
        [*command(), *words],
        cwd=folder,
        env=environment(PYTHONPATH=str(Path(__file__).parents[2]), COLUMNS="200", **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def _sidecar(*words: str) -> tuple[str, ...]:
    listening = ("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")
    return ("run", "--upstream", UPSTREAM, *listening, *words)


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("upstrem: http://127.0.0.1:9\n", "sidelight: upstrem: unknown key"),
        ("window: {pane: 7m}\n", "sidelight: window: size must be a whole number of panes"),
        ("drift: {fdr: 2}\n", "sidelight: drift.fdr: Input should be less than or equal to 1"),
        ("observe: {format: morse}\n", "sidelight: observe.format: "),
        ("observe: {inputs: 'a..b'}\n", "sidelight: observe.inputs: "),
        (
            "alerts: {webhooks: [{url: 'https://h/', secret: 'whsec_!'}]}\n",
            "sidelight: alerts.webhooks.0.secret: a webhook secret",
        ),
        (
            "alerts: {webhooks: [{url: 'https://0x7f.1/canary'}]}\n",
            "sidelight: alerts.webhooks.0.url: 127.0.0.1 is private, and not in alerts.allow_priv",
        ),
        ("tls: {certificate: no.pem, key: no.key}\n", "sidelight: tls.certificate: cannot read "),
        ("upstream_tls: {}\n", "sidelight: upstream_tls is of use only where upstream is an https"),
        ("control: 0.0.0.0:0\n", "sidelight: control_auth.token is required"),
        ("a: [\n", "sidelight: config.yaml is not YAML"),
    ],
)
def test_a_fault_of_the_configuration(tmp_path: Path, config: str, line: str) -> None:
    (tmp_path / "config.yaml").write_text(config)
    words = ("run", "--config", "config.yaml", "--upstream", UPSTREAM)
    status, _, said = _run(tmp_path, *words)
    assert (status, len(said)) == (2, 1), said
    assert said[0].startswith(line)
    assert not (tmp_path / "sidelight-data").exists()


def test_check_tells_every_fault_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("upstream: localhost\nmodle: {}\nalerts: {for: soon}\n")
    status, _, said = _run(tmp_path, "check", "config.yaml")
    assert status == 2
    keys = {line.split(": ")[1] for line in said}
    assert keys == {"upstream", "modle", "alerts.for"}


def test_check_of_a_good_file(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"upstream: {UPSTREAM}\n")
    assert _run(tmp_path, "check", "config.yaml") == (0, ["config.yaml: no faults"], [])


@needs_openssl
def test_the_key_of_another_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    one, other = authority.issue(), authority.issue()
    (tmp_path / "config.yaml").write_text(
        f"upstream: https://127.0.0.1:9\n"
        f"tls: {{certificate: {one.certificate}, key: {other.key}}}\n"
        "upstream_tls: {ca: config.yaml}\n"
    )
    line = f"sidelight: tls.key: {other.key} is not the key of {one.certificate}"
    ca = f"sidelight: upstream_tls.ca: {tmp_path / 'config.yaml'} is no list of certificates in "
    for words in (("check", "config.yaml"), ("run", "--config", "config.yaml")):
        status, _, said = _run(tmp_path, *words)
        assert (status, said) == (2, [line, ca + "PEM form"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("run", "--upstream", "localhost:8080"), "sidelight: upstream: 'localhost:8080' is not"),
        (("run",), "sidelight: upstream: is required"),
        (_sidecar("--reference", "nowhere.json"), "sidelight: nowhere.json"),
        (_sidecar("--reference", "other.json"), "sidelight: other.json: reference version 99"),
        (_sidecar("--reference", "data.csv"), "sidelight: data.csv"),
        (_sidecar("--config", "nowhere.yaml"), "sidelight: cannot read nowhere.yaml"),
        (_sidecar("--data-dir", "data.csv"), "sidelight: data_dir: cannot write data.csv"),
        (("reference", "build", "nowhere.csv", "--output", "r.json"), "sidelight: nowhere.csv"),
        (
            ("reference", "build", "data.csv", "--output", "r.json", "--target", "z"),
            "sidelight: data.csv: no column 'z'",
        ),
        (
            ("reference", "build", "data.csv", "--output", "r.json", "--task", "guess"),
            "sidelight: --task: 'guess' is not one of",
        ),
        (("reference", "show", "data.csv"), "sidelight: data.csv"),
    ],
)
def test_a_fault_of_an_argument(tmp_path: Path, words: tuple[str, ...], line: str) -> None:
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "other.json").write_text(json.dumps({"sidelight_reference": 99}))
    status, _, said = _run(tmp_path, *words)
    assert (status, len(said)) == (2, 1), said
    assert said[0].startswith(line)


@pytest.mark.parametrize("flag", ["--listen", "--control"])
def test_a_port_in_use(tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, _, said = _run(tmp_path, *_sidecar(flag, address))
    key = flag.removeprefix("--")
    assert (status, said) == (2, [f"sidelight: {key}: {address} is already in use"])


def test_a_reference_is_built_and_shown(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(DATA)
    words = ("reference", "build", "data.csv", "--output", "r.json", "--target", "y")
    status, said, _ = _run(tmp_path, *words, "--prediction", "p")
    assert (status, said) == (0, ["r.json: 50 rows, 3 columns"])
    status, said, _ = _run(tmp_path, "reference", "show", "r.json", "--json")
    assert status == 0
    shown = json.loads("\n".join(said))
    assert shown["performance"]["metrics"]["rmse"] == 0.0
    status, said, _ = _run(tmp_path, "reference", "show", "r.json")
    assert status == 0
    assert "rmse" in "\n".join(said)


def test_rules_are_exported(tmp_path: Path) -> None:
    status, said, _ = _run(tmp_path, "rules", "export", "rules")
    assert status == 0
    assert said
    assert all((tmp_path / name).is_file() for name in said)
