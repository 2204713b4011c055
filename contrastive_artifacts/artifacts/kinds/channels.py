"""Stereo: a channel that is inverted, lost, or a copy of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from ..base import Artifact, Params, geometric, linear, pick, whole
from ..dsp.levels import decibels
from ..fields import Choice, Field, Number
from .gain_step import sounding_time

_BLOCK = 1 << 18
_FULL_RATE = 32000.0  # clips at lower rates have their corner lower in proportion
_RAMP_S = 0.005
_ACTIVE = 1e-4  # power re the loudest channel: one 40 dB below it would not be missed
_CHANNEL = Number(0, 1, "of the channels that sound")


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
    fields: ClassVar[Mapping[str, Field]] = {"corner_hz": Number(5, 4000, "Hz"), "channel": _CHANNEL}
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


@dataclass(frozen=True)
class ChannelLoss(Artifact):
    """One channel is too weak or gone: a bad contact, a dead microphone, a missing track.

    It is attenuated by ``gain_db`` from ``start`` (a share of the time that sounds) to the end, over a ramp of 5 ms.
    ``channel`` picks it among those within 40 dB of the loudest, by its share of their number.
    """

    name: ClassVar[str] = "channel_loss"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA channel errors", "missing channel", "dead channel", "weak channel")
    scale: ClassVar[str] = "gain of the channel, -6 .. -60 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "gain_db": Number(-60, -6, "dB"),
        "channel": _CHANNEL,
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
        gain = decibels(params["gain_db"])
        length = min(round(_RAMP_S * sample_rate), samples - start) if params["start"] > 0 else 0
        row[start : start + length] *= np.linspace(1, gain, length + 2, dtype=np.float32)[1:-1]
        row[start + length :] *= np.float32(gain)
        return out, np.array([[start, samples]], dtype=np.int64)


@dataclass(frozen=True)
class FalseStereo(Artifact):
    """Mono that poses as stereo: every channel is drawn towards one and the same, until they are duplicates.

    What a channel differs by from the common one is attenuated by ``side_db``. The common one is the ``mean`` of all
    channels (a mono sum), or a ``channel`` that stands in for the others, picked by its share of the number of those
    within 40 dB of the loudest. Channels that are equal already stay as they are.
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
    scale: ClassVar[str] = "level of what the channels differ by, -3 .. -60 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "side_db": Number(-60, -3, "dB"),
        "source": Choice(("mean", "channel")),
        "channel": _CHANNEL,
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
        out *= np.float32(decibels(params["side_db"]))
        out += common
        return out, whole(waveform)


def pick_channel(waveform: np.ndarray, share: float) -> int:
    """Which of the channels of ``[C, T]``: the one that lies at ``share`` (0 to 1) of those that sound."""
    power = np.array([float(np.square(channel).sum(dtype=np.float64)) for channel in waveform])
    sounding = np.flatnonzero(power >= _ACTIVE * power.max())
    return int(sounding[min(int(share * len(sounding)), len(sounding) - 1)])
