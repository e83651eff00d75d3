"""How answers become predictions and probabilities: a table written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from monitor.codec import Decoder, DecoderSettings
from monitor.errors import CodecError
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

P, Q = {"0": [0.75], "1": [0.25]}, {"0": [0.25], "1": [0.75]}

# One row in the request: (task, answer, outputs, probabilities)
ONE_ROW: list[tuple[str | None, object, dict[str, Any], dict[str, Any]]] = [
    (None, 12.5, {"prediction": [12.5]}, {}),
    (None, "cat", {"prediction": ["cat"]}, {}),
    (None, [12.5], {"prediction": [12.5]}, {}),
    (None, {"delay_minutes": 3}, {"prediction": [3]}, {}),
    (None, {"model_version": "7", "delay": 3, "id": "x"}, {"prediction": [3]}, {}),
    (None, {"status": "approved"}, {"prediction": ["approved"]}, {}),
    (None, {"gate": "B", "label": 1}, {"prediction": [1], "gate": ["B"]}, {}),
    (None, {"prediction": [0.25, 0.75]}, {"prediction": [1]}, Q),
    (None, [0.25, 0.75], {"prediction": [1]}, Q),
    (None, {"predictions": [[0.25, 0.75]]}, {"prediction": [1]}, Q),
    ("regression", [0.25, 0.75], {"prediction": [0.25], "prediction[1]": [0.75]}, {}),
    ("regression", 0.25, {"prediction": [0.25]}, {}),
    (None, 0.25, {"prediction": [0.25]}, {}),
    # whole numbers are several labels, not probabilities
    (None, [[0, 1]], {"prediction": [0], "prediction[1]": [1]}, {}),
    # neither adds up to one
    (None, [[0.25, 0.5]], {"prediction": [0.25], "prediction[1]": [0.5]}, {}),
    (None, [[-0.5, 1.5]], {"prediction": [-0.5], "prediction[1]": [1.5]}, {}),
    # binary: a lone number in [0, 1] is that of class 1
    ("binary", 0.75, {"prediction": [1]}, Q),
    ("binary", {"predictions": [[0.25]]}, {"prediction": [0]}, P),
    ("binary", {"score": 0.5}, {"prediction": [1]}, {"0": [0.5], "1": [0.5]}),
    ("binary", 1, {"prediction": [1]}, {}),
    ("binary", 1.0, {"prediction": [1]}, {}),
    ("binary", True, {"prediction": [True]}, {}),
    ("binary", 1.5, {"prediction": [1.5]}, {}),
    ("binary", -0.0, {"prediction": [0]}, {}),
    # labels beside probabilities
    (None, {"label": "b", "probabilities": {"a": 0.25, "b": 0.75}}, {"prediction": ["b"]},
     {"a": [0.25], "b": [0.75]}),
    (None, {"cat": 0.75, "dog": 0.25}, {"prediction": ["cat"]}, {"cat": [0.75], "dog": [0.25]}),
    ("regression", {"p10": 0.75, "p90": 0.25}, {"prediction": [0.75], "p90": [0.25]}, {}),
    ("regression", [{"p10": 0.75, "p90": 0.25}], {"prediction": [0.75], "p90": [0.25]}, {}),
    (None, {"probabilities": {"cat": 0.75, "dog": 0.25}}, {"prediction": ["cat"]},
     {"cat": [0.75], "dog": [0.25]}),
    (None, [{"cat": 0.75, "dog": 0.25}], {"prediction": ["cat"]}, {"cat": [0.75], "dog": [0.25]}),
    (None, {"classes": ["a", "b"], "probabilities": [0.25, 0.75]}, {"prediction": ["b"]},
     {"a": [0.25], "b": [0.75]}),
    (None, {"label": 1, "proba": [0.25, 0.75]}, {"prediction": [1]}, Q),
    # a model's own threshold moves its label, and only a binary task's classes are known
    ("binary", {"label": 0, "proba": [0.25, 0.75]}, {"prediction": [0]}, Q),
    # classes 1, 2, 3: the probabilities would be given to the wrong ones
    (None, {"label": 3, "proba": [0.25, 0.0, 0.75]}, {"prediction": [3]},
     {"0": [None], "1": [None], "2": [None]}),
    # a lone number beside a label may belong to that label, or to class 1
    ("binary", {"label": 0, "score": 0.75}, {"prediction": [0], "score": [0.75]}, {}),
    ("binary", {"predicted_label": 0, "score": 0.25}, {"prediction": [0]}, P),
    # numbers that are missing
    (None, [[None, 0.5]], {"prediction": [None], "prediction[1]": [0.5]}, {}),
    ("binary", {"prediction": None}, {"prediction": [None]}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("task", "answer", "outputs", "probabilities"), ONE_ROW)
def test_the_answer_to_one_row(
    task: str | None,
    answer: object,
    outputs: dict[str, Any],
    probabilities: dict[str, Any],
    exchange: Make,
) -> None:
    batch = Decoder(DecoderSettings(task=task)).decode(exchange({"a": 1}, answer))
    assert _columns(batch.outputs) == outputs
    assert next(iter(batch.outputs)) == "prediction"
    assert _columns(batch.probabilities) == probabilities


def test_rows_that_lack_numbers_lack_probabilities(exchange: Make) -> None:
    rows = [[0.25, 0.75], [None, 0.5], None, [0.5, 0.5]]
    batch = Decoder().decode(exchange([{"a": 1}] * 4, {"predictions": rows}))
    assert _columns(batch.probabilities) == {
        "0": [0.25, None, None, 0.5],
        "1": [0.75, None, None, 0.5],
    }
    assert list(batch.outputs["prediction"]) == [1, None, None, 0]


def test_a_class_left_out_of_one_row_is_unknown_there(exchange: Make) -> None:
    rows = [{"a": 0.5, "b": 0.5}, {"b": 0.25, "c": 0.75}]
    batch = Decoder().decode(exchange([[1, 2], [3, 4]], {"predictions": rows}))
    assert _columns(batch.probabilities) == {"a": [0.5, None], "b": [0.5, 0.25], "c": [None, 0.75]}
    assert list(batch.outputs["prediction"]) == ["a", "c"]


def test_binary_scores_with_a_gap(exchange: Make) -> None:
    answer = b'{"predictions": [0.25, NaN, null, 1.0]}'
    settings = DecoderSettings(task="binary")
    batch = Decoder(settings).decode(exchange([[1, 2]] * 4, answer))
    assert _columns(batch.probabilities) == {
        "0": [0.75, None, None, 0.0],
        "1": [0.25, None, None, 1.0],
    }
    assert list(batch.outputs["prediction"]) == [0, None, None, 1]


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        (2, {"predictions": [1]}),
        (2, {"predictions": [1, 2, 3]}),
        (2, [1]),
        (2, 1),
        (2, {"prediction": 1}),
        (1, {"predictions": [1, 2]}),
        (3, {"predictions": {"a": [1, 2], "b": [1, 2]}}),
    ],
)
def test_as_many_answers_as_rows(rows: int, answer: object, exchange: Make) -> None:
    with pytest.raises(CodecError) as caught:
        Decoder().decode(exchange([{"a": 1}] * rows, answer))
    assert caught.value.reason == "rows_differ"


@pytest.mark.parametrize("answer", [{}, {"note": [], "other": [1, 2, 3]}, [{}, {}]])
def test_answers_without_a_value(answer: object, exchange: Make) -> None:
    with pytest.raises(CodecError) as caught:
        Decoder().decode(exchange([{"a": 1}] * 2, answer))
    assert caught.value.reason == "no_outputs"


def _columns(columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in columns.items()}
