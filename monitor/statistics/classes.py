"""How a label or a prediction is read: as a number, or as the name of a class.

Knows nothing of metrics. Models and the people who label rarely agree on how to write the same
class.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

Task = Literal["regression", "binary", "multiclass"]
TASKS: dict[str, Task] = {
    "regression": "regression",
    "binary": "binary",
    "multiclass": "multiclass",
}
Value = float | int | bool | str

POSITIVE = "1"
_BOOLEANS = {"true": "1", "True": "1", "TRUE": "1", "false": "0", "False": "0", "FALSE": "0"}
_POSITIVE_NAMES = ("1", "yes", "Yes", "YES", "positive", "Positive")
_LONGEST_NUMBER = 32  # no float's shortest text is longer
_WHOLE_FLOATS_END = 2.0**63


def number(value: object) -> float | None:
    """The value as a finite float, or None; text counts where all of it is a plain decimal number.

    >>> number(3), number("12.5"), number(True), number("1_0"), number("nan"), number(10**400)
    (3.0, 12.5, 1.0, None, None, None)
    """
    if isinstance(value, str):
        if "_" in value or not value.isascii():
            return None  # float() reads "1_0" and Arabic digits; no other reader does
    elif not isinstance(value, (int, float)):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def class_name(value: Value) -> str:
    """The canonical text of a class, equal for every way in which JSON, CSV and Python write the
    same one.

    Booleans, and their names in text, are 1 and 0, because models and labels use either. A number
    without fraction has none in its name. Text that is exactly how Python writes a number is that
    number; any other text is left as it is, so that codes with leading zeros stay apart.

    >>> [class_name(value) for value in (1, 1.0, True, "1", "1.0", "true")]
    ['1', '1', '1', '1', '1', '1']
    >>> class_name("007"), class_name("cat"), class_name(2.5), class_name("2.50")
    ('007', 'cat', '2.5', '2.50')
    """
    if isinstance(value, str):
        return _text_name(value) if len(value) <= _LONGEST_NUMBER else value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 10_000 else f"{value:#x}"  # beyond, str() refuses
    if value.is_integer() and abs(value) < _WHOLE_FLOATS_END:
        return str(int(value))
    return repr(float(value))


@lru_cache(maxsize=4096)
def _text_name(text: str) -> str:
    boolean = _BOOLEANS.get(text)
    if boolean is not None:
        return boolean
    if "." in text:
        read = number(text)
        if read is not None and repr(read) == text:
            return class_name(read)
    return text


def positive_class(classes: Iterable[str]) -> str | None:
    """The positive one of two classes: "1" (or true), yes, positive, if there; else the second in
    sorted order.

    None with fewer than two classes of which none is named so: then it cannot be told.

    >>> positive_class({"0", "1"}), positive_class({"no", "yes"}), positive_class({"ham", "spam"})
    ('1', 'yes', 'spam')
    """
    known = sorted(set(classes))
    for name in _POSITIVE_NAMES:
        if name in known:
            return name
    return known[1] if len(known) > 1 else None
