"""Each term against explicit loops; degenerate batches give a loss of zero with a gradient."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.objectives import Objective, ObjectiveSettings
from contrastive_artifacts.models.objectives.rank import RankNContrast, severity_loss


def batch(sources: int = 3, states: int = 4, dim: int = 8, seed: int = 0):
    """Random outputs for every source in every state, and the truth as the objective takes it."""
    g = torch.Generator().manual_seed(seed)
    n = sources * states
    outputs = SimpleNamespace(
        z=F.normalize(torch.randn(n, dim, generator=g), dim=1).requires_grad_(),
        logits=torch.randn(n, states, generator=g, requires_grad=True),
        severity=torch.rand(n, states, generator=g).requires_grad_(),
    )
    labels = torch.arange(states).repeat(sources)
    severities = torch.rand(n, generator=g) * (labels > 0)
    numbers = torch.arange(sources).repeat_interleave(states)
    return outputs, {"states": labels, "severities": severities, "sources": numbers}


def supcon_by_loops(z, labels, temperature):
    losses = []
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        total = sum(math.exp(float(z[i] @ z[j]) / temperature) for j in others)
        losses.append(-np.mean([float(z[i] @ z[j]) / temperature - math.log(total) for j in positives]))
    return np.mean(losses)


@pytest.mark.parametrize("positives", ["type", "source"])
def test_contrastive_term_is_supcon(positives):
    outputs, truth = batch()
    settings = ObjectiveSettings(positives, 1.0, 0.0, 0.0, 0.0, 0.1, 0)
    loss, terms = Objective(settings, 8)(outputs, **truth)
    labels = truth["states"] if positives == "type" else truth["sources"]
    assert loss.item() == pytest.approx(supcon_by_loops(outputs.z.detach(), labels, 0.1), rel=1e-4)
    assert list(terms) == ["contrastive"]


def test_rank_n_contrast_by_loops():
    outputs, truth = batch(sources=5, states=3)
    states, severities = truth["states"], truth["severities"]
    z, t, losses = outputs.z.detach(), 0.2, []
    for i in range(len(z)):
        same = [j for j in range(len(z)) if j != i and states[j] == states[i]]
        for j in same:
            gap = abs(severities[i] - severities[j])
            farther = [k for k in same if abs(severities[i] - severities[k]) >= gap]
            total = sum(math.exp(float(z[i] @ z[k]) / t) for k in farther)
            losses.append(-(float(z[i] @ z[j]) / t - math.log(total)))
    assert RankNContrast(t)(outputs.z, states, severities).item() == pytest.approx(np.mean(losses), rel=1e-4)


def test_rank_n_contrast_orders_by_severity():
    torch.manual_seed(0)
    severities = torch.linspace(0, 1, 8)
    z = torch.randn(8, 4, requires_grad=True)
    optimizer = torch.optim.Adam([z], lr=0.05)
    for _ in range(300):
        loss = RankNContrast()(z, torch.ones(8, dtype=torch.long), severities)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    similarity = F.normalize(z, dim=1) @ F.normalize(z, dim=1).T
    assert (similarity[0].diff() < 0).all()  # from the mildest, the others follow in order


def test_severity_loss_counts_the_own_type_of_damaged_views():
    predicted = torch.tensor([[0.9, 0.9], [0.1, 0.5]], requires_grad=True)
    loss = severity_loss(predicted, torch.tensor([0, 1]), torch.tensor([0.0, 0.6]))
    assert loss.item() == pytest.approx(0.5 * 0.1**2 / 0.2)
    assert severity_loss(predicted, torch.tensor([0, 0]), torch.zeros(2)).item() == 0


@pytest.mark.parametrize(
    ("states", "term", "output"),
    [
        ([0, 1, 2, 3], "contrastive", "z"),  # no two views of one type
        ([0, 1, 2, 2], "ranking", "z"),  # no type of three views
        ([0, 0, 0, 0], "ranking", "z"),  # only clean views, which have no severity
        ([0, 0, 0, 0], "severity", "severity"),
    ],
)
def test_a_term_that_a_batch_has_nothing_for_is_zero_and_its_gradient_too(states, term, output):
    outputs, truth = batch(sources=1)
    truth |= {"states": torch.tensor(states), "sources": torch.arange(4)}
    weights = {"contrastive": 0.0, "cross_entropy": 0.0, "ranking": 0.0, "severity": 0.0, term: 1.0}
    loss, terms = Objective(ObjectiveSettings(**weights, memory=0), 8)(outputs, **truth)
    loss.backward()
    assert loss.item() == 0
    assert terms == {term: 0.0}
    gradient = getattr(outputs, output).grad
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_memory_adds_past_batches_and_survives_a_round_trip():
    settings = ObjectiveSettings(cross_entropy=0.0, ranking=0.0, severity=0.0, memory=32)
    first, second = Objective(settings, 8), Objective(settings, 8)
    outputs, truth = batch(seed=1)
    first(outputs, **truth)
    second.load_memory_state(first.memory_state())
    outputs, truth = batch(seed=2)
    expected = first(outputs, **truth)[0]
    assert torch.equal(second(outputs, **truth)[0], expected)
    assert not torch.equal(Objective(settings, 8)(outputs, **truth)[0], expected)
    before = {k: v.clone() for k, v in first.memory_state().items()}
    first(outputs, **truth, remember=False)
    assert all(torch.equal(v, before[k]) for k, v in first.memory_state().items())


@pytest.mark.parametrize("wrong", [{"positives": "pair"}, {"contrastive": -1}, {"temperature": 0}, {"memory": -1},
                                   {"contrastive": 0, "cross_entropy": 0, "ranking": 0, "severity": 0}])  # fmt: skip
def test_settings_are_checked(wrong):
    with pytest.raises(ParameterError):
        ObjectiveSettings(**wrong)
