"""Drift of the labels themselves: those that came in the window against the reference's.

Knows nothing of predictions; a corrected label is taken out of the pane that it came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.counts import Counts
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference
from monitor.records.label import Joined, Label
from monitor.schema import LABEL, Kind, Role
from monitor.snapshot import Reading
from monitor.statistics.classes import Value, class_name, number
from monitor.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of a reference, as what labels are read against."""

    layout: Layout
    counts: Counts


class LabelDrift:
    """Counts labels into the reference's cells; `total` never falls."""

    def __init__(self, reference: Reference, window_seconds: float, pane_seconds: float) -> None:
        self.labels = Labels(reference.label_layout, reference.label_counts)
        self.total = self.labels.layout.identity
        self._judge = Judge(self.labels)
        self.window = Window(self.labels.layout.identity, window_seconds, pane_seconds)
        self.restoring = False
        self._named = _names(self.labels.layout)

    def add(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels, and take out those that no longer count."""
        came: dict[int, list[Label]] = {}
        gone: dict[int, list[Label]] = {}
        first: list[Label] = []
        for one in joined:
            if one.label is not None:
                came.setdefault(self.window.pane(one.label.received_at), []).append(one.label)
                if one.previous is None:
                    first.append(one.label)
            if one.previous is not None:
                pane = self.window.pane(one.previous.received_at)
                gone.setdefault(pane, []).append(one.previous)
        for labels in came.values():
            self.window.add(labels[0].received_at, self._count(labels))
        for labels in gone.values():
            counts = self._count(labels)
            taken = Counts(-counts.rows, -counts.cells, -counts.moments)
            self.window.add(labels[0].received_at, taken)
        if first and not restored:
            self.total = self.total + self._count(first)

    def readings(self, now: float, policy: DriftPolicy) -> tuple[Reading, ...]:
        """The labels' reading, in the window by arrival; insufficient while that is read back."""
        counts = self.window.identity if self.restoring else self.window.total(now)
        return self._judge.readings(counts, policy)

    def _count(self, labels: Sequence[Label]) -> Counts:
        values = [self._read(label.value) for label in labels]
        return self.labels.layout.count({}, {}, None, values).counts

    def _read(self, value: Value) -> object:
        """The label as the reference's file has it: senders write the same one in several ways."""
        if self._named is not None:
            return self._named.get(class_name(value), value)
        read = number(value)
        return value if read is None else read


def _names(layout: Layout) -> dict[str, object] | None:
    """Canonical class → the reference's own; None for numeric labels."""
    profile = layout.columns[layout.index[LABEL, Role.LABEL.value]]
    column = profile.column
    if column.kind is Kind.BOOLEAN:
        return {"0": False, "1": True}
    if column.kind is Kind.CATEGORICAL:
        return {class_name(name): name for name in column.categories}
    return None
