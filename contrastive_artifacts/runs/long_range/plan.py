"""Size of the experiment, the encoders under test, and the positions of contexts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ...core import seeding
from ...models import backbones
from ...models.context import PatchEncoder, PatchSettings
from ...models.encoder import Encoder
from ...training.context import FitSettings
from .material import place

REFERENCE_S = 10.0
PATCH_S, HOP_S = 0.96, 0.48


@dataclass(frozen=True)
class Plan:
    """Size of the experiment.

    Args:
        contexts: Lengths in seconds, 10 among them; those shorter than a patch are measured by a linear probe only.
        folds: Number of folds by source.
        cuts: Further stretches of each length that the modules are trained on, besides the one that is classified.
        duration_s, pair_s: Length of the clips of T1 and T2.
        severity: Range of T1.
        turn_sources: Number of sources that are rendered as records in T5.
        turn_patch_s, turn_hop_s: Length and hop of the windows of T5 (not shorter than the backbone needs).
        seed: Of all random draws.
        fitting: Of the context modules.
    """

    contexts: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
    folds: int = 3
    cuts: int = 1
    duration_s: float = 30.0
    pair_s: float = 14.0
    severity: tuple[float, float] = (0.5, 1.0)
    turn_sources: int = 6
    turn_patch_s: float = 0.3
    turn_hop_s: float = 0.1
    turn_severity: float = 0.5
    seed: int = 0
    fitting: FitSettings = field(default_factory=FitSettings)

    @property
    def lengths(self) -> tuple[float, ...]:
        """The contexts of at least one patch."""
        return tuple(c for c in self.contexts if c >= PATCH_S)

    def spans(self, name: str, at_s: float) -> list[tuple[int, int]]:
        """First patch and number of patches of the stretches of an item: one of every length around ``at_s``, which is
        classified, then ``cuts`` more of every length at random positions."""
        patches, rng = 1 + int((self.duration_s - PATCH_S) / HOP_S), seeding.generator(self.seed, "place", name)
        share, spans = rng.random(), []
        for turn, context_s in itertools.product(range(1 + self.cuts), self.lengths):
            moment = at_s if turn == 0 else float(rng.uniform(0, self.duration_s))
            spans.append(place(moment, context_s, patches, PATCH_S, HOP_S, share if turn == 0 else rng.random()))
        return spans


@dataclass(frozen=True, eq=False)
class Entry:
    """An encoder or a backbone under test."""

    name: str
    model: Encoder | backbones.Backbone

    def patches(self, patch_s: float = PATCH_S, hop_s: float = HOP_S) -> PatchEncoder:
        return PatchEncoder(self.model, PatchSettings(patch_s, hop_s))
