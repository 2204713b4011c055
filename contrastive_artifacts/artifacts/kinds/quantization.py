"""Nonlinear: quantization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ... import audio
from ...core import seeding
from ..base import Artifact, Params, draw_seed, linear, pick, whole
from ..fields import SEED, Choice, Field, Number

_BLOCK = 1 << 16  # samples rounded at a time: they stay in the cache
_NOTHING = 1e-30  # a peak below this counts as silence, which is not changed


@dataclass(frozen=True)
class Quantization(Artifact):
    """Too few bits: the wave is rounded to steps, with or without dither.

    ``bits`` are relative to the peak of the clip, not to full scale: the step is peak / (2 ** (bits - 1) - 1), so that
    whole bits give 2 ** bits - 1 levels, symmetric about zero, and a quiet clip gets the same damage as a loud one.
    Bits may be fractional. ``dither`` is non-subtractive (Wannamaker, Lipshitz, Vanderkooy and Wright, A theory of
    nonsubtractive dither, 2000) and the same in all channels: ``none`` (error power about step ** 2 / 12, distortion),
    ``rpdf`` of one step (step ** 2 / 6 on average, noise modulated by the signal) or ``tpdf`` of two steps
    (step ** 2 / 4, steady noise). Dithered peaks may be one level higher.
    """

    name: ClassVar[str] = "quantization"
    family: ClassVar[str] = "nonlinear"
    synonyms: ClassVar[tuple[str, ...]] = ("bit crush", "bit depth", "quantization noise", "granular noise")
    scale: ClassVar[str] = "bits re the peak of the clip, 12 .. 4"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "bits": Number(4, 12),
        "dither": Choice(("none", "rpdf", "tpdf")),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "bits": linear(severity, 12, 4),
            "dither": pick(rng, {"none": 0.6, "rpdf": 0.15, "tpdf": 0.25}),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        peak = audio.peak(waveform)
        if peak < _NOTHING:
            return waveform.copy(), whole(waveform)
        step = peak / (2.0 ** (params["bits"] - 1) - 1)
        per_step, step = np.float32(1 / step), np.float32(step)
        rng = None if params["dither"] == "none" else seeding.generator(params["seed"], "quantization")
        out = np.empty_like(waveform)
        for start in range(0, waveform.shape[-1], _BLOCK):
            part = out[:, start : start + _BLOCK]
            np.multiply(waveform[:, start : start + _BLOCK], per_step, out=part)
            if rng is not None:
                part += _dither(params["dither"], part.shape[-1], rng)
            np.rint(part, out=part)
            part *= step
        return out, whole(waveform)


def _dither(kind: str, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Dither in steps, float32 ``[samples]``: one uniform number of 16 bits, or the sum of two of 8 bits."""
    drawn = rng.bit_generator.random_raw(-(-samples // 4)).astype("<u8", copy=False).view("<u2")[:samples]
    centre, scale = 32767.5, 65536.0
    if kind == "tpdf":
        drawn = (drawn >> 8) + (drawn & 255)
        centre, scale = 255.0, 256.0
    noise = drawn.astype(np.float32)
    noise -= np.float32(centre)
    noise *= np.float32(1 / scale)
    return noise
