"""What stands under deploy/, the compose file and the Dockerfile: up to date, valid, hardened."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has none
import pytest
import yaml
from compose_spec import PyCompose

from dashboards.deploy import write_deploy
from monitor.config import load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
BASE = DEPLOY / "kubernetes" / "base"


def _run(*words: str | Path, of: str = "") -> str:
    done = subprocess.run(
        [*words], input=of, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_generated_files_are_up_to_date(tmp_path: Path) -> None:
    for path in write_deploy(tmp_path):
        committed = DEPLOY / path.relative_to(tmp_path)
        assert committed.read_bytes() == path.read_bytes(), "run python -m dashboards.deploy"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_hardened_and_watched(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "healthcheck" in service or name == "sidelight"  # whose image has its own
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")
    for source, _, *mode in (one.split(":") for one in service.get("volumes", ())):
        if source.startswith("."):
            assert mode == ["ro"]
            assert (ROOT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


def test_services_wait_only_for_those_that_can_be_healthy() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert not SERVICES[other].get("healthcheck", {}).get("disable")


def test_both_sides_of_the_control_port_have_one_token() -> None:
    (given,) = SERVICES["sidelight"]["environment"].values()
    (used,) = SERVICES["traffic"]["environment"].values()
    assert given == used


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return (
        bool(docker)
        and not subprocess.run(
            ["docker", "compose", "version"], capture_output=True, check=False, timeout=20
        ).returncode
    )


def test_the_compose_specification_knows_every_key_and_every_reference() -> None:
    merged = yaml.safe_dump(COMPOSE)  # its library reads no merge keys
    stack = PyCompose.from_yaml(merged)
    stack.validate()
    assert set(stack.service_names()) == set(SERVICES)
    misspelt = merged.replace("healthcheck:", "healthchek:", 1)
    with pytest.raises(ValueError, match="healthchek"):
        PyCompose.from_yaml(misspelt)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    _run(hadolint, "--failure-threshold", "style", "Dockerfile")
    faulty = "FROM debian\nRUN cd /tmp && sudo true\n"
    done = subprocess.run(
        [hadolint, "-"], input=faulty, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "DL3004" in done.stdout  # no sudo


def test_compose_reads_it() -> None:
    if not _has_compose():
        pytest.skip("docker compose is not installed")
    _run("docker", "compose", "config", "--quiet")


@pytest.mark.parametrize("path", [DEPLOY / "compose", BASE, DEPLOY / "kubernetes" / "example"])
def test_sidelights_own_settings_are_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROL_TOKEN", "of-a-test")
    config = load(path / "sidelight.yaml")
    assert config.control.port == 8001
    assert str(config.data_dir) == "/data"
    assert "of-a-test" not in repr(config)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_reads_its_settings_and_rules(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "prometheus.yml").read_text("utf-8")
    copy = tmp_path / "prometheus.yml"
    rules = DEPLOY / "compose" / "rules"
    copy.write_text(text.replace("/etc/prometheus/rules", str(rules)), "utf-8")
    assert "SUCCESS: 2 rule files found" in _run("promtool", "check", "config", copy)


@pytest.mark.skipif(not shutil.which("amtool"), reason="amtool is not installed")
def test_alertmanager_reads_its_settings() -> None:
    _run("amtool", "check-config", DEPLOY / "compose" / "alertmanager.yml")


def _documents() -> list[dict[str, Any]]:
    """Every object: as kustomize gives it, or where there is none, as written."""
    if shutil.which("kubectl"):
        text = _run("kubectl", "kustomize", DEPLOY / "kubernetes" / "example")
        return list(yaml.safe_load_all(text))
    resources = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    return [yaml.safe_load((BASE / name).read_text("utf-8")) for name in resources]


def test_kubernetes_takes_every_object() -> None:
    kinds = set()
    for document in _documents():
        kinds.add(document["kind"])
        if not document["apiVersion"].startswith("monitoring.coreos.com/"):  # has no schema there
            kubernetes_validate.validate(document, "1.33", strict=True)
    assert {"Deployment", "Service", "PodMonitor", "PrometheusRule"} <= kinds


def test_probes_cannot_deadlock() -> None:
    (deployment,) = (one for one in _documents() if one["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    # The model starts only once these succeed, so they must not ask the model.
    assert sidecar["startupProbe"]["httpGet"]["path"] == "/livez"
    assert sidecar["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert sidecar["readinessProbe"]["httpGet"]["path"] == "/readyz"
    mounted = {one["name"] for one in sidecar["volumeMounts"]}
    assert mounted <= {one["name"] for one in pod["volumes"]}
    assert sidecar["securityContext"]["runAsUser"] == 65532


def test_the_image_is_checked_by_hashes_and_not_root() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)
    assert len(stages) == text.count("\nFROM ")
    assert stages[-1] == ("base", "runtime")
    assert {source for source, _ in stages} == {"${PYTHON_IMAGE}", "build", "base"}
    installs = re.findall(r"pip install ([^\\\n]*)", text)
    assert len(installs) == 4
    for words in installs:
        assert "--require-hashes -r " in words or "--no-deps --no-index" in words
        for lock in re.findall(r"-r (\S+)", words):
            assert "--hash=sha256:" in (ROOT / lock).read_text("utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["65532:65532"]
    assert re.search(r'^ENTRYPOINT \["sidelight"\]$', text, re.MULTILINE)
    assert "\nHEALTHCHECK " in text
