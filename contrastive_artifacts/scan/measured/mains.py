"""Mains hum of a recording: its frequency and level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.curation.hum import MAINS_HZ, hum_of, mains_bins, mains_lines
from ...data.curation.limits import LIMITS
from ...data.curation.spectrum import hann, power_spectra
from .frames import Frames

_EVERY_S = 4  # a frame of one second; hum is steady
_FRAMES = 3  # fewer may hold one note
_SOUNDING = 1e-20  # power of a frame


@dataclass(frozen=True)
class Mains:
    """Attributes:
    frequency_hz: 50 or 60.
    level_dbfs: RMS of the lines at its first eight multiples that stand out by 10 dB or more, in dB of full scale 1.0:
        a sine of amplitude 1 has -3.0.
    prominence_db: By how much they stand out from the spectrum 4 to 20 Hz beside them.
    channel: Number of the channel where they stand out most, from 0.
    """

    frequency_hz: int
    level_dbfs: float
    prominence_db: float
    channel: int


class MainsMeter:
    """The lines of :class:`~contrastive_artifacts.data.curation.hum.Hum` in one second of four, by channel."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._frames, self._window = Frames(sample_rate, _EVERY_S * sample_rate), hann(sample_rate)
        self._top = mains_bins(sample_rate)
        self._lines: list[dict[int, list[np.ndarray]]] = [{hz: [] for hz in MAINS_HZ} for _ in range(channels)]

    def add(self, piece: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        for frame in self._frames.add(piece):
            power = power_spectra(frame, self._window)[:, : self._top]
            for spectrum, lines in zip(power, self._lines, strict=True):
                if spectrum.sum() > _SOUNDING:
                    for hz, frames in lines.items():
                        frames.append(mains_lines(spectrum[None], hz))

    def mains(self) -> Mains | None:
        """The measures of what was given.

        None where the lines stand out by less than the limit of curation (18 dB), and where fewer than three of the
        seconds sound: less than 9 s.
        """
        hums = [
            (hum_of({hz: np.concatenate(frames) for hz, frames in lines.items()}), channel)
            for channel, lines in enumerate(self._lines)
            if len(lines[MAINS_HZ[0]]) >= _FRAMES
        ]
        hum, channel = max(hums, key=lambda item: item[0].prominence_db, default=(None, 0))
        if hum is None or hum.prominence_db < LIMITS["humming"].soft:
            return None
        return Mains(hum.mains_hz, hum.level_db, hum.prominence_db, channel)
