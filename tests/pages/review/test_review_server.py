"""The review's interface: queue, picture, audio, decisions, and requests that it refuses."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

testclient = pytest.importorskip("fastapi.testclient", reason="the extra is not installed: pip install -e '.[serve]'")

from contrastive_artifacts import audio  # noqa: E402
from contrastive_artifacts.core.journal import Journal  # noqa: E402
from contrastive_artifacts.data import corpora  # noqa: E402
from contrastive_artifacts.data.curation.decisions import Decisions  # noqa: E402
from contrastive_artifacts.data.curation.limits import make_limits  # noqa: E402
from contrastive_artifacts.data.curation.survey import survey  # noqa: E402
from contrastive_artifacts.pages.review.review import Review  # noqa: E402
from contrastive_artifacts.pages.review.server import review_app  # noqa: E402
from contrastive_artifacts.pages.shared import server as serving  # noqa: E402
from contrastive_artifacts.pages.shared.spectrogram import picture, playable  # noqa: E402

RATE = 16000
TIME = np.arange(2 * RATE) / RATE
TONE = (0.5 * np.sin(2 * np.pi * 440 * TIME)).astype(np.float32)
PUBLISHED = {"version": 3, "counts": {"keep": 5, "reject": 1}}


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "to" / "decisions.jsonl") as opened:
        yield opened


@pytest.fixture
def client(tmp_path: Path, journal: Journal) -> testclient.TestClient:
    noise = np.random.default_rng(0).normal(0, 0.05, RATE * 45).astype(np.float32)
    for name, wave in {
        "x/worst.wav": np.clip(TONE, -0.2, 0.2),
        "x/mild.wav": TONE * 0.2 + np.float32(0.01),
        "x/long.wav": noise + np.float32(0.008),
        "good.wav": noise[:RATE],
    }.items():
        audio.write(tmp_path / "data" / name, wave, RATE)
    (tmp_path / "data" / "broken.wav").write_bytes(b"RIFF")
    corpus = corpora.create("folder", path=tmp_path / "data")
    limits = make_limits({"duplicate": None, "band_limited": None})
    findings = survey(corpus, tmp_path / "to", limits)
    review = Review(corpus, findings, Decisions(journal, "ana"), lambda: PUBLISHED)
    app = review_app(review, serving.Access.to("127.0.0.1"))
    return testclient.TestClient(app, base_url="http://127.0.0.1:8077", raise_server_exceptions=False)


@pytest.fixture
def queue(client) -> dict[str, dict]:
    return {row["name"]: row for row in client.get("/api/queue").json()}


def test_the_queue_holds_flagged_clips_worst_first(queue):
    assert list(queue) == ["x/worst.wav", "x/mild.wav", "x/long.wav"]
    row = queue["x/worst.wav"]
    assert row["reasons"][0][:2] == ["clipped", "880.0 flat-topped runs per second"]
    assert (row["seconds"], row["rate"], row["decision"]) == (2.0, RATE, "")
    assert "worst" not in row["id"]


def test_the_page_is_self_contained(client):
    page = client.get("/").text
    assert "<script src" not in page
    assert "<link" not in page
    assert "default-src 'none'" in page
    assert "connect-src 'self'" in page


def test_audio_is_the_clip_without_loss_and_in_ranges(client, queue):
    address = f"/api/clips/{queue['x/worst.wav']['id']}/audio"
    whole = client.get(address)
    samples, rate = soundfile.read(io.BytesIO(whole.content), dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, np.clip(TONE, -0.2, 0.2), atol=2e-7)
    part = client.get(address, headers={"Range": "bytes=100-299"})
    assert (part.status_code, part.content) == (206, whole.content[100:300])


def test_long_clips_come_in_slices(client, queue):
    address = f"/api/clips/{queue['x/long.wav']['id']}"
    lengths = [client.get(f"{address}/picture?start={start * RATE}").json()["samples"] / RATE for start in (0, 20, 40)]
    assert lengths == [20.0, 20.0, 5.0]
    samples, _ = soundfile.read(io.BytesIO(client.get(f"{address}/audio?start={40 * RATE}").content))
    assert len(samples) == 5 * RATE
    for start in (45 * RATE, -1):
        assert client.get(f"{address}/picture?start={start}").status_code == 400
    assert client.get(f"{address}/picture?start=x").status_code == 422
    assert client.get(f"{address}/picture?scale=mel").status_code == 400


def test_the_picture_shows_the_tone():
    for scale, top in (("linear", 8000), ("low", 1000)):
        shown = picture(TONE[None], RATE, scale)
        levels = np.frombuffer(base64.b64decode(shown["spectrogram"]), np.uint8)
        levels = levels.reshape(shown["rows"], shown["columns"])
        row = int(np.argmax(np.median(levels, axis=1)))
        assert shown["top_hz"] == top
        assert top * (1 - (row + 0.5) / shown["rows"]) == pytest.approx(440, abs=1.5 * top / shown["rows"])
        # a sine of half the full scale lies 6 dB under the top of 100 dB
        assert levels[row, 50:-50].mean() == pytest.approx(255 * 0.94, abs=2)
        assert (max(shown["high"]), min(shown["low"])) == (pytest.approx(0.5, abs=1e-3), pytest.approx(-0.5, abs=1e-3))


def test_a_peak_above_full_scale_is_attenuated_not_clipped():
    data, _, gain = playable(np.stack([TONE * 4] * 3), RATE)
    samples, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    assert gain == pytest.approx(-6.02, abs=0.01)
    np.testing.assert_allclose(samples, TONE * 2, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 50])
def test_the_shortest_slices_have_a_picture(samples):
    assert picture(np.ones((1, samples), np.float32), 8000)["columns"] >= 1


def test_decisions_are_stored_at_once_and_undone(client, queue, journal):
    first, second = (queue[name]["id"] for name in ("x/worst.wav", "x/mild.wav"))
    assert client.post("/api/decisions", json={"id": first, "decision": "reject", "note": " buzz "}).status_code == 200
    client.post("/api/decisions", json={"id": second, "decision": "keep"})
    on_disk = journal.path.read_text()
    assert on_disk.count("\n") == 2
    assert '"note": "buzz"' in on_disk
    rows = {row["name"]: row for row in client.get("/api/queue").json()}
    assert (rows["x/worst.wav"]["decision"], rows["x/worst.wav"]["by"]) == ("reject", "ana")
    precisions = {name: numbers for name, *numbers in client.get("/api/precisions").json()}
    right, decided, low, high, more = precisions["clipped"]
    assert (right, decided, more) == (1, 1, 15)
    assert 0 < low < 0.5
    assert high == 1
    assert precisions["dc_offset"][:2] == [0, 1]
    assert client.post("/api/undo", json={}).json() == {"name": "x/mild.wav"}
    assert client.post("/api/undo", json={}).json() == {"name": "x/worst.wav"}
    assert client.post("/api/undo", json={}).json() == {"name": None}
    assert all(row["decision"] == "" for row in client.get("/api/queue").json())


def test_invalid_decisions_are_refused(client, queue, journal):
    known = queue["x/mild.wav"]["id"]
    for body, status in (
        ({"id": known, "decision": "maybe"}, 400),
        ({"id": known, "decision": "keep", "note": "x" * 1001}, 422),
        ({"id": known}, 422),
        ({"id": "x/mild.wav", "decision": "keep"}, 404),
        ({"id": "0" * 24, "decision": "keep"}, 404),
    ):
        answer = client.post("/api/decisions", json=body)
        assert answer.status_code == status, body
        assert list(answer.json()) == ["error"]
    assert journal.path.read_text() == ""


@pytest.mark.parametrize(
    "clip",
    [
        "x/mild.wav",
        "x%2Fmild.wav",
        "..%2F..%2Fetc%2Fpasswd",
        "../../etc/passwd",
        "good.wav",
        "0" * 24,
        "%00",
        "a" * 5000,
    ],
)
def test_paths_are_no_ids(client, clip):
    for what in ("audio", "picture"):
        answer = client.get(f"/api/clips/{clip}/{what}")
        assert answer.status_code == 404
        assert list(answer.json()) == ["error"]


def test_a_missing_file_is_named(client, queue, tmp_path):
    (tmp_path / "data" / "x" / "mild.wav").unlink()
    answer = client.get(f"/api/clips/{queue['x/mild.wav']['id']}/picture")
    assert answer.status_code == 400
    assert "mild.wav" in answer.json()["error"]


def test_the_manifest_is_written_on_demand(client):
    assert client.post("/api/manifest", json={}).json() == {"version": 3, "keep": 5, "reject": 1}
