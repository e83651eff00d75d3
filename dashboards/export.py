"""Files for a Grafana that is provisioned from disk: dashboards, data sources, a contact point."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards import addresses
from dashboards.generated import FOLDER

_HEAD = "# Written by `sidelight dashboards export`; write it again rather than edit it.\n"
PROMETHEUS_UID = "sidelight-prometheus"
ALERTMANAGER_UID = "sidelight-alertmanager"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What Grafana reaches, by which address, and where it will find the dashboards' files."""

    prometheus_url: str = "http://prometheus:9090"
    alertmanager_url: str = "http://alertmanager:9093"
    dashboards_path: str = "/var/lib/grafana/dashboards"
    scrape_interval: str = "15s"  # Grafana's own guess; $__rate_interval is made from it


def export_dashboards(directory: Path, around: Surroundings) -> list[Path]:
    """Write `dashboards/` and `provisioning/` into `directory`; gives the paths.

    `provisioning/` is what Grafana looks for under /etc/grafana.
    """
    written = []
    for source in sorted(FOLDER.glob("*.json")):
        target = directory / "dashboards" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        written.append(Path(shutil.copyfile(source, target)))
    for name, document in _provisioning(around):
        target = directory / "provisioning" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_HEAD + yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        written.append(target)
    return written


def _provisioning(around: Surroundings) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "datasources/sidelight.yaml", _datasources(around)
    yield "dashboards/sidelight.yaml", _providers(around)
    yield "alerting/sidelight.yaml", _contact_points(around)


def _datasources(around: Surroundings) -> dict[str, Any]:
    prometheus = {
        "name": "Prometheus",
        "uid": PROMETHEUS_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": around.prometheus_url,
        "isDefault": True,
        "jsonData": {
            "httpMethod": "POST",
            "timeInterval": around.scrape_interval,
            "alertmanagerUid": ALERTMANAGER_UID,
        },
    }
    alertmanager = {
        "name": "Alertmanager",
        "uid": ALERTMANAGER_UID,
        "type": "alertmanager",
        "access": "proxy",
        "url": around.alertmanager_url,
        "jsonData": {"implementation": "prometheus"},
    }
    return {"apiVersion": 1, "datasources": [prometheus, alertmanager]}


def _providers(around: Surroundings) -> dict[str, Any]:
    provider = {
        "name": "sidelight",
        "type": "file",
        "folder": addresses.FOLDER_TITLE,
        "folderUid": addresses.FOLDER,
        "allowUiUpdates": False,
        "options": {"path": around.dashboards_path},
    }
    return {"apiVersion": 1, "providers": [provider]}


def _contact_points(around: Surroundings) -> dict[str, Any]:
    """Rules that people make in Grafana tell the Alertmanager that Prometheus' rules tell."""
    receiver = {
        "uid": ALERTMANAGER_UID,
        "type": "prometheus-alertmanager",
        "settings": {"url": around.alertmanager_url},
    }
    point = {"orgId": 1, "name": "Sidelight's Alertmanager", "receivers": [receiver]}
    return {"apiVersion": 1, "contactPoints": [point]}
