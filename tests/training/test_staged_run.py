"""The configuration of three stages from the command line to figures of frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import contrastive_artifacts as ca
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.views import ViewSettings
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.runs import run, sections
from contrastive_artifacts.runs.measure import localise
from contrastive_artifacts.runs.run import Run

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = [
    "trainer=stages", "corpus.sources=16", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "window_s=0.6",
    "backbone.weights=none", "artifacts.states=[clean,hiss,dropout]", "artifacts.severity=[0.8,1.0]",
    "trainer.steps=10", "trainer.sources=3", "trainer.validate_every=5", "trainer.workers=0", "encoder.hidden=32",
]  # fmt: skip


def composed(*overrides: str) -> dict:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        cfg = compose("pretrain", ["run=x", "objective_name=contrastive", *overrides])
    config = OmegaConf.to_container(cfg, resolve=True)
    config.pop("run")
    return config


def test_three_stages_by_their_configuration(tmp_path):
    run.pretrain(composed(*TINY), tmp_path)
    stages = [json.loads(line)["stage"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(stages)) == ["heads", "body", "frames"]
    Run(tmp_path).probe({}, ["linear"], 0.6, 1, 10, 0)
    mean = json.loads((tmp_path / "frames.json").read_text())["test"]["mean"]
    assert 0 < mean["ap"] <= 1
    assert ca.load(tmp_path).classify((np.zeros(16000, np.float32), 16000)).label in ("clean", "hiss", "dropout")
    encoder = Encoder.load(tmp_path / "encoder")
    with torch.no_grad():
        assert encoder(torch.zeros(1, 19200)).frame_probabilities.shape == (1, 10, 3)


def test_the_plain_configuration_has_one_stage_and_no_frames():
    config = composed()
    (stage,) = sections.make_stages(config)
    assert (stage.share, stage.views.spliced, stage.objective.frames) == (1.0, 0.0, 0.0)
    assert config["encoder"]["frame_hop_s"] == 0


def test_localising_needs_a_frame_head(small_corpus):
    encoder = Encoder.load(Path(ca.__file__).parent / "release" / "mn04")
    assert encoder.frames is None
    with pytest.raises(ParameterError, match="frame_hop_s"):
        localise(encoder, small_corpus, small_corpus.clips, ViewSettings(("clean", "hiss"), 1.0, 32000), 0)
