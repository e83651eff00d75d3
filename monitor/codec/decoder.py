"""The border of the codec: an exchange's bytes in, a `Batch` or a `CodecError` out.

Whatever Python can raise on hostile bytes becomes a CodecError here, once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from monitor.codec import answers
from monitor.codec.bodies import EVENTS
from monitor.codec.columns import SCALARS, Columns
from monitor.codec.distributions import by_class
from monitor.codec.format import Format, Inputs
from monitor.codec.formats import named, open_inference, table
from monitor.codec.jsonpath import JsonPath
from monitor.codec.message import Message
from monitor.codec.names import NONE, Ids, aliases
from monitor.codec.outputs import binary_probabilities, interpret
from monitor.codec.rows import rows_in
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError
from monitor.records.alias import Alias
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange

FIRST_TOKEN = "time_to_first_token_seconds"  # noqa: S105 - a column
MAX_KNOWN_ROUTES = 512

_ID = re.compile(r"[\x21-\x7e\u00a1-\ud7ff\ue000-\U0010ffff]{1,128}")


class Decoder:
    """Reads exchanges under one group of settings; one decoder serves any number of exchanges."""

    def __init__(self, settings: DecoderSettings | None = None) -> None:
        self._settings = settings or DecoderSettings()
        self._format = table.by_name(self._settings.format)
        # What read a path and media type last is asked first. That changes no choice, only its
        # cost: no body is claimed by two formats that would read it differently (held by a test).
        self._known: dict[tuple[str, str], Format] = {}
        self._inputs = self._settings.path("inputs")
        self._outputs = self._settings.path("outputs")
        self._probabilities = self._settings.path("probabilities")
        self._prediction_id = self._settings.path("prediction_id")

    def decode(self, exchange: Exchange) -> Batch:
        """The rows of a request, each with its answer; nothing but CodecError on any bytes."""
        try:
            return self._decode(exchange)
        except CodecError:
            raise
        except Exception as error:  # a mistake here may cost one observation, no more
            raise CodecError("unreadable", f"{type(error).__name__}: {error}"[:200]) from error

    def _decode(self, exchange: Exchange) -> Batch:
        message = Message(exchange, self._settings.max_decoded_bytes)
        if self._inputs is not None:
            return self._batch(message, named.FORMAT)
        if self._format is not None:
            if not (self._format.readable or self._format.matches)(message):
                raise CodecError("unknown_format", f"not {self._format.names[0]}")
            return self._batch(message, self._format)
        route = (message.path, message.media_type)
        known = self._known.get(route)
        if known is not None:
            try:
                if known.matches(message):
                    return self._batch(message, known)
            except CodecError:
                pass  # said again, or cured, by the format whose turn it is
        return self._chosen(message, route)

    def _chosen(self, message: Message, route: tuple[str, str]) -> Batch:
        """By the first format that reads it; the error is of the first that claimed it."""
        unread: CodecError | None = None
        unclaimed = CodecError("unknown_format", message.media_type[:64])
        for candidate in table.candidates(*route):
            try:
                if not candidate.matches(message):
                    continue
            except CodecError as error:
                unclaimed = error
                continue
            try:
                batch = self._batch(message, candidate)
            except CodecError as error:
                unread = unread or error
                continue
            self._remember(route, candidate)
            return batch
        raise unread or unclaimed

    def _remember(self, route: tuple[str, str], format_: Format) -> None:
        if len(self._known) >= MAX_KNOWN_ROUTES:
            self._known.clear()
        self._known[route] = format_

    def _batch(self, message: Message, format_: Format) -> Batch:
        settings = self._settings
        if self._inputs is not None:
            inputs = _rows_at(self._inputs, message, settings)
        else:
            inputs = format_.inputs(message, settings)
        rows = inputs.rows
        if rows == 0:
            raise CodecError("no_rows", "an empty batch")
        outputs, probabilities = self._answer(message, inputs, format_)
        exchange = message.exchange
        at = [exchange.started_at] * rows
        if self._prediction_id is None:
            ids, indices = [exchange.prediction_id] * rows, list(range(rows))
        else:
            ids, indices = _ids_at(self._prediction_id, message, rows)
        others: Sequence[Alias] = ()
        if settings.aliases and (self._prediction_id is None or len(set(ids)) == 1):
            others = aliases(message, self._body_ids(message, format_), ids[0])
        return Batch(ids, indices, at, inputs.features, outputs, probabilities, others)

    def _body_ids(self, message: Message, format_: Format) -> Ids:
        """What the bodies call the prediction, as far as that can be read."""
        try:
            return format_.ids(message) if self._settings.body_ids else NONE
        except CodecError:  # of a body that a setting reads instead
            return NONE

    def _answer(self, message: Message, inputs: Inputs, format_: Format) -> tuple[Columns, Columns]:
        rows = inputs.rows
        columns: Columns
        if self._outputs is not None:
            found = _at(self._outputs, message.answer, "outputs")
            columns = answers.columns_of(found, rows, self._settings, lone=inputs.lone)
        else:
            columns = format_.outputs(message, inputs, self._settings)
        outputs, probabilities = interpret(columns, rows, self._settings)
        if self._probabilities is not None:
            found = _at(self._probabilities, message.answer, "probabilities")
            probabilities = _as_probabilities(found, rows)
        first_byte_seconds = message.exchange.first_byte_seconds
        if first_byte_seconds and message.answer_type == EVENTS:
            outputs = {**outputs, FIRST_TOKEN: [first_byte_seconds] * rows}
        return outputs, probabilities


def _at(path: JsonPath, document: object, key: str) -> Any:  # noqa: ANN401 - any JSON value
    found = path.select(document)
    if path.many:
        return found
    if not found:
        raise CodecError("path_missing", f"nothing at {key} {path.expression[:64]}")
    return found[0]


def _rows_at(path: JsonPath, message: Message, settings: DecoderSettings) -> Inputs:
    value = _at(path, message.request, "inputs")
    return rows_in(value, message, settings)


def _ids_at(path: JsonPath, message: Message, rows: int) -> tuple[list[str], list[int]]:
    """One id for all rows, or one each; the exchange's own where none is usable."""
    found = path.select(_request_document(message)) or path.select(_answer_document(message))
    if len(found) == 1 and type(found[0]) is list:
        found = found[0]
    ids = [
        text if _ID.fullmatch(text := str(one)) else "" for one in found if type(one) in (str, int)
    ]
    if len(ids) == len(found) == rows and all(ids):
        return ids, _index_within(ids)
    own = ids[0] if len(ids) == len(found) == 1 and ids[0] else message.exchange.prediction_id
    return [own] * rows, list(range(rows))


def _request_document(message: Message) -> object:
    """The request's JSON, or its JSON part before raw tensors; None where it has none."""
    try:
        return open_inference.document(message)
    except CodecError:
        return None


def _answer_document(message: Message) -> object:
    try:
        return message.answer
    except CodecError:
        return None


def _index_within(ids: Sequence[str]) -> list[int]:
    """Each row's index among the rows of its own id."""
    seen: dict[str, int] = {}
    indices = []
    for one in ids:
        indices.append(seen.get(one, 0))
        seen[one] = indices[-1] + 1
    return indices


def _as_probabilities(found: Any, rows: int) -> Columns:  # noqa: ANN401 - any JSON value
    values = found if type(found) is list and len(found) == rows else [found]
    if len(values) != rows:
        raise CodecError("rows_differ", f"{rows} rows in the request, {len(values)} probabilities")
    if SCALARS.issuperset(map(type, values)):
        if not all(
            type(v) in (int, float, type(None)) and (v is None or not (v < 0 or v > 1))
            for v in values
        ):
            raise CodecError("bad_probabilities", "a number is outside of 0 to 1")
        return binary_probabilities(values)
    columns = by_class(values)
    if columns is None:
        raise CodecError("bad_probabilities", "not numbers from 0 to 1 that add up to 1")
    return columns
