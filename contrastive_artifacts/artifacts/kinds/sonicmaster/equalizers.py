"""Wrong equalization: shelves, peaking filters, a low-pass, random curves and microphone responses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...base import Artifact, Params, geometric, linear, whole
from ...dsp.filters import convolve, impulse_response, minimum_phase, peaking, shelf
from ...fields import Choice, Field, Number, Rows

_CURVE_S = 0.08  # filter length of curves, enough for their lowest bands


def limited_corner(hertz: float, sample_rate: int) -> float:
    """The corner in Hz, limited to 0.3 x the sample rate."""
    return min(hertz, 0.3 * sample_rate)


class _Equalizer(Artifact):
    """A linear filter of the whole clip, the same in all channels; corners are at most 0.3 x the sample rate."""

    family: ClassVar[str] = "spectral"

    @abstractmethod
    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        """The impulse response, float64 ``[L]``."""

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        return convolve(waveform, self.response(sample_rate, params)), whole(waveform)


class _Shelf(_Equalizer):
    """A shelf of ``gain_db``, half of it (in dB) at the corner."""

    corner_hz: ClassVar[float]
    high: ClassVar[bool]
    gains_db: ClassVar[tuple[float, float]]

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"gain_db": linear(severity, *self.gains_db)}

    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        return impulse_response(
            shelf(limited_corner(self.corner_hz, sample_rate), params["gain_db"], sample_rate, self.high)
        )


@dataclass(frozen=True)
class EqBright(_Shelf):
    """Lack of brightness: a high shelf at 6 kHz with negative gain."""

    name: ClassVar[str] = "eq_bright"
    synonyms: ClassVar[tuple[str, ...]] = ("lack of brightness", "dull")
    scale: ClassVar[str] = "6 kHz high shelf, -6 .. -15 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(-15, -6, "dB")}
    corner_hz: ClassVar[float] = 6000.0
    high: ClassVar[bool] = True
    gains_db: ClassVar[tuple[float, float]] = (-6.0, -15.0)


@dataclass(frozen=True)
class EqDark(_Shelf):
    """Lack of darkness: a high shelf at 6 kHz with positive gain."""

    name: ClassVar[str] = "eq_dark"
    synonyms: ClassVar[tuple[str, ...]] = ("harsh", "too bright", "shrill")
    scale: ClassVar[str] = "6 kHz high shelf, +6 .. +15 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(6, 15, "dB")}
    corner_hz: ClassVar[float] = 6000.0
    high: ClassVar[bool] = True
    gains_db: ClassVar[tuple[float, float]] = (6.0, 15.0)


@dataclass(frozen=True)
class EqAiry(_Shelf):
    """Lack of air: a high shelf at 10 kHz with negative gain."""

    name: ClassVar[str] = "eq_airy"
    synonyms: ClassVar[tuple[str, ...]] = ("lack of air", "closed in")
    scale: ClassVar[str] = "10 kHz high shelf, -10 .. -20 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(-20, -10, "dB")}
    corner_hz: ClassVar[float] = 10000.0
    high: ClassVar[bool] = True
    gains_db: ClassVar[tuple[float, float]] = (-10.0, -20.0)


@dataclass(frozen=True)
class EqBoom(_Shelf):
    """Lack of bass: a low shelf at 120 Hz with negative gain."""

    name: ClassVar[str] = "eq_boom"
    synonyms: ClassVar[tuple[str, ...]] = ("lack of bass", "no boom", "thin bass")
    scale: ClassVar[str] = "120 Hz low shelf, -10 .. -20 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(-20, -10, "dB")}
    corner_hz: ClassVar[float] = 120.0
    high: ClassVar[bool] = False
    gains_db: ClassVar[tuple[float, float]] = (-10.0, -20.0)


@dataclass(frozen=True)
class EqWarm(_Shelf):
    """Lack of warmth: a low shelf at 400 Hz with negative gain."""

    name: ClassVar[str] = "eq_warm"
    synonyms: ClassVar[tuple[str, ...]] = ("lack of warmth", "cold", "thin")
    scale: ClassVar[str] = "400 Hz low shelf, -6 .. -20 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(-20, -6, "dB")}
    corner_hz: ClassVar[float] = 400.0
    high: ClassVar[bool] = False
    gains_db: ClassVar[tuple[float, float]] = (-6.0, -20.0)


@dataclass(frozen=True)
class EqMud(_Equalizer):
    """Muddy sound: a peaking filter of 1.4 octaves at 200 to 500 Hz with positive gain."""

    name: ClassVar[str] = "eq_mud"
    synonyms: ClassVar[tuple[str, ...]] = ("muddy", "boxy mids")
    scale: ClassVar[str] = "bell at 200-500 Hz, +6 .. +15 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(6, 15, "dB"), "centre_hz": Number(200, 500, "Hz")}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"gain_db": linear(severity, 6, 15), "centre_hz": geometric(float(rng.random()), 200, 500)}

    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        return impulse_response(peaking(params["centre_hz"], params["gain_db"], 1.4, sample_rate))


@dataclass(frozen=True)
class EqVocal(_Equalizer):
    """Buried voices: a wide peaking filter with negative gain, half of it (in dB) at 350 and 3500 Hz."""

    name: ClassVar[str] = "eq_vocal"
    synonyms: ClassVar[tuple[str, ...]] = ("buried vocals", "scooped mids", "recessed voice")
    scale: ClassVar[str] = "350-3500 Hz band, -6 .. -20 dB"
    fields: ClassVar[Mapping[str, Field]] = {"gain_db": Number(-20, -6, "dB")}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"gain_db": linear(severity, -6, -20)}

    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        centre = float(np.sqrt(350.0 * 3500.0))
        return impulse_response(peaking(centre, params["gain_db"], float(np.log2(10.0)), sample_rate))


@dataclass(frozen=True)
class EqClarity(_Equalizer):
    """Lack of clarity: a low-pass at 4 kHz with the magnitude of a Butterworth filter of (fractional) order 3 to 5."""

    name: ClassVar[str] = "eq_clarity"
    synonyms: ClassVar[tuple[str, ...]] = ("lack of clarity", "veiled", "indistinct")
    scale: ClassVar[str] = "4 kHz low-pass of order 3 .. 5"
    fields: ClassVar[Mapping[str, Field]] = {"order": Number(3, 5)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"order": linear(severity, 3, 5)}

    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        corner = limited_corner(4000.0, sample_rate)
        hertz = np.geomspace(0.05 * corner, 0.5 * sample_rate, 200)
        gain_db = -10.0 * np.log10(1.0 + (hertz / corner) ** (2.0 * params["order"]))
        return minimum_phase(hertz, gain_db, sample_rate)


@dataclass(frozen=True)
class EqCurve(_Equalizer):
    """A badly set graphic equalizer: 8 to 12 bands of random gain, the greatest +-6 dB, interpolated between them.

    ``depth`` is the share of these gains, in dB, that is applied.
    """

    name: ClassVar[str] = "eq_curve"
    synonyms: ClassVar[tuple[str, ...]] = ("random equalization", "uneven frequency response", "bad graphic equalizer")
    scale: ClassVar[str] = "8-12 random bands within +-1.5 .. +-6 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "bands": Rows({"hz": Number(20, 20000, "Hz"), "gain_db": Number(-6, 6, "dB")}, 12),
        "depth": Number(0, 1),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        count = int(rng.integers(8, 13))
        gains = rng.uniform(-1, 1, count)
        gains *= 6.0 / np.abs(gains).max()
        hertz = np.geomspace(60, 16000, count)
        return {
            "bands": [[float(f), float(g)] for f, g in zip(hertz, gains, strict=True)],
            "depth": geometric(severity, 0.25, 1),
        }

    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        hertz, gains = np.array(sorted(params["bands"])).T
        return minimum_phase(hertz, params["depth"] * gains, sample_rate, _CURVE_S)


MICROPHONES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "carbon": ((100, -24), (250, -12), (700, 0), (1500, 6), (2200, 8), (3000, 0), (4000, -15), (8000, -36)),
    "crystal": ((60, -8), (200, 0), (1000, 0), (3500, 8), (5000, 4), (8000, -10), (14000, -24)),
    "ribbon": ((50, 5), (150, 1), (400, 0), (2000, 0), (5000, -3), (10000, -8), (16000, -16)),
    "dynamic": ((60, -10), (120, -3), (250, 0), (1500, 0), (4500, 6), (7000, 4), (10000, -2), (15000, -12)),
    "lavalier": ((60, -12), (150, -4), (300, 0), (700, 3), (2000, -1), (7000, 6), (11000, 0), (16000, -8)),
    "laptop": ((80, -24), (200, -9), (500, 0), (2000, 1), (5500, 9), (8000, 0), (12000, -10), (16000, -22)),
}
"""(Hz, dB) of types of microphone: a typical response of each, not a measurement of one model."""


@dataclass(frozen=True)
class EqMicrophone(_Equalizer):
    """The response of a poor or unsuitable microphone; ``depth`` is the share of it, in dB, that is applied."""

    name: ClassVar[str] = "eq_microphone"
    synonyms: ClassVar[tuple[str, ...]] = ("microphone response", "wrong microphone", "cheap microphone")
    scale: ClassVar[str] = "a fifth .. all of the response of a type of microphone, in dB"
    fields: ClassVar[Mapping[str, Field]] = {"kind": Choice(tuple(MICROPHONES)), "depth": Number(0, 1)}

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {"kind": list(MICROPHONES)[int(rng.integers(len(MICROPHONES)))], "depth": geometric(severity, 0.2, 1)}

    def response(self, sample_rate: int, params: Params) -> np.ndarray:
        hertz, gains = np.array(MICROPHONES[params["kind"]]).T
        return minimum_phase(hertz, params["depth"] * gains, sample_rate, _CURVE_S)


EQUALIZERS: tuple[Artifact, ...] = (
    EqCurve(), EqMicrophone(), EqBright(), EqDark(), EqAiry(), EqBoom(), EqClarity(), EqMud(), EqWarm(), EqVocal(),
)  # fmt: skip
