"""Exported files: whole, and consistent with what Grafana is told about them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from dashboards.export import Surroundings, export_dashboards
from dashboards.generated import dashboards


def test_everything_grafana_needs_is_there(tmp_path: Path) -> None:
    around = Surroundings("http://p:1", "http://a:2", "/boards", "5s")
    written = export_dashboards(tmp_path / "new" / "folder", around)
    exported = {
        board["uid"]: board
        for path in written
        if path.suffix == ".json"
        for board in [json.loads(path.read_text("utf-8"))]
    }
    assert exported == dashboards()
    documents = {
        path.parent.name: yaml.safe_load(path.read_text("utf-8"))
        for path in written
        if path.suffix == ".yaml"
    }
    assert {path.parent.parent.name for path in written if path.suffix == ".yaml"} == {
        "provisioning"
    }
    prometheus, alertmanager = documents["datasources"]["datasources"]
    assert (prometheus["type"], prometheus["url"]) == ("prometheus", "http://p:1")
    assert prometheus["jsonData"]["timeInterval"] == "5s"
    assert prometheus["jsonData"]["alertmanagerUid"] == alertmanager["uid"]
    assert alertmanager["url"] == "http://a:2"
    (provider,) = documents["dashboards"]["providers"]
    assert provider["options"]["path"] == "/boards"
    (point,) = documents["alerting"]["contactPoints"]
    assert point["receivers"][0]["settings"]["url"] == "http://a:2"


def test_again_changes_nothing(tmp_path: Path) -> None:
    first = {path: path.read_bytes() for path in export_dashboards(tmp_path, Surroundings())}
    assert {
        path: path.read_bytes() for path in export_dashboards(tmp_path, Surroundings())
    } == first
