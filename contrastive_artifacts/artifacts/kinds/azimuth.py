"""Stereo: azimuth error of a tape head."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from ..base import Artifact, Params, geometric, whole
from ..dsp.resample_at import delay_taps, filtered
from ..fields import Choice, Field, Number


@dataclass(frozen=True)
class Azimuth(Artifact):
    """Azimuth error: a tilted head reads one edge of the tape before the other.

    The channels lie side by side on the tape: relative to the first, the last one is delayed by ``delay_ms`` (or
    advanced, where ``later`` is the first), and those between them in proportion. Each channel is also averaged over
    the width of its track, ``track`` (track width / distance of the outer tracks) times the delay, which attenuates
    highs by sin(x) / x with x = pi f track delay (the azimuth loss, e.g. Jorgensen, The Complete Handbook of Magnetic
    Recording).
    """

    name: ClassVar[str] = "azimuth"
    family: ClassVar[str] = "stereo"
    synonyms: ClassVar[tuple[str, ...]] = ("azimuth error", "head misalignment", "interchannel delay")
    scale: ClassVar[str] = "delay between the outer channels, .01 .. .3 ms"
    fields: ClassVar[Mapping[str, Field]] = {
        "delay_ms": Number(0.01, 0.3, "ms"),
        "later": Choice(("first", "last")),
        "track": Number(0.3, 0.8),
    }
    least_channels: ClassVar[int] = 2

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        later = "first" if rng.random() < 0.5 else "last"
        return {
            "delay_ms": geometric(severity, 0.01, 0.3),
            "later": later,
            "track": float(rng.uniform(0.3, 0.8)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        delay = params["delay_ms"] * 1e-3 * sample_rate
        across = _average_taps(params["track"] * delay)
        out = np.empty_like(waveform)
        for channel in range(len(waveform)):
            later = delay * channel / (len(waveform) - 1) * (1 if params["later"] == "last" else -1)
            taps = np.convolve(delay_taps(later - math.floor(later)), across)
            out[channel] = filtered(waveform[channel : channel + 1], taps, math.floor(later))[0]
        return out, whole(waveform)


def _average_taps(width: float) -> np.ndarray:
    """The zero-centred filter of odd length that averages over ``width`` samples: sin(x) / x, x = pi f width / rate.

    Computed from its frequency response at 8 points per tap, which is correct for widths below one sample, too.
    """
    reach = 32 + math.ceil(width / 2)
    size = 1 << math.ceil(math.log2(16 * reach))
    response = np.fft.irfft(np.sinc(np.fft.rfftfreq(size) * width))
    taps = np.concatenate([response[-reach:], response[: reach + 1]]) * scipy.signal.windows.tukey(
        2 * reach + 1, 24 / reach
    )
    return taps / taps.sum()
