"""Additive: electromagnetic interference from mobile telephones and dimmers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import fft

from ...audio import db_to_gain
from ..base import Artifact, Params, linear, log_uniform, pick, whole
from ..dsp.levels import reference
from ..fields import Choice, Field, Number

_MULTIFRAME_S = (3, 25)  # 0.12 s as a fraction: 26 frames
_FRAMES = 26
_BURST = 1 / 8  # of a frame, one of eight slots: 576.9 us of 4.615 ms
_EDGE = 0.006  # of a frame: ramps of a burst, 28 us
_MAINS_HZ = (50, 60)


@dataclass(frozen=True)
class Interference(Artifact):
    """Radio bursts or switched mains currents, demodulated or coupled into an amplifier, equal in all channels.

    ``gsm``: the envelope of the TDMA bursts of a telephone call: one slot of 576.9 us per frame of 4.615 ms (217 Hz),
    none in the last of 26 frames (120 ms), as in a full-rate traffic channel (3GPP TS 45.002).
    ``dimmer``: a phase-cut mains voltage, which switches on at the share ``firing`` of each half cycle (100 or 120 per
    s). Both pass a high-pass at ``coupling_hz`` and a low-pass at ``cutoff_hz``, and have no energy above 0.45 x the
    sample rate. ``phase`` is the position in the period at which the clip starts.
    """

    name: ClassVar[str] = "interference"
    family: ClassVar[str] = "additive"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA EMI", "electromagnetic interference", "GSM buzz", "TDMA noise", "dimmer buzz",
    )  # fmt: skip
    scale: ClassVar[str] = "signal-to-noise ratio re the active level, 30 .. 5 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "snr_db": Number(5, 30, "dB"),
        "source": Choice(("gsm", "dimmer")),
        "mains_hz": Choice(_MAINS_HZ),
        "firing": Number(0.1, 0.9),
        "coupling_hz": Number(20, 3000, "Hz"),
        "cutoff_hz": Number(1000, 16000, "Hz"),
        "phase": Number(0, 1, "cycles"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        source = pick(rng, {"gsm": 0.6, "dimmer": 0.4})
        # A dimmer couples through stray capacitance, which passes its edges but not the mains frequency.
        low, high = log_uniform(rng, 30, 400), log_uniform(rng, 600, 2500)
        return {
            "snr_db": linear(severity, 30, 5),
            "source": source,
            "mains_hz": int(_MAINS_HZ[int(rng.integers(2))]),
            "firing": float(rng.uniform(0.2, 0.8)),
            "coupling_hz": low if source == "gsm" else high,
            "cutoff_hz": log_uniform(rng, 2000, 14000),
            "phase": float(rng.random()),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        period = _period(sample_rate, params)
        period *= np.float32(reference(waveform, sample_rate) * db_to_gain(-params["snr_db"]))
        period = np.roll(period, -math.floor(params["phase"] * len(period)))
        samples = waveform.shape[-1]
        out = waveform.copy()
        full = samples // len(period) * len(period)
        out[:, :full].reshape(len(out), -1, len(period))[...] += period
        out[:, full:] += period[: samples - full]
        return out, whole(waveform)


def _period(sample_rate: int, params: Params) -> np.ndarray:
    """The shortest signal of whole periods and whole samples, to be repeated: float32 of unit RMS."""
    above, below = _MULTIFRAME_S if params["source"] == "gsm" else (1, params["mains_hz"])
    times = below // math.gcd(below, above * sample_rate)
    size = times * above * sample_rate // below
    count = (size // 2) // times + 1
    number = np.arange(count)
    series = _bursts(number) if params["source"] == "gsm" else _phase_cut(number, params["firing"])
    hertz = number * below / above
    slope = 1j * hertz
    series = series * (slope / (slope + params["coupling_hz"])) / np.square(1 + slope / params["cutoff_hz"])
    series[hertz >= 0.45 * sample_rate] = 0.0
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex64)
    spectrum[::times] = series
    wave = fft.irfft(spectrum, n=size)
    return wave / np.sqrt(np.mean(np.square(wave)))


def _bursts(number: np.ndarray) -> np.ndarray:
    """Fourier coefficients of 25 bursts with linear ramps in 26 frames."""
    turn = number / _FRAMES
    bursts = np.full(len(number), _FRAMES - 1.0, dtype=np.complex128)
    between = number % _FRAMES != 0
    bursts[between] = -np.exp(2j * np.pi * turn[between])  # all 26 would cancel: the sum of 25 is minus the last
    return bursts * np.sinc(turn * _BURST) * np.sinc(turn * _EDGE) * _BURST


def _phase_cut(number: np.ndarray, firing: float) -> np.ndarray:
    """Fourier coefficients of a sine that is zero for the first ``firing`` of each half cycle."""
    odd = number % 2 == 1
    angle = np.pi * firing

    def part(order: np.ndarray) -> np.ndarray:  # integral of exp(j order t) from the angle to pi
        rate = 1j * np.where(order == 0, 1, order)
        return np.where(order == 0, np.pi - angle, (np.exp(np.pi * rate) - np.exp(angle * rate)) / rate)

    # The second half cycle is minus the first: even harmonics cancel, odd ones double.
    return np.where(odd, (part(1 - number) - part(-1 - number)) / (2j * np.pi), 0.0)
