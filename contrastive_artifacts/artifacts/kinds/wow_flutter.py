"""Time base: wow and flutter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base import Artifact, Params, geometric, log_uniform, pick, whole
from ..dsp.resample_at import read_at
from ..fields import Field, Number, Rows

_BLOCK = 1 << 15  # a multiple of the columns of _cosine, so that the result does not depend on it
_SCRAPE_HZ = 100.0


@dataclass(frozen=True)
class WowFlutter(Artifact):
    """Uneven speed of a record or tape: the relative deviation of the speed is a sum of a few sinusoids.

    ``parts`` are rows [rate in Hz, weight, phase in cycles]. Rates to 6 Hz are wow, to 100 Hz flutter, and above it
    scrape flutter (longitudinal vibration of tape that rubs over heads and guides). Scrape flutter is drawn for one
    clip in five, as a narrow group of three sinusoids with 10-40 % of the deviation, in addition to the others. The
    deviation has zero mean over the clip, so that its start, end and length stay, and its peak is ``deviation``. Rates
    are limited to 0.45 x the sample rate. Rendered by :func:`.resample_at.read_at`.
    """

    name: ClassVar[str] = "wow_flutter"
    family: ClassVar[str] = "timebase"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Wow & Flutter", "wow", "flutter", "wow and flutter", "speed variation", "scrape flutter",
    )  # fmt: skip
    scale: ClassVar[str] = "peak speed deviation, .1 .. 2 %, at .5-3000 Hz"
    fields: ClassVar[Mapping[str, Field]] = {
        "deviation": Number(0.001, 0.02),
        "parts": Rows({"rate": Number(0.5, 3000, "Hz"), "weight": Number(0.01, 1), "phase": Number(0, 1)}, most=6),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"wow": 0.4, "flutter": 0.3, "both": 0.3})
        wow, flutter, balance = log_uniform(rng, 0.5, 6), log_uniform(rng, 6, 100), float(rng.uniform(0.25, 0.75))
        # An eccentric disc gives more than one sine.
        overtone = 0.0 if rng.random() < 0.6 else float(rng.uniform(0.1, 0.5))
        phases = [float(p) for p in rng.random(3)]
        wows = [[wow, 1.0, phases[0]]] + ([[2 * wow, overtone, phases[1]]] if overtone else [])
        flutters = [[flutter, 1.0, phases[2]]]
        mixed = [[r, w * balance, p] for r, w, p in wows] + [[r, w * (1 - balance), p] for r, w, p in flutters]
        parts = {"wow": wows, "flutter": flutters, "both": mixed}[kind]
        # Drawn last: seeds without scrape flutter give the same parameters as before it was added.
        scrapes, centre, share = rng.random() < 0.2, log_uniform(rng, 130, 2600), log_uniform(rng, 0.1, 0.4)
        group = [[centre * float(f), share / 3, float(p)] for f, p in zip((0.87, 1, 1.13), rng.random(3), strict=True)]
        if scrapes:
            total = sum(weight for _, weight, _ in parts)
            parts = [[r, max(0.01, w / total * (1 - share)), p] for r, w, p in parts] + group
        return {"deviation": geometric(severity, 0.001, 0.02), "parts": parts}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        parts = [[min(rate, 0.45 * sample_rate), weight, phase] for rate, weight, phase in params["parts"]]
        peak, mean = _peak_and_mean(samples / sample_rate, parts)
        gain = params["deviation"] / peak
        out = np.empty_like(waveform)
        for start in range(0, samples, _BLOCK):
            stop = min(start + _BLOCK, samples)
            position = np.arange(start, stop) + _offset(start, stop, sample_rate, parts, gain, mean)
            np.clip(position, 0, samples - 1, out=position)
            out[:, start:stop] = read_at(waveform, position)
        return out, whole(waveform)


def _offset(start: int, stop: int, sample_rate: int, parts: list[list[float]], gain: float, mean: float) -> np.ndarray:
    """The offset of the reading position at samples [start, stop), in samples: the integral of the deviation."""
    seconds = np.arange(start, stop) / sample_rate
    offset = -mean * seconds
    for rate, weight, phase in parts:
        turn = 2 * np.pi * rate
        swing = _cosine(start, stop, turn / sample_rate, 2 * np.pi * phase)
        np.subtract(np.cos(2 * np.pi * phase), swing, out=swing)
        swing *= weight / turn
        offset += swing
    offset *= gain * sample_rate
    return offset


def _cosine(start: int, stop: int, step: float, phase: float) -> np.ndarray:
    """cos(step * n + phase) for n in [start, stop), by the angle sum of rows and columns, so from few cosines."""
    columns = 128
    rows = -(-(stop - start) // columns)
    coarse = np.exp(1j * (step * (start + columns * np.arange(rows)) + phase))
    fine = np.exp(1j * step * np.arange(columns))
    product = np.multiply.outer(coarse.real, fine.real)
    product -= np.multiply.outer(coarse.imag, fine.imag)
    return product.ravel()[: stop - start]


def _peak_and_mean(duration: float, parts: list[list[float]]) -> tuple[float, float]:
    """The peak of the unscaled deviation without its mean over the clip, and that mean.

    Scrape flutter takes all its phases at every phase of the slow parts: its weights are added to their peak.
    """
    slow = [part for part in parts if part[0] <= _SCRAPE_HZ]
    fastest = max((rate for rate, _, _ in slow), default=1.0)
    time = np.linspace(0, duration, int(np.clip(64 * fastest * duration, 8192, 1 << 16)))
    speed, mean = np.zeros_like(time), 0.0
    for rate, weight, phase in slow:
        angle = 2 * np.pi * phase
        speed += weight * np.sin(2 * np.pi * rate * time + angle)
        turn = 2 * np.pi * rate * duration
        mean += weight * (np.cos(angle) - np.cos(turn + angle)) / turn
    peak = float(np.abs(speed - mean).max()) + sum(weight for rate, weight, _ in parts if rate > _SCRAPE_HZ)
    return max(peak, 1e-9), float(mean)
