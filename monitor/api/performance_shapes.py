"""The shapes of what is told of performance, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor.api.schemas import ColumnReading, Moment

Status = Literal["ok", "warning", "drift", "insufficient"]


class _Shape(BaseModel):
    """A shape is complete: what it does not name is not sent."""

    model_config = ConfigDict(extra="forbid")


class ConfusionCell(_Shape):
    """Rows of one label that got one prediction."""

    label: str
    prediction: str
    rows: int


class Scores(BaseModel):
    """Metrics by name (rmse, mae, accuracy, …), on `rows` rows."""

    model_config = ConfigDict(extra="allow")

    rows: int
    status: Status
    labelled_ratio: Annotated[
        float | None, Field(description="share of the rows predicted in the window with a label")
    ]
    intervals: Annotated[
        dict[str, tuple[float, float]],
        Field(description="95 % confidence intervals; of estimates the band"),
    ]
    by_class: dict[str, dict[str, float | None]]
    confusion: list[ConfusionCell]


class ErrorShift(_Shape):
    """The errors have risen, by a sequential test on the labels as they came."""

    at: Moment
    before: float
    since: float
    rows: int


class LabelsOverdue(_Shape):
    """Predictions that should have had their labels by now."""

    rows: int
    wait_seconds: float
    last_label_at: Moment


class SegmentShape(_Shape):
    """The rows in which a column has one value."""

    segment: Annotated[str, Field(examples=["carrier=AA"])]
    column: str
    value: str
    rows: Annotated[int, Field(description="predicted in the window")]
    realised: Scores
    by_prediction_time: Scores
    reference: Scores | None
    drift: Annotated[Status | None, Field(description="null: its reference is not known")]
    drifted: list[ColumnReading]


class Performance(_Shape):
    """How right the predictions were."""

    task: Literal["regression", "binary", "multiclass"] | None
    restoring: Annotated[
        bool, Field(description="labels of the window are still read back: no figure of them yet")
    ]
    evaluated_at: Moment
    realised: Annotated[Scores, Field(description="labels that arrived in the window")]
    by_prediction_time: Annotated[Scores, Field(description="predictions made in the window")]
    reference: Scores | None
    estimated: Annotated[
        Scores | None, Field(description="without labels; blind to a change of P(label | inputs)")
    ]
    thresholds: dict[str, float]
    error_shift: ErrorShift | None
    labels_overdue: LabelsOverdue | None
    segments: list[SegmentShape]
