"""Boards as Grafana's classic JSON, through the Foundation SDK. Knows nothing of metrics."""

from __future__ import annotations

import json
from collections.abc import Callable

from dashboards import addresses
from dashboards.boards.facts import Board, Kind, Panel, Query, Reach, Variable
from dashboards.boards.sdk import (
    JSONEncoder,
    barchart,
    common,
    common_models,
    dashboard,
    dashboard_models,
    prometheus,
    stat,
    table,
    timeseries,
)

_AnyPanel = barchart.Panel | stat.Panel | table.Panel | timeseries.Panel

_DATASOURCE = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_LETTERS = "ABCDEFGH"  # Grafana names a panel's queries so
_AT_ONCE = {Kind.TABLE, Kind.BARS}  # they show one moment


def dashboard_json(board: Board) -> str:
    """The dashboard as Grafana imports it."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([addresses.TAG])
        .readonly()
        .tooltip(dashboard_models.DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("browser")
        .variables([_datasource(), *(_variable(one) for one in board.variables)])
        .annotation(_annotation(board.annotation))
        .link(_other_boards())
    )
    for row in board.rows:
        made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            made.with_panel(_panel(panel))
    built = made.build()
    for number, one in enumerate(built.panels or [], start=1):
        one.id_val = number  # lasting: links to a panel go by it
    document = json.loads(JSONEncoder().encode(built))
    for shown in (*document["links"], *document["annotations"]["list"]):
        del shown["placement"]  # the SDK would put both away into a menu
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _variable(variable: Variable) -> dashboard.QueryVariable:
    query = f"label_values({variable.selector}, {variable.name})"
    made = (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(_DATASOURCE)
        .query({"query": query, "refId": f"Variable-{variable.name}"})
        .definition(query)
        .refresh(dashboard_models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard_models.VariableSort.ALPHABETICAL_ASC)
    )
    if variable.reach is Reach.ONE:
        return made
    everything = dashboard_models.VariableOption(selected=True, text=["All"], value=["$__all"])
    return made.multi(True).include_all(True).all_value(".+").current(everything)


def _annotation(expression: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(_DATASOURCE)
        .enable(True)
        .icon_color("red")
        .expr(expression)
        .step("60s")
        .title_format("{{alertname}}")
        .text_format("{{model}} {{column}}")
        .tag_keys("severity")
    )


def _other_boards() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Sidelight")
        .type(dashboard_models.DashboardLinkType.DASHBOARDS)
        .tags([addresses.TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _panel(panel: Panel) -> _AnyPanel:
    made = _MAKERS[panel.kind](panel)
    made.title(panel.title).description(panel.description).unit(panel.unit)
    made.datasource(_DATASOURCE).span(panel.width).height(panel.height)
    made.targets([_target(panel, letter, one) for letter, one in _lettered(panel)])
    if panel.maximum is not None:
        made.min(0).max(panel.maximum)
    if panel.steps:
        made.thresholds(_thresholds(panel))
    return made


def _lettered(panel: Panel) -> list[tuple[str, Query]]:
    return list(zip(_LETTERS, panel.queries, strict=False))


def _target(panel: Panel, letter: str, query: Query) -> prometheus.Dataquery:
    made = prometheus.Dataquery().ref_id(letter).expr(query.expression).datasource(_DATASOURCE)
    if panel.kind in _AT_ONCE:
        return made.instant().format("table")  # type: ignore[arg-type]
    return made.range().legend_format(query.name)


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    steps = [dashboard_models.Threshold(step.value, step.color) for step in panel.steps]
    absolute = dashboard_models.ThresholdsMode.ABSOLUTE
    return dashboard.ThresholdsConfig().mode(absolute).steps(steps)


def _lines(panel: Panel) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(5)
        .show_points(common_models.VisibilityMode.NEVER)
    )
    made.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    if panel.steps:
        made.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.LINE)
        )
    if panel.kind is Kind.STACK:
        made.fill_opacity(60).stacking(
            common.StackingConfig().mode(common_models.StackingMode.NORMAL)
        )
    return made


def _number(_: Panel) -> stat.Panel:
    return stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))


def _bars(panel: Panel) -> barchart.Panel:
    made = barchart.Panel().x_field(panel.joined_by)
    return made.transformations(_as_one_table(panel))


def _table(panel: Panel) -> table.Panel:
    made = table.Panel().transformations(_as_one_table(panel))
    if panel.sorted_by:
        made.sort_by([common.TableSortByFieldState().display_name(panel.sorted_by).desc(True)])
    for name, unit in panel.units:
        made.override_by_name(name, [dashboard_models.DynamicConfigValue("unit", unit)])
    if panel.link:
        made.override_by_name(
            "column", [dashboard_models.DynamicConfigValue("links", [_link(panel)])]
        )
    return made


def _link(panel: Panel) -> dict[str, object]:
    """From a row of the table to the same column, model and role, in the same time range."""
    names = ("model", "version", "column", "role")
    of_row = {name: f"${{__data.fields.{name}:percentencode}}" for name in names}
    kept = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", "instance"))
    address = addresses.dashboard_path(panel.link, **of_row)
    return {"title": "Show this column", "url": f"{address}&{kept}&${{__url_time_range}}"}


def _as_one_table(panel: Panel) -> list[dashboard_models.DataTransformerConfig]:
    """The queries side by side; an instant query's own time says nothing."""
    join = dashboard_models.DataTransformerConfig("merge", options={})
    values = {f"Value #{letter}": one.name for letter, one in _lettered(panel)}
    if len(panel.queries) == 1:
        values = {"Value": panel.queries[0].name}
    if panel.joined_by:
        options: dict[str, object] = {"byField": panel.joined_by, "mode": "outer"}
        join = dashboard_models.DataTransformerConfig("joinByField", options=options)
    hidden = [key for key, name in values.items() if name in panel.hidden]
    excluded = [
        "Time",
        "Time 1",
        "Time 2",
        *hidden,
        *(n for n in panel.hidden if n not in values.values()),
    ]
    organize = dashboard_models.DataTransformerConfig(
        "organize",
        options={
            "excludeByName": dict.fromkeys(excluded, True),
            "renameByName": {**values, "__name__": "metric"},
        },
    )
    return [join, organize]


_MAKERS: dict[Kind, Callable[[Panel], _AnyPanel]] = {
    Kind.LINES: _lines,
    Kind.STACK: _lines,
    Kind.NUMBER: _number,
    Kind.TABLE: _table,
    Kind.BARS: _bars,
}
