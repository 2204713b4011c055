"""Codecs: alignment, bandwidth, and damage that grows as the bit rate falls."""

from __future__ import annotations

import numpy as np
import pytest
from artifact_table import blurred
from numpy.testing import assert_array_equal
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.base import geometric
from contrastive_artifacts.artifacts.dsp import coders
from contrastive_artifacts.artifacts.dsp.coders import CODERS
from contrastive_artifacts.core.errors import ParameterError

CODEC = artifacts.artifact("codec")


def sound(rate: int, seconds: float = 1.5) -> np.ndarray:
    """Noise with a voice-like spectrum and syllables."""
    rng = np.random.default_rng(4)
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(int(seconds * rate)))
    noise *= 0.2 + np.abs(np.sin(2 * np.pi * 2 * np.arange(len(noise)) / rate))
    return (0.05 * noise).astype(np.float32)[None]


def voice(rate: int, seconds: float = 1.5) -> np.ndarray:
    """A voice for speech codecs: pulses of varying pitch through three formants."""
    fine = 192000
    time = np.arange(int(seconds * fine)) / fine
    turns = np.cumsum(130 + 30 * np.sin(2 * np.pi * 1.3 * time) + 9 * np.sin(2 * np.pi * 5.1 * time)) / fine
    wave = np.diff(np.floor(turns), prepend=0)
    for centre, width in ((650, 90), (1100, 110), (2450, 160)):
        pole = np.exp(-np.pi * width / fine) * np.exp(2j * np.pi * centre / fine)
        wave = signal.lfilter([1 - abs(pole)], [1, -2 * pole.real, abs(pole) ** 2], wave)
    wave = signal.resample_poly(wave, rate, fine) if fine % rate else wave[:: fine // rate]
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)[None]


def lag(clean: np.ndarray, coded: np.ndarray, reach: int | None = None) -> int:
    """Delay of ``coded`` in samples, among all lags or those up to ``reach``."""
    zero = clean.shape[1] - 1
    reach = reach or zero
    fit = signal.correlate(coded[0], clean[0], method="fft")[zero - reach : zero + reach + 1]
    return int(np.argmax(fit)) - reach


def params(codec: str, severity: float, generations: int = 1) -> dict:
    band = CODERS[codec].band
    kbps = geometric(severity, band[-1][0], band[0][0])
    return {"codec": codec, "kbps": kbps, "generations": generations, "band": "falling"}


CASES = [(severity, 1) for severity in (0.0, 0.3, 0.6, 1.0)] + [(0.5, g) for g in (2, 3, 4, 5)]


@pytest.mark.parametrize("codec", sorted(set(CODERS) - {"amr_nb", "gsm"}))
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_coded_clips_are_aligned(codec: str, rate: int) -> None:
    clean = sound(rate)
    for severity, generations in CASES:
        out = CODEC.apply(clean, rate, params(codec, severity, generations))
        assert out.shape == clean.shape
        assert lag(clean, out) == 0, (severity, generations)


@pytest.mark.parametrize("codec", ["amr_nb", "gsm"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_speech_codecs_are_aligned_to_a_sample_at_8_khz(codec: str, rate: int) -> None:
    """To 1 / 8000 s, among lags of 0.5 ms: each generation changes the phase, and other periods may match better."""
    clean = voice(rate)
    for severity, generations in CASES:
        out = CODEC.apply(clean, rate, params(codec, severity, generations))
        assert out.shape == clean.shape
        assert abs(lag(clean, out, rate // 2000)) <= rate / 8000, (severity, generations)


@pytest.mark.parametrize("codec", sorted(set(CODERS) - {"amr_nb", "gsm"}))
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("kbps", [16.0, 48.0])
def test_a_clip_of_which_the_encoder_chooses_the_band_is_aligned(codec: str, rate: int, kbps: float) -> None:
    clean = sound(rate)
    for generations in (1, 3):
        chosen = params(codec, 0.0, generations) | {"kbps": kbps, "band": "encoder"}
        tolerance = 1 if codec == "opus" and kbps < 20 else 0  # where it codes speech by linear prediction
        assert abs(lag(clean, CODEC.apply(clean, rate, chosen))) <= tolerance, generations


@pytest.mark.parametrize("codec", ["opus", "vorbis"])
def test_an_encoder_keeps_more_of_the_band_than_is_left_to_it_otherwise(codec: str) -> None:
    """At 32 kbit/s, of white noise at 44.1 kHz: the falling band ends at 4 to 12 kHz."""
    clean = (0.1 * np.random.default_rng(2).standard_normal((1, 66150))).astype(np.float32)
    edges = []
    for band in ("falling", "encoder"):
        coded = CODEC.apply(clean, 44100, params(codec, 0.0) | {"kbps": 32.0, "band": band})
        frequencies, power = signal.welch(coded[0], 44100, nperseg=2048)
        edges.append(frequencies[power > 0.02 * np.median(power[:100])].max())
    assert edges[1] > 1.05 * edges[0], edges


def test_telephone_codecs_always_have_a_narrow_band() -> None:
    drawn = [CODEC.sample(0.5, np.random.default_rng(seed)) for seed in range(200)]
    assert {p["band"] for p in drawn if p["codec"] in ("gsm", "amr_nb")} == {"falling"}
    assert {p["band"] for p in drawn if p["codec"] == "mp3"} == {"falling", "encoder"}
    assert max(p["kbps"] for p in drawn if p["band"] == "encoder") <= 48


@pytest.mark.parametrize("codec", CODERS)
@pytest.mark.parametrize("generations", [1, 3])
def test_damage_grows_as_the_bit_rate_falls(codec: str, generations: int) -> None:
    for clean in (sound(44100), voice(44100)):
        measured = []
        for severity in np.linspace(0, 1, 5):
            out = CODEC.apply(clean, 44100, params(codec, severity, generations))
            measured.append(blurred(clean, out, 44100))
        assert (np.diff(measured) > 0).all(), measured


@pytest.mark.parametrize("codec", CODERS)
def test_the_level_of_a_voice_is_preserved(codec: str) -> None:
    clean = voice(44100)
    for severity in (0.0, 0.5, 1.0):
        out = CODEC.apply(clean, 44100, params(codec, severity))
        assert abs(20 * np.log10(np.std(out) / np.std(clean))) < 1.5


@pytest.mark.parametrize("codec", CODERS)
def test_generations_add_up(codec: str) -> None:
    clean = sound(44100)
    spectral = [blurred(clean, CODEC.apply(clean, 44100, params(codec, 0.3, g)), 44100) for g in (1, 2, 5)]
    assert (np.diff(spectral) > 0).all(), spectral


@pytest.mark.parametrize("codec", CODERS)
def test_the_bandwidth_is_that_of_the_table(codec: str) -> None:
    clean = (0.1 * np.random.default_rng(2).standard_normal((1, 66150))).astype(np.float32)
    for severity in (0.3, 1.0):
        chosen = params(codec, severity)
        edge = CODERS[codec].highest(chosen["kbps"])
        frequencies, power = signal.welch(CODEC.apply(clean, 44100, chosen)[0], 44100, nperseg=2048)
        outside = power[frequencies > 1.7 * edge].max()
        assert 10 * np.log10(outside / power[(frequencies > 300) & (frequencies < 0.5 * edge)].mean()) < -25


def test_loud_audio_is_not_clipped_by_the_encoder() -> None:
    clean = sound(44100)
    loud = CODEC.apply(clean * 40, 44100, params("mp3", 0.0))
    assert np.std(loud) == pytest.approx(np.std(clean * 40), rel=0.05)
    assert np.abs(loud).max() > 2


def test_a_bit_rate_out_of_range_is_clamped() -> None:
    clean = sound(44100)
    beyond = CODEC.apply(clean, 44100, params("amr_nb", 0.0) | {"kbps": 64.0})
    assert_array_equal(beyond, CODEC.apply(clean, 44100, params("amr_nb", 0.0)))


def test_the_error_of_a_missing_encoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(samples: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
        import av

        av.CodecContext.create("no_such_encoder", "w")
        raise AssertionError

    coder = coders.Coder(absent, "no_such_encoder", ((8, 3000), (64, 9000)), (8000, 44100), ((0, 0),))
    monkeypatch.setitem(coders.CODERS, "mp3", coder)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"mp3 encoder \(no_such_encoder\).*pip install --upgrade av"):
        CODEC.apply(sound(44100), 44100, params("aac", 0.0) | {"codec": "mp3"})


@pytest.mark.parametrize(("codec", "severity"), [("gsm", 0.0), ("gsm", 0.3), ("amr_nb", 0.0), ("amr_nb", 1.0)])
@pytest.mark.parametrize("rate", [7000, 8000, 9000])
def test_a_telephone_codec_leaves_no_edge_in_a_file_of_its_rate(codec: str, severity: float, rate: int) -> None:
    """The highest twentieth of the band stays within 20 dB of what it was; a resampler leaves 60 dB less there."""
    clean = (0.1 * np.random.default_rng(2).standard_normal((1, 2 * rate))).astype(np.float32)
    powers = [
        signal.welch(sound[0], rate, nperseg=512)[1]
        for sound in (clean, CODEC.apply(clean, rate, params(codec, severity)))
    ]
    before, after = (10 * np.log10(power[-18:-5].mean()) for power in powers)
    assert after > before - 20


def test_a_clip_of_the_rate_of_a_codec_is_coded_sample_by_sample() -> None:
    clean = voice(8000)
    coded = coders.code(clean[0], 8000, "gsm", 13.0)[: clean.shape[1]]
    assert_array_equal(CODEC.apply(clean, 8000, params("gsm", 0.0) | {"kbps": 13.0})[0], coded)
