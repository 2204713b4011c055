"""The upper edge of the spectrum of a recording, and what it suggests about the way that the recording came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.curation.spectrum import band_of, hann, power_spectra
from .frames import Frames

FULL = "full band"
_FFT, _EVERY = 2048, 16384  # an hour has some ten thousand frames; more do not change a mean
_CLASS_DB, _ACTIVE_DB = 6.0, 60.0  # frames further below the loudest one do not count, to the nearest class
_SOUNDING = 1e-18  # power of a frame
_CLIFF_DB = 20.0
_WHOLE = 0.93  # of half the sample rate: filters of converters end there
_LOSSY_HZ = (14_500.0, 20_600.0)  # low-pass of MP3, AAC and broadcast
_RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000)
_FILTER = (0.86, 1.01)  # where filters of resamplers end, of half the lower rate


@dataclass(frozen=True)
class Bandwidth:
    """Attributes:
    edge_hz: Frequency of the steepest permanent fall of the mean spectrum if it is of 20 dB or more; else half the
        sample rate.
    fall_db: Depth of the steepest fall within 1/64 of the sample rate.
    nyquist_hz: Half the sample rate.
    suggests: "full band", or where such an edge usually comes from.
    """

    edge_hz: float
    fall_db: float
    nyquist_hz: float
    suggests: str


class BandwidthMeter:
    """The edge of :class:`~contrastive_artifacts.data.curation.spectrum.Band` in one pass.

    Every eighth frame is transformed, each channel by itself, so that channels out of phase have a spectrum too. Frames
    are summed in classes of level, as the level of the loudest one is known at the end.
    """

    def __init__(self, sample_rate: int) -> None:
        self._nyquist = sample_rate / 2
        self._frames, self._window = Frames(_FFT, _EVERY), hann(_FFT)
        self._classes: dict[int, tuple[int, np.ndarray]] = {}  # level / _CLASS_DB -> frames, sum of levels in dB
        self._loudest = 0.0

    def add(self, piece: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        for frame in self._frames.add(piece):
            power = power_spectra(frame, self._window).mean(axis=0, dtype=np.float64)
            total = float(power.sum())
            if total < _SOUNDING:
                continue
            self._loudest = max(self._loudest, total)
            level = int(10 * np.log10(total) // _CLASS_DB)
            count, levels = self._classes.get(level, (0, np.zeros(power.size)))
            self._classes[level] = count + 1, levels + 10 * np.log10(power + _SOUNDING)

    def bandwidth(self) -> Bandwidth | None:
        """The measures of what was given; None where nothing sounds or all is shorter than a frame."""
        if not self._classes:
            return None
        least = int((10 * np.log10(self._loudest) - _ACTIVE_DB) // _CLASS_DB)
        active = [frames for level, frames in self._classes.items() if level >= least]
        levels = np.sum([levels for _, levels in active], axis=0) / sum(count for count, _ in active)
        band = band_of(self._nyquist, levels, self._nyquist)
        edge_hz = band.edge_hz if band.edge_db >= _CLIFF_DB else self._nyquist
        return Bandwidth(edge_hz, band.edge_db, self._nyquist, suggestion(edge_hz, self._nyquist))


def suggestion(edge_hz: float, nyquist_hz: float) -> str:
    """What the edge of a spectrum suggests.

    >>> suggestion(3900.0, 24000.0), suggestion(16000.0, 22050.0), suggestion(23000.0, 24000.0)
    ('upsampled from 8 kHz', 'lossy coding, or upsampled from 32 kHz', 'full band')
    """
    if edge_hz >= _WHOLE * nyquist_hz:
        return FULL
    lower = [rate for rate in _RATES if rate < 2 * nyquist_hz]
    from_rate = next((rate for rate in lower if _FILTER[0] <= 2 * edge_hz / rate <= _FILTER[1]), None)
    upsampled = f"upsampled from {from_rate / 1000:g} kHz" if from_rate else ""
    if _LOSSY_HZ[0] <= edge_hz <= _LOSSY_HZ[1]:
        return f"lossy coding, or {upsampled}" if upsampled else "lossy coding"
    return upsampled or "a low-pass filter"
