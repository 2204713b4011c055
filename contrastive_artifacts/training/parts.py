"""The gradient of a batch that is too large for the memory of a device: computed part by part, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..models.heads import Encoded
from . import distributed

P = TypeVar("P")
Value = tuple[Tensor, dict[str, float]]


def in_parts(
    module: nn.Module, parts: Sequence[P], encode: Callable[[P], Encoded], loss: Callable[[Encoded], Value]
) -> Value:
    """Adds the gradient of the loss of all parts together to the parameters of ``module``.

    A contrastive loss compares all views of a batch, so a mean over parts would be another loss. As in GradCache (Gao
    et al., RepL4NLP 2021), all parts are encoded without a graph, the gradient of the loss with respect to their
    outputs is computed, and each part is encoded again to carry its share of it back. Dropout draws the same in both
    passes. Batch norms normalise each part by its own statistics and count it once.

    Args:
        module: What ``encode`` calls; wrapped by :func:`.distributed.wrapped` where several processes train.
        parts: Of the batch of this process.
        encode: Part -> outputs.
        loss: Outputs of all parts, one after another -> loss and the values of its terms.

    Returns:
        What ``loss`` returned.
    """
    states, outputs = [], []
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    with torch.no_grad():
        for part in parts:
            states.append(_random_state())
            outputs.append(encode(part))
        for buffer, before in buffers:
            buffer.copy_(before)
    whole = Encoded(*(_leaf(rows) for rows in zip(*outputs, strict=True)))  # type: ignore[arg-type]
    value, terms = loss(whole)
    value.backward()
    start = 0
    for number, (part, state) in enumerate(zip(parts, states, strict=True)):
        _set_random_state(state)
        waits = nullcontext() if number == len(parts) - 1 else distributed.unsynchronised(module)
        with waits:
            again = encode(part)
            stop = start + len(again.z)
            pairs = [
                (output, leaf.grad[start:stop])
                for output, leaf in zip(again, whole, strict=True)
                if leaf is not None and leaf.grad is not None and output is not None and output.requires_grad
            ]
            torch.autograd.backward([output for output, _ in pairs], [gradient for _, gradient in pairs])
            start = stop
    return value.detach(), terms


def add_l1(parameters: Iterable[nn.Parameter], weight: float) -> Tensor:
    """Adds the gradient of ``weight`` times the L1 norm of some parameters to theirs; returns that term of the loss.

    It is not a part of the graph of the loss: DistributedDataParallel would meet parameters that it did not expect.
    """
    with torch.no_grad():
        parameters = list(parameters)
        for parameter in parameters:
            gradient = weight * parameter.sign()
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
        return weight * torch.stack([parameter.abs().sum() for parameter in parameters]).sum()


def _leaf(rows: Sequence[Tensor | None]) -> Tensor | None:
    parts = [part for part in rows if part is not None]
    return torch.cat(parts).requires_grad_() if parts else None


def _random_state() -> tuple[Tensor, Tensor | None]:
    return torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None


def _set_random_state(state: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1])
