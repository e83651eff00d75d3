"""Seldon's feedback body as an item of labels: the truth of a request, under its `meta.puid`.

Pure: a decoded JSON object in, another out. A `reward` says how good an answer was, not what was
true, so it is no label.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYS = frozenset({"request", "response", "truth", "reward"})
_SAYS_SO = frozenset({"truth", "reward"})  # no other body has these


class SeldonError(Exception):
    """Why a feedback body holds no label."""


def is_feedback(item: Mapping[str, object]) -> bool:
    """Whether this is Seldon's shape."""
    return not _SAYS_SO.isdisjoint(item)


def to_item(item: Mapping[str, object]) -> dict[str, object]:
    """The same as an item of `prediction_id` and `labels`.

    >>> to_item({"response": {"meta": {"puid": "a1"}}, "truth": {"data": {"ndarray": [[1], [0]]}}})
    {'prediction_id': 'a1', 'labels': [1, 0]}
    """
    unknown = item.keys() - KEYS
    if unknown:
        raise SeldonError(f"unknown field {min(unknown)[:64]!r}")
    if item.get("truth") is None:
        raise SeldonError("truth is missing; a reward alone is no label")
    return {"prediction_id": _puid(item), "labels": _rows(item["truth"])}


def _puid(item: Mapping[str, object]) -> object:
    for message in ("response", "request", "truth"):
        found = _at(item.get(message), "meta", "puid")
        if found:
            return found
    raise SeldonError("response.meta.puid, or request.meta.puid, is missing")


def _rows(truth: object) -> list[object]:
    array = _at(truth, "data", "ndarray")
    if isinstance(array, list):
        return [_single(row) for row in array]
    tensor = _at(truth, "data", "tensor")
    if isinstance(tensor, dict):
        return _tensor(tensor)
    for key in ("strData", "jsonData"):
        value = _at(truth, key)
        if isinstance(value, list):
            return [_single(row) for row in value]
        if value is not None:
            return [value]
    raise SeldonError("truth has data.ndarray, data.tensor, strData or jsonData")


def _tensor(tensor: Mapping[str, object]) -> list[object]:
    shape, values = tensor.get("shape"), tensor.get("values")
    if not isinstance(shape, list) or not isinstance(values, list):
        raise SeldonError("a tensor has shape and values")
    if not shape or shape[0] != len(values) or any(extent != 1 for extent in shape[1:]):
        raise SeldonError("a tensor of truth has one value a row")
    return values


def _single(row: object) -> object:
    if not isinstance(row, list):
        return row
    if len(row) != 1:
        raise SeldonError("truth has one value a row")
    return row[0]


def _at(node: object, *path: str) -> object:
    for key in path:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node
