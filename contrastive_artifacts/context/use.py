"""A context module in use: a long recording -> h, by way of its patches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .. import audio, windows
from ..encoder import Encoded
from ..errors import FingerprintError
from .aggregator import Context
from .fitting import padded
from .patches import PatchEncoder

BATCH = 64


class LongEncoder:
    """Patches of an encoder under a trained context module.

    Raises:
        FingerprintError: the module takes vectors of another width than these patches have.
    """

    def __init__(self, patches: PatchEncoder, context: Context) -> None:
        if context.settings.inputs != patches.dim or abs(context.settings.hop_s - patches.hop_s) > 1e-3:
            raise FingerprintError(
                f"The context module takes {context.settings.inputs} figures every {context.settings.hop_s} s, these "
                f"patches have {patches.dim} every {patches.hop_s:.3f} s; use the encoder it was trained with."
            )
        self.patches, self.context = patches, context.eval()
        self.fingerprint = context.fingerprint(patches.fingerprint)

    @classmethod
    def load(cls, patches: PatchEncoder, directory: str | Path) -> LongEncoder:
        """The module that :meth:`.Context.save` wrote; errors as :meth:`.Context.load`."""
        return cls(patches, Context.load(directory, patches.fingerprint))

    def embed_long(self, path: str | Path) -> np.ndarray:
        """h float32 [hidden] of a file of any length: the mean over stretches of ``max_s`` that overlap by half.

        Raises:
            AudioError: it cannot be read, is empty, or holds NaN.
        """
        waveform, rate = audio.read(path)
        return self.embed(audio.resample(audio.mono(waveform), rate, self.patches.sample_rate))

    def embed(self, waveform: np.ndarray) -> np.ndarray:
        """The same of a mono float32 waveform [T] at the patches' rate."""
        rows, most = self.patches.patches(waveform), self.context.settings.most
        starts = windows.starts(len(rows), most, max(1, most // 2))
        return encode(self.context, [rows[s : s + most] for s in starts]).h.mean(0).numpy()


def encode(context: Context, rows: Sequence[np.ndarray]) -> Encoded:
    """What the module says of patch sequences ``[N, D]`` of any lengths, batched, without gradient."""
    made = []
    with torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            made.append(context(*padded(rows[start : start + BATCH])))
    return Encoded(*(torch.cat(parts) for parts in zip(*(told[:4] for told in made), strict=True)))
