"""Downloads against a server on this machine that can break off, lie about its bytes and change its file."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.core import download, web
from contrastive_artifacts.core.errors import DownloadError, UnwritableError

BODY = np.random.default_rng(0).bytes(1_500_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``body``; each number in ``breaks`` ends one transfer after so many bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kind = "application/octet-stream"
        self.body = BODY
        self.breaks: list[int] = []
        self.etag: str | None = '"one"'
        self.status = 200
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = 0
        if asked and self.headers.get("If-Range") == self.server.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.server.body):
            self.send_error(416)
            return
        body = self.server.body[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.server.body) - 1}/{len(self.server.body)}")
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", self.server.kind)
        self.end_headers()
        if self.server.breaks:
            body = body[: self.server.breaks.pop(0)]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(web, "PAUSE_S", 0.0)
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_file_arrives_once_and_alone(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.bin"
    for _ in range(2):
        assert download.fetch(server.url, target, len(BODY), DIGEST, "test file") == target
    assert target.read_bytes() == BODY
    assert [p.name for p in target.parent.iterdir()] == ["file.bin"]
    assert len(server.ranges) == 1


def test_broken_transfer_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.breaks = [600_000, 500_000]
    download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert (tmp_path / "a").read_bytes() == BODY
    assert server.ranges == [None, "bytes=600000-", "bytes=1100000-"]


def test_later_call_goes_on_with_what_is_there(server: Server, tmp_path: Path) -> None:
    server.breaks = [100_000] * web.ATTEMPTS
    with pytest.raises(DownloadError, match="400000 of 1500000"):
        download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert not (tmp_path / "a").exists()
    download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert server.ranges[-1] == "bytes=400000-"
    assert (tmp_path / "a").read_bytes() == BODY


def test_two_versions_are_never_joined(server: Server, tmp_path: Path) -> None:
    server.breaks = [100_000] * web.ATTEMPTS
    with pytest.raises(DownloadError):
        download.fetch(server.url, tmp_path / "a", None, None, "test file")
    server.body, server.etag = BODY[::-1], '"two"'
    download.fetch(server.url, tmp_path / "a", None, None, "test file")
    assert (tmp_path / "a").read_bytes() == BODY[::-1]


def test_server_without_versions_is_begun_again(server: Server, tmp_path: Path) -> None:
    server.etag = None
    server.breaks = [600_000]
    download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert server.ranges == [None, None]
    assert (tmp_path / "a").read_bytes() == BODY


def test_wrong_bytes_are_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.body = BODY[:-1] + bytes([BODY[-1] ^ 1])
    with pytest.raises(DownloadError, match=f"sha256 .*{DIGEST} was expected"):
        download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    server.body = BODY[:1000]
    with pytest.raises(DownloadError, match="offers 1000 bytes for the test file, 1500000 were expected"):
        download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert not any(tmp_path.iterdir())


def test_a_page_about_the_file_is_not_the_file(server: Server, tmp_path: Path) -> None:
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match=r"web page.*open it in a browser"):
        download.fetch(server.url, tmp_path / "file.bin", None, None, "test file")
    assert list(tmp_path.iterdir()) == []


def test_file_that_was_altered_on_disk_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(BODY[:-1])
    with pytest.raises(DownloadError, match=r"1499999 bytes, 1500000 were expected. Delete .*a and try again"):
        download.fetch("http://127.0.0.1:9/a", tmp_path / "a", len(BODY), DIGEST, "test file")


def test_second_address_is_used(server: Server, tmp_path: Path) -> None:
    urls = ["http://127.0.0.1:9/nothing", server.url]
    download.fetch(urls, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert (tmp_path / "a").read_bytes() == BODY


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (503, web.ATTEMPTS)])
def test_only_passing_troubles_are_tried_again(server: Server, tmp_path: Path, status: int, requests: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=str(status)):
        download.fetch(server.url, tmp_path / "a", None, None, "test file")
    assert len(server.ranges) == requests


def test_offline_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"test file.*download http://127\.0\.0\.1:9/a elsewhere and put .* at .*b"):
        download.fetch("http://127.0.0.1:9/a", tmp_path / "b", 5, None, "test file")


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CONTRASTIVE_ARTIFACTS_CACHE", raising=False)
    assert download.cache_folder() == tmp_path / "contrastive-artifacts"
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(tmp_path / "own"))
    assert download.cache_folder() == tmp_path / "own"


def test_md5_is_checked_where_the_publisher_states_it(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"has md5 .*, 00 was expected"):
        download.fetch(server.url, tmp_path / "a", None, None, "test file", md5="00")
    assert list(tmp_path.iterdir()) == []
    download.fetch(server.url, tmp_path / "a", None, None, "test file", md5=hashlib.md5(BODY).hexdigest().upper())


def test_partial_file_longer_than_the_servers_is_begun_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(BODY + b"more")
    (tmp_path / "a.part.etag").write_text('"one"')
    download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert (tmp_path / "a").read_bytes() == BODY
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_page_in_the_way_leaves_the_partial_file(server: Server, tmp_path: Path) -> None:
    server.breaks = [100_000] * web.ATTEMPTS
    with pytest.raises(DownloadError):
        download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    server.kind = "text/html"
    with pytest.raises(DownloadError, match="is a web page"):
        download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    server.kind = "audio/flac"
    download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert server.ranges[-1] == "bytes=400000-"


def test_a_full_disk_is_no_broken_connection(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(UnwritableError, match=r"has 0\.000 GB free, and the download needs 0\.002 GB"):
        download.fetch(server.url, tmp_path / "a", len(BODY), DIGEST, "test file")
    assert len(server.ranges) == 1
