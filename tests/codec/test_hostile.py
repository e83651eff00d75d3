"""Whatever bytes come: a batch within bounds, or a CodecError with a counted reason, and soon."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.codec import decoder as decoder_module
from monitor.codec.columns import MAX_NAME_CHARACTERS, SCALARS
from monitor.codec.decoder import MAX_KNOWN_ROUTES
from monitor.codec.formats.table import FORMATS
from monitor.errors import CodecError
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

MiB = 1 << 20

REASONS = frozenset(
    {
        "bad_charset", "bad_compression", "bad_grpc", "bad_name", "bad_probabilities",
        "bad_protobuf", "bad_tensor", "model_error",
        "binary_tensor", "empty_body", "no_outputs", "no_rows", "no_tensors", "not_csv", "not_json",
        "not_parquet", "path_missing", "ragged_rows", "rows_differ", "too_deep", "too_large",
        "too_many_features", "too_many_rows", "too_many_values", "unknown_compression",
        "unknown_format",
    }
)  # fmt: skip

SMALL = {"max_decoded_bytes": 4096, "max_features": 8, "max_rows": 16, "max_values": 64}


def _decode(one: Exchange, **settings_: Any) -> Batch | str:
    """The batch, held against every promise, or the reason why there is none."""
    limits = DecoderSettings(**settings_)
    try:
        batch = Decoder(limits).decode(one)
    except CodecError as error:
        assert error.reason in REASONS  # noqa: PT017 - there may be no error
        return error.reason
    rows = len(batch)
    assert 0 < rows <= limits.max_rows
    assert len(batch.rows) == len(batch.at) == rows
    assert len(batch.features) <= limits.max_features
    assert next(iter(batch.outputs)) == "prediction"
    for columns in (batch.features, batch.outputs, batch.probabilities):
        for name, values in columns.items():
            assert len(values) == rows
            assert set(map(type, values)) <= SCALARS
            assert len(name) <= 2 * MAX_NAME_CHARACTERS
            "".join((name, *(value for value in values if type(value) is str))).encode()
    return batch


@pytest.mark.parametrize("format_name", ["auto", *(one.names[0] for one in FORMATS)])
@settings(deadline=None, max_examples=100)
@given(
    request=st.binary(max_size=200),
    answer=st.binary(max_size=200),
    fields=st.binary(max_size=60),
    path=st.text(max_size=30),
)
def test_any_bytes(
    format_name: str, request: bytes, answer: bytes, fields: bytes, path: str, exchange: Make
) -> None:
    one = exchange(request, answer, path, None, fields, fields)
    _decode(one, format=format_name, **SMALL)


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEY = st.sampled_from(
    ["a", "b", "name", "shape", "data", "datatype", "columns", "instances"]
) | st.text(max_size=3)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=25,
)
TOP = st.sampled_from(
    [
        "instances",
        "inputs",
        "dataframe_split",
        "dataframe_records",
        "predictions",
        "outputs",
        "probabilities",
    ]
)
TENSORS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text(max_size=3) | st.none(),
            "shape": st.lists(st.integers(-1, 4), max_size=3) | SCALAR,
            "datatype": st.just("FP32"),
            "data": st.lists(SCALAR | st.lists(SCALAR, max_size=4), max_size=12) | SCALAR,
        }
    ),
    max_size=3,
)
DOCUMENT = VALUE | st.dictionaries(TOP, VALUE | TENSORS, max_size=2)
PATHS = ["/x", "/invocations", "/v1/models/m:predict", "/v2/models/m/infer"]


@settings(deadline=None, max_examples=500)
@given(
    request=DOCUMENT,
    answer=DOCUMENT,
    path=st.sampled_from(PATHS),
    task=st.sampled_from([None, "binary", "multiclass", "regression"]),
)
@example(request=[{"a": []}], answer=[1], path="/x", task=None)
@example(request=[[]], answer=[1], path="/x", task=None)
@example(request={"a": []}, answer=[], path="/x", task=None)
@example(
    request={"inputs": [{"name": "a", "shape": [2, 0], "datatype": "", "data": []}]},
    answer=[1, 2],
    path="/x",
    task=None,
)
def test_any_json(request: Any, answer: Any, path: str, task: str | None, exchange: Make) -> None:
    _decode(exchange(request, answer, path), task=task, **SMALL)


@settings(deadline=None, max_examples=100)
@given(
    text=st.text(alphabet='a1,."\n\r\0é -', max_size=60), answer=st.lists(st.integers(), max_size=4)
)
def test_any_csv(text: str, answer: list[int], exchange: Make) -> None:
    _decode(exchange(text.encode(), answer, "/invocations", "text/csv"), **SMALL)


DEEP = 100_000
BODIES: dict[str, tuple[bytes, str]] = {
    "arrays in arrays": (b"[" * DEEP + b"]" * DEEP, "too_deep"),
    "objects in objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, "too_deep"),
    "arrays without end": (b"[" * DEEP, "too_deep"),
    "nesting within the parser's limit": (b'{"a":' * 900 + b"1" + b"}" * 900, "too_deep"),
    "wrappers in wrappers": (b'{"data":' * 900 + b"1" + b"}" * 900, "too_deep"),
    "a million keys": (
        b"{" + b",".join(b'"k%d":1' % i for i in range(1_000_000)) + b"}", "too_many_features",
    ),
    "a vector of a million": (b'{"x":0,"v":[' + b"1," * 1_000_000 + b"1]}", "too_many_features"),
    "rows with a key of their own each": (
        b"[" + b",".join(b'{"k%d":1}' % i for i in range(90_000)) + b"]", "too_many_features",
    ),
    "more rows than are taken": (b"[" + b",".join([b"[1]"] * 200_000) + b"]", "too_many_rows"),
    "a name of a megabyte": (b'{"' + b"n" * MiB + b'":1}', "bad_name"),
    "no JSON": (b"a=1&b=2", "not_json"),
    "half of JSON": (b'{"a": 1, "b', "not_json"),
    "nothing": (b"", "empty_body"),
    "invalid UTF-8": (b'{"a": "\xff\xfe\xfa"}', "bad_charset"),
    "an encoded surrogate": (b'{"a": "\xed\xa0\x80"}', "bad_charset"),
    "a lone scalar": (b"17", "unknown_format"),
    "no rows": (b"[]", "no_rows"),
    "an image": (
        json.dumps({"instances": [[[[0.5] * 3] * 64] * 64]}).encode(), "too_many_features",
    ),
    "rows of two lengths": (b'{"instances": [[1, 2], [3]]}', "ragged_rows"),
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_hostile_requests_are_refused_with_their_reason_in_time(body: str, exchange: Make) -> None:
    content, reason = BODIES[body]
    started = time.process_time()
    assert _decode(exchange(content, [1])) == reason
    assert time.process_time() - started < 3
    _decode(exchange({"a": 1}, content))
    _decode(exchange([1, 2], content))


def test_sparse_rows_cannot_ask_for_a_square_of_cells(exchange: Make) -> None:
    rows = [{f"k{i % 1900}": 1} for i in range(90_000)]
    one = exchange(rows, [1] * 90_000)
    tracemalloc.start()
    assert _decode(one) == "too_many_values"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * MiB
    classes = [{f"c{i}": 0.5, f"d{i}": 0.5} for i in range(20_000)]
    assert _decode(exchange([{"a": 1}] * 20_000, classes)) in REASONS


def _columns(columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in columns.items()}


def _features(
    body: bytes, exchange: Make, content_type: str = "application/json"
) -> dict[str, Any]:
    batch = _decode(exchange(body, 1, content_type=content_type))
    assert isinstance(batch, Batch)
    return _columns(batch.features)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": Infinity, "b": -Infinity}', {"a": [float("inf")], "b": [float("-inf")]}),
        (b'{"a": 1e400, "b": -1e400}', {"a": [float("inf")], "b": [float("-inf")]}),
        (b'{"a": 9223372036854775807}', {"a": [9223372036854775807]}),
        (b'{"a": 18446744073709551615, "b": NaN, "b": 0}', {"a": [18446744073709551615], "b": [0]}),
        (b'{"a": 1180591620717411303424}', {"a": [2.0**70]}),
        (b'{"a": -1180591620717411303424, "b": 1e999}', {"a": [-(2.0**70)], "b": [float("inf")]}),
        (b'{"a": ' + b"9" * 5000 + b"}", {"a": [float("inf")]}),
        (b'{"a": 1, "a": 2}', {"a": [2]}),
        (b'{"a": NaN, "a": 3}', {"a": [3]}),
        (b'{"a": "\\ud800"}', {"a": ["\ufffd"]}),
        (b'{"a": "\\udfff\\ud83d\\ude00\\ud83d"}', {"a": ["\ufffd\U0001f600\ufffd"]}),
        (b'{"a": "\\\\ud800\\ud800"}', {"a": ["\\ud800\ufffd"]}),
        (b'{"\\udc00": 1}', {"\ufffd": [1]}),
        (b'{"a": "\\u0000"}', {"a": ["\0"]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": [1]}),
        ('{"a": "é"}'.encode("utf-16"), {"a": ["é"]}),
        ('{"a": "é"}'.encode("utf-32-be"), {"a": ["é"]}),
    ],
)
def test_what_json_leaves_open(body: bytes, expected: dict[str, Any], exchange: Make) -> None:
    assert _features(body, exchange) == expected


def test_the_charset_that_is_said_is_used(exchange: Make) -> None:
    latin = '{"a": "é"}'.encode("latin-1")
    for said in ("application/json; charset=ISO-8859-1", 'application/json;CHARSET="latin1"'):
        assert _features(latin, exchange, said) == {"a": ["é"]}
    assert _decode(exchange(latin, 1)) == "bad_charset"
    for said in ("utf-8", "idna", "zlib", "nonsense", "unicode_escape"):
        one = exchange(latin, 1, content_type=f"application/json; charset={said}")
        assert _decode(one) == "bad_charset"


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        ({"name": "a", "shape": [2, 3], "data": [1, 2, 3]}, "bad_tensor"),
        ({"name": "a", "shape": [1 << 62, 1 << 62], "data": [1]}, "bad_tensor"),
        ({"name": "a", "shape": [1] * 1000, "data": [1]}, "bad_tensor"),
        ({"name": "a", "shape": [-1, -1], "data": [1]}, "bad_tensor"),
        ({"name": "a", "shape": "2", "data": [1, 2]}, "bad_tensor"),
        ({"name": 7, "shape": [1], "data": [1]}, "bad_tensor"),
        ({"name": "a", "shape": [1]}, "bad_tensor"),
        ({"name": "a", "shape": [1], "parameters": {"binary_data_size": 4}}, "binary_tensor"),
        ({"name": "a", "shape": [0], "data": []}, "no_rows"),
        ({"name": "a", "shape": [1, 3000], "data": [0] * 3000}, "too_many_features"),
        ({"name": "a", "shape": [200_000], "data": [0] * 200_000}, "too_many_rows"),
    ],
)
def test_tensors_that_are_not_what_they_say(
    tensor: dict[str, Any], reason: str, exchange: Make
) -> None:
    request = {"inputs": [{"datatype": "FP32", **tensor}]}
    answer = {"outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [1]}]}
    assert _decode(exchange(request, answer)) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a,b\n1,2\n3\n", "ragged_rows"),
        (b"a,a\n1,2\n", "bad_name"),
        (b"a,b\n", "no_rows"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "not_csv"),
        (b"a\n" + b"1\n" * 200_000, "too_many_rows"),
        (b"\n \n", "not_json"),
    ],
)
def test_csv_that_is_no_table(text: bytes, reason: str, exchange: Make) -> None:
    one = exchange(text, {"predictions": [1, 2, 3, 4, 5]}, "/invocations", "text/csv")
    assert _decode(one) == reason


def test_paths_made_up_by_clients_are_not_remembered_without_end(exchange: Make) -> None:
    decoder = Decoder()
    for index in range(3 * MAX_KNOWN_ROUTES):
        decoder.decode(exchange({"a": 1}, 2, f"/p{index}", f"text/t{index}"))
    assert len(decoder._known) <= MAX_KNOWN_ROUTES


def test_every_reason_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "wire-formats.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert explained >= REASONS | {"unreadable"}
    source = "".join(
        path.read_text("utf-8") for path in Path(decoder_module.__file__).parent.rglob("*.py")
    )
    raised = set(re.findall(r'CodecError\(\s*"([a-z_]+)"', source))
    assert raised - explained == set()
