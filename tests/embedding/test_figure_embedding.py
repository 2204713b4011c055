"""An encoder of label sets in use: embeds, classifies and scans as others do, with several artifacts at once."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import torch

from contrastive_artifacts import audio, scan
from contrastive_artifacts.audio import windows
from contrastive_artifacts.core.errors import AudioError, ParameterError, StorageError
from contrastive_artifacts.embedding import FigureEmbedder, PretrainedEncoder, load, open_embedder, open_encoder
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.figure_encoder import FigureEncoder, FigureSettings
from contrastive_artifacts.models.figures import batched
from contrastive_artifacts.models.slow import slow_figures
from contrastive_artifacts.probes import SetProbe

STATES = ("clean", "hum", "hiss")
RATE = 22050


def encoder(backbone: bool = False, context_s: float = 4.0) -> FigureEncoder:
    torch.manual_seed(0)
    settings = FigureSettings(
        STATES, window_s=1.6, context_s=context_s, figures=16, channels=8, backbone=4, hidden=16, embedding=8
    )
    return FigureEncoder(settings, backbones.create("mn04", "none") if backbone else None).eval()


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


@pytest.mark.parametrize("backbone", [False, True])
def test_vectors_are_those_of_the_network_on_the_figures(backbone):
    network = encoder(backbone)
    embedder = FigureEmbedder(network)
    x = noise(1.6)
    prepared = embedder.prepare(x, RATE)
    expected = network(batched([prepared])).h.detach().numpy()
    np.testing.assert_allclose(embedder.embed((x, RATE)).frames, expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed_windows([x, x], RATE), np.repeat(expected, 2, 0), atol=1e-4)


def test_windows_prepared_together_equal_those_prepared_by_themselves():
    """More windows than the backbone gets at once, one of them too short."""
    embedder = FigureEmbedder(encoder(backbone=True))
    waveforms = [noise(1.6, seed) for seed in range(5)] + [noise(0.4, 9)]
    together = embedder.prepare_all(waveforms, RATE)
    assert len(together) == len(waveforms)
    for waveform, figures in zip(waveforms, together, strict=True):
        for alone, among in zip(embedder.prepare(waveform, RATE), figures, strict=True):
            np.testing.assert_allclose(alone, among, atol=1e-4)
    assert embedder.prepare_all([], RATE) == []


def test_batch_equals_single():
    embedder = FigureEmbedder(encoder())
    sources = [(noise(s, seed), RATE) for seed, s in enumerate((0.3, 2.0, 5.0))]
    for alone, among in zip((embedder.embed(s) for s in sources), embedder.embed_batch(sources), strict=True):
        np.testing.assert_allclose(alone.frames, among.frames, atol=1e-5)


def test_the_windows_of_a_recording_have_the_slow_figures_of_what_is_around_them(tmp_path):
    import soundfile

    embedder = FigureEmbedder(encoder())
    assert (embedder.window_s, embedder.context_s) == (1.6, 4.0)
    x = noise(9.0, 3) * np.linspace(0.1, 1, round(9.0 * RATE), dtype=np.float32)
    embedding = embedder.embed((x, RATE))
    lengths = [round(s * RATE) for s in (1.6, embedder.hop_s, 4.0)]
    for (start, stop), vector in zip(embedding.samples.tolist(), embedding.frames, strict=True):
        first, last = windows.context_of(start, *lengths, 0, len(x))
        (figures,) = embedder.prepare_all([x[start:stop]], RATE, [x[first:last]])
        np.testing.assert_array_equal(figures.slow, slow_figures(x[first:last], RATE))
        np.testing.assert_allclose(embedder.vectors([figures])[0], vector, atol=1e-5)
        alone = embedder.embed_windows([x[start:stop]], RATE)[0]
        assert np.abs(alone - vector).max() > 1e-3
    soundfile.write(tmp_path / "film.wav", x, RATE, subtype="FLOAT")
    np.testing.assert_allclose(embedder.embed(tmp_path / "film.wav").frames, embedding.frames, atol=1e-5)


def test_slow_figures_of_a_shared_context_are_computed_once(monkeypatch):
    calls: list[int] = []

    def counted(waveform, rate):
        calls.append(len(waveform))
        return slow_figures(waveform, rate)

    monkeypatch.setattr("contrastive_artifacts.models.figures.slow_figures", counted)
    embedding = FigureEmbedder(encoder(context_s=8.0)).embed((noise(16.0), RATE))
    assert len(embedding.frames) == 13
    assert len(calls) <= 7
    assert set(calls) == {8 * RATE}


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_any_rate_and_length(rate):
    embedding = FigureEmbedder(encoder()).embed((noise(0.01, rate=rate), rate))
    assert embedding.frames.shape == (1, 24)  # the hidden layer and z
    assert np.isfinite(embedding.frames).all()


def test_view_vectors_use_the_sound_before_resampling():
    embedder = FigureEmbedder(encoder())
    x = noise(1.6)
    resampled = audio.resample(x, RATE, embedder.sample_rate)
    vectors = embedder.view_vectors([resampled], [(x, RATE)])
    np.testing.assert_allclose(vectors["h"], embedder.embed((x, RATE)).clip[None], atol=1e-5)
    assert vectors["z"].shape == (1, 8)


@pytest.fixture
def hums() -> tuple[PretrainedEncoder, np.ndarray, np.ndarray]:
    """An encoder that takes a buzz for hum and noise for clean, and 1.6 s of both."""
    embedder = FigureEmbedder(encoder())
    t = np.arange(round(1.6 * RATE)) / RATE
    buzz, plain = np.sign(np.sin(2 * np.pi * 50 * t)).astype(np.float32) * 0.2, noise(1.6)
    there, absent = (embedder.embed((x, RATE)).clip for x in (buzz, plain))
    direction = there - absent * float(there @ absent)
    direction /= np.linalg.norm(direction)
    middle = float(direction @ there) / 2
    weights = np.stack([-direction, direction, 0 * direction]).astype(np.float32) * 60
    bias = np.array([middle, -middle, 0], np.float32) * 60 + np.array([0, 0, -9], np.float32)
    zeros = np.zeros_like(weights)
    severity = np.array([0, 1, 0], np.float32)
    probe = SetProbe(STATES, weights, bias, zeros, severity, embedder.fingerprint)
    return PretrainedEncoder(embedder, probe), buzz, plain


def test_classify_says_what_is_present(hums):
    pretrained, buzz, plain = hums
    assert pretrained.of_sets
    assert pretrained.labels == STATES
    verdict = pretrained.classify((buzz, RATE))
    assert (verdict.label, verdict.present) == ("hum", ("hum",))
    assert verdict.probabilities["hum"] > 0.9 > 0.1 > verdict.probabilities["clean"]
    assert verdict.severity["hum"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-4)
    clean = pretrained.classify((plain, RATE))
    assert (clean.label, clean.present) == ("clean", ())


def test_a_fault_in_one_window_of_many_is_present(hums):
    pretrained, buzz, _ = hums
    long = np.concatenate([noise(7 * pretrained.hop_s, 1), buzz, noise(8.0, 2)])
    assert pretrained.classify((long, RATE)).present == ("hum",)


def test_scan_finds_where_it_is(tmp_path, hums):
    import soundfile

    pretrained, buzz, _ = hums
    path = tmp_path / "film.wav"
    start_s = 7 * pretrained.hop_s
    soundfile.write(path, np.concatenate([noise(start_s, 1), np.tile(buzz, 5), noise(8.0, 2)]), RATE)
    (segment,) = scan(path, pretrained, progress=False).segments
    assert segment.label == "hum"
    assert abs(segment.start / RATE - start_s) < 1.0
    assert abs(segment.stop / RATE - start_s - 8.0) < 1.0


def test_a_name_that_users_added_is_classified_and_scanned(tmp_path, hums):
    """It has no severity and no cells: its segments are as long as the windows."""
    import soundfile

    pretrained, buzz, _ = hums
    probe = pretrained.probe
    added = dataclasses.replace(
        probe,
        classes=(*STATES, "a_buzz"),
        weights=np.concatenate([probe.weights, probe.weights[1:2]]),
        bias=np.concatenate([probe.bias, probe.bias[1:2]]),
    )
    more = PretrainedEncoder(pretrained._embedder, added)
    assert more.labels == (*STATES, "a_buzz")
    verdict = more.classify((buzz, RATE))
    assert (verdict.label, verdict.present) == ("hum", ("hum", "a_buzz"))
    assert verdict.severity["a_buzz"] is None
    soundfile.write(tmp_path / "film.wav", np.concatenate([noise(8.0, 1), np.tile(buzz, 4), noise(8.0, 2)]), RATE)
    segments = scan(tmp_path / "film.wav", more, progress=False).segments
    assert {segment.label: segment.severity is None for segment in segments} == {"hum": False, "a_buzz": True}


def test_rates_of_alarms_are_for_encoders_of_sets(tmp_path, hums):
    pretrained, buzz, _ = hums
    levels = {2.0: np.full(3, 0.999999, np.float32), 20.0: np.full(3, 0.5, np.float32)}
    probe = dataclasses.replace(pretrained.probe, thresholds=levels)
    strict = PretrainedEncoder(FigureEmbedder(encoder()), probe)
    assert strict.classify((buzz, RATE), alarms_per_hour=20).present == ("hum",)
    with pytest.raises(ParameterError, match="above 0"):
        strict.classify((buzz, RATE), alarms_per_hour=-1)
    with pytest.raises(ParameterError, match="one label"):
        load("release/mn04").classify((noise(3.0), RATE), alarms_per_hour=6)


def test_too_short_is_said(hums):
    with pytest.raises(AudioError, match="too short"):
        hums[0].classify((noise(0.1), RATE))


def test_a_saved_encoder_opens_by_every_door(tmp_path, hums):
    pretrained, buzz, _ = hums
    encoder().save(tmp_path)
    assert isinstance(open_embedder(tmp_path), FigureEmbedder)
    pretrained.probe.save(tmp_path)
    assert load(tmp_path).classify((buzz, RATE)).present == ("hum",)
    with pytest.raises(ParameterError, match=re.escape("takes figures and no samples")):
        open_encoder(tmp_path, "the long-range analysis")
    (tmp_path / "probe.json").write_text("[]")
    with pytest.raises(StorageError):
        load(tmp_path)


def test_an_index_of_recordings_can_be_searched_and_shown(tmp_path, hums):
    """Rows of an archive hold all artifacts that are there; the explorer colours by each."""
    import soundfile

    from contrastive_artifacts.data import corpora
    from contrastive_artifacts.pages.explorer.collection import Collection
    from contrastive_artifacts.search.retrieval.archive import embed_recordings, index_table

    pretrained, buzz, _ = hums
    encoder_folder, recordings = tmp_path / "encoder", tmp_path / "recordings"
    encoder().save(encoder_folder)
    pretrained.probe.save(encoder_folder)
    recordings.mkdir()
    for n in range(6):
        soundfile.write(recordings / f"{n}.wav", buzz if n % 2 else noise(1.6, n), RATE)
    corpus = corpora.create("folder", path=recordings)
    table, problems = embed_recordings(corpus, corpus.clips, pretrained)
    assert not problems
    assert table.column("present").to_pylist() == ["clean", "hum"] * 3
    index_table(table, tmp_path / "index", pretrained.fingerprint)
    collection = Collection.of_index(tmp_path / "index", encoder_folder)
    assert {"present", "heard", "chance_hum"} <= set(collection.columns)
    assert collection.columns["present"].values == ("clean", "hum")


def test_the_release_hears_a_wow_that_it_is_played():
    """A chord at an uneven speed, and the same chord steady."""
    heard = load("release/all")
    assert heard.window_s == 5.0
    t = np.arange(12 * 44100) / 44100
    chances = []
    for deviation in (0.0, 0.01):
        ahead = deviation / (2 * np.pi * 2.0) * (1 - np.cos(2 * np.pi * 2.0 * t))
        tones = [np.sin(2 * np.pi * k * f * (t + ahead)) / k for f in (220, 277, 330) for k in range(1, 7)]
        x = 0.05 * np.sum(tones, axis=0) * (1 + 0.5 * np.sin(2 * np.pi * 0.3 * t)) + 0.01 * noise(12.0, rate=44100)
        chances.append(heard.classify((x.astype(np.float32), 44100)).probabilities["wow_flutter"])
    assert chances[1] > 5 * chances[0]
