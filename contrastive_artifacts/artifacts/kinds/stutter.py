"""Missing: stutter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, log_uniform
from ..dsp.places import draw_places, event_count
from ..fields import SEED, Field, Number

_REPEATS = (2.0, 10.0)
_MOST = 0.6  # of the clip, with all its repeats at the worst severity


@dataclass(frozen=True)
class Stutter(Artifact):
    """A buffer that is played again, as by a sticking disc or a starved sound card: the last ``loop_ms`` replace what
    follows, ``repeats`` times (the last time perhaps in part); then the sound continues without displacement.

    The joints are hard, as in the real fault, and the same in all channels. Loops lie where there is sound. Every clip
    of two samples or more has one, in a short clip short enough for ten repeats.
    """

    name: ClassVar[str] = "stutter"
    family: ClassVar[str] = "missing"
    synonyms: ClassVar[tuple[str, ...]] = ("repeat", "buffer repeat", "looping", "sticking disc", "CD skip")
    scale: ClassVar[str] = "repeats of a loop of 5-120 ms, 2 .. 10"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "repeats": Number(*_REPEATS, "repeats"),
        "loop_ms": Number(5, 120, "ms"),
        "rate_hz": Number(0.05, 2, "stutters per s"),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "repeats": geometric(severity, *_REPEATS),
            "loop_ms": log_uniform(rng, 5, 120),
            "rate_hz": log_uniform(rng, 0.1, 1),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        out = waveform.copy()
        if samples == 1:
            return out, np.zeros((0, 2), dtype=np.int64)
        room = 1 + int(_REPEATS[1])
        loop = max(1, min(round(params["loop_ms"] * 1e-3 * sample_rate), samples // room))
        count = event_count(samples, sample_rate, params["rate_hz"], room * loop, _MOST)
        # Twice the room: two that are moved back into the clip at its end must not overlap.
        place = seeding.generator(params["seed"], "stutter")
        middle = draw_places(waveform, sample_rate, count, 2 * room * loop, place)
        start = np.clip(middle - loop // 2, 0, max(0, samples - room * loop)) + loop
        stop = np.minimum(start + max(1, round(params["repeats"] * loop)), samples)
        for first, last in zip(start.tolist(), stop.tolist(), strict=True):
            times = -(-(last - first) // loop)
            out[:, first:last] = np.tile(waveform[:, first - loop : first], times)[:, : last - first]
        return out, np.stack([start, stop], axis=1)
