"""The index of an archive: one row per window with its place, rows per channel, and the scripts that use it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest
from av.stream import Disposition

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ArtifactsError, ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.embedding.table import read_table
from contrastive_artifacts.search.retrieval import (
    Roots,
    Signals,
    embed_recordings,
    index_table,
    retrieve,
    sound_of,
)

ROOT = Path(__file__).parents[3]
RATE = 16000


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four sounds of the built-in corpus, two of them with hiss, one in stereo with hiss on the right; one broken."""
    folder = tmp_path_factory.mktemp("archive")
    clips = corpora.create("builtin", seed=1, sources=6, duration_s=4.0, sample_rate=RATE)
    for n, clip in enumerate(clips.clips[i] for i in (0, 1, 2, 5)):
        clean = audio.mono(clips.load(clip)[0])[None]
        bad = ca.render("hiss", clean, RATE, severity=1.0, seed=n).waveform
        sound = {0: clean, 1: bad, 2: bad, 3: np.concatenate([clean, bad])}[n]
        audio.write(folder / f"{n}.wav", sound / max(1.0, np.abs(sound).max()), RATE)
    (folder / "broken.wav").write_bytes(b"no audio")
    return folder


def test_windows_channels_problems_and_ids(archive: Path, tmp_path: Path) -> None:
    encoder, corpus = ca.load("release/mn04"), corpora.create("folder", path=archive)
    mix, problems = embed_recordings(corpus, corpus.clips, encoder)
    assert [name for name, _ in problems] == ["broken.wav"]
    assert mix["channel"].to_pylist() == [None] * 8
    assert mix["start"].to_pylist()[:2] == [0, RATE]
    assert mix["file"].to_pylist()[0] == str((archive / "0.wav").resolve())
    assert mix["heard"].to_pylist()[2:6] == ["hiss"] * 4
    each, _ = embed_recordings(corpus, corpus.clips[3:4], encoder, Signals("each"))
    assert [(c, h == "hiss") for c, h in zip(each["channel"].to_pylist(), each["heard"].to_pylist(), strict=True)] == [
        (0, False), (0, False), (1, True), (1, True),
    ]  # fmt: skip
    backwards, _ = embed_recordings(corpus, corpus.clips[::-1], encoder)
    one, two = (index_table(t, tmp_path / n, encoder.fingerprint) for n, t in (("1", mix), ("2", backwards)))
    assert sorted(p.name for p in one.directory.iterdir()) == sorted(p.name for p in two.directory.iterdir())
    merged = ca.Index.merge([one, index_table(each, tmp_path / "3", encoder.fingerprint)], tmp_path / "4")
    assert len(merged) == 12
    with pytest.raises(ParameterError, match="8 ids stand twice"):
        ca.Index.merge([one, two], tmp_path / "4")
    with pytest.raises(ArtifactsError, match="None of the recordings"):
        embed_recordings(corpus, corpus.clips[4:], encoder)
    with pytest.raises(ParameterError, match="channels='left'"):
        Signals("left")


def test_each_audio_stream_of_a_film_has_its_own_rows(tmp_path: Path) -> None:
    levels = film(tmp_path / "films" / "film.mkv")
    audio.write(tmp_path / "films" / "single.wav", np.full(4 * RATE, 0.05, np.float32), RATE)
    encoder, corpus = ca.load("release/mn04"), corpora.create("folder", path=tmp_path / "films")
    default, _ = embed_recordings(corpus, corpus.clips, encoder)
    assert [(r["clip"], r["stream"]) for r in default.to_pylist()[::2]] == [("film.mkv", 1), ("single.wav", 0)]
    for choice in (0, "eng"):
        table, problems = embed_recordings(corpus, corpus.clips, encoder, Signals(stream=choice))
        assert set(table["clip"].to_pylist()) == {"film.mkv stream 0", *({"single.wav"} if choice == 0 else ())}
        assert [clip for clip, _ in problems] == ([] if choice == 0 else ["single.wav"])
    table, problems = embed_recordings(corpus, corpus.clips, encoder, Signals(streams="all"))
    assert problems == []
    assert list(dict.fromkeys(table["clip"].to_pylist())) == ["film.mkv stream 0", "film.mkv stream 1", "single.wav"]
    index = index_table(table, tmp_path / "index", encoder.fingerprint)
    for stream, level in enumerate(levels):
        vector = encoder.embed(tmp_path / "films" / "film.mkv", stream=stream).clip
        (hit,) = retrieve(index, vector, 1)
        assert hit.name == f"film.mkv stream {stream}"
        assert sound_of(hit, roots=Roots([tmp_path]))[0].max() == pytest.approx(level, abs=1e-3)
    for wrong in ({"streams": "each"}, {"streams": "all", "stream": 1}):
        with pytest.raises(ParameterError, match="give either stream=INDEX or streams=all"):
            Signals(**wrong)


def film(path: Path) -> tuple[float, float]:
    """Writes 4 s of two sounds in one film, the second of which is marked as default; returns their peaks."""
    path.parent.mkdir(parents=True)
    square = np.sign(np.sin(2 * np.pi * 500 * np.arange(4 * RATE) / RATE))
    hiss = np.random.default_rng(0).uniform(-1, 1, 4 * RATE)
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        streams[0].disposition, streams[1].disposition = Disposition(0), Disposition.default
        for stream, language in zip(streams, ("eng", "deu"), strict=True):
            stream.metadata["language"] = language
        for stream, samples in zip(streams, (0.25 * square, 0.5 * hiss), strict=True):
            for part in np.split(samples, 20):
                frame = av.AudioFrame.from_ndarray((part[None] * 32767).astype(np.int16), "s16", "mono")
                frame.sample_rate = RATE
                container.mux(stream.encode(frame))
    return 0.25, 0.5


@pytest.mark.slow
def test_the_scripts_take_each_stream_and_say_which(tmp_path: Path) -> None:
    film(tmp_path / "films" / "film.mkv")
    done = script("scan", str(tmp_path / "films" / "film.mkv"))
    assert "audio stream 1 of 2 (deu); stream= chooses one, streams=all takes each" in done.stdout
    assert json.loads((tmp_path / "films" / "film.artifacts.json").read_text())["stream"] == 1
    done = script("scan", str(tmp_path / "films" / "film.mkv"), "streams=all", f"out={tmp_path}/all")
    for stream, language in enumerate(("eng", "deu")):
        assert f"audio stream {stream} of 2 ({language})" in done.stdout
        about = json.loads((tmp_path / f"all.stream{stream}.artifacts.json").read_text())
        assert (about["stream"], about["streams"]) == (stream, 2)
    script("embed", str(tmp_path / "films"), "streams=all", f"out={tmp_path}/all.parquet")
    assert set(read_table(tmp_path / "all.parquet")["stream"].to_pylist()) == {0, 1}


def test_a_severity_that_is_unknown_stays_unknown(archive: Path) -> None:
    """For an encoder with a label that users added."""
    release, corpus = ca.load("release/mn04"), corpora.create("folder", path=archive)

    class Added:
        fingerprint, has_probe, embed = release.fingerprint, True, staticmethod(release.embed)
        labels = ("clean", "squeal")

        def verdict_columns(self, vectors: np.ndarray) -> dict[str, pa.Array]:
            unknown = pa.array(np.full(len(vectors), np.nan, np.float32))
            heard, probability = pa.array(["squeal"] * len(vectors)), pa.array(np.full(len(vectors), 0.75, np.float32))
            return {"heard": heard, "heard_severity": unknown, "heard_probability": probability}

    table, _ = embed_recordings(corpus, corpus.clips[:1], Added())
    assert set(table["heard"].to_pylist()) == {"squeal"}
    assert np.isnan(table["heard_severity"].to_numpy()).all()
    assert set(table["heard_probability"].to_pylist()) == {0.75}


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / f"{name}.py", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=280,
    )  # fmt: skip


@pytest.mark.slow
def test_the_scripts_index_retrieve_and_cluster(archive: Path, tmp_path: Path) -> None:
    index = f"index={tmp_path}/index"
    done = script("embed", f"corpus.path={archive}", f"out={tmp_path}/e.parquet", index)
    assert done.returncode == 0, done.stderr
    assert "recall 1.00" in done.stdout
    done = script("retrieve", f"query={archive}/1.wav", index, "others=true", f"csv={tmp_path}/hits.csv", "k=1",
                  "between={heard_severity: [0, 1]}",
                  f"page={tmp_path}/hits.html", f"clips={tmp_path}/clips", "format=flac")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader((tmp_path / "hits.csv").read_text().splitlines())
    assert (row["clip"] in ("2.wav", "3.wav"), row["heard"]) == (True, "hiss"), "another sound with hiss"
    assert [p.suffix for p in (tmp_path / "clips").iterdir()] == [".flac"]
    assert "audio/mpeg" in (tmp_path / "hits.html").read_text()
    done = script("recurrences", index, "least=2", f"csv={tmp_path}/r.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.csv").read_text().startswith("cluster,artifact")
    assert (tmp_path / "index" / "recurrences.html").exists()
    done = script("recurrences", index, "least=50", f"page={tmp_path}/none.html")
    assert done.returncode == 0, done.stderr
    assert "nothing   No fault recurs: no 50 of the" in done.stdout
    assert "No fault recurs" in (tmp_path / "none.html").read_text()
    done = script("retrieve", index, "label=humm", "between={start: [0, 0]}", "where={source: 1.wav}")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "'humm'" in done.stderr
