"""Windows of many seconds heard by way of their patches and slow figures: a context module in use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..audio import windows
from ..core.errors import FingerprintError, ParameterError
from ..models.context import Context, PatchEncoder, Stretch, encode, slow_of
from ..models.encoder import Encoder
from .embedder import Embedder, WindowEmbedder, normalise

# What an encoder is in a folder; the last two where it has a context module.
ENCODER_FILES = ("encoder.safetensors", "encoder.json", "context.safetensors", "context.json")


class ContextEmbedder(Embedder[Stretch]):
    """Hears windows of ``max_s`` of a context module, over the patches of its encoder.

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
        self.states, self.window_s = settings.states, settings.max_s
        self.sample_rate, self.wants_native = patches.sample_rate, True
        self.fingerprint = context.fingerprint(patches.fingerprint)

    def save(self, directory: str | Path) -> None:
        """Writes encoder and context module into one folder, as :func:`open_embedder` takes it.

        An encoder that was in half precision once, as a release is, is stored so: nothing is lost.
        """
        floats = [t for t in self.encoder.state_dict().values() if t.is_floating_point()]
        self.encoder.save(directory, half=all(torch.equal(t, t.half().float()) for t in floats))
        self.context.save(directory, self.patches.fingerprint)

    def prepare(self, window: np.ndarray, rate: int) -> Stretch:
        slow = slow_of(window, rate) if self.context.settings.slow else np.zeros(0, np.float32)
        return Stretch(self.patches.patches(window, rate), slow)

    def vectors(self, pieces: Sequence[Stretch]) -> np.ndarray:
        if not pieces:
            return np.zeros((0, self.context.settings.hidden), np.float32)
        return encode(self.context, pieces).h.numpy()

    def project(self, h: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return normalise(self.context.projector(torch.from_numpy(h)).numpy())

    def _cut(self, waveform: np.ndarray, native: tuple[np.ndarray, int]) -> list[Stretch]:
        samples, rate = native
        length, hop = round(self.window_s * rate), round(self.hop_s * rate)
        return [self.prepare(samples[s : s + length], rate) for s in windows.starts(len(samples), length, hop).tolist()]


def open_embedder(directory: str | Path) -> WindowEmbedder | ContextEmbedder:
    """What a folder with ``encoder.json`` hears with: its encoder, under its context module where it has one.

    Raises:
        StorageError, WeightsError: as :meth:`.Encoder.load` and :meth:`.Context.load`.
        FingerprintError: the context module was trained on another encoder.
    """
    directory, encoder = Path(directory), Encoder.load(directory)
    if not (directory / "context.json").exists():
        return WindowEmbedder(encoder)
    patches = PatchEncoder(encoder)
    return ContextEmbedder(patches, Context.load(directory, patches.fingerprint))
