"""Heads on frozen features: they learn, each regulariser does what it says, and a seed decides the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.training import OptimSettings
from contrastive_artifacts.training.frozen_head import FeatureRows, FrozenHead, HeadSettings, fit_head

PLAIN = ObjectiveSettings(contrastive=0, ranking=0, severity=0, memory=0)
OPTIM = OptimSettings(lr_heads=3e-3, weight_decay=0.0)
SETTINGS = HeadSettings(hidden=16, steps=60, sources=4, validate_every=10)


def rows(seed: int, sources: int, signal: float = 2.0) -> FeatureRows:
    """Three states of each source; features are a mark of the state, one of the source, and noise."""
    rng = np.random.default_rng(seed)
    states = np.tile(np.arange(3), sources)
    x = rng.standard_normal((3 * sources, 24)) + np.repeat(rng.standard_normal((sources, 24)), 3, axis=0)
    x[np.arange(len(x)), states] += signal
    names = np.repeat([f"{seed}/{n}" for n in range(sources)], 3)
    return FeatureRows(x.astype(np.float32), states, (states > 0).astype(np.float32) * 0.5, names)


TRAIN, HELD_OUT = rows(0, 40), rows(1, 40)


def fitted(
    objective: ObjectiveSettings = PLAIN, optim: OptimSettings = OPTIM, settings: HeadSettings = SETTINGS
) -> tuple[FrozenHead, int]:
    return fit_head(TRAIN, HELD_OUT, 3, objective, optim, settings)


def matrices(head: FrozenHead) -> torch.Tensor:
    return torch.cat(
        [p.detach().flatten() for name, p in head.named_parameters() if name in ("neck.1.weight", "types.weight")]
    )


def test_a_head_generalises_and_a_seed_decides_its_weights() -> None:
    head, step = fitted()
    assert step == SETTINGS.steps
    with torch.no_grad():
        predicted = head(torch.from_numpy(HELD_OUT.x)).logits.argmax(1).numpy()
    assert (predicted == HELD_OUT.states).mean() > 0.6, "three states: .33 by chance"
    again, other = fitted()[0], fitted(settings=replace(SETTINGS, seed=1))[0]
    assert torch.equal(matrices(head), matrices(again))
    assert not torch.equal(matrices(head), matrices(other))


def test_l1_and_l2_shrink_the_matrices() -> None:
    plain = matrices(fitted()[0])
    assert matrices(fitted(optim=replace(OPTIM, l1=1e-2))[0]).abs().sum() < 0.8 * plain.abs().sum()
    assert matrices(fitted(optim=replace(OPTIM, weight_decay=3.0))[0]).square().sum() < 0.8 * plain.square().sum()


def test_early_stopping_takes_the_step_of_the_least_loss() -> None:
    long = replace(SETTINGS, steps=400)
    plain, last = fitted(settings=long)
    stopped, best = fitted(settings=replace(long, patience=2))
    assert last == 400
    assert best < 400

    def loss(head: FrozenHead) -> float:
        with torch.no_grad():
            logits = head(torch.from_numpy(HELD_OUT.x)).logits
        return float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(HELD_OUT.states)))

    assert loss(stopped) < loss(plain), "the plain one overfits"


def test_the_contrastive_term_draws_views_of_a_state_together() -> None:
    def likeness(head: FrozenHead) -> float:
        with torch.no_grad():
            z = head(torch.from_numpy(TRAIN.x)).z
        same = torch.from_numpy(TRAIN.states[:, None] == TRAIN.states[None])
        cosines = z @ z.T
        return float(cosines[same].mean() - cosines[~same].mean())

    long = replace(SETTINGS, steps=200)
    contrastive = ObjectiveSettings(contrastive=1, ranking=0, severity=0, memory=0)
    assert likeness(fitted(contrastive, settings=long)[0]) > likeness(fitted(settings=long)[0]) + 0.1


@pytest.mark.parametrize("change", [{"hidden": 0}, {"sources": 1}, {"dropout": 1.0}, {"patience": -1}])
def test_settings_of_a_head_out_of_range(change: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        HeadSettings(**change)  # type: ignore[arg-type]
