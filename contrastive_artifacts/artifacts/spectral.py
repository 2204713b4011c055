"""Linear, spectral: band limitation and reverberation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import signal

from .. import seeding
from .base import Artifact, Params, draw_seed, geometric, linear, pick, whole
from .fields import SEED, Choice, Field, Number
from .levels import decibels

_DIRECT_S = 0.0025  # the direct sound: what comes within 2.5 ms of it (ISO 3382 takes this for the direct path)


@dataclass(frozen=True)
class Bandlimit(Artifact):
    """Muffled, telephone or AM sound: a Butterworth low-pass, with or without a high-pass.

    At low rates the low-pass lies at the lesser of ``cutoff_hz`` and .45 of the rate, times (cutoff / 8 kHz) ** .25
    so that more severity still cuts more: at 8 kHz it runs from 3.6 to 2.9 kHz.
    """

    name: ClassVar[str] = "bandlimit"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Muffled Sound", "muffled", "telephone", "AM radio", "low-pass")
    scale: ClassVar[str] = "low-pass cutoff, 8 .. 3.4 kHz"
    fields: ClassVar[Mapping[str, Field]] = {
        "cutoff_hz": Number(3400, 8000, "Hz"),
        "order": Choice((8, 10, 12, 16)),
        "highpass_hz": Number(0, 300, "Hz; 0 is none"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"muffled": 0.6, "am": 0.2, "telephone": 0.2})
        corner = {"muffled": 0.0, "am": float(rng.uniform(80, 200)), "telephone": float(rng.uniform(200, 300))}[kind]
        order = (8, 10, 12, 16)[int(rng.integers(4))]
        return {"cutoff_hz": geometric(severity, 8000, 3400), "order": order, "highpass_hz": corner}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        sections = signal.butter(
            params["order"], cutoff(params["cutoff_hz"], sample_rate), fs=sample_rate, output="sos"
        )
        if params["highpass_hz"]:
            corner = min(params["highpass_hz"], 0.1 * sample_rate)
            sections = np.concatenate([signal.butter(4, corner, "highpass", fs=sample_rate, output="sos"), sections])
        out = np.stack([signal.sosfilt(sections, channel.astype(np.float64)) for channel in waveform])
        return out, whole(waveform)


def cutoff(cutoff_hz: float, sample_rate: int) -> float:
    """The low-pass corner in Hz that is used at this rate."""
    return min(cutoff_hz, 0.45 * sample_rate * (cutoff_hz / 8000.0) ** 0.25)


@dataclass(frozen=True)
class Reverb(Artifact):
    """A room around the source: early reflections and a decaying noise tail, the direct sound untouched at sample 0.

    ``t60_s`` is the broadband decay time, with highs that decay ``damping`` times as long as the rest; ``drr_db`` the
    direct-to-reverberant ratio of the impulse response; ``predelay_ms`` the first reflection. Tails are independent
    between channels. What rings beyond the end of the clip is cut. The model of the tail, decaying Gaussian
    noise, is Polack's of 1988.
    """

    name: ClassVar[str] = "reverb"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = ("reverberation", "roomy", "distant microphone", "echoic", "late reflections")
    scale: ClassVar[str] = "T60 .3 .. 2.5 s with direct-to-reverberant ratio +10 .. -5 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "t60_s": Number(0.3, 2.5, "s"),
        "drr_db": Number(-5, 10, "dB"),
        "damping": Number(0.3, 1),
        "predelay_ms": Number(2.6, 30, "ms"),
        "early_db": Number(-12, 0, "dB re the reverberant energy"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "t60_s": geometric(severity, 0.3, 2.5),
            "drr_db": linear(severity, 10, -5),
            "damping": float(rng.uniform(0.4, 1)),
            "predelay_ms": float(rng.uniform(3, 20)),
            "early_db": float(rng.uniform(-10, -3)),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        out = np.empty_like(waveform)
        for index, channel in enumerate(waveform):
            tail = reverberation(sample_rate, params, index)[:samples]
            out[index] = channel + signal.oaconvolve(channel, tail)[:samples]
        return out, whole(waveform)


def reverberation(sample_rate: int, params: Params, channel: int = 0) -> np.ndarray:
    """The impulse response ``[L]`` float32 less its direct sound, which is 1 at sample 0."""
    rng = seeding.generator(params["seed"], "reverb", channel)
    length = max(2, int(1.1 * params["t60_s"] * sample_rate))
    first = max(1, round(params["predelay_ms"] * 1e-3 * sample_rate), int(np.ceil(_DIRECT_S * sample_rate)))
    length = max(length, first + 2)
    time = np.arange(length - first) / sample_rate
    noise = rng.standard_normal(len(time), dtype=np.float32)
    corner = min(4000.0, 0.4 * sample_rate)
    lows = signal.sosfilt(signal.butter(4, corner, fs=sample_rate, output="sos"), noise)
    highs = signal.sosfilt(signal.butter(4, corner, "highpass", fs=sample_rate, output="sos"), noise)
    highs *= 0.35  # air and walls take highs at the first bounce already
    rate = -3 * np.log(10)  # amplitude falls by 60 dB in t60
    tail = lows * np.exp(rate * time / params["t60_s"])
    tail += highs * np.exp(rate * time / (params["t60_s"] * params["damping"]))
    early = np.zeros(len(time))
    arrival = first * np.exp(rng.uniform(0, 2.2, int(rng.integers(6, 16)))) - first
    arrival = np.append(0, arrival[arrival < len(time)]).astype(np.int64)
    early[arrival] = rng.choice([-1.0, 1.0], len(arrival), p=[0.3, 0.7]) * first / (first + arrival)
    share = decibels(params["early_db"])
    tail = np.sqrt(1 - min(0.99, share**2)) * _unit(tail) + share * _unit(early)
    tail = _unit(tail) * decibels(-params["drr_db"])
    return np.concatenate([np.zeros(first), tail]).astype(np.float32)


def _unit(response: np.ndarray) -> np.ndarray:
    """The response with energy 1."""
    return response / np.sqrt(max(float(np.dot(response, response)), 1e-30))
