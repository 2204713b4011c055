"""Stereo: a tape head that is tilted against the tracks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from ..base import Artifact, Params, geometric, whole
from ..dsp.resample_at import delay_taps, filtered
from ..fields import Choice, Field, Number


@dataclass(frozen=True)
class Azimuth(Artifact):
    """Azimuth error: a head that stands askew reads one edge of the tape before the other.

    The channels lie side by side on the tape; the last one is ``delay_ms`` later or earlier than the first, those
    between them in proportion, and the first stays in time. Across the width of its own track each channel
    averages over ``track`` (track width over the distance of the outer tracks) times the delay, which costs
    highs: sin(x) / x with x = pi f track delay (the azimuth loss of tape engineering, e.g. Jorgensen, The Complete
    Handbook of Magnetic Recording).
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

    Drawn from its frequency response at 8 points per tap, so that widths below one sample are right as well.
    """
    reach = 32 + math.ceil(width / 2)
    size = 1 << math.ceil(math.log2(16 * reach))
    response = np.fft.irfft(np.sinc(np.fft.rfftfreq(size) * width))
    taps = np.concatenate([response[-reach:], response[: reach + 1]]) * signal.windows.tukey(2 * reach + 1, 24 / reach)
    return taps / taps.sum()
