"""A model's own description of its inputs: MLflow's MLmodel, an OpenAPI document, v2 metadata.

Pure: a file's content in, names in order out. Which of the three it is, its keys tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from monitor.codec.settings import SchemaField
from monitor.errors import SidelightError

MAX_CONTENT_BYTES = 8 << 20
MAX_DEPTH = 16

_SCALARS = frozenset({"number", "integer", "string", "boolean"})


class DescriptionError(SidelightError):
    """A file that does not describe a model's inputs."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a model takes and gives, in its own order."""

    inputs: tuple[SchemaField, ...]
    outputs: tuple[SchemaField, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, where each input is one value a row; none for one wide tensor."""
        if any(one.width != 1 for one in self.inputs):
            return ()
        return tuple(one.name for one in self.inputs)


def describe(content: bytes) -> Description:
    """The inputs that a file describes; DescriptionError where it describes none.

    >>> describe(b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [-1]}]}').names
    ('a',)
    """
    tree = _tree(content)
    readers = (("signature", _mlmodel), ("openapi", _openapi), ("swagger", _openapi),
               ("inputs", _metadata))  # fmt: skip
    reader = next((reader for key, reader in readers if key in tree), None)
    if reader is None:
        raise DescriptionError("neither an MLmodel file, an OpenAPI document nor v2 metadata")
    try:
        found = reader(tree)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DescriptionError(f"its inputs cannot be read: {error!r}"[:200]) from None
    if not found.inputs:
        raise DescriptionError("it describes no inputs")
    if len({one.name for one in found.inputs}) != len(found.inputs):
        raise DescriptionError("two inputs of one name")
    return found


def _tree(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_CONTENT_BYTES:
        raise DescriptionError(f"larger than {MAX_CONTENT_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
        tree = json.loads(text) if text.lstrip()[:1] == "{" else yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise DescriptionError(f"neither JSON nor YAML: {error}"[:200]) from None
    if not isinstance(tree, dict):
        raise DescriptionError("not an object")
    return tree


def _mlmodel(tree: Mapping[str, Any]) -> Description:
    signature = tree["signature"]
    return Description(
        _signature(signature.get("inputs"), "f"), _signature(signature.get("outputs"), "output")
    )


def _signature(text: str | None, unnamed: str) -> tuple[SchemaField, ...]:
    """MLflow writes columns, or tensors with a shape, as JSON inside of the YAML."""
    found = []
    for index, one in enumerate(json.loads(text) if text else ()):
        name = str(one.get("name") or f"{unnamed}{index}")
        shape = one["tensor-spec"]["shape"] if one["type"] == "tensor" else []
        found.append(SchemaField(name, "", _width(shape)))
    return tuple(found)


def _metadata(tree: Mapping[str, Any]) -> Description:
    return Description(_tensors(tree["inputs"]), _tensors(tree.get("outputs") or ()))


def _tensors(tensors: Any) -> tuple[SchemaField, ...]:  # noqa: ANN401 - any JSON value
    return tuple(
        SchemaField(str(one["name"]), str(one["datatype"]), _width(one.get("shape") or []))
        for one in tensors
    )


def _width(shape: list[int]) -> int:
    """Values a row: all dimensions but the first, where those are known."""
    width = 1
    for size in shape[1:]:
        width *= int(size) if int(size) > 0 else 1
    return width


def _openapi(tree: Mapping[str, Any]) -> Description:
    """The row of the first POST operation whose JSON body holds one."""
    for path in tree["paths"].values():
        body = path.get("post", {}).get("requestBody") if isinstance(path, dict) else None
        if body is None:
            continue
        content = _resolved(tree, body)["content"]
        schema = content.get("application/json", {}).get("schema", {})
        fields = tuple(_row(tree, schema, 0))
        if fields:
            return Description(fields)
    return Description(())


def _row(tree: Mapping[str, Any], schema: Any, depth: int) -> Iterator[SchemaField]:  # noqa: ANN401
    """The scalar properties of the first object that has some, through lists and wrappers."""
    schema = _resolved(tree, schema)
    if depth > MAX_DEPTH or not isinstance(schema, dict):
        return
    if "items" in schema:
        yield from _row(tree, schema["items"], depth + 1)
        return
    properties = {
        name: _resolved(tree, one) for name, one in (schema.get("properties") or {}).items()
    }
    if any(_is_scalar(one) for one in properties.values()):
        yield from (SchemaField(name) for name, one in properties.items() if _is_scalar(one))
    elif len(properties) == 1:
        yield from _row(tree, next(iter(properties.values())), depth + 1)


def _is_scalar(schema: Any) -> bool:  # noqa: ANN401 - any JSON value
    kinds = [schema, *(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
    return any(one.get("type") in _SCALARS for one in kinds if isinstance(one, dict)) or (
        "enum" in schema
    )


def _resolved(tree: Mapping[str, Any], schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What a `$ref` into the same document points at."""
    for _ in range(MAX_DEPTH):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        schema = tree
        for step in reference[2:].split("/"):
            schema = schema[step.replace("~1", "/").replace("~0", "~")]
    return schema
