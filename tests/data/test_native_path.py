"""Detail figures at the native rate of a recording, from view and file to the encoder; older encoders stay the same."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.data.views import (
    LOWER_RATES,
    TrainingBatches,
    ViewSettings,
    evaluation_views,
    lower_rate,
    stack,
)
from contrastive_artifacts.embedding.embedder import WindowEmbedder
from contrastive_artifacts.embedding.opening import RELEASE
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.detail import Detail, DetailFigures, NativeDetail, numpy_detail
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.onnx import to_onnx
from contrastive_artifacts.runs.measure import embed_views

STATES = ("clean", "hiss", "clipping")
SETTINGS = EncoderSettings(STATES, window_s=0.5, hidden=16, embedding=8, frame_hop_s=0.05)
VIEWS = ViewSettings(STATES, 0.5, 32000, native=True)
RATE = 44100


def new_encoder(settings: EncoderSettings = SETTINGS) -> Encoder:
    torch.manual_seed(0)
    return Encoder(backbones.create("mn04", "none"), settings).eval()


def noise(seconds: float = 0.5, rate: int = RATE, rows: int = 1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (rows, round(seconds * rate))).astype(np.float32)


def tensors(figures: DetailFigures[np.ndarray]) -> DetailFigures[torch.Tensor]:
    return DetailFigures(torch.from_numpy(figures.frames), torch.from_numpy(figures.clip))


@pytest.mark.parametrize("name", ["mn04", "yamnet"])
def test_encoders_of_the_release_stay_what_they_are(name):
    encoder = Encoder.load(RELEASE / name)
    named = json.loads((RELEASE / name / "probe.json").read_text())["fingerprint"]
    assert encoder.fingerprint() == named
    record = json.loads((RELEASE / name / "encoder.json").read_text())["settings"]
    kind = {1: Detail, 2: NativeDetail}[record.get("detail", 1)]
    assert isinstance(encoder.detail, kind)
    assert encoder.settings.record() == {**record, "states": tuple(record["states"])}


def test_an_encoder_without_a_version_is_of_the_first(tmp_path):
    first, second = new_encoder(replace(SETTINGS, detail=1)), new_encoder()
    assert "detail" not in first.settings.record()
    assert second.settings.record()["detail"] == 2
    for encoder in (first, second):
        encoder.save(tmp_path)
        assert Encoder.load(tmp_path).settings == encoder.settings
    with pytest.raises(ParameterError, match="detail"):
        EncoderSettings(STATES, 0.5, detail=3)


def test_an_encoder_takes_figures_or_computes_them_of_its_input():
    encoder, x = new_encoder(), torch.from_numpy(noise(rate=32000, rows=2))
    with torch.no_grad():
        alone, given = encoder(x), encoder(x, tensors(numpy_detail(x.numpy(), 32000)))
        other = encoder(x, tensors(numpy_detail(np.clip(noise(rows=2), -0.1, 0.1), RATE)))
    assert torch.allclose(alone.h, given.h, atol=1e-5)
    assert torch.allclose(alone.frame_logits, given.frame_logits, atol=1e-5)
    assert not torch.allclose(alone.h, other.h, atol=1e-3)
    assert not torch.allclose(alone.frame_logits, other.frame_logits, atol=1e-3)


def test_views_keep_their_waveform_before_resampling(small_corpus):
    views = list(evaluation_views(small_corpus, small_corpus.clips[:3], VIEWS, 0))
    for view in views:
        finished = audio.resample(view.native_waveform, view.native_rate, 32000)[:16000]
        assert np.allclose(view.waveform, finished / max(1.0, np.abs(finished).max()), atol=1e-6)
    detail = stack(views).detail
    for i, view in enumerate(views):
        for stacked, single in zip(detail, numpy_detail(view.native_waveform[None], view.native_rate), strict=True):
            assert np.array_equal(stacked[i], single[0])
    plain = list(evaluation_views(small_corpus, small_corpus.clips[:3], replace(VIEWS, native=False), 0))
    assert stack(plain).detail is None
    assert all(np.array_equal(a.waveform, b.waveform) for a, b in zip(views, plain, strict=True))


def test_a_loader_brings_figures_with_every_batch(small_corpus):
    batches = TrainingBatches(small_corpus, small_corpus.clips, VIEWS, 2, 3, seed=0)
    for batch, direct in zip(
        DataLoader(batches, batch_size=None, sampler=range(3), num_workers=1),
        map(batches.__getitem__, range(3)),
        strict=True,
    ):
        assert isinstance(batch.detail, DetailFigures)
        assert batch.detail.frames.dtype == torch.float32
        assert torch.equal(batch.detail.frames, torch.from_numpy(direct.detail.frames))
        assert len(batch.detail.clip) == len(batch.waveforms)


def test_half_of_the_training_sources_come_from_lower_rates():
    x = noise(0.1)
    rates = [lower_rate((x, RATE), np.random.default_rng(i))[1] for i in range(200)]
    assert set(rates) == {RATE, *LOWER_RATES}
    assert 0.4 < np.mean([rate == RATE for rate in rates]) < 0.6
    assert {lower_rate((x, 8000), np.random.default_rng(i))[1] for i in range(50)} == {8000}  # never to a higher one


def test_a_recording_is_embedded_with_figures_of_its_own_rate():
    encoder, x = new_encoder(), np.clip(noise(1.3), -0.12, 0.12)
    embedder = WindowEmbedder(encoder)
    embedded = embedder.embed((x, RATE))
    with torch.no_grad():
        for row, (start, stop) in zip(embedded.frames, embedded.samples, strict=True):
            window = x[:, start:stop]
            waveform = torch.from_numpy(audio.resample(window, RATE, 32000))
            expected = encoder(waveform, tensors(numpy_detail(window, RATE))).h[0].numpy()
            assert np.allclose(row, expected, atol=1e-5)
            assert not np.allclose(row, encoder(waveform).h[0].numpy(), atol=1e-3)


def test_views_longer_than_a_window_are_cut_at_their_own_rate_too(small_corpus):
    embedder, settings = WindowEmbedder(new_encoder()), replace(VIEWS, duration_s=1.3)
    table = embed_views(embedder, {"test": (small_corpus, small_corpus.clips[:2])}, settings, 0, 1)["h"]
    views = list(evaluation_views(small_corpus, small_corpus.clips[:2], settings, 0))
    for row, view in zip(table.column("embedding").to_pylist(), views, strict=True):
        starts = (0.0, 0.25, 0.5, 0.75, 0.8)
        parts = [
            [x[round(s * rate) : round((s + 0.5) * rate)] for s in starts]
            for x, rate in ((view.waveform, 32000), (view.native_waveform, view.native_rate))
        ]
        figures = tensors(numpy_detail(np.stack(parts[1]), view.native_rate))
        with torch.no_grad():
            h = embedder.encoder(torch.from_numpy(np.stack(parts[0])), figures).h.numpy()
        assert np.allclose(row, unit_rows(h.mean(0)), atol=1e-5)
        assert not np.allclose(row, embedder.view_vectors([view.waveform])["h"][0], atol=1e-3)


@pytest.mark.slow
def test_an_exported_encoder_computes_the_same_figures(tmp_path):
    """At 16 kHz; at 32 kHz in ``tests/models/test_onnx_file.py``."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'contrastive-artifacts[onnx]'")
    pytest.importorskip("onnxscript", reason="pip install 'contrastive-artifacts[onnx]'")
    torch.manual_seed(0)
    settings = replace(SETTINGS, window_s=1.0, frame_hop_s=0.0)
    encoder = Encoder(backbones.create("yamnet", "none"), settings).eval()
    to_onnx(encoder, tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx", providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["detail_rate"] == str(encoder.sample_rate)
    for rows in (1, 4):
        x = noise(1.0, encoder.sample_rate, rows)
        x[:, 2000:4000] = 0
        with torch.no_grad():
            expected = encoder(torch.from_numpy(x)).h.numpy()
        np.testing.assert_allclose(session.run(["h"], {"waveform": x})[0], expected, atol=2e-4)
