"""ATST-Frame against numbers of the original code (golden/atst.json)."""

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
from contrastive_artifacts.models.backbones.atst import AtstFrame
from contrastive_artifacts.models.backbones.sed_convert import ATST_UNUSED, classifier, rename_atst
from contrastive_artifacts.models.backbones.spec import load_strict

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "atst.npz")
KEYS = json.loads((FOLDER / "atst_keys.json").read_text())
SMALL = {768: 48, 3072: 192, 2304: 144}
PREFIX = "model.atst."
Signals = Callable[[int], dict[str, Tensor]]


def _small() -> AtstFrame:
    shapes = {k.removeprefix(PREFIX): [SMALL.get(n, n) for n in v] for k, v in KEYS.items() if k.startswith(PREFIX)}
    shapes = {k: v for k, v in shapes.items() if not k.startswith("blocks.") or int(k.split(".")[1]) < 2}
    backbone = AtstFrame(depth=2, dim=48, heads=4)
    load_strict(backbone, rename_atst(seeded_state(shapes)), "seeded")
    return backbone.eval()


def test_network_is_the_published_one(signals: Signals) -> None:
    with torch.no_grad():
        output = _small()(torch.cat(list(signals(16000).values()), dim=1))
    np.testing.assert_allclose(output.spectrogram[0, :, ::3], GOLDEN["spectrogram"], rtol=0, atol=1e-4)
    assert GOLDEN["frames"].std(0).min() > 1e-3  # frames must differ, or the comparison would show nothing
    np.testing.assert_allclose(output.frames[0], GOLDEN["frames"], rtol=0, atol=1e-4)


def test_every_published_key_is_used_or_known_to_be_unused() -> None:
    state = {k: torch.empty(shape, device="meta") for k, shape in KEYS.items()}
    with torch.device("meta"):
        architecture = AtstFrame().state_dict()
    assert {k: v.shape for k, v in rename_atst(state).items()} == {k: v.shape for k, v in architecture.items()}
    names = {k.removeprefix("model.").removeprefix("atst.") for k in KEYS}
    assert set(ATST_UNUSED) < names
    assert set(classifier(state, "strong")) == {"weight", "bias"}
    assert classifier(state, None) == {}


def test_keys_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ATST-F_strong_1.pt"
    torch.save({"model.atst.blocks.0.norm3.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=r"norm3"):
        backbones.create("atst_frame_strong", path)


def test_level_of_a_clip_does_not_depend_on_its_company() -> None:
    """The limit of 80 dB below the peak is that of each clip, not of the batch."""
    frontend = AtstFrame(1, 8, 1).frontend
    loud = torch.randn(1, 16000, generator=torch.Generator().manual_seed(0))
    quiet = torch.nn.functional.pad(1e-4 * loud[:, :8000], (0, 8000))
    together = frontend(torch.cat([loud, quiet]))
    torch.testing.assert_close(together[1:], frontend(quiet))


@pytest.mark.parametrize(("samples", "frames"), [(640, 1), (16000, 25), (160000, 250), (160000 + 640, 251)])
def test_a_frame_is_forty_milliseconds(samples: int, frames: int) -> None:
    with torch.no_grad():
        assert AtstFrame(1, 8, 1)(torch.zeros(1, samples)).frames.shape == (1, frames, 8)
