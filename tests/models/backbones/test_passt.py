"""PaSST against numbers of the original code (golden/passt.json), and what its training options and windows do."""

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
from contrastive_artifacts.models.backbones.passt import PaSST
from contrastive_artifacts.models.backbones.passt_convert import UNUSED, rename
from contrastive_artifacts.models.backbones.spec import load_strict

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "passt.npz")
KEYS = json.loads((FOLDER / "passt_keys.json").read_text())
SMALL = {768: 48, 3072: 192, 2304: 144, 527: 5}
Signals = Callable[[int], dict[str, Tensor]]


def _small(stride: int = 10) -> dict[str, Tensor]:
    """Seeded weights of two blocks under the published keys."""
    shapes = {k: [SMALL.get(n, n) for n in shape] for k, shape in KEYS.items()}
    shapes["freq_new_pos_embed"][2] = 128 // stride
    shapes["time_new_pos_embed"][3] = 998 // stride
    return seeded_state({k: v for k, v in shapes.items() if not k.startswith("blocks.") or int(k.split(".")[1]) < 2})


def _backbone(stride: int = 10, **options: int) -> PaSST:
    backbone = PaSST(stride=stride, depth=2, dim=48, heads=4, **options)
    load_strict(backbone, rename(_small(stride))[0], "seeded")
    return backbone.eval()


@pytest.mark.parametrize("stride", [10, 12])
def test_network_is_the_published_one(stride: int, signals: Signals) -> None:
    waveform = torch.cat(list(signals(32000).values()))
    head = torch.nn.Sequential(torch.nn.LayerNorm(48), torch.nn.Linear(48, 5))
    load_strict(head, rename(_small(stride))[1], "seeded head")
    with torch.no_grad():
        output = _backbone(stride)(waveform)
        assert output.summary is not None
        logits = head(output.summary)
    for ours, name in ((output.frames, "frames"), (output.summary, "summary"), (logits, "logits")):
        expected = torch.from_numpy(GOLDEN[f"{name}_{stride}"])
        assert expected.std(0).min() > 1e-3  # the signals must differ, or the comparison would show nothing
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4)


def test_spectrogram_is_the_published_one(signals: Signals) -> None:
    waveform = torch.cat(list(signals(32000).values()))
    ours = PaSST(depth=1, dim=8, heads=1).frontend(waveform)[:, ::4]
    expected = torch.from_numpy(GOLDEN["spectrogram"])
    # Where next to nothing is left of a tone, float32 spectra differ in the last places, and the logarithm shows it.
    assert (ours - expected).abs().max() < 1e-3
    assert (ours - expected).abs().mean() < 1e-5


def test_every_published_key_is_used_or_known_to_be_unused() -> None:
    state = {k: torch.empty(shape, device="meta") for k, shape in KEYS.items()}
    backbone, head = rename(state)
    with torch.device("meta"):
        architecture = backbones.BACKBONES["passt_s_kd_p16_128_ap486"].build().state_dict()
    assert {k: v.shape for k, v in backbone.items()} == {k: v.shape for k, v in architecture.items()}
    assert {k: tuple(v.shape) for k, v in head.items()} == {
        "0.weight": (768,), "0.bias": (768,), "1.weight": (527, 768), "1.bias": (527,)
    }  # fmt: skip
    assert set(UNUSED) < set(KEYS)


@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_keys_that_do_not_fit_are_named(change: str) -> None:
    state = _small()
    if change == "missing":
        del state["dist_token"]
    else:
        state["blocks.1.attn.extra"] = torch.zeros(1)
    with pytest.raises(WeightsError, match=r"network\.tokens" if change == "missing" else r"blocks\.1\.attn\.extra"):
        load_strict(PaSST(depth=2, dim=48, heads=4), rename(state)[0], "changed.pt")


def test_long_input_is_heard_window_by_window_on_one_grid() -> None:
    torch.manual_seed(0)
    backbone = PaSST(length=98, depth=2, dim=48, heads=4).eval()  # 9 columns a window: the next one begins 90 frames on
    waveform = 0.1 * torch.randn(1, 2 * 32000)
    with torch.no_grad():
        output = backbone(waveform)
        spectrogram = output.spectrogram
        first, second = backbone.network(spectrogram[..., :98]), backbone.network(spectrogram[..., 90:188])
        third = backbone.network(spectrogram[..., 180:])
    assert output.frames.shape[1] == (spectrogram.shape[-1] - 16) // 10 + 1 == 9 + 9 + 1
    torch.testing.assert_close(output.frames, torch.cat([first[0], second[0], third[0]], dim=1))
    torch.testing.assert_close(output.summary, (9 * first[1] + 9 * second[1] + third[1]) / 19)


def test_patchout_thins_the_grid_in_training_only() -> None:
    torch.manual_seed(0)
    waveform = 0.1 * torch.randn(2, 32000)
    backbone = PaSST(depth=1, dim=48, heads=4, patchout_t=3, patchout_f=4)
    tokens: list[int] = []
    backbone.network.transformer.register_forward_pre_hook(lambda _, inputs: tokens.append(inputs[0].shape[1]))
    with torch.no_grad():
        trained = [backbone.train()(waveform).frames for _ in range(2)]
        whole = [backbone.eval()(waveform).frames for _ in range(2)]
    assert tokens == [2 + 8 * 6, 2 + 8 * 6, 2 + 12 * 9, 2 + 12 * 9]
    assert trained[0].shape == (2, 6, 48)
    assert not torch.equal(trained[0], trained[1])
    assert torch.equal(whole[0], whole[1])
    few = PaSST(depth=1, dim=48, heads=4, patchout_t=40, patchout_f=4).train()(waveform[:, :6000]).frames
    assert few.shape[1] == 1  # a short clip keeps a column


def test_options_that_make_no_grid_are_refused() -> None:
    for options in ({"patchout_t": -1}, {"stride": 0}, {"stride": 20}, {"length": 10}):
        with pytest.raises(ParameterError):
            PaSST(depth=1, dim=8, heads=1, **options)
