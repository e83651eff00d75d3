"""A real model server and a real `sidelight run` before it, for the end-to-end tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

JSON = {"content-type": "application/json"}
START_SECONDS = 60.0  # a crowded machine starts slowly; how soon it starts is measured elsewhere


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are no news."""


def _predicted(x: object) -> float | None:
    return 2 * x if isinstance(x, int | float) else None


class _ModelHandler(BaseHTTPRequestHandler):
    """predictions = 2·x for `instances` of {"x": …}; anything else is answered as it came."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append(self.headers.get("x-request-id"))  # type: ignore[attr-defined]
        try:
            rows = json.loads(body)["instances"]
            answer = json.dumps({"predictions": [_predicted(row["x"]) for row in rows]}).encode()
        except (ValueError, KeyError, TypeError, RecursionError):
            answer = body
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


class _ReceiverHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), handler)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Model:
    """The model server, and the `x-request-id` of every request that reached it."""

    def __init__(self, server: _Server) -> None:
        self.port: int = server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.seen: list[Any] = server.seen  # type: ignore[attr-defined]


@contextlib.contextmanager
def model(tls: ssl.SSLContext | None = None) -> Iterator[Model]:
    """A model server on loopback."""
    with _serving(_ModelHandler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        yield Model(server)


@contextlib.contextmanager
def receiver() -> Iterator[Model]:
    """A receiver of alerts on loopback; `seen` holds (headers, body)."""
    with _serving(_ReceiverHandler) as server:
        yield Model(server)


class Sidecar:
    """`sidelight run`, as a person would start it."""

    def __init__(self, folder: Path, *arguments: str, config: str = "") -> None:
        self._log = (folder / f"sidelight-{time.monotonic_ns()}.log").open("a+b")
        path = folder / "sidelight.yaml"
        if "timeouts" not in config:
            config += "timeouts: {drain: 0s}\n"  # nobody waits for an orchestrator here
        path.write_text(config, "utf-8")
        self.process = subprocess.Popen(
            [
                *command(),
                "run",
                *("--config", str(path), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"),
                *("--data-dir", str(folder / "data"), *arguments),
            ],
            stdout=self._log,
            stderr=self._log,
        )
        try:
            self.port, self.control = self._ports()
            self.wait(lambda: self.get("/readyz")[0] == 200, START_SECONDS)
        except BaseException:
            self.close()
            raise

    def _ports(self) -> tuple[int, int]:
        found: list[int] = []

        def announced() -> bool:
            assert self.process.poll() is None, self.log()
            found[:] = [
                int(port)
                for port in re.findall(r"^sidelight: .* on \S*?:(\d+)", self.log(), re.MULTILINE)
            ]
            return len(found) == 2

        self.wait(announced, START_SECONDS)
        return found[0], found[1]

    def log(self) -> str:
        """Everything it said so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def wait(self, until: Callable[[], bool], seconds: float = 20.0) -> float:
        """Wait for a condition; the seconds it took."""
        began = time.monotonic()
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if until():
                    return time.monotonic() - began
            assert time.monotonic() - began < seconds, self.log()[-3000:]
            time.sleep(0.02)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a GET on the control port."""
        status, _, body = request(self.control, "GET", path)
        return status, json.loads(body)

    def json(self, path: str) -> Any:
        """The JSON of a GET that succeeds."""
        status, tree = self.get(path)
        assert status == 200, tree
        return tree

    def feedback(self, items: object) -> tuple[int, Any]:
        """Post labels."""
        body = json.dumps(items).encode()
        status, _, answer = request(self.control, "POST", "/feedback", body, JSON)
        return status, json.loads(answer)

    def predict(self, values: list[Any], **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send rows to the model, through the sidecar."""
        body = json.dumps({"instances": [{"x": value} for value in values]}).encode()
        return request(self.port, "POST", "/predict", body, {**JSON, **headers})

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series that carry these labels."""
        _, _, text = request(self.control, "GET", "/metrics")
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.decode().splitlines()
            if line.startswith(f"sidelight_{name}{{") and all(one in line for one in wanted)
        )

    def children(self) -> dict[str, int]:
        """Module → pid of the processes it runs."""
        found = {}
        for pid in _children(self.process.pid):
            with contextlib.suppress(OSError, IndexError):  # ended, or not yet itself
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                found[words[2]] = pid
        return found

    def outcomes(self) -> dict[str, int]:
        """Exchanges by outcome, as the API gives them."""
        counts: dict[str, int] = {}
        for one in self.json("/api/v1/health")["observations"]:
            counts[one["outcome"]] = counts.get(one["outcome"], 0) + one["exchanges"]
        return counts

    def stop(self) -> int:
        """End it as an orchestrator would; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def close(self) -> None:
        """Make sure that nothing is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


def command() -> list[str]:
    """The command line, whatever environment the tests run in."""
    return [sys.executable, "-c", "from monitor.cli import main; main()"]


def request(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own: status, headers in lower case, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, fields, answer.read()
    finally:
        connection.close()


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, changed."""
    return {**os.environ, **changes}
