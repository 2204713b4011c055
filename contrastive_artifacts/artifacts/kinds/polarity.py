"""Stereo: inverted polarity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from ..base import Artifact, Params, geometric, whole
from ..dsp.channels import CHANNEL, pick_channel
from ..fields import Field, Number

_BLOCK = 1 << 18
_FULL_RATE = 32000.0  # at lower sample rates, the corner is lowered in proportion


@dataclass(frozen=True)
class Polarity(Artifact):
    """One channel is inverted, at all frequencies or above a corner.

    A first-order all-pass keeps frequencies far below ``corner_hz``, inverts those far above it, and shifts the phase
    by 90 degrees at it (the corner is multiplied by sample rate / 32 kHz below 32 kHz). With a corner of 4 kHz, only
    the highs cancel in a mono sum (a tweeter or one stage with reversed wires); at 5 Hz all of the channel is inverted.
    ``channel`` selects it among those within 40 dB of the loudest (:func:`.channels.pick_channel`).
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
            part[:], state = scipy.signal.lfilter([turn, 1.0], [1.0, turn], part.astype(np.float64), zi=state)
        return out, whole(waveform)
