"""The shapes of questions and answers, for the OpenAPI document; answers are made in `views`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor.api.labels import MAX_TEXT
from monitor.api.weighed import Weighed

LabelValue = bool | int | float | Annotated[str, Field(max_length=MAX_TEXT)]
Moment = Annotated[
    str | None, Field(description="RFC 3339, UTC", examples=["2026-11-01T10:00:00.000Z"])
]


class _Shape(BaseModel):
    """A shape is complete: what it does not name is not sent."""

    model_config = ConfigDict(extra="forbid")


class Fault(_Shape):
    """What is the matter, in one line."""

    error: str


class Window(_Shape):
    """The current window."""

    start: Moment
    end: Moment
    rows: int


class Data(_Shape):
    """The moments of the first and the last row."""

    start: Moment
    end: Moment


class Reference(_Shape):
    """The reference in use, or how far it has been learned; `data` where its moments are known."""

    state: Literal["learning", "ready"]
    digest: str
    rows: int
    rows_needed: int
    data: Data | None


class ColumnReading(_Shape, Weighed):
    """One column against the reference; its scores are null while insufficient."""

    column: str
    role: str
    kind: str
    status: Literal["ok", "warning", "drift", "insufficient"]
    method: str
    score: float | None
    threshold: float | None
    p_value: float | None
    scores: dict[str, float | None]
    rows: int
    missing_ratio: float | None
    mean: float | None
    stddev: float | None
    explanation: str
    quality: list[str]


class Drift(_Shape):
    """Every column against the reference."""

    model: str
    version: str
    evaluated_at: Moment
    window: Window
    reference: Reference
    columns: list[ColumnReading]


class Bin(_Shape):
    """One bin's share of rows."""

    bin: str
    reference: float | None
    current: float | None


class ReferenceMoments(_Shape):
    """The reference's own moments of a column."""

    mean: float | None
    stddev: float | None
    missing_ratio: float | None


class History(_Shape):
    """How a score went: at most 120 points since the start, over the last two windows."""

    at: list[Moment]
    score: Annotated[list[float | None], Field(description="null where there was none")]


class Outline(_Shape):
    """One column in outline; its bins are those of `/api/v1/columns/{name}`, in their order."""

    column: str
    role: str
    score: Annotated[list[float | None], Field(description="at each moment of `at`")]
    reference: list[float | None]
    current: list[float | None]


class Outlines(_Shape):
    """Every column in outline."""

    evaluated_at: Moment
    at: list[Moment]
    columns: list[Outline]


class Column(ColumnReading):
    """One column, bin by bin."""

    roles: list[str]
    evaluated_at: Moment
    window: Window
    reference: ReferenceMoments
    bins: list[Bin]
    history: History


class AlertShape(_Shape):
    """One thing that is, or was, wrong."""

    state: Literal["pending", "firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    active_since: Moment
    fired_at: Moment
    resolved_at: Moment


class Alerts(_Shape):
    """Every alert that is, or lately was."""

    alerts: list[AlertShape]


class Observation(_Shape):
    """Exchanges with one outcome, for one reason."""

    outcome: str
    reason: str
    exchanges: int


class LoggedEvents(_Shape):
    """Logged requests and answers with one outcome, for one reason."""

    outcome: str
    reason: str
    events: int


class Delivery(_Shape):
    """Alert messages of one sink with one outcome."""

    sink: str
    outcome: str
    count: int


class Processes(_Shape):
    """What runs beside the monitor."""

    relay_workers: int
    connections: int


class Store(_Shape):
    """The store's size and its troubles."""

    rows: int
    errors: int
    labels_waiting: int
    conflicts: Annotated[int, Field(description="predictions under an id that was taken")]
    dropped_rows: Annotated[int, Field(description="predictions that could not be kept")]


class Health(_Shape):
    """How Sidelight itself is doing."""

    model: str
    version: str
    started_at: Moment
    evaluated_at: Moment
    observing: bool
    observer_lag_seconds: float | None
    upstream_reachable: bool | None
    queue_bytes: int
    processes: Processes
    requests: dict[str, int]
    observations: list[Observation]
    events: list[LoggedEvents]
    predictions: int
    feedback: dict[str, int]
    deliveries: list[Delivery]
    store: Store
    series_dropped: int
    reference: Reference


class Liveness(_Shape):
    """This process answers."""

    status: Literal["ok"]


class Readiness(_Shape):
    """Whether traffic can flow, and what is in its way."""

    ready: bool
    detail: str
