"""The shape of an answer: which of its parts hold one entry a row; not what those parts mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.codec.bodies import Lines, Parts
from monitor.codec.columns import MAX_DEPTH, SCALARS, Columns, transpose
from monitor.codec.distributions import is_named_distribution
from monitor.codec.outputs import PREDICTED
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError
from monitor.records.batch import PREDICTION

# Keys under which servers put the predictions themselves; what they hold must have one entry a row.
WRAPPERS = frozenset(
    {"predictions", "prediction", "outputs", "output", "results", "result", "data", "response"}
)
# Keys about the answer, not in it.
_ENVELOPE = frozenset(
    {
        "id", "request_id", "requestid", "prediction_id", "trace_id", "model", "model_name",
        "model_version", "model_id", "version", "status", "success", "message", "timestamp",
        "time", "created", "object", "usage", "parameters", "meta", "metadata",
        "deployedmodelid", "modeldisplayname", "modelversionid",
    }
)  # fmt: skip


def columns_of(
    answer: object, rows: int, settings: DecoderSettings, *, lone: bool = False
) -> Columns:
    """The answer's columns; CodecError `rows_differ` or `no_outputs`.

    >>> columns_of({"predictions": [{"label": "a"}, {"label": "b"}]}, 2, DecoderSettings())
    {'label': ['a', 'b']}
    """
    if type(answer) is dict:
        return _from_mapping(answer, rows, settings, lone=lone)
    if isinstance(answer, Parts):
        return columns_of(answer.for_rows(rows), rows, settings, lone=lone)
    column = _column(answer, rows, lone=lone)
    if column is None:
        raise CodecError(
            "rows_differ", f"{rows} rows in the request, {count_of(answer)} in the answer"
        )
    return _records(column, settings) or {PREDICTION: column}


def count_of(answer: object) -> int:
    """How many rows an answer seems to hold: for requests that can be read in two ways.

    >>> count_of({"predictions": [1, 2, 3]}), count_of({"label": "a"})
    (3, 1)
    """
    for _ in range(MAX_DEPTH):
        inside = _in_wrapper(answer)
        if inside is None:
            break
        answer = inside
    if isinstance(answer, list):
        return len(answer)
    if type(answer) is not dict:
        return 1
    if any(name.lower() in PREDICTED and type(answer[name]) in SCALARS for name in answer):
        return 1  # one label, whatever lists of scores stand beside it
    lengths = {len(column) for column in answer.values() if type(column) is list}
    return lengths.pop() if len(lengths) == 1 else 1


def counts_of(answer: object) -> frozenset[int]:
    """Every number of rows that an answer can be of.

    >>> sorted(counts_of(Lines([[1, 2, 3]])))
    [1, 3]
    """
    if isinstance(answer, Lines) and len(answer) == 1:
        return frozenset({1, len(answer[0])})
    return frozenset({count_of(answer)})


def _in_wrapper(answer: object) -> object:
    if type(answer) is not dict:
        return None
    return next((value for name, value in answer.items() if name.lower() in WRAPPERS), None)


def _from_mapping(
    answer: dict[str, Any], rows: int, settings: DecoderSettings, *, lone: bool
) -> Columns:
    if len(answer) == 1:
        ((name, value),) = answer.items()
        column = (value,) if type(value) in SCALARS else value
        # One key with a scalar a row is what nearly all answers are.
        if (
            type(column) in (tuple, list)
            and len(column) == rows
            and SCALARS.issuperset(map(type, column))
        ):
            return {name: column}
    if len(answer) > settings.max_features:
        raise CodecError("too_many_features", f"{len(answer)} keys in the answer")
    if rows == 1 and _are_distributions([answer], settings):
        return {PREDICTION: [answer]}
    columns: Columns = {}
    differing: list[str] = []
    names = [name for name in answer if name.lower() not in _ENVELOPE] or list(answer)
    for name in names:
        value = answer[name]
        wrapper = name.lower() in WRAPPERS
        if wrapper and type(value) is dict and _is_columns(value, rows):
            columns.update(value)
            continue
        column = _column(value, rows, lone=lone)
        if column is None:
            differing += [name] if wrapper or len(names) == 1 else []
        else:
            columns.update((wrapper and _records(column, settings)) or {name: column})
    if differing:
        raise CodecError(
            "rows_differ", f"{rows} rows in the request, not so in {differing[0][:64]}"
        )
    if not columns:
        raise CodecError("no_outputs", "nothing in the answer has one entry a row")
    return columns


def _column(value: object, rows: int, *, lone: bool) -> list[Any] | None:
    if type(value) is list:
        if len(value) == rows:
            return value
        return [value] if lone and value else None
    return [value] if rows == 1 else None


def _is_columns(value: Mapping[str, Any], rows: int) -> bool:
    return bool(value) and all(type(one) is list and len(one) == rows for one in value.values())


def _records(column: list[Any], settings: DecoderSettings) -> Columns | None:
    """Columns of a list of objects, unless those are class probabilities; None for all else."""
    if not column or set(map(type, column)) != {dict} or _are_distributions(column, settings):
        return None
    return transpose(column, settings)


def _are_distributions(column: list[Any], settings: DecoderSettings) -> bool:
    return settings.task != "regression" and all(map(is_named_distribution, column))
