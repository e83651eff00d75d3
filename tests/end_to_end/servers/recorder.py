"""A model server, its own client and a sidecar between them; every exchange kept on the way."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.records.exchange import Exchange
from tests.end_to_end.sidecar import environment, free_port, request

PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = Path(
    os.environ.get("MODEL_SERVERS", Path(__file__).parents[3] / ".servers")
).resolve()
START_SECONDS = 240.0
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def python(name: str) -> str:
    """The interpreter of a server's environment; without one the test is skipped, and says so."""
    found = ENVIRONMENTS / name / "bin" / "python"
    if not found.exists():
        pytest.skip(f"{name} is not installed: make test-servers does it")
    return str(found)


@contextlib.contextmanager
def serving(environment_name: str, program: str, folder: Path, ready: str) -> Iterator[int]:
    """A server's port, once it answers at `ready`."""
    interpreter, port = python(environment_name), free_port()
    log = (folder / f"{program}.log").open("w+b")
    quiet = environment(
        DO_NOT_TRACK="true", MLFLOW_DISABLE_TELEMETRY="true", LIT_NO_UPDATE_CHECK="1",
        PATH=f"{Path(interpreter).parent}{os.pathsep}{os.environ['PATH']}",
        MLFLOW_TRACKING_URI=f"file://{folder}/runs", PYTHONDONTWRITEBYTECODE="1",
    )  # fmt: skip
    process = subprocess.Popen(
        [interpreter, str(PROGRAMS / program), str(port), str(folder)],
        stdout=log, stderr=log, cwd=folder, env=quiet, start_new_session=True,
    )  # fmt: skip
    try:
        _await(process, port, ready, log)
        yield port
    finally:
        _end(process)
        log.close()


def _await(process: subprocess.Popen[bytes], port: int, ready: str, log: Any) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if request(port, "GET", ready)[0] == 200:
                return
        log.seek(0)
        assert process.poll() is None, log.read().decode("utf-8", "replace")[-2000:]
        assert time.monotonic() < until, log.read().decode("utf-8", "replace")[-2000:]
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The server and the workers it started: they are a session of their own."""
    for number in (15, 9):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


def drive(environment_name: str, program: str, port: int) -> list[dict[str, Any]]:
    """What a client sent and got back, call by call."""
    arguments = [python(environment_name), str(PROGRAMS / program), str(port)]
    ended = subprocess.run(arguments, capture_output=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    calls: list[dict[str, Any]] = json.loads(ended.stdout)
    return calls


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Recorder

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        upstream.request(self.command, self.path, body or None, headers)
        answer = upstream.getresponse()
        chunked = answer.headers.get("transfer-encoding", "") == "chunked"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header(*(("transfer-encoding", "chunked") if chunked else
                           ("content-length", str(answer.length or 0))))  # fmt: skip
        self.end_headers()
        pieces: list[bytes] = []
        while piece := answer.read1(65536):
            pieces.append(piece)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        upstream.close()
        if self.command == "POST":
            self._keep(body, answer, b"".join(pieces))

    def _keep(self, body: bytes, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.server.exchanges.append(
            Exchange(
                self.headers.get("x-request-id", ""), self.command, self.path, answer.status,
                time.time(), 0.0, _lines(self.headers.items()), body,
                _lines(answer.headers.items()), content,
            )
        )  # fmt: skip

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


def _lines(headers: Any) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")


class _Recorder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.exchanges: list[Exchange] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Probes that leave are no news."""


@contextlib.contextmanager
def recorded(upstream: int) -> Iterator[_Recorder]:
    """Stands before a server and keeps every POST that passes."""
    server = _Recorder(upstream)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
