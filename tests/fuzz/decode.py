"""Coverage-guided bytes for one wire format: `decode.py FORMAT [libFuzzer's flags]`.

Anything but a batch or a CodecError with a reason of its own ends the run and leaves its input.
Input: one byte chooses what the messages are said to be, one how they are coded, two give the
request's length, the rest is request and answer. `binary_tensors` is `open_inference` with raw
bytes after the JSON, `parquet` is `mlflow` with nothing else, and `http2` is both sides of a
connection, piece by piece. Run by `make fuzz`, in an environment of its own.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["monitor.codec"]):
    from monitor.codec import Decoder, DecoderSettings
    from monitor.codec.formats.table import FORMATS
    from monitor.codec.http2.assembler import Assembler, AssemblerSettings
    from monitor.errors import CodecError
    from monitor.records.exchange import Exchange

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.codec.binary import WHOLE
from tests.codec.http2.transcript import STREAM, Talk

RECORDED = Path(__file__).parents[1] / "codec"
TYPES = (
    "", "application/json", "text/csv", "text/csv; header=present", "application/jsonlines",
    "application/x-www-form-urlencoded", "application/vnd.apache.parquet", "text/plain",
    "text/event-stream", "application/json; charset=utf-16", "application/octet-stream",
    "application/x-npy", "application/x-recordio-protobuf", "multipart/form-data; boundary=x",
)  # fmt: skip
CODINGS = ("", "gzip", "deflate", "br", "zstd")
PATHS = {
    "open_inference": "/v2/models/m/infer",
    "seldon": "/api/v1.0/predictions",
    "openai_chat": "/v1/chat/completions",
    "tensorflow_examples": "/v1/models/m:classify",
    "instances": "/v1/models/m:predict",
    "mlflow": "/invocations",
    "sagemaker": "/invocations",
    "grpc": "/inference.GRPCInferenceService/ModelInfer",
}
PARQUET = "application/vnd.apache.parquet"
LIKE = {"binary_tensors": "open_inference", "parquet": "mlflow"}
TASKS = (None, "binary", "multiclass", "regression")


def run(name: str, data: bytes) -> None:
    """One input."""
    if len(data) < 4:
        return
    if name == "http2":
        converse(data)
        return
    kinds, extra, length = struct.unpack_from("<BBH", data)
    request, answer = data[4 : 4 + length], data[4 + length :]
    format_name = LIKE.get(name, name)
    settings = DecoderSettings(
        format_name, task=TASKS[extra // 64], text=bool(extra & 16), max_rows=64, max_features=16,
        max_values=256, max_decoded_bytes=1 << 16,
    )  # fmt: skip
    one = (
        grpc(extra, request, answer)
        if name == "grpc"
        else http(name, kinds, extra, request, answer)
    )
    decode(settings, one)


def decode(settings: DecoderSettings, exchange: Exchange) -> None:
    """A batch within its bounds, or a reason."""
    try:
        batch = Decoder(settings).decode(exchange)
    except CodecError as error:
        if error.reason == "unreadable":
            raise
        return
    assert 0 < len(batch) <= settings.max_rows
    assert len(batch.features) <= settings.max_features
    assert next(iter(batch.outputs)) == "prediction"
    assert all(
        0 < len(one.name) <= 128 and one.prediction_id == batch.ids[0] for one in batch.aliases
    )


def http(name: str, kinds: int, extra: int, request: bytes, answer: bytes) -> Exchange:
    """An exchange of HTTP/1.1."""
    said = PARQUET if name == "parquet" else TYPES[kinds % len(TYPES)]
    answered = TYPES[(kinds // len(TYPES)) % len(TYPES)]
    coding = CODINGS[extra % 8] if extra % 8 < len(CODINGS) and name != "parquet" else ""
    fields = [f"content-type: {one}\r\n".encode() for one in (said, answered)]
    fields[0] += f"content-encoding: {coding}\r\n".encode() if coding else b""
    if extra & 8 or name == "binary_tensors":  # with its JSON up to the last brace
        for index, body in enumerate((request, answer)):
            size = body.rfind(b"}") + 1
            fields[index] += f"inference-header-content-length: {size}\r\n".encode()
    return Exchange(
        "a", "POST", PATHS.get(LIKE.get(name, name), "/predict"), 200, 0.0, 0.1,
        fields[0], request, fields[1], answer,
    )  # fmt: skip


def grpc(extra: int, request: bytes, answer: bytes) -> Exchange:
    """Two messages of gRPC, whole: what is in their frames is what is looked for."""
    fields = b"content-type: application/grpc\r\n"
    packed = bool(extra & 1)
    if packed:
        fields += b"grpc-encoding: gzip\r\n"
    bodies = [bytes([packed]) + len(body).to_bytes(4, "big") + body for body in (request, answer)]
    path = STREAM if extra & 2 else PATHS["grpc"]
    return Exchange("a", "POST", path, 200, 0.0, 0.1, fields, bodies[0], fields, bodies[1])


def converse(data: bytes) -> None:
    """Pieces of both sides of an HTTP/2 connection, each after its side and length."""
    kind, at = data[0], 1
    settings = AssemblerSettings(4096, lambda _method, _target: "", lambda: "a")
    assembler = Assembler(settings, fresh=bool(kind & 1))
    opened = settled = 0
    while at + 3 <= len(data):
        side, length = data[at] & 1, int.from_bytes(data[at + 1 : at + 3], "big")
        news = (data[at] >> 1) & 3 if side == 0 else 0
        results = assembler.feed(side, data[at + 3 : at + 3 + length], 0.0, news)
        opened, at = opened + news, at + 3 + length
        settled += _settled(results)
    settled += _settled(assembler.end(lost=bool(kind & 2)))
    assert settled == opened, f"{opened} streams, {settled} outcomes"


def _settled(results: list[Any]) -> int:
    """How many streams these close; exchanges among them are decoded."""
    for one in results:
        if one.exchange is not None:
            decode(DecoderSettings(max_rows=64, max_features=16, max_values=256), one.exchange)
    return sum(one.counts for one in results)


def seeds(folder: Path) -> None:
    """The recorded exchanges, as inputs."""
    cases: list[dict[str, Any]] = []
    for path in sorted(RECORDED.glob("recorded*.yaml")):
        cases += yaml.safe_load(path.read_text("utf-8"))
    for number, case in enumerate(cases):
        said = [case.get("content_type", "application/json"), case.get("answer_type", "")]
        found = [next((i for i, one in enumerate(TYPES) if one == kind), 1) for kind in said]
        kinds = found[0] + len(TYPES) * found[1]
        request, answer = case["request"].encode(), case["answer"].encode()
        _write(folder / f"case-{number}", kinds, 0, request, answer)
    for number, case in enumerate(json.loads((RECORDED / "triton.json").read_text("utf-8"))):
        request, answer = (base64.b64decode(case[side]) for side in ("request", "answer"))
        _write(folder / f"triton-{number}", 10, 8, request, answer)
    columns = {"a": [1.5, 2.0], "b": ["x", None], "c": [True, False]}
    for number, options in enumerate(({}, {"use_dictionary": False}, {"compression": "none"})):
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file, **options)
        _write(folder / f"parquet-{number}", 6, 0, file.getvalue(), b"[1, 2]")
    file = io.BytesIO()
    np.save(file, np.array([[6.8, 0.1], [1.0, 2.0]], "f4"))
    record = WHOLE[: len(WHOLE) // 2]
    form = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1.5\r\n--x--'
    for number, body in enumerate((file.getvalue(), WHOLE, form)):
        kind = 11 + number
        _write(folder / f"binary-{number}", kind + len(TYPES), 0, body, b"[1, 2]")
    _write(folder / "records", 12 + 12 * len(TYPES), 0, record, record)
    for number, case in enumerate(yaml.safe_load((RECORDED / "recorded_grpc.yaml").read_text())):
        bodies = [base64.b64decode(case[side][len("base64:") :]) for side in ("request", "answer")]
        _write(folder / f"grpc-{number}", 0, 0, *(body[5:] for body in bodies))
        _conversation(folder / f"http2-{number}", *bodies)


def _conversation(path: Path, request: bytes, answer: bytes) -> None:
    talk = Talk()
    for stream, target in ((1, PATHS["grpc"]), (3, STREAM)):
        talk.ask(stream, target, request)
        talk.answer(stream, answer)
    pieces = [
        bytes([side | 2 * (side == 0 and index > 3)]) + len(data).to_bytes(2, "big") + data
        for index, (side, data) in enumerate(talk.said)
    ]
    path.write_bytes(b"\x01" + b"".join(pieces))


def _write(path: Path, kinds: int, extra: int, request: bytes, answer: bytes) -> None:
    path.write_bytes(struct.pack("<BBH", kinds, extra, len(request)) + request + answer)


def main() -> None:
    """Fuzz one format until libFuzzer's limits are reached."""
    name, *flags = sys.argv[1:]
    if name not in {"auto", "http2", *LIKE, *(one.names[0] for one in FORMATS)}:
        raise SystemExit(f"no format {name}")
    with tempfile.TemporaryDirectory() as folder:
        seeds(Path(folder))
        atheris.Setup([sys.argv[0], *flags, folder], lambda data: run(name, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
