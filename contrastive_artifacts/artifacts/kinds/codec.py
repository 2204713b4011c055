"""Coding: lossy codecs, with the real encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ... import audio
from ..base import Artifact, Params, geometric, whole
from ..dsp.coders import CODERS, Coder, aligned, code
from ..dsp.narrow import rate_for
from ..fields import Choice, Field, Number, Whole

_UNLIMITED = 0.5  # share of the clips of which the encoder itself chooses the band
_AUDIBLE_KBPS = 48  # above, most encoders of the full band are transparent
_NEAR = 1.25  # largest ratio of the sample rate of a clip to that of a codec, so that the clip is coded as it is
_LOWEST = min(coder.band[0][0] for coder in CODERS.values())
_HIGHEST = max(coder.band[-1][0] for coder in CODERS.values())


@dataclass(frozen=True)
class Codec(Artifact):
    """Lossy coding at low bit rates: encoded and decoded ``generations`` times, aligned with the clean clip.

    Every channel is coded as mono, at ``kbps`` or the nearest bit rate in the range of the codec: mp3 (LAME) and aac
    64 .. 8 kbit/s, opus (its transform coder) 64 .. 6, vorbis 64 .. 28, amr_nb 12.2 .. 4.75 in its eight modes. GSM
    06.10 has a fixed 1.625 bits per sample, so its bit rate is set by the sample rate: 14.6 kbit/s at 9 kHz .. 8.1 at
    5 kHz; the standard's is 13 at 8 kHz. aac and vorbis are controlled by quality, and meet ``kbps`` within about a
    third. With ``band`` "falling" the bandwidth falls with the bit rate, without steps, so that a lower bit rate is
    always worse. It is at most 0.45 x sample rate x (bandwidth / highest bandwidth) ** 0.25. With "encoder" the encoder
    has the clip as it is, at its own or the next supported rate, as most files are coded, and chooses what it leaves
    out: many an encoder keeps a wide band at 16 kbit/s. A clip whose sample rate is within a quarter of that
    of the codec is coded as it is, sample by sample: a telephone codec leaves no edge in the spectrum of a file of
    8 kHz. Between generations the sound stays at the codec's sample rate. The delay of the codec is removed, to the
    sample; for amr_nb and gsm, whose filters do not have linear phase, to a sample at 8 kHz, and for opus below
    16 kbit/s, if it codes by linear prediction, to .2 ms a generation.
    """

    name: ClassVar[str] = "codec"
    family: ClassVar[str] = "coding"
    synonyms: ClassVar[tuple[str, ...]] = ("lossy coding", "compression artifacts", "mp3", "low bit rate")
    scale: ClassVar[str] = "bit rate per channel, 64 .. 8 kbit/s (speech codecs: their own range), 1-5 generations"
    fields: ClassVar[Mapping[str, Field]] = {
        "codec": Choice(tuple(CODERS)),
        "kbps": Number(_LOWEST, _HIGHEST, "kbit/s"),
        "generations": Whole(1, 5),
        "band": Choice(("falling", "encoder")),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        codec = tuple(CODERS)[int(rng.integers(len(CODERS)))]
        generations = 1 + int(5 * rng.random() ** 2)  # most files are coded once
        (lowest, _), (highest, _) = CODERS[codec].band[0], CODERS[codec].band[-1]
        band = "encoder" if rng.random() < _UNLIMITED and CODERS[codec].unlimited else "falling"
        if band == "encoder":
            highest = _AUDIBLE_KBPS
        return {
            "codec": codec, "kbps": geometric(severity, highest, lowest), "generations": generations, "band": band,
        }  # fmt: skip

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        peak = audio.peak(waveform)
        gain = np.float32(min(1.0, 0.9 / peak)) if peak > 0 else np.float32(1.0)  # encoders clip at full scale
        out = np.empty_like(waveform)
        for index, channel in enumerate(waveform):
            out[index] = _generations(channel * gain, sample_rate, params)
        out /= gain
        return out, whole(waveform)


def _generations(channel: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """One channel ``[T]`` after all generations, at its sample rate and aligned: ``[T]``."""
    name, coder = params["codec"], CODERS[params["codec"]]
    kbps, unlimited = coder.clamp(params["kbps"]), coder.unlimited if params["band"] == "encoder" else None
    rates, narrow, near = coder.rates, rate_for(_edge(coder, kbps, sample_rate)), _NEAR
    if unlimited:
        rates, narrow, near = unlimited.rates, sample_rate, 1.0
    rate = next((r for r in rates if r >= narrow), rates[-1]) if rates else narrow
    as_it_is = rate / near <= sample_rate <= rate * near
    coded = channel if as_it_is else audio.resample(audio.resample(channel, sample_rate, narrow), narrow, rate)
    samples, delay = len(coded), coder.delay(kbps)
    for _ in range(params["generations"]):
        coded = aligned(code(coded, rate, name, kbps, unlimited is not None), int(delay), samples)
    late = params["generations"] * (delay - int(delay))
    if as_it_is:
        return aligned(coded, round(late), len(channel))
    return aligned(audio.resample(coded, rate, sample_rate), round(late * sample_rate / rate), len(channel))


def _edge(coder: Coder, kbps: float, sample_rate: int) -> float:
    """The highest frequency in Hz of a band that falls with the bit rate."""
    top = coder.highest(kbps)
    return min(top, 0.45 * sample_rate * (top / coder.band[-1][1]) ** 0.25)
