"""AST's and PaSST's network: overlapping patches, a class and a distillation token, the blocks of a DeiT.

Sources: arXiv 2104.01778 (AST), arXiv 2110.05069 (PaSST, patchout), arXiv 2012.12877 (DeiT).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...core.errors import ParameterError
from .vit import Transformer

PATCH = 16  # spectrogram bands and frames in a patch
TOKENS = 2  # class, distillation


class DistilledViT(nn.Module):
    """``[B, M, F]`` -> (patch tokens ``[B, N, D]`` averaged over frequency, mean of the two tokens ``[B, D]``).

    Args:
        positions: Shapes ``(frequency, time)`` of the position embeddings that are added to each patch: one for the
            whole grid (AST), or ``(n, 1)`` and ``(1, m)`` (PaSST). Shorter input uses the first ones in time.
        stride: From patch to patch, in bands and in frames.
        depth, dim, heads: Sizes of the transformer.
        eps: Of the layer norms.
        patchout_t, patchout_f: Number of columns and rows of the patch grid that are dropped at random in training,
            the same for the whole batch; at least one of each remains. Dropped columns reduce the number of tokens N.

    Raises:
        ParameterError: a negative patchout.
    """

    def __init__(
        self,
        positions: tuple[tuple[int, int], ...],
        stride: int,
        depth: int,
        dim: int,
        heads: int,
        eps: float,
        patchout_t: int = 0,
        patchout_f: int = 0,
    ) -> None:
        super().__init__()
        if patchout_t < 0 or patchout_f < 0:
            raise ParameterError(f"patchout_t and patchout_f must be >= 0; got {patchout_t} and {patchout_f}.")
        self.patchout = (patchout_f, patchout_t)
        self.patches = nn.Conv2d(1, dim, PATCH, stride)
        self.tokens = nn.Parameter(torch.empty(1, TOKENS, dim))
        self.positions = nn.ParameterList(nn.Parameter(torch.empty(1, dim, *shape)) for shape in positions)
        self.transformer = Transformer(depth, dim, heads, eps=eps)
        self.norm = nn.LayerNorm(dim, eps=eps)
        for parameter in (self.tokens, *self.positions):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        grid = self.patches(spectrogram.unsqueeze(1))  # [B, D, rows, columns]
        for positions in self.positions:
            grid = grid + positions[..., : grid.shape[-1]]
        if self.training:
            for axis, drop in zip((2, 3), self.patchout, strict=True):
                grid = _thinned(grid, axis, drop)
        x = torch.cat([self.tokens.expand(len(grid), -1, -1), grid.flatten(2).transpose(1, 2)], dim=1)
        x = self.norm(self.transformer(x)).float()
        patches = x[:, TOKENS:].unflatten(1, grid.shape[2:])
        return patches.mean(1), x[:, :TOKENS].mean(1)

    def layer_groups(self) -> list[nn.Module]:
        """Patches, tokens and positions; each block; the last block with the final norm."""
        *blocks, last = self.transformer.blocks
        stem = nn.ModuleList([self.patches, nn.ParameterList([self.tokens]), self.positions])
        return [stem, *blocks, nn.ModuleList([last, self.norm])]


def _thinned(grid: Tensor, axis: int, drop: int) -> Tensor:
    """The grid without ``drop`` random rows or columns."""
    places = grid.shape[axis]
    if drop == 0:
        return grid
    remaining = torch.randperm(places)[: max(1, places - drop)].sort().values
    return grid.index_select(axis, remaining.to(grid.device))
