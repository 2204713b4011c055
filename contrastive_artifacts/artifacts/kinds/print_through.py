"""Spectral: print-through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ... import audio
from ..base import Artifact, Params, linear, log_uniform, pick, whole
from ..dsp.fades import fade_ends
from ..dsp.resample_at import TAPS, filtered, read_at
from ..fields import Choice, Field, Number, Whole

_COPY_RATE = 11000  # Hz: print-through has little energy above half of it
_BLOCK = 1 << 16


@dataclass(frozen=True)
class PrintThrough(Artifact):
    """Print-through: faint copies before and after the sound, from the next layers of a reel or grooves of a disc.

    ``tape``: copies one revolution of the reel earlier and later (``period_s`` at the start of the clip), and weaker
    ones from each of ``layers`` layers. The frequency response of layer n is that of a thin coating at the distance of
    the base, (f / p) exp(1 - n f / p), with its peak where the wavelength is 2 pi times the thickness (p =
    ``peak_hz``): the peak of layer n is 1 / n as high, and lower in frequency. The radius grows by that thickness per
    revolution, so that the period P grows as P^2 = P0^2 + 2 t / p.
    ``groove``: the neighbouring groove of a disc: a constant period, and a low-pass at ``peak_hz``; ``layers`` is 1.
    ``level_db`` is the level of the stronger copy at the peak (of a groove: at DC); ``after_db`` how much stronger the
    copy after the sound is than the one before it: on tape, the outer layer gets more. The period is at most half the
    clip.
    """

    name: ClassVar[str] = "print_through"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Print-through", "groove pre-echo", "groove echo", "magnetic ghost", "crosstalk between layers",
    )  # fmt: skip
    scale: ClassVar[str] = "level of the copy, -45 .. -20 dB, at .5-2 s"
    fields: ClassVar[Mapping[str, Field]] = {
        "kind": Choice(("tape", "groove")),
        "period_s": Number(0.5, 2, "s"),
        "level_db": Number(-45, -20, "dB"),
        "after_db": Number(-8, 8, "dB"),
        "peak_hz": Number(300, 3000, "Hz"),
        "layers": Whole(1, 3),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"tape": 0.65, "groove": 0.35})
        period, layers = log_uniform(rng, 0.5, 2), int(rng.integers(1, 4))
        disc = float(pick(rng, {"1.8": 0.6, "0.77": 0.3, "1.333": 0.1}))  # s: 33 1/3, 78 and 45 revolutions per minute
        tape, groove = log_uniform(rng, 350, 1200), log_uniform(rng, 1000, 3000)  # cassette .. 38 cm/s on thin tape
        more, early = float(rng.uniform(-6, 6)), float(rng.uniform(-8, 0))
        is_tape = kind == "tape"
        return {
            "kind": kind,
            "period_s": period if is_tape else disc,
            "level_db": linear(severity, -45, -20),
            "after_db": more if is_tape else early,
            "peak_hz": tape if is_tape else groove,
            "layers": layers if is_tape else 1,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        if samples < 4:
            return waveform.copy(), whole(waveform)
        rate = sample_rate // max(1, sample_rate // _COPY_RATE)
        source = fade_ends(audio.resample(waveform, sample_rate, rate), rate, end=True)
        copies = np.zeros_like(source)
        period = min(params["period_s"], 0.5 * samples / sample_rate)
        for layer in range(1, params["layers"] + 1 if params["kind"] == "tape" else 2):
            printed = filtered(source, _response(rate, layer, params))
            for side in (-1, 1):  # 1: after the sound
                gain = audio.db_to_gain(params["level_db"] + min(0.0, side * params["after_db"]))
                for start in range(0, source.shape[-1], _BLOCK):
                    index = np.arange(start, min(start + _BLOCK, source.shape[-1]), dtype=np.float64)
                    index -= side * layer * _period(index / rate, period, params) * rate
                    inside = np.flatnonzero((index > -TAPS) & (index < source.shape[-1] + TAPS))
                    if len(inside):  # beyond them there is nothing to read
                        low, high = int(inside[0]), int(inside[-1]) + 1
                        copies[:, start + low : start + high] += gain * read_at(printed, index[low:high])
        out = audio.resample(copies, rate, sample_rate)[:, :samples]
        out += waveform
        return out, whole(waveform)


def _period(seconds: np.ndarray, period: float, params: Params) -> np.ndarray:
    """The duration of a revolution in s at the times ``seconds``: constant on a disc, growing on a reel."""
    if params["kind"] == "groove":
        return np.full(len(seconds), period)
    return np.sqrt(period**2 + 2 * seconds / params["peak_hz"])


def _response(rate: int, layer: int, params: Params) -> np.ndarray:
    """The zero-centred filter from one layer, or groove, to another: ``[L]``, 60 ms."""
    reach = int(0.03 * rate)
    size = 1 << (4 * reach).bit_length()
    ratio = np.fft.rfftfreq(size, 1 / rate) / params["peak_hz"]
    response = 1 / np.sqrt(1 + ratio**4) if params["kind"] == "groove" else ratio * np.exp(1 - layer * ratio)
    taps = np.fft.irfft(response)
    return np.concatenate([taps[-reach:], taps[: reach + 1]]) * np.hanning(2 * reach + 3)[1:-1]
