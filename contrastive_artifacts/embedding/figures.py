"""The embedder of an encoder of label sets, which takes figures of windows at their native rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..data.views.sources import cut_window
from ..models import backbones
from ..models.figure_encoder import FigureEncoder
from ..models.figures import Figures, batched, window_figures
from .embedder import BATCH, Embedder

HOP = 0.8  # of a window; with .5 a scan takes 1.6 times as long and finds as much at as many false segments (LOG.md)


class FigureEmbedder(Embedder[Figures[np.ndarray]]):
    """Embeds each window by the figures of its native rate; one that is too short is extended by reflection."""

    def __init__(self, encoder: FigureEncoder) -> None:
        self.encoder = encoder.eval()
        self.networks = (encoder,)
        self.states, self.window_s = encoder.settings.states, encoder.settings.window_s
        self.sample_rate = 44100 if encoder.backbone is None else encoder.backbone.sample_rate
        self.wants_native = True
        self.dim = encoder.dim
        self.fingerprint = encoder.fingerprint()
        self.backbone = None if encoder.backbone is None else backbones.freeze(encoder.backbone)

    def prepare(self, window: np.ndarray, rate: int) -> Figures[np.ndarray]:
        return self.prepare_all([window], rate)[0]

    @property
    def hop_s(self) -> float:
        return HOP * self.window_s

    @property
    def context_s(self) -> float:
        return self.encoder.settings.context_s

    def prepare_all(
        self, waveforms: Sequence[np.ndarray], rate: int, contexts: Sequence[np.ndarray] | None = None
    ) -> list[Figures[np.ndarray]]:
        if not waveforms:
            return []
        length = round(self.window_s * rate)
        extended = [cut_window(waveform[None], 0, length)[0] for waveform in waveforms]
        longest = [max(pair, key=len) for pair in zip(extended, contexts or extended, strict=True)]
        figures = window_figures(extended, rate, self.window_s, self.backbone, longest)
        return [Figures(*parts) for parts in zip(*figures, strict=True)]

    @property
    def cell_s(self) -> float:
        """Seconds from one cell of :meth:`vectors_and_cells` to the next."""
        return self.encoder.cell_s

    def vectors(self, prepared: Sequence[Figures[np.ndarray]]) -> np.ndarray:
        return self.vectors_and_cells(prepared)[0] if prepared else np.zeros((0, self.dim), np.float32)

    def vectors_and_cells(self, prepared: Sequence[Figures[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        """h float32 [N, D] of N >= 1 windows, and the chance of each fault in each cell, float32 [N, cells, K]."""
        vectors, cells = [], []
        for start in range(0, len(prepared), BATCH):
            with torch.inference_mode():
                encoded = self.encoder(batched(prepared[start : start + BATCH]))
            assert encoded.frame_probabilities is not None  # of this kind of encoder
            vectors.append(encoded.h.numpy())
            cells.append(encoded.frame_probabilities.numpy())
        return np.concatenate(vectors), np.concatenate(cells)

    def project(self, h: np.ndarray) -> np.ndarray:
        return self.encoder.contrastive(torch.from_numpy(h)).numpy()
