"""A small real HTTP server with the few calls of Grafana's API that publishing uses.

It keeps what it is given as Grafana does: it numbers dashboards and their versions, and fills in
what was left out. No Grafana was asked; the calls follow its HTTP API documentation.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_only-for-tests"


class Grafana(ThreadingHTTPServer):
    """Folders and dashboards by uid, and every write."""

    daemon_threads = True

    def __init__(self, prefix: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.prefix = prefix
        self.url = f"http://127.0.0.1:{self.server_address[1]}{prefix}"
        self.folders: dict[str, dict[str, Any]] = {}
        self.boards: dict[str, dict[str, Any]] = {}
        self.placed: dict[str, str] = {}
        self.writes: list[str] = []
        self.may_write = True
        self.broken: tuple[int, str, str] | None = None  # status, content type, body


class _Handler(BaseHTTPRequestHandler):
    server: Grafana

    def do_GET(self) -> None:
        if not self._refused():
            kind, _, uid = self._path().removeprefix("dashboards/").rpartition("/")
            answer = self._folder(uid) if kind == "folders" else self._board(uid)
            self._answer(*answer)

    def _folder(self, uid: str) -> tuple[int, object]:
        found = self.server.folders.get(uid)
        return (200, found) if found else (404, {"message": "folder not found"})

    def _board(self, uid: str) -> tuple[int, object]:
        found = self.server.boards.get(uid)
        if not found:
            return 404, {"message": "Dashboard not found"}
        return 200, {"dashboard": found, "meta": {"folderUid": self.server.placed[uid]}}

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self._refused():
            return
        path = self._path()
        self.server.writes.append(path)
        if not self.server.may_write:
            self._answer(403, {"message": "You'll need additional permissions"})
        elif path == "folders":
            self.server.folders[sent["uid"]] = sent
            self._answer(200, sent)
        else:
            self._answer(*self._save(sent))

    def _save(self, sent: dict[str, Any]) -> tuple[int, object]:
        board, held = sent["dashboard"], self.server.boards.get(sent["dashboard"]["uid"])
        if sent["folderUid"] not in self.server.folders:
            return 400, {"message": "folder not found"}
        if held and not sent["overwrite"]:
            return 412, {"message": "The dashboard has been changed by someone else"}
        kept = {"weekStart": "", **board, "schemaVersion": board["schemaVersion"] + 1}
        kept |= {"id": 7, "version": held["version"] + 1 if held else 1}
        self.server.boards[board["uid"]] = kept
        self.server.placed[board["uid"]] = sent["folderUid"]
        return 200, {"status": "success", "uid": board["uid"], "version": kept["version"]}

    def _path(self) -> str:
        return self.path.removeprefix(f"{self.server.prefix}/api/")

    def _refused(self) -> bool:
        if self.server.broken:
            status, content_type, body = self.server.broken
            self._send(status, content_type, body.encode())
            return True
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Invalid API key"})
            return True
        return False

    def _answer(self, status: int, content: object) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@contextlib.contextmanager
def grafana(prefix: str = "") -> Iterator[Grafana]:
    """The server, on loopback."""
    server = Grafana(prefix)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
