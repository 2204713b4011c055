"""The built-in corpus: synthetic clean clips, so that everything can be run without any data."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np

from ...core.errors import CorpusError, ParameterError
from ...core.seeding import generator
from .base import Clip, Corpus
from .synthesis import GENERATOR_VERSION, KINDS, synthesise

MOST_SOURCES, LONGEST_S = 1_000_000, 3600


class BuiltinCorpus(Corpus):
    """Synthetic speech, music, machines, animals and weather; each clip is its own source, its category is its kind.

    The kinds follow each other in rounds, each round in a new random order, so the numbers of clips per kind differ by
    one at most. A clip depends only on the seed, its number, the duration and the sample rate.

    Args:
        seed: Another seed gives other sounds for the same numbers.
        sources: Number of clips, up to a million.
        duration_s: Length of each in seconds, 0.05 to 3600.
        sample_rate: In Hz, 4000 to 192000.

    Raises:
        ParameterError: a value outside its range.
    """

    def __init__(self, seed: int = 0, sources: int = 160, duration_s: float = 5.0, sample_rate: int = 44100) -> None:
        if not 1 <= sources <= MOST_SOURCES:
            raise ParameterError(f"sources={sources}: ask for at least one and at most {MOST_SOURCES}.")
        if not 0.05 <= duration_s <= LONGEST_S:
            raise ParameterError(f"duration_s={duration_s}: must be from 0.05 s to {LONGEST_S} s.")
        if not 4000 <= sample_rate <= 192000:
            raise ParameterError(f"sample_rate={sample_rate}: must lie between 4000 and 192000 Hz.")
        self.seed, self.duration_s, self.sample_rate = int(seed), float(duration_s), int(sample_rate)
        clips = []
        for number, kind in enumerate(_kinds(self.seed, int(sources))):
            name = f"builtin/{number:04d}-{kind}"
            clips.append(Clip(id=name, source=name, category=kind))
        super().__init__("builtin", clips)
        self._numbers = {clip.id: number for number, clip in enumerate(self.clips)}

    def load(self, clip: Clip) -> tuple[np.ndarray, int]:
        """Synthesises a clip: float32 ``[1, T]``, peak between -20 and -1 dBFS, and the sample rate in Hz.

        Raises:
            CorpusError: a clip of another corpus.
        """
        number = self._numbers.get(clip.id)
        if number is None or self.clips[number] != clip:
            raise CorpusError(
                f"Clip {clip.id!r} is not one of this corpus' {len(self.clips)}; take it from its .clips."
            )
        samples = round(self.duration_s * self.sample_rate)
        rng = generator(self.seed, "builtin", number, clip.category)
        return synthesise(clip.category, rng, samples, self.sample_rate)[None, :], self.sample_rate

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over the version of the generators, the seed, the clips, their length and sample rate."""
        key = (GENERATOR_VERSION, self.seed, self.duration_s, self.sample_rate, *(clip.id for clip in self.clips))
        return hashlib.blake2b(repr(key).encode(), digest_size=8).hexdigest()


def builtin(seed: int = 0, sources: int = 160, duration_s: float = 5.0, sample_rate: int = 44100) -> Corpus:
    """The built-in corpus; the options and errors are those of :class:`BuiltinCorpus`."""
    return BuiltinCorpus(seed, sources, duration_s, sample_rate)


def _kinds(seed: int, sources: int) -> list[str]:
    names, order = KINDS.names(), []
    for turn in range(-(-sources // len(names))):
        order += [names[i] for i in generator(seed, "builtin order", turn).permutation(len(names))]
    return order[:sources]
