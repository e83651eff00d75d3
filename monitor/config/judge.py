"""Settings of what is judged: drift, and performance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from monitor.config.parts import Seconds, Settings, Share

_FROM_REFERENCE = re.compile(r"reference\s*[+-]\s*(\d+(?:\.\d+)?)\s*std")

Method = Literal["psi", "js", "wasserstein", "ks", "chi2"]


class ColumnDriftSettings(Settings):
    """One column's own rule: `drift` from `threshold` of `method` on, instead of the budget."""

    method: Method | None = None
    threshold: Annotated[float, Field(gt=0)] | None = None


class DriftSettings(Settings):
    """How surprising, and how big, a movement must be."""

    false_alerts_per_month: Annotated[float, Field(gt=0)] = 1.0
    fdr: Share = 0.01
    min_effect: Annotated[float, Field(ge=0)] = 0.1
    columns: Mapping[str, ColumnDriftSettings] = Field(default_factory=dict)


class FromReference(Settings):
    """`reference+3std`: so many standard deviations of the reference's chunks, to the worse."""

    deviations: Annotated[float, Field(gt=0)]

    def __str__(self) -> str:
        return f"reference+{self.deviations:g}std"


def _threshold(value: object) -> object:
    if isinstance(value, str):
        matched = _FROM_REFERENCE.fullmatch(value.strip())
        if matched:
            return FromReference(deviations=float(matched[1]))
        try:
            return float(value)
        except ValueError:
            raise ValueError("a threshold is a number, or like reference+3std") from None
    return value


Threshold = Annotated[float | FromReference, BeforeValidator(_threshold)]


class PerformanceSettings(Settings):
    """Which metrics, and from where on they are an alert."""

    metrics: tuple[str, ...] = ()  # default: all that the task has
    thresholds: Mapping[str, Threshold] = Field(default_factory=dict)
    label_delay: Seconds | None = None  # default: learned from the labels that came
    label_ttl: Seconds = 30 * 86400.0
    segments: tuple[str, ...] = ()
