"""fPaSST against numbers of the original code (golden/fpasst.json)."""

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
from contrastive_artifacts.models.backbones.fpasst import FPaSST
from contrastive_artifacts.models.backbones.sed_convert import rename_fpasst
from contrastive_artifacts.models.backbones.spec import load_strict

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "fpasst.npz")
KEYS = json.loads((FOLDER / "fpasst_keys.json").read_text())
SMALL = {768: 48, 3072: 192, 2304: 144}
Signals = Callable[[int], dict[str, Tensor]]


def _small() -> FPaSST:
    shapes = {k.removeprefix("model."): [SMALL.get(n, n) for n in v] for k, v in KEYS.items() if "head" not in k}
    shapes = {k: v for k, v in shapes.items() if not k.startswith("blocks.") or int(k.split(".")[1]) < 2}
    backbone = FPaSST(depth=2, dim=48, heads=4)
    load_strict(backbone, rename_fpasst(seeded_state(shapes)), "seeded")
    return backbone.eval()


def test_network_is_the_published_one(signals: Signals) -> None:
    with torch.no_grad():
        output = _small()(torch.cat(list(signals(16000).values()), dim=1))
    np.testing.assert_allclose(output.spectrogram[0, :, ::3], GOLDEN["spectrogram"], rtol=0, atol=1e-4)
    assert GOLDEN["frames"].std(0).min() > 1e-3  # frames must differ, or the comparison would show nothing
    np.testing.assert_allclose(output.frames[0], GOLDEN["frames"], rtol=0, atol=1e-4)


def test_every_published_key_is_used() -> None:
    state = {k: torch.empty(shape, device="meta") for k, shape in KEYS.items()}
    with torch.device("meta"):
        architecture = FPaSST().state_dict()
    assert {k: v.shape for k, v in rename_fpasst(state).items()} == {k: v.shape for k, v in architecture.items()}


@pytest.mark.parametrize("key", ["model.dist_token", "model.freq_new_pos_embed", "model.blocks.0.norm3.weight"])
def test_keys_that_do_not_fit_are_named(key: str, tmp_path: Path) -> None:
    """Half of a sum is not silently left out."""
    path = tmp_path / "fpasst_strong_1.pt"
    torch.save({key: torch.zeros(1, 1, 768)}, path)
    with pytest.raises(WeightsError, match=key.removeprefix("model.")):
        backbones.create("fpasst_strong", path)


@pytest.mark.parametrize(("samples", "frames"), [(640, 1), (16000, 25), (160000, 250), (160000 + 481, 251)])
def test_a_frame_is_forty_milliseconds(samples: int, frames: int) -> None:
    with torch.no_grad():
        assert FPaSST(1, 8, 1)(torch.zeros(1, samples)).frames.shape == (1, frames, 8)


def test_a_token_sees_its_own_columns_and_the_next() -> None:
    """Without the transformer: frame 40 reaches columns 9 to 11 through the stem, and from each the token before."""
    torch.manual_seed(0)
    network = FPaSST(depth=1, dim=8, heads=1).network
    network.transformer.blocks = torch.nn.ModuleList()
    spectrogram = torch.randn(1, 128, 100)
    changed = spectrogram.clone()
    changed[..., 40] += 1
    with torch.no_grad():
        moved = (network(spectrogram)[0] - network(changed)[0]).abs().amax((0, 2)) > 0
    assert moved.nonzero().flatten().tolist() == [8, 9, 10, 11]
