"""The OpenAPI document in version 3.0, which every reader knows, Swagger UI 4 included.

FastAPI writes version 3.1, where a schema is any JSON Schema; this says the same in the words of
3.0.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from monitor.api import label_shapes

VERSION = "3.0.3"
READ_BY_HAND = (
    label_shapes.LabelItem,
    label_shapes.LabelsItem,
    label_shapes.SeldonFeedback,
)  # the body of /feedback
_NULL = {"type": "null"}


class ControlApp(FastAPI):
    """An application with its document in version 3.0, and the shapes of hand-read bodies in it."""

    guarded = False  # whether writes need the token; a document that asks for none says so

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if not self.openapi_schema:
            document = super().openapi()
            known = document["components"]["schemas"]
            for model in READ_BY_HAND:
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                known.update(schema.pop("$defs", {}))
                known.setdefault(model.__name__, schema)
            if not self.guarded:
                _open(document)
            self.openapi_schema = {**_in_3_0(document), "openapi": VERSION}
        return self.openapi_schema


def _open(document: dict[str, Any]) -> None:
    """Take the token out of a document of an API that asks for none."""
    document["components"].pop("securitySchemes", None)
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
            operation["responses"].pop("401", None)


def _in_3_0(node: Any) -> Any:  # noqa: ANN401 - any node of a JSON document
    if isinstance(node, list):
        return [_in_3_0(each) for each in node]
    if not isinstance(node, dict):
        return node
    if _NULL in node.get("anyOf", ()):
        node = _nullable(node)
    if "const" in node and not isinstance(node["const"], dict):
        node = {**{k: v for k, v in node.items() if k != "const"}, "enum": [node["const"]]}
    if isinstance(node.get("examples"), list):
        rest = {key: value for key, value in node.items() if key != "examples"}
        node = {**rest, "example": node["examples"][0]}
    return {key: _in_3_0(value) for key, value in node.items()}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` with null among it, as 3.0 has it.

    >>> _nullable({"anyOf": [{"type": "string"}, {"type": "null"}], "title": "At"})
    {'title': 'At', 'type': 'string', 'nullable': True}
    """
    others = [each for each in schema["anyOf"] if each != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(others) > 1:
        return {**rest, "anyOf": others, "nullable": True}
    (only,) = others
    inside = {"allOf": [only]} if "$ref" in only else only
    return {**rest, **inside, "nullable": True}
