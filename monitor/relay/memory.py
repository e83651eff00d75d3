"""Gives memory that has been freed back to the machine: the C library keeps it, in case.

Standard library only, and loaded late: a relay that never held much never needs it.
"""

from __future__ import annotations


def give_back() -> None:
    """Return free pages; where the C library has no such call, nothing happens."""
    import ctypes  # noqa: PLC0415 - a megabyte that most relays never need

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
