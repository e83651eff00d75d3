"""The shapes of labels and predictions, as they are posted and as they are told; for the OpenAPI
document.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from monitor.api.labels import MAX_ROW
from monitor.api.schemas import LabelValue, Moment

PredictionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
SourceName = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Za-z0-9._:-]{1,128}$", description="who says so; default: the token's name"
    ),
]


class _Shape(BaseModel):
    """A shape is complete: what it does not name is not sent."""

    model_config = ConfigDict(extra="forbid")


class LabelItem(_Shape):
    """The truth about one row of a prediction."""

    prediction_id: PredictionId
    label: LabelValue
    row: Annotated[int, Field(ge=0, le=MAX_ROW)] = 0
    observed_at: Annotated[
        str | None, Field(json_schema_extra={"format": "date-time"}, description="default: now")
    ] = None
    source: SourceName = None


class LabelsItem(_Shape):
    """The truth about every row of a prediction, in order."""

    prediction_id: PredictionId
    labels: Annotated[list[LabelValue], Field(min_length=1)]
    observed_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    source: SourceName = None


class _Part(BaseModel):
    """A part of another system's message: what it does not name may be there too."""

    model_config = ConfigDict(extra="allow")


class SeldonMeta(_Part):
    """`puid` is the prediction's id."""

    puid: PredictionId


class SeldonAnswer(_Part):
    """The answer that the truth is about; `request.meta.puid` will do where it has no id."""

    meta: SeldonMeta


class SeldonArray(_Part):
    """One value a row, by itself or in a list of its own."""

    ndarray: Annotated[
        list[LabelValue | Annotated[list[LabelValue], Field(min_length=1, max_length=1)]],
        Field(min_length=1),
    ]


class SeldonTruth(_Part):
    """What was true; `data.tensor`, `strData` and `jsonData` will do too."""

    data: SeldonArray


class SeldonFeedback(_Shape):
    """Seldon's feedback body; a reward is taken and not used."""

    request: Any = None
    response: SeldonAnswer
    truth: SeldonTruth
    reward: Any = None


class Rejected(_Shape):
    """An item that was no label; `index` is its place in the body."""

    index: int
    error: str


class FeedbackReport(_Shape):
    """What became of the posted labels, one count each."""

    accepted: int
    joined: int
    pending: int
    duplicate: int
    corrected: int
    expired: int
    rejected: Annotated[list[Rejected], Field(description="the first 1,000")]
    rejected_count: int


class FeedbackRefusal(FeedbackReport):
    """The same, where nothing was acceptable."""

    error: str


class SaidShape(_Shape):
    """One label."""

    label: LabelValue
    observed_at: Moment
    received_at: Moment
    source: str


class PredictedRowShape(_Shape):
    """One predicted row, and its truth where that is known."""

    row: int
    at: Moment
    prediction: LabelValue | None
    probabilities: dict[str, float | None]
    label: LabelValue | None
    observed_at: Moment
    received_at: Moment
    source: str | None
    segments: dict[str, str]
    history: Annotated[list[SaidShape], Field(description="labels that do not count, newest first")]


class Predicted(_Shape):
    """What was predicted under one id."""

    prediction_id: str
    rows: list[PredictedRowShape]


class Deletion(_Shape):
    """What deleting a prediction removed."""

    prediction_id: str
    rows: int
    labels: int


class Revocation(_Shape):
    """How many labels of a source were taken out."""

    source: str
    labels: int
