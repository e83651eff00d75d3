"""Rows of JSON values turned into named columns of scalars, within bounds; knows no wire format and
no model.

A column is a sequence with one entry a row. Objects become `name.key`, and vectors `name[0]`,
`name[1]`, …; but a feature of many numbers (an embedding, a picture) stays one vector a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

Columns = dict[str, Sequence[Any]]

SCALARS = frozenset({int, float, str, bool, type(None)})
MAX_DEPTH = 16  # of values inside one cell
MAX_NAME_CHARACTERS = 256
WIDE = 16  # numbers; so many are one thing, and not features of their own
WIDEST = 16_384

_NUMBERS = frozenset({int, float})

_BYTES_IN_BASE64 = {
    "b64"
}  # TensorFlow Serving's binary value: a picture or a record, not a feature


def from_rows(rows: list[Any], names: Sequence[str], settings: DecoderSettings) -> Columns:
    """Columns of rows: all objects, all lists (named by `names`, else f0, …), or all scalars."""
    if len(rows) > settings.max_rows:
        raise CodecError("too_many_rows", f"{len(rows)} rows, at most {settings.max_rows}")
    kinds = set(map(type, rows))
    if kinds == {dict}:
        return _from_objects(rows, settings)
    if kinds == {list}:
        return _from_lists(rows, names, settings)
    if kinds <= SCALARS:
        return {name_of(0, 1, names): rows} if rows else {}
    raise CodecError("ragged_rows", "rows are of different kinds")


def from_object(row: dict[str, Any], settings: DecoderSettings) -> Columns:
    """Columns of one row given as an object."""
    if SCALARS.issuperset(map(type, row.values())):
        return of_scalars(row, settings)
    return settle({name: (value,) for name, value in row.items()}, 1, settings)


def of_scalars(row: dict[str, Any], settings: DecoderSettings) -> Columns:
    """Columns of one row known to hold scalars only: the shortest way, for what comes most."""
    _check_size(row, 1, settings)
    return dict(zip(row, zip(row.values(), strict=True), strict=True))


def name_of(index: int, width: int, names: Sequence[str]) -> str:
    """The name of a positional value; configured names count only if there is one for each."""
    return names[index] if len(names) == width else f"f{index}"


def settle(
    columns: Mapping[str, Sequence[Any]],
    rows: int,
    settings: DecoderSettings,
    *,
    whole: bool = True,
) -> Columns:
    """The same columns, vectors and objects laid out as columns of scalars, within the bounds;
    wide vectors stay `whole`, if that is wanted.

    >>> settle({"point": [[1, 2]], "embedding": [[0.5] * 16]}, 1, DecoderSettings()).keys()
    dict_keys(['point[0]', 'point[1]', 'embedding'])
    """
    for values in columns.values():
        try:
            sum(values, 0.0)  # only numbers add up; to try takes a fourth of asking for their types
        except (TypeError, OverflowError):
            if not SCALARS.issuperset(map(type, values)):
                return _laid_out(columns, rows, settings, whole=whole)
    _check_size(columns, rows, settings)
    return columns if type(columns) is dict else dict(columns)


def transpose(rows: Sequence[dict[str, Any]], settings: DecoderSettings) -> Columns:
    """Columns of objects, values as they are; a key that a row lacks is None there.

    >>> transpose([{"a": 1}, {"a": 2, "b": [3]}], DecoderSettings())
    {'a': [1, 2], 'b': [None, [3]]}
    """
    first = rows[0]
    if len(first) > 1 and len(set(map(len, rows))) == 1:
        try:
            cells = zip(*map(itemgetter(*first), rows), strict=True)
        except KeyError:
            pass  # the same number of keys, but not the same keys
        else:
            return dict(zip(first, cells, strict=True))
    names = dict.fromkeys(name for row in rows for name in row)
    _check_size(names, len(rows), settings)
    return {name: [row.get(name) for row in rows] for name in names}


def flatten(value: Any, depth: int = MAX_DEPTH) -> list[Any]:  # noqa: ANN401 - any JSON value
    """The scalars of a nested list in row-major order.

    >>> flatten([[1, 2], [3, 4]])
    [1, 2, 3, 4]
    """
    if type(value) is not list:
        return [value]
    flat: list[Any] = value
    while list in map(type, flat):
        depth -= 1
        if depth == 0:
            raise CodecError("too_deep", f"more than {MAX_DEPTH} levels in one tensor")
        flat = [item for part in flat for item in (part if type(part) is list else (part,))]
    return flat


def _from_objects(rows: list[dict[str, Any]], settings: DecoderSettings) -> Columns:
    if len(rows) == 1:
        return from_object(rows[0], settings)
    return settle(transpose(rows, settings), len(rows), settings)


@lru_cache(maxsize=64)
def _positional(width: int) -> tuple[str, ...]:
    return tuple(f"f{index}" for index in range(width))


def _from_lists(rows: list[list[Any]], names: Sequence[str], settings: DecoderSettings) -> Columns:
    width = len(rows[0])
    if len(set(map(len, rows))) != 1:
        raise CodecError("ragged_rows", "rows are of different lengths")
    if width > settings.max_features:
        raise CodecError("too_many_features", f"{width} values a row")
    labels = names if len(names) == width else _positional(width)
    if len(rows) == 1:
        return from_object(dict(zip(labels, rows[0], strict=True)), settings)
    return settle(dict(zip(labels, zip(*rows, strict=True), strict=True)), len(rows), settings)


def _laid_out(
    columns: Mapping[str, Sequence[Any]], rows: int, settings: DecoderSettings, *, whole: bool
) -> Columns:
    """Breadth by depth: whatever is not scalar yet is split by one level until all of it is."""
    vectors = {name for name in columns if whole and _are_vectors(columns[name], settings)}
    for _ in range(MAX_DEPTH):
        level: Columns = {}
        nested = False
        for name, values in columns.items():
            kinds = set(map(type, values))
            if name in vectors or kinds <= SCALARS:
                level[name] = values
                continue
            nested = True
            split = _split_objects if dict in kinds else _split
            level.update(split(name, values, settings))
            _check_size(level, rows, settings)
        columns = level
        if not nested:
            _check_size(level, rows, settings)
            return level
    raise CodecError("too_deep", f"more than {MAX_DEPTH} levels in one value")


def _are_vectors(values: Sequence[Any], settings: DecoderSettings) -> bool:
    """Whether the rows hold wide lists of plain numbers; nested ones are laid out."""
    first = next((value for value in values if type(value) is list), ())
    if not WIDE <= len(first) <= WIDEST or not _NUMBERS.issuperset(map(type, first)):
        return False
    if len(first) * len(values) > settings.max_values:
        raise CodecError("too_many_values", f"{len(values)} vectors of {len(first)} numbers")
    return True


def _split(name: str, values: Sequence[Any], settings: DecoderSettings) -> Columns:
    names = [name]
    width = max(len(value) for value in values if type(value) is list)
    if width != 1:
        # The names come from a range, so that a vector of a million values costs nothing before it
        # is refused.
        names = [f"{name}[{index}]" for index in range(min(width, settings.max_features + 1))]
    _check_size(dict.fromkeys(names), len(values), settings)
    return {label: [_at(value, index) for value in values] for index, label in enumerate(names)}


def _at(value: object, index: int) -> object:
    if type(value) is not list:
        return value if index == 0 else None
    return value[index] if index < len(value) else None


def _split_objects(name: str, values: Sequence[Any], settings: DecoderSettings) -> Columns:
    objects = [value if type(value) is dict else {} for value in values]
    keys: dict[str, None] = dict.fromkeys(key for value in objects for key in value)
    if keys.keys() == _BYTES_IN_BASE64:
        return {}
    _check_size(keys, len(values), settings)
    return {f"{name}.{key}": [value.get(key) for value in objects] for key in keys}


def _check_size(names: Mapping[str, object], rows: int, settings: DecoderSettings) -> None:
    count = len(names)
    if count > settings.max_features:
        raise CodecError("too_many_features", f"{count} columns, at most {settings.max_features}")
    if count * rows > settings.max_values:
        raise CodecError("too_many_values", f"{count} columns of {rows} rows")
    # All names together first: one short join says that no name among them is long.
    if len("".join(names)) > MAX_NAME_CHARACTERS < max(map(len, names)):
        raise CodecError("bad_name", f"a name is longer than {MAX_NAME_CHARACTERS} characters")
