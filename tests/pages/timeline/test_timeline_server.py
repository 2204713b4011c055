"""The interface of a served timeline: sounds from the recording, its picture in ranges, decisions in a journal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

testclient = pytest.importorskip("fastapi.testclient", reason="the extra is not installed: pip install -e '.[serve]'")

from recorded import RATE, film, sound_file, timeline_of, tone  # noqa: E402

from contrastive_artifacts.core.journal import Journal  # noqa: E402
from contrastive_artifacts.pages.shared import server as serving  # noqa: E402
from contrastive_artifacts.pages.timeline.server import film_type, timeline_app  # noqa: E402
from contrastive_artifacts.probes.labels import Labels, read_labels  # noqa: E402


def client(recording: Path, journal: Journal) -> Any:
    labels = Labels(journal, "ana", "print")
    app = timeline_app(timeline_of(recording), labels, serving.Access.to("127.0.0.1"))
    return testclient.TestClient(app, base_url="http://127.0.0.1:8079", raise_server_exceptions=False)


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal(tmp_path / "reel.labels.jsonl") as opened:
        yield opened


@pytest.fixture
def api(tmp_path: Path, journal: Journal) -> Any:
    return client(sound_file(tmp_path), journal)


def test_sounds_are_those_of_the_recording(api: Any) -> None:
    answer = api.get("/api/sound", params={"start": RATE, "stop": 3 * RATE, "channel": 1})
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    assert (answer.status_code, rate, samples.shape) == (200, RATE, (2 * RATE,))
    assert np.abs(samples - tone()[1, RATE : 3 * RATE]).max() < 1e-4, "the file has 16 bits"
    mix, _ = soundfile.read(io.BytesIO(api.get(f"/api/sound?start=0&stop={RATE}").content), dtype="float32")
    assert np.abs(mix - tone()[:, :RATE].mean(axis=0)).max() < 1e-4
    part = api.get(f"/api/sound?start=0&stop={RATE}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"fLaC")


@pytest.mark.parametrize(
    "query",
    [
        "start=-1&stop=9",
        "start=9&stop=9",
        "start=0&stop=99999999",
        "start=0&stop=9&channel=2",
        "start=0&stop=9&channel=-1",
    ],
)
def test_parts_that_are_not_there_are_refused(api: Any, query: str) -> None:
    answer = api.get(f"/api/sound?{query}")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_a_recording_that_is_gone_is_named(api: Any, tmp_path: Path) -> None:
    (tmp_path / "reel.wav").unlink()
    answer = api.get("/api/sound?start=0&stop=9")
    assert answer.status_code == 400
    assert "reel.wav" in answer.json()["error"]


def test_decisions_are_labels_in_the_journal(api: Any, journal: Journal, tmp_path: Path) -> None:
    assert api.post("/api/decisions", json={"finding": 1, "decision": "keep"}).json()["decisions"] == [[1, "keep"]]
    answer = api.post("/api/decisions", json={"finding": 2, "decision": "reject"}).json()
    assert answer["decisions"] == [[1, "keep"], [2, "reject"]], "findings of one place are decided on apart"
    labels = read_labels(journal.path)
    assert [(label.action, label.label, label.before, label.who) for label in labels] == [
        ("keep", "hum", "hum", "ana"),
        ("reject", "", "hiss", "ana"),
    ]
    address = labels[0].address
    assert (address["clip"], address["start"], address["stop"], address["channel"]) == (
        "reel.wav",
        4 * RATE,
        6 * RATE,
        None,
    )
    assert json.loads(address["params"]) == {"finding": "hum"}
    assert api.post("/api/undo", json={}).json() == {"decisions": [[1, "keep"]], "place": 2}
    again = client(tmp_path / "reel.wav", journal)
    assert again.get("/api/decisions").json() == {"decisions": [[1, "keep"]]}, "they outlive the page"
    assert again.post("/api/undo", json={}).json()["place"] == -1, "acts of before the page was served are left alone"
    assert again.get("/api/decisions").json() == {"decisions": [[1, "keep"]]}


@pytest.mark.parametrize(
    "body",
    [{"finding": 4, "decision": "keep"}, {"finding": -1, "decision": "keep"}, {"finding": 0, "decision": "relabel"}],
)
def test_other_decisions_are_refused(api: Any, journal: Journal, body: dict[str, Any]) -> None:
    assert api.post("/api/decisions", json=body).status_code == 400
    assert not journal.entries


def test_a_film_is_sent_in_ranges(tmp_path: Path, journal: Journal, api: Any) -> None:
    path = film(tmp_path)
    part = client(path, journal).get("/api/film", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (
        206,
        path.read_bytes()[10:20],
        "video/webm",
    )
    assert api.get("/api/film").status_code == 404, "a sound file has no picture"
    assert film_type("a.MKV") == "video/x-matroska"


def test_the_page_holds_no_sound(api: Any) -> None:
    page = api.get("/").text
    assert 'id="sound0"' not in page
    assert "connect-src &#x27;self&#x27;" in page or "connect-src 'self'" in page
