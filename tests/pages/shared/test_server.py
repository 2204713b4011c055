"""Access control of the servers: hosts, tokens, origins, bodies, ranges and errors."""

from __future__ import annotations

import asyncio
import socket

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="the extra is not installed: pip install -e '.[serve]'")
from fastapi import FastAPI, HTTPException, Request, Response  # noqa: E402

from contrastive_artifacts.core.errors import ParameterError, StorageError  # noqa: E402
from contrastive_artifacts.pages.shared import server as serving  # noqa: E402
from contrastive_artifacts.pages.shared.server import guard  # noqa: E402

DATA = bytes(range(200))
BASE = "http://127.0.0.1:8077"
BODIES = {"/long": serving.Body(50_000), "/upload": serving.Body(100_000, serving.BYTES)}


def application(access: serving.Access) -> FastAPI:
    app = serving.make_app("test", access, BODIES)

    @app.get("/data")
    def data(request: Request) -> Response:
        return serving.ranged(request, DATA, "audio/flac")

    @app.post("/change")
    def change(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.post("/long")
    def long(body: dict[str, str]) -> dict[str, int]:
        return {name: len(text) for name, text in body.items()}

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.get("/busy")
    def busy() -> None:
        raise HTTPException(503, "come again", {"Retry-After": "3"})

    @app.get("/fails/{kind}")
    def fails(kind: str) -> None:
        raise {
            "asked": ParameterError("give less"),
            "stored": StorageError("/srv/films/reel 1/a.wav is gone: '/srv/my disk/b'"),
            "bug": RuntimeError("secret"),
        }[kind]

    return app


def client(access: serving.Access, base: str = BASE) -> testclient.TestClient:
    return testclient.TestClient(application(access), base_url=base, raise_server_exceptions=False)


@pytest.fixture
def local() -> testclient.TestClient:
    return client(serving.Access.to("127.0.0.1"))


@pytest.mark.parametrize(
    ("requested", "status", "expected", "content_range"),
    [
        (None, 200, DATA, None),
        ("bytes=0-9", 206, DATA[:10], "bytes 0-9/200"),
        ("bytes=190-", 206, DATA[190:], "bytes 190-199/200"),
        ("bytes=-5", 206, DATA[-5:], "bytes 195-199/200"),
        ("bytes=-500", 206, DATA, "bytes 0-199/200"),
        ("bytes=150-9999", 206, DATA[150:], "bytes 150-199/200"),
        ("bytes=200-", 416, b"", "bytes */200"),
        ("bytes=9-5", 416, b"", "bytes */200"),
        ("bytes=-0", 416, b"", "bytes */200"),
        ("bytes=0-1,4-5", 200, DATA, None),
        ("lines=1-2", 200, DATA, None),
        (f"bytes=0-{'9' * 5000}", 206, DATA, "bytes 0-199/200"),
        (f"bytes={'9' * 5000}-", 416, b"", "bytes */200"),
        (f"bytes=-{'9' * 5000}", 206, DATA, "bytes 0-199/200"),
    ],
)
def test_ranges(local, requested, status, expected, content_range):
    answer = local.get("/data", headers={"Range": requested} if requested else {})
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (
        status,
        expected,
        content_range,
    )
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    "junk", ["bytes=", "bytes=-", "bytes=a-b", "bytes=1-2x", "bytes", "bytes=0-1,x", "bytes=\xb2-"]
)
def test_a_range_that_is_none_is_a_400(local, junk):
    answer = local.get("/data", headers={"Range": junk.encode("latin-1")})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize("junk", ["[", "[::1", "[zz]", "[::1::2]", "a b", "127.0.0.1:x", "127.0.0.1:99999999", "a@b",
                                  "\xff", "127.0.0.1/x", "?", "#"])  # fmt: skip
def test_a_host_or_origin_that_is_none_is_a_400(local, junk):
    for app in (local, client(serving.Access.to("0.0.0.0"))):
        answer = app.get("/data", headers={"Host": junk.encode("latin-1")})
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
    origin = local.post("/change", json={"a": 1}, headers={"Origin": f"http://{junk}".encode("latin-1")})
    assert origin.status_code in (400, 403)
    for length in ("\xb2", "9" * 5000):
        answer = local.post("/change", content=b"{}", headers={"Content-Type": "application/json",
                                                              "Content-Length": length.encode("latin-1")})  # fmt: skip
        assert answer.status_code == 413


def test_head_answers_as_get_without_the_body(local):
    for path in ("/data", "/busy", "/nothing", "/fails/asked"):
        get, head = local.get(path), local.head(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-length"] == get.headers["content-length"]
    assert local.head("/data", headers={"Range": "bytes=0-9"}).status_code == 200
    assert local.head("/change").status_code == 405
    assert client(serving.Access.to("0.0.0.0"), "http://192.168.1.5:8077").head("/data").status_code == 401


def test_loopback_needs_no_token_and_another_address_a_random_one():
    for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9"):
        assert serving.Access.to(host).token == ""
    tokens = {serving.Access.to(host).token for host in ("0.0.0.0", "192.168.1.5", "::", "example.org", "")}
    assert len(tokens) == 5
    assert min(map(len, tokens)) >= 32


def test_a_name_that_points_to_the_loopback_is_refused():
    for base in ("http://rebound.example", "http://127.0.0.1.example:8077"):
        answer = client(serving.Access.to("127.0.0.1"), base).get("/data")
        assert answer.status_code == 403
        assert "loopback" in answer.json()["error"]


def test_without_the_token_every_request_is_refused():
    access = serving.Access.to("0.0.0.0")
    remote = client(access, "http://192.168.1.5:8077")
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x"},
        {"Cookie": "contrastive_artifacts_token="},
    ):
        assert remote.get("/data", headers=headers).status_code == 401
    assert remote.get("/data", params={"token": access.token + "x"}).status_code == 401
    assert remote.get("/data", params={"token": "é"}).status_code == 401
    assert remote.post("/change", params={"token": access.token}, json={"a": 1}).status_code == 401
    assert remote.get("/nothing").status_code == 401, "nor does it show what exists"
    assert remote.get("/data", headers={"Authorization": f"Bearer {access.token}"}).content == DATA


def test_the_token_moves_from_the_address_to_a_cookie():
    access = serving.Access.to("0.0.0.0")
    remote = client(access, "http://192.168.1.5:8077")
    answer = remote.get(
        "http://192.168.1.5:8077//elsewhere/data", params={"token": access.token, "start": "3"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/elsewhere/data?start=3")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert remote.get("/data").content == DATA


def test_only_json_from_the_servers_own_page_changes_something(local):
    assert local.post("/change", json={"a": 1}).json() == {"a": 1}
    assert local.post("/change", json={"a": 1}, headers={"Origin": BASE}).status_code == 200
    for origin in ("https://evil.example", "null", "http://127.0.0.1:9999"):
        assert local.post("/change", json={"a": 1}, headers={"Origin": origin}).status_code == 403
    form = local.post("/change", content='{"a": 1}', headers={"Content-Type": "text/plain"})
    assert form.status_code == 415


def test_long_bodies_are_refused_with_and_without_a_length(local):
    long = b'{"a": 1' + b" " * serving.MAX_BODY + b"}"
    kind = {"Content-Type": "application/json"}
    assert local.post("/change", content=long, headers=kind).status_code == 413
    chunks = local.post("/change", content=iter([long[:9000], long[9000:]]), headers=kind)
    assert chunks.status_code == 413
    assert local.post("/change", content=iter([b'{"a"', b": 1}"]), headers=kind).json() == {"a": 1}


def test_one_path_accepts_longer_json_than_the_others(local):
    for size, status in ((40_000, 200), (50_001, 413)):
        content, kind = b'{"a": "' + b"x" * size + b'"}', {"Content-Type": "application/json"}
        assert local.post("/long", content=content, headers=kind).status_code == status
        assert local.post("/long", content=iter([content[:9], content[9:]]), headers=kind).status_code == status
        assert local.post("/change", content=content, headers=kind).status_code == 413
        assert local.post("/long/", content=content, headers=kind).status_code == 413, "another path"


def test_a_path_for_uploads_accepts_bytes_and_no_json(local):
    kind = {"Content-Type": "application/octet-stream"}
    assert local.post("/upload", content=bytes(100_000), headers=kind).json() == {"bytes": 100_000}
    assert local.post("/upload", content=iter([bytes(60_000), b"", bytes(40_000)]), headers=kind).json() == {
        "bytes": 100_000
    }
    assert local.post("/upload", content=bytes(100_001), headers=kind).status_code == 413
    assert local.post("/upload", content=iter([bytes(60_000)] * 2), headers=kind).status_code == 413
    assert local.post("/upload", json={"a": 1}).status_code == 415
    assert local.post("/change", content=b"{}", headers=kind).status_code == 415
    assert local.post("/upload", content=b"x", headers={**kind, "Origin": "https://evil.example"}).status_code == 403


def test_uploads_are_limited_in_number_and_time(monkeypatch):
    """Stalled uploads block others until their time limit, not longer."""
    monkeypatch.setattr(guard, "UPLOAD_S", 0.2)
    app = application(serving.Access.to("127.0.0.1"))
    headers = [(b"host", b"127.0.0.1:8077"), (b"content-type", b"application/octet-stream")]
    scope = {"type": "http", "method": "POST", "path": "/upload", "raw_path": b"/upload", "query_string": b"",
             "headers": headers, "scheme": "http", "server": ("127.0.0.1", 8077), "http_version": "1.1"}  # fmt: skip

    async def upload(stalled: bool) -> int:
        status: list[int] = []

        async def receive() -> dict:
            if stalled:
                await asyncio.sleep(60)
            return {"type": "http.request", "body": b"abc", "more_body": False}

        async def send(message: dict) -> None:
            status.append(message.get("status", 0))

        await app(dict(scope), receive, send)
        return status[0]

    async def statuses() -> list[int]:
        stalled = [asyncio.create_task(upload(True)) for _ in range(serving.UPLOADS)]
        await asyncio.sleep(0.05)
        meanwhile = await upload(False)
        return [meanwhile, *await asyncio.gather(*stalled), await upload(False)]

    assert asyncio.run(statuses()) == [503, *[408] * serving.UPLOADS, 200]


def test_headers_of_a_refusal_are_sent(local):
    assert local.get("/busy").headers["retry-after"] == "3"


def test_errors_are_json_without_internal_details(local):
    for path, status, text in (
        ("/fails/asked", 400, "give less"),
        ("/fails/stored", 500, "a.wav is gone: 'b'"),
        ("/fails/bug", 500, "terminal"),
        ("/nothing", 404, "Not Found"),
    ):
        answer = local.get(path)
        assert answer.status_code == status
        assert list(answer.json()) == ["error"]
        assert text in answer.json()["error"]
        assert "secret" not in answer.text
        assert "/srv" not in answer.text
    assert local.post("/change", json={"a": "x"}).status_code == 422
    assert "body.a" in local.post("/change", json={"a": "x"}).json()["error"]
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert local.get(path).status_code == 404


def test_headers_keep_pages_apart(local):
    for path in ("/data", "/nothing"):
        headers = local.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_ids_are_opaque_and_new_in_each_process():
    names = ["a/b.wav", "../secret.wav"]
    ids, others = serving.OpaqueIds(names), serving.OpaqueIds(names)
    assert [ids.name(ids.of(name)) for name in names] == names
    assert ids.of(names[0]) != others.of(names[0])
    for wrong in ("a/b.wav", "../secret.wav", "", others.of(names[0])):
        with pytest.raises(HTTPException):
            ids.name(wrong)


def test_a_port_in_use_is_reported():
    access = serving.Access.to("127.0.0.1")
    app = application(access)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ParameterError, match="port="):
        serving.serve(app, access, taken.getsockname()[1], lambda _: None)
