"""Building blocks of the built-in sounds: oscillators, noises, decaying modes, slow control curves, moving filters.

All functions work on whole arrays (no loop over samples). Audio is float32 ``[T]``; control curves have
:data:`CONTROL` points per second and are interpolated to the sample rate by :func:`expand`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import fft, ndimage

CONTROL = 500.0
_TABLE = 4096


def control_length(samples: int, rate: int) -> int:
    """Number of points of a control curve for ``samples`` at ``rate``."""
    return int(np.ceil(samples / rate * CONTROL)) + 2


def expand(curve: np.ndarray, samples: int, rate: int) -> np.ndarray:
    """Interpolates a control curve ``[M]`` linearly to the sample rate: float64 ``[samples]``."""
    return np.interp(np.arange(samples) * (CONTROL / rate), np.arange(curve.size), curve)


def wander(rng: np.random.Generator, length: int, hz: float) -> np.ndarray:
    """A random control curve of unit variance, band-limited to about ``hz``."""
    size = max(length, int(CONTROL / hz * 4))
    bins = np.arange(size // 2 + 1) * (CONTROL / size)
    gain = np.exp(-0.5 * (bins / hz) ** 2)
    spectrum = gain * (rng.standard_normal(bins.size) + 1j * rng.standard_normal(bins.size))
    curve = fft.irfft(spectrum, size)
    return (curve / (np.std(curve) + 1e-12))[:length]


def steps(
    times: Sequence[float], values: Sequence[float] | np.ndarray, length: int, smooth_s: float = 0.0
) -> np.ndarray:
    """A control curve equal to ``values[i]`` from ``times[i]`` (seconds, ascending) on; the steps are smoothed."""
    index = np.searchsorted(np.asarray(times) * CONTROL, np.arange(length), side="right") - 1
    curve = np.asarray(values, dtype=float)[np.clip(index, 0, len(values) - 1)]
    return ndimage.gaussian_filter1d(curve, smooth_s * CONTROL, mode="nearest") if smooth_s > 0 else curve


def phase_of(frequency: np.ndarray, rate: int, start: float = 0.0) -> np.ndarray:
    """Phase in cycles of an oscillator with the given frequency in Hz per sample."""
    return start + np.cumsum(frequency, dtype=np.float64) / rate


def oscillator(phase: np.ndarray, amplitudes: np.ndarray, angles: np.ndarray | float = 0.0) -> np.ndarray:
    """A periodic wave from a wavetable: float32 ``[T]``.

    Args:
        phase: In cycles, float64 ``[T]``.
        amplitudes: Of harmonics 1..K; all harmonics must lie below Nyquist (see :func:`harmonics_below`).
        angles: Phases of the harmonics in radians.
    """
    amplitudes = amplitudes[: _TABLE // 8]
    shift = np.asarray(angles)[: amplitudes.size] if isinstance(angles, np.ndarray) else angles
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=complex)
    spectrum[1 : amplitudes.size + 1] = amplitudes * np.exp(1j * np.asarray(shift)) * (_TABLE / 2)
    table = fft.irfft(spectrum, _TABLE)
    slope = np.append(np.diff(table), table[0] - table[-1]).astype(np.float32)
    position = (phase - np.floor(phase)) * _TABLE
    index = np.minimum(position.astype(np.int32), _TABLE - 1)
    fraction = (position - index).astype(np.float32)
    return table.astype(np.float32)[index] + fraction * slope[index]


def harmonics_below(frequency: float, rate: int, most: int = 400) -> np.ndarray:
    """Numbers 1..K of the harmonics of ``frequency`` below 0.46 of the sample rate, as floats; at least one."""
    return np.arange(1, max(1, min(most, int(0.46 * rate / frequency))) + 1, dtype=float)


def tone(frequency: float | np.ndarray, samples: int, rate: int, start: float = 0.0) -> np.ndarray:
    """A sine of constant or per-sample frequency in Hz: float32 ``[samples]``."""
    cycles = phase_of(np.broadcast_to(np.asarray(frequency, dtype=float), (samples,)), rate, start)
    return np.sin(2 * np.pi * (cycles - np.floor(cycles))).astype(np.float32)


def modes(
    frequencies: np.ndarray,
    amplitudes: np.ndarray,
    t60_s: np.ndarray | float,
    samples: int,
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Sum of exponentially decaying sines (a struck body) that starts at a zero crossing of every mode.

    A decaying complex exponential is the outer product of a coarse and a fine one: the sum is one matrix product.
    """
    keep = frequencies < 0.47 * rate
    frequencies, amplitudes = frequencies[keep], amplitudes[keep]
    if frequencies.size == 0:
        return np.zeros(samples, dtype=np.float32)
    t60 = np.broadcast_to(np.asarray(t60_s, dtype=float), keep.shape)[keep]
    rates = (-6.9078 / t60 + 2j * np.pi * frequencies) / rate
    fine = max(16, int(np.sqrt(samples)))
    coarse = -(-samples // fine)
    signs = rng.choice([-1.0, 1.0], frequencies.size)
    left = (amplitudes * signs * -1j)[:, None] * np.exp(rates[:, None] * (np.arange(coarse) * fine))
    right = np.exp(rates[:, None] * np.arange(fine))
    left, right = left.astype(np.complex64), right.astype(np.complex64)
    grid = left.real.T @ right.real - left.imag.T @ right.imag
    return grid.reshape(-1)[:samples]


def noise(rng: np.random.Generator, samples: int, rate: int, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Gaussian noise with the magnitude response ``gain(frequencies in Hz)``, unit RMS, float32 ``[samples]``."""
    size = fft.next_fast_len(max(samples, 64), real=True)
    frequencies = frequency_axis(size, rate)
    spectrum = rng.standard_normal((frequencies.size, 2), dtype=np.float32).view(np.complex64)[:, 0]
    spectrum *= gain(frequencies).astype(np.float32)
    spectrum[0] = 0
    wave = fft.irfft(spectrum, size)
    return (wave * np.float32(1 / (np.sqrt(np.mean(wave**2)) + 1e-12)))[:samples]


def frequency_axis(size: int, rate: int) -> np.ndarray:
    """Frequencies of the bins of a real FFT in Hz, float32; the first is half a bin, for a finite logarithm."""
    axis = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(rate / size)
    axis[0] = axis[1] / 2
    return axis


def band(frequencies: np.ndarray, low: float, high: float, order: float = 2.0) -> np.ndarray:
    """Butterworth-like magnitude of a band from ``low`` to ``high`` Hz."""
    below, above = low / frequencies, frequencies / high
    return 1 / np.sqrt((1 + below ** (2 * order)) * (1 + above ** (2 * order)))


def slope(frequencies: np.ndarray, db_per_octave: float, corner: float = 100.0) -> np.ndarray:
    """Magnitude that is flat below ``corner`` Hz and then changes by ``db_per_octave``."""
    return (1 + (frequencies / corner) ** 2) ** (db_per_octave / 12.04)


def bumps(
    frequencies: np.ndarray, rng: np.random.Generator, count: int, low: float, high: float, db: float
) -> np.ndarray:
    """Magnitude with ``count`` random resonances and dips of up to ``db`` from ``low`` to ``high`` Hz: a casing."""
    octaves = np.log2(frequencies)
    total = np.zeros_like(frequencies)
    for _ in range(count):
        centre, width, height = rng.uniform(np.log2(low), np.log2(high)), rng.uniform(0.1, 0.6), rng.uniform(-db, db)
        total += np.float32(height) * np.exp(-0.5 * ((octaves - np.float32(centre)) / np.float32(width)) ** 2)
    return 10 ** (total / 20)


def shape(wave: np.ndarray, rate: int, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Zero-phase filtering by a magnitude response; zero-padded against audible wrap-around."""
    size = fft.next_fast_len(wave.size + rate // 20, real=True)
    spectrum = fft.rfft(wave.astype(np.float32, copy=False), size)
    spectrum *= gain(frequency_axis(size, rate)).astype(np.float32)
    return fft.irfft(spectrum, size)[: wave.size]


def frame_size(rate: int, seconds: float = 0.023) -> int:
    """Even frame length of the time-varying filters."""
    return 2 * max(16, round(rate * seconds / 2))


def spectra(wave: np.ndarray, frame: int) -> np.ndarray:
    """Half-overlapping root-Hann frames: complex64 ``[frames, frame // 2 + 1]``; :func:`unspectra` is the inverse."""
    hop = frame // 2
    count = -(-wave.size // hop) + 1
    padded = np.zeros((count + 1) * hop, dtype=np.float32)
    padded[hop : hop + wave.size] = wave
    view = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop]
    return fft.rfft(view * _window(frame), axis=1)


def unspectra(frames: np.ndarray, frame: int, samples: int) -> np.ndarray:
    """The waveform ``[samples]`` of frames of :func:`spectra`, by overlap-add."""
    hop = frame // 2
    parts = fft.irfft(frames, frame, axis=1) * _window(frame)
    out = np.zeros((parts.shape[0] + 1, hop), dtype=np.float32)
    out[:-1] += parts[:, :hop]
    out[1:] += parts[:, hop:]
    return out.reshape(-1)[hop : hop + samples]


def at_frames(curve: np.ndarray, count: int, frame: int, rate: int) -> np.ndarray:
    """A control curve interpolated at the centres of the frames of :func:`spectra`: float32 ``[count, 1]``."""
    return np.interp(np.arange(count) * (frame / 2 * CONTROL / rate), np.arange(curve.size), curve).astype(np.float32)[
        :, None
    ]


def _window(frame: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(frame) + 0.5) / frame).astype(np.float32)


def place(out: np.ndarray, start: float, grain: np.ndarray, gain: float = 1.0) -> None:
    """Adds ``grain`` times ``gain`` to ``out`` from sample ``start`` on; samples outside of ``out`` are dropped."""
    first = int(start)
    low, high = max(first, 0), min(first + grain.size, out.size)
    if low < high:
        out[low:high] += np.float32(gain) * grain[low - first : high - first]


def fade(wave: np.ndarray, rate: int, attack_s: float, release_s: float) -> np.ndarray:
    """A copy with raised-cosine ramps at both ends, at most half of the wave long each."""
    wave = wave.astype(np.float32)
    for seconds, part in ((attack_s, slice(None)), (release_s, slice(None, None, -1))):
        length = min(wave.size // 2, int(seconds * rate))
        if length:
            wave[part][:length] *= (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)
    return wave


def level(wave: np.ndarray, rms: float = 1.0) -> np.ndarray:
    """Scales to the given RMS; silence stays silent."""
    return wave * np.float32(rms / (np.sqrt(np.mean(np.square(wave, dtype=np.float64))) + 1e-9))


def poisson_times(rng: np.random.Generator, per_s: float, duration_s: float) -> np.ndarray:
    """Ascending event times in seconds of a Poisson process; at least one."""
    return np.sort(rng.uniform(0, duration_s, max(1, rng.poisson(per_s * duration_s))))
