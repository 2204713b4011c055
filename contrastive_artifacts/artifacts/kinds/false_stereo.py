"""Stereo: false stereo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ..base import Artifact, Params, geometric, pick, whole
from ..dsp.channels import CHANNEL, pick_channel
from ..fields import Choice, Field, Number


@dataclass(frozen=True)
class FalseStereo(Artifact):
    """Mono presented as stereo: the channels approach one common signal, up to duplicates of it.

    The difference of each channel from the common signal has the gain ``side_db``. The common signal is the ``mean`` of
    all channels (a mono sum), or one ``channel`` among those within 40 dB of the loudest
    (:func:`.channels.pick_channel`). Equal channels are not changed.
    """

    name: ClassVar[str] = "false_stereo"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = (
        "duplicated channel",
        "dual mono",
        "fake stereo",
        "two-channel mono",
        "narrowed",
    )
    scale: ClassVar[str] = "gain of the difference between the channels, -3 .. -60 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "side_db": Number(-60, -3, "dB"),
        "source": Choice(("mean", "channel")),
        "channel": CHANNEL,
    }
    least_channels: ClassVar[int] = 2

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "side_db": -geometric(severity, 3, 60),
            "source": pick(rng, {"mean": 0.5, "channel": 0.5}),
            "channel": float(rng.random()),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        if params["source"] == "mean":
            common = waveform.mean(axis=0)
        else:
            common = waveform[pick_channel(waveform, params["channel"])]
        out = waveform - common
        out *= np.float32(db_to_gain(params["side_db"]))
        out += common
        return out, whole(waveform)
