"""A window of a recording for the served pages: waveform outline, spectrogram, and audio that browsers decode."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import soundfile
from scipy import fft

from ... import audio

SCALES = ("linear", "low", "log")
LOW_HZ = 1000.0  # upper edge of the scale "low", on which the harmonics of hum are resolved
RANGE_DB = 100.0
BEYOND_S = 0.125  # half of the longest frame: what a window needs of its surroundings
_COLUMNS, _ROWS = 720, 192
_LOWEST_LOG_HZ = 20.0
_LANES = 8  # channels whose outlines are drawn apart
_FRAME_S = (0.023, 0.25)  # about 2048 points at 44.1 kHz, and lines 4 Hz apart
_BANDS_HZ = (4000.0, 1000.0)  # a band of this width and more, or less, has these frames
_LOG_BAND_HZ = 2000.0  # widest, for frames of a logarithmic scale, which shows low tones as large as high ones
_FRAMES = 8  # of a column at most, so that a click in a minute of sound is seen
_BLOCK = 1 << 21  # samples that are transformed at a time


def picture(
    waveform: np.ndarray,
    sample_rate: int,
    scale: str = "linear",
    shown: tuple[int, int] | None = None,
    low_hz: float = 0.0,
    high_hz: float | None = None,
) -> dict[str, Any]:
    """Outline and spectrogram of a window.

    Args:
        waveform: float32 ``[C, T]``.
        sample_rate: In Hz.
        scale: "linear", "log" (from 20 Hz), or "low", linear up to 1 kHz.
        shown: Samples [a, b) that the picture covers; those on both sides of them are in the frames at its ends.
            Without them, frames at the ends lie inside, as silence beyond an end would be a bright line.
        low_hz, high_hz: Frequencies that the picture covers; by default all.

    Returns:
        ``low``, ``high``: minimum and maximum of the waveform in each of up to 720 columns, over all channels;
        ``lanes``: the same pair for each of two to eight channels; ``rows``, ``columns``, ``spectrogram``: base64 of
        uint8 ``[rows, columns]``, the highest frequency first, the loudest channel and frame in each place, 255 for a
        full-scale sine (a tone between two bins of the Hann frames reads up to 1.4 dB low) and 0 for 100 dB below it
        and less; ``bottom_hz``, ``top_hz``: frequencies at the edges.
    """
    first, last = shown or (0, waveform.shape[1])
    inside = waveform[:, first:last]
    half = sample_rate / 2
    top = min(half, LOW_HZ if scale == "low" else high_hz or half)
    bottom = min(max(low_hz, _LOWEST_LOG_HZ if scale == "log" else 0.0), top / 2)
    edges = np.geomspace(bottom, top, _ROWS + 1) if scale == "log" else np.linspace(bottom, top, _ROWS + 1)
    band = min(top - bottom, _LOG_BAND_HZ) if scale == "log" else top - bottom
    levels = _levels(waveform, (first, last), frame_length(band, last - first, sample_rate), edges / sample_rate)
    starts = np.unique(np.linspace(0, inside.shape[1], _COLUMNS, endpoint=False).astype(int))
    lows, highs = np.minimum.reduceat(inside, starts, axis=1), np.maximum.reduceat(inside, starts, axis=1)
    apart = zip(lows, highs, strict=True) if 2 <= len(waveform) <= _LANES else ()
    return {
        "low": _rounded(lows.min(axis=0)),
        "high": _rounded(highs.max(axis=0)),
        "lanes": [[_rounded(low), _rounded(high)] for low, high in apart],
        "rows": levels.shape[0],
        "columns": levels.shape[1],
        "spectrogram": base64.b64encode(levels.tobytes()).decode(),
        "bottom_hz": bottom,
        "top_hz": top,
    }


def playable(waveform: np.ndarray, sample_rate: int) -> tuple[bytes, str, float]:
    """Encodes a window ``[C, T]`` without loss: FLAC of 24 bits, its MIME type, and the applied gain in dB.

    More than two channels are mixed to one. The level is changed only if the peak exceeds full scale: clipping would
    add a fault that the recording does not have.
    """
    samples = waveform if waveform.shape[0] <= 2 else audio.mono(waveform)[None]
    peak = audio.peak(samples)
    gain = 1.0 if peak <= 1.0 else 1.0 / peak
    buffer = io.BytesIO()
    rate = sample_rate if sample_rate <= 96000 else 48000  # not every browser decodes higher rates
    samples = samples if rate == sample_rate else audio.resample(samples, sample_rate, rate)
    soundfile.write(buffer, np.clip(samples.T * np.float32(gain), -1, 1), rate, format="FLAC", subtype="PCM_24")
    return buffer.getvalue(), "audio/flac", float(20 * np.log10(gain))


def frame_length(band_hz: float, samples: int, sample_rate: int) -> int:
    """Samples of a frame for a band that is ``band_hz`` wide and a picture of so many samples.

    Narrow bands have long frames, which resolve lines; short pictures have short frames, which resolve clicks.
    """
    wide, narrow = _BANDS_HZ
    at = np.interp(np.log(band_hz), np.log([narrow, wide]), [1.0, 0.0])
    seconds = _FRAME_S[0] * (_FRAME_S[1] / _FRAME_S[0]) ** at
    return max(16, round(min(seconds * sample_rate, samples / np.interp(at, [0, 1], [16, 2]))))


def _levels(waveform: np.ndarray, shown: tuple[int, int], length: int, edges: np.ndarray) -> np.ndarray:
    """Levels of frames of ``length`` samples between edges that are given in cycles per sample."""
    first, last = shown
    padded = np.pad(waveform, ((0, 0), (0, max(0, length - waveform.shape[1]))))
    columns = min(_COLUMNS, max(1, (last - first) // 16))
    each = int(np.clip(2 * (last - first) / columns / length, 1, _FRAMES))
    places = first + (np.arange(columns * each) + 0.5) * (last - first) / (columns * each) - length / 2
    places = np.clip(np.round(places).astype(int), 0, padded.shape[1] - length)
    window = np.hanning(length).astype(np.float32)
    edges = np.clip(edges * length, 0, length // 2)
    narrow = np.diff(edges) < 1  # rows of less than a bin hold the nearest one
    low = np.where(narrow, np.round((edges[:-1] + edges[1:]) / 2), np.ceil(edges[:-1])).astype(int)
    high = np.where(narrow, low + 1, np.maximum(np.ceil(edges[1:]), low + 1)).astype(int)
    bounds = np.minimum(np.stack([low, high], axis=1).ravel(), length // 2 + 1)
    scale = (2 / float(window.sum())) ** 2
    power = np.zeros((columns * each, len(low)))
    step = max(1, _BLOCK // length)
    for channel in padded:
        frames = np.lib.stride_tricks.sliding_window_view(channel, length)
        for at in range(0, len(places), step):
            spectra = np.square(np.abs(fft.rfft(frames[places[at : at + step]] * window, axis=1))) * scale
            spectra = np.pad(spectra, ((0, 0), (0, 1)))  # so that no bound lies behind the last bin
            rows = np.maximum.reduceat(spectra, bounds, axis=1)[:, ::2]
            power[at : at + step] = np.maximum(power[at : at + step], rows)
    loudest = power.reshape(columns, each, -1).max(axis=1)
    out = np.clip(255 * (1 + 10 * np.log10(loudest + 1e-15) / RANGE_DB), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(out.T[::-1])


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
