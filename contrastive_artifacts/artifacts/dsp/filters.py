"""Linear filters: biquads, minimum-phase FIR filters, and fast convolution."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike
from scipy import fft

_CACHE_SAMPLES = 2**16  # samples transformed at once: the temporaries fit in the processor's cache
_PART = 2**13  # taps of a long response that are transformed at once: faster than one larger transform


def convolve(waveform: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Causal convolution, truncated at the end of the clip.

    Overlap-save in float32: rounding noise of about -140 dB re each block, and memory for a few blocks.

    Args:
        waveform: float32 ``[C, T]``.
        response: float ``[L]`` for all channels, or ``[R, L]``: channel c is convolved with row c modulo R.

    Returns:
        float32 ``[C, T]``.
    """
    samples = waveform.shape[-1]
    response = np.atleast_2d(response)[:, :samples].astype(np.float32, copy=False)
    out, length = np.empty_like(waveform), response.shape[-1]
    if length > 2 * _PART:
        parts = [_spectra_of_parts(row) for row in response]
        for index, channel in enumerate(waveform):
            _by_parts(channel, parts[index % len(parts)], out[index])
        return out
    size = fft.next_fast_len(min(samples + length - 1, max(4096, 1 << (4 * length - 1).bit_length())), real=True)
    spectra = fft.rfft(response, size, axis=-1)
    for index, channel in enumerate(waveform):
        _at_once(channel, spectra[index % len(spectra)], size, length, out[index])
    return out


def _at_once(channel: np.ndarray, spectrum: np.ndarray, size: int, length: int, out: np.ndarray) -> None:
    """Convolves ``[T]`` with a response of ``length`` taps by its spectrum of ``size``, several blocks at a time."""
    samples, hop, group = len(channel), size - length + 1, max(1, _CACHE_SAMPLES // size)
    count = -(-samples // hop)
    padded = np.zeros(length - 1 + count * hop, dtype=np.float32)
    padded[length - 1 : length - 1 + samples] = channel
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    for first in range(0, count, group):
        product = fft.rfft(frames[first : first + group], axis=-1)
        product *= spectrum
        block = fft.irfft(product, size, axis=-1)[:, length - 1 :].reshape(-1)
        out[first * hop : first * hop + len(block)] = block[: samples - first * hop]


def _spectra_of_parts(response: np.ndarray) -> np.ndarray:
    """Spectra of successive parts of ``_PART`` taps of ``[L]``: complex64 ``[parts, _PART + 1]``."""
    count = -(-len(response) // _PART)
    parts = np.pad(response, (0, count * _PART - len(response))).reshape(count, _PART)
    return fft.rfft(parts, 2 * _PART, axis=1)


def _by_parts(channel: np.ndarray, parts: np.ndarray, out: np.ndarray) -> None:
    """Convolves ``[T]`` with a long response by the spectra of its parts; each block of sound is transformed once.

    Uniformly partitioned convolution (Stockham 1966; Wefers, Partitioned convolution algorithms for real-time
    auralization, 2015, chapter 5): the spectrum of a block of output is the sum over the parts of their spectra times
    those of the blocks before.
    """
    count, before = len(parts), np.zeros_like(parts)  # spectra of the last blocks: of block n in row n modulo count
    total, product = np.empty_like(parts[0]), np.empty_like(parts[0])
    frame = np.zeros(2 * _PART, dtype=np.float32)
    for number, start in enumerate(range(0, len(channel), _PART)):
        block = channel[start : start + _PART]
        frame[:_PART] = frame[_PART:]
        frame[_PART : _PART + len(block)], frame[_PART + len(block) :] = block, 0.0
        before[number % count] = fft.rfft(frame)
        np.multiply(parts[0], before[number % count], out=total)
        for part in range(1, min(count, number + 1)):
            np.multiply(parts[part], before[(number - part) % count], out=product)
            total += product
        out[start : start + _PART] = fft.irfft(total, 2 * _PART)[_PART : _PART + len(block)]


def impulse_response(sections: np.ndarray, below_db: float = 120.0) -> np.ndarray:
    """The impulse response of second-order sections ``[N, 6]``, until the slowest pole has decayed by ``below_db``.

    Returns:
        float64 ``[L]``.
    """
    half, last = -0.5 * sections[:, 4], sections[:, 5]
    spread = half**2 - last  # below 0, the poles are a conjugate pair
    radius = np.where(spread < 0, np.sqrt(np.abs(last)), np.abs(half) + np.sqrt(np.maximum(spread, 0.0))).max()
    decay = -np.log(min(max(float(radius), 1e-3), 1 - 1e-7))
    length = int(np.ceil(below_db / 8.686 / decay)) + 32
    impulse = np.zeros(length)
    impulse[0] = 1.0
    return scipy.signal.sosfilt(sections, impulse)


def minimum_phase(hertz: ArrayLike, gains_db: ArrayLike, sample_rate: int, length_s: float = 0.02) -> np.ndarray:
    """A minimum-phase FIR filter; gains in dB are interpolated linearly over the logarithm of frequency.

    Below the first and above the last frequency the gain is constant. Computed from the real cepstrum (Oppenheim and
    Schafer, "Discrete-Time Signal Processing").

    Args:
        hertz: rising frequencies in Hz ``[N]``; they may exceed half the sample rate.
        gains_db: gains at them in dB ``[N]``.
        sample_rate: Hz.
        length_s: least length in s; details narrower than its inverse, in Hz, are smoothed.

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
    length = size // 4
    half = length // 2
    response[half:length] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(length - half) / (length - half))
    return response[:length]


def butterworth(order: int, hertz: float, sample_rate: int, highpass: bool = False) -> np.ndarray:
    """A Butterworth low-pass or high-pass of even order, -3 dB at ``hertz``: sections ``[order / 2, 6]``.

    The same filter as ``scipy.signal.butter`` (bilinear transform), in a tenth of the time.
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
    """A peaking filter, ``[1, 6]``: ``gain_db`` at ``hertz``, half of it (in dB) at two frequencies ``octaves`` apart.

    From Robert Bristow-Johnson's "Audio EQ Cookbook", as :func:`shelf`.
    """
    root, omega = 10.0 ** (gain_db / 40.0), 2.0 * np.pi * hertz / sample_rate
    alpha = np.sin(omega) * np.sinh(0.5 * np.log(2.0) * octaves * omega / np.sin(omega))
    cosine = np.cos(omega)
    return _section(
        (1 + alpha * root, -2 * cosine, 1 - alpha * root), (1 + alpha / root, -2 * cosine, 1 - alpha / root)
    )


def shelf(hertz: float, gain_db: float, sample_rate: int, high: bool) -> np.ndarray:
    """A shelf of slope 1, ``[1, 6]``: half of ``gain_db`` at ``hertz``, all of it far above (``high``) or below."""
    root, omega = 10.0 ** (gain_db / 40.0), 2.0 * np.pi * hertz / sample_rate
    sign = -1.0 if high else 1.0  # a high shelf is a low shelf with the frequency axis reversed
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
