"""Coding: lossy codecs, by the real encoders, in process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ... import audio
from ..base import Artifact, Params, geometric, whole
from ..dsp.coders import CODERS, code
from ..fields import Choice, Field, Number, Whole

_FILLED = 0.4565  # soxr's pass band, as a share of the rate: what it leaves when it resamples to that rate
_STEP_HZ = 50  # rates with a common divisor are resampled faster
_LOWEST = min(coder.band[0][0] for coder in CODERS.values())
_HIGHEST = max(coder.band[-1][0] for coder in CODERS.values())


@dataclass(frozen=True)
class Codec(Artifact):
    """Lossy coding at low rates: ``generations`` times through a real encoder and decoder, aligned to the sample.

    Every channel is coded by itself as mono, at ``kbps`` or the nearest bit rate that the codec makes sense at: mp3
    (LAME) and aac 64 .. 8 kbit/s, opus (its transform coder) 64 .. 6, vorbis 64 .. 28, amr_nb 12.2 .. 4.75 in its eight
    modes. GSM 06.10 has a fixed 1.625 bits per sample, so its bit rate follows the sample rate: 14.6 kbit/s at 9 kHz
    .. 8.1 at 5 kHz, with the 13 at 8 kHz of the standard between. For aac and vorbis, which are steered by quality,
    ``kbps`` holds within about a third. As in every encoder, the upper edge of the band falls with the bit rate; here
    it does so without steps, so that fewer bits always cost something. For clips whose own rate ends below that edge
    it lies at .45 of the rate, times (edge / highest edge) ** .25. The sound stays at the codec's rate from one
    generation to the next, and the known delay of the codec is taken out: to the sample, but for amr_nb and
    gsm, whose filters are not linear in phase, to a sample of 8 kHz.
    """

    name: ClassVar[str] = "codec"
    family: ClassVar[str] = "coding"
    synonyms: ClassVar[tuple[str, ...]] = ("lossy coding", "compression artifacts", "mp3", "low bit rate")
    scale: ClassVar[str] = "bit rate per channel, 64 .. 8 kbps (speech codecs: their own range), 1-5 generations"
    fields: ClassVar[Mapping[str, Field]] = {
        "codec": Choice(tuple(CODERS)),
        "kbps": Number(_LOWEST, _HIGHEST, "kbit/s"),
        "generations": Whole(1, 5),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        codec = tuple(CODERS)[int(rng.integers(len(CODERS)))]
        generations = 1 + int(5 * rng.random() ** 2)  # most files have been coded once
        band = CODERS[codec].band
        return {"codec": codec, "kbps": geometric(severity, band[-1][0], band[0][0]), "generations": generations}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        peak = audio.peak(waveform)
        gain = np.float32(min(1.0, 0.9 / peak)) if peak > 0 else np.float32(1.0)  # encoders clip at full scale
        out = np.empty_like(waveform)
        for index, channel in enumerate(waveform):
            out[index] = _generations(channel * gain, sample_rate, params)
        out /= gain
        return out, whole(waveform)


def _generations(channel: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """One channel ``[T]`` through all its generations and back at its own rate, in time: ``[T]``."""
    name, coder = params["codec"], CODERS[params["codec"]]
    kbps = coder.clamp(params["kbps"])
    top = coder.highest(kbps)
    edge = min(top, 0.45 * sample_rate * (top / coder.band[-1][1]) ** 0.25)
    narrow = _STEP_HZ * max(20, round(edge / _FILLED / _STEP_HZ))
    rate = next((r for r in coder.rates if r >= narrow), coder.rates[-1]) if coder.rates else narrow
    coded = audio.resample(audio.resample(channel, sample_rate, narrow), narrow, rate)
    samples, delay = len(coded), coder.delay(kbps)
    for _ in range(params["generations"]):
        coded = _shift(code(coded, rate, name, kbps), int(delay), samples)
    late = params["generations"] * (delay - int(delay)) * sample_rate / rate
    return _shift(audio.resample(coded, rate, sample_rate), round(late), len(channel))


def _shift(row: np.ndarray, lag: int, samples: int) -> np.ndarray:
    """``[*]`` moved ``lag`` samples earlier, cut or zero-padded to ``[samples]``."""
    out = np.zeros(samples, dtype=np.float32)
    source = row[lag : lag + samples]
    out[: len(source)] = source
    return out
