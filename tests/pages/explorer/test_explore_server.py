"""The explorer's interface: its answers."""

from __future__ import annotations

import base64
import csv
import io
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
import httpx
from explored import RATE, WINDOW
from served import BYTES, NOISE, client, search_by_sound, wav

from contrastive_artifacts.pages.explorer import work
from contrastive_artifacts.pages.explorer.queries import UPLOAD_BYTES
from contrastive_artifacts.pages.explorer.server import explore_app
from contrastive_artifacts.pages.explorer.slices import Slices
from contrastive_artifacts.pages.shared import server as serving
from contrastive_artifacts.probes.labels import Labels


def test_about_columns_and_map_fit_together(recorded_api, recorded):
    about = recorded_api.get("/api/about").json()
    assert (about["count"], about["who"], about["has_files"], about["has_clean"]) == (len(recorded), "ana", True, False)
    assert about["upload_bytes"] == UPLOAD_BYTES == 32 * 2**20
    points = np.frombuffer(recorded_api.get("/api/map").content, "<f4").reshape(2, -1)
    np.testing.assert_array_equal(points.T, recorded.layout.points)
    for column in about["columns"]:
        answer = recorded_api.get(f"/api/columns/{column['name']}", params={"version": 7})
        assert answer.headers["content-type"] == "application/octet-stream"
        if column["kind"] == "number":
            numbers = np.frombuffer(answer.content, "<f4")
            assert (np.nanmin(numbers), np.nanmax(numbers)) == (column["low"], column["high"])
        else:
            codes = np.frombuffer(answer.content, "<u2")
            assert len(codes) == len(recorded)
            assert all(code == 65535 or code < len(column["values"]) for code in codes)


def test_the_page_is_self_contained(recorded_api):
    answer = recorded_api.get("/")
    assert answer.status_code == 200
    assert '<script type="application/json" id="about">' in answer.text
    assert "<script src" not in answer.text
    assert "<link" not in answer.text
    assert "connect-src 'self'" in answer.text


@pytest.mark.parametrize("scale", ["linear", "low"])
def test_picture_and_sound_are_of_the_same_slice(recorded_api, recorded, scale):
    for row, pad in ((0, 0.0), (1, 1.25)):
        picture = recorded_api.get(f"/api/rows/{row}/picture", params={"pad": pad, "scale": scale}).json()
        audio = recorded_api.get(f"/api/rows/{row}/audio", params={"pad": pad}).content
        samples, rate = soundfile.read(io.BytesIO(audio))
        assert (len(samples), rate) == (picture["samples"], picture["rate"])
        facts = recorded_api.get(f"/api/rows/{row}").json()
        a, b = picture["span"]
        assert b - a == WINDOW == round(facts["seconds"] * rate)
        assert picture["start"] + a == recorded.facts(row)["start"]
        assert len(base64.b64decode(picture["spectrogram"])) == picture["rows"] * picture["columns"]
        assert max(picture["high"]) == pytest.approx(samples.max(), abs=1e-3)


def test_a_and_b_differ_by_the_artifact_alone(rendered_api, rendered):
    row = next(row for row in range(9) if rendered.facts(row)["artifact"] == "clicks")
    sounds = [soundfile.read(io.BytesIO(rendered_api.get(f"/api/rows/{row}/audio", params={"version": v}).content))[0]
              for v in ("damaged", "clean")]  # fmt: skip
    shown = rendered_api.get(f"/api/rows/{row}/picture").json()
    touched = np.zeros(len(sounds[0]), bool)
    for a, b in shown["segments"]:
        touched[a:b] = True
    np.testing.assert_array_equal(sounds[0][~touched], sounds[1][~touched])
    assert (sounds[0][touched] != sounds[1][touched]).any()
    assert rendered_api.get(f"/api/rows/{row}/picture", params={"version": "clean"}).json()["segments"] == []
    answer = rendered_api.get(f"/api/rows/{row}/audio", headers={"Range": "bytes=0-99"})
    assert (answer.status_code, len(answer.content), answer.content[:4]) == (206, 100, b"fLaC")


def test_searches(recorded_api, recorded):
    scores = [hit["score"] for hit in recorded_api.get("/api/rows/0/neighbours?k=3").json()["hits"]]
    assert sorted(scores, reverse=True) == scores
    body = {"like": [0, 1], "unlike": [8], "k": 4, "where": None, "others": True}
    hits = recorded_api.post("/api/search/rows", json=body).json()["hits"]
    assert len(hits) == 4
    assert {"row", "score", "name", "time", "title", "label", "severity", "same_source"} == set(hits[0])
    assert recorded_api.post("/api/search/label", json={"label": "hum", "k": 2}).status_code == 200
    span = recorded_api.post("/api/search/span", json={"row": 1, "start": 0.5, "stop": 1.5, "k": 2}).json()
    assert span["query"]["seconds"] == 1.0
    got = recorded_api.get(f"/api/queries/{span['query']['id']}/picture", params={"scale": "low"}).json()
    assert (got["samples"], got["rate"]) == (RATE, RATE)


def test_an_upload_is_classified_shown_and_played(recorded_api):
    answer = search_by_sound(recorded_api, wav(NOISE), "some%20noise.wav").json()
    query = answer["query"]
    assert (query["name"], query["seconds"], query["rate"], query["channels"]) == ("some noise.wav", 2.0, RATE, 1)
    assert abs(query["x"]) <= 1.01
    assert len(answer["hits"]) == 7, "overlapping windows are one hit: five recordings and two channels"
    sound = recorded_api.get(f"/api/queries/{query['id']}/audio")
    np.testing.assert_allclose(soundfile.read(io.BytesIO(sound.content))[0], NOISE[0], atol=2**-15)
    assert recorded_api.get(f"/api/queries/{query['id']}/picture").json()["samples"] == 2 * RATE
    chunks = search_by_sound(recorded_api, iter([wav(NOISE)[:9999], wav(NOISE)[9999:]]))
    assert chunks.json()["hits"] == answer["hits"]


def test_labels_are_stored_counted_exported_and_undone(recorded_api, recorded, journal):
    body = {"rows": [0, 2, 4], "action": "relabel", "label": "tape_squeal", "note": "<img src=x onerror=alert(1)>"}
    answer = recorded_api.post("/api/labels", json=body)
    assert answer.json() == {
        "changed": 3, "counts": {"keep": 0, "reject": 0, "relabel": 3}, "labels": dict.fromkeys("024", "tape_squeal"),
    }  # fmt: skip
    assert len(journal.entries) == 1, "one act is one entry"
    columns = {column["name"]: column for column in recorded_api.get("/api/about").json()["columns"]}
    codes = np.frombuffer(recorded_api.get("/api/columns/label").content, "<u2")
    assert [columns["label"]["values"][code] for code in codes[:5]] == [
        "tape_squeal",
        "",
        "tape_squeal",
        "",
        "tape_squeal",
    ]
    assert recorded_api.get("/api/rows/0").json()["note"] == body["note"], "markup stays text"
    page = recorded_api.get("/").text
    assert "<img src=x" not in page
    export = recorded_api.get("/api/labels.csv")
    assert "attachment" in export.headers["content-disposition"]
    rows = list(csv.DictReader(export.text.splitlines()))
    assert [int(row["id"]) for row in rows] == recorded.index.ids[[0, 2, 4]].tolist()
    assert recorded_api.post("/api/undo", json={}).json()["rows"] == [0, 2, 4]
    assert not np.frombuffer(recorded_api.get("/api/columns/label").content, "<u2").any()


def test_a_lasso_of_twenty_thousand_rows_may_be_long(recorded_api):
    rows = list(range(10_000, 30_000))
    answer = recorded_api.post("/api/labels", json={"rows": rows, "action": "keep"})
    assert answer.status_code == 404, "the rows do not exist, but a body of 120 kB is read"
    long = b'{"rows": [0], "action": "keep"' + b" " * (256 << 10) + b"}"
    assert (
        recorded_api.post("/api/labels", content=long, headers={"Content-Type": "application/json"}).status_code == 413
    )
    assert (
        recorded_api.post("/api/search/rows", content=long, headers={"Content-Type": "application/json"}).status_code
        == 413
    )


def test_a_missing_recording_is_a_410_and_the_rest_works(recorded, journal, tmp_path):
    moved = Path(recorded.facts(0)["file"])
    shutil.move(moved, tmp_path / "aside.wav")
    try:
        api = client(recorded, journal)
        for path in ("picture", "audio"):
            answer = api.get(f"/api/rows/0/{path}")
            assert answer.status_code == 410
            assert moved.name in answer.json()["error"]
            assert str(moved.parent) not in answer.text
        assert api.post("/api/search/span", json={"row": 0, "start": 0, "stop": 1}).status_code == 410
        assert api.get("/api/rows/0").status_code == 200
        assert api.get("/api/rows/0/neighbours").status_code == 200
    finally:
        shutil.move(tmp_path / "aside.wav", moved)
    assert api.get("/api/rows/0/audio").status_code == 200


def test_two_hundred_requests_at_once(recorded, journal):
    """Each is answered or refused with 503, and the server works as before afterwards."""
    app = explore_app(recorded, Labels(journal, "ana", recorded.index.fingerprint), serving.Access.to("127.0.0.1"))
    server, listener = serving.server_of(app), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        upload = wav(NOISE)

        def ask(n: int) -> int:
            with httpx.Client(base_url=base, timeout=120) as api:
                row = n % len(recorded)
                if n % 10 == 0:
                    return api.post("/api/search/sound", content=upload, headers=BYTES).status_code
                if n % 10 == 1:
                    return api.post("/api/labels", json={"rows": [row], "action": "reject"}).status_code
                tail = ("", "/picture", "/audio", "/neighbours", "/picture?scale=low", "/audio?pad=1")[n % 6]
                return api.get(f"/api/rows/{row}{tail}").status_code

        with ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(ask, range(200)))
        assert set(answers) <= {200, 503}
        assert answers.count(200) > 100
        assert all(answers[n] == 200 for n in range(1, 200, 10)), "labels are never refused because the server is busy"
        with httpx.Client(base_url=base) as api:
            assert api.get("/api/about").json()["counts"]["reject"] == len(
                {n % len(recorded) for n in range(1, 200, 10)}
            )
            assert api.get("/api/rows/0/picture").status_code == 200
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def test_too_many_requests_are_refused_with_503(recorded, journal, monkeypatch):
    monkeypatch.setattr(work, "WAITING", 0)
    api = client(recorded, journal)
    answer = api.get("/api/rows/0/picture")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert api.get("/api/rows/0").status_code == 200


def test_an_internal_error_is_a_500_without_details(recorded, journal, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Slices, "picture", broken)
    api = client(recorded, journal)
    answer = api.get("/api/rows/0/picture")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert api.get("/api/rows/0/audio").status_code == 200


def test_searches_and_exports_follow_a_filter(rendered_api):
    """The nine rows are three clips, each clean, clicking and humming: bits 1 and 4 are two of the clicks."""
    answer = rendered_api.post("/api/filters", content=bytes([0b10010, 0]), headers=BYTES)
    number = answer.json()["filter"]
    hits = rendered_api.post("/api/search/label", json={"label": "hum", "filter": number}).json()["hits"]
    assert {hit["row"] for hit in hits} == {1, 4}
    hits = rendered_api.get(f"/api/rows/1/neighbours?others=false&filter={number}").json()["hits"]
    assert {hit["row"] for hit in hits} == {4}
    rows = {"like": [0], "filter": number}
    assert {hit["row"] for hit in rendered_api.post("/api/search/rows", json=rows).json()["hits"]} == {1, 4}
    rendered_api.post("/api/labels", json={"rows": [0, 1], "action": "keep"})
    csv = [rendered_api.get(f"/api/labels.csv{query}").text for query in ("", f"?filter={number}")]
    assert [text.count("keep") for text in csv] == [2, 1]
    nothing = rendered_api.post("/api/filters", content=bytes(2), headers=BYTES).json()["filter"]
    assert rendered_api.post("/api/search/label", json={"label": "hum", "filter": nothing}).json()["hits"] == []
    assert rendered_api.post("/api/filters", content=bytes(1), headers=BYTES).status_code == 400
    assert rendered_api.get("/api/labels.csv?filter=999").status_code == 400
    for _ in range(8):
        rendered_api.post("/api/filters", content=bytes(2), headers=BYTES)
    assert "no longer stored" in rendered_api.get(f"/api/labels.csv?filter={number}").json()["error"]
