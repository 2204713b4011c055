"""A context module in use: a long recording -> h, by way of its patches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from .. import audio, windows
from ..encoder import Encoded
from ..errors import FingerprintError
from .aggregator import Context
from .patches import PatchEncoder
from .stretches import Stretch, collate, slow_of

BATCH = 64
BLOCK_S = 10.0


class LongEncoder:
    """Patches of an encoder under a trained context module.

    Raises:
        FingerprintError: the module takes vectors of another width than these patches have.
    """

    def __init__(self, patches: PatchEncoder, context: Context) -> None:
        settings = context.settings
        if settings.inputs != patches.dim or abs(settings.hop_s - patches.hop_s) > 1e-3:
            raise FingerprintError(
                f"The context module takes {settings.inputs} figures every {settings.hop_s} s, these "
                f"patches have {patches.dim} every {patches.hop_s:.3f} s; use the encoder it was trained with."
            )
        self.patches, self.context = patches, context.eval()
        self.fingerprint = context.fingerprint(patches.fingerprint)

    @classmethod
    def load(cls, patches: PatchEncoder, directory: str | Path) -> LongEncoder:
        """The module that :meth:`.Context.save` wrote; errors as :meth:`.Context.load`."""
        return cls(patches, Context.load(directory, patches.fingerprint))

    def embed_long(self, path: str | Path) -> np.ndarray:
        """h float32 [hidden] of a file of any length: the mean over stretches of ``max_s``, the last one at the end.

        Memory holds one stretch, whatever the length of the file.

        Raises:
            AudioError: it cannot be read, is empty, or holds NaN.
        """
        rate = audio.probe(path).sample_rate
        return self._embed(audio.blocks(path, round(BLOCK_S * rate)), rate)

    def embed(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """The same of a mono float32 waveform [T]."""
        return self._embed([(0, waveform[None])], sample_rate)

    def stretch(self, waveform: np.ndarray, sample_rate: int) -> Stretch:
        """What the module takes of a mono float32 waveform [T] of ``max_s`` at most."""
        slow = slow_of(waveform, sample_rate) if self.context.settings.slow else np.zeros(0, np.float32)
        return Stretch(self.patches.patches(waveform, sample_rate), slow)

    def _embed(self, blocks: Iterable[tuple[int, np.ndarray]], rate: int) -> np.ndarray:
        samples = round(self.context.settings.max_s * rate)
        parts = (self.stretch(audio.mono(part), rate) for _, part in windows.stream(blocks, samples, samples))
        return np.mean([encode(self.context, [part]).h[0].numpy() for part in parts], axis=0)


def encode(context: Context, stretches: Sequence[Stretch]) -> Encoded:
    """What the module says of stretches of any lengths, batched, without gradient."""
    made = []
    with torch.inference_mode():
        for start in range(0, len(stretches), BATCH):
            made.append(context(*collate(stretches[start : start + BATCH])))
    return Encoded(*(torch.cat(parts) for parts in zip(*(told[:4] for told in made), strict=True)))
