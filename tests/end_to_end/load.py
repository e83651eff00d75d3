"""Keep-alive clients that check every answer: what a fault costs is what they say."""

from __future__ import annotations

import http.client
import json
import ssl
import threading

from tests.end_to_end.sidecar import JSON


class Load:
    """Keep-alive clients that check every answer, until told to stop."""

    def __init__(
        self, port: int, clients: int = 4, tls: ssl.SSLContext | None = None, each: int = 0
    ) -> None:
        """`each`: after how many requests a client comes back on a new connection; 0: never."""
        self.sent = 0
        self.failures: list[str] = []
        self._port = port
        self._tls = tls
        self._each = each
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self, number: int) -> None:
        connection = self._connection()
        count = 0
        while not self._stop.is_set():
            count += 1
            x = number * 1_000_000 + count
            body = json.dumps({"instances": [{"x": x}]})
            try:
                connection.request("POST", "/predict", body, JSON)
                answer = json.loads(connection.getresponse().read())
                fault = "" if answer == {"predictions": [2 * x]} else f"wrong answer {answer}"
                if self._each and count % self._each == 0:
                    connection.close()
            except (OSError, http.client.HTTPException, ValueError) as error:
                fault = repr(error)
                connection.close()
            with self._lock:
                self.sent += 1
                if fault:
                    self.failures.append(fault)
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=10, context=self._tls)

    def stop(self) -> None:
        """Wait for the answers that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
