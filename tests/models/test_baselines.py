"""The baselines: shapes, determinism, and what each can and cannot tell."""

from __future__ import annotations

import numpy as np
import torch

from contrastive_artifacts.data.views import ViewSettings
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.baselines import FrozenBackbone, LogMelStatistics
from contrastive_artifacts.probes import Embedded
from contrastive_artifacts.runs.measure import embed_views, measure, summary


def noise(count: int = 3) -> list[np.ndarray]:
    return list(np.random.default_rng(0).normal(0, 0.1, (count, 16000)).astype(np.float32))


def test_log_mel_statistics_do_not_depend_on_the_batch():
    model = LogMelStatistics()
    x = model.view_vectors(noise())["h"]
    assert x.shape == (3, 768)
    assert np.allclose(x[1], model.view_vectors(noise()[1:2])["h"][0], atol=1e-4)


def test_a_frozen_backbone_gives_mean_and_maximum():
    model = FrozenBackbone(backbones.create("mn04", "none"))
    x = model.view_vectors(noise())["h"]
    with torch.inference_mode():
        frames = model.backbone(torch.from_numpy(np.stack(noise()))).frames.numpy()
    assert x.shape == (3, 768)
    np.testing.assert_allclose(x, np.hstack([frames.mean(1), frames.max(1)]), atol=1e-5)


def test_views_to_figures(small_corpus):
    """Severe hiss on one-second sources is read from log-mel statistics, by kNN and by the linear probe."""
    model = LogMelStatistics()
    settings = ViewSettings(("clean", "hiss"), 1.0, model.sample_rate, (0.9, 1.0))
    sides = {"train": (small_corpus, small_corpus.clips[:8]), "test": (small_corpus, small_corpus.clips[8:])}
    tables = embed_views(model, sides, settings, seed=0, draws=3)
    table = tables["h"]
    assert len(table) == 12 * 3 * 2
    assert len(set(table["id"].to_pylist())) == len(table)
    assert len(Embedded.from_table(table, "test")) == 24
    again = embed_views(model, sides, settings, seed=0, draws=3)["h"]
    assert again.equals(table)
    facts = summary(measure(tables, ["linear"], 50)["h"]["test"])
    assert facts["linear macro-F1"] > 0.7
    assert 0 <= facts["leak"] <= 1
