"""Wrong dynamics, level and stereo width in mastering."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from .... import audio
from ...base import Artifact, Params, geometric, linear, log_uniform, whole
from ...dsp.envelope import apply_gain, control_hop, gain_reduction, level_db
from ...dsp.levels import block_power, reference
from ...fields import Field, Number

_MASTERED_DB = -15.0  # active level of a mastered track re full scale, which the published thresholds assume
_FAST_S, _SLOW_S = 0.002, 0.08  # time constants of the two envelopes of a transient shaper
_ONSET_DB, _FULL_DB = 3.0, 9.0  # fast re slow envelope where the gain starts to fall, and where it is lowest


@dataclass(frozen=True)
class Compression(Artifact):
    """Crushed dynamics: a feed-forward compressor with a very low threshold, and make-up gain.

    ``threshold_db`` is for a clip with an active level of -15 dBFS and moves with this level, so that quiet clips are
    compressed as much. The gain is the same in all channels.
    """

    name: ClassVar[str] = "compression"
    family: ClassVar[str] = "dynamics"
    synonyms: ClassVar[tuple[str, ...]] = ("overcompressed", "crushed dynamics", "squashed")
    scale: ClassVar[str] = "threshold -38 .. -45 dB with ratio 6 .. 45"
    fields: ClassVar[Mapping[str, Field]] = {
        "threshold_db": Number(-45, -38, "dB"),
        "ratio": Number(6, 45),
        "attack_ms": Number(3, 150, "ms"),
        "release_ms": Number(80, 250, "ms"),
        "makeup_db": Number(16, 25, "dB"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "threshold_db": linear(severity, -38, -45),
            "ratio": geometric(severity, 6, 45),
            "attack_ms": log_uniform(rng, 3, 150),
            "release_ms": log_uniform(rng, 80, 250),
            "makeup_db": float(rng.uniform(16, 25)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        hop = control_hop(sample_rate)
        level = level_db(waveform, hop) + _MASTERED_DB - 20.0 * math.log10(reference(waveform, sample_rate))
        attack, release = params["attack_ms"] * 1e-3, params["release_ms"] * 1e-3
        gain = gain_reduction(level, params["threshold_db"], params["ratio"], attack, release, hop / sample_rate)
        return apply_gain(waveform, gain + params["makeup_db"], hop), whole(waveform)


@dataclass(frozen=True)
class Punch(Artifact):
    """Lack of punch: onsets attenuated by ``depth_db`` for about 10 ms, with a release within 50 ms.

    A transient shaper: the gain starts to fall where the level over 2 ms exceeds that over 80 ms by 3 dB, and is
    lowest from 9 dB on; where nothing in the clip reaches 9 dB, these limits are lowered to its maximum. The gain is
    the same in all channels.
    """

    name: ClassVar[str] = "punch"
    family: ClassVar[str] = "dynamics"
    synonyms: ClassVar[tuple[str, ...]] = ("lack of punch", "soft transients", "weak attacks")
    scale: ClassVar[str] = "transients reduced by 8 .. 15 dB"
    fields: ClassVar[Mapping[str, Field]] = {"depth_db": Number(8, 15, "dB")}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"depth_db": linear(severity, 8, 15)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        hop = control_hop(sample_rate)
        power = block_power(waveform, hop)
        power += max(1e-20, 1e-6 * float(power.mean()))  # the end of a pause is not an onset of infinite dB
        lead_db = _smooth_db(power, _FAST_S, hop / sample_rate) - _smooth_db(power, _SLOW_S, hop / sample_rate)
        onset_db = min(_ONSET_DB, float(lead_db.max()) - (_FULL_DB - _ONSET_DB))
        gain = -params["depth_db"] * np.clip((lead_db - onset_db) / (_FULL_DB - _ONSET_DB), 0.0, 1.0)
        return apply_gain(waveform, gain, hop), whole(waveform)


def _smooth_db(power: np.ndarray, time_s: float, hop_s: float) -> np.ndarray:
    """``power`` ``[N]`` through a one-pole low-pass in its steady state, in dB."""
    pole = math.exp(-hop_s / time_s)
    return 10.0 * np.log10(scipy.signal.lfilter([1.0 - pole], [1.0, -pole], power, zi=power[:1] * pole)[0])


@dataclass(frozen=True)
class Overdrive(Artifact):
    """Too much gain before a limit: the clip times ``gain``, clipped at its original peak."""

    name: ClassVar[str] = "overdrive"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = ("overdriven", "driven into clipping", "too hot")
    scale: ClassVar[str] = "gain 2 .. 5, clipped at the peak of the clip"
    fields: ClassVar[Mapping[str, Field]] = {"gain": Number(2, 5)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"gain": geometric(severity, 2, 5)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        limit = np.float32(audio.peak(waveform))
        out = waveform * np.float32(params["gain"])
        return np.clip(out, -limit, limit, out=out), whole(waveform)


@dataclass(frozen=True)
class Volume(Artifact):
    """Much too quiet: the clip times ``factor``."""

    name: ClassVar[str] = "volume"
    family: ClassVar[str] = "dynamics"
    synonyms: ClassVar[tuple[str, ...]] = ("too quiet", "low level", "low volume")
    scale: ClassVar[str] = "level x .05 .. x .001"
    fields: ClassVar[Mapping[str, Field]] = {"factor": Number(0.001, 0.05)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"factor": geometric(severity, 0.05, 0.001)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        return waveform * np.float32(params["factor"]), whole(waveform)


@dataclass(frozen=True)
class MonoSum(Artifact):
    """Lack of stereo width: every channel is moved towards the mean of all by ``share``; 1 is mono."""

    name: ClassVar[str] = "mono_sum"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = ("narrow stereo", "mono sum", "summed to mono", "collapsed stereo image")
    scale: ClassVar[str] = "share of the difference between channels that is lost, 40 .. 100 %"
    fields: ClassVar[Mapping[str, Field]] = {"share": Number(0.4, 1)}
    least_channels: ClassVar[int] = 2

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"share": linear(severity, 0.4, 1)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        share = np.float32(params["share"])
        middle = waveform.mean(axis=0, dtype=np.float32) * share
        return waveform * (np.float32(1.0) - share) + middle, whole(waveform)


MASTERING: tuple[Artifact, ...] = (Compression(), Punch(), Overdrive(), Volume(), MonoSum())
