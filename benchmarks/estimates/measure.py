"""Sidelight's estimates of the same data: a reference by the command, its estimator read live.

Knows the data's columns; compares nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from monitor.performance.estimates import Estimates
from monitor.profile.reference import load
from monitor.records.batch import Batch
from monitor.statistics.performance import PerformanceSums, Task

LIVE_ROWS = 250  # rows between two looks
WINDOW_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Subject:
    """One data set: its columns, and the rows of a chunk."""

    name: str
    task: Task
    target: str
    features: tuple[str, ...]
    rows: int
    metrics: tuple[str, ...]
    probability: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Each chunk's metrics, estimated and realised, and what the estimate costs."""

    estimated: Mapping[str, list[float]]
    realised: Mapping[str, list[float]]
    fit_seconds: float
    file_bytes: int
    microseconds_a_row: float
    within_band: int  # chunks and metrics whose realised value is in the band
    bands: int


def measure(subject: Subject, folder: Path) -> Measured:
    """The chunks of the analysis file in order."""
    file, seconds = _reference(subject, folder)
    estimator = load(file).estimator
    if estimator is None:
        raise SystemExit(f"{file.name} carries no estimator")
    analysis = pd.read_csv(folder / f"{subject.name}_analysis.csv")
    estimated: dict[str, list[float]] = {name: [] for name in subject.metrics}
    realised: dict[str, list[float]] = {name: [] for name in subject.metrics}
    held, spent = 0, 0.0
    for start in range(0, len(analysis), subject.rows):
        chunk = analysis[start : start + subject.rows]
        live = Estimates(estimator, WINDOW_SECONDS, WINDOW_SECONDS)
        batches = list(_batches(subject, chunk))
        began = time.process_time()
        for batch in batches:
            live.observe(batch)
            live.reading(0.0, 100)  # a look
        spent += time.process_time() - began
        reading, truth = live.reading(0.0, 100), _realised(subject, chunk)
        for name in subject.metrics:
            estimated[name].append(reading.metrics[name])
            realised[name].append(truth[name])
            low, high = reading.intervals[name]
            held += low <= truth[name] <= high
    chunks = len(estimated[subject.metrics[0]])
    return Measured(
        estimated,
        realised,
        seconds,
        file.stat().st_size,
        spent / len(analysis) * 1e6,
        held,
        chunks * len(subject.metrics),
    )


def _reference(subject: Subject, folder: Path) -> tuple[Path, float]:
    """Built by the command, and how long that took."""
    output = folder / f"{subject.name}.json"
    words = [str(Path(sys.executable).with_name("sidelight")), "reference", "build"]
    words += [str(folder / f"{subject.name}_reference.csv"), "--output", str(output)]
    words += ["--target", subject.target, "--prediction", "y_pred", "--estimate"]
    words += ["--features", ",".join(subject.features)]
    if subject.probability:
        words += ["--probability", subject.probability]
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, timeout=600)
    return output, time.perf_counter() - began


def _batches(subject: Subject, chunk: pd.DataFrame) -> Iterator[Batch]:
    for start in range(0, len(chunk), LIVE_ROWS):
        part = chunk[start : start + LIVE_ROWS]
        rows = len(part)
        shares = {"1": part[subject.probability].tolist()} if subject.probability else {}
        yield Batch(
            ["p"] * rows,
            [0] * rows,
            [0.0] * rows,
            {name: part[name].tolist() for name in subject.features},
            {"prediction": part["y_pred"].tolist()},
            shares,
        )


def _realised(subject: Subject, chunk: pd.DataFrame) -> dict[str, float]:
    sums = PerformanceSums(subject.task)
    truth, guesses = chunk[subject.target].tolist(), chunk["y_pred"].tolist()
    shares = chunk[subject.probability].tolist() if subject.probability else [None] * len(truth)
    for label, guess, share in zip(truth, guesses, shares, strict=True):
        sums.add(label, guess, {} if share is None else {"1": share})
    return sums.metrics()


def distance(some: list[float], others: list[float]) -> float:
    """The mean absolute distance of two rows of chunks."""
    return float(np.abs(np.subtract(some, others)).mean())
