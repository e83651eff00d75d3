"""Which bodies are unmistakably those of one wire format, so that no other may read them."""

from __future__ import annotations

from typing import Any

_SELDON_DATA = ("ndarray", "tensor", "tftensor")
_EXAMPLES = frozenset({"examples", "context", "signature_name"})


def always(_request: dict[str, Any]) -> bool:
    """A key that is enough by itself."""
    return True


def is_seldon(request: dict[str, Any]) -> bool:
    """A SeldonMessage: `data` of a known layout, or one of its other payloads.

    >>> is_seldon({"data": {"ndarray": [[1]]}}), is_seldon({"data": {"ndarrays": 1}})
    (True, False)
    """
    data = request.get("data")
    if type(data) is dict:
        return any(type(data.get(key)) in (list, dict) for key in _SELDON_DATA)
    return any(key in request for key in ("jsonData", "strData", "binData"))


def is_examples(request: dict[str, Any]) -> bool:
    """TensorFlow Serving's classify or regress: `examples` and nothing of another's.

    >>> is_examples({"examples": [{"x": 1}]}), is_examples({"examples": [{"x": 1}], "text": "a"})
    (True, False)
    """
    examples = request.get("examples")
    is_list = type(examples) is list and bool(examples) and set(map(type, examples)) == {dict}
    return is_list and _EXAMPLES.issuperset(request)


def is_chat(request: dict[str, Any]) -> bool:
    """Chat completions: `messages` with a role each.

    >>> is_chat({"messages": [{"role": "user", "content": "Hi"}]}), is_chat({"messages": [1]})
    (True, False)
    """
    messages = request.get("messages")
    return (
        type(messages) is list
        and bool(messages)
        and all(type(one) is dict and type(one.get("role")) is str for one in messages)
    )
