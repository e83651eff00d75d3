"""Descriptions of models as MLflow, FastAPI and v2 servers write them, and what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typer.testing import CliRunner

from monitor.cli.commands import app as cli
from monitor.codec.imported import DescriptionError, describe
from monitor.codec.settings import SchemaField
from monitor.config import load
from monitor.errors import ConfigError
from monitor.profile.reference import load as load_reference
from monitor.service.checks import check
from monitor.service.settings import decoder_settings

# As `mlflow.sklearn.save_model` (3.x) writes it for a data frame.
MLMODEL = """
artifact_path: model
flavors: {python_function: {loader_module: mlflow.sklearn}}
signature:
  inputs: '[{"type": "double", "name": "width", "required": true}, {"type": "string",
    "name": "kind", "required": true}, {"type": "long", "name": "count", "required": true}]'
  outputs: '[{"type": "long", "required": true}]'
  params: null
"""
TENSOR = """
signature:
  inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""
METADATA = {
    "name": "m",
    "platform": "x",
    "inputs": [{"name": "IN", "datatype": "FP32", "shape": [-1, 4]}],
    "outputs": [{"name": "OUT", "datatype": "FP32", "shape": [-1, 1]}],
}


class Row(BaseModel):
    width: float
    kind: str
    count: int | None = None


class Rows(BaseModel):
    rows: list[Row]


def _openapi(model: type[BaseModel]) -> bytes:
    app = FastAPI()

    @app.post("/predict")
    def predict(body: model) -> int:  # type: ignore[valid-type]  # FastAPI reads it when it runs
        return 1

    predict.__annotations__["body"] = model
    app = FastAPI()
    app.post("/predict")(predict)
    return json.dumps(app.openapi()).encode()


NAMES = ("width", "kind", "count")


@pytest.mark.parametrize(
    "content", [MLMODEL.encode(), _openapi(Row), _openapi(Rows)], ids=["mlmodel", "row", "rows"]
)
def test_names_come_in_the_models_order(content: bytes) -> None:
    assert describe(content).names == NAMES


def test_one_wide_tensor_has_a_type_and_no_names() -> None:
    found = describe(json.dumps(METADATA).encode())
    assert found.inputs == (SchemaField("IN", "FP32", 4),)
    assert found.outputs == (SchemaField("OUT", "FP32", 1),)
    assert found.names == ()
    assert describe(TENSOR.encode()).inputs == (SchemaField("f0", "", 4),)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[1]", b"{", b"a: [", b"\xff", b"signature: {inputs: 7}", b"signature: {inputs: '{'}",
        b"{}", b'{"inputs": []}', b'{"inputs": [{"name": 1}]}', b'{"openapi": "3.1", "paths": {}}',
        b'{"inputs": [{"name": "a", "datatype": ""}, {"name": "a", "datatype": ""}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_describes_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(DescriptionError):
        describe(content)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["paths", "post", "inputs", "signature", "$ref", "shape", "properties"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(["openapi", "signature", "inputs"]), JSON, JSON)
def test_any_document_describes_or_is_refused(key: str, value: Any, paths: Any) -> None:
    try:
        describe(json.dumps({"paths": paths, key: value}).encode())
    except DescriptionError:
        return


def _config(tmp_path: Path, observe: str) -> Path:
    path = tmp_path / "sidelight.yaml"
    path.write_text(f"upstream: http://127.0.0.1:1\nobserve: {{{observe}}}\n")
    return path


def test_the_configured_schema_names_positional_rows(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(MLMODEL)
    config = load(_config(tmp_path, f"schema: {tmp_path}/MLmodel"))
    assert decoder_settings(config, None, ("from", "the", "reference")).features == NAMES
    config = load(_config(tmp_path, f"schema: {tmp_path}/MLmodel, features: [a, b]"))
    assert decoder_settings(config, None).features == ("a", "b")
    config = load(_config(tmp_path, ""))
    assert decoder_settings(config, None, ("a", "b")).features == ("a", "b")


def test_a_schema_that_cannot_be_read_is_a_fault_of_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"observe\.schema: cannot read"):
        check(load(_config(tmp_path, f"schema: {tmp_path}/none")))
    (tmp_path / "odd").write_text("a: 1")
    with pytest.raises(ConfigError, match=r"observe\.schema: .*neither an MLmodel"):
        check(load(_config(tmp_path, f"schema: {tmp_path}/odd")))


def test_a_reference_takes_its_features_from_the_mlmodel(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(MLMODEL)
    lines = [f"{i},{i % 3},{'ab'[i % 2]},{i / 7}" for i in range(50)]
    (tmp_path / "data.csv").write_text("\n".join(["row,count,kind,width", *lines]))
    arguments = ["reference", "build", str(tmp_path / "data.csv"), "--output"]
    arguments += [str(tmp_path / "r.json"), "--mlmodel", str(tmp_path / "MLmodel")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert load_reference(tmp_path / "r.json").feature_names == NAMES
