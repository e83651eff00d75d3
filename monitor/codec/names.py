"""The names that an exchange gives its prediction, beside its id: labels may come under each.

Looks only at bodies that a format has read already, and at field lines; parses nothing. A name that
could not be posted as a label's id is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from monitor.codec.message import Message
from monitor.records.alias import Alias, Given

KEYS = ("id", "request_id", "requestId", "prediction_id")  # of a body's outermost object

_NAME = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE = b"0" * 32  # W3C Trace Context section 3.2.2.3

_IN_REQUEST = {
    b"x-request-id": Given.REQUEST,
    b"x-amzn-sagemaker-inference-id": Given.REQUEST,
    b"seldon-puid": Given.REQUEST,
    b"ce-id": Given.EVENT,
    b"ce-requestid": Given.EVENT,
    b"traceparent": Given.TRACE,
}
_IN_ANSWER = dict.fromkeys(
    (*_IN_REQUEST.keys() - {b"traceparent"}, b"x-bentoml-request-id"), Given.ANSWER
)
_ENDS = (b"id:", b"traceparent:")  # of these names: a search is quicker than a look at each line

Ids = tuple[Sequence[object], Sequence[object]]  # what may be ids in the request, and in the answer
NONE: Ids = ((), ())


def in_bodies(message: Message) -> Ids:
    """What may be ids in the JSON documents that have been read."""
    read = message.__dict__
    return in_document(read.get("request")), in_document(read.get("answer"))


def in_document(document: Any) -> Sequence[object]:  # noqa: ANN401 - any JSON value
    """What may be ids of a whole request or answer, in its JSON document.

    >>> in_document({"id": "a", "rows": [{"id": "b"}], "meta": {"puid": "c"}})
    ('a', 'c')
    """
    if type(document) is not dict or not (
        # Written out: it is asked twice for each request, and nearly always there is none.
        "id" in document
        or "request_id" in document
        or "requestId" in document
        or "prediction_id" in document
        or "meta" in document
    ):
        return ()
    meta = document.get("meta")
    found = [document[key] for key in KEYS if key in document]
    return (*found, meta.get("puid")) if type(meta) is dict else tuple(found)


def aliases(message: Message, ids: Ids, prediction_id: str) -> Sequence[Alias]:
    """The names beside the id under which the prediction is kept; each once, in its best place."""
    exchange = message.exchange
    asked, answered = ids
    # Without its own id a client's head is the same each time, and is looked up, not searched.
    own = b": %b\r\n" % exchange.prediction_id.encode("latin-1", "replace")
    in_request = _in_request(exchange.request_fields.replace(own, b":\r\n", 1))
    in_answer = _in_answer(exchange.response_fields.replace(own, b":\r\n", 1))
    is_own = prediction_id == exchange.prediction_id
    if is_own and not (asked or answered or in_request or in_answer):
        return ()
    found: list[tuple[object, Given]] = [(one, Given.BODY) for one in asked]
    found += [(exchange.prediction_id, Given.REQUEST), *in_request, *in_answer]
    found += [(one, Given.ANSWER) for one in answered]
    best: dict[str, Given] = {}
    for value, given in found:
        name = value if type(value) is str else str(value) if type(value) is int else ""
        if name != prediction_id and _NAME.fullmatch(name):
            best[name] = min(given, best.get(name, given))
    at = exchange.started_at
    return [Alias(name, prediction_id, given, at) for name, given in best.items()]


Found = tuple[tuple[str, Given], ...]


# Most clients send the same few heads again and again, and a search costs more than a look-up.
@lru_cache(maxsize=1024)
def _in_request(fields: bytes) -> Found:
    return _in_fields(fields, _IN_REQUEST)


@lru_cache(maxsize=1024)
def _in_answer(fields: bytes) -> Found:
    return _in_fields(fields, _IN_ANSWER)


def _in_fields(fields: bytes, names: Mapping[bytes, Given]) -> Found:
    """The values of these fields, as they were written."""
    lowered = fields.lower()
    found: list[tuple[str, Given]] = []
    for end in _ENDS:
        at = lowered.find(end)
        while at >= 0:
            at += len(end)
            given = names.get(lowered[lowered.rfind(b"\n", 0, at) + 1 : at - 1])
            if given is not None:
                value = fields[at : lowered.find(b"\r", at)].strip()
                found.append(
                    (_trace(value) if given is Given.TRACE else value.decode("latin-1"), given)
                )
            at = lowered.find(end, at)
    return tuple(found)


def _trace(value: bytes) -> str:
    found = _TRACE.fullmatch(value)
    return found[1].decode("ascii") if found and found[1] != _NO_TRACE else ""
