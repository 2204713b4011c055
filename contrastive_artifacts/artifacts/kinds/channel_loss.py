"""Stereo: channel loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, linear
from ..dsp.channels import CHANNEL, pick_channel
from ..dsp.places import sounding_time
from ..fields import Field, Number

_RAMP_S = 0.005


@dataclass(frozen=True)
class ChannelLoss(Artifact):
    """One channel is too weak or missing: a bad contact, a dead microphone, a missing track.

    It has the gain ``gain_db`` from ``start`` (a share of its sounding time) to the end, after a ramp of 5 ms.
    ``channel`` selects it among those within 40 dB of the loudest (:func:`.channels.pick_channel`).
    """

    name: ClassVar[str] = "channel_loss"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA channel errors", "missing channel", "dead channel", "weak channel")
    scale: ClassVar[str] = "gain of the channel, -6 .. -60 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "gain_db": Number(-60, -6, "dB"),
        "channel": CHANNEL,
        "start": Number(0, 0.8),
    }
    least_channels: ClassVar[int] = 2

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        breaks, start = rng.random() < 0.3, float(rng.uniform(0.1, 0.8))
        return {
            "gain_db": linear(severity, -6, -60),
            "channel": float(rng.random()),
            "start": start if breaks else 0.0,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        out = waveform.copy()
        which = pick_channel(waveform, params["channel"])
        row = out[which]
        start = int(sounding_time(waveform[which : which + 1], sample_rate, np.array(params["start"])))
        start = min(start, samples - 1)
        gain = db_to_gain(params["gain_db"])
        length = min(round(_RAMP_S * sample_rate), samples - start) if params["start"] > 0 else 0
        row[start : start + length] *= np.linspace(1, gain, length + 2, dtype=np.float32)[1:-1]
        row[start + length :] *= np.float32(gain)
        return out, np.array([[start, samples]], dtype=np.int64)
