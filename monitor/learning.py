"""Gathers the first rows seen into a reference, where none was given; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference
from monitor.records.batch import Batch

ROWS_NEEDED = 5000
MAX_VALUES = 20_000_000  # cells held while learning; very wide models learn from fewer rows

_Columns = dict[str, list[object]]


class Learning:
    """Holds rows until there are enough of them; columns that come later are missing before."""

    def __init__(self, task: str | None, categories: int, rows_needed: int = ROWS_NEEDED) -> None:
        self._task = task
        self._categories = categories
        self.rows_needed = rows_needed
        self.rows = 0
        self._features: _Columns = {}
        self._outputs: _Columns = {}
        self._probabilities: _Columns = {}
        self._at: list[float] = []
        self._numbers = 0  # held inside vectors

    def observe(self, batch: Batch) -> None:
        """Hold a batch's rows."""
        for held, columns in (
            (self._features, batch.features),
            (self._outputs, batch.outputs),
            (self._probabilities, batch.probabilities),
        ):
            self._hold(held, columns, len(batch))
        self._at.extend(batch.at)
        self.rows += len(batch)

    @property
    def complete(self) -> bool:
        """Whether there are rows enough."""
        width = len(self._features) + len(self._outputs) + len(self._probabilities)
        held = self.rows * width + self._numbers
        return self.rows >= self.rows_needed or held >= MAX_VALUES

    def reference(self, now: float) -> Reference:
        """The reference that the rows held make; changes nothing, so it may run in a thread."""
        return build_from_columns(
            self.held(), created_at=now, task=self._task, categories=self._categories
        )

    def held(self) -> Rows:
        """The rows themselves."""
        return Rows(self._features, self._outputs, self._probabilities, at=self._at)

    def _hold(self, held: _Columns, columns: Mapping[str, Sequence[object]], rows: int) -> None:
        for name, values in columns.items():
            compact = values
            if list in set(map(type, values)):
                compact = list(map(self._compact, values))
            held.setdefault(name, [None] * self.rows).extend(compact)
        for name, column in held.items():
            if name not in columns:
                column.extend([None] * rows)

    def _compact(self, value: object) -> object:
        """A vector in a tenth of the room; what is none stays what it is, and is invalid later."""
        if type(value) is not list:
            return value
        try:
            vector = np.array(value)
        except ValueError:
            self._numbers += len(value)  # of different depths
            return value
        self._numbers += vector.size
        return vector.astype(np.float32) if vector.dtype.kind in "iuf" else value


class Held:
    """Rows that came while those before them were made a reference; bounded, the newest are left
    out.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._values = 0

    def observe(self, batch: Batch) -> None:
        """Hold a batch's rows, if there is room."""
        width = len(batch.features) + len(batch.outputs) + len(batch.probabilities)
        if self._values + width * len(batch) <= MAX_VALUES:
            self._values += width * len(batch)
            self.batches.append(batch)
