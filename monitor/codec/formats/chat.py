"""OpenAI chat completions, whole or streamed: lengths, tokens, times, how it ended; not the text.

One exchange is one row. The prediction is the first choice's finish reason; a stream's pieces are
put together first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from monitor.codec.bodies import EVENTS, events
from monitor.codec.claims import is_chat
from monitor.codec.columns import Columns
from monitor.codec.document import parse
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.names import Ids
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError
from monitor.records.batch import PREDICTION

_PARAMETERS = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "seed")
_MAX_TEXT = 32_768  # characters of a text that was asked for


def matches(message: Message) -> bool:
    """`messages` with a role each."""
    request = message.request
    return type(request) is dict and is_chat(request)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """What the prompt is like, and the parameters that are given."""
    request = message.request
    texts = [_text_of(one.get("content")) for one in request["messages"]]
    columns: dict[str, Any] = {
        "prompt_messages": len(texts),
        "prompt_characters": sum(map(len, texts)),
        "last_message_characters": len(texts[-1]),
        "prompt_tokens": _usage(message).get("prompt_tokens"),
        "requested_model": _scalar(request.get("model"), str),
        "stream": request.get("stream") is True,
        "tools": len(request["tools"]) if type(request.get("tools")) is list else 0,
    }
    for name in _PARAMETERS:
        if name in request:
            columns[name] = _scalar(request[name], int, float)
    if settings.text:
        columns["prompt"] = texts[-1][:_MAX_TEXT]
    return Inputs({name: [value] for name, value in columns.items()}, 1, lone=True)


def outputs(
    message: Message,
    inputs: Inputs,  # noqa: ARG001 - a format's signature
    settings: DecoderSettings,
) -> Columns:
    """How it ended, how much it said, and how long that took."""
    completion = _completion(message)
    usage = _usage(message)
    exchange = message.exchange
    tokens = usage.get("completion_tokens")
    said = completion["text"]
    columns: dict[str, Any] = {
        PREDICTION: completion["finish_reason"],
        "answer_characters": len(said),
        "completion_tokens": tokens,
        "reasoning_tokens": usage.get("reasoning_tokens"),
        "tool_calls": len(completion["tool_calls"]),
        "refused": completion["refused"],
        "choices": len(completion["indices"]),
        "served_model": completion["model"],
        "duration_seconds": exchange.duration_seconds,
        "tokens_per_second": (
            tokens / exchange.duration_seconds if tokens and exchange.duration_seconds > 0 else None
        ),
    }
    if completion["pieces"] is not None:
        columns["answer_pieces"] = completion["pieces"]
    if settings.text:
        columns["answer"] = said[:_MAX_TEXT]
    return {name: [value] for name, value in columns.items()}


def ids(message: Message) -> Ids:
    """The completion's own id."""
    return (), (_completion(message)["id"],)


def _usage(message: Message) -> dict[str, int]:
    """Token counts that are whole numbers; a stream has them in its last piece, if asked for."""
    found = _completion(message)["usage"]
    if type(found) is not dict:
        return {}
    details = found.get("completion_tokens_details")
    counts = {**(details if type(details) is dict else {}), **found}
    return {name: count for name, count in counts.items() if type(count) is int}


def _completion(message: Message) -> dict[str, Any]:
    return message.kept("chat", lambda: _gathered(*_documents(message)))


def _documents(message: Message) -> tuple[list[dict[str, Any]], bool]:
    """The completion, or a stream's pieces of it; and whether it was a stream."""
    if message.answer_type != EVENTS:
        return [_checked(message.answer)], False
    found = [
        _checked(parse(data.encode()))
        for data in events(message.answer_text)
        if data.strip() != "[DONE]"
    ]
    if not found:
        raise CodecError("no_outputs", "a stream without a piece of a completion")
    return found, True


def _checked(document: object) -> dict[str, Any]:
    if type(document) is not dict or type(document.get("choices")) is not list:
        raise CodecError("no_outputs", "no choices in a chat completion")
    if any(type(one) is not dict for one in document["choices"]):
        raise CodecError("no_outputs", "a choice is an object")
    return document


def _gathered(documents: list[dict[str, Any]], is_stream: bool) -> dict[str, Any]:  # noqa: FBT001
    """The first choice put together from all pieces, and what they say about the whole."""
    found: dict[str, Any] = {
        "id": documents[0].get("id"),
        "model": _scalar(documents[0].get("model"), str),
        "usage": None,
        "finish_reason": None,
        "refused": False,
        "tool_calls": set(),
        "indices": set(),
        "pieces": 0 if is_stream else None,
    }
    texts: list[str] = []
    for document in documents:
        found["usage"] = document.get("usage") or found["usage"]
        for choice in document["choices"]:
            found["indices"].add(choice.get("index") if type(choice.get("index")) is int else 0)
            if choice.get("index") in (0, None):
                texts.append(_add(found, choice))
    found["text"] = "".join(texts)
    return found


def _add(found: dict[str, Any], choice: dict[str, Any]) -> str:
    """One choice, or one piece of it; its text."""
    part = choice.get("delta") if type(choice.get("delta")) is dict else choice.get("message")
    part = part if type(part) is dict else {}
    found["finish_reason"] = _scalar(choice.get("finish_reason"), str) or found["finish_reason"]
    found["refused"] = found["refused"] or bool(part.get("refusal"))
    calls = part.get("tool_calls")
    for position, call in enumerate(calls if type(calls) is list else ()):
        index = call.get("index", position) if type(call) is dict else position
        found["tool_calls"].add(index if type(index) is int else position)
    text = _text_of(part.get("content"))
    if text and found["pieces"] is not None:
        found["pieces"] += 1
    return text


def _text_of(content: object) -> str:
    """A message's text, also where it comes in parts; pictures and sounds have none."""
    if type(content) is str:
        return content
    parts: Iterable[Any] = content if type(content) is list else ()
    return "".join(
        part["text"] for part in parts if type(part) is dict and type(part.get("text")) is str
    )


def _scalar(value: Any, *kinds: type) -> Any:  # noqa: ANN401 - any JSON value
    return value if type(value) in kinds else None


FORMAT = Format(
    ("openai_chat", "chat"),
    re.compile(r"/chat/completions$"),
    frozenset(),
    matches,
    inputs,
    outputs,
    ids=ids,
)
