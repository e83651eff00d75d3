"""The JSON form of an estimator: arrays of numbers, and the checks that they must pass.

Knows nothing of the reference around it. Reading one runs nothing that a file could choose.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from monitor.errors import StatisticsError
from monitor.profile.document import Count, Name, Number, Part
from monitor.profile.estimator import ClassEstimator, Encoding, ErrorEstimator, Estimator
from monitor.statistics.estimation.calibration import Calibration
from monitor.statistics.estimation.forest import Forest

MAX_NODES = 200_000
MAX_THRESHOLDS = 100_000
MAX_CLASSES = 20

_Index = Annotated[int, Field(ge=0, le=1 << 40)]


class _CalibrationDocument(Part):
    scores: Annotated[list[Number], Field(max_length=MAX_THRESHOLDS)]
    shares: Annotated[list[Number], Field(max_length=MAX_THRESHOLDS)]

    def read(self) -> Calibration:
        return Calibration(np.array(self.scores), np.array(self.shares))


class ClassesDocument(Part):
    """Calibrations by class."""

    kind: Literal["classes"]
    rows: Count
    classes: Annotated[list[Name], Field(min_length=1, max_length=MAX_CLASSES)]
    calibrations: list[_CalibrationDocument | None]
    deviations: dict[str, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _shapes_agree(self) -> ClassesDocument:
        if len(self.calibrations) != len(self.classes):
            raise ValueError("there must be a calibration, or null, for each class")
        return self

    def estimator(self) -> ClassEstimator:
        """As the rest of the house knows it."""
        calibrations = tuple(one.read() if one else None for one in self.calibrations)
        return ClassEstimator(tuple(self.classes), calibrations, self.rows, self.deviations)


class _ForestDocument(Part):
    baseline: Number
    roots: list[_Index]
    feature: Annotated[list[_Index], Field(max_length=MAX_NODES)]
    threshold: list[Number]
    left: list[_Index]
    right: list[_Index]
    missing_left: list[bool]
    value: list[Number]

    def read(self) -> Forest:
        return Forest(
            self.baseline,
            np.array(self.roots, dtype=np.int64),
            np.array(self.feature, dtype=np.int64),
            np.array(self.threshold, dtype=np.float64),
            np.array(self.left, dtype=np.int64),
            np.array(self.right, dtype=np.int64),
            np.array(self.missing_left, dtype=np.bool_),
            np.array(self.value, dtype=np.float64),
        )


class _EncodingDocument(Part):
    name: Name
    codes: dict[str, Number] | None = None


class ErrorsDocument(Part):
    """Forests of errors, and how features are read for them."""

    kind: Literal["errors"]
    rows: Count
    features: list[_EncodingDocument]
    absolute: _ForestDocument
    squared: _ForestDocument
    deviations: dict[str, Number] = Field(default_factory=dict)

    def estimator(self) -> ErrorEstimator:
        """As the rest of the house knows it; StatisticsError where a forest asks for more
        features.
        """
        features = tuple(Encoding(one.name, one.codes) for one in self.features)
        forests = self.absolute.read(), self.squared.read()
        if max(forest.features for forest in forests) > len(features) + 1:
            raise StatisticsError("estimator: its forests ask for more features than it names")
        return ErrorEstimator(features, *forests, self.rows, self.deviations)


EstimatorDocument = Annotated[ClassesDocument | ErrorsDocument, Field(discriminator="kind")]


def render_estimator(estimator: Estimator | None) -> dict[str, Any]:
    """The key `estimator`, where there is one."""
    if estimator is None:
        return {}
    told: dict[str, Any] = {
        "rows": estimator.rows,
        "deviations": {name: float(value) for name, value in estimator.deviations.items()},
    }
    if isinstance(estimator, ClassEstimator):
        calibrations = [
            one and {"scores": one.scores.tolist(), "shares": one.shares.tolist()}
            for one in estimator.calibrations
        ]
        own = {"kind": "classes", "classes": [*estimator.classes], "calibrations": calibrations}
        return {"estimator": own | told}
    features = [
        {"name": one.name, "codes": one.codes and dict(one.codes)} for one in estimator.features
    ]
    forests = {
        "absolute": _forest(estimator.absolute),
        "squared": _forest(estimator.squared),
    }
    return {"estimator": {"kind": "errors", "features": features} | told | forests}


def _forest(forest: Forest) -> dict[str, Any]:
    parts = ("roots", "feature", "threshold", "left", "right", "missing_left", "value")
    arrays = {name: getattr(forest, name).tolist() for name in parts}
    return {"baseline": float(forest.baseline), **arrays}
