"""Long queries: what is heard when, their minutes, and stretches of them."""

from __future__ import annotations

import numpy as np
import pytest
from explored import RATE
from served import search_by_sound, wav

import contrastive_artifacts as ca
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.embedding.embedder import Embedding
from contrastive_artifacts.pages.explorer.pieces import Slice
from contrastive_artifacts.pages.explorer.queries import Queries, Query
from contrastive_artifacts.pages.explorer.searching import Search
from contrastive_artifacts.pages.explorer.slices import Slices
from contrastive_artifacts.pages.explorer.stretches import stretches

SOUND = np.random.default_rng(0).normal(0, 0.1, (1, 6 * RATE)).astype(np.float32)


def embedded(probe_sound: list[int], dim: int = 16) -> Embedding:
    """Windows of 2 s every second, of which each holds one thing; see explored.sets."""
    frames = np.stack([2.0 * np.eye(dim)[n] for n in probe_sound]).astype(np.float32)
    starts = 8000 * np.arange(len(frames))
    return Embedding(frames.mean(axis=0), frames, np.stack([starts, starts + 16000], axis=1), 8000)


def test_stretches_cover_the_sound_and_join_equal_windows(several):
    """Names 1 and 2 of explored.sets are hum and hiss."""
    parts = stretches(several.probe, embedded([0, 1, 1, 1, 2, 0]), 7 * 8000)
    assert [(part["start"], part["stop"], part["label"]) for part in parts] == [
        (0.0, 1.5, "clean"),
        (1.5, 4.5, "hum"),
        (4.5, 5.5, "hiss"),
        (5.5, 7.0, "clean"),
    ]
    assert all(0.5 < part["chance"] <= 1 for part in parts if part["label"] != "clean")
    assert stretches(several.probe, embedded([1]), 16000) == []
    assert stretches(None, embedded([0, 1]), 24000) == []


def test_every_minute_of_a_long_query_is_shown(recorded):
    rng = np.random.default_rng(0)
    wave = np.round(rng.normal(0, 0.1, (1, 150 * RATE)) * 2**15).astype(np.float32) / 2**15
    about = {"id": "q", "file": "long.wav", "seconds": 150.0}
    query = Query(Slice(wave[:, : 60 * RATE], RATE, 0, (0, 60 * RATE)), about, wav(wave))
    queries = Queries(recorded, Search(recorded), Slices(recorded))
    for at, seconds in ((0, 60), (60, 60), (120, 30)):
        piece = queries.page(query, at)
        np.testing.assert_array_equal(piece.waveform, wave[:, at * RATE : (at + seconds) * RATE])
        assert (piece.start, piece.span) == (at * RATE, (-at * RATE, (150 - at) * RATE))
    assert queries.page(query, 59.0, 61.0).waveform.shape[1] == 2 * RATE, "over the edge of what is decoded already"
    for start, stop in ((150.0, None), (-1.0, None), (5.0, 5.0), (float("nan"), None), (7.0, float("nan"))):
        with pytest.raises(ParameterError, match="is no part of a sound of 150 s"):
            queries.page(query, start, stop)


def test_a_stretch_of_a_query_is_a_query(recorded_api, recorded):
    whole = search_by_sound(recorded_api, wav(SOUND), "a.wav").json()["query"]
    body = {"query": whole["id"], "start": 1.0, "stop": 5.0, "k": 3}
    answer = recorded_api.post("/api/search/span", json=body).json()
    part = answer["query"]
    assert (part["name"], part["seconds"], part["parent"]) == ("a.wav, 1.000 - 5.000 s", 4.0, whole["id"])
    vector = ca.load("release/mn04").embed((np.round(SOUND[:, RATE : 5 * RATE] * 2**15) / 2**15, RATE)).clip
    expected = Search(recorded).vector(vector, 3)
    assert [hit["row"] for hit in answer["hits"]] == [hit["row"] for hit in expected]
    body = {"query": part["id"], "start": 0.5, "stop": 2.0}
    inner = recorded_api.post("/api/search/span", json=body).json()["query"]
    assert (inner["name"], inner["parent"]) == ("a.wav, 1.500 - 3.000 s", whole["id"])
    assert recorded_api.post("/api/search/span", json={"query": "x", "start": 0, "stop": 1}).status_code == 404
    for wrong in ({"start": 0, "stop": 1}, {"row": 0, "query": whole["id"], "start": 0, "stop": 1}):
        assert recorded_api.post("/api/search/span", json=wrong).status_code == 400
    for start, stop in ((2.0, 1.0), (9.0, 10.0)):
        body = {"query": whole["id"], "start": start, "stop": stop}
        assert recorded_api.post("/api/search/span", json=body).status_code == 400
