"""A small corpus of smooth tones: a click, a gap or noise in them cannot be missed."""

from __future__ import annotations

import numpy as np

from contrastive_artifacts.core.errors import CorpusError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.figures import Recipe

RATE = 16000


class Tones(Corpus):
    """Chords of low tones, 3 s each at RATE; a clip named "broken" cannot be loaded."""

    def load(self, clip: Clip) -> tuple[np.ndarray, int]:
        if "broken" in clip.id:
            raise CorpusError(f"{clip.id} is broken.")
        rng = np.random.default_rng(len(clip.id))
        t = np.arange(3 * RATE) / RATE
        chord = sum(np.sin(2 * np.pi * hz * t + 1) for hz in rng.uniform(100, 500, 4))
        return (0.1 * chord).astype(np.float32)[None], RATE


def tones(*names: str) -> Tones:
    return Tones("tones", [Clip(name, source=name) for name in names])


def small(**changes) -> Recipe:
    """Short views and few of them, as they are rendered."""
    return Recipe(**{"window_s": 1.6, "damaged": 3, "delivered": 0.0, "varied": False, **changes})
