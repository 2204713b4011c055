"""The transformer of AST, PaSST, BEATs and ATST: blocks with normalisation before or after their two halves.

Attention: arXiv 1706.03762; blocks of the vision transformer: arXiv 2010.11929; scaled residuals (DeepNorm):
arXiv 2203.00555; gated relative positions: WavLM, arXiv 2110.13900, as BEATs (arXiv 2212.09058) uses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ...core.errors import ParameterError

Norm = Literal["pre", "post"]
NORMS = get_args(Norm)
GATES = 8  # outputs of the projection for the gates: two gates, each the sum of four


class Attention(nn.Module):
    """Multi-head self-attention over ``[B, L, D]``.

    Args:
        dim: D, a multiple of ``heads``.
        qkv_bias: Whether the projection to queries, keys and values (fused, in this order) adds a bias.
        gated: Scale the position bias for each query by a gate that depends on the query.
    """

    def __init__(self, dim: int, heads: int, qkv_bias: bool = True, gated: bool = False) -> None:
        super().__init__()
        if dim % heads:
            raise ParameterError(f"dim={dim} cannot be split into {heads} equal heads; choose a multiple.")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.out = nn.Linear(dim, dim)
        self.gate = nn.Linear(dim // heads, GATES) if gated else None
        if gated:
            self.gate_scale = nn.Parameter(torch.ones(1, heads, 1, 1))

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """``[B, L, D]``; ``bias`` ``[H, L, L]`` is added to the scaled products before the softmax."""
        q, k, v = self._heads(x)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self._bias(q, bias))
        return self.out(mixed.transpose(1, 2).flatten(2))

    def maps(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attention weights ``[B, H, L, L]`` (query, key) of :meth:`forward`; rows add up to 1."""
        q, k, _ = self._heads(x)
        products = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        mask = self._bias(q, bias)
        return (products if mask is None else products + mask).softmax(-1)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # each [B, H, L, D / H]
        return q, k, v

    def _bias(self, q: Tensor, bias: Tensor | None) -> Tensor | None:
        if bias is None:
            return None
        if self.gate is not None:
            first, second = self.gate(q).unflatten(3, (2, GATES // 2)).sum(-1).sigmoid().split(1, dim=-1)
            bias = (first * (second * self.gate_scale - 1) + 2) * bias
        return bias.to(q.dtype).expand(len(q), -1, -1, -1)


class Mlp(nn.Module):
    """Two linear layers with GELU between them, applied to each token."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Attention, then an MLP, each added to ``residual`` times its input; see :class:`Transformer`."""

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        norm: Norm = "pre",
        eps: float = 1e-6,
        qkv_bias: bool = True,
        residual: float = 1.0,
        gated: bool = False,
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ParameterError(f"norm={norm!r} is none of {', '.join(NORMS)}.")
        self.norm, self.residual = norm, residual
        self.attention = Attention(dim, heads, qkv_bias, gated)
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, hidden)
        self.norm2 = nn.LayerNorm(dim, eps=eps)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.norm == "pre":
            x = self.residual * x + self.attention(self.norm1(x), bias)
            return self.residual * x + self.mlp(self.norm2(x))
        x = self.norm1(self.residual * x + self.attention(x, bias))
        return self.norm2(self.residual * x + self.mlp(x))


class Transformer(nn.Module):
    """``depth`` blocks over ``[B, L, dim]``, without a final norm, which only pre-norm networks have.

    Args:
        hidden: Width inside the MLPs; ``None`` for four times ``dim``.
        norm: "pre": normalise the input of each half (ViT, AST, PaSST, ATST). "post": normalise the sum (BEATs).
        eps: Of the layer norms: 1e-6 in timm's networks, 1e-12 in AST's port, 1e-5 in BEATs.
        residual: Factor of the skip connections; ``(2 * depth) ** 0.25`` with DeepNorm.
        gated: The position bias is gated, see :class:`Attention`.

    Attributes:
        checkpointing: In training, keep only the activations between blocks and compute the others again in the
            backward pass (about a third more time, memory of one block instead of all).
    """

    def __init__(
        self,
        depth: int,
        dim: int,
        heads: int,
        hidden: int | None = None,
        norm: Norm = "pre",
        eps: float = 1e-6,
        qkv_bias: bool = True,
        residual: float = 1.0,
        gated: bool = False,
    ) -> None:
        super().__init__()
        hidden = 4 * dim if hidden is None else hidden
        self.blocks = nn.ModuleList(
            Block(dim, heads, hidden, norm, eps, qkv_bias, residual, gated) for _ in range(depth)
        )
        self.checkpointing = False
        self.apply(init_weights)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """``[B, L, dim]``; ``bias`` ``[H, L, L]`` is added in the attention of each block."""
        for block in self.blocks:
            if self.checkpointing and self.training and torch.is_grad_enabled():
                x = checkpoint(block, x, bias, use_reentrant=False)
            else:
                x = block(x, bias)
        return x


def init_weights(module: nn.Module) -> None:
    """Small random weights and zero biases for linear layers, as usual for vision transformers."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@contextmanager
def recorded_attention(network: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Records the attention maps of all forward passes inside the ``with`` block: name of the attention -> maps.

    The maps ``[B, H, L, L]`` are on the CPU, without gradient. A network that cuts long input into windows has one
    forward pass per window.

    >>> network = Transformer(2, 8, 2).eval()
    >>> with recorded_attention(network) as maps:
    ...     _ = network(torch.randn(1, 5, 8))
    >>> [(name, tuple(m[0].shape)) for name, m in maps.items()]
    [('blocks.0.attention', (1, 2, 5, 5)), ('blocks.1.attention', (1, 2, 5, 5))]
    """
    attentions = {name: m for name, m in network.named_modules() if isinstance(m, Attention)}
    collected: dict[str, list[Tensor]] = {name: [] for name in attentions}

    def collector(name: str) -> Any:
        def collect(module: Attention, inputs: tuple[Any, ...]) -> None:
            with torch.no_grad():
                collected[name].append(module.maps(*inputs).float().cpu())

        return collect

    handles = [module.register_forward_pre_hook(collector(name)) for name, module in attentions.items()]
    try:
        yield collected
    finally:
        for handle in handles:
            handle.remove()
