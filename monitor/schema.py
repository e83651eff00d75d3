"""What a column is: its role, its kind, its range and categories. Knows nothing of counts or
windows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.errors import SidelightError

PROBABILITY_PREFIX = "probability:"
LABEL = "label"  # the name of the only label column

TASKS = ("regression", "binary", "multiclass")


class Role(StrEnum):
    """Which side of the model a column is on."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    LABEL = "label"


class Kind(StrEnum):
    """How a column's values are read and counted.

    Numeric: numbers in order, integers with few values included (each then has a cell of its own).
    Categorical: text, and whatever else stands for a name. Boolean: false and true. Of the others
    only the presence is counted, and of columns derived from them the values: free text, moments
    in time, and vectors of numbers.
    """

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATETIME = "datetime"
    VECTOR = "vector"


# What is derived of a column, in words; `{}` is the column.
_TITLES = {
    "length": "length of {}",
    "words": "number of words in {}",
    "unfamiliar": "unfamiliar characters in {}",
    "hour": "hour of {}",
    "weekday": "weekday of {}",
    "age": "age of {} in days",
    "norm": "norm of {}",
    "reconstruction_error": "reconstruction error",
}


class SchemaError(SidelightError, ValueError):
    """A column that cannot be."""


@dataclass(frozen=True, slots=True)
class Column:
    """One feature, output or label; `key` is unique, since a feature and an output may share a
    name.

    A derived column is computed from others: `part` says what it holds, `source` of which column
    (empty: of all features together).
    """

    name: str
    role: Role
    kind: Kind
    integer: bool = False  # numeric: the reference held whole numbers only
    minimum: float | None = None  # numeric: the reference's range
    maximum: float | None = None
    categories: tuple[str, ...] = ()  # categorical: the reference's most frequent ones
    source: str = ""
    part: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise SchemaError("a column has a name")
        if (self.minimum is None) != (self.maximum is None):
            raise SchemaError(f"column {self.name}: a range has two ends")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise SchemaError(f"column {self.name}: minimum {self.minimum} is above {self.maximum}")
        if len(set(self.categories)) != len(self.categories):
            raise SchemaError(f"column {self.name}: a category is named twice")

    @property
    def key(self) -> tuple[str, str]:
        """The column's identity: (name, role)."""
        return self.name, self.role.value

    @property
    def title(self) -> str:
        """What people call it.

        >>> Column("r.length", Role.FEATURE, Kind.NUMERIC, source="review", part="length").title
        'length of review'
        >>> Column("e.axis2", Role.FEATURE, Kind.NUMERIC, source="e", part="axis2").title
        'axis 2 of e'
        """
        if not self.part:
            return self.name
        return _TITLES.get(self.part, f"axis {self.part[4:]} of {{}}").format(self.source)

    @property
    def probability_class(self) -> str | None:
        """The class whose probability this column holds, if it does."""
        if self.role is Role.PREDICTION and self.name.startswith(PROBABILITY_PREFIX):
            return self.name[len(PROBABILITY_PREFIX) :]
        return None
