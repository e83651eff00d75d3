"""Which columns of a data file are what: features, prediction, probabilities, label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.profile.values import Values
from monitor.records.batch import PREDICTION
from monitor.schema import LABEL, PROBABILITY_PREFIX, Role

Key = tuple[str, str]  # column, role


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that a user names; features are all other columns, where none are named."""

    target: str | None = None
    prediction: str | None = None
    probabilities: Mapping[str, str] = field(default_factory=dict)  # class → column
    features: tuple[str, ...] | None = None
    only: tuple[str, ...] | None = None  # of all these, only some

    def columns(self, table: Sequence[str]) -> dict[Key, str]:
        """Each part's column in a file that has the columns of `table`."""
        named = {self.target, self.prediction, *self.probabilities.values()}
        features = self.features
        if features is None:
            features = tuple(name for name in table if name not in named)
        found: dict[Key, str] = {(name, Role.FEATURE.value): name for name in features}
        if self.prediction is not None:
            found[PREDICTION, Role.PREDICTION.value] = self.prediction
        for name, column in self.probabilities.items():
            found[PROBABILITY_PREFIX + name, Role.PREDICTION.value] = column
        if self.target is not None:
            found[LABEL, Role.LABEL.value] = self.target
        if self.only is None:
            return found
        return {key: column for key, column in found.items() if column in self.only}


@dataclass(frozen=True, slots=True)
class Sides:
    """Some rows by side of the model, as `Layout.count` takes them."""

    features: Mapping[str, Values]
    outputs: Mapping[str, Values]
    probabilities: Mapping[str, Values]
    labels: Values | None


def sides(rows: Mapping[Key, Values]) -> Sides:
    """Columns by name and role, sorted by side."""
    features, outputs, probabilities = {}, {}, {}
    for (name, role), values in rows.items():
        if role == Role.FEATURE.value:
            features[name] = values
        elif role == Role.PREDICTION.value and name.startswith(PROBABILITY_PREFIX):
            probabilities[name[len(PROBABILITY_PREFIX) :]] = values
        elif role == Role.PREDICTION.value:
            outputs[name] = values
    return Sides(features, outputs, probabilities, rows.get((LABEL, Role.LABEL.value)))
