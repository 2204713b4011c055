"""``plots=true``: TensorBoard shows the plots of each validation of a training by the script."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from loading import loaded
from matplotlib.image import imread
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from contrastive_artifacts.core import files
from contrastive_artifacts.probes import geometry

ROOT = Path(__file__).parents[2]
TINY = [
    "corpus.sources=12", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "window_s=0.5", "backbone.weights=none",
    "artifacts.states=[clean,hiss,dropout]", "trainer.steps=2", "trainer.sources=2", "trainer.validate_every=1",
    "trainer.workers=0", "encoder.hidden=16", "plots=true",
]  # fmt: skip


def test_tensorboard_shows_plots_of_each_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "umap_2d", lambda x: x[:, :2])  # which is slow; test_run draws it
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = compose("pretrain", ["objective_name=x", f"run={tmp_path}", *TINY])
    loaded(ROOT / "scripts" / "pretrain.py").main(OmegaConf.to_container(config, resolve=True))
    read = EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    names = ("roc", "pr", "severity", "reliability", "confusion", "umap")
    assert set(read.Tags()["images"]) == {f"validation/{name}" for name in names}
    assert [event.step for event in read.Images("validation/umap")] == [1, 2]
    picture = imread(io.BytesIO(read.Images("validation/confusion")[-1].encoded_image_string))
    assert np.ptp(picture) > 0.5
    assert "plots" not in files.read_json(tmp_path / "config.json"), "a run resumes with or without plots"
