"""What happens to a recording between its making and a listener: another rate, a lossy file, 16 bits.

A rendered fault is followed by numerical silence: nothing above a low-pass, exact repeats, flat tops of one value. Real
recordings have been resampled, coded and rounded since. An encoder that never saw this learns the silence instead of
the fault: of severe band limits it found 94 % in floating point and 19 % after rounding to 16 bits with dither.
"""

from __future__ import annotations

import numpy as np

from ...artifacts.dsp.coders import CODERS, aligned, code
from ...artifacts.dsp.narrow import at_rate

RESAMPLED, NARROWEST = 0.3, 0.85  # probability of other sample rates; the lowest of them, as a share of the own rate
CODED, BITS, VORBIS_KBPS = 0.25, (2.2, 3.6), (100.0, 160.0)  # probability of a lossy file; see coded()
ROUNDED, DITHERED = 0.85, 0.5  # probability of 16 bits; of triangular dither before that
PEAK = 0.98  # full scale for what is coded or rounded
FILE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
STEP = 1 / 32768


def deliver(samples: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A view after resampling, coding at a high bit rate, and rounding to 16 bits, each by chance.

    No sample moves in time. Bit rates are high (97 to 160 kbit/s and channel at 44.1 kHz): what this does is no fault.
    Sounds over full scale are scaled down, not clipped.

    Args:
        samples: float32 ``[T]``.
        rate: Hz.
        rng: Decides what happens.

    Returns:
        float32 ``[T]``.
    """
    another_rate, lossy, whole, dithered = (float(value) for value in rng.random(4))
    narrow = max(1, round(rate * rng.uniform(NARROWEST, 1.0)))
    if another_rate < RESAMPLED:
        samples = at_rate(samples, rate, narrow)
    samples = under_full_scale(samples)
    if lossy < CODED:
        name = ("mp3", "vorbis")[int(rng.integers(2))]
        samples = coded(samples, rate, name, rng.uniform(*BITS) if name == "mp3" else rng.uniform(*VORBIS_KBPS))
    return rounded(samples, rng if dithered < DITHERED else None) if whole < ROUNDED else samples


def under_full_scale(samples: np.ndarray) -> np.ndarray:
    """Scaled down to a peak of PEAK where it is higher, float32 ``[T]``."""
    return samples * np.float32(PEAK / max(float(np.abs(samples).max(initial=0.0)), PEAK))


def coded(samples: np.ndarray, rate: int, name: str, quality: float) -> np.ndarray:
    """As from a lossy file, float32 ``[T]`` within [-1, 1].

    Args:
        name: "mp3", whose ``quality`` is its bits per sample, or "vorbis": kbit/s that it is meant for at 44.1 kHz.
    """
    file_rate = min(FILE_RATES, key=lambda known: abs(known - rate))  # is stated: no sample is resampled
    kbps = quality * file_rate / 1000 if name == "mp3" else quality
    delay = round(CODERS[name].delay(kbps))
    return aligned(code(samples, file_rate, name, kbps), delay, len(samples))


def rounded(samples: np.ndarray, dither: np.random.Generator | None) -> np.ndarray:
    """As from a file of 16 bits, float32 ``[T]``; ``dither`` gives triangular noise of two steps, None: none."""
    noise = 0.0 if dither is None else dither.triangular(-STEP, 0, STEP, len(samples))
    return np.clip(np.round((samples + noise) / STEP), -32768, 32767).astype(np.float32) * np.float32(STEP)
