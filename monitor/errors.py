"""The few exceptions of Sidelight, each saying whose fault it was."""

from __future__ import annotations


class SidelightError(Exception):
    """Base of every error raised on purpose; its text is one clear line for a person."""


class ConfigError(SidelightError):
    """The configuration is wrong; `faults` pairs each key's path with what is the matter."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        self.faults = faults
        super().__init__(
            "; ".join(f"{path}: {reason}" if path else reason for path, reason in faults)
        )


class DataFileError(SidelightError):
    """A CSV or Parquet file cannot be read as a table, or lacks a column that was asked for."""


class ReferenceFileError(SidelightError):
    """A reference file is missing, malformed, or of a version that this release does not read."""


class CodecError(SidelightError):
    """An exchange cannot be read as a prediction; `reason` is a short word that is counted."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class StoreError(SidelightError):
    """The store can take or give nothing now (disk full, down); nothing was acknowledged."""


class StatisticsError(SidelightError, ValueError):
    """A statistic was asked of counts that it is not defined for: the caller's mistake."""
