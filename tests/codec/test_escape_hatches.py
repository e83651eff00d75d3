"""JSONPath settings: the subset itself, and what each setting does to a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.codec.jsonpath import compile_path
from monitor.errors import CodecError, ConfigError
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

DOCUMENT = {
    "a": {"b": [{"c": 1}, {"c": 2}, {"d": 3}], "b c": {"'": 4, '"': 5, "é": 6}},
    "list": [[1, 2], [3, 4]],
    "*": 7,
    "x-y": 8,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", [DOCUMENT]),
        ("$.a.b[*].c", [1, 2]),
        ("$.a.b[0].c", [1]),
        ("$.a.b[-1].d", [3]),
        ("$.a.b[7]", []),
        ("$.a.b[-4]", []),
        ("$['a']['b c']['\\'']", [4]),
        ('$["a"]["b c"]["\\""]', [5]),
        ("$['a']['b c']['\"']", [5]),
        ("$.a['b c'].é", [6]),
        ("$.a['b c'].*", [4, 5, 6]),
        ("$.list[*][1]", [2, 4]),
        ("$.list[*][*]", [1, 2, 3, 4]),
        ("$['*']", [7]),
        ("$.x-y", [8]),
        ("$.a[0]", []),
        ("$.list.a", []),
        ("$.nothing.at.all", []),
    ],
)
def test_paths_select(path: str, expected: list[Any]) -> None:
    assert compile_path(path).select(DOCUMENT) == expected


@pytest.mark.parametrize(
    "path",
    [
        "", "a.b", "$a", "$.", "$..a", "$[a]", "$[1:2]", "$[?(@.a)]", "$[0", "$['a]", "$[01]",
        "$.a b", "$['\\x']",
    ],
)  # fmt: skip
def test_paths_outside_of_the_subset_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|understood|quotes"):
        compile_path(path)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_a_value_error(text: str) -> None:
    try:
        compile_path("$" + text).select(DOCUMENT)
    except ValueError:
        return


@given(st.text(min_size=1, max_size=20))
def test_any_key_can_be_named(key: str) -> None:
    quoted = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in "'\\" else c for c in key)
    assert compile_path(f"$['{quoted}']").select({key: 1}) == [1]


ODD_REQUEST = {
    "meta": {"ids": ["p1", "p2"]},
    "payload": {"rows": [{"v": {"a": 1}}, {"v": {"a": 2}}]},
}
ODD_ANSWER = {
    "body": [{"y": 10.5, "p": [0.25, 0.75], "s": 0.5}, {"y": 11.5, "p": [0.9, 0.1], "s": 1}],
    "ref": "r7",
}


def _settings(**paths: str) -> DecoderSettings:
    base = {"inputs": "$.payload.rows[*].v", "outputs": "$.body[*].y"}
    return DecoderSettings(**{**base, **paths})  # type: ignore[arg-type]  # paths are all text


def test_inputs_and_outputs(exchange: Make) -> None:
    batch = Decoder(_settings()).decode(exchange(ODD_REQUEST, ODD_ANSWER))
    assert {name: list(column) for name, column in batch.features.items()} == {"a": [1, 2]}
    assert {name: list(column) for name, column in batch.outputs.items()} == {
        "prediction": [10.5, 11.5]
    }
    assert list(batch.ids) == ["abc", "abc"]


def test_a_path_without_wildcard_may_hold_the_rows(exchange: Make) -> None:
    settings = DecoderSettings(inputs="$.x.rows", outputs="$.y", features=("a", "b"))
    batch = Decoder(settings).decode(exchange({"x": {"rows": [[1, 2], [3, 4]]}}, {"y": [5, 6]}))
    assert {name: list(column) for name, column in batch.features.items()} == {
        "a": [1, 3],
        "b": [2, 4],
    }
    assert list(batch.outputs["prediction"]) == [5, 6]


def test_probabilities(exchange: Make) -> None:
    vectors = Decoder(_settings(probabilities="$.body[*].p")).decode(
        exchange(ODD_REQUEST, ODD_ANSWER)
    )
    assert {name: list(column) for name, column in vectors.probabilities.items()} == {
        "0": [0.25, 0.9],
        "1": [0.75, 0.1],
    }
    scores = Decoder(_settings(probabilities="$.body[*].s")).decode(
        exchange(ODD_REQUEST, ODD_ANSWER)
    )
    assert {name: list(column) for name, column in scores.probabilities.items()} == {
        "0": [0.5, 0],
        "1": [0.5, 1],
    }


@pytest.mark.parametrize(
    ("path", "ids", "rows"),
    [
        ("$.meta.ids[*]", ["p1", "p2"], [0, 0]),
        ("$.meta.ids", ["p1", "p2"], [0, 0]),
        ("$.meta.ids[0]", ["p1", "p1"], [0, 1]),
        ("$.ref", ["r7", "r7"], [0, 1]),  # found in the answer
        ("$.payload", ["abc", "abc"], [0, 1]),  # no id at all
        ("$.nothing", ["abc", "abc"], [0, 1]),
    ],
)
def test_prediction_ids(path: str, ids: list[str], rows: list[int], exchange: Make) -> None:
    batch = Decoder(_settings(prediction_id=path)).decode(exchange(ODD_REQUEST, ODD_ANSWER))
    assert list(batch.ids) == ids
    assert list(batch.rows) == rows


@pytest.mark.parametrize("bad", ["x" * 129, "a\nb", "", "a b", "\x1b[2J", None, True, 1.5])
def test_an_unfit_id_is_not_used(bad: object, exchange: Make) -> None:
    settings = DecoderSettings(prediction_id="$.id")
    batch = Decoder(settings).decode(exchange({"id": bad, "a": 1}, 2))
    assert list(batch.ids) == ["abc"]


def test_rows_of_one_id_are_numbered_within_it(exchange: Make) -> None:
    request = {"instances": [{"id": 7}, {"id": "u"}, {"id": 7}]}
    settings = DecoderSettings(prediction_id="$.instances[*].id")
    batch = Decoder(settings).decode(exchange(request, [1, 2, 3]))
    assert list(batch.ids) == ["7", "u", "7"]
    assert list(batch.rows) == [0, 0, 1]


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        ({"inputs": "$.nowhere"}, "path_missing"),
        ({"inputs": "$.nowhere[*]"}, "no_rows"),
        ({"outputs": "$.nowhere"}, "path_missing"),
        ({"outputs": "$.body[*].nowhere"}, "rows_differ"),
        ({"probabilities": "$.nowhere"}, "path_missing"),
        ({"probabilities": "$.body[*].y"}, "bad_probabilities"),
        ({"probabilities": "$.body[0].s"}, "rows_differ"),
    ],
)
def test_paths_that_lead_nowhere(paths: dict[str, str], reason: str, exchange: Make) -> None:
    with pytest.raises(CodecError) as caught:
        Decoder(_settings(**paths)).decode(exchange(ODD_REQUEST, ODD_ANSWER))
    assert caught.value.reason == reason


def test_settings_name_every_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        DecoderSettings(inputs="a.b", outputs="$..c", task="ranking")
    assert [path for path, _ in caught.value.faults] == [
        "observe.inputs",
        "observe.outputs",
        "model.task",
    ]
    with pytest.raises(ConfigError, match=r"observe.format: 'protobuf' is not one of auto, "):
        Decoder(DecoderSettings(format="protobuf"))
