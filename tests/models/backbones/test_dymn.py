"""Dynamic MobileNets against numbers of the original code (golden/dymn.json), and what makes them dynamic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from seeded import seeded_state
from torch import Tensor

from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES
from contrastive_artifacts.models.backbones.dymn import DyMN, DynamicConv, DynamicReLU
from contrastive_artifacts.models.backbones.dymn_convert import fold, rename
from contrastive_artifacts.models.backbones.efficientat import head
from contrastive_artifacts.models.backbones.spec import load_strict

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "dymn.npz")
KEYS: dict[str, list[int]] = json.loads((FOLDER / "dymn_keys.json").read_text())
CONSTANTS = {"lambdas": torch.tensor([1.0, 1.0, 0.5, 0.5]), "init_v": torch.tensor([1.0, 0.0, 0.0, 0.0])}
GAIN = 3.2  # of the dynamic kernels: gates and means over kernels would otherwise attenuate the signal
SEEDED = 0.3  # deviation that seeded_state gives tensors whose first axis is 1
Signals = Callable[[int], dict[str, Tensor]]


def _published() -> dict[str, Tensor]:
    state = seeded_state({k: shape for k, shape in KEYS.items() if k.rpartition(".")[2] not in CONSTANTS})
    for key, value in state.items():
        if key.endswith("_conv.weight") and value.shape[:2] == (1, 1):
            outputs = KEYS[key.replace("_conv.weight", "_norm.weight")][0]
            state[key] = value / SEEDED / (value.shape[-1] / outputs) ** 0.5 * GAIN
    return state | {k: CONSTANTS[k.rpartition(".")[2]] for k in KEYS if k.rpartition(".")[2] in CONSTANTS}


def _backbone(norm: str) -> DyMN:
    renamed, _ = rename(_published())
    backbone = DyMN(0.4, norm)
    load_strict(backbone, fold(renamed) if norm == "folded" else renamed, "seeded")
    return backbone.eval()


@pytest.mark.parametrize("norm", ["folded", "batch"])
def test_network_is_the_published_one(norm: str, signals: Signals) -> None:
    backbone, classifier = _backbone(norm), head(0.4)
    load_strict(classifier, rename(_published())[1], "seeded head")
    expected = torch.from_numpy(np.stack([GOLDEN[f"{name}_frames"] for name in signals(32000)]))
    logits = torch.from_numpy(np.stack([GOLDEN[f"{name}_logits"] for name in signals(32000)]))
    assert expected.std(0).mean() > 1e-3  # the signals must differ, or the comparison would show nothing
    with torch.no_grad():
        frames = backbone(torch.cat(list(signals(32000).values()))).frames
        torch.testing.assert_close(frames, expected, rtol=0, atol=1e-4)
        torch.testing.assert_close(classifier(frames.mean(1)), logits, rtol=0, atol=1e-4)


def test_every_published_tensor_has_its_place() -> None:
    renamed, classifier = rename({key: torch.empty(shape, device="meta") for key, shape in KEYS.items()})
    with torch.device("meta"):
        pairs = (DyMN(0.4, "folded"), fold(renamed)), (DyMN(0.4, "batch"), renamed), (head(0.4), classifier)
    for architecture, state in pairs:
        assert {k: v.shape for k, v in architecture.state_dict().items()} == {k: v.shape for k, v in state.items()}
    unused = len(KEYS) - len(renamed) - len(classifier)
    assert unused == sum(key.rpartition(".")[2] in CONSTANTS for key in KEYS) == 30


def test_files_are_read_strictly(tmp_path: Path, signals: Signals) -> None:
    path, state = tmp_path / "random.pt", _published()
    torch.save(state, path)
    waveform = signals(32000)["chirp"]
    with torch.no_grad():
        scores = backbones.create_tagger("dymn04", path).scores(waveform)[0, 0].numpy()
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-GOLDEN["chirp_logits"])), atol=1e-4)
    for changed, problem in (
        ({k: v for k, v in state.items() if k != "layers.3.depth_norm.running_var"}, r"blocks\.4\.depthwise"),
        ({**state, "layers.15.exp_norm.weight": torch.zeros(1)}, r"blocks\.16|layers\.15"),
        ({**state, "layers.2.proj_conv.weight": torch.zeros(1, 1, 2, 8)}, r"blocks\.3\.project\.kernels"),
        ({**state, "layers.2.proj_norm.bias": torch.zeros(3)}, r"blocks\.3\.project\.norm\.bias"),
        ({**state, "in_c.0.weight": torch.zeros(4, 1, 3, 3)}, r"blocks\.0\.conv\.weight"),
    ):
        torch.save(changed, path)
        with pytest.raises(WeightsError, match=problem):
            backbones.create("dymn04", path)


def test_a_dynamic_convolution_is_the_mean_of_its_kernels_outputs() -> None:
    torch.manual_seed(0)
    for kernel, groups in ((1, 1), (3, 8), (5, 8)):
        conv = DynamicConv(8, 8, kernel, 6, "batch", groups=groups).eval()
        x, context = torch.randn(3, 8, 7, 9), 3 * torch.randn(3, 6)
        shares = conv.attention(context).softmax(-1)
        each = [torch.nn.functional.conv2d(x, k, padding=kernel // 2, groups=groups) for k in conv.kernels]
        expected = (torch.stack(each, 1) * shares[:, :, None, None, None]).sum(1)
        torch.testing.assert_close(conv(x, context), conv.norm(expected), rtol=1e-4, atol=1e-5)
        assert not torch.allclose(conv(x, context), conv(x, -context), atol=1e-2)


def test_a_dynamic_relu_without_a_context_is_a_relu() -> None:
    relu = DynamicReLU(4, 6)
    torch.nn.init.zeros_(relu.lines.bias)
    x = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(relu(x, torch.zeros(2, 6)), x.relu())
    assert not torch.allclose(relu(x, torch.ones(2, 6)), x.relu(), atol=1e-2)


def test_wrong_norm_is_refused() -> None:
    with pytest.raises(ParameterError, match="norm"):
        DynamicConv(4, 4, 1, 4, "layer")  # type: ignore[arg-type]


def test_the_whole_family_is_on_record() -> None:
    names = ("mn01", "mn02", "mn04", "mn05", "mn10", "mn20", "mn30", "mn40", "mn40_ext", "dymn04", "dymn10", "dymn20")
    files = [BACKBONES[name].sources[0].filename for name in names]
    assert len(set(files)) == len(names)
    assert BACKBONES["mn40_ext"].sources[0].filename == "mn40_as_ext_mAP_487.pt"
    assert BACKBONES["mn20"].sources[0].filename == "mn20_as_mAP_478.pt"
