"""The built-in corpus: clean, varied, and the same whatever the order and the process."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from contrastive_artifacts.core.errors import CorpusError, ParameterError, UnknownNameError
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.data.corpora import create
from contrastive_artifacts.data.corpora.base import Clip
from contrastive_artifacts.data.corpora.builtin import BuiltinCorpus, builtin
from contrastive_artifacts.data.corpora.synthesis import KINDS, dsp, voices

KIND_NAMES = KINDS.names()
ROUNDS = 2
HASHES = """
import hashlib, sys
from contrastive_artifacts.data.corpora.builtin import builtin
corpus = builtin(seed=5, sources=40, duration_s=0.5, sample_rate=16000)
for clip in reversed(corpus.clips):
    print(clip.id, hashlib.sha256(corpus.load(clip)[0].tobytes()).hexdigest())
print(corpus.fingerprint)
"""


@pytest.fixture(scope="module")
def corpus() -> BuiltinCorpus:
    return BuiltinCorpus(seed=11, sources=ROUNDS * len(KIND_NAMES), duration_s=2.0, sample_rate=44100)


@pytest.fixture(scope="module")
def waves(corpus: BuiltinCorpus) -> dict[Clip, np.ndarray]:
    return {clip: corpus.load(clip)[0][0] for clip in corpus.clips}


def longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int(max(edges[1::2] - edges[::2], default=0))


def test_many_kinds_in_balance() -> None:
    assert len(KIND_NAMES) >= 20
    for sources in (1, len(KIND_NAMES), 160):
        counts = Counter(clip.category for clip in builtin(sources=sources).clips)
        assert sum(counts.values()) == sources
        assert max(counts.values()) - min((counts[name] for name in KIND_NAMES), default=0) <= 1


def test_every_clip_is_its_own_source() -> None:
    clips = builtin(sources=50).clips
    assert len({clip.source for clip in clips}) == 50
    assert all(clip.id == clip.source == f"builtin/{i:04d}-{clip.category}" for i, clip in enumerate(clips))


def test_waveforms_are_clean(waves: dict[Clip, np.ndarray]) -> None:
    peaks = []
    for clip, wave in waves.items():
        assert wave.dtype == np.float32, clip.id
        assert wave.shape == (88200,), clip.id
        assert np.isfinite(wave).all(), clip.id
        peaks.append(20 * np.log10(np.abs(wave).max()))
        assert -20.2 <= peaks[-1] <= -1.0, clip.id
        assert abs(wave.mean()) < 0.02 * np.abs(wave).max(), f"{clip.id} has an offset"
        assert longest_run(np.abs(wave) > 0.999 * np.abs(wave).max()) < 8, f"{clip.id} has a plateau"
        # also once written with 16 bits, which is what a field recorder would do to a pause
        assert longest_run(np.round(wave * 32767) == 0) < 0.001 * 44100 * 4, clip.id
        assert longest_run(wave == 0) < 0.001 * 44100, clip.id
    assert np.ptp(peaks) > 12


def test_pauses_lie_on_a_quiet_floor(waves: dict[Clip, np.ndarray]) -> None:
    for clip, wave in waves.items():
        blocks = wave[: wave.size // 882 * 882].reshape(-1, 882)
        quietest = 20 * np.log10(np.sqrt(np.mean(blocks**2, axis=1)).min())
        assert quietest > -100, f"{clip.id} falls silent"


@pytest.mark.parametrize("kind", ["speech", "organ", "brass", "alarm", "bass", "singing", "flute"])
def test_tonal_sounds_start_and_stop_without_a_step(kind: str) -> None:
    """A jump in the wave would stand out in the second difference; a ramp does not."""
    for take in range(3):
        wave = KINDS[kind](generator(take, kind), 88200, 44100).astype(float)
        bend = np.abs(np.diff(wave, 2))
        blocks = bend[: bend.size // 200 * 200].reshape(-1, 200).max(axis=1)
        assert bend.max() < 0.9 * np.abs(wave).max()
        assert blocks.max() < 40 * np.quantile(blocks, 0.9)


def test_two_sources_of_a_kind_differ(waves: dict[Clip, np.ndarray]) -> None:
    for kind in KIND_NAMES:
        first, second, *_ = (wave for clip, wave in waves.items() if clip.category == kind)
        spectra = [np.abs(np.fft.rfft(wave)) for wave in (first, second)]
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.5, kind
        assert np.corrcoef(*spectra)[0, 1] < 0.95, kind


def test_kinds_are_told_apart_by_their_spectra() -> None:
    """Nearest centroid on coarse band statistics, trained on other sources, is right far more often than by chance."""
    corpora = [builtin(seed=seed, sources=3 * len(KIND_NAMES), duration_s=2.0, sample_rate=16000) for seed in (1, 2)]
    tables = [[(clip.category, _bands(corpus.load(clip)[0][0])) for clip in corpus.clips] for corpus in corpora]
    spread = np.std([features for _, features in tables[0]], axis=0) + 1e-6
    centroids = {kind: np.mean([f for k, f in tables[0] if k == kind], axis=0) / spread for kind in KIND_NAMES}
    hits = [kind == min(centroids, key=lambda k: np.sum((centroids[k] - f / spread) ** 2)) for kind, f in tables[1]]
    assert np.mean(hits) > 6 / len(KIND_NAMES)


def _bands(wave: np.ndarray) -> np.ndarray:
    frame = 512
    power = np.abs(np.fft.rfft(wave[: wave.size // frame * frame].reshape(-1, frame) * np.hanning(frame), axis=1)) ** 2
    edges = np.unique(np.geomspace(2, 257, 22).astype(int))
    decibels = 10 * np.log10(np.stack([power[:, a:b].mean(axis=1) for a, b in itertools.pairwise(edges)]) + 1e-10)
    decibels -= decibels.max()
    return np.concatenate([decibels.mean(axis=1), decibels.std(axis=1)])


def test_order_and_process_do_not_matter() -> None:
    corpus = builtin(seed=5, sources=40, duration_s=0.5, sample_rate=16000)
    lines = [f"{c.id} {hashlib.sha256(corpus.load(c)[0].tobytes()).hexdigest()}" for c in corpus.clips]
    other = subprocess.run([sys.executable, "-c", HASHES], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert other[:40] == lines[::-1]
    assert other[40] == corpus.fingerprint


def test_more_sources_leave_the_first_ones_alone() -> None:
    few, many = (builtin(sources=count, duration_s=0.2, sample_rate=8000) for count in (5, 90))
    assert many.clips[:5] == few.clips
    np.testing.assert_array_equal(few.load(few.clips[4])[0], many.load(many.clips[4])[0])


def test_the_seed_changes_the_sounds() -> None:
    one, two = (builtin(seed=seed, sources=36, duration_s=0.2, sample_rate=8000) for seed in (1, 2))
    rain = [next(c for c in corpus.clips if c.category == "rain") for corpus in (one, two)]
    assert not np.array_equal(one.load(rain[0])[0], two.load(rain[1])[0])


@pytest.mark.parametrize(
    ("rate", "seconds"), [(8000, 1.0), (48000, 0.3), (16000, 10.0), (44100, 0.05), (4000, 0.5), (192000, 0.1)]
)
def test_any_rate_and_duration(rate: int, seconds: float) -> None:
    corpus = create("builtin", sources=len(KIND_NAMES), duration_s=seconds, sample_rate=rate)
    for clip in corpus.clips[:: 5 if rate * seconds > 100000 or rate == 192000 else 1]:
        wave, loaded_rate = corpus.load(clip)
        assert loaded_rate == rate
        assert wave.shape == (1, round(rate * seconds)), clip.id
        assert np.isfinite(wave).all(), clip.id
        assert np.abs(wave).max() > 0.09, clip.id


def test_fingerprint_covers_every_option() -> None:
    base = {"seed": 1, "sources": 8, "duration_s": 1.0, "sample_rate": 16000}
    changed = [base, *({**base, key: value * 2} for key, value in base.items())]
    assert len({create("builtin", **options).fingerprint for options in changed}) == 5
    assert create("builtin", **base).fingerprint == create("builtin", **base).fingerprint


@pytest.mark.parametrize("pitch", [110.0, 220.0, 391.0])
def test_a_sung_tone_has_the_pitch_asked_for_and_vibrato(pitch: float) -> None:
    rate = 44100
    wave = voices.sung(generator(3, int(pitch)), 2 * rate, rate, pitch)
    tracked = []
    for start in range(rate // 2, 2 * rate - 2048, 441):
        spectrum = np.abs(np.fft.rfft(wave[start : start + 2048], 8192)) ** 2
        lag = np.fft.irfft(spectrum)
        low, high = int(rate / (1.4 * pitch)), int(rate / (0.7 * pitch))
        tracked.append(rate / (low + int(np.argmax(lag[low:high]))))
    assert np.mean(tracked) == pytest.approx(pitch, rel=0.02)
    deviation = np.array(tracked) / np.mean(tracked) - 1
    spectrum = np.abs(np.fft.rfft(deviation * np.hanning(deviation.size), 4096))
    rates = np.fft.rfftfreq(4096, 0.01)
    assert 4.0 < rates[np.argmax(np.where(rates > 2, spectrum, 0))] < 7.3
    assert 0.004 < np.abs(deviation).max() < 0.1


def test_modes_ring_at_their_frequency_and_decay_as_asked() -> None:
    wave = dsp.modes(np.array([440.0]), np.array([1.0]), 0.5, 44100, 44100, generator(1))
    spectrum = np.abs(np.fft.rfft(wave))
    assert abs(int(np.argmax(spectrum)) - 440) <= 1
    first, later = (np.sqrt(np.mean(wave[a : a + 4410] ** 2)) for a in (0, 22050))
    assert 20 * np.log10(first / later) == pytest.approx(60, abs=1)
    assert abs(wave[0]) < 1e-6


def test_oscillator_agrees_with_the_sum_of_sines() -> None:
    cycles = dsp.phase_of(np.linspace(100, 300, 20000), 16000)
    weights = np.array([1.0, 0.5, 0.0, 0.25])
    slow = sum(w * np.cos(2 * np.pi * k * cycles) for k, w in enumerate(weights, 1))
    np.testing.assert_allclose(dsp.oscillator(cycles, weights), slow, atol=2e-5)


def test_frames_give_the_wave_back() -> None:
    wave = generator(2).standard_normal(5001).astype(np.float32)
    np.testing.assert_allclose(dsp.unspectra(dsp.spectra(wave, 256), 256, 5001), wave, atol=1e-5)


def test_drums_have_attacks_and_an_organ_is_steady() -> None:
    def crest(kind: str, take: int) -> float:
        wave = KINDS[kind](generator(take, kind), 88200, 44100)
        return float(np.abs(wave).max() / np.sqrt(np.mean(wave**2)))

    assert min(crest("drums", take) for take in range(4)) > max(crest("organ", take) for take in range(4)) > 1.4


def test_errors_say_what_to_do(corpus: BuiltinCorpus) -> None:
    for options in ({"sources": 0}, {"duration_s": 0.01}, {"duration_s": float("nan")}, {"sample_rate": 1000}):
        with pytest.raises(ParameterError, match=next(iter(options))):
            builtin(**options)
    with pytest.raises(CorpusError, match="not one of this corpus"):
        corpus.load(Clip(id="builtin/0000-nothing", source="x"))
    with pytest.raises(UnknownNameError, match="rain"):
        KINDS["rainn"]
