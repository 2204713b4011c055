"""One row per artifact: what somebody else calls it, and the measure in which it must grow with severity."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import signal

Measure = Callable[[np.ndarray, np.ndarray, int], float]  # clean [C, T], damaged [C, T], rate -> more is worse


class Row(NamedTuple):
    term: str
    measure: Measure


def error(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Mean square of what was added or taken away."""
    return float(np.square(damaged.astype(np.float64) - clean).mean())


def lost_highs(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Level above 3 kHz that is gone, in dB."""
    sections = signal.butter(4, 3000, "highpass", fs=rate, output="sos")
    before, after = (np.square(signal.sosfilt(sections, wave)).mean() for wave in (clean, damaged))
    return float(10 * np.log10(before / after))


def blurred(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Log-spectral distance in dB over frames of 23 ms: what is lost or filled in, whatever the phase."""
    floor = 1e-5 * float(np.square(clean).mean())
    before, after = (
        10 * np.log10(signal.spectrogram(wave[0], rate, nperseg=1024, detrend=False, scaling="spectrum")[2] + floor)
        for wave in (clean, damaged)
    )
    return float(np.abs(before - after).mean())


def wandering(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Largest lag in samples between blocks of 20 ms of the two, by cross-correlation."""
    size, reach = rate // 50, rate // 100
    lags = []
    for start in range(reach, clean.shape[1] - size - reach, 4 * size):
        block = clean[0, start - reach : start + size + reach]
        if np.square(block).mean() > 1e-5:
            fit = signal.correlate(block, damaged[0, start : start + size], mode="valid", method="fft")
            energy = np.convolve(np.square(block), np.ones(size), mode="valid")
            lags.append(abs(int(np.argmax(fit / np.sqrt(energy + 1e-9))) - reach))
    return float(np.max(lags) + np.mean(lags))


ROWS: dict[str, Row] = {
    "hiss": Row("AVAA Analog Noise", error),
    "hum": Row("AC beat", error),
    "clicks": Row("Clicks and Pops", error),
    "clipping": Row("overs", error),
    "dropout": Row("Digital Audio Dropout", error),
    "wow_flutter": Row("AVAA Wow & Flutter", wandering),
    "codec": Row("lossy coding", blurred),
    "bandlimit": Row("Muffled Sound", lost_highs),
    "reverb": Row("late reflections", error),
}
