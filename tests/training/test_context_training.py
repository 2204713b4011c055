"""Training of a context module: one seed gives one result, and a killed training ends as an uninterrupted one."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from contrastive_artifacts.core.errors import ParameterError, StorageError, TrainingError
from contrastive_artifacts.models.context import Context, ContextSettings, Stretch
from contrastive_artifacts.training.context import FitSettings, Sequences, _Fitting, fit

INPUTS = 6
SETTINGS = FitSettings(steps=10, batch=8, lr=3e-3, validate_every=3)


def sequences(count: int = 24, stretches: int = 2) -> Sequences:
    """Two recordings per source, the second one with an event in every fifth patch."""
    rng, states = np.random.default_rng(0), np.arange(count) % 2
    rows = []
    for state in states:
        vectors = rng.standard_normal((stretches, 20, INPUTS)).astype(np.float32)
        vectors[:, ::5, 0] += 3.0 * state
        rows.append([Stretch(v, np.zeros(0, np.float32)) for v in vectors])
    return Sequences(rows, states, states.astype(np.float32), np.array([f"s{i // 2}" for i in range(count)]))


def trained(settings: FitSettings = SETTINGS, directory: Path | None = None) -> tuple[dict[str, torch.Tensor], float]:
    """The weights of a module after training, with dropout, and the best held-out loss."""
    torch.manual_seed(0)
    sizes = {"width": 16, "heads": 2, "hidden": 16, "embedding": 8, "dropout": 0.2, "max_s": 30.0}
    context = Context(ContextSettings("attention", ("clean", "clicks"), INPUTS, **sizes))  # type: ignore[arg-type]
    loss = fit(context, sequences(), settings, directory=directory)
    return context.state_dict(), loss


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_one_seed_gives_one_result_and_leaves_the_random_numbers_of_torch_alone() -> None:
    first, second, third = (trained(replace(SETTINGS, seed=seed))[0] for seed in (0, 0, 1))
    assert same(first, second)
    assert not same(first, third)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    context = Context(ContextSettings("mean", ("clean", "clicks"), INPUTS))
    torch.set_rng_state(before)
    fit(context, sequences(), SETTINGS)
    assert torch.equal(torch.get_rng_state(), before)


def test_validating_changes_nothing() -> None:
    """Two trainings, one that validates after every step, one at the end only; the loss falls to the end in both."""
    often, once = (trained(replace(SETTINGS, lr=3e-4, validate_every=every, patience=99)) for every in (1, 10))
    assert same(often[0], once[0])
    assert often[1] == once[1]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import torch
torch.set_num_threads(1)
import test_context_training as test

def killed(self, batch, original=test._Fitting._train_step):
    if self.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, batch)

test._Fitting._train_step = killed
test.trained(directory=Path(sys.argv[1]))
"""


@pytest.mark.parametrize("step", [1, 5, 9])
def test_killed_at_a_step_it_resumes_and_ends_as_the_uninterrupted_training(tmp_path: Path, step: int) -> None:
    expected, loss = trained(directory=tmp_path / "straight")
    code = textwrap.dedent(KILLED.format(here=str(Path(__file__).parent), step=step))
    process = subprocess.run([sys.executable, "-c", code, str(tmp_path / "killed")], check=False)
    assert process.returncode == -signal.SIGKILL
    checkpoint = tmp_path / "killed" / "state.safetensors"
    assert checkpoint.exists() == (step >= SETTINGS.validate_every)
    weights, again = trained(directory=tmp_path / "killed")
    assert same(weights, expected)
    assert again == loss
    assert same(load_file(checkpoint), load_file(tmp_path / "straight" / "state.safetensors"))


def test_checkpoints_change_nothing(tmp_path: Path) -> None:
    assert same(trained()[0], trained(directory=tmp_path)[0])


def test_a_finished_training_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, loss = trained(directory=tmp_path)
    monkeypatch.setattr(_Fitting, "_train_step", lambda self, batch: pytest.fail("trained again"))
    weights, again = trained(directory=tmp_path)
    assert same(weights, expected)
    assert again == loss


def test_it_stops_when_patience_runs_out_and_gives_the_best_module(monkeypatch: pytest.MonkeyPatch) -> None:
    losses, states = iter([3.0, 1.0, 2.0, 2.0, 9.0]), []

    def validation_loss(self: _Fitting) -> float:
        states.append({k: v.clone() for k, v in self.context.state_dict().items()})
        return next(losses)

    monkeypatch.setattr(_Fitting, "validation_loss", validation_loss)
    weights, loss = trained(replace(SETTINGS, steps=99, patience=2))
    assert (loss, len(states)) == (1.0, 4)
    assert same(weights, states[1])


def test_the_learning_rate_rises_and_falls_to_a_thousandth() -> None:
    settings = FitSettings(steps=100, lr=2.0)
    rates = [settings.rate(step) for step in range(101)]
    assert rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[49] == pytest.approx(1.0)
    assert rates[99] == rates[100] == pytest.approx(2e-3)


def test_what_cannot_be_trained_on_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch = Stretch(np.zeros((2, INPUTS), np.float32), np.zeros(0, np.float32))
    with pytest.raises(ParameterError, match=r"same number of stretches.*\[1, 2\]"):
        Sequences([[stretch], [stretch] * 2], np.zeros(2, int), np.zeros(2, np.float32), np.array(["a", "b"]))
    of_one_source = Sequences([[stretch]] * 2, np.zeros(2, int), np.zeros(2, np.float32), np.array(["a", "a"]))
    with pytest.raises(ParameterError, match="one source"):
        fit(Context(ContextSettings("mean", ("clean", "clicks"), INPUTS)), of_one_source, SETTINGS)
    trained(directory=tmp_path)
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StorageError, match=r"state\.safetensors is damaged"):
        trained(directory=tmp_path)
    monkeypatch.setattr(_Fitting, "validation_loss", lambda self: float("nan"))
    with pytest.raises(TrainingError, match=r"validation loss became nan at step 3; lower fitting\.lr"):
        trained()
