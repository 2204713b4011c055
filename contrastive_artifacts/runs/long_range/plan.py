"""How large the experiment is, what is under test, and where contexts lie."""

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
    """How large.

    Args:
        contexts: Lengths in seconds, 10 among them; those below a patch are told by a probe of their own.
        folds: Over sources.
        cuts: Stretches of each context that the modules are trained on, besides the one that is asked about.
        duration_s, pair_s: Length of the clips of T1 and T2.
        severity: Range of T1.
        turn_sources: Sources that are played as records in T5.
        turn_patch_s, turn_hop_s: Of the sliding windows of T5 (a patch no shorter than the backbone needs).
        seed: Of everything.
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
        """The contexts that hold a patch or more."""
        return tuple(c for c in self.contexts if c >= PATCH_S)

    def spans(self, name: str, at_s: float) -> list[tuple[int, int]]:
        """First patch and number of patches of the stretches of an item: of every context that about ``at_s``, which is
        asked about, then ``cuts`` more anywhere."""
        patches, rng = 1 + int((self.duration_s - PATCH_S) / HOP_S), seeding.generator(self.seed, "place", name)
        share, spans = rng.random(), []
        for turn, context_s in itertools.product(range(1 + self.cuts), self.lengths):
            moment = at_s if turn == 0 else float(rng.uniform(0, self.duration_s))
            spans.append(place(moment, context_s, patches, PATCH_S, HOP_S, share if turn == 0 else rng.random()))
        return spans


@dataclass(frozen=True, eq=False)
class Heard:
    """An encoder, or a bare backbone, under test."""

    name: str
    model: Encoder | backbones.Backbone

    def patches(self, patch_s: float = PATCH_S, hop_s: float = HOP_S) -> PatchEncoder:
        return PatchEncoder(self.model, PatchSettings(patch_s, hop_s))
