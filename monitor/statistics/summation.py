"""Exact sums of floats: the order of additions never shows, and a subtraction leaves no trace.

Knows nothing of what is summed.
"""

from __future__ import annotations

from monitor.errors import StatisticsError

# The smallest positive float is 2**-1074, so 2**-2148 is the finest step of any float's square.
_SCALE_BITS = 2148
_ONE = 1 << _SCALE_BITS


class ExactSum:
    """A running sum of floats and of their squares, without any rounding before it is read.

    A float is an integer times a power of two; in units of 2**-2148 floats and their squares are
    whole numbers, and Python adds whole numbers of any length exactly. Hence addition commutes,
    associates, and is undone by subtraction to the last bit, which running float sums are not. One
    `add` costs well under a microsecond; the state is an integer of some 300 bytes.

    Source: the superaccumulator of U. Kulisch, "Computer Arithmetic and Validity" (2013), chapter
    8.

    >>> total = ExactSum()
    >>> for term in (1e16, 1.0, -1e16):
    ...     total.add(term)
    >>> total.value()
    1.0
    """

    __slots__ = ("units",)

    def __init__(self, units: int = 0) -> None:
        self.units = units  # the sum in units of 2**-2148

    def add(self, term: float) -> None:
        """Add a finite float; StatisticsError for NaN and infinities."""
        self.units += _units(term)

    def subtract(self, term: float) -> None:
        """Take back a term that was added."""
        self.units -= _units(term)

    def add_square(self, term: float) -> None:
        """Add the exact square of a finite float."""
        self.units += _square_units(term)

    def subtract_square(self, term: float) -> None:
        """Take back a square that was added."""
        self.units -= _square_units(term)

    def __add__(self, other: ExactSum) -> ExactSum:
        return ExactSum(self.units + other.units)

    def __sub__(self, other: ExactSum) -> ExactSum:
        return ExactSum(self.units - other.units)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExactSum) and self.units == other.units

    __hash__ = None  # type: ignore[assignment]  # it changes, so it is no key

    def __repr__(self) -> str:
        return f"ExactSum({self.value()!r})"

    def value(self) -> float:
        """The sum, rounded once to the nearest float; an infinity where it lies beyond the
        largest.
        """
        return _ratio(self.units, _ONE)

    def mean(self, count: int) -> float:
        """The sum over `count`, rounded once: also where the sum itself is beyond the largest
        float.
        """
        return _ratio(self.units, _ONE * count)


def squared_deviations(terms: ExactSum, squares: ExactSum, count: int) -> float:
    """Σ(x − mean)² from Σx, Σx² and the count, without cancellation, because both sums are exact.

    Formula: (n·Σx² − (Σx)²) / n.

    >>> terms, squares = ExactSum(), ExactSum()
    >>> for x in (1e9 + 1, 1e9 + 2, 1e9 + 3):
    ...     terms.add(x)
    ...     squares.add_square(x)
    >>> squared_deviations(terms, squares, 3)
    2.0
    """
    numerator = (count * squares.units << _SCALE_BITS) - terms.units * terms.units
    return _ratio(numerator, count << (2 * _SCALE_BITS))


def _units(term: float) -> int:
    numerator, shift = _parts(term)
    return numerator << (_SCALE_BITS - shift)


def _square_units(term: float) -> int:
    numerator, shift = _parts(term)
    return numerator * numerator << (_SCALE_BITS - 2 * shift)


def _parts(term: float) -> tuple[int, int]:
    """A float as numerator / 2**shift."""
    try:
        numerator, denominator = float(term).as_integer_ratio()
    except (OverflowError, ValueError):
        raise StatisticsError(f"{term!r} cannot be summed: it is not finite") from None
    return numerator, denominator.bit_length() - 1


def _ratio(numerator: int, denominator: int) -> float:
    try:
        return (
            numerator / denominator
        )  # whole numbers of any length divide with one correct rounding
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")
