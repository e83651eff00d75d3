"""The reference: data with accepted behaviour, as counts, in a versioned JSON file that anyone can
read.

No pickle, no code: loading a reference runs nothing. Every fault of a file is one line of
`ReferenceFileError` that names the file and what is wrong with it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AwareDatetime, Field, ValidationError

from monitor.errors import ReferenceFileError, SidelightError
from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts
from monitor.profile.document import ColumnDocument, Count, Name, Number, Part
from monitor.profile.estimator import Estimator
from monitor.profile.estimator_document import EstimatorDocument, render_estimator
from monitor.profile.layout import Layout
from monitor.profile.rendering import render_column
from monitor.profile.segments import (
    SegmentCounts,
    SegmentDocument,
    render_segments,
    render_spread,
    segment_fault,
)
from monitor.schema import Role

VERSION = 2
READABLE = frozenset({1, 2})  # 1: no derived columns, no importances
MAX_FILE_BYTES = 64 << 20
MAX_COLUMNS = 20_000


@dataclass(frozen=True, slots=True)
class ReferencePerformance:
    """How right the model was on the reference."""

    rows: int
    metrics: Mapping[str, float]
    by_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    chunk_rows: int = 0  # 0: too few rows for chunks
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # mean and std


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """All columns' profiles, and what follows from them; equal contents have equal digests."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    created_at: float  # Unix seconds
    task: str | None = None
    performance: ReferencePerformance | None = None
    segments: tuple[SegmentCounts, ...] = ()
    estimator: Estimator | None = None  # of performance without labels
    left_out: tuple[str, ...] = ()  # features that are known, and not watched
    span: tuple[int, int] | None = None  # Unix seconds of the first and the last row, where known
    version: int = VERSION
    layout: Layout = field(init=False)  # features and predictions: what a live batch holds
    counts: Counts = field(init=False)
    label_layout: Layout = field(init=False)  # labels arrive on their own, later
    label_counts: Counts = field(init=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        live = [profile for profile in self.columns if profile.column.role is not Role.LABEL]
        late = [profile for profile in self.columns if profile.column.role is Role.LABEL]
        object.__setattr__(self, "layout", Layout(live, self.left_out))
        object.__setattr__(self, "label_layout", Layout(late))
        object.__setattr__(self, "counts", _counts(self.rows, live))
        object.__setattr__(self, "label_counts", _counts(self.rows, late))
        object.__setattr__(self, "digest", _digest(_content(self)))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features, in the order of the data they came from."""
        columns = [profile.column for profile in self.columns if not profile.column.part]
        return tuple(column.name for column in columns if column.role is Role.FEATURE)


def _counts(rows: int, profiles: list[ColumnProfile]) -> Counts:
    cells = [profile.cells for profile in profiles]
    moments = np.array([profile.moments for profile in profiles], dtype=np.float64)
    flat = np.concatenate([*cells, np.zeros(0, np.int64)]).astype(np.int64)
    return Counts(rows, flat, moments.reshape(len(profiles), 3))


def _content(reference: Reference) -> dict[str, Any]:
    performance = reference.performance
    return {
        "rows": reference.rows,
        "task": reference.task,
        "performance": None
        if performance is None
        else {
            "rows": performance.rows,
            "metrics": {name: float(value) for name, value in performance.metrics.items()},
            "by_class": {
                metric: {name: float(value) for name, value in values.items()}
                for metric, values in performance.by_class.items()
            },
            **render_spread(performance.chunk_rows, performance.spread),
        },
        "columns": [render_column(profile) for profile in reference.columns],
        **({"left_out": list(reference.left_out)} if reference.left_out else {}),
        **({"span": list(map(_text_of, reference.span))} if reference.span else {}),
        **render_segments(reference.segments),
        **render_estimator(reference.estimator),
    }


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def render(reference: Reference) -> dict[str, Any]:
    """The reference as JSON-able values, its version first."""
    return {
        "sidelight_reference": reference.version,
        "created_at": _text_of(reference.created_at),
        "digest": reference.digest,
        **_content(reference),
    }


def _text_of(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat().replace("+00:00", "Z")


class _Performance(Part):
    rows: Count
    metrics: dict[str, Number]
    by_class: dict[str, dict[str, Number]] = Field(default_factory=dict)
    chunk_rows: Count = 0
    spread: dict[str, tuple[Number, Number]] = Field(default_factory=dict)


class _Document(Part):
    created_at: dt.datetime
    digest: str | None = None
    rows: Annotated[int, Field(ge=1)]
    task: Literal["regression", "binary", "multiclass"] | None = None
    performance: _Performance | None = None
    columns: Annotated[list[ColumnDocument], Field(min_length=1, max_length=MAX_COLUMNS)]
    segments: list[SegmentDocument] = Field(default_factory=list)
    estimator: EstimatorDocument | None = None
    left_out: Annotated[list[Name], Field(max_length=MAX_COLUMNS)] = Field(default_factory=list)
    span: tuple[AwareDatetime, AwareDatetime] | None = None


def parse(document: bytes | Mapping[str, Any], name: str = "reference") -> Reference:
    """The reference in a JSON document; `name` is what its faults are reported under."""
    tree = _json(document, name) if isinstance(document, bytes) else document
    if not isinstance(tree, Mapping) or "sidelight_reference" not in tree:
        raise ReferenceFileError(f"{name}: not a Sidelight reference (no sidelight_reference key)")
    version = tree["sidelight_reference"]
    if type(version) is not int or version not in READABLE:
        raise ReferenceFileError(
            f"{name}: reference version {version!r:.40}; this release reads up to {VERSION}"
        )
    try:
        read = _Document.model_validate(tree)
        reference = _reference(read)
    except ValidationError as error:
        raise ReferenceFileError(f"{name}: {_first_fault(error)}") from None
    except SidelightError as error:
        raise ReferenceFileError(f"{name}: {error}") from None
    for profile in reference.columns:
        if int(profile.cells.sum()) != reference.rows:
            fault = f"its cells do not add up to {reference.rows} rows"
            raise ReferenceFileError(f"{name}: column {profile.column.name}: {fault}")
    if wrong := segment_fault(reference.layout, reference.segments):
        raise ReferenceFileError(f"{name}: {wrong}")
    if read.digest is not None and read.digest != reference.digest:
        raise ReferenceFileError(
            f"{name}: its content does not match its digest: it was edited or damaged "
            "(remove the digest key to accept it as it is)"
        )
    return reference


def _reference(read: _Document) -> Reference:
    performance = read.performance
    created = read.created_at
    if created.tzinfo is None:
        created = created.replace(tzinfo=dt.UTC)
    return Reference(
        read.rows,
        tuple(column.profile() for column in read.columns),
        created.timestamp(),
        read.task,
        None if performance is None else ReferencePerformance(**dict(performance)),
        segments=tuple(segment.counts() for segment in read.segments),
        estimator=read.estimator.estimator() if read.estimator else None,
        left_out=tuple(read.left_out),
        span=None if read.span is None else _seconds(*read.span),
    )


def _seconds(first: dt.datetime, last: dt.datetime) -> tuple[int, int]:
    if first > last:
        raise ReferenceFileError("span: its end is before its start")
    return int(first.timestamp()), int(last.timestamp())


def _json(document: bytes, name: str) -> object:
    if len(document) > MAX_FILE_BYTES:
        raise ReferenceFileError(f"{name}: larger than {MAX_FILE_BYTES >> 20} MB")
    try:
        return json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ReferenceFileError(f"{name}: not JSON: {error}") from None


def _first_fault(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    path = ".".join(str(part) for part in faults[0]["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{path}: {faults[0]['msg'].removeprefix('Value error, ')}{more}"


def load(path: Path | str) -> Reference:
    """The reference in a file."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            document = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReferenceFileError(f"{path}: {error.strerror}") from None
    return parse(document, str(path))


def save(reference: Reference, path: Path | str) -> None:
    """Writes the file whole or not at all: a temporary one beside it, then one rename."""
    path = Path(path)
    text = _text(render(reference))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            os.fchmod(handle, 0o644)  # a sidecar under another user has to read it
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be written: {error.strerror}") from None


def _text(document: Mapping[str, Any]) -> str:
    """JSON with a line for each key of the reference and of each column, so that people can read
    and compare it."""
    columns = [_lines(column, "   ") for column in document["columns"]]
    head = _lines({key: value for key, value in document.items() if key != "columns"}, " ")
    body = ",\n".join("  {\n" + column + "\n  }" for column in columns)
    return "{\n" + head + ',\n "columns": [\n' + body + "\n ]\n}\n"


def _lines(mapping: Mapping[str, Any], indent: str) -> str:
    return ",\n".join(
        f"{indent}{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in mapping.items()
    )
