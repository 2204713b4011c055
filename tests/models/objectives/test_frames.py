"""Labels of frames, and their loss, against values computed by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.objectives import Objective, ObjectiveSettings
from contrastive_artifacts.models.objectives.frames import frame_loss, frame_targets

STATES = torch.tensor([0, 2, 1, 1])
SPANS = torch.tensor([[0, 0], [15, 30], [0, 40], [7, 7]])


def test_a_frame_holds_the_artifact_that_reaches_into_it():
    targets = frame_targets(STATES, SPANS, 4, 10.0, 3)
    assert targets.argmax(2).tolist() == [[0, 0, 0, 0], [0, 2, 2, 0], [1, 1, 1, 1], [0, 0, 0, 0]]
    assert (targets.sum(2) == 1).all()


def test_the_loss_is_the_mean_of_the_sum_over_states():
    logits = torch.randn(4, 4, 3, generator=torch.Generator().manual_seed(0))
    targets = frame_targets(STATES, SPANS, 4, 10.0, 3)
    p = logits.sigmoid()
    expected = -(targets * p.log() + (1 - targets) * (1 - p).log()).sum() / 16
    assert frame_loss(logits, STATES, SPANS, 10.0).item() == pytest.approx(expected.item(), rel=1e-5)
    assert frame_loss(40 * targets - 20, STATES, SPANS, 10.0) < 1e-6


def test_the_objective_weighs_frames():
    logits = torch.zeros(4, 4, 3, requires_grad=True)
    outputs = SimpleNamespace(z=F.normalize(torch.ones(4, 8)), logits=None, severity=None, frame_logits=logits)
    settings = ObjectiveSettings(contrastive=0, cross_entropy=0, ranking=0, severity=0, frames=0.5)
    truth = {"states": STATES, "severities": torch.zeros(4), "sources": torch.arange(4), "spans": SPANS}
    loss, terms = Objective(settings, 8, 10.0)(outputs, **truth)
    assert loss.item() == pytest.approx(0.5 * 3 * torch.tensor(2.0).log().item())
    assert list(terms) == ["frames"]
    with pytest.raises(ParameterError, match="frame_logits of the encoder and spans"):
        Objective(settings, 8, 10.0)(outputs, **{**truth, "spans": None})
    with pytest.raises(ParameterError, match="frame_hop_s"):
        Objective(settings, 8)
