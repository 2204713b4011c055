"""Stereo: an inverted channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from ..base import Artifact, Params, geometric, whole
from ..dsp.channels import CHANNEL, pick_channel
from ..fields import Field, Number

_BLOCK = 1 << 18
_FULL_RATE = 32000.0  # clips at lower rates have their corner lower in proportion


@dataclass(frozen=True)
class Polarity(Artifact):
    """One channel is inverted, in full or from some frequency on.

    A first-order all-pass turns the phase by 90 degrees at ``corner_hz`` (times the clip's rate / 32 kHz where that is
    less than 1), leaves what lies below and inverts what lies above it, at an unchanged level: with the corner at
    4 kHz only the highs cancel in a mono sum (a tweeter or one stage wired the wrong way round), at 5 Hz the channel
    is inverted. ``channel`` picks it among those within 40 dB of the loudest, by its share of their number.
    """

    name: ClassVar[str] = "polarity"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = ("inverted channel", "out of phase", "reversed polarity", "phase reversal")
    scale: ClassVar[str] = "frequency above which the channel is inverted, 4 kHz .. 5 Hz (all of it)"
    fields: ClassVar[Mapping[str, Field]] = {"corner_hz": Number(5, 4000, "Hz"), "channel": CHANNEL}
    least_channels: ClassVar[int] = 2

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"corner_hz": geometric(severity, 4000, 5), "channel": float(rng.random())}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        out = waveform.copy()
        row = out[pick_channel(waveform, params["channel"])]
        tangent = np.tan(np.pi * params["corner_hz"] / max(sample_rate, _FULL_RATE))
        turn = (tangent - 1) / (tangent + 1)
        state = np.zeros(1)
        for start in range(0, len(row), _BLOCK):
            part = row[start : start + _BLOCK]
            part[:], state = signal.lfilter([turn, 1.0], [1.0, turn], part.astype(np.float64), zi=state)
        return out, whole(waveform)
