"""Connections of a real server: idle, slow, not reading, too many for the descriptors of the process."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
resource = pytest.importorskip("resource", reason="limits of descriptors are set on Unix only")
httpx = pytest.importorskip("httpx")

SERVER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from fastapi import Response
from contrastive_artifacts.pages.shared import server as serving
from contrastive_artifacts.pages.shared.server import connections
connections.IDLE_S = float(sys.argv[1])
access = serving.Access.to("127.0.0.1")
app = serving.make_app("test", access)
app.get("/data")(lambda: "ok")
app.get("/long")(lambda: Response(bytes(64 << 20)))
serving.serve(app, access, 0, lambda url: print(url, flush=True))
"""
ASK = b"GET /data HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def started(idle_s: float) -> Iterator[tuple[str, int]]:
    with subprocess.Popen([sys.executable, "-c", SERVER, str(idle_s)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            yield url, int(url.rstrip("/").rpartition(":")[2])
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def patient() -> Iterator[tuple[str, int]]:
    yield from started(60.0)


@pytest.fixture
def impatient() -> Iterator[tuple[str, int]]:
    yield from started(0.5)


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def closed_after(connection: socket.socket) -> float:
    """Seconds until the server closes a connection; what it sends is dropped."""
    start = time.monotonic()
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - start


def test_300_idle_connections_do_not_stop_a_server_with_256_descriptors(patient: tuple[str, int]) -> None:
    url, port = patient
    idle = [connected(port) for _ in range(300)]
    for _ in range(3):
        assert httpx.get(f"{url}data", timeout=5).json() == "ok"
    for connection in idle:
        connection.close()
    assert httpx.get(f"{url}data", timeout=5).json() == "ok"


def test_connections_without_a_complete_request_are_closed(impatient: tuple[str, int]) -> None:
    url, port = impatient
    with connected(port) as silent, connected(port) as slow, connected(port) as answered:
        slow.sendall(ASK[:20])
        answered.sendall(ASK)
        with httpx.Client() as other:
            assert other.get(f"{url}data").json() == "ok"
        time.sleep(0.1)
        assert answered.recv(1 << 16).startswith(b"HTTP/1.1 200")
        answered.sendall(ASK[:20])  # a second request that never ends
        for connection in (silent, slow, answered):
            assert closed_after(connection) < 5
    assert httpx.get(f"{url}data").json() == "ok"


def test_a_client_that_does_not_read_is_cut_off_and_a_slow_one_is_not(impatient: tuple[str, int]) -> None:
    url, port = impatient
    with connected(port) as stalled, httpx.stream("GET", f"{url}long") as slow:
        stalled.sendall(ASK.replace(b"data", b"long"))
        count = 0
        for chunk in slow.iter_raw(4 << 20):
            count += len(chunk)
            time.sleep(0.2)
        assert count == 64 << 20, "3 s with pauses"
        received = 0
        try:
            while block := stalled.recv(1 << 20):
                received += len(block)
        except ConnectionResetError:
            pass
        assert received < 64 << 20
