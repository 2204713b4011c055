"""TensorBoard shows losses and pictures of each validation: the event files are read back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.training import OptimSettings, Pretraining, Stage, StageViews, TrainerSettings
from contrastive_artifacts.training.log import Board, Judged

STATES = ("clean", "hiss", "dropout")


def events(run: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(run / "tensorboard"))
    accumulator.Reload()
    return accumulator


def picture(value: float) -> Any:
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(1, 1))
    figure.patch.set_facecolor((value, value, value))
    return figure


def test_scalars_and_pictures_are_read_back(tmp_path: Path) -> None:
    judged = Judged(*np.full((5, 1, 1), 0.5, np.float32))
    board = Board(tmp_path, 0, lambda views: [("square", picture(float(views.h[0, 0])))])
    board.write(7, "validation", {"loss": 1.25})
    board.draw(7, judged)
    board.close()
    read = events(tmp_path)
    assert [(e.step, e.value) for e in read.Scalars("validation/loss")] == [(7, 1.25)]
    (image,) = read.Images("validation/square")
    assert image.step == 7
    np.testing.assert_allclose(imread(io.BytesIO(image.encoded_image_string))[..., :3], 0.5, atol=0.01)


def test_each_validation_is_drawn_with_the_views_that_it_judged(tmp_path: Path, small_corpus: Corpus) -> None:
    seen: list[Judged] = []

    def draw(views: Judged) -> list[tuple[str, Any]]:
        seen.append(views)
        return [("square", picture(0.2))]

    encoder = Encoder(backbones.create("mn04", "none"), EncoderSettings(STATES, 0.4, hidden=16, embedding=8))
    splits = corpora.split(small_corpus.clips, {"train": 0.7, "validation": 0.3}, 0)
    stage = Stage(StageViews((0.7, 1.0)), ObjectiveSettings(memory=0), OptimSettings())
    trainer = TrainerSettings(steps=2, sources=2, validate_every=1, validation_clips=3, workers=0)
    Pretraining(encoder, small_corpus, splits, [stage], trainer, tmp_path, {}, draw).fit()
    assert len(seen) == 2
    views = seen[-1]
    assert views.h.shape == (9, 16), "three clips in three states"
    assert views.logits.shape == views.estimates.shape == (9, 3)
    assert views.states.tolist() == [0, 1, 2] * 3
    assert (views.severities[views.states > 0] >= 0.7).all()
    read = events(tmp_path)
    assert [e.step for e in read.Images("validation/square")] == [1, 2]
    assert [e.step for e in read.Scalars("validation/loss")] == [1, 2]


def test_without_a_function_nothing_is_drawn(tmp_path: Path) -> None:
    board = Board(tmp_path, 0)
    board.draw(1, Judged(*np.zeros((5, 1, 1), np.float32)))
    board.close()
    assert events(tmp_path).Tags()["images"] == []
