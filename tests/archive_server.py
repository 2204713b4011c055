"""A small archive.org on this machine: metadata, search and downloads with ranges, and the troubles that it has."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit


class ArchiveServer(ThreadingHTTPServer):
    """Serves ``bodies`` and describes them in ``items``; what it was asked is in ``asked``.

    Each number in ``cuts`` ends one download after so many bytes. Each ``(status, headers)`` in ``refusals`` is the
    answer to one request, whatever it asks for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.items: dict[str, dict[str, Any]] = {}
        self.bodies: dict[tuple[str, str], bytes] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.cuts: list[int] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []

    def handle_error(self, *_: object) -> None:
        """Clients hang up where they refuse an answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def add(self, item: str, name: str, body: bytes = b"", source: str = "original", **more: Any) -> None:
        """A file of an item, with its true size and MD5 unless ``more`` says otherwise."""
        entry = {"name": name, "source": source, "size": str(len(body)), "md5": hashlib.md5(body).hexdigest()}
        about = self.items.setdefault(item, {"metadata": {"identifier": item, "mediatype": "audio"}, "files": []})
        about["files"].append({key: value for key, value in (entry | more).items() if value is not None})
        self.bodies[item, name] = body


class _Handler(BaseHTTPRequestHandler):
    server: ArchiveServer

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        if path != "/node":
            self.server.asked.append((unquote(path), {key.lower(): value for key, value in self.headers.items()}))
        kind, _, rest = unquote(path).removeprefix("/").partition("/")
        if self.server.refusals:
            status, headers = self.server.refusals.pop(0)
            self._answer(status, b"", headers)
        elif kind == "metadata":
            self._answer(
                200, json.dumps(self.server.items.get(rest, {})).encode(), {"Content-Type": "application/json"}
            )
        elif kind == "advancedsearch.php":
            self._search(parse_qs(query))
        elif kind == "download":  # archive.org leads to the machine that has the item
            self._answer(302, b"", {"Location": f"/node?{quote(rest, safe='')}"})
        else:
            item, _, name = unquote(query).partition("/")
            self._download(self.server.bodies.get((item, name)))

    def _search(self, query: dict[str, list[str]]) -> None:
        if "(" not in query["q"][0] or query["output"] != ["json"] or query["fl[]"] != ["identifier"]:
            self._answer(200, json.dumps({"error": "no such query"}).encode(), {})
            return
        names = sorted(self.server.items)
        rows = [{"identifier": name} for name in names[: int(query["rows"][0])]]
        self._answer(200, json.dumps({"response": {"numFound": len(names), "start": 0, "docs": rows}}).encode(), {})

    def _download(self, body: bytes | None) -> None:
        if body is None:
            self._answer(404, b"", {})
            return
        version, start = f'"{hashlib.md5(body).hexdigest()}"', 0
        asked = self.headers.get("Range")
        if asked and self.headers.get("If-Range") == version:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        headers = {"ETag": version, "Content-Type": "audio/x-wav"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        cut = self.server.cuts.pop(0) if self.server.cuts else None
        self._answer(206 if start else 200, body[start:], headers, cut)

    def _answer(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[:cut])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[ArchiveServer]:
    """A server that answers inside the block."""
    server = ArchiveServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
