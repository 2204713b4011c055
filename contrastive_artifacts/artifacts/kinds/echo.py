"""Linear, spectral: a sound that is heard again, or too early: echo and print-through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from ... import audio
from ..base import Artifact, Params, linear, log_uniform, pick, whole
from ..dsp.levels import decibels
from ..dsp.resample_at import filtered, read_at
from ..fields import Choice, Field, Number, Whole

_FADE_S = 0.005  # a clip begins in the middle of a sound; its ghost must not begin with a click
_GHOST_RATE = 11000  # Hz: print-through has nothing to speak of above half of it
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Echo(Artifact):
    """Discrete repetitions: the slap of a hall, a feedback of the transmission line, a tape delay left on.

    The sound comes again ``delay_ms`` later at ``level_db``, ``repeats`` times in all, each ``decay_db`` weaker than
    the one before. All go through one low-pass (-3 dB at ``cutoff_hz``, without delay; 0 is none). In a clip
    shorter than twice the delay, the delay is half the clip.
    """

    name: ClassVar[str] = "echo"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = ("slapback", "repetition", "delayed copy", "transmission echo")
    scale: ClassVar[str] = "level of the first repetition, -25 .. -6 dB, at 50-500 ms"
    fields: ClassVar[Mapping[str, Field]] = {
        "delay_ms": Number(50, 500, "ms"),
        "level_db": Number(-25, -6, "dB"),
        "repeats": Whole(1, 5),
        "decay_db": Number(3, 12, "dB"),
        "cutoff_hz": Number(0, 12000, "Hz; 0 is none"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        dull, cutoff = rng.random() < 0.6, log_uniform(rng, 2000, 12000)
        single, repeats = rng.random() < 0.5, int(rng.integers(2, 6))
        return {
            "delay_ms": log_uniform(rng, 50, 500),
            "level_db": linear(severity, -25, -6),
            "repeats": 1 if single else repeats,
            "decay_db": float(rng.uniform(3, 12)),
            "cutoff_hz": cutoff if dull else 0.0,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        lag = max(1, min(round(params["delay_ms"] * 1e-3 * sample_rate), samples // 2))
        if lag >= samples:
            return waveform.copy(), whole(waveform)
        out, ghost = waveform.copy(), _faded(waveform, sample_rate, end=False)
        if params["cutoff_hz"]:
            ghost = _dulled(ghost, sample_rate, params["cutoff_hz"])
        for turn in range(1, min(params["repeats"], (samples - 1) // lag) + 1):
            gain = np.float32(decibels(params["level_db"] - (turn - 1) * params["decay_db"]))
            out[:, turn * lag :] += gain * ghost[:, : samples - turn * lag]
        return out, np.array([[lag, samples]], dtype=np.int64)


@dataclass(frozen=True)
class PrintThrough(Artifact):
    """Print-through: ghosts before and after the sound, copied between the layers of a reel or the grooves of a disc.

    ``tape``: the copy comes one turn of the reel (``period_s`` at the start of the clip) too late and too early, and
    fainter from every further layer. Its level over wavelength is that of a thin coating at the distance of the base,
    (f / p) exp(1 - n f / p) for layer n, with its peak where the wavelength is 2 pi times the thickness (p =
    ``peak_hz``): layer n is 1 / n as strong, and duller. The pack grows by that thickness per turn, so that the
    period P grows as P^2 = P0^2 + 2 t / p.
    ``groove``: the neighbouring turn of a disc, without growth and through a low-pass at ``peak_hz``; ``layers``
    is 1.
    ``level_db`` is that of the stronger side at the peak (for grooves: at DC); ``after_db`` how much stronger the copy
    after the sound is than the one before it: on tape the outer layer gets more. In a clip shorter than twice the
    period, the period is half the clip.
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
        turns = float(pick(rng, {"1.8": 0.6, "0.77": 0.3, "1.333": 0.1}))  # s: 33 1/3, 78 and 45 turns per minute
        tape, groove = log_uniform(rng, 350, 1200), log_uniform(rng, 1000, 3000)  # cassette .. 38 cm/s on thin tape
        more, early = float(rng.uniform(-6, 6)), float(rng.uniform(-8, 0))
        is_tape = kind == "tape"
        return {
            "kind": kind,
            "period_s": period if is_tape else turns,
            "level_db": linear(severity, -45, -20),
            "after_db": more if is_tape else early,
            "peak_hz": tape if is_tape else groove,
            "layers": layers if is_tape else 1,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        if samples < 4:
            return waveform.copy(), whole(waveform)
        rate = sample_rate // max(1, sample_rate // _GHOST_RATE)
        source = _faded(audio.resample(waveform, sample_rate, rate), rate, end=True)
        ghost = np.zeros_like(source)
        period = min(params["period_s"], 0.5 * samples / sample_rate)
        for layer in range(1, params["layers"] + 1 if params["kind"] == "tape" else 2):
            coloured = filtered(source, _colour(rate, layer, params))
            for side in (-1, 1):  # 1: after the sound
                gain = decibels(params["level_db"] + min(0.0, side * params["after_db"]))
                for start in range(0, source.shape[-1], _BLOCK):
                    index = np.arange(start, min(start + _BLOCK, source.shape[-1]), dtype=np.float64)
                    index -= side * layer * _turn(index / rate, period, params) * rate
                    ghost[:, start : start + len(index)] += gain * read_at(coloured, index)
        out = audio.resample(ghost, rate, sample_rate)[:, :samples]
        out += waveform
        return out, whole(waveform)


def _turn(seconds: np.ndarray, period: float, params: Params) -> np.ndarray:
    """The duration of a turn in s: constant on a disc, growing with the diameter of the pack on a reel."""
    if params["kind"] == "groove":
        return np.full(len(seconds), period)
    return np.sqrt(period**2 + 2 * seconds / params["peak_hz"])


def _colour(rate: int, layer: int, params: Params) -> np.ndarray:
    """The zero-centred filter from one layer, or groove, to another; 60 ms long."""
    reach = int(0.03 * rate)
    size = 1 << (4 * reach).bit_length()
    ratio = np.fft.rfftfreq(size, 1 / rate) / params["peak_hz"]
    response = 1 / np.sqrt(1 + ratio**4) if params["kind"] == "groove" else ratio * np.exp(1 - layer * ratio)
    taps = np.fft.irfft(response)
    return np.concatenate([taps[-reach:], taps[: reach + 1]]) * np.hanning(2 * reach + 3)[1:-1]


def _faded(waveform: np.ndarray, sample_rate: int, end: bool) -> np.ndarray:
    """A copy that fades in at the start, and out at the ``end``, over 5 ms or a quarter of the clip."""
    out = waveform.copy()
    length = min(round(_FADE_S * sample_rate), waveform.shape[-1] // 4)
    rise = ((np.arange(length) + 0.5) / max(1, length)).astype(np.float32)
    out[:, :length] *= rise
    if end and length:
        out[:, -length:] *= rise[::-1]
    return out


def _dulled(waveform: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    """Through a first-order low-pass forwards and backwards, which together are -3 dB at ``cutoff_hz``."""
    corner = min(cutoff_hz / 0.6436, 0.45 * sample_rate)
    b, a = (part.astype(np.float32) for part in signal.butter(1, corner, fs=sample_rate))
    once = signal.lfilter(b, a, waveform, axis=1)
    return signal.lfilter(b, a, once[:, ::-1], axis=1)[:, ::-1]
