"""Log energies of frequency bands in frames of 16 ms, at the native rate of a recording."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

from .figures import FRAME_S

BANDS, HIGHEST_HZ = 80, 20000.0
RANGE_DB = 100.0  # below the RMS of the window: level of silence
VERSION = 1  # to be raised when the values change


def log_bands(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Levels of BANDS triangular mel bands up to HIGHEST_HZ: float32 ``[N, BANDS]``, 1 = 20 dB.

    Frame n is that of :func:`.native.native_detail`: 16 ms from sample ``int(n * FRAME_S * sample_rate)``. It is seen
    through a Hann window of 32 ms around its middle. Levels are relative to the RMS of the window, so a gain does not
    change them. Bands above the Nyquist frequency repeat the highest band below it.

    Args:
        waveform: Mono float32 ``[T]``, finite.
        sample_rate: In Hz, 1 kHz or more.
    """
    hop = FRAME_S * sample_rate
    samples = max(len(waveform), round(2 * hop) + 1)
    count = int((samples + 0.5) / hop + 1e-9)
    window, bank = _bank(sample_rate)
    before = int(hop / 2)
    peak = max(float(np.abs(waveform).max(initial=0.0)), 1e-30)
    x = np.pad(waveform / np.float32(peak), (before, samples - len(waveform) + len(window)))
    x /= np.float32(max(float(np.sqrt(np.mean(np.square(x[before : before + len(waveform)])))), 1e-6))
    starts = (np.arange(count) * hop + 1e-9).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(x, len(window))[starts] * window
    spectrum = fft.rfft(frames, _fft_length(len(window)), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) @ bank
    return np.log10(power + np.float32(10 ** (-RANGE_DB / 10))) / 2


@lru_cache(maxsize=32)
def _bank(sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Hann window of two frames, and filter bank ``[bins, BANDS]`` for the energy of each band."""
    length = round(2 * FRAME_S * sample_rate)
    size = _fft_length(length)
    hertz = np.arange(size // 2 + 1) * sample_rate / size
    mel = np.linspace(0, _mel(HIGHEST_HZ), BANDS + 2)
    position = _mel(hertz)[:, None]
    bank = np.maximum(
        0, np.minimum((position - mel[:-2]) / (mel[1] - mel[0]), (mel[2:] - position) / (mel[1] - mel[0]))
    )
    nearest = np.abs(position - mel[1:-1]).argmin(0)
    bank[nearest, np.arange(BANDS)] = np.maximum(bank[nearest, np.arange(BANDS)], 0.5)  # narrower than a bin
    last = max(0, int(np.searchsorted(mel[2:], _mel(sample_rate / 2), side="right")) - 1)
    bank[:, last + 1 :] = bank[:, last : last + 1]
    window = np.hanning(length)
    scale = 2 / (size * float(np.square(window).sum()))  # the bands of white noise sum to its mean square
    return window.astype(np.float32), (bank * scale).astype(np.float32)


def _mel(hertz: float | np.ndarray) -> np.ndarray:
    return np.log1p(np.asarray(hertz) / 700)


def _fft_length(length: int) -> int:
    return int(fft.next_fast_len(length, real=True))
