"""Two processes train as one process does: the same loss, gradient, memory and statistics; one log, one checkpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import two_processes
from safetensors.torch import load_file
from torch import nn

from contrastive_artifacts.core.errors import CorpusError, ParameterError, TrainingError
from contrastive_artifacts.data.views import TrainingBatches, ViewSettings
from contrastive_artifacts.models.heads import Encoded
from contrastive_artifacts.training import TrainerSettings, distributed
from contrastive_artifacts.training.parts import in_parts

HERE = Path(__file__).parent
SETTINGS = ViewSettings(("clean", "hiss", "dropout"), 0.4, 16000, (0.7, 1.0))


def torchrun(task: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": f"{HERE.parents[1]}", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(HERE / "two_processes.py"), task, str(folder)],
        capture_output=True, text=True, check=False, env=environment, timeout=250,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    result = torchrun("all", folder)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


@pytest.mark.slow
def test_loss_gradient_memory_and_statistics_are_those_of_one_process(trained: Path, tmp_path: Path) -> None:
    alone = two_processes.gradients(two_processes.training(tmp_path / "ast", dropout=0.0)) | two_processes.norms()
    alone |= two_processes.precise_gradients(tmp_path / "mn04")
    for rank in range(2):
        together = load_file(trained / f"results-{rank}.safetensors")
        assert together.keys() == alone.keys()
        assert {value.dtype for name, value in alone.items() if name.startswith("precise.0")} == {torch.float64}
        for name, value in alone.items():
            torch.testing.assert_close(together[name], value, atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.slow
def test_one_log_and_one_checkpoint_and_the_same_number_resumes_exactly(trained: Path) -> None:
    straight, resumed = (load_file(trained / name / "state.safetensors") for name in ("straight", "stopped"))
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    lines = [json.loads(line) for line in (trained / "straight" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "validation"] == [2, 4]
    files = {path.name for path in (trained / "straight").iterdir()}
    assert files == {"config.json", "encoder", "log.jsonl", "state.safetensors", "tensorboard"}


@pytest.mark.slow
def test_another_number_of_processes_is_refused(trained: Path) -> None:
    with pytest.raises(TrainingError, match=r"trained by 2 processes.*not with 1.*--nproc-per-node 2"):
        two_processes.training(trained / "straight").fit()


@pytest.mark.slow
def test_a_process_that_fails_ends_the_run_with_its_message(tmp_path: Path) -> None:
    result = torchrun("fail", tmp_path)
    assert result.returncode != 0
    assert "AudioError: process 1 of 2: clip.wav cannot be read." in result.stderr


def test_parts_of_a_batch_are_the_batch(small_corpus) -> None:
    whole = TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 4, 3, seed=0)
    parts = [TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 4, 3, 0, part=p, parts=2)[1] for p in range(2)]
    for name in ("waveforms", "states", "severities", "sources", "spans"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole[1], name)), name
    again = whole[1].parts(2)
    assert all(np.array_equal(a.waveforms, b.waveforms) for a, b in zip(again, parts, strict=True))
    with pytest.raises(ParameterError, match="4 sources per batch cannot be divided by 3 processes"):
        TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 4, 3, 0, parts=3)
    few = small_corpus.clips[:3]
    with pytest.raises(CorpusError, match="no 4 sources"):
        TrainingBatches(small_corpus, few, SETTINGS, 4, 3, 0, parts=2)[0]


class Small(nn.Module):
    """A network with dropout and without batch norm, as an encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.GELU(), nn.Linear(8, 5))

    def forward(self, x: torch.Tensor) -> Encoded:
        y = self.layers(x)
        return Encoded(y, nn.functional.normalize(y, dim=1), y[:, :3], y[:, 2:].sigmoid())


def test_the_gradient_in_parts_is_that_of_the_whole_batch() -> None:
    torch.manual_seed(0)
    network, x = Small(), torch.randn(12, 4)

    def loss(outputs: Encoded) -> tuple[torch.Tensor, dict[str, float]]:
        pairs = outputs.z @ outputs.z.T  # each row with every other one, as in a contrastive term
        return pairs.exp().mean() + outputs.logits.square().mean(), {}

    torch.manual_seed(7)
    parts = [network(part) for part in x.chunk(3)]
    value, _ = loss(Encoded(*(torch.cat([getattr(part, name) for part in parts]) for name in Encoded._fields[:4])))
    value.backward()
    drawn = torch.get_rng_state()
    whole = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    network.zero_grad()
    torch.manual_seed(7)
    value_in_parts, _ = in_parts(network, x.chunk(3), network, loss)
    assert torch.equal(torch.get_rng_state(), drawn), "the next step draws as it would have"
    torch.testing.assert_close(value_in_parts, value.detach())
    for parameter, gradient in zip(network.parameters(), whole, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("change", [{"accumulate": 2}, {"precision": "bfloat16"}])
def test_parts_and_half_precision_train(tmp_path: Path, change: dict) -> None:
    losses = []
    for name, options in (("plain", {}), ("changed", change)):
        trainer = TrainerSettings(steps=2, sources=4, validate_every=2, validation_clips=2, workers=0, **options)
        losses.append(two_processes.training(tmp_path / name, trainer).fit().best_loss)
    assert np.isfinite(losses).all()
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], abs=0.2)


@pytest.mark.parametrize("wrong", [{"accumulate": 3}, {"accumulate": 0}, {"precision": "float16"}])
def test_settings_that_do_not_fit_are_refused(wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        TrainerSettings(sources=8, **wrong)


def test_other_trainings_refuse_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed.require_one("pretrain_sets")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="pretrain_sets trains in one process"):
        distributed.require_one("pretrain_sets")
