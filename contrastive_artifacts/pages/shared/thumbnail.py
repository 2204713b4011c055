"""Small spectrograms for pages that show many sounds at once."""

from __future__ import annotations

import numpy as np
import scipy

BANDS, FRAMES = 72, 144  # size of a thumbnail
_LOWEST_HZ, _RANGE_DB = 40.0, 75.0
_WINDOW_S = 0.04  # rounded to a power of two in samples


def thumbnail(samples: np.ndarray, sample_rate: int) -> bytes:
    """Spectrogram of a mono waveform, the frequency axis logarithmic from 40 Hz to half the sample rate.

    Args:
        samples: ``[T]``, any length.
        sample_rate: In Hz.

    Returns:
        BANDS x FRAMES bytes, band by band, lowest first: 255 for a full-scale sine, 0 for 75 dB below it and less.
    """
    size = 1 << max(6, round(np.log2(_WINDOW_S * sample_rate)))
    padded = np.pad(samples, (size // 2, size // 2 + max(0, size - len(samples))))
    hop = max(1, (len(padded) - size) // FRAMES)
    window = scipy.signal.windows.hann(size)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:FRAMES]
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=1))) / np.sum(window) ** 2 * 4
    edges = np.geomspace(_LOWEST_HZ, sample_rate / 2, BANDS + 1) * size / sample_rate
    low = np.minimum(np.floor(edges[:-1]).astype(int), power.shape[1] - 1)
    high = np.maximum(np.ceil(edges[1:]).astype(int), low + 1)
    bands = np.stack([power[:, a:b].max(axis=1) for a, b in zip(low, high, strict=True)])
    level = 10 * np.log10(np.maximum(bands, 1e-12))
    scaled = np.clip((level + _RANGE_DB) / _RANGE_DB, 0, 1)
    image = np.zeros((BANDS, FRAMES), dtype=np.uint8)
    image[:, : scaled.shape[1]] = np.round(255 * scaled)
    return image.tobytes()
