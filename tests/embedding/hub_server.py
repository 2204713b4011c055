"""A small stand-in for the Hugging Face hub: one repository, its revisions, its files, over HTTP on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "c0ffee" + 34 * "0"


@contextmanager
def hub_of(folder: Path, repository: str, revision: str) -> Iterator[tuple[str, list[str]]]:
    """Serves the files of ``folder``; yields the endpoint and the list of paths that are requested."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            requests.append(path)
            about = f"/api/models/{repository}"
            if path == f"{about}/revision/{revision}":
                self.answer({"id": repository, "modelId": repository, "sha": COMMIT, "siblings": [], "tags": []})
            elif path == f"{about}/tree/{COMMIT}":
                entries = [
                    {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": digest(file)}
                    for file in folder.iterdir()
                ]
                self.answer(entries)
            elif path.startswith(f"/{repository}/resolve/{COMMIT}/") and (folder / Path(path).name).is_file():
                file = folder / Path(path).name
                self.send(200, file.read_bytes(), {"ETag": f'"{digest(file)}"', "X-Repo-Commit": COMMIT})
            else:
                self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})

        def answer(self, value: Any) -> None:
            self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def digest(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()
