"""Spectral: band limitation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base import Artifact, Params, geometric, linear, pick, whole
from ..dsp.filters import butterworth, convolve, impulse_response, minimum_phase
from ..dsp.narrow import at_rate, rate_for
from ..fields import Choice, Field, Number

ACADEMY_HZ = (100.0, 1600.0, 5000.0, 8000.0, 16000.0)
ACADEMY_DB = (0.0, 0.0, -10.0, -18.0, -30.0)
"""High end of the Academy curve of 1938 (the N curve of ISO 2969), with the same slope above 8 kHz."""


RANGE_HZ = (8000, 3400)
"""Cutoffs of severity 0 and 1."""
ORDERS, RESAMPLED = (8, 10, 12, 16), 0
"""Of the low-pass of machines and lines; stands for the one of a file that once had a lower rate."""


@dataclass(frozen=True)
class Bandlimit(Artifact):
    """Muffled, telephone or AM sound: a Butterworth low-pass, with or without a high-pass or the Academy curve.

    Order 0 is the low-pass of resampling: the clip is resampled to a rate whose band ends at the corner, and back.
    The corner is the lower of ``cutoff_hz`` and 0.45 x sample rate x (``cutoff_hz`` / 8 kHz) ** 0.25, so that at low
    sample rates a higher severity still cuts more: at 8 kHz it goes from 3.6 to 2.9 kHz. ``academy`` is the share, in
    dB, of the Academy curve, the playback curve of old cinemas: flat to 1.6 kHz, -10 dB at 5 kHz, -18 dB at 8 kHz.
    """

    name: ClassVar[str] = "bandlimit"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = (
        "AVAA Muffled Sound", "muffled", "telephone", "AM radio", "low-pass", "Academy curve",
    )  # fmt: skip
    scale: ClassVar[str] = "low-pass cutoff, 8 .. 3.4 kHz"
    fields: ClassVar[Mapping[str, Field]] = {
        "cutoff_hz": Number(RANGE_HZ[1], RANGE_HZ[0], "Hz"),
        "order": Choice((RESAMPLED, *ORDERS)),
        "highpass_hz": Number(0, 300, "Hz; 0 is none"),
        "academy": Number(0, 1, "of the Academy curve in dB; 0 is none"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        kind = pick(rng, {"muffled": 0.4, "resampled": 0.2, "am": 0.2, "telephone": 0.2})
        corners = {"am": float(rng.uniform(80, 200)), "telephone": float(rng.uniform(200, 300))}
        order = ORDERS[int(rng.integers(len(ORDERS)))] if kind != "resampled" else RESAMPLED
        optical = rng.random() < 0.25 and kind == "muffled"
        return {
            "cutoff_hz": geometric(severity, *RANGE_HZ),
            "order": order,
            "highpass_hz": corners.get(kind, 0.0),
            "academy": linear(severity, 0.2, 1.0) if optical else 0.0,
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        corner = cutoff(params["cutoff_hz"], sample_rate)
        response = np.ones(1)
        if params["order"] == RESAMPLED:
            waveform = at_rate(waveform, sample_rate, rate_for(corner))
        else:
            response = impulse_response(butterworth(params["order"], corner, sample_rate))
        if params["highpass_hz"]:
            highpass = butterworth(4, min(params["highpass_hz"], 0.1 * sample_rate), sample_rate, highpass=True)
            response = np.convolve(response, impulse_response(highpass))
        if params["academy"]:
            curve = minimum_phase(ACADEMY_HZ, params["academy"] * np.array(ACADEMY_DB), sample_rate)
            response = np.convolve(response, curve)
        return waveform if response.size == 1 else convolve(waveform, response), whole(waveform)


def cutoff(cutoff_hz: float, sample_rate: int) -> float:
    """The low-pass corner in Hz at this sample rate."""
    return min(cutoff_hz, 0.45 * sample_rate * (cutoff_hz / 8000.0) ** 0.25)


def severity_of(edge_hz: float) -> float:
    """The severity in [0, 1] of a band that ends at ``edge_hz``, in a file with a band that is wider."""
    mildest, worst = RANGE_HZ
    return float(np.clip(np.log(mildest / edge_hz) / np.log(mildest / worst), 0.0, 1.0))
