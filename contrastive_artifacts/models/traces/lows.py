"""The bands below 160 Hz: rumble raises their lowest levels, a thump is a burst in them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from scipy import ndimage

from ... import audio
from ...core.quantiles import median, percentiles

RATE = 1000  # Hz
BANDS_HZ = ((3, 20), (20, 40), (40, 80), (80, 160))
BURST_HZ, BURSTS_DB = (18, 110), (10.0, 16.0)
FRAME, HOP = 40, 20  # samples: 40 and 20 ms
SETTLING = 100  # samples at the start that the filters need
FLOOR = 1e-7  # of the energy of the window
NAMES = (
    *(f"{low}-{high} Hz: {n}" for low, high in BANDS_HZ for n in ("median", "maximum", "90 %")),
    "burst: maximum", *(f"burst: share over {db:g} dB" for db in BURSTS_DB), "burst: 99 %", "burst: 95 %",
    "burst: largest rise", "burst: fifth rise", "3-20 to 40-80 Hz", "20-40 to 40-80 Hz", "3-20 Hz: loudest",
    "burst: loudest",
)  # fmt: skip


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` with unit RMS -> ``[len(NAMES)]``, 1 = 10 dB: medians re the window, the rest re the medians."""
    y = audio.resample(x, rate, RATE)
    levels = {band: _levels(y, band) for band in (*BANDS_HZ, BURST_HZ)}
    medians = {band: float(median(level)) for band, level in levels.items()}
    values: list[float] = []
    for band in BANDS_HZ:
        above = levels[band] - medians[band]
        values += [medians[band], above.max(), float(percentiles(above, 90))]
    burst, rises = levels[BURST_HZ] - medians[BURST_HZ], np.sort(np.diff(levels[BURST_HZ]))
    values += [burst.max(), *(10 * (burst > db).mean() for db in BURSTS_DB), *percentiles(burst, (99, 95))]
    values += [rises[-1], rises[-5]]
    values += [medians[band] - medians[BANDS_HZ[2]] for band in BANDS_HZ[:2]]
    values += [levels[BANDS_HZ[0]].max(), levels[BURST_HZ].max()]
    return np.array(values) / 10


def _levels(y: np.ndarray, band: tuple[int, int]) -> np.ndarray:
    """Level of a band in dB, every HOP samples."""
    power = np.square(scipy.signal.sosfilt(_bandpass(band), y))
    mean = ndimage.uniform_filter1d(power, FRAME, mode="constant")[SETTLING::HOP]
    return 10 * np.log10(np.maximum(mean, 0) + FLOOR)


@lru_cache(maxsize=8)
def _bandpass(band: tuple[int, int]) -> np.ndarray:
    sections: np.ndarray = scipy.signal.butter(3, band, "bandpass", fs=RATE, output="sos")
    return sections
