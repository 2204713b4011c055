"""The embedder of a context module: windows of many seconds, embedded from their patches and slow figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..core.errors import FingerprintError, ParameterError
from ..core.lock import locked
from ..core.vectors import unit_rows
from ..models.context import Context, PatchEncoder, Stretch, encode, slow_of
from ..models.encoder import fits_half
from .embedder import Embedder


class ContextEmbedder(Embedder[Stretch]):
    """Embeds windows of ``max_s`` seconds of a context module, over the patches of its encoder.

    Raises:
        ParameterError: the patches are those of a bare backbone.
        FingerprintError: the module takes vectors of another width than these patches have.
    """

    def __init__(self, patches: PatchEncoder, context: Context) -> None:
        if patches.encoder is None:
            raise ParameterError("A context module is used over the patches of an encoder, not of a bare backbone.")
        settings = context.settings
        if settings.inputs != patches.dim or abs(settings.hop_s - patches.hop_s) > 1e-3:
            raise FingerprintError(
                f"The context module takes {settings.inputs} figures every {settings.hop_s} s, these "
                f"patches have {patches.dim} every {patches.hop_s:.3f} s; use the encoder it was trained with."
            )
        self.encoder, self.patches, self.context = patches.encoder, patches, context.eval()
        self.networks = (self.encoder, context)
        self.states, self.window_s = settings.states, settings.max_s
        self.sample_rate, self.wants_native = patches.sample_rate, True
        self.dim = settings.hidden
        self.fingerprint = context.fingerprint(patches.fingerprint)

    def save(self, directory: str | Path) -> None:
        """Writes encoder and context module into one folder, as :func:`.opening.open_embedder` takes it.

        The encoder is in half precision where that loses nothing, as with a release.

        Raises:
            StorageError: another process is writing the folder, or it cannot be written.
        """
        with locked(directory, "saving an encoder"):
            self.encoder.save(directory, half=fits_half(self.encoder))
            self.context.save(directory, self.patches.fingerprint)

    def prepare(self, window: np.ndarray, rate: int) -> Stretch:
        slow = slow_of(window, rate) if self.context.settings.slow else np.zeros(0, np.float32)
        return Stretch(self.patches.patches(window, rate), slow)

    def vectors(self, prepared: Sequence[Stretch]) -> np.ndarray:
        if not prepared:
            return np.zeros((0, self.dim), np.float32)
        return encode(self.context, prepared).h.numpy()

    def project(self, h: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return unit_rows(self.context.projector(torch.from_numpy(h)).numpy())
