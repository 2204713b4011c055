"""Ranges of the settings, and the shape of the learning rate."""

from __future__ import annotations

import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.training import OptimSettings, TrainerSettings


def test_warm_up_then_half_a_cosine():
    factors = [OptimSettings(warmup=0.1).factor(step, 100) for step in range(100)]
    assert factors[:10] == sorted(factors[:10])
    assert factors[10] == 1
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[55] == pytest.approx(0.5)
    assert factors[-1] < 0.001


@pytest.mark.parametrize(
    "wrong", [{"lr_top": 0}, {"clip": 0}, {"warmup": 1}, {"ema": 1}, {"freeze_share": 2}, {"l1": -1}]
)
def test_optim_is_checked(wrong):
    with pytest.raises(ParameterError):
        OptimSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"sources": 1}, {"patience": -1}, {"workers": -1}, {"device": "tpu"}])
def test_trainer_is_checked(wrong):
    with pytest.raises(ParameterError):
        TrainerSettings(**wrong)
