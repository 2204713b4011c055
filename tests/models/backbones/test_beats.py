"""BEATs against numbers of the original code (golden/beats.json), and what is read from the published files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from seeded import seeded_state
from torch import Tensor

from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones.beats import BEATs, RelativePositions
from contrastive_artifacts.models.backbones.beats_convert import options, rename, strip
from contrastive_artifacts.models.backbones.spec import load_strict

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "beats.npz")
KEYS = json.loads((FOLDER / "beats_keys.json").read_text())  # of a fine-tuned file
SMALL = {768: 48, 3072: 96, 512: 32, 527: 7, 12: 4, 64: 12, 48: 3}
CFG: dict[str, Any] = {
    "input_patch_size": 16,
    "embed_dim": 32,
    "encoder_layers": 2,
    "encoder_embed_dim": 48,
    "encoder_ffn_embed_dim": 96,
    "encoder_attention_heads": 4,
    "relative_position_embedding": True,
    "num_buckets": 320,
    "max_distance": 800,
    "gru_rel_pos": True,
    "deep_norm": True,
    "finetuned_model": True,
    "predictor_class": 7,
}
PLAIN = {**CFG, "gru_rel_pos": False, "deep_norm": False, "num_buckets": 64, "max_distance": 128}
CFGS = {"gated": CFG, "plain": PLAIN}
LAYER = "encoder.layers."
# The golden numbers are of a CPU with AVX-512. Others round the FFT in another way, which shows where the bands of the
# chirp hold nothing but rounding: in double precision these differ from the golden ones by .1.
ROUNDING = 1 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 10
Signals = Callable[[int], dict[str, Tensor]]


def _small(kind: str = "gated") -> dict[str, Tensor]:
    """Seeded weights of two layers under the published keys."""
    shapes = {k: [SMALL.get(n, n) for n in shape] for k, shape in KEYS.items()}
    shapes = {k: v for k, v in shapes.items() if not k.startswith(LAYER) or int(k.split(".")[2]) < 2}
    if kind == "plain":
        shapes = {k: v for k, v in shapes.items() if "grep" not in k}
    shared = "self_attn.relative_attention_bias.weight"
    for layer in (0, 1):
        shapes[f"{LAYER}{layer}.{shared}"][0] = CFGS[kind]["num_buckets"]
    state = seeded_state(shapes)
    return {**state, f"{LAYER}1.{shared}": state[f"{LAYER}0.{shared}"]}


def _file(folder: Path, state: dict[str, Tensor], cfg: dict[str, Any]) -> Path:
    path = folder / "BEATs_small.pt"
    torch.save({"cfg": cfg, "model": state, "label_dict": {0: "/m/0"}}, path)
    return path


@pytest.mark.parametrize("kind", CFGS)
def test_file_gives_the_published_network(kind: str, tmp_path: Path, signals: Signals) -> None:
    path = _file(tmp_path, _small(kind), CFGS[kind])
    backbone = backbones.create("beats_iter3_plus_cpt1", path)
    head = torch.nn.Linear(48, 7)
    load_strict(head, rename(_small(kind))[1], "seeded head")
    waveform = torch.cat(list(signals(16000).values()), dim=1)
    with torch.no_grad():
        frames = backbone(waveform).frames[0]
        scores = head(frames.mean(0)).sigmoid()
    expected = torch.from_numpy(GOLDEN[f"{kind}_frames"])
    assert expected.std(0).min() > 1e-3  # frames must differ, or the comparison would show nothing
    torch.testing.assert_close(frames, expected, rtol=0, atol=1e-4 * ROUNDING)
    torch.testing.assert_close(scores, torch.from_numpy(GOLDEN[f"{kind}_scores"]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", CFGS)
def test_distances_fall_into_the_published_buckets(kind: str) -> None:
    cfg = CFGS[kind]
    buckets = RelativePositions(cfg["num_buckets"], cfg["max_distance"], 4).bucket(torch.arange(-600, 601))
    np.testing.assert_array_equal(buckets, GOLDEN[f"{kind}_bucket"])


def test_bias_depends_on_the_distance_alone() -> None:
    bias = RelativePositions(320, 800, 2)(100).detach()
    torch.testing.assert_close(bias[:, 1:, 1:], bias[:, :-1, :-1])
    assert not torch.equal(bias, bias.transpose(1, 2))  # what is ahead and behind has different buckets


def test_spectrogram_is_the_published_one(signals: Signals) -> None:
    waveform = torch.cat(list(signals(16000).values()), dim=1)
    spectrogram = BEATs(1, 16, 1, 16, 16).frontend(waveform)[0, :, ::3]
    torch.testing.assert_close(spectrogram, torch.from_numpy(GOLDEN["spectrogram"]), rtol=0, atol=1e-3 * ROUNDING)
    assert (spectrogram - torch.from_numpy(GOLDEN["spectrogram"])).abs().mean() < 1e-5


@pytest.mark.parametrize("layout", ["authors", "PretrainedSED"])
def test_every_published_key_is_used(layout: str) -> None:
    state = {k: torch.zeros(shape) for k, shape in KEYS.items()}
    if layout == "PretrainedSED":
        names = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
        state = {k: v for k, v in state.items() if not k.startswith("predictor")}
        for old, new in names.items():
            state[f"encoder.pos_conv.0.{new}"] = state.pop(f"encoder.pos_conv.0.{old}")
        state = {f"model.model.{k}": v for k, v in state.items()} | {"strong_head.bias": torch.zeros(447)}
    backbone, head = rename(strip(state))
    with torch.device("meta"):
        architecture = BEATs().state_dict()
    assert {k: v.shape for k, v in backbone.items()} == {k: v.shape for k, v in architecture.items()}
    assert {k: tuple(v.shape) for k, v in head.items()} == (
        {"weight": (527, 768), "bias": (527,)} if layout == "authors" else {}
    )


@pytest.mark.parametrize("change", ["missing", "unexpected", "other positions"])
def test_keys_that_do_not_fit_are_named(change: str, tmp_path: Path) -> None:
    state = _small()
    named = f"{LAYER}1.self_attn.k_proj.weight"
    if change == "missing":
        del state[named]
        named = f"{LAYER}1.self_attn.q_proj.weight"  # two thirds of a layer stay under their names
    elif change == "unexpected":
        named = "mask_emb"
        state[named] = torch.zeros(48)
    else:
        named = f"{LAYER}1.self_attn.relative_attention_bias.weight"
        state[named] = state[named] + 1
    with pytest.raises(WeightsError, match=named):
        backbones.create("beats_iter3", _file(tmp_path, state, CFG))


def test_other_kinds_of_beats_are_refused() -> None:
    with pytest.raises(WeightsError, match="layer_norm_first"):
        options({**CFG, "layer_norm_first": True}, "file.pt")
    assert options({}, "file.pt") == {}  # PretrainedSED's files state nothing: as by default


def test_longer_input_is_cut_into_windows_of_ten_seconds() -> None:
    torch.manual_seed(0)
    backbone = BEATs(1, 16, 1, 16, 16).eval()
    waveform = 0.1 * torch.randn(1, 16000 * 12)
    with torch.no_grad():
        whole = backbone(waveform).frames
        second = backbone(waveform[:, 62 * 16 * 160 :]).frames
    torch.testing.assert_close(whole[:, 62:], second)
