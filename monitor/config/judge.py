"""Settings of what is judged: drift, and performance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.parts import Seconds, Settings, Share

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


class PerformanceSettings(Settings):
    """Which metrics, and from where on they are an alert."""

    metrics: tuple[str, ...] = ()  # default: all that the task has
    thresholds: Mapping[str, float] = Field(default_factory=dict)
    label_ttl: Seconds = 30 * 86400.0
    segments: tuple[str, ...] = ()
