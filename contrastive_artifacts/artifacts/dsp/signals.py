"""Signals for additive artifacts: shaped noise, sines and drifting phases, in float32 and by blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import fft

_GROUP = 1 << 17  # samples of noise per group: its spectra fit in the cache
_ROW = 512  # samples per row of a sine
_RUN_S = 0.0005  # a drifting phase is linear over this time


def shaped_noise(
    shape: tuple[int, int],
    sample_rate: float,
    rng: np.random.Generator,
    response: Callable[[np.ndarray], np.ndarray] | None = None,
    resolution_hz: float = 8.0,
) -> np.ndarray:
    """Stationary Gaussian noise with a given magnitude response, independent in each channel.

    Blocks with random spectra are cross-faded with power-complementary fades, so that the power is constant. A bin is a
    complex Gaussian with 8 bits each for radius and phase (Box and Muller, A note on the generation of random normal
    deviates, 1958): a sample is a sum of thousands of them, and therefore Gaussian.

    Args:
        shape: channels and samples ``[C, T]``.
        sample_rate: Hz.
        rng: two bytes are drawn per bin.
        response: maps Hz ``[F]`` to magnitudes ``[F]``; ``None`` is white noise of unit power.
        resolution_hz: greatest distance between bins.

    Returns:
        float32 ``[C, T]``.
    """
    channels, samples = shape
    size = 1 << max(6, math.ceil(math.log2(sample_rate / resolution_hz)))
    fade = size // 8
    hop = size - fade
    magnitude = np.full(size // 2 + 1, math.sqrt(size), dtype=np.float32)
    if response is not None:
        magnitude *= response(np.fft.rfftfreq(size, 1 / sample_rate)).astype(np.float32)
    rise = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade).astype(np.float32)

    def blocks(count: int) -> np.ndarray:
        bits = np.frombuffer(rng.bytes(2 * count * len(magnitude)), dtype="<u2").reshape(count, -1)
        spectra = np.take(_gaussians(), bits)
        spectra *= magnitude
        waves = fft.irfft(spectra, n=size, axis=1, overwrite_x=True)
        waves[:, :fade] *= rise
        waves[:, hop:] *= rise[::-1]
        return waves

    out = np.empty((channels, samples), dtype=np.float32)
    step = max(1, _GROUP // hop) * hop
    for channel in out:
        tail = blocks(1)[0, hop:]
        for start in range(0, samples, step):
            part = channel[start : start + step]
            waves = blocks(-(-len(part) // hop))
            waves[0, :fade] += tail
            waves[1:, :fade] += waves[:-1, hop:]
            tail = waves[-1, hop:]
            part[:] = waves[:, :hop].reshape(-1)[: len(part)]
    return out


@lru_cache(maxsize=1)
def _gaussians() -> np.ndarray:
    """Complex Gaussians of unit power, complex64 ``[65536]``: 256 equally probable radii times 256 phases."""
    radius = np.sqrt(-np.log((np.arange(256) + 0.5) / 256))
    radius /= np.sqrt(np.mean(radius**2))
    phase = np.exp(2j * np.pi * (np.arange(256) + 0.5) / 256)
    return np.outer(radius, phase).ravel().astype(np.complex64)


def sine(samples: int, cycles: float, phase: float, decay: float = math.inf) -> np.ndarray:
    """``exp(-n / decay) sin(2 pi (cycles n + phase))`` for n in 0 .. ``samples``, float32.

    As the exponential of a sum is a product, only the first row and column of a matrix of samples are computed.

    Args:
        samples: length.
        cycles: frequency in cycles per sample.
        phase: in cycles.
        decay: time constant in samples.
    """
    speed = 2j * np.pi * cycles - 1 / decay
    rows = np.exp(speed * _ROW * np.arange(-(-samples // _ROW)) + 2j * np.pi * phase)
    columns = np.exp(speed * np.arange(_ROW))
    product = np.stack([rows.imag, rows.real], axis=1).astype(np.float32) @ np.stack(
        [columns.real, columns.imag]
    ).astype(np.float32)
    return product.reshape(-1)[:samples]


def drifting_phase(
    start: int, stop: int, sample_rate: float, hertz: float, drift: float, drift_hz: float, drift_phase: float
) -> np.ndarray:
    """Phase of an oscillator whose frequency varies between ``hertz * (1 - drift)`` and ``hertz * (1 + drift)``.

    Args:
        start, stop: samples of the clip for which the phase is computed.
        sample_rate: Hz.
        hertz: mean frequency in Hz.
        drift: greatest relative deviation.
        drift_hz: frequency of the variation in Hz, 2 or less.
        drift_phase: of the variation, in cycles.

    Returns:
        float64 ``[stop - start]`` in cycles, 0 or more; whole cycles are removed every half
        ms, so that float32 is exact enough.
    """
    run = max(4, round(_RUN_S * sample_rate))
    seconds = np.arange(start, stop + run, run) / sample_rate
    phase = hertz * seconds
    if drift:
        swing = hertz * drift / (2 * np.pi * drift_hz)
        phase -= swing * np.cos(2 * np.pi * (drift_hz * seconds + drift_phase))
    step = np.diff(phase) / run
    phase = phase[:-1] - np.floor(phase[:-1])
    joined = step[:, None] * np.arange(run)
    joined += phase[:, None]
    return joined.reshape(-1)[: stop - start]


def rms(waveform: np.ndarray) -> float:
    """Root mean square of float32 ``[C, T]``, without a temporary array."""
    return math.sqrt(sum(float(np.dot(channel, channel)) for channel in waveform) / waveform.size)
