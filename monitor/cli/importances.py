"""Reads how important each feature is to the model, as its training wrote it down."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

from monitor.errors import DataFileError

MAX_FILE_BYTES = 16 << 20


def read_importances(path: Path) -> dict[str, float]:
    """Feature → weight, of a JSON object or of CSV lines `name,weight` (with or without a header);
    DataFileError names the file and its first fault."""
    try:
        text = path.read_bytes()[: MAX_FILE_BYTES + 1].decode("utf-8-sig")
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataFileError(f"{path}: not UTF-8 text") from None
    if len(text) > MAX_FILE_BYTES:
        raise DataFileError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB")
    pairs = _json(path, text) if text.lstrip()[:1] == "{" else _csv(path, text)
    found: dict[str, float] = {}
    for name, weight in pairs:
        if name in found:
            raise DataFileError(f"{path}: {name!r} is there twice")
        found[name] = _weight(path, name, weight)
    if not found:
        raise DataFileError(f"{path}: names no feature")
    return found


def _json(path: Path, text: str) -> list[tuple[str, object]]:
    try:
        return json.loads(text, object_pairs_hook=list)  # type: ignore[no-any-return]  # pairs
    except (ValueError, RecursionError) as error:
        raise DataFileError(f"{path}: not JSON: {error}") from None


def _csv(path: Path, text: str) -> list[tuple[str, object]]:
    lines = [line for line in csv.reader(text.splitlines()) if line]
    for number, line in enumerate(lines, start=1):
        if len(line) != 2:
            raise DataFileError(f"{path}: line {number} is not `name,weight`")
    if lines and not _is_number(lines[0][1]):
        lines = lines[1:]  # a header
    return [(name.strip(), weight) for name, weight in lines]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _weight(path: Path, name: str, weight: object) -> float:
    if isinstance(weight, (int, float, str)) and not isinstance(weight, bool):
        try:
            found = float(weight)
        except (ValueError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
    raise DataFileError(f"{path}: the weight of {name!r} is no number")
