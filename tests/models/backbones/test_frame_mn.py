"""The frame-level MobileNets against numbers of the original code (golden/frame_mn.json)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from seeded import seeded_state
from torch import Tensor

from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones.efficientat import InvertedResidual
from contrastive_artifacts.models.backbones.frame_mn import FrameMN
from contrastive_artifacts.models.backbones.sed_convert import rename_frame_mn

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "frame_mn.npz")
KEYS = json.loads((FOLDER / "frame_mn_keys.json").read_text())  # of frame_mn06
PREFIX = "model.frame_mn."
Signals = Callable[[int], dict[str, Tensor]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Seeded weights under the published keys, kernels large enough for the signal to arrive at the top."""
    state = seeded_state({k.removeprefix(PREFIX): shape for k, shape in KEYS.items()})
    state = {k: 1.3 * v if v.ndim == 4 else v for k, v in state.items()}
    path = tmp_path / "frame_mn06_strong_1.pt"
    torch.save({k if "head" in k else PREFIX + k: v for k, v in state.items()}, path)
    return path


def test_file_gives_the_published_network(file: Path, signals: Signals) -> None:
    tagger = backbones.create_tagger("frame_mn06", file)
    waveform = torch.cat(list(signals(16000).values()), dim=1)
    with torch.no_grad():
        output = tagger.backbone(waveform)
        assert tagger.scores(waveform).shape == (1, 75, 447)
    np.testing.assert_allclose(output.spectrogram[0, :, ::3], GOLDEN["spectrogram"], rtol=0, atol=1e-4)
    assert GOLDEN["frames"].std(0).mean() > 1e-2  # frames must differ, or the comparison would show nothing
    np.testing.assert_allclose(output.frames[0, :, ::8], GOLDEN["frames"], rtol=0, atol=1e-4)


def test_every_published_key_is_used() -> None:
    state = {k: torch.empty(shape, device="meta") for k, shape in KEYS.items()}
    with torch.device("meta"):
        architecture = FrameMN(0.6, "batch").state_dict()
    assert {k: v.shape for k, v in rename_frame_mn(state).items()} == {k: v.shape for k, v in architecture.items()}


def test_keys_that_do_not_fit_are_named(file: Path) -> None:
    state = torch.load(file, weights_only=True)
    state[f"{PREFIX}features.17.0.weight"] = torch.zeros(1)
    torch.save(state, file)
    with pytest.raises(WeightsError, match=r"features\.17"):
        backbones.create("frame_mn06", file)


def test_shortcuts_are_where_size_and_channels_stay() -> None:
    blocks = [block for block in FrameMN(1.0, "folded").blocks if isinstance(block, InvertedResidual)]
    assert [i for i, block in enumerate(blocks) if block.residual] == [0, 4, 8, 9, 11, 13]


@pytest.mark.parametrize(("samples", "frames"), [(640, 1), (16000, 25), (160000, 250), (320000, 500)])
def test_a_frame_is_forty_milliseconds(samples: int, frames: int) -> None:
    with torch.no_grad():
        assert FrameMN(0.1, "folded")(torch.zeros(1, samples)).frames.shape[:2] == (1, frames)
