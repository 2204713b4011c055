"""Training by several processes that torchrun started, each with its own sources of every batch.

All functions do nothing, or what one process does, where there is only one. Every process computes the loss of the
whole batch from the gathered outputs; so the value, the cross-batch memory and every decision are the same in all.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..core import seeding
from ..core.errors import ArtifactsError, ParameterError, TrainingError
from ..models.heads import Encoded

_WAIT = timedelta(minutes=30)  # for the slowest process, which may be rendering the validation views
_LOST = ("gloo", "NCCL", "Connection", "ProcessGroup", "Broken pipe")


def processes() -> int:
    """Number of processes that train together; 1 outside of :func:`group`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0 on."""
    if dist.is_initialized():
        return dist.get_rank()
    return int(os.environ.get("RANK", "0")) if dist.is_torchelastic_launched() else 0


def is_first() -> bool:
    """Whether this process writes the run: its log, its checkpoint, its encoder."""
    return rank() == 0


def require_one(verb: str) -> None:
    """Refuses torchrun with several processes for a training that is not made for them.

    Raises:
        ParameterError: torchrun started several processes.
    """
    if dist.is_torchelastic_launched() and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ParameterError(f"{verb} trains in one process; start it without torchrun.")


@contextmanager
def group(device: str) -> Iterator[None]:
    """Inside the block, the processes of torchrun are one group: NCCL with a GPU each, gloo on CPUs.

    Args:
        device: "auto", "cpu" or "cuda".

    Raises:
        ArtifactsError: what the block raises, with the number of the process.
        TrainingError: another process has ended.
    """
    if not (dist.is_torchelastic_launched() and int(os.environ["WORLD_SIZE"]) > 1):
        yield
        return
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    if cuda:
        local, count = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= count:
            raise ParameterError(f"process {rank()} needs a GPU of its own and there are {count}; start fewer.")
        torch.cuda.set_device(local)
    for known in ("find_unused_parameters=True was specified", "Grad strides do not match bucket view"):
        warnings.filterwarnings("ignore", message=known)  # no layer is frozen in this stage; kernels of one channel
    dist.init_process_group("nccl" if cuda else "gloo", timeout=_WAIT)
    where = f"process {rank()} of {processes()}"
    try:
        yield
    except ArtifactsError as error:
        raise type(error)(f"{where}: {error}") from error
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error) for word in _LOST):
            raise
        raise TrainingError(f"{where} has lost another process, whose message says why.") from error
    dist.barrier()
    dist.destroy_process_group()


def seed_of(seed: int) -> int:
    """Seed of dropout in this process; that of the training in the first one."""
    return seed if is_first() else seeding.derive(seed, "process", rank())


def wrapped(encoder: nn.Module) -> nn.Module:
    """The encoder as DistributedDataParallel, which takes the mean of the gradients over all processes."""
    if processes() == 1:
        return encoder
    module = _Needed(encoder)
    devices = [torch.cuda.current_device()] if next(module.parameters()).is_cuda else None
    return DistributedDataParallel(module, devices, find_unused_parameters=True)  # layers that a stage has frozen


class _Needed(nn.Module):
    """Only outputs that a loss uses have a graph: DistributedDataParallel waits for gradients of all that have one."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.names = encoder, frozenset(Encoded._fields)

    def forward(self, *inputs: Any) -> Encoded:
        outputs = zip(Encoded._fields, self.encoder(*inputs), strict=True)
        return Encoded(*(part if part is None or name in self.names else part.detach() for name, part in outputs))


def need(module: nn.Module, names: frozenset[str]) -> None:
    """Names the outputs that the next loss uses."""
    if isinstance(module, DistributedDataParallel):
        module.module.names = names


def unsynchronised(module: nn.Module) -> AbstractContextManager[Any]:
    """Inside the block, gradients of a wrapped module add up in each process and are not exchanged."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) else contextlib.nullcontext()


def share_statistics(module: nn.Module) -> None:
    """Replaces the batch norms inside a module by ones that normalise by the statistics of the whole batch."""
    if processes() == 1:
        return
    for name, child in module.named_children():
        if type(child) in (nn.BatchNorm1d, nn.BatchNorm2d) and isinstance(child, nn.modules.batchnorm._BatchNorm):
            statistics = child.running_mean
            shared = nn.SyncBatchNorm if statistics is not None and statistics.is_cuda else _SharedNorm
            new = shared(child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats)
            new.load_state_dict(child.state_dict())
            setattr(module, name, new.to(next(child.buffers())).train(child.training))
        else:
            share_statistics(child)


class _SharedNorm(nn.modules.batchnorm._BatchNorm):
    """What SyncBatchNorm of PyTorch does on GPUs, for processes on CPUs; their parts of a batch are equal."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or processes() == 1:
            return super().forward(x)
        ones = x.new_ones(x.shape[1]) if self.weight is None else self.weight
        bias = torch.zeros_like(ones) if self.bias is None else self.bias
        normed, mean, variance = _Normed.apply(x, ones, bias, self.eps)  # type: ignore[no-untyped-call]
        if self.running_mean is not None and self.running_var is not None and self.momentum is not None:
            count = x.numel() // x.shape[1] * processes()
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)
                if self.num_batches_tracked is not None:
                    self.num_batches_tracked.add_(1)
        output: Tensor = normed
        return output


class _Normed(torch.autograd.Function):
    """Normalised by the mean and the variance of all processes: three passes over memory where autograd takes ten.

    The gradient is that by constant statistics, less what comes back through them: for each channel a constant and a
    multiple of the input (Ioffe & Szegedy, arXiv 1502.03167, section 3).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        exact = x.to(torch.promote_types(x.dtype, torch.float32))
        local = torch.stack(torch.var_mean(exact, [0, *range(2, x.ndim)], correction=0))
        parts = [torch.empty_like(local) for _ in range(processes())]
        dist.all_gather(parts, local)
        variances, means = torch.stack(parts).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return nn.functional.batch_norm(x, mean, variance, weight, bias, eps=eps), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, variance = ctx.saved_tensors
        of_x, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        through_mean, through_spread = summed(torch.stack([of_bias, of_weight])) / (
            x.numel() // len(mean) * processes()
        )
        inverse, shape = (variance + ctx.eps).rsqrt(), [1, -1, *[1] * (x.ndim - 2)]
        slope = weight * inverse.square() * through_spread
        constant = weight * inverse * through_mean - slope * mean
        of_x.sub_(constant.view(shape).to(x.dtype)).addcmul_(x, slope.view(shape).to(x.dtype), value=-1)
        return of_x, of_weight, of_bias, None


def gathered(part: Tensor) -> Tensor:
    """The rows of all processes, [B, ...] -> [processes * B, ...]; the gradient is that of this process's rows.

    It is scaled by the number of processes, because :func:`wrapped` takes the mean over them and not the sum.
    """
    return part if processes() == 1 else _Gathered.apply(part)  # type: ignore[no-untyped-call]


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        rows = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(processes())]
        dist.all_gather(rows, part.contiguous())
        return torch.cat(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].chunk(processes())[rank()] * processes()


def summed(values: Tensor) -> Tensor:
    """The sum over all processes."""
    if processes() > 1:
        dist.all_reduce(values)
    return values
