"""The committed dashboards: up to date, and clean by the rules of Grafana's dashboard linter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.boards.__main__ import BOARDS
from dashboards.boards.grafana import dashboard_json
from dashboards.generated import FOLDER, dashboards
from exporters.catalog import METRICS, Kind

COMMITTED = dashboards()
SERIES = {
    one.full_name + suffix
    for one in METRICS
    for suffix in (("_bucket",) if one.kind is Kind.HISTOGRAM else ("",))
}
A_MINUTE = (
    "$__rate_interval",
    "1m",
)  # a range has to be a length; which one is no matter of grammar


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for uid, board in COMMITTED.items():
        for panel in board["panels"]:
            if panel["type"] != "row":
                yield f"{uid}: {panel['title']}", panel


PANELS = dict(panels())
QUERIES = {
    f"{name} {target['refId']}": target["expr"]
    for name, panel in PANELS.items()
    for target in panel["targets"]
}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_what_is_committed_is_what_is_built(board: Any) -> None:
    path = FOLDER / f"{board.uid}.json"
    assert path.read_text("utf-8") == dashboard_json(board), "run python -m dashboards.boards"


def test_nothing_is_committed_that_is_not_built() -> None:
    assert set(COMMITTED) == {board.uid for board in BOARDS}
    assert len(PANELS) > 40


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_says_what_it_shows(name: str) -> None:
    panel = PANELS[name]
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]


def test_titles_are_unique_in_a_dashboard() -> None:
    for board in COMMITTED.values():
        titles = [panel["title"] for panel in board["panels"]]
        assert len(titles) == len(set(titles))


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_keeps_to_what_was_chosen(name: str) -> None:
    selectors = re.findall(r"\{([^{}]*)\}", QUERIES[name])
    assert selectors
    for selector in selectors:
        assert 'job=~"$job"' in selector
        assert 'instance=~"$instance"' in selector


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_names_only_what_is_promised(name: str) -> None:
    found = re.findall(r"\b(sidelight_\w+|up)\{", QUERIES[name])
    several = re.findall(r'__name__=~"sidelight_\((.*?)\)"', QUERIES[name])
    named = {*found, *(f"sidelight_{one}" for group in several for one in group.split("|"))}
    assert named
    assert named - {"up"} <= SERIES


@pytest.mark.parametrize("name", QUERIES)
def test_rates_take_grafanas_interval_and_counters_are_never_bare(name: str) -> None:
    query = QUERIES[name]
    for function, window in re.findall(
        r"\b(i?rate|increase)\(sidelight_\w+\{[^{}]*\}\[(.*?)\]", query
    ):
        assert window == ("1h" if function == "increase" else "$__rate_interval")
    for counter in re.findall(r"(\w*\(?)sidelight_\w+_(?:total|bucket)\{", query):
        assert counter in {"rate(", "increase(", "max("}
        assert counter != "max(" or "series_dropped_total" in query  # told as a level, on purpose


@pytest.mark.parametrize("uid", COMMITTED)
def test_a_dashboard_is_chosen_by_the_usual_variables(uid: str) -> None:
    board = COMMITTED[uid]
    variables = {one["name"]: one for one in board["templating"]["list"]}
    expected = ["datasource", "job", "instance", "model", "version"]
    assert list(variables)[:5] == expected
    datasource = variables.pop("datasource")
    assert (datasource["type"], datasource["query"]) == ("datasource", "prometheus")
    assert datasource["label"] == "Data source"
    for name, variable in variables.items():
        assert variable["type"] == "query"
        assert variable["label"] == name.capitalize()
        assert variable["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert variable["refresh"] == 2  # on a change of the time range
        assert variable["query"]["query"].startswith("label_values(sidelight_")
        if variable["multi"]:
            assert variable["allValue"] == ".+"
    used = set(re.findall(r"\$(\w+)", json.dumps(board["panels"])))
    assert used - {"__rate_interval", "__url_time_range", "__data"} <= {"datasource", *variables}
    assert board["editable"] is False


@pytest.mark.parametrize("uid", COMMITTED)
def test_dashboards_lead_to_each_other_at_the_same_time(uid: str) -> None:
    board = COMMITTED[uid]
    assert 8 <= len(uid) <= 40
    (link,) = board["links"]
    assert (link["type"], link["keepTime"], link["includeVars"]) == ("dashboards", True, True)
    assert set(link["tags"]) <= set(board["tags"])
    (annotation,) = board["annotations"]["list"]
    assert annotation["expr"].startswith("ALERTS{")
    assert annotation["enable"] is True


@pytest.mark.parametrize("uid", COMMITTED)
def test_panels_have_lasting_ids_and_do_not_overlap(uid: str) -> None:
    board = COMMITTED[uid]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not own & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        cells |= own


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:number_{number}", "expr": query.replace(*A_MINUTE)}
        for number, query in enumerate(QUERIES.values())
    ]
    rules += [
        {"record": f"annotation:number_{number}", "expr": board["annotations"]["list"][0]["expr"]}
        for number, board in enumerate(COMMITTED.values())
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}), "utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
