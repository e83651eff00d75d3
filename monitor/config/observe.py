"""Settings of what is looked at: the model, the traffic, and the window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from monitor.config.parts import Seconds, Settings

Task = Literal["regression", "binary", "multiclass"]


class ModelSettings(Settings):
    """Which model this is; `name` and `version` are on every series and alert."""

    name: str = "model"
    version: str = "1"
    task: Task | None = None  # default: from the reference, else from the predictions


class ObserveSettings(Settings):
    """What is looked at, and how it is read."""

    format: str = "auto"
    paths: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    schema_file: Annotated[Path | None, Field(alias="schema")] = None
    text: bool = False
    inputs: str | None = None
    outputs: str | None = None
    probabilities: str | None = None
    prediction_id: str | None = None
    aliases: bool = True
    redact: tuple[str, ...] = ()
    sample: Annotated[float, Field(ge=0, le=1)] = 1.0
    max_body_bytes: Annotated[int, Field(gt=0)] = 1 << 20


class WindowSettings(Settings):
    """The current window: a ring of panes."""

    size: Seconds = 3600.0
    pane: Seconds = 60.0
    min_rows: Annotated[int, Field(ge=2)] = 100

    @model_validator(mode="after")
    def _panes_fill_the_window(self) -> WindowSettings:
        panes = self.size / self.pane
        if abs(panes - round(panes)) > 1e-9 or panes < 1:
            raise ValueError("size must be a whole number of panes")
        if panes > 10_000:
            raise ValueError("at most 10,000 panes in a window; a longer pane will do")
        return self
