"""Hits are joined to spans where they overlap, in the order of their scores, k at most."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.views import cut_window
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval import (
    OutsideRootsError,
    Roots,
    clean_of,
    retrieve,
    run_of_index,
    sound_of,
    write_clips,
    write_hits_csv,
)

RATE = 100


def index_of(folder: Path, rows: list[tuple[float, str, int, int]], **facts: object) -> Index:
    """Rows of (score, clip, start, stop); the query [1, 0] finds those scores."""
    vectors = np.array([[score, np.sqrt(1 - score**2)] for score, *_ in rows])
    metadata = [
        {"clip": clip, "start": start, "stop": stop, "sample_rate": RATE, "channel": None, **facts}
        for _, clip, start, stop in rows
    ]
    return Index.build(vectors, metadata, folder, fingerprint="f")


QUERY = np.array([1.0, 0.0])


def test_overlapping_rows_are_one_span_with_the_score_of_the_best(tmp_path: Path) -> None:
    rows = [(0.9, "a", 100, 200), (0.8, "b", 0, 100), (0.7, "a", 150, 250), (0.6, "a", 300, 400), (0.5, "a", 250, 300)]
    hits = retrieve(index_of(tmp_path, rows), QUERY, 5)
    assert [(s.metadata["clip"], s.start, s.stop, s.ids) for s in hits] == [
        ("a", 100, 400, (0, 2, 3, 4)),  # the last row bridged two spans
        ("b", 0, 100, (1,)),
    ]
    assert [s.score for s in hits] == pytest.approx([0.9, 0.8], abs=1e-6)
    assert hits[0].time == "00:00:01.000 - 00:00:04.000"


def test_the_search_ends_where_one_more_span_would_begin(tmp_path: Path) -> None:
    rows = [(0.9, "a", 0, 100), (0.8, "a", 50, 150), (0.7, "b", 0, 100), (0.6, "a", 100, 200)]
    index = index_of(tmp_path, rows)
    assert [(s.start, s.stop) for s in retrieve(index, QUERY, 1)] == [(0, 150)]
    assert [(s.start, s.stop) for s in retrieve(index, QUERY, 2)] == [(0, 200), (0, 100)]


def test_channels_and_renderings_stay_apart(tmp_path: Path) -> None:
    vectors = np.array([[1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [1.0, 0.4]])
    same = {"clip": "a.wav", "start": 0, "stop": 100, "sample_rate": RATE, "artifact": ""}
    metadata = [same | {"channel": 0}, same | {"channel": 1}, same | {"channel": 0}, same | {"artifact": "hum"}]
    hits = retrieve(Index.build(vectors, metadata, tmp_path, fingerprint="f"), QUERY, 9)
    assert [span.ids for span in hits] == [(0, 2), (1,), (3,)]
    assert [span.name for span in hits] == ["a.wav channel 1", "a.wav channel 2", "a.wav"]


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 60), k=st.integers(1, 12), seed=st.integers(0, 10**4))
def test_spans_against_a_union_of_intervals(
    tmp_path_factory: pytest.TempPathFactory, count: int, k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 300, count)
    rows = [(s, "ab"[rng.integers(2)], int(a), int(a) + 40)
            for s, a in zip(rng.permutation(count) / (count + 1), starts, strict=True)]  # fmt: skip
    hits = retrieve(index_of(tmp_path_factory.mktemp("i"), rows), QUERY, k)
    assert 1 <= len(hits) <= k
    assert [s.score for s in hits] == sorted((s.score for s in hits), reverse=True)
    taken = {i for span in hits for i in span.ids}
    worst = min(rows[i][0] for i in taken)
    assert {i for i, row in enumerate(rows) if row[0] >= worst} == taken, "a prefix of the ranking"
    for clip in "ab":  # the same as marking every sample that a row covers, touching ones joined
        covered = np.zeros(400, bool)
        for i in taken:
            if rows[i][1] == clip:
                covered[rows[i][2] : rows[i][3]] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[0], covered, [0]])))
        spans = sorted((s.start, s.stop) for s in hits if s.metadata["clip"] == clip)
        assert spans == [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def test_rows_without_a_place_are_refused(tmp_path: Path) -> None:
    index = Index.build(np.eye(2), [{"clip": "a"}] * 2, tmp_path, fingerprint="f")
    with pytest.raises(ParameterError, match="sample_rate, start, stop"):
        retrieve(index, QUERY, 2)


def test_the_table_and_the_clips_of_hits(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 8000)).astype(np.float32)
    audio.write(tmp_path / "a b.wav", noise, 4000)
    facts = {"file": str(tmp_path / "a b.wav"), "sample_rate": 4000, "channel": 1, "heard": "hum"}
    facts |= {"heard_severity": math.nan}
    hits = retrieve(index_of(tmp_path / "i", [(0.9, "x/a b.wav", 1000, 3000)], **facts), QUERY, 3)
    write_hits_csv(tmp_path / "hits.csv", hits)
    (row,) = csv.DictReader((tmp_path / "hits.csv").read_text().splitlines())
    assert (row["start"], row["start_s"], row["stop_s"], row["heard"]) == ("1000", "0.250000", "0.750000", "hum")
    assert row["heard_severity"] == "", "unknown, as of a label that users added"
    waveform, rate = sound_of(hits[0], roots=Roots([tmp_path]))
    np.testing.assert_array_equal(waveform, noise[1:, 1000:3000])
    (path,) = write_clips(tmp_path / "clips", [(hits[0], waveform, rate)], ".flac")
    assert path.name == "01_a_b.wav_channel_2_00-00-00.250.flac"
    np.testing.assert_allclose(audio.read(path)[0], waveform, atol=2**-23)
    with pytest.raises(OutsideRootsError, match="roots=FOLDER"):
        sound_of(hits[0])
    (tmp_path / "a b.wav").unlink()
    with pytest.raises(StorageError, match="no longer there"):
        sound_of(hits[0], roots=Roots([tmp_path]))


def test_a_recording_that_changes_slowly_is_one_span_and_fast(tmp_path: Path) -> None:
    """Every window is joined to the one before; the time must not grow with the square of their number."""
    rows = [(float(np.cos(n / 20_000)), "film", 100 * n, 100 * n + 200) for n in range(20_000)]
    index = index_of(tmp_path, rows)
    begin = time.perf_counter()
    (span,) = retrieve(index, QUERY, 5)
    assert time.perf_counter() - begin < 10
    assert (span.start, span.stop, len(span.ids), span.ids[0]) == (0, 100 * 19_999 + 200, 20_000, 0)


def test_the_sound_of_a_rendered_view_is_rendered_again(tmp_path: Path) -> None:
    tone = 0.3 * np.sin(np.arange(8000) * 0.1, dtype=np.float32)[None]
    audio.write(tmp_path / "t.wav", tone, 8000)
    corpus = Corpus("c", [Clip("t.wav", "t", path=tmp_path / "t.wav")])
    roots = Roots([tmp_path])
    view = artifacts.render("hum", tone[:, 2000:6000], 8000, severity=0.9, seed=3)
    facts = {"corpus": "c", "params": json.dumps(view.params), "sample_rate": 8000}
    hits = retrieve(index_of(tmp_path / "i", [(0.9, "t.wav", 2000, 6000)], **facts), QUERY)
    np.testing.assert_allclose(sound_of(hits[0], {"c": corpus}, roots)[0], view.waveform, atol=1e-6)
    np.testing.assert_array_equal(clean_of(hits[0], {"c": corpus}, roots)[0], tone[:, 2000:6000])
    late = dataclasses.replace(hits[0], start=6000, stop=10_000)  # a view longer than what is left of its clip
    np.testing.assert_array_equal(clean_of(late, {"c": corpus}, roots)[0], cut_window(tone, 6000, 4000))
    with pytest.raises(OutsideRootsError, match="this index or run may name"):
        sound_of(hits[0], {"c": corpus})
    with pytest.raises(StorageError, match="'c'"):
        sound_of(hits[0])
    assert run_of_index(tmp_path / "i") is None
    (tmp_path / "t.wav").unlink()
    with pytest.raises(StorageError, match="no longer there"):
        clean_of(hits[0], {"c": corpus}, roots)
