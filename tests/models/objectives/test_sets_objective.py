"""The objective of label sets: values that can be computed by hand."""

from __future__ import annotations

import pytest
import torch
from pytorch_metric_learning.losses import SupConLoss
from torch.nn import functional as F

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.heads import Encoded
from contrastive_artifacts.models.objectives.sets import SetObjective, SetObjectiveSettings, soft_contrastive

ONLY = {"cross_entropy": 0.0, "frames": 0.0, "contrastive": 0.0, "ranking": 0.0, "severity": 0.0}


def encoded(rows: int = 4, faults: int = 3) -> Encoded:
    generator = torch.Generator().manual_seed(1)
    return Encoded(
        torch.randn(rows, 8, generator=generator),
        F.normalize(torch.randn(rows, 8, generator=generator), dim=1),
        torch.zeros(rows, faults + 1),
        torch.full((rows, faults + 1), 0.5),
        torch.zeros(rows, 6, faults),
    )


def inputs(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    faults = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]])
    severities = faults * torch.tensor([0.2, 0.4, 0.9])
    return {
        "faults": faults,
        "severities": severities,
        "active": torch.zeros(4, 6, 3),
        "sources": torch.arange(4),
        "unknown": torch.zeros(4, 3, dtype=torch.bool),
        **changes,
    }


def value(term: str, **changes) -> float:
    total, terms = SetObjective(SetObjectiveSettings(**{**ONLY, term: 1.0}))(encoded(), **inputs(**changes))
    assert list(terms) == [term]
    return float(total)


def test_chances_of_one_half_cost_log_two():
    assert value("cross_entropy") == pytest.approx(0.6931, abs=1e-4)
    assert value("frames") == pytest.approx(0.6931, abs=1e-4)


def test_clean_is_the_empty_set():
    certain = encoded()._replace(
        logits=torch.tensor([[9.0, -9, -9, -9], [-9, 9, -9, -9], [-9, 9, 9, -9], [-9, -9, -9, 9]])
    )
    total, _ = SetObjective(SetObjectiveSettings(**{**ONLY, "cross_entropy": 1.0}))(certain, **inputs())
    assert float(total) < 1e-3


def test_what_is_unknown_moves_no_chance_and_joins_no_pair():
    """The gradient is 0 at an unknown fault, at "clean" where nothing else is there, and at the z of such a view."""
    unknown = torch.tensor([[False, True, False], [False, True, False], [False] * 3, [False] * 3])
    logits, frames = torch.zeros(4, 4, requires_grad=True), torch.zeros(4, 6, 3, requires_grad=True)
    z = encoded().z.requires_grad_()
    objective = SetObjective(SetObjectiveSettings(**{**ONLY, "cross_entropy": 1, "frames": 1, "contrastive": 1}))
    total, _ = objective(encoded()._replace(logits=logits, frame_logits=frames, z=z), **inputs(unknown=unknown))
    total.backward()
    still = torch.tensor([[True, False, True, False], [False, False, True, False], [False] * 4, [False] * 4])
    assert torch.equal(logits.grad == 0, still)
    assert torch.equal((frames.grad == 0).all(1), unknown)
    assert (z.grad[0] == 0).all()


def test_severity_counts_only_for_faults_that_are_there():
    expected = F.huber_loss(torch.full((4,), 0.5), torch.tensor([0.2, 0.2, 0.4, 0.9]), delta=0.2) / 0.2
    assert value("severity") == pytest.approx(float(expected), abs=1e-6)


def test_single_labels_of_single_sources_are_supcon():
    generator = torch.Generator().manual_seed(2)
    z = F.normalize(torch.randn(12, 8, generator=generator), dim=1)
    labels = torch.arange(12) % 4
    ours = soft_contrastive(z, F.one_hot(labels).float(), torch.arange(12), 0.1)
    assert float(ours) == pytest.approx(float(SupConLoss(temperature=0.1)(z, labels)), rel=1e-5)


def test_views_of_one_source_are_no_positives():
    z = F.normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(3)), dim=1)
    states = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert float(soft_contrastive(z, states, torch.zeros(4), 0.1)) == 0.0
    assert float(soft_contrastive(z, states, torch.arange(4), 0.1)) > 0.0


def test_more_overlap_pulls_more():
    """The anchor {a, b} lies on the view {a, b}, then on the view {a}: the first costs less."""
    states = torch.tensor([[1.0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]])
    base = torch.eye(4)
    same, part = base.clone(), base.clone()
    same[0], part[0] = base[1], base[2]
    losses = [float(soft_contrastive(z, states, torch.arange(4), 0.5)) for z in (same, part)]
    assert losses[0] < losses[1]


def test_weights_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError):
        SetObjectiveSettings(**ONLY)
    with pytest.raises(ParameterError):
        SetObjectiveSettings(temperature=0.0)
