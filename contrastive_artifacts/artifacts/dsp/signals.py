"""What additive artifacts are made of, fast: shaped noise, sines and drifting phases, float32 and by blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import fft

_GROUP = 1 << 17  # samples of noise made at a time: the spectra of a group stay in the cache
_ROW = 512  # samples per row of a sine
_RUN_S = 0.0005  # a drifting phase is a straight line over so long


def shaped_noise(
    shape: tuple[int, int],
    sample_rate: float,
    rng: np.random.Generator,
    response: Callable[[np.ndarray], np.ndarray] | None = None,
    resolution_hz: float = 8.0,
) -> np.ndarray:
    """Stationary Gaussian noise with a given magnitude response, independent in each channel.

    Blocks with random spectra are joined by fades whose squares sum to one, so that the power is the same everywhere.
    The value of a bin is a complex Gaussian of 8 bits each in radius and phase (Box and Muller, A note on the
    generation of random normal deviates, 1958): a sample is a sum over thousands of them, and Gaussian to any measure.

    Args:
        shape: channels and samples ``[C, T]``.
        sample_rate: Hz.
        rng: gives two bytes per bin.
        response: magnitude as a function of Hz ``[F]``; ``None`` is white noise of unit power.
        resolution_hz: the bins lie this close or closer.

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
        made = fft.irfft(spectra, n=size, axis=1, overwrite_x=True)
        made[:, :fade] *= rise
        made[:, hop:] *= rise[::-1]
        return made

    out = np.empty((channels, samples), dtype=np.float32)
    step = max(1, _GROUP // hop) * hop
    for channel in out:
        tail = blocks(1)[0, hop:]
        for start in range(0, samples, step):
            part = channel[start : start + step]
            made = blocks(-(-len(part) // hop))
            made[0, :fade] += tail
            made[1:, :fade] += made[:-1, hop:]
            tail = made[-1, hop:]
            part[:] = made[:, :hop].reshape(-1)[: len(part)]
    return out


@lru_cache(maxsize=1)
def _gaussians() -> np.ndarray:
    """Complex Gaussians of unit power, complex64 ``[65536]``: 256 radii of equal chance times 256 phases."""
    radius = np.sqrt(-np.log((np.arange(256) + 0.5) / 256))
    radius /= np.sqrt(np.mean(radius**2))
    phase = np.exp(2j * np.pi * (np.arange(256) + 0.5) / 256)
    return np.outer(radius, phase).ravel().astype(np.complex64)


def sine(samples: int, cycles: float, phase: float, decay: float = math.inf) -> np.ndarray:
    """``exp(-n / decay) sin(2 pi (cycles n + phase))`` for n in 0 .. ``samples``, float32.

    The exponential of a sum is a product: rows and columns are computed, and multiplied out.

    Args:
        samples: how many.
        cycles: per sample.
        phase: turns.
        decay: time constant in samples.
    """
    speed = 2j * np.pi * cycles - 1 / decay
    rows = np.exp(speed * _ROW * np.arange(-(-samples // _ROW)) + 2j * np.pi * phase)
    columns = np.exp(speed * np.arange(_ROW))
    product = np.stack([rows.imag, rows.real], axis=1).astype(np.float32) @ np.stack(
        [columns.real, columns.imag]
    ).astype(np.float32)
    return product.reshape(-1)[:samples]


def turns(
    start: int, stop: int, sample_rate: float, hertz: float, drift: float, drift_hz: float, drift_phase: float
) -> np.ndarray:
    """Phase in turns of an oscillator that swings between ``hertz * (1 - drift)`` and ``hertz * (1 + drift)``.

    Args:
        start, stop: samples of the clip; the phase is one function of time whatever they are.
        sample_rate: Hz.
        hertz, drift, drift_hz, drift_phase: Hz, relative, Hz, turns; the drift is slow (``drift_hz`` of 2 or less).

    Returns:
        float64 ``[stop - start]``, whole turns taken off now and then: 0 or more, and small enough for float32 sines.
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
    """Root of the mean power of float32 ``[C, T]`` without a temporary."""
    return math.sqrt(sum(float(np.dot(channel, channel)) for channel in waveform) / waveform.size)
