"""What a model's output columns mean: predicted value, class probabilities, further outputs.

A table of names, then the shape, then the task decide. Where two readings are possible and one
would give a wrong number, neither is taken: the column is kept as a further output under its own
name.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from monitor.codec.columns import SCALARS, Columns, settle
from monitor.codec.distributions import by_class, most_likely
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError
from monitor.records.batch import PREDICTION

# Names of the predicted value, the surest first.
PREDICTED = (
    "prediction", "predictions", "predicted_label", "predicted_class", "predicted", "predict",
    "y_pred", "yhat", "label", "labels", "class", "output_label", "target", "value", "output",
    "outputs", "result", "results",
)  # fmt: skip
_CLASS_NAMES = frozenset({"classes", "class_names"})
# SageMaker's built-in classifiers document `score` beside `predicted_label` as the probability of
# class 1. Beside any other name of a label, a lone score may as well be the probability of that
# label.
_SAGEMAKER_LABEL = "predicted_label"
_SAGEMAKER_SCORE = "score"

_FLOATS = frozenset({float, type(None)})


def interpret(columns: Columns, rows: int, settings: DecoderSettings) -> tuple[Columns, Columns]:
    """(outputs, probabilities) of an answer's columns; the predicted value comes first."""
    if len(columns) == 1:
        (values,) = columns.values()
        if SCALARS.issuperset(map(type, values)):
            return _binary({PREDICTION: values}, {}, settings.task)
    if settings.task == "binary" and _is_sagemaker_binary(columns):
        score = columns[_SAGEMAKER_SCORE]
        return {PREDICTION: columns[_SAGEMAKER_LABEL]}, binary_probabilities(score)
    outputs, probabilities = _told_apart(columns, settings.task)
    outputs = settle(outputs, rows, settings, whole=False)
    if probabilities and PREDICTION not in outputs:
        outputs = {PREDICTION: _as_labels(most_likely(probabilities)), **outputs}
    elif probabilities:
        probabilities = _where_names_hold(probabilities, outputs[PREDICTION], settings.task)
    if not outputs:
        raise CodecError("no_outputs", "the answer holds no value that can be counted")
    return _binary(_predicted_first(outputs), probabilities, settings.task)


def binary_probabilities(values: Sequence[Any]) -> Columns:
    """Both classes' probabilities from that of class "1".

    >>> binary_probabilities([0.25, None])
    {'0': [0.75, None], '1': [0.25, None]}
    """
    known = [None if value is None or isnan(value) else value for value in values]
    return {"0": [None if value is None else 1 - value for value in known], "1": known}


def _told_apart(columns: Columns, task: str | None) -> tuple[Columns, Columns]:
    outputs: Columns = {}
    probabilities: Columns = {}
    predicted = _predicted_name(columns)
    names = _class_names(columns)
    for name, values in columns.items():
        if names is not None and name.lower() in _CLASS_NAMES:
            continue
        by = None
        if task != "regression" and not probabilities and not SCALARS.issuperset(map(type, values)):
            by = by_class([_unwrapped(value) for value in values], names)
        if by is not None:
            probabilities = by
        else:
            outputs[PREDICTION if name == predicted else name] = values
    if predicted is not None and PREDICTION not in outputs:
        # What stood under the predicted value's name were probabilities: a second-best name may
        # hold the label.
        second = _predicted_name(outputs)
        outputs = {PREDICTION if name == second else name: one for name, one in outputs.items()}
    return outputs, probabilities


def _unwrapped(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """One row's vector without the batch dimension of one that some servers leave around it."""
    return value[0] if type(value) is list and len(value) == 1 else value


def _predicted_name(columns: Columns) -> str | None:
    by_lower = {name.lower(): name for name in reversed(columns)}
    return next((by_lower[name] for name in PREDICTED if name in by_lower), None)


def _class_names(columns: Columns) -> list[str] | None:
    """The classes, where a column repeats the same list of them in every row."""
    for name, values in columns.items():
        first = values[0] if values else None
        if (
            name.lower() in _CLASS_NAMES
            and type(first) is list
            and all(one == first for one in values)
        ):
            labels = [label if type(label) is str else str(label) for label in first]
            return labels if len(set(labels)) == len(labels) else None
    return None


def _as_labels(classes: Sequence[str | None]) -> list[Any]:
    """Unnamed classes as numbers, as classifiers and labels write them."""
    return [
        int(one) if one is not None and one.isdecimal() and one.isascii() else one
        for one in classes
    ]


def _where_names_hold(
    probabilities: Columns, predicted: Sequence[Any], task: str | None
) -> Columns:
    """Unnamed probabilities only in rows whose own label agrees that class "k" is the k-th.

    A model whose classes are 1, 2, 3 would else be given the probabilities of the wrong classes. A
    binary task's classes are 0 and 1, and its threshold may be its own, so that no agreement can be
    asked.
    """
    if task == "binary" or list(probabilities) != [
        str(index) for index in range(len(probabilities))
    ]:
        return probabilities
    holds = [
        type(label) not in (int, float) or best is None or label == int(best)
        for label, best in zip(predicted, most_likely(probabilities), strict=True)
    ]
    return {
        name: [value if hold else None for value, hold in zip(values, holds, strict=True)]
        for name, values in probabilities.items()
    }


def _predicted_first(outputs: Columns) -> Columns:
    if next(iter(outputs)) == PREDICTION:
        return outputs
    first = PREDICTION if PREDICTION in outputs else next(iter(outputs))
    rest = {name: values for name, values in outputs.items() if name != first}
    return {PREDICTION: outputs[first], **rest}


def _binary(outputs: Columns, probabilities: Columns, task: str | None) -> tuple[Columns, Columns]:
    """A binary model's lone number in [0, 1] is the probability of class "1", cut at one half."""
    if task != "binary" or probabilities:
        return outputs, probabilities
    values = outputs[PREDICTION]
    if not _are_scores(values):
        return outputs, probabilities
    both = binary_probabilities(values)
    labels = [None if value is None else int(value >= 0.5) for value in both["1"]]
    if all(value is None or value in (0.0, 1.0) for value in both["1"]):
        # Nothing tells a label written as a float from a saturated probability: no probability is
        # claimed.
        both = {}
    return {**outputs, PREDICTION: labels}, both


def _is_sagemaker_binary(columns: Columns) -> bool:
    if columns.keys() != {_SAGEMAKER_LABEL, _SAGEMAKER_SCORE}:
        return False
    labels = columns[_SAGEMAKER_LABEL]
    return _are_scores(columns[_SAGEMAKER_SCORE]) and all(v is None or v in (0, 1) for v in labels)


def _are_scores(values: Sequence[Any]) -> bool:
    """Whether all that is known are floats in [0, 1]; NaN is not known."""
    return _FLOATS.issuperset(map(type, values)) and all(
        value is None or 0 <= value <= 1 or isnan(value) for value in values
    )
