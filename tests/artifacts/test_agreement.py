"""Agreement with other implementations: SciPy, torchaudio, filters of FFmpeg, audiomentations, pedalboard.

Each test states how close. audiomentations and pedalboard are compared only where they are installed.
"""

from __future__ import annotations

import warnings
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.aliasing import effective_rate
from contrastive_artifacts.artifacts.kinds.reverb import reverberation
from contrastive_artifacts.core import torchaudio as _torchaudio

RATE = 44100


def apply(name: str, wave: np.ndarray, rate: int = RATE, **params: Any) -> np.ndarray:
    return artifacts.artifact(name).apply(np.atleast_2d(wave).astype(np.float32), rate, params)


def noise(seconds: float = 1.0, rate: int = RATE, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(8).standard_normal((1, int(seconds * rate)))).astype(np.float32)


def tone(frequency: float, seconds: float = 1.0, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)[None]


def deviation_db(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Energy of the difference re that of ``theirs``, in dB."""
    return float(10 * np.log10(np.square(ours - theirs).sum() / np.square(theirs).sum()))


def ffmpeg(wave: np.ndarray, chain: str, rate: int = RATE) -> np.ndarray:
    """``[1, T]`` through audio filters of FFmpeg, such as "lowpass=f=3000,volume=2"."""
    graph = av.filter.Graph()
    nodes = [graph.add_abuffer(sample_rate=rate, format="fltp", layout="mono", time_base=None)]
    for part in [*chain.split(","), "aformat=sample_fmts=fltp"]:
        name, _, arguments = part.partition("=")
        nodes.append(graph.add(name, arguments))
    nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes).configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave, dtype=np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray())
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(parts, axis=1)


@pytest.fixture(scope="module")
def functional() -> Any:
    return _torchaudio.load("torchaudio.functional")


@pytest.mark.parametrize("order", [8, 12])
def test_bandlimit_is_the_butterworth_of_scipy_and_of_ffmpeg(order: int) -> None:
    """SciPy's sections, and a cascade of FFmpeg's biquads, both within -120 dB."""
    wave = noise()
    out = apply("bandlimit", wave, cutoff_hz=3400.0, order=order, highpass_hz=0.0, academy=0.0)
    scipy = signal.sosfilt(signal.butter(order, 3400, fs=RATE, output="sos"), wave.astype(np.float64))
    assert deviation_db(out, scipy) < -120
    quality = [1 / (2 * np.sin(np.pi * (k + 0.5) / order)) for k in range(order // 2)]
    biquads = ",".join(f"lowpass=f=3400:t=q:w={q:.9f}:precision=f64" for q in quality)
    assert deviation_db(out, ffmpeg(wave, biquads)) < -120


def test_equalizers_are_the_biquads_of_ffmpeg() -> None:
    """Within -110 dB."""
    wave = noise()
    cases = [
        ("eq_bright", {"gain_db": -10.0}, "highshelf=f=6000:t=q:w=0.707106781:g=-10:precision=f64"),
        ("eq_dark", {"gain_db": 10.0}, "highshelf=f=6000:t=q:w=0.707106781:g=10:precision=f64"),
        ("eq_boom", {"gain_db": -15.0}, "lowshelf=f=120:t=q:w=0.707106781:g=-15:precision=f64"),
        ("eq_warm", {"gain_db": -12.0}, "lowshelf=f=400:t=q:w=0.707106781:g=-12:precision=f64"),
        ("eq_mud", {"gain_db": 9.0, "centre_hz": 300.0}, "equalizer=f=300:t=o:w=1.4:g=9:precision=f64"),
    ]
    for name, params, chain in cases:
        assert deviation_db(apply(name, wave, **params), ffmpeg(wave, chain)) < -110, name


def test_equalizers_are_the_biquads_of_torchaudio(functional: Any) -> None:
    """Within -80 dB, on a short clip: without its extension, torchaudio's loop over samples runs in Python."""
    wave = noise(0.05)
    shelf = functional.treble_biquad(torch.from_numpy(wave), RATE, -10.0, 6000.0, Q=0.70710678)
    assert deviation_db(apply("eq_bright", wave, gain_db=-10.0), shelf.numpy()) < -80
    muffled = torch.from_numpy(wave)
    for k in range(4):
        quality = 1 / (2 * np.sin(np.pi * (k + 0.5) / 8))
        muffled = functional.lowpass_biquad(muffled, RATE, 3400.0, quality)
    out = apply("bandlimit", wave, cutoff_hz=3400.0, order=8, highpass_hz=0.0, academy=0.0)
    assert deviation_db(out, muffled.numpy()) < -80


@pytest.mark.parametrize("snr_db", [5.0, 22.0, 40.0])
def test_hiss_has_the_level_of_add_noise(functional: Any, snr_db: float) -> None:
    """The same noise at the same signal-to-noise ratio: within 0.05 dB for sound without pauses."""
    wave = tone(440, 2.0)
    params = {"seed": 5, "snr_db": snr_db, "slope_db": -3.0, "lift_db": 0.0, "lift_hz": 1000.0, "swell": 0.0}
    hiss = apply("hiss", wave, swell_hz=1.0, **params) - wave
    theirs = functional.add_noise(torch.from_numpy(wave), torch.from_numpy(hiss), torch.tensor([snr_db])).numpy() - wave
    assert abs(20 * np.log10(np.std(hiss) / np.std(theirs))) < 0.05


def test_echo_is_aecho() -> None:
    """Within -120 dB outside the first 5 ms of each repetition, where ours fades in."""
    wave = noise()
    params = {"delay_ms": 100.0, "level_db": -6.0, "repeats": 2, "decay_db": 5.0, "cutoff_hz": 0.0}
    gains = "|".join(f"{10 ** (db / 20):.9f}" for db in (-6, -11))
    theirs = ffmpeg(wave, f"aecho=in_gain=1:out_gain=1:delays=100|200:decays={gains}")[:, :RATE]
    out = apply("echo", wave, **params)
    faded = np.zeros(RATE, dtype=bool)
    for start in (4410, 8820):
        faded[start : start + 230] = True
    assert deviation_db(out[:, ~faded], theirs[:, ~faded]) < -120


def test_quantization_is_acrusher() -> None:
    """Equal steps: our bits are relative to the peak and for both signs, theirs to full scale and for one sign."""
    wave = noise(level=0.2)
    wave /= np.abs(wave).max()
    for bits in (4, 7, 10):
        theirs = ffmpeg(wave, f"acrusher=bits={bits - 1}:mode=lin:aa=0:samples=1:mix=0")
        out = apply("quantization", wave, seed=1, bits=float(bits), dither="none")
        # By rounding errors, a sample half way between two steps may be rounded to either.
        assert np.mean(np.abs(out - theirs) > 1e-6) < 1e-3, bits


def test_quantization_is_fake_quantize_of_torch() -> None:
    wave = noise()
    out = apply("quantization", wave, seed=1, bits=6.0, dither="none")
    step = float(np.abs(wave).max() / 31)
    theirs = torch.fake_quantize_per_tensor_affine(torch.from_numpy(wave), step, 0, -31, 31).numpy()
    assert np.mean(np.abs(out - theirs) > 1e-6) < 1e-3


def test_clipping_is_clip_at_the_quantile() -> None:
    """The ceiling is NumPy's quantile, within one sample in rank; FFmpeg's asoftclip with it gives the same samples."""
    wave = noise()
    out = apply("clipping", wave, share=0.1, knee=0.0, skew=0.0, oversampling=1)
    ceiling = float(np.abs(out).max())
    assert ceiling == pytest.approx(np.quantile(np.abs(wave), 0.9), rel=1e-4)
    assert_allclose(out, np.clip(wave, -ceiling, ceiling), atol=1e-7)
    assert_allclose(out, ffmpeg(wave, f"asoftclip=type=hard:threshold={ceiling:.9f}"), atol=1e-6)


def test_overdrive_is_volume_and_asoftclip() -> None:
    wave = noise()
    peak = float(np.abs(wave).max())
    theirs = ffmpeg(wave, f"volume=3:precision=double,asoftclip=type=hard:threshold={peak:.9f}")
    assert_allclose(apply("overdrive", wave, gain=3.0), theirs, atol=1e-6)


def test_saturation_is_oversampled_tanh() -> None:
    """SciPy's resampling by eight around NumPy's tanh, and FFmpeg's curve on tones too low to alias: within -50 dB."""
    wave = tone(197, level=0.1) + tone(601, level=0.1)
    out = apply("saturation", wave, drive_db=18.0, bias=0.0, curve="tanh", oversampling=2)
    unit = float(np.sqrt(np.mean(wave**2))) / 10 ** (3 / 20)  # the active level is 3 dB above 1 at the input of tanh
    fine = signal.resample_poly(wave.astype(np.float64), 8, 1, axis=1)
    scipy = signal.resample_poly(np.tanh(fine / unit), 1, 8, axis=1)
    for theirs in (scipy, ffmpeg(wave, f"asoftclip=type=tanh:threshold={unit:.9f}")):
        theirs = theirs * np.std(wave) / np.std(theirs)
        assert deviation_db(out[:, 2000:-2000], theirs[:, 2000:-2000]) < -50


def demodulated(wave: np.ndarray, frequency: float) -> np.ndarray:
    """Relative deviation of the frequency of a tone, in the middle of the clip."""
    analytic = signal.hilbert(wave[0].astype(np.float64))
    hertz = np.diff(np.unwrap(np.angle(analytic))) * RATE / (2 * np.pi)
    return (hertz / frequency - 1)[8000:-8000]


def test_wow_has_the_deviation_of_vibrato() -> None:
    """The delay of vibrato varies by depth / 400 s, so its speed by 2 pi f depth / 400: within 3 %."""
    wave = tone(1000, 3.0)
    ours = demodulated(apply("wow_flutter", wave, deviation=2 * np.pi * 5 * 0.1 / 400, parts=[[5.0, 1.0, 0.0]]), 1000)
    swinging = ffmpeg(wave, "vibrato=f=5:d=0.1")
    swinging[:, :1000] = wave[:, :1000]  # the delay line of vibrato starts with uninitialised memory
    theirs = demodulated(swinging, 1000)
    smooth = signal.butter(4, 50, fs=RATE, output="sos")  # the linear interpolation of vibrato adds phase noise
    ours, theirs = (signal.sosfiltfilt(smooth, deviation)[4000:-4000] for deviation in (ours, theirs))
    assert np.ptp(ours) == pytest.approx(np.ptp(theirs), rel=0.03)


def test_a_speed_error_is_resampling() -> None:
    """Within -50 dB of swresample and of SciPy's polyphase filter, in the middle of the clip and below 8 kHz."""
    middle = 21 * 500  # 5 % faster about the middle: 500 samples ahead at the start
    wave = signal.sosfilt(signal.butter(10, 8000, fs=RATE, output="sos"), noise(1.0)[:, : 2 * middle + 1])
    wave = wave.astype(np.float32)
    out = apply("speed_error", wave, speed=0.05, drift=0.0, drift_hz=0.1, drift_phase=0.0)
    fast = ffmpeg(wave, f"asetrate={RATE * 21 // 20},aresample={RATE}:filter_size=64:phase_shift=10:cutoff=0.97")
    for theirs in (fast, signal.resample_poly(wave, 20, 21, axis=1)):
        assert deviation_db(out[:, 2000:-2000], theirs[:, 1500 : 1500 + out.shape[1] - 4000]) < -50


def test_reverb_is_convolution() -> None:
    """SciPy's FFT convolution with the same response, in double precision: within -120 dB."""
    wave = noise()
    params = {"seed": 3, "t60_s": 0.8, "drr_db": 0.0, "damping": 0.7, "predelay_ms": 8.0, "early_db": -6.0}
    response = reverberation(RATE, params).astype(np.float64)
    response[0] += 1
    theirs = signal.fftconvolve(wave[0].astype(np.float64), response)[:RATE]
    assert deviation_db(apply("reverb", wave, **params), theirs[None]) < -120


def test_comb_is_a_two_tap_filter() -> None:
    wave = noise()
    taps = np.zeros(45)
    taps[[0, 44]] = 1, 10 ** (-6 / 20)
    theirs = signal.lfilter(taps / taps.sum(), [1.0], wave.astype(np.float64))
    assert deviation_db(apply("comb", wave, delay_ms=44 / RATE * 1000, copy_db=-6.0), theirs) < -80


def test_aliases_lie_where_decimation_puts_them() -> None:
    """A tone of 7 kHz sampled at 11025 Hz: in SciPy's and in ours it is aliased to 4025 Hz, at the same level."""
    wave = tone(7000)
    out = apply("aliasing", wave, rate_hz=11025.0, images="none")
    assert effective_rate(11025.0, RATE) == 11025.0
    theirs = signal.resample_poly(wave[:, ::4], 4, 1, axis=1)
    for frequency in (4025.0, 7000.0):
        probe = np.exp(-2j * np.pi * frequency * np.arange(30000) / RATE) * np.hanning(30000)
        levels = [abs(np.dot(w[0, 5000:35000], probe)) / np.hanning(30000).sum() * 2 for w in (out, theirs)]
        assert levels[0] == pytest.approx(levels[1], abs=0.015)
    assert levels[0] < 0.01


def test_compression_settles_where_acompressor_does() -> None:
    """25 dB above the threshold at a ratio of 10 : 1, on a steady tone: within 0.1 dB. Their attack and release are
    equal, because their detector is biased towards peaks otherwise."""
    wave = tone(500, 3.0, level=np.sqrt(2) * 10 ** (-15 / 20))
    params = {"threshold_db": -40.0, "ratio": 10.0, "attack_ms": 10.0, "release_ms": 200.0, "makeup_db": 16.0}
    chain = "acompressor=threshold=0.01:ratio=10:attack=200:release=200:makeup=6.3096:knee=1:detection=rms"
    levels = [np.std(w[0, 3 * RATE // 2 :]) for w in (apply("compression", wave, **params), ffmpeg(wave, chain))]
    assert abs(20 * np.log10(levels[0] / levels[1])) < 0.1


@pytest.fixture(scope="module")
def peer() -> Any:
    """audiomentations, if it is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("audiomentations")


def test_clipping_is_clipping_distortion(peer: Any) -> None:
    """They cut half of the share on each side: within -50 dB for a symmetric distribution."""
    wave = noise()
    out = apply("clipping", wave, share=0.1, knee=0.0, skew=0.0, oversampling=1)
    theirs = peer.ClippingDistortion(10, 10, p=1.0)(wave[0], sample_rate=RATE)
    assert deviation_db(out, theirs[None]) < -50


def test_quantization_is_bit_crush(peer: Any) -> None:
    """Their q is 2 ** (bits - 1) + 1 steps to full scale, ours 2 ** (bits - 1) - 1: the errors differ by that ratio."""
    wave = noise()
    wave /= np.abs(wave).max()
    out = apply("quantization", wave, seed=1, bits=8.0, dither="none")
    theirs = peer.BitCrush(8, 8, p=1.0)(wave[0], sample_rate=RATE)
    ratio_db = 20 * np.log10(np.std(out - wave) / np.std(theirs - wave))
    assert ratio_db == pytest.approx(20 * np.log10(129 / 127), abs=0.1)


def test_bandlimit_is_low_pass_filter(peer: Any) -> None:
    """48 dB per octave: within -80 dB after the start, where theirs assumes a constant signal before the clip."""
    wave = noise()
    out = apply("bandlimit", wave, cutoff_hz=3400.0, order=8, highpass_hz=0.0, academy=0.0)
    theirs = peer.LowPassFilter(3400, 3400, 48, 48, p=1.0)(wave[0], sample_rate=RATE)
    assert deviation_db(out[:, 4000:], theirs[None, 4000:]) < -80


def test_aliasing_is_aliasing(peer: Any) -> None:
    """Linear interpolation between samples at the lower rate: within -35 dB in the first 0.1 s. Later theirs drifts,
    because it resamples to a whole number of samples, and it also interpolates the clip linearly."""
    wave = tone(600) + tone(3100, level=0.1)
    theirs = peer.Aliasing(11025, 11025, p=1.0)(wave[0], sample_rate=RATE)
    out = apply("aliasing", wave, rate_hz=11025.0, images="linear")
    assert deviation_db(out[:, :4000], theirs[None, :4000]) < -35


def test_codec_loses_what_mp3_compression_does(peer: Any) -> None:
    """mp3 at 32 kbit/s: equal bandwidth within 0.3 octaves, and no delay."""
    pytest.importorskip("fast_mp3_augment")
    wave = noise(2.0)
    out = apply("codec", wave, codec="mp3", kbps=32.0, generations=1, band="falling")
    theirs = peer.Mp3Compression(32, 32, p=1.0)(wave[0], sample_rate=RATE)[None]
    edges = []
    for coded in (out, theirs):
        assert int(np.argmax(signal.correlate(coded[0], wave[0], method="fft"))) == wave.shape[1] - 1
        hertz, power = signal.welch(coded[0], RATE, nperseg=2048)
        edges.append(hertz[power > 0.1 * np.median(power[hertz < 3000])].max())
    assert abs(np.log2(edges[0] / edges[1])) < 0.3


def test_pedalboard_agrees() -> None:
    """Hard clipping to the sample; quantization to 1 dB in the level of the error."""
    pedalboard = pytest.importorskip("pedalboard")
    wave = noise()
    peak = float(np.abs(wave).max())
    driven = pedalboard.Clipping(threshold_db=20 * np.log10(peak))(3 * wave, RATE)
    assert_allclose(apply("overdrive", wave, gain=3.0), driven, atol=1e-5)
    full = wave / peak
    crushed = pedalboard.Bitcrush(bit_depth=7)(full, RATE)
    out = apply("quantization", full, seed=1, bits=8.0, dither="none")
    assert abs(20 * np.log10(np.std(out - full) / np.std(crushed - full))) < 1
