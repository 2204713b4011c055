"""Dynamics, level and width gone wrong in mastering."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from .... import audio
from ...base import Artifact, Params, geometric, linear, log_uniform, whole
from ...dsp.envelope import apply_gain, control_hop, gain_reduction, level_db
from ...dsp.levels import block_power, reference
from ...fields import Field, Number

_MASTERED_DB = -15.0  # the active level of a mastered track, re full scale: what published thresholds suppose
_FAST_S, _SLOW_S = 0.002, 0.08  # the two envelopes of a transient shaper
_ONSET_DB, _FULL_DB = 3.0, 9.0  # how far the fast one leads where the gain begins to fall, and where it has


@dataclass(frozen=True)
class Compression(Artifact):
    """Crushed dynamics: a feed-forward compressor far below the level of the music, with make-up gain.

    ``threshold_db`` holds for a clip whose active level is -15 dBFS, and moves with that level: quiet clips are
    compressed as much. Channels share one gain.
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
    """Punch is missing: onsets turned down by ``depth_db`` for some 10 ms, and back within 50 ms.

    A transient shaper: an onset is where the level over 2 ms leads that over 80 ms by 3 dB, and down all the way at
    9 dB; where nothing in the clip leads that far, what leads most counts as one. Channels share one gain.
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
        power += max(1e-20, 1e-6 * float(power.mean()))  # the ends of pauses are no endless onsets
        lead = _smooth_db(power, _FAST_S, hop / sample_rate) - _smooth_db(power, _SLOW_S, hop / sample_rate)
        least = min(_ONSET_DB, float(lead.max()) - (_FULL_DB - _ONSET_DB))
        gain = -params["depth_db"] * np.clip((lead - least) / (_FULL_DB - _ONSET_DB), 0.0, 1.0)
        return apply_gain(waveform, gain, hop), whole(waveform)


def _smooth_db(power: np.ndarray, time_s: float, hop_s: float) -> np.ndarray:
    """``[N]`` through a one-pole low-pass that starts settled, in dB."""
    keep = math.exp(-hop_s / time_s)
    return 10.0 * np.log10(signal.lfilter([1.0 - keep], [1.0, -keep], power, zi=power[:1] * keep)[0])


@dataclass(frozen=True)
class Overdrive(Artifact):
    """Too much gain into a limit: the clip ``gain`` times as loud, clipped at the peak that it had."""

    name: ClassVar[str] = "overdrive"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = ("overdriven", "driven into clipping", "too hot")
    scale: ClassVar[str] = "gain 2 .. 5 into the clip's own peak"
    fields: ClassVar[Mapping[str, Field]] = {"gain": Number(2, 5)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"gain": geometric(severity, 2, 5)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        limit = np.float32(audio.peak(waveform))
        out = waveform * np.float32(params["gain"])
        return np.clip(out, -limit, limit, out=out), whole(waveform)


@dataclass(frozen=True)
class Volume(Artifact):
    """Far too quiet: the clip times ``factor``."""

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
    """Width is missing: every channel moved towards the mean of all by ``share``; 1 is mono."""

    name: ClassVar[str] = "mono_sum"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = ("narrow stereo", "mono sum", "summed to mono", "collapsed stereo image")
    scale: ClassVar[str] = "share of the difference between channels that is gone, 40 .. 100 %"
    fields: ClassVar[Mapping[str, Field]] = {"share": Number(0.4, 1)}
    least_channels: ClassVar[int] = 2

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"share": linear(severity, 0.4, 1)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        share = np.float32(params["share"])
        middle = waveform.mean(axis=0, dtype=np.float32) * share
        return waveform * (np.float32(1.0) - share) + middle, whole(waveform)


MASTERING: tuple[Artifact, ...] = (Compression(), Punch(), Overdrive(), Volume(), MonoSum())
