"""Dynamics: pumping."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from ...audio import db_to_gain
from ..base import Artifact, Params, geometric, log_uniform, whole
from ..dsp.control import interpolate
from ..dsp.envelope import control_hop
from ..dsp.levels import reference
from ..fields import Field, Number

_LEAST_SWING_DB = 6.0  # a clip that swings less under a limiter is steady: its gain is not exaggerated
_CENTRAL = (5.0, 95.0)  # percentiles of the gain between which its swing is measured: without single peaks


@dataclass(frozen=True)
class Pumping(Artifact):
    """Over-compression: loud events reduce the gain quickly, and it releases slowly and audibly.

    A feed-forward compressor with a decoupled peak detector (Giannoulis, Massberg and Reiss, Digital Dynamic Range
    Compressor Design, JAES 2012), driven by the loudest channel and applied to all. The threshold is ``below_db`` below
    the active level; the time constants of the gain reduction are ``attack_ms`` and ``release_s``. The reduction per dB
    above the threshold is chosen so that the gain swings by ``swing_db`` (5th to 95th percentile over the clip); for
    clips so steady that a limiter would swing by less than 6 dB, it is less in proportion. The RMS of the clip is
    preserved. A tone of constant level is not changed, and neither is silence.
    """

    name: ClassVar[str] = "pumping"
    family: ClassVar[str] = "dynamics"
    synonyms: ClassVar[tuple[str, ...]] = ("over-compression", "breathing", "gain pumping", "compressor pumping", "AGC")
    scale: ClassVar[str] = "swing of the gain, 3 .. 20 dB, with a release of .3-3 s"
    fields: ClassVar[Mapping[str, Field]] = {
        "swing_db": Number(3, 20, "dB"),
        "below_db": Number(0, 20, "dB"),
        "attack_ms": Number(1, 30, "ms"),
        "release_s": Number(0.1, 3, "s"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "swing_db": geometric(severity, 3, 20),
            "below_db": float(rng.uniform(6, 20)),
            "attack_ms": log_uniform(rng, 2, 20),
            "release_s": log_uniform(rng, 0.3, 3),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        hop = control_hop(sample_rate)  # level and gain are computed once per hop; gains are interpolated
        reduction = _reduction(waveform, sample_rate, hop, params)
        gain = 10 ** (-reduction / 20)
        energy = _energy(waveform, hop)
        mean = 0.5 * (gain[1:] + gain[:-1])
        compressed = float((energy * np.square(mean)).sum())
        if compressed > 0:  # make-up gain: preserves the RMS
            gain *= math.sqrt(float(energy.sum()) / compressed)
        return waveform * interpolate(gain, hop, waveform.shape[-1]), whole(waveform)


def _reduction(waveform: np.ndarray, sample_rate: int, hop: int, params: Params) -> np.ndarray:
    """Gain reduction in dB, ``[blocks + 1]``: at the start of each block of ``hop`` samples and at the end."""
    blocks = -(-waveform.shape[-1] // hop)
    peaks = np.zeros(blocks, dtype=np.float32)
    for channel in waveform:
        np.maximum(peaks, np.maximum.reduceat(np.abs(channel), np.arange(0, len(channel), hop)), out=peaks)
    threshold = math.sqrt(2) * reference(waveform, sample_rate) * db_to_gain(-params["below_db"])
    over = 20 * np.log10(np.maximum(peaks / threshold, 1.0, dtype=np.float64))
    # The recording did not start with the clip: the detector starts at the mean level.
    over = np.append(over[over > 0].mean() if over.any() else 0.0, over)
    seconds = hop / sample_rate
    decay = seconds / params["release_s"]
    # max(over[n], held[n-1] * exp(-decay)) for all n at once: in logarithms, plus the decay, it is a running maximum.
    time = decay * np.arange(len(over))
    held = np.exp(np.maximum.accumulate(np.log(np.maximum(over, 1e-9)) + time) - time)
    keep = math.exp(-seconds / (1e-3 * params["attack_ms"]))
    held = scipy.signal.lfilter([1 - keep], [1, -keep], held, zi=[keep * held[0]])[0]
    low, high = np.percentile(held, _CENTRAL)
    return held * (params["swing_db"] / max(float(high - low), _LEAST_SWING_DB))


def _energy(waveform: np.ndarray, hop: int) -> np.ndarray:
    """Sum of squares over channels of each block of ``hop`` samples."""
    starts = np.arange(0, waveform.shape[-1], hop)
    energy = np.zeros(len(starts))
    for channel in waveform:
        energy += np.add.reduceat(np.square(channel), starts)
    return energy
