"""Reads single values as they come from JSON, CSV or a file: number, category, boolean, missing, or
invalid.

Never raises, on any object. Knows nothing of cells. The rules, for every kind:

* missing: None, NaN, ±infinity (so 1e400 too) and empty text;
* numeric: numbers; true and false count as 1 and 0; text is invalid even where it spells a number,
because the
  codec has already read what its format calls a number; an integer too large for a float is
  invalid;
* categorical: text; 1, 1.0 and "1" are one category, true is "true"; other floats are written as
repr does; * boolean: true and false, 1 and 0, and the texts "true" and "false" in any case;
* invalid: lists, mappings, bytes, and any other object.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Callable, Mapping, Sequence
from struct import pack
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = Sequence[object] | NDArray[Any]  # one column of rows

MAX_CATEGORY_CHARACTERS = 128  # longer text is cut: a free text must not fill the reference file

# No text from outside can be mistaken for these: `category` replaces NUL.
MISSING: Final = "\x00missing"
INVALID: Final = "\x00invalid"

_PLAIN = frozenset({float, int, bool, type(None)})
_LARGEST_INTEGER_BITS = 1024  # a float's range; str(int) has a limit too, farther out


class Coded(Sequence[object]):
    """A column as codes into its distinct values (−1: missing), as files hold repeated text."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: NDArray[np.int64], values: Sequence[object]) -> None:
        self.codes = codes
        self.values = values

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, index: int) -> object: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[object]: ...
    def __getitem__(self, index: int | slice) -> object:
        if isinstance(index, slice):
            return Coded(self.codes[index], self.values)
        code = int(self.codes[index])
        return None if code < 0 else self.values[code]


def number(value: object) -> float | None:
    """The value as a float, NaN where it is missing, None where it is invalid."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        return None if value else math.nan
    if not isinstance(value, (int, float, np.floating, np.integer, np.bool_, decimal.Decimal)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None


def category(value: object) -> str:
    """The value as a category's text, or MISSING, or INVALID."""
    if isinstance(value, np.generic):
        value = value.item()
    read = _CATEGORY.get(type(value))
    return INVALID if read is None else read(value)


def _text(value: str) -> str:
    if not value:
        return MISSING
    text = value[:MAX_CATEGORY_CHARACTERS].replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _integer(value: int) -> str:
    return str(value) if value.bit_length() <= _LARGEST_INTEGER_BITS else INVALID


def _float(value: float) -> str:
    if not math.isfinite(value):
        return MISSING
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


_CATEGORY: Mapping[type, Callable[..., str]] = {
    str: _text,
    bool: lambda value: "true" if value else "false",
    int: _integer,
    float: _float,
    type(None): lambda _: MISSING,
    decimal.Decimal: lambda value: _float(float(value)) if not value.is_snan() else MISSING,
    dt.datetime: dt.datetime.isoformat,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
}


def boolean(value: object) -> bool | str | None:
    """True or False, None where the value is missing, INVALID where it is neither."""
    if isinstance(value, str):
        return {"true": True, "false": False, "": None}.get(value[:6].lower(), INVALID)
    read = number(value)
    if read is None:
        return INVALID
    if not math.isfinite(read):
        return None
    return {0.0: False, 1.0: True}.get(read, INVALID)


def numbers(values: Values) -> tuple[Floats, NDArray[np.bool_] | None]:
    """A column's numbers `[rows]`, NaN where missing or invalid, and which are invalid (None: none
    is)."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "fiub":
            return values.astype(np.float64, copy=False), None
        values = values.tolist()
    if isinstance(values, Coded):
        return _coded_numbers(values)
    try:
        # The usual column, numbers and nothing else: no other way takes half of its time.
        return np.frombuffer(pack(f"{len(values)}d", *values)), None
    except Exception:  # noqa: BLE001, S110 - whatever else stands in it is looked at one by one
        pass
    if set(map(type, values)) <= _PLAIN:
        try:
            return np.array(values, dtype=np.float64), None  # None becomes NaN
        except OverflowError:
            pass  # an integer beyond a float's range is among them
    read = [number(value) for value in values]
    invalid = np.array([value is None for value in read], dtype=np.bool_)
    return np.array(read, dtype=np.float64), invalid if invalid.any() else None


def _coded_numbers(values: Coded) -> tuple[Floats, NDArray[np.bool_] | None]:
    distinct, invalid = numbers(list(values.values))
    taken = np.append(distinct, np.nan)[values.codes]
    return taken, None if invalid is None else np.append(invalid, False)[values.codes]
