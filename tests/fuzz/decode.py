"""Coverage-guided bytes for one wire format: `decode.py FORMAT [libFuzzer's flags]`.

Anything but a batch or a CodecError with a reason of its own ends the run and leaves its input.
Input: one byte chooses what the messages are said to be, two give the request's length, the rest is
request and answer. Run by `make fuzz`, in an environment of its own.
"""

from __future__ import annotations

import base64
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
    from monitor.errors import CodecError
    from monitor.records.exchange import Exchange

import yaml

RECORDED = Path(__file__).parents[1] / "codec"
TYPES = (
    "", "application/json", "text/csv", "text/csv; header=present", "application/jsonlines",
    "application/x-www-form-urlencoded", "application/vnd.apache.parquet", "text/plain",
    "text/event-stream", "application/json; charset=utf-16", "application/octet-stream",
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
}
TASKS = (None, "binary", "multiclass", "regression")


def run(name: str, data: bytes) -> None:
    """One input."""
    if len(data) < 4:
        return
    kinds, extra, length = struct.unpack_from("<BBH", data)
    request, answer = data[4 : 4 + length], data[4 + length :]
    said = TYPES[kinds % len(TYPES)]
    answered = TYPES[(kinds // len(TYPES)) % len(TYPES)]
    coding = CODINGS[extra % 8] if extra % 8 < len(CODINGS) else ""
    fields = [f"content-type: {one}\r\n".encode() for one in (said, answered)]
    fields[0] += f"content-encoding: {coding}\r\n".encode() if coding else b""
    if extra & 8:  # the binary extension, with its JSON up to the last brace
        for index, body in enumerate((request, answer)):
            size = body.rfind(b"}") + 1
            fields[index] += f"inference-header-content-length: {size}\r\n".encode()
    exchange = Exchange(
        "a", "POST", PATHS.get(name, "/predict"), 200, 0.0, 0.1,
        fields[0], request, fields[1], answer,
    )  # fmt: skip
    settings = DecoderSettings(
        name, task=TASKS[extra // 64], text=bool(extra & 16), max_rows=64, max_features=16,
        max_values=256, max_decoded_bytes=1 << 16,
    )  # fmt: skip
    try:
        batch = Decoder(settings).decode(exchange)
    except CodecError as error:
        if error.reason == "unreadable":
            raise
        return
    assert 0 < len(batch) <= 64
    assert len(batch.features) <= 16
    assert next(iter(batch.outputs)) == "prediction"


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


def _write(path: Path, kinds: int, extra: int, request: bytes, answer: bytes) -> None:
    path.write_bytes(struct.pack("<BBH", kinds, extra, len(request)) + request + answer)


def main() -> None:
    """Fuzz one format until libFuzzer's limits are reached."""
    name, *flags = sys.argv[1:]
    if name not in {"auto", *(one.names[0] for one in FORMATS)}:
        raise SystemExit(f"no format {name}")
    with tempfile.TemporaryDirectory() as folder:
        seeds(Path(folder))
        atheris.Setup([sys.argv[0], *flags, folder], lambda data: run(name, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
