"""Additive: turntable rumble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...audio import db_to_gain
from ...core import seeding
from ..base import Artifact, Params, draw_seed, linear, whole
from ..dsp.levels import reference
from ..dsp.signals import rms, shaped_noise, sine
from ..fields import SEED, Choice, Field, Number

_SLOW_HZ = 400  # sample rate at which the noise is computed, about: ten times its highest frequency
_REACH = 8  # slow samples that each output sample is interpolated from
_TURNS_HZ = {"33": 100 / 180, "45": 45 / 60, "78": 78 / 60}
_ROWS = 4096  # slow samples interpolated at a time


@dataclass(frozen=True)
class Rumble(Artifact):
    """Bearing and motor noise of a turntable, below 40 Hz, modulated once per revolution, equal in all channels.

    ``slope_db`` is the slope of the spectrum in dB per octave between ``low_hz``, below which the tonearm attenuates
    it, and 36 Hz. ``depth`` is the depth of the modulation; ``phase`` the position in the revolution at which the clip
    starts.
    """

    name: ClassVar[str] = "rumble"
    family: ClassVar[str] = "additive"
    synonyms: ClassVar[tuple[str, ...]] = ("turntable rumble", "motor rumble", "low-frequency noise", "bearing noise")
    scale: ClassVar[str] = "signal-to-noise ratio re the active level, 30 .. 5 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "snr_db": Number(5, 30, "dB"),
        "rpm": Choice(tuple(_TURNS_HZ)),
        "slope_db": Number(-9, 3, "dB per octave"),
        "low_hz": Number(4, 20, "Hz"),
        "depth": Number(0.2, 0.9),
        "phase": Number(0, 1, "turns"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "snr_db": linear(severity, 30, 5),
            "rpm": list(_TURNS_HZ)[int(rng.integers(len(_TURNS_HZ)))],
            "slope_db": float(rng.uniform(-6, 0)),
            "low_hz": float(rng.uniform(6, 15)),
            "depth": float(rng.uniform(0.3, 0.8)),
            "phase": float(rng.random()),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        factor = max(1, sample_rate // _SLOW_HZ)
        slow_rate = sample_rate / factor

        def response(hertz: np.ndarray) -> np.ndarray:
            power = params["slope_db"] / (20 * np.log10(2))
            tilt = (np.maximum(hertz, 1.0) / params["low_hz"]) ** power
            floor, ceiling = (params["low_hz"] / np.maximum(hertz, 0.1)) ** 6, (hertz / 36) ** 40
            return tilt / np.sqrt((1 + floor) * (1 + ceiling))

        count = -(-samples // factor)
        rng = seeding.generator(params["seed"], "rumble")
        slow = shaped_noise((1, count + _REACH), slow_rate, rng, response, resolution_hz=0.5)[0]
        swell = sine(len(slow), _TURNS_HZ[params["rpm"]] / slow_rate, params["phase"])
        slow *= 1 + np.float32(params["depth"]) * swell
        noise = _interpolate(slow, factor)[:samples]
        level = reference(waveform, sample_rate) * db_to_gain(-params["snr_db"])
        noise *= np.float32(level / max(rms(noise[None]), 1e-30))
        return waveform + noise, whole(waveform)


def _interpolate(slow: np.ndarray, factor: int) -> np.ndarray:
    """``[K + _REACH]`` -> ``[K * factor]`` by a Kaiser-windowed sinc: windows times one kernel per phase."""
    offset = np.arange(_REACH)[:, None] - (_REACH // 2 - 1) - np.arange(factor) / factor
    kernel = np.sinc(offset) * np.i0(6.0 * np.sqrt(np.maximum(0, 1 - (offset / (_REACH / 2)) ** 2)))
    kernel = (kernel / kernel.sum(axis=0)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(slow, _REACH)[: len(slow) - _REACH]
    out = np.empty((len(windows), factor), dtype=np.float32)
    for start in range(0, len(windows), _ROWS):  # copied for the product, a few at a time to save memory
        np.matmul(np.ascontiguousarray(windows[start : start + _ROWS]), kernel, out=out[start : start + _ROWS])
    return out.reshape(-1)
