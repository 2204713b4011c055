"""Linear filters: biquads, minimum-phase curves, and one fast convolution for all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, signal

_CACHE_SAMPLES = 2**16  # transforms at once, in samples: their temporaries stay in the processor's cache
_LARGE = 2**17  # a response of half of this is still better off with it than with the next size


def convolve(waveform: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Causal convolution, cut at the end of the clip.

    Overlap-save in blocks, in float32: about -140 dB of rounding noise re each block, and memory for a few blocks.

    Args:
        waveform: float32 ``[C, T]``.
        response: float ``[L]`` for all channels, or ``[C, L]``.

    Returns:
        float32 ``[C, T]``.
    """
    samples = waveform.shape[-1]
    response = np.atleast_2d(response)[:, :samples].astype(np.float32, copy=False)
    length = response.shape[-1]
    size = fft.next_fast_len(_block(samples, length), real=True)
    hop, group = size - length + 1, max(1, _CACHE_SAMPLES // size)
    spectra = fft.rfft(response, size, axis=-1)
    out = np.empty_like(waveform)
    count = -(-samples // hop)
    for index, channel in enumerate(waveform):
        spectrum = spectra[index % len(spectra)]
        padded = np.zeros(length - 1 + count * hop, dtype=np.float32)
        padded[length - 1 : length - 1 + samples] = channel
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
        for first in range(0, count, group):
            product = fft.rfft(frames[first : first + group], axis=-1)
            product *= spectrum
            block = fft.irfft(product, size, axis=-1)[:, length - 1 :].reshape(-1)
            start = first * hop
            out[index, start : start + len(block)] = block[: samples - start]
    return out


def _block(samples: int, length: int) -> int:
    """A transform size that is fast for a response of so many samples: some times as long, or the whole clip."""
    size = max(4096, 1 << (4 * length - 1).bit_length())
    if size > _LARGE >= 2 * length:
        size = _LARGE
    return min(samples + length - 1, size)


def impulse_response(sections: np.ndarray, below_db: float = 120.0) -> np.ndarray:
    """The impulse response of second-order sections, float64 ``[L]``, until its slowest pole has decayed."""
    half, last = -0.5 * sections[:, 4], sections[:, 5]
    spread = half**2 - last  # below 0, the poles are a conjugate pair
    radius = np.where(spread < 0, np.sqrt(np.abs(last)), np.abs(half) + np.sqrt(np.maximum(spread, 0.0))).max()
    decay = -np.log(min(max(float(radius), 1e-3), 1 - 1e-7))
    length = int(np.ceil(below_db / 8.686 / decay)) + 32
    impulse = np.zeros(length)
    impulse[0] = 1.0
    return signal.sosfilt(sections, impulse)


def minimum_phase(hertz: ArrayLike, gains_db: ArrayLike, sample_rate: int, length_s: float = 0.02) -> np.ndarray:
    """A minimum-phase FIR filter with the given gains, in lines over the logarithm of frequency between them.

    Below the first and above the last frequency the gain stays; what lies above half the rate is left out. By the real
    cepstrum (Oppenheim and Schafer, "Discrete-Time Signal Processing").

    Args:
        hertz: rising frequencies in Hz.
        gains_db: as many gains.
        sample_rate: Hz.
        length_s: at least so long; details narrower than its inverse, in Hz, are smoothed away.

    Returns:
        float64 ``[L]``.
    """
    size = 1 << (max(64, int(4 * length_s * sample_rate)) - 1).bit_length()
    grid = np.maximum(fft.rfftfreq(size, 1.0 / sample_rate), 1.0)
    log_gain = np.interp(np.log(grid), np.log(hertz), np.asarray(gains_db, dtype=np.float64)) * (np.log(10.0) / 20.0)
    cepstrum = fft.irfft(log_gain, size)
    cepstrum[1 : size // 2] *= 2.0
    cepstrum[size // 2 + 1 :] = 0.0
    response = fft.irfft(np.exp(fft.rfft(cepstrum)), size)
    kept = size // 4
    response[kept // 2 : kept] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(kept - kept // 2) / (kept - kept // 2))
    return response[:kept]


def butterworth(order: int, hertz: float, sample_rate: int, highpass: bool = False) -> np.ndarray:
    """A Butterworth low-pass or high-pass of even order, -3 dB at ``hertz``: sections ``[order / 2, 6]``.

    What ``scipy.signal.butter`` makes (by the bilinear transform), in a tenth of its time.
    """
    damping = np.sin(np.pi * (np.arange(order // 2) + 0.5) / order)  # 1 / (2 Q) of each pair of poles
    omega = 2.0 * np.pi * hertz / sample_rate
    cosine, alpha = np.cos(omega), np.sin(omega) * damping
    sections = np.empty((order // 2, 6))
    sections[:, :3] = (
        np.array([1.0, -2.0, 1.0]) * (1 + cosine) / 2 if highpass else [(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2]
    )
    sections[:, 3], sections[:, 4], sections[:, 5] = 1 + alpha, -2 * cosine, 1 - alpha
    return sections / sections[:, 3:4]


def peaking(hertz: float, gain_db: float, octaves: float, sample_rate: int) -> np.ndarray:
    """A bell, ``[1, 6]``: ``gain_db`` at ``hertz``, half of it (in dB) at the two edges ``octaves`` apart.

    This and the shelves are those of Robert Bristow-Johnson's "Audio EQ Cookbook".
    """
    root, omega = 10.0 ** (gain_db / 40.0), 2.0 * np.pi * hertz / sample_rate
    alpha = np.sin(omega) * np.sinh(0.5 * np.log(2.0) * octaves * omega / np.sin(omega))
    cosine = np.cos(omega)
    return _section(
        (1 + alpha * root, -2 * cosine, 1 - alpha * root), (1 + alpha / root, -2 * cosine, 1 - alpha / root)
    )


def shelf(hertz: float, gain_db: float, sample_rate: int, high: bool) -> np.ndarray:
    """A shelf of slope 1, ``[1, 6]``: half of ``gain_db`` at ``hertz``, all of it above (``high``) or below."""
    root, omega = 10.0 ** (gain_db / 40.0), 2.0 * np.pi * hertz / sample_rate
    sign = -1.0 if high else 1.0  # a high shelf is the low shelf with the frequency axis turned round
    cosine, slope = sign * np.cos(omega), 2.0 * np.sqrt(root) * np.sin(omega) * np.sqrt(0.5)
    above, below = root + 1.0, root - 1.0
    return _section(
        (
            root * (above - below * cosine + slope),
            sign * 2.0 * root * (below - above * cosine),
            root * (above - below * cosine - slope),
        ),
        (above + below * cosine + slope, sign * -2.0 * (below + above * cosine), above + below * cosine - slope),
    )


def _section(numerator: tuple[float, float, float], denominator: tuple[float, float, float]) -> np.ndarray:
    return np.array([[*numerator, *denominator]]) / denominator[0]
