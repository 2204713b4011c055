"""Run by torchrun in test_distributed.py, and in one process: gradients, training and resumption."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import save_file
from torch import nn

from contrastive_artifacts.core.errors import AudioError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.training import OptimSettings, Pretraining, Stage, StageViews, TrainerSettings, distributed

TRAINER = TrainerSettings(steps=4, sources=4, validate_every=2, validation_clips=2, workers=0)


def training(run: Path, trainer: TrainerSettings = TRAINER, dropout: float = 0.2) -> Pretraining:
    corpus = corpora.create("builtin", seed=3, sources=12, duration_s=1.0, sample_rate=16000)
    torch.manual_seed(trainer.seed)
    backbone = backbones.create("ast", "none", stride=16, depth=1, dim=32, heads=2)
    settings = EncoderSettings(("clean", "hiss", "dropout"), 0.4, 16, 8, dropout, frame_hop_s=0.1)
    splits = corpora.split(corpus.clips, {"train": 0.7, "validation": 0.3}, 0)
    stage = Stage(
        StageViews((0.7, 1.0)), ObjectiveSettings(memory=16), OptimSettings(ema=0.5, l1=0.01, freeze_share=0.2)
    )
    return Pretraining(Encoder(backbone, settings), corpus, splits, [stage], trainer, run, {})


class Precise(Pretraining):
    """In double precision, as far as the batches go."""

    def _tensor(self, part: Any) -> torch.Tensor:
        tensor = super()._tensor(part)
        return tensor.double() if tensor.is_floating_point() else tensor


@contextmanager
def doubles() -> Iterator[None]:
    """Inside the block, new tensors are float64, and ``float()``, which ends half precision, leaves float64 alone."""

    def single(tensor: torch.Tensor) -> torch.Tensor:
        return tensor if tensor.dtype == torch.float64 else tensor.to(torch.float32)

    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(torch.Tensor, "float", single):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


def precise_gradients(run: Path) -> dict[str, torch.Tensor]:
    """:func:`gradients` of one batch in double precision, by mn04 of random weights: fifty layers of batch norm."""
    corpus = corpora.create("builtin", seed=3, sources=12, duration_s=1.0, sample_rate=32000)
    splits = corpora.split(corpus.clips, {"train": 0.7, "validation": 0.3}, 0)
    with doubles():
        torch.manual_seed(0)
        encoder = Encoder(
            backbones.create("mn04", "none"), EncoderSettings(("clean", "hiss", "dropout"), 0.4, 16, 8, 0.0)
        )
        stage = Stage(StageViews((0.7, 1.0)), ObjectiveSettings(memory=16), OptimSettings())
        trained = Precise(encoder.double(), corpus, splits, [stage], TRAINER, run, {})
        trained.objective.double()
        return {f"precise.{name}": value for name, value in gradients(trained, 1).items()}


def gradients(trained: Pretraining, steps: int = 3) -> dict[str, torch.Tensor]:
    """Losses and gradients of the first batches, the memory and the statistics after them."""
    results = {}
    for step in range(steps):
        trained.step = step
        trained.prepare()
        trained.optimizer.zero_grad()
        loss, _ = trained.gradients(trained.batches[step])
        results[f"{step}.loss"] = loss.detach()
        for name, parameter in trained.encoder.named_parameters():
            if parameter.grad is not None:
                results[f"{step}.{name}"] = parameter.grad.clone()
    results |= {f"memory.{k}": v.clone() for k, v in trained.objective.memory_state().items()}
    return results | {f"buffer.{k}": v.clone() for k, v in trained.encoder.named_buffers()}


def norms() -> dict[str, torch.Tensor]:
    """A batch norm with statistics of all processes: outputs, gradients and running statistics of a batch of eight."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 3, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(8, 3, 5, generator=generator, dtype=torch.float64)
    network = nn.Sequential(nn.BatchNorm1d(3, dtype=torch.float64))
    distributed.share_statistics(network)
    mine = x.chunk(distributed.processes())[distributed.rank()].clone().requires_grad_()
    output = network(mine)
    (output * weight.chunk(distributed.processes())[distributed.rank()]).sum().backward()
    assert mine.grad is not None
    state = {k: v.to(torch.float64) for k, v in network[0].state_dict().items()}
    return {"norm.y": distributed.gathered(output.detach()), "norm.x": distributed.gathered(mine.grad)} | {
        f"norm.{k}": v for k, v in state.items()
    }


def main(task: str, folder: Path) -> None:
    torch.set_num_threads(1)
    with distributed.group("cpu"):
        if task == "fail" and distributed.rank() == 1:
            raise AudioError("clip.wav cannot be read.")
        if task == "all":
            results = gradients(training(folder / "gradients", dropout=0.0)) | norms()
            results |= precise_gradients(folder / "precise")
            save_file(
                {k: v.contiguous() for k, v in results.items()}, folder / f"results-{distributed.rank()}.safetensors"
            )
            training(folder / "straight").fit()
            fit_until_killed(training(folder / "stopped"))
            training(folder / "stopped").fit()
        distributed.summed(torch.zeros(1))


def fit_until_killed(trained: Pretraining) -> None:
    """Trains beyond the checkpoint of step 2, as if the processes were killed then."""
    after_step = trained.after_step

    def stop(*args: object) -> None:
        after_step(*args)  # type: ignore[arg-type]
        if trained.step == 3:
            raise KeyboardInterrupt

    trained.after_step = stop  # type: ignore[method-assign]
    try:
        trained.fit()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
