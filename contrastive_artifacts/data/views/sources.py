"""Clean windows: where they are cut from a clip, and how a training clip is varied before any artifact."""

from __future__ import annotations

import numpy as np

from ... import audio

SPEED = 0.2  # training clips are played faster or slower by up to this many octaves
LOWER_RATE = 0.5  # probability that a training clip is resampled to one of these rates, where figures are native
LOWER_RATES = (8000, 8000, 11025, 16000, 22050, 32000)  # 8 kHz twice: the rate of telephones
OVERLAY = 0.5  # probability that a second clip is mixed with a training clip,
OVERLAY_DB = (-20.0, 0.0)  # at this level relative to it


def cut_window(waveform: np.ndarray, start: int, length: int) -> np.ndarray:
    """The window of ``length`` samples of ``waveform`` [1, T] from ``start``.

    A clip that ends earlier is extended by reflection, which is continuous and so adds no click.
    """
    part = waveform[:, start : start + length]
    missing = length - part.shape[1]
    return np.pad(part, ((0, 0), (0, missing)), mode="reflect" if part.shape[1] > 1 else "edge") if missing else part


def window_start(waveform: np.ndarray, length: int, rng: np.random.Generator) -> int:
    """Start of a random window of ``length`` samples, silent only where the clip is.

    Of four random starts, the first whose window lies within 20 dB of the loudest of the four; 0 for a shorter clip.
    """
    spare = waveform.shape[-1] - length
    if spare <= 0:
        return 0
    starts = rng.integers(0, spare + 1, size=4)
    energy = [float(np.mean(np.square(waveform[:, s : s + length]))) for s in starts]
    return next(int(s) for s, e in zip(starts, energy, strict=True) if e >= 0.01 * max(energy))


def lower_rate(loaded: tuple[np.ndarray, int], rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Half of the time the clip resampled to a random rate below its own: [1, T] and its rate in Hz.

    Detail figures depend slightly on the sample rate. A corpus of a single rate would teach their values at that rate
    only (linear probe on them, fitted at 44.1 kHz, on speech at 16 kHz: macro-F1 .59; fitted at mixed rates: .68).
    """
    waveform, rate = loaded
    target = int(rng.choice(LOWER_RATES))
    return (audio.resample(waveform, rate, target), target) if rng.random() < LOWER_RATE and target < rate else loaded


def augment(
    loaded: tuple[np.ndarray, int], other: tuple[np.ndarray, int], rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """A new clean clip made of two known ones, so that few sources go further: [1, T] and its rate in Hz.

    Half of the time a random window of ``other`` is mixed in. The speed is changed by stating another sample rate: no
    sample is computed, so nothing is damaged. Applied before any artifact, to every state alike.
    """
    waveform, rate = loaded
    if rng.random() < OVERLAY:
        second = audio.resample(other[0], other[1], rate)
        level = audio.active_rms(waveform, rate) / max(audio.active_rms(second, rate), 1e-5)
        start = int(rng.integers(max(1, second.shape[1] - waveform.shape[1] + 1)))
        second = cut_window(second, start, waveform.shape[1])
        waveform = waveform + second * np.float32(level * 10 ** (rng.uniform(*OVERLAY_DB) / 20))
        waveform = waveform / np.float32(max(1.0, np.abs(waveform).max()))
    return waveform, round(rate * 2 ** rng.uniform(-SPEED, SPEED))
