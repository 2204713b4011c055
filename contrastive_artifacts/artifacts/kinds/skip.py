"""Missing: skips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, log_uniform, merge
from ..dsp.places import draw_places
from ..fields import SEED, Field, Number

_LONGEST = 2000  # samples
_MOST = 0.1  # of the clip
_LEAD_S = 0.01  # not deleted before and after each skip, so that it is audible as one
_REACH = 2  # touched samples on each side of a joint


@dataclass(frozen=True)
class Skip(Artifact):
    """Interstitial error: samples are deleted, and the following ones moved up, the same in all channels.

    Each skip deletes 0.5 to 1 times ``lost`` samples (at least 1), with hard joints; all skips together at most 10 % of
    the clip. Skips lie where there is sound, around the same samples at every severity; there is at least one (none in
    a clip of one sample). The length of the clip is preserved: its end is extended by reflection, which is continuous
    and has the same level and spectrum. Touched are two samples on either side of each joint, and the extended end.
    """

    name: ClassVar[str] = "skip"
    family: ClassVar[str] = "missing"
    synonyms: ClassVar[tuple[str, ...]] = ("AVAA Interstitial Error", "skipped samples", "deleted samples", "jump cut")
    scale: ClassVar[str] = "samples lost at each skip, up to 4 .. 2000"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "lost": Number(1, _LONGEST, "samples"),
        "rate_hz": Number(0.1, 4, "skips per s"),
    }
    displaces: ClassVar[bool] = True

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "lost": geometric(severity, 4, _LONGEST),
            "rate_hz": log_uniform(rng, 0.4, 2),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        if samples == 1:
            return waveform.copy(), np.zeros((0, 2), dtype=np.int64)
        cuts = deleted_spans(waveform, sample_rate, params)
        out, joints, filled = np.empty_like(waveform), [], 0
        for start, stop in zip([0, *cuts[:, 1].tolist()], [*cuts[:, 0].tolist(), samples], strict=True):
            joints.append(filled)
            out[:, filled : filled + stop - start] = waveform[:, start:stop]
            filled += stop - start
        out[:, filled:] = out[:, 2 * filled - samples : filled][:, ::-1]
        first = np.maximum(np.array(joints[1:]) - _REACH, 0)
        last = np.minimum(np.array(joints[1:]) + _REACH, samples)
        return out, merge(np.append(first, filled), np.append(last, samples))


def deleted_spans(waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
    """The deleted samples of the clean ``[C, T]``: sorted, non-overlapping ``[start, stop)``, int64 ``[K, 2]``."""
    samples = waveform.shape[-1]
    count = max(1, min(round(params["rate_hz"] * samples / sample_rate), int(_MOST * samples)))
    limit = max(1, min(_LONGEST, int(_MOST * samples / count)))
    place = seeding.generator(params["seed"], "skip", "place")
    lead = max(1, min(round(_LEAD_S * sample_rate), samples // 10))
    middle = draw_places(waveform, sample_rate, count, 2 * (limit + lead), place)
    share = seeding.generator(params["seed"], "skip", "length").uniform(0.5, 1, len(middle))
    length = np.clip(np.round(params["lost"] * share), 1, limit).astype(np.int64)
    start = np.clip(middle - length // 2, lead, samples - length - lead)
    return np.stack([start, start + length], axis=1)
