"""What a dashboard is made of, before Grafana: boards, rows, panels, queries.

Knows nothing of PromQL, of metrics, or of Grafana's JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GRID_WIDTH = 24


class Kind(StrEnum):
    """How a panel draws."""

    LINES = "timeseries"
    STACK = "stacked timeseries"
    NUMBER = "stat"
    TABLE = "table"
    BARS = "barchart"


class Reach(StrEnum):
    """How many values a variable may take."""

    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression; `name` is its legend, or its column in a table."""

    expression: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on, `color`; None is the lowest value of all."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `description` says how to read it, and what to do about it."""

    title: str
    description: str
    unit: str  # Grafana's name of it; `none` where the unit is the target's own
    queries: tuple[Query, ...]
    kind: Kind = Kind.LINES
    width: int = 12
    height: int = 8
    steps: tuple[Step, ...] = ()
    maximum: float | None = None
    joined_by: str = ""  # tables and bars: the label that makes queries one table; "" merges
    hidden: tuple[str, ...] = ()  # columns of the table that nobody reads
    units: tuple[tuple[str, str], ...] = ()  # a table's column → unit, where not the panel's
    link: str = ""  # a table's column that leads to the dashboard of that name's value
    sorted_by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a board: the values of `name` in the series that `selector` names."""

    name: str
    label: str
    selector: str
    reach: Reach = Reach.MANY


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    annotation: str  # PromQL whose series are marked in time
