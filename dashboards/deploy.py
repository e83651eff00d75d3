"""The generated files under deploy/: `python -m dashboards.deploy` writes them, to be committed.

Rules and provisioning for the compose stack; the same rules and dashboards for Kubernetes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from dashboards.export import Surroundings, export_dashboards
from dashboards.generated import FOLDER
from dashboards.rules import export_rules, rule_groups

ROOT = Path(__file__).parents[1] / "deploy"
COMPOSE = Surroundings(dashboards_path="/etc/grafana/dashboards", scrape_interval="5s")
_HEAD = "# Written by `python -m dashboards.deploy`; write it again rather than edit it.\n"


def write_deploy(root: Path) -> list[Path]:
    """Write every generated file below `root`; gives their paths."""
    written = export_rules(root / "compose" / "rules")
    grafana = root / "compose" / "grafana"
    written += [one for one in export_dashboards(grafana, COMPOSE) if one.suffix == ".yaml"]
    shutil.rmtree(grafana / "dashboards")  # the stack mounts the committed ones
    base = root / "kubernetes" / "base"
    base.mkdir(parents=True, exist_ok=True)
    rule = base / "prometheus-rule.yaml"
    rule.write_text(_HEAD + _yaml(_prometheus_rule()), encoding="utf-8")
    folder = base / "dashboards"
    folder.mkdir(exist_ok=True)
    copies = [
        Path(shutil.copyfile(one, folder / one.name)) for one in sorted(FOLDER.glob("*.json"))
    ]
    return [*written, rule, *copies]


def _prometheus_rule() -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "sidelight"},
        "spec": {"groups": list(rule_groups("http://grafana").values())},
    }


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    write_deploy(ROOT)
