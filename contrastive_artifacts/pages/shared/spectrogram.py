"""A window of a recording for the served pages: waveform outline, spectrogram, and audio that browsers decode."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import soundfile

from ... import audio

SCALES = ("linear", "low")
LOW_HZ = 1000.0  # upper edge of the scale "low", on which the harmonics of hum are resolved
_COLUMNS, _ROWS = 720, 192
_RANGE_DB = 100.0
_FFT_S = {"linear": 0.023, "low": 0.25}  # about 2048 points at 44.1 kHz, and lines 4 Hz apart


def picture(waveform: np.ndarray, sample_rate: int, scale: str = "linear") -> dict[str, Any]:
    """Outline and spectrogram of a window.

    Args:
        waveform: float32 ``[C, T]``.
        sample_rate: In Hz.
        scale: "linear", up to half the sample rate, or "low", up to 1 kHz.

    Returns:
        ``low``, ``high``: minimum and maximum of the waveform in each of up to 720 columns, over all channels;
        ``rows``, ``columns``, ``spectrogram``: base64 of uint8 ``[rows, columns]``, the highest frequency first, 255
        for a full-scale sine and 0 for 100 dB below it and less; ``top_hz``: frequency at the upper edge.
    """
    starts = np.unique(np.linspace(0, waveform.shape[1], _COLUMNS, endpoint=False).astype(int))
    top = sample_rate / 2 if scale == "linear" else min(LOW_HZ, sample_rate / 2)
    levels = _levels(audio.mono(waveform), sample_rate, _FFT_S[scale], top)
    return {
        "low": _rounded(np.minimum.reduceat(waveform.min(axis=0), starts)),
        "high": _rounded(np.maximum.reduceat(waveform.max(axis=0), starts)),
        "rows": levels.shape[0],
        "columns": levels.shape[1],
        "spectrogram": base64.b64encode(levels.tobytes()).decode(),
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


def _levels(mono: np.ndarray, sample_rate: int, seconds: float, top_hz: float) -> np.ndarray:
    length = max(16, round(seconds * sample_rate))
    padded = np.pad(mono, (length // 2, length - length // 2))
    columns = min(_COLUMNS, max(1, mono.size // 16))
    starts = np.linspace(0, mono.size, columns, endpoint=False).astype(int)
    window = np.hanning(length).astype(np.float32)
    bins = max(2, int(top_hz / sample_rate * length) + 1)
    rows = min(_ROWS, bins)
    edges = np.linspace(0, bins, rows + 1).astype(int)[:-1]
    out = np.empty((columns, rows), np.uint8)
    for column, start in enumerate(starts):
        spectrum = np.fft.rfft(padded[start : start + length] * window)[:bins]
        power = np.maximum.reduceat(np.square(np.abs(spectrum)), edges) * (2 / float(window.sum())) ** 2
        out[column] = np.clip(255 * (1 + 10 * np.log10(power + 1e-15) / _RANGE_DB), 0, 255)
    return np.ascontiguousarray(out.T[::-1])


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
