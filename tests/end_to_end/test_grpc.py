"""gRPC through a real sidecar: servers and clients of grpcio, in plain text and in TLS."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest

from monitor.codec.inference_messages import (
    ModelInferRequest,
    ModelInferResponse,
    ModelStreamInferResponse,
)
from tests.end_to_end.sidecar import Sidecar
from tests.relay.certificates import Authority, Pair, needs_openssl

pytestmark = pytest.mark.end_to_end

SERVICE = "/inference.GRPCInferenceService/"
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]


def _predict(asked: Any) -> Any:
    """The sum of a and b, in the form that was asked in."""
    a, b = (one.contents.fp64_contents for one in asked.inputs)
    told = ModelInferResponse(model_name=asked.model_name, id=asked.id)
    sums = [x + y for x, y in zip(a, b, strict=True)]
    output = told.outputs.add(name="predict", datatype="FP64", shape=[len(sums)])
    output.contents.fp64_contents.extend(sums)
    return told


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    def service(self, details: Any) -> Any:
        return {
            SERVICE + "ModelInfer": grpc.unary_unary_rpc_method_handler(
                self._infer, ModelInferRequest.FromString, ModelInferResponse.SerializeToString
            ),
            SERVICE + "ModelStreamInfer": grpc.stream_stream_rpc_method_handler(
                self._stream,
                ModelInferRequest.FromString,
                ModelStreamInferResponse.SerializeToString,
            ),
            SERVICE + "ServerLive": grpc.unary_unary_rpc_method_handler(lambda _b, _c: b""),
        }.get(details.method)

    @staticmethod
    def _infer(asked: Any, context: Any) -> Any:
        if not asked.inputs:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no inputs")
        return _predict(asked)

    @staticmethod
    def _stream(asked: Iterator[Any], _context: Any) -> Iterator[Any]:
        for one in asked:
            yield ModelStreamInferResponse(infer_response=_predict(one))


@contextlib.contextmanager
def serving(pair: Pair | None = None) -> Iterator[int]:
    """A gRPC model server on loopback; its port."""
    server = grpc.server(futures.ThreadPoolExecutor(4), options=OPTIONS)
    server.add_generic_rpc_handlers((_Handlers(),))
    if pair is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        files = [(Path(pair.key).read_bytes(), Path(pair.certificate).read_bytes())]
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(files))
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()


def question(name: str, a: list[float], b: list[float]) -> Any:
    asked = ModelInferRequest(model_name="sum", id=name)
    for column, values in (("a", a), ("b", b)):
        tensor = asked.inputs.add(name=column, datatype="FP64", shape=[len(values), 1])
        tensor.contents.fp64_contents.extend(values)
    return asked


def infer(channel: Any) -> Callable[..., Any]:
    call: Callable[..., Any] = channel.unary_unary(
        SERVICE + "ModelInfer", ModelInferRequest.SerializeToString, ModelInferResponse.FromString
    )
    return call


@contextlib.contextmanager
def sidecar(folder: Path, *arguments: str, config: str = "") -> Iterator[Sidecar]:
    running = Sidecar(folder, *arguments, config=config)
    try:
        yield running
    finally:
        running.close()


def test_calls_are_observed_joined_and_accounted_for(tmp_path: Path) -> None:
    with (
        serving() as port,
        sidecar(tmp_path, "--upstream", f"http://127.0.0.1:{port}") as side,
        grpc.insecure_channel(f"127.0.0.1:{side.port}", options=OPTIONS) as channel,
    ):
        call = infer(channel)
        for number in range(20):
            told = call(
                question(f"call-{number}", [number, 1.0], [0.5, 2.0]),
                timeout=10,
                wait_for_ready=True,
            )
            assert list(told.outputs[0].contents.fp64_contents) == [number + 0.5, 3.0]
        packed = question("", [7.0], [1.0])
        named = (("x-request-id", "packed"),)
        call(packed, compression=grpc.Compression.Gzip, metadata=named, timeout=10)
        with pytest.raises(grpc.RpcError, match="no inputs"):
            call(ModelInferRequest(id="bad"), timeout=10)
        live = channel.unary_unary(SERVICE + "ServerLive")
        assert live(b"", timeout=10) == b""
        streamed = channel.stream_stream(
            SERVICE + "ModelStreamInfer",
            ModelInferRequest.SerializeToString,
            ModelStreamInferResponse.FromString,
        )
        questions = (question(f"streamed-{number}", [number], [1.0]) for number in range(5))
        assert len(list(streamed(questions, timeout=10))) == 5

        side.wait(lambda: side.outcomes() == {"observed": 22, "skipped": 2})
        assert side.metric("requests_total", code="h2") == 24
        assert side.metric("predictions_total") == 20 * 2 + 1 + 5
        for name, values in (("call-3", [3.5, 3.0]), ("packed", [8.0]), ("streamed-4", [5.0])):
            rows = side.json(f"/api/v1/predictions/{name}")["rows"]
            assert [row["prediction"] for row in rows] == values
        status, counted = side.feedback({"prediction_id": "call-3", "labels": [3.0, 3.0]})
        assert (status, counted["joined"]) == (202, 2)


def test_a_channel_outlives_the_monitor_and_is_observed_again(tmp_path: Path) -> None:
    with (
        serving() as port,
        sidecar(tmp_path, "--upstream", f"http://127.0.0.1:{port}") as side,
        grpc.insecure_channel(f"127.0.0.1:{side.port}", options=OPTIONS) as channel,
    ):
        call = infer(channel)
        call(question("before", [1.0], [1.0]), timeout=10, wait_for_ready=True)
        side.wait(lambda: side.outcomes() == {"observed": 1})
        os.kill(side.children()["monitor.service.start"], signal.SIGKILL)
        side.wait(lambda: side.get("/readyz")[0] == 200)
        sent = 1

        def observed_again() -> bool:
            nonlocal sent
            call(question(f"after-{sent}", [1.0], [1.0]), timeout=10)
            sent += 1
            return bool(side.outcomes().get("observed", 0) >= 2)

        side.wait(observed_again)
        # Each of them has one outcome, those that nobody heard included.
        side.wait(lambda: sum(side.outcomes().values()) == sent)
        assert set(side.outcomes()) <= {"observed", "dropped"}


@needs_openssl
def test_in_tls_both_ways(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "test")
    mine, models = authority.issue(), authority.issue()
    config = (
        f"tls: {{certificate: {mine.certificate}, key: {mine.key}, http2: true}}\n"
        f"upstream_tls: {{ca: {authority.ca}}}\n"
    )
    trusted = grpc.ssl_channel_credentials(Path(authority.ca).read_bytes())
    with (
        serving(models) as port,
        sidecar(tmp_path, "--upstream", f"https://localhost:{port}", config=config) as side,
        grpc.secure_channel(f"localhost:{side.port}", trusted, options=OPTIONS) as channel,
    ):
        told = infer(channel)(question("tls", [1.0], [2.0]), timeout=10, wait_for_ready=True)
        assert list(told.outputs[0].contents.fp64_contents) == [3.0]
        side.wait(lambda: side.outcomes() == {"observed": 1})
        assert side.json("/api/v1/predictions/tls")["rows"][0]["prediction"] == 3.0
