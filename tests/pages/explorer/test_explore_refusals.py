"""What the explorer's server refuses without failing: wrong names, rows, bodies, origins, and hostile files."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
from served import BYTES, NOISE, client, search_by_sound, wav

from contrastive_artifacts.pages.explorer.queries import UPLOAD_BYTES
from contrastive_artifacts.pages.shared import server as serving
from contrastive_artifacts.search.retrieval import Roots


def hostile() -> dict[str, bytes]:
    """Files that must be refused as audio, by name."""
    claims = (
        b"RIFF" + struct.pack("<I", 2**32 - 9) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    )
    claims += b"data" + struct.pack("<I", 2**32 - 47)
    rng = np.random.default_rng(0)
    box = struct.pack(">I", 24) + b"ftypmp42\0\0\0\0mp42isom"
    wide = io.BytesIO()
    soundfile.write(wide, np.zeros((100, 9)), 8000, format="WAV")
    nan = io.BytesIO()
    soundfile.write(nan, np.full(8000, np.nan), 8000, format="WAV", subtype="FLOAT")
    odd = bytearray(wav(NOISE))
    odd[24:28] = struct.pack("<I", 3)  # a rate of 3 Hz
    return {
        "empty.wav": b"",
        "claims.wav": claims,
        "text.wav": b"not a sound, only words" * 99,
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "list.wav": b"#EXTM3U\n#EXTINF:1,\n/work/a.wav\n",
        "concat.mp4": b"ffconcat version 1.0\nfile /etc/hostname\n",
        "page.mp3": b"<html><script>alert(1)</script></html>",
        "random.wav": rng.bytes(200_000),
        "random.mp3": rng.bytes(200_000),
        "garbage.mp4": box + rng.bytes(100_000),
        "moov.mp4": box + struct.pack(">I", 2**31) + b"moov" + rng.bytes(5000),
        "header.flac": b"fLaC\0\0\0\x22" + rng.bytes(34),
        "zeros.ogg": bytes(100_000),
        "wide.wav": wide.getvalue(),
        "nan.wav": nan.getvalue(),
        "slow.wav": bytes(odd),
    }


@pytest.mark.parametrize("name", hostile())
def test_files_that_are_no_audio_are_refused_with_a_reason(recorded_api, name):
    answer = search_by_sound(recorded_api, hostile()[name], name)
    assert answer.status_code == 400, answer.text
    assert name.partition(".")[0] in answer.json()["error"] or "Hz" in answer.json()["error"]
    assert "/tmp" not in answer.text, "the temporary path is not shown to the client"
    assert recorded_api.get("/api/about").status_code == 200


def test_a_wrong_length_in_the_header_is_ignored(recorded_api):
    data = bytearray(wav(NOISE))
    data[4:8] = data[40:44] = struct.pack("<I", 2**32 - 64)  # 2^31 samples of two bytes
    assert search_by_sound(recorded_api, bytes(data)).json()["query"]["seconds"] == 2.0
    cut = search_by_sound(recorded_api, wav(NOISE)[:20_001]).json()["query"]["seconds"]
    assert 0.5 < cut < 0.7


def test_hours_of_silence_in_a_small_file_are_too_long(recorded_api):
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8000, 1, format="FLAC", subtype="PCM_16") as sound:
        for _ in range(180):
            sound.write(np.zeros(8000 * 60, np.int16))
    data = file.getvalue()
    assert len(data) < 2**20
    start = time.perf_counter()
    answer = search_by_sound(recorded_api, data, "night.flac")
    assert answer.status_code == 400
    assert "night.flac is longer than 10 minutes" in answer.json()["error"]
    assert time.perf_counter() - start < 10


def test_uploads_over_the_limit_are_refused_before_they_are_read(recorded_api):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 2**20
            yield bytes(2**20)

    assert search_by_sound(recorded_api, endless()).status_code == 413
    for length in (str(UPLOAD_BYTES + 1), "-1", "1e3", "0x10"):
        answer = recorded_api.post("/api/search/sound", content=b"x", headers={**BYTES, "Content-Length": length})
        assert answer.status_code == 413, length


def test_uploads_are_bytes_and_everything_else_is_json(recorded_api):
    for kind in ("application/json", "audio/wav", "multipart/form-data; boundary=x", "text/plain", ""):
        answer = recorded_api.post("/api/search/sound", content=wav(NOISE), headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    for path in (
        "/api/labels",
        "/api/undo",
        "/api/retrain",
        "/api/retrain/use",
        "/api/retrain/back",
        "/api/search/rows",
        "/api/search/label",
        "/api/search/span",
    ):
        for kind in ("application/octet-stream", "text/plain", "application/x-www-form-urlencoded"):
            assert recorded_api.post(path, content=b"{}", headers={"Content-Type": kind}).status_code == 415
        assert recorded_api.get(path).status_code == 405


OUTSIDE = ("..%2f..%2fetc%2fpasswd", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "....//etc/passwd", "/etc/passwd",
           "C:%5Cwindows", "%00", "labels.jsonl", "~", "." * 3000)  # fmt: skip


@pytest.mark.parametrize("outside", OUTSIDE)
def test_no_path_leads_out(recorded_api, outside):
    for path in ("/api/columns/{}", "/api/rows/{}", "/api/rows/{}/picture", "/api/rows/{}/audio",
                 "/api/rows/{}/neighbours", "/api/queries/{}/picture", "/api/queries/{}/audio", "/{}"):  # fmt: skip
        answer = recorded_api.get(path.format(outside))
        assert answer.status_code in (404, 422), path
        assert list(answer.json()) == ["error"]
        assert b"root:" not in answer.content


@pytest.mark.parametrize("row", ["-1", "99999", str(2**31), str(2**63), str(2**64), "9" * 4000, "9" * 5000, "1.5", "x",
                                 "NaN", "1e3", "0x1", "", "null", "%20"])  # fmt: skip
def test_unknown_rows(recorded_api, row):
    for tail in ("", "/picture", "/audio", "/neighbours"):
        answer = recorded_api.get(f"/api/rows/{row}{tail}")
        assert answer.status_code in (404, 422)
        assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("search/rows", {"like": []}, 422),
        ("search/rows", {"like": [10**30]}, 404),
        ("search/rows", {"like": [0], "unlike": [-1]}, 404),
        ("search/rows", {"like": [0], "unlike": [0]}, 400),
        ("search/rows", {"like": [0], "k": 10**9}, 400),
        ("search/rows", {"like": [0], "k": -1}, 400),
        ("search/rows", {"like": [0] * 1001}, 422),
        ("search/rows", {"like": [0], "where": {"x": ["a"]}}, 400),
        ("search/rows", {"like": [0], "where": {"heard": [{"a": 1}]}}, 400),
        ("search/rows", {"like": [0], "where": {"channel": ["mix", "9" * 99]}}, 200),
        ("search/rows", {"like": "0"}, 422),
        ("search/rows", [], 422),
        ("search/label", {"label": ""}, 422),
        ("search/label", {"label": "x" * 201}, 422),
        ("search/span", {"row": 0, "start": 1, "stop": 1}, 400),
        ("search/span", {"row": 0, "start": -1e308, "stop": 1e308}, 400),
        ("search/span", {"row": 99999, "start": 0, "stop": 1}, 404),
        ("labels", {"rows": [], "action": "keep"}, 422),
        ("labels", {"rows": [0, 99999], "action": "keep"}, 404),
        ("labels", {"rows": [0], "action": "praise"}, 400),
        ("labels", {"rows": [0], "action": "relabel", "label": "Tape Squeal"}, 400),
        ("labels", {"rows": [0], "action": "relabel", "label": "../x"}, 400),
        ("labels", {"rows": [0], "action": "relabel", "label": "<b>"}, 400),
        ("labels", {"rows": [0], "action": "keep", "note": "x" * 1001}, 400),
        ("labels", {"rows": [0] * 20_001, "action": "keep"}, 422),
        ("retrain", {}, 400),
        ("retrain/use", {}, 422),
        ("retrain/use", {"proposal": 1}, 400),
    ],
)
def test_bodies_that_do_not_fit(recorded_api, path, body, status):
    answer = recorded_api.post(f"/api/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text


def test_malformed_json_and_numbers_that_are_not_finite(recorded_api):
    kind = {"Content-Type": "application/json"}
    for text in (
        "{",
        '{"row": 0, "start": NaN, "stop": 1}',
        "[" * 9000,
        '{"row": 0, "start": 0, "stop": Infinity}',
        "\xff",
    ):
        answer = recorded_api.post("/api/search/span", content=text.encode("latin-1"), headers=kind)
        assert answer.status_code in (400, 422), text[:40]
        assert list(answer.json()) == ["error"]
    for query in ("pad=nan", "pad=-1", "pad=1e9", "version=../x", "scale=x", "pad=x"):
        assert recorded_api.get(f"/api/rows/0/picture?{query}").status_code in (400, 422)
    assert recorded_api.get("/api/rows/0/picture?version=clean").status_code == 400


def test_other_origins_hosts_and_clients_without_the_token_are_refused(recorded, journal):
    evil = {"Origin": "https://evil.example"}
    local = client(recorded, journal)
    assert local.post("/api/undo", json={}, headers=evil).status_code == 403
    assert local.post("/api/search/sound", content=wav(NOISE), headers={**BYTES, **evil}).status_code == 403
    rebound = client(recorded, journal, base="http://rebound.example:8078")
    for path in ("/", "/api/about", "/api/rows/0/audio"):
        assert rebound.get(path).status_code == 403
    access = serving.Access.to("0.0.0.0")
    remote = client(recorded, journal, access, "http://192.168.1.5:8078")
    for path in ("/", "/api/map", "/api/labels.csv"):
        assert remote.get(path).status_code == 401
        assert remote.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert remote.post("/api/search/sound", content=wav(NOISE), headers=BYTES).status_code == 401
    assert remote.get("/api/map", headers={"Authorization": f"Bearer {access.token}"}).status_code == 200


def test_files_outside_of_the_roots_of_an_index_are_not_opened(recorded, journal, monkeypatch):
    monkeypatch.setattr(recorded, "roots", Roots([recorded.index.directory]))
    api = client(recorded, journal)
    for path in ("picture", "audio"):
        answer = api.get(f"/api/rows/0/{path}")
        assert answer.status_code == 403
        assert "roots=FOLDER" in answer.json()["error"]
        assert str(recorded.index.directory.parent) not in answer.text
    assert api.post("/api/search/span", json={"row": 0, "start": 0, "stop": 1}).status_code == 403
    facts = api.get("/api/rows/0").json()
    assert facts["channels"] is None, "not even the header is read"
    assert api.get("/api/rows/0/neighbours").status_code == 200
