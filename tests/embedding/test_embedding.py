"""Embedding is deterministic, covers the input, and its table knows which encoder made it."""

from __future__ import annotations

import av
import numpy as np
import pytest
import torch

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError, FingerprintError, StorageError
from contrastive_artifacts.data.views import ViewSettings, evaluation_views
from contrastive_artifacts.embedding.embedder import WindowEmbedder
from contrastive_artifacts.embedding.table import make_table, read_table, table_vectors, view_row, write_table
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings


@pytest.fixture(scope="module")
def embedder() -> WindowEmbedder:
    torch.manual_seed(0)
    return WindowEmbedder(Encoder(backbones.create("mn04", "none"), EncoderSettings(("clean", "hiss"), 0.5, 16, 8)))


def noise(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (channels, int(seconds * rate))).astype(np.float32)


def test_windows_cover_the_input_at_its_own_rate(embedder):
    e = embedder.embed((noise(1.3, 44100), 44100))
    assert e.sample_rate == 44100
    assert e.samples.dtype == np.int64
    assert e.samples[0, 0] == 0
    assert e.samples[-1, 1] == int(1.3 * 44100)
    assert (np.diff(e.samples, axis=1) == 22050).all()
    assert e.frames.shape == (len(e.samples), 16)
    assert e.frames.dtype == e.clip.dtype == np.float32
    assert np.linalg.norm(e.clip) == pytest.approx(1, abs=1e-6)


def test_a_file_a_waveform_and_a_tensor_agree(embedder, tmp_path):
    x = noise(1.3, 32000, 2)
    audio.write(tmp_path / "x.wav", x, 32000)
    clips = [embedder.embed(source).clip for source in (tmp_path / "x.wav", (x, 32000), (torch.from_numpy(x), 32000))]
    assert np.array_equal(clips[0], clips[1])
    assert np.array_equal(clips[0], clips[2])
    assert np.allclose(embedder.embed((x.mean(axis=0), 32000)).clip, clips[0], atol=1e-5)


def test_no_window_holds_a_gap_of_the_file(embedder, tmp_path):
    path, rate = tmp_path / "a.mkv", 32_000
    x = noise(6, rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=rate, layout="mono")
        for start in range(0, x.shape[1], rate // 10):
            if not 2 * rate <= start < 4 * rate:
                part = av.AudioFrame.from_ndarray(x[:, start : start + rate // 10], "flt", "mono")
                part.sample_rate, part.pts = rate, start
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    e = embedder.embed(path)
    parts = [embedder.embed((x[:, start : start + 2 * rate], rate)) for start in (0, 4 * rate)]
    assert np.array_equal(e.samples, np.concatenate([parts[0].samples, parts[1].samples + 4 * rate]))
    assert np.allclose(e.frames, np.concatenate([part.frames for part in parts]), atol=1e-5)


def test_a_window_whose_channels_cancel_is_embedded_by_its_loudest_channel(embedder):
    x = noise(1.3, 32000)
    for inverted in (np.concatenate([0.9 * x, -x]), np.concatenate([-x, 0.9 * x])):
        expected = embedder.embed((-x, 32000)).frames
        assert np.allclose(embedder.embed((inverted, 32000)).frames, expected, atol=1e-6)


def test_batch_equals_single(embedder):
    sources = [(noise(s, r), r) for s, r in ((0.1, 8000), (0.7, 44100), (0.5, 48000), (2.0, 16000))]
    for together, alone in zip(embedder.embed_batch(sources), map(embedder.embed, sources), strict=True):
        assert np.allclose(together.frames, alone.frames, atol=1e-5)
        assert np.array_equal(together.samples, alone.samples)
    assert embedder.embed_batch([]) == []


@pytest.mark.parametrize("rate", [8000, 192000])
@pytest.mark.parametrize("channels", [1, 8])
def test_extreme_inputs_have_finite_vectors(embedder, rate, channels):
    for x in (noise(0.01, rate, channels), np.zeros((channels, rate)), np.ones((channels, 100)), np.zeros((1, 1))):
        assert np.isfinite(embedder.embed((x, rate)).clip).all()


def test_bad_input_is_named(embedder, tmp_path):
    with pytest.raises(AudioError, match="NaN"):
        embedder.embed((np.array([0.0, np.nan, 0.1]), 16000))
    with pytest.raises(AudioError):
        embedder.embed((np.zeros(0), 16000))
    with pytest.raises(AudioError, match=r"nowhere\.wav"):
        embedder.embed(tmp_path / "nowhere.wav")


def test_views_are_embedded_as_clips_are(embedder):
    x = noise(1.3, 32000)[0]
    spaces = embedder.view_vectors([x, x[:16000]])
    assert np.allclose(spaces["h"][0], embedder.embed((x, 32000)).clip, atol=1e-5)
    assert spaces["z"].shape == (2, 8)
    assert np.allclose(np.linalg.norm(spaces["z"], axis=1), 1, atol=1e-5)


def test_a_table_round_trip_and_its_fingerprint(embedder, small_corpus, tmp_path):
    settings = ViewSettings(("clean", "hiss"), 0.5, embedder.sample_rate)
    views = list(evaluation_views(small_corpus, small_corpus.clips[:3], settings, 0))
    vectors = embedder.view_vectors([view.waveform for view in views])["h"]
    rows = [view_row(view, settings.states, "builtin", "test", 0.5) for view in views]
    write_table(tmp_path / "t.parquet", make_table(rows, vectors, embedder.fingerprint, "h"))
    table = read_table(tmp_path / "t.parquet", embedder.fingerprint)
    assert np.array_equal(table_vectors(table), vectors)
    assert table["artifact"].to_pylist() == ["clean", "hiss"] * 3
    assert len(set(table["id"].to_pylist())) == 6
    with pytest.raises(FingerprintError, match="embed again"):
        read_table(tmp_path / "t.parquet", "another")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(StorageError, match=r"t\.parquet"):
        read_table(tmp_path / "t.parquet")
