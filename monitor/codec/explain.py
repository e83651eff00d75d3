"""What a decoder makes of one exchange, and what each format says to it: for people who ask why.

Pure: settings and an exchange in, an `Explanation` out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.codec.decoder import Decoder
from monitor.codec.formats import table
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange

_INPUTS = "observe.inputs: a JSONPath to the rows"
_OUTPUTS = "observe.outputs: a JSONPath to one value a row"
_PATHS = "observe.paths: only the model's own paths"
_RAW = "observe.format: raw, if the requests are no tables (pictures, sounds)"

# Reason → what it means, and which settings would help.
ADVICE: dict[str, tuple[str, tuple[str, ...]]] = {
    "unknown_format": ("no format claims this body", ("observe.format", _INPUTS, _RAW)),
    "not_json": ("a body is neither JSON nor what its content type says", (_PATHS, _RAW)),
    "not_csv": ("a line that is no CSV", ()),
    "not_parquet": ("a Parquet file that cannot be read", ()),
    "bad_protobuf": ("a protobuf message of another kind", (_PATHS,)),
    "empty_body": ("a body without a byte", (_PATHS,)),
    "bad_charset": ("bytes that are no text in their charset", (_RAW,)),
    "bad_compression": ("a compressed body that cannot be undone within its bounds", ()),
    "unknown_compression": ("a compression other than gzip, deflate, br and zstd", ()),
    "too_large": ("more bytes than are decoded", ("limits.decoded_bytes",)),
    "too_deep": ("nested deeper than any table", (_INPUTS,)),
    "too_many_rows": ("more rows in one request than are taken", ()),
    "too_many_features": ("more columns than are taken", ("limits.features", _INPUTS, _RAW)),
    "too_many_values": ("more cells in one request than are taken", ()),
    "bad_name": ("a column's name is too long, or given twice", ()),
    "no_rows": ("nothing that could be rows", (_INPUTS, _RAW)),
    "ragged_rows": ("rows of different lengths or kinds", (_INPUTS,)),
    "rows_differ": ("request and answer have different numbers of rows", (_OUTPUTS, _INPUTS)),
    "no_outputs": ("the answer holds no value a row", (_OUTPUTS,)),
    "no_tensors": ("no list of tensors", ()),
    "bad_tensor": ("a tensor that is not what it says", ()),
    "binary_tensor": ("raw tensor bytes of an unknown type", ("observe.schema",)),
    "bad_grpc": ("bytes that are not one whole gRPC message", ()),
    "bad_http2": ("a tunnelled connection whose frames cannot be read", ()),
    "model_error": ("a streamed answer that holds an error instead of outputs", ()),
    "path_missing": ("a JSONPath setting finds nothing", (_INPUTS, _OUTPUTS)),
    "bad_probabilities": (
        "what observe.probabilities finds are no probabilities",
        ("observe.probabilities",),
    ),
    "unreadable": ("a fault of Sidelight's own; please report it", ()),
    "method": ("only POST requests are observed", ()),
    "path": ("observe.paths leaves this path out", ("observe.paths",)),
    "status": ("only answers with a 2xx status are predictions", ()),
    "size": ("a body over observe.max_body_bytes", ("observe.max_body_bytes",)),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one format says: whether it claims the body, and why it cannot read it, or ""."""

    format: str
    claims: bool
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rows, or why there are none; `attempts` are in the order in which formats are asked."""

    batch: Batch | None
    format: str  # the one that read it, or that claimed it first; "" where none did
    reason: str = ""
    detail: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def meaning(self) -> str:
        """The reason in words."""
        return ADVICE.get(self.reason, (self.reason, ()))[0]

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that would help."""
        return ADVICE.get(self.reason, ("", ()))[1]


def explain(exchange: Exchange, settings: DecoderSettings) -> Explanation:
    """What is made of an exchange under these settings."""
    attempts = tuple(_attempts(exchange, settings))
    read = next((one for one in attempts if one.claims and not one.reason), None)
    claimed = read or next((one for one in attempts if one.claims), None)
    name = claimed.format if claimed else ""
    if settings.inputs is not None:
        name = "observe.inputs"
    elif settings.format != "auto":
        name = settings.format
    try:
        batch = Decoder(settings).decode(exchange)
    except CodecError as error:
        return Explanation(None, name, error.reason, error.detail, attempts)
    return Explanation(batch, name, attempts=attempts)


def _attempts(exchange: Exchange, settings: DecoderSettings) -> list[Attempt]:
    message = Message(exchange, settings.max_decoded_bytes)
    found: list[Attempt] = []
    for one in table.candidates(message.path, message.media_type):
        name = one.names[0]
        try:
            claims = one.matches(message)
        except CodecError as error:
            found.append(Attempt(name, False, error.reason, error.detail))
            continue
        if not claims:
            found.append(Attempt(name, False, "unknown_format"))
            continue
        try:
            Decoder(replace(settings, format=name, inputs=None)).decode(exchange)
        except CodecError as error:
            found.append(Attempt(name, True, error.reason, error.detail))
        else:
            found.append(Attempt(name, True, ""))
    return found
