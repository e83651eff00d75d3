"""TensorFlow Serving's classify and regress: `examples` of named features, and a `context`."""

from __future__ import annotations

import re
from typing import Any

from monitor.codec import answers
from monitor.codec.claims import is_examples
from monitor.codec.columns import Columns, from_rows
from monitor.codec.distributions import is_named_distribution
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

_RESULTS = ("results", "result")


def matches(message: Message) -> bool:
    """An object of `examples`, and of nothing that is not TensorFlow Serving's."""
    request = message.request
    return type(request) is dict and is_examples(request)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The examples, each with the context's features."""
    request = message.request
    examples, context = request["examples"], request.get("context")
    if type(context) is dict and context:
        if len(context) > settings.max_features:
            raise CodecError("too_many_features", f"{len(context)} features of the context")
        examples = [{**context, **one} for one in examples[: settings.max_rows + 1]]
    return Inputs(from_rows(examples, (), settings), len(examples))


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """A value an example (regress), or its classes with their scores (classify)."""
    answer = message.answer
    found = None
    if type(answer) is dict:
        found = next((answer[key] for key in _RESULTS if key in answer), None)
    rows = list(map(_scores, found)) if type(found) is list else []
    if not rows or len(rows) != inputs.rows or None in rows:
        return answers.columns_of(answer, inputs.rows, settings)
    scores: list[dict[str, Any]] = [row for row in rows if row is not None]
    if settings.task != "regression" and all(map(is_named_distribution, scores)):
        return {"prediction": scores}
    best = [max(row, key=row.__getitem__) for row in scores]
    return {
        "prediction": best,
        "score": [row[label] for row, label in zip(scores, best, strict=True)],
    }


def _scores(row: object) -> dict[str, float] | None:
    """Score by class of `[["label", score], …]`; classes without a name go by their place."""
    if type(row) is not list or not row:
        return None
    found: dict[str, float] = {}
    for index, pair in enumerate(row):
        if type(pair) is not list or len(pair) != 2 or type(pair[1]) not in (int, float):
            return None
        found[str(pair[0]) or str(index)] = pair[1]
    return found if len(found) == len(row) else None


FORMAT = Format(
    ("tensorflow_examples",),
    re.compile(r"/v1/models/[^/]+(?:/(?:versions|labels)/[^/]+)?:(?:classify|regress)$"),
    frozenset(),
    matches,
    inputs,
    outputs,
)
