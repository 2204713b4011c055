"""Training on cached figures: it learns, resumes to the bit, and gives the same weights for the same seed."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.figures import CachedViews, fill
from contrastive_artifacts.models.figure_encoder import STRIDE, FigureEncoder, FigureSettings
from contrastive_artifacts.models.objectives.sets import SetObjectiveSettings
from contrastive_artifacts.training.sets import SetFitSettings, fit_sets

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "figures"))
from figure_views import small, tones

RECIPE = small(names=("hiss", "clicks"), severity=(0.6, 1.0), barely=0.0, spliced=0.0)
SETTINGS = SetFitSettings(epochs=6, batch=16, lr=5e-3, validations=4)
OBJECTIVE = SetObjectiveSettings()


@pytest.fixture(scope="module")
def views(tmp_path_factory) -> CachedViews:
    corpus = tones("a", "bb", "ccc", "dddd")
    return CachedViews([fill(tmp_path_factory.mktemp("cache"), corpus, corpus.clips, RECIPE, 16, workers=1)], STRIDE)


def new() -> FigureEncoder:
    torch.manual_seed(1)
    return FigureEncoder(
        FigureSettings(("clean", *RECIPE.names), 1.6, figures=16, channels=8, hidden=16, embedding=8, dropout=0.1)
    )


def test_it_learns_what_it_is_shown(views):
    encoder = new()
    fit_sets(encoder, views, views, dataclasses.replace(SETTINGS, epochs=40), OBJECTIVE)
    every = np.arange(len(views))
    with torch.no_grad():
        chances = encoder(views.figures(every)).logits.sigmoid().numpy()
    there = views.column("labels", every)
    assert ((chances[:, 1:] > 0.5) == there).mean() > 0.95
    assert (chances[~there.any(1), 0] > 0.5).mean() > 0.9


def test_a_killed_training_ends_with_the_same_weights(tmp_path, views):
    whole = new()
    expected = fit_sets(whole, views, views, SETTINGS, OBJECTIVE)
    steps = []

    def kill(count: float) -> None:
        steps.append(count)
        if len(steps) == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_sets(new(), views, views, SETTINGS, OBJECTIVE, tmp_path, kill)
    resumed = new()
    assert fit_sets(resumed, views, views, SETTINGS, OBJECTIVE, tmp_path) == expected
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, atol=0, rtol=0)


def test_too_few_views_are_refused(views):
    with pytest.raises(ParameterError, match="do not fill a batch"):
        fit_sets(new(), views, views, SetFitSettings(batch=1000), OBJECTIVE)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"lr": 0.0}, {"weight_decay": -1.0}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ParameterError):
        SetFitSettings(**change)
