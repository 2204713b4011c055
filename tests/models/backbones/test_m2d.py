"""M2D: layers against modules of PyTorch, the log-mel against nnAudio (golden/m2d.json), conversion of files."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from seeded import seeded_state
from torch import Tensor
from torch.nn import functional as F

from contrastive_artifacts.core import download
from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES
from contrastive_artifacts.models.backbones.m2d import DIM, M2D, sinusoids
from contrastive_artifacts.models.backbones.m2d_convert import options, rename
from contrastive_artifacts.models.backbones.spec import load_strict
from contrastive_artifacts.models.frontends.m2d_mel import M2dMel

GOLDEN = np.load(Path(__file__).parent / "golden" / "m2d.npz")
SMALL = {"depth": 2, "dim": 48, "heads": 4}
EVALUATED = "module.ar.runtime.backbone."  # how files of fine-tuned models name the encoder
NAMES = [checkpoint for checkpoint in BACKBONES.names() if checkpoint.startswith("m2d")]
Signals = Callable[[int], dict[str, Tensor]]


def _file(depth: int = 2, dim: int = 48, columns: int = 6, width: int = 16) -> dict[str, Tensor]:
    """Seeded weights under the keys of a vision transformer."""
    shapes: dict[str, tuple[int, ...]] = {"cls_token": (1, 1, dim), "pos_embed": (1, 1 + 5 * columns, dim)}
    shapes |= {"patch_embed.proj.weight": (dim, 1, 16, width), "patch_embed.proj.bias": (dim,)}
    shapes |= {"norm.weight": (dim,), "norm.bias": (dim,)}
    inner = {"attn.qkv": (3 * dim, dim), "attn.proj": (dim, dim), "mlp.fc1": (4 * dim, dim), "mlp.fc2": (dim, 4 * dim)}
    for block in range(depth):
        for name in ("norm1", "norm2"):
            shapes |= {f"blocks.{block}.{name}.{leaf}": (dim,) for leaf in ("weight", "bias")}
        for name, shape in inner.items():
            shapes |= {f"blocks.{block}.{name}.weight": shape, f"blocks.{block}.{name}.bias": shape[:1]}
    return seeded_state(shapes)


def _paper(state: dict[str, Tensor], spectrogram: Tensor, depth: int = 2, heads: int = 4) -> Tensor:
    """Frames [B, N, 5 D]: token by token, with PyTorch's encoder layers."""
    kernel, dim = state["patch_embed.proj.weight"], state["cls_token"].shape[2]
    width, positions = kernel.shape[3], state["pos_embed"]
    columns, stored = spectrogram.shape[2] // width, (positions.shape[1] - 1) // 5
    tokens = [state["cls_token"][:, 0].expand(len(spectrogram), -1) + positions[:, 0]]
    for row in range(5):
        for column in range(columns):
            patch = spectrogram[:, 16 * row : 16 * (row + 1), width * column : width * (column + 1)].flatten(1)
            token = F.linear(patch, kernel.flatten(1), state["patch_embed.proj.bias"])
            tokens.append(token + positions[:, 1 + row * stored + column])
    x = torch.stack(tokens, 1)
    parts = {"self_attn.out_proj": "attn.proj", "linear1": "mlp.fc1", "linear2": "mlp.fc2", "norm1": "norm1"}
    parts |= {"norm2": "norm2"}
    for block in range(depth):
        layer = torch.nn.TransformerEncoderLayer(dim, heads, 4 * dim, 0.0, F.gelu, 1e-6, True, norm_first=True).eval()
        weights = {
            f"{k}.{leaf}": state[f"blocks.{block}.{v}.{leaf}"] for k, v in parts.items() for leaf in ("weight", "bias")
        }
        weights |= {
            f"self_attn.in_proj_{leaf}": state[f"blocks.{block}.attn.qkv.{leaf}"] for leaf in ("weight", "bias")
        }
        layer.load_state_dict(weights)
        x = layer(x)
    x = F.layer_norm(x, (dim,), state["norm.weight"], state["norm.bias"], 1e-6)
    return torch.stack(
        [torch.cat([x[:, 1 + row * columns + column] for row in range(5)], 1) for column in range(columns)], 1
    )


@pytest.mark.parametrize(("columns", "width"), [(6, 16), (3, 16), (25, 4)])
def test_network_is_that_of_the_papers(columns: int, width: int, signals: Signals) -> None:
    """A second is six patches of 160 ms, or 25 of 40 ms; with room for three it goes through in two windows."""
    state = _file(columns=columns, width=width)
    backbone = M2D(columns * width, width, **SMALL)
    load_strict(backbone, rename(state), "seeded")
    with torch.no_grad():
        output = backbone.eval()(torch.cat(list(signals(16000).values())))
        parts = output.spectrogram[..., : 100 // width * width].split(columns * width, dim=2)
        expected = torch.cat([_paper(state, part) for part in parts], 1)
    assert expected.std(0).mean() > 1e-2
    torch.testing.assert_close(output.frames, expected, rtol=1e-4, atol=1e-4)


def test_front_end_is_that_of_the_readme(signals: Signals) -> None:
    for name, waveform in signals(16000).items():
        raw, normalised = M2dMel(0.0, 1.0)(waveform)[0], M2dMel()(waveform)[0]
        # Single precision in both: rounding errors show far below a pure tone.
        np.testing.assert_allclose(raw[:, ::4], GOLDEN[name], rtol=0, atol=1e-3 if name == "chirp" else 1e-4)
        torch.testing.assert_close(normalised, (raw + 7.1) / 4.2)


def test_every_key_of_a_published_size_is_used() -> None:
    with torch.device("meta"):
        architecture = M2D().state_dict()
    renamed = rename(_file(12, DIM, 38))
    assert {k: v.shape for k, v in renamed.items()} == {k: v.shape for k, v in architecture.items()}


@pytest.mark.parametrize("prefix", ["", EVALUATED, "model.m2d.backbone.", "model.backbone."])
def test_files_of_the_user_are_read_strictly(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES._items, "m2d", replace(BACKBONES["m2d"], build=partial(M2D, **SMALL)))
    path, state = tmp_path / "mine.pth", _file(columns=50, width=4)
    others = {"module.head.norm.running_mean": torch.zeros(3840), "decoder_pred.bias": torch.zeros(3)}
    content = {prefix + k: v for k, v in state.items()} | {f"{prefix}norm_stats": torch.tensor([-6.5, 4.0])} | others
    torch.save({"model": content, "args": argparse.Namespace(seed=0)}, path)
    backbone = backbones.create("m2d", path)
    assert backbone.record["licence"] == "LicenseRef-NTT-evaluation"
    assert backbone.record["options"] == {"length": 200, "width": 4, "mean": -6.5, "std": 4.0}
    assert backbone.hop_s == 0.04
    renamed = rename(state)
    assert all(torch.equal(value, renamed[key]) for key, value in backbone.state_dict().items())
    for changed in (
        {k: v for k, v in content.items() if not k.endswith("pos_embed")},
        {**content, f"{prefix}blocks.2.norm3.weight": torch.zeros(4)},
        {**content, f"{prefix}pos_embed": torch.zeros(1, 250, 48)},
    ):
        torch.save(changed, path)
        with pytest.raises(WeightsError, match="do not fit"):
            backbones.create("m2d", path)


def test_statistics_are_those_of_the_first_files_where_none_are_stated() -> None:
    assert options(_file()) == {"length": 96, "width": 16}
    assert (M2D(16, **SMALL).frontend.mean, M2D(16, **SMALL).frontend.std) == (-7.1, 4.2)


def test_head_of_the_strong_file_hears_every_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(
        BACKBONES["m2d_strong"], build=partial(M2D, **SMALL), head=partial(torch.nn.Linear, 5 * SMALL["dim"], 447)
    )
    monkeypatch.setitem(BACKBONES._items, "m2d_strong", small)
    state = {f"model.m2d.backbone.{k}": v for k, v in _file(columns=62).items()}
    for name, classes in (("strong", 447), ("weak", 447)):
        state |= seeded_state({f"{name}_head.weight": (classes, 240), f"{name}_head.bias": (classes,)})
    path = tmp_path / "M2D_strong_1.pt"
    torch.save(state, path)
    waveform = 0.1 * torch.randn(1, 16000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tagger = backbones.create_tagger("m2d_strong", path)
        expected = F.linear(tagger.backbone(waveform).frames, state["strong_head.weight"], state["strong_head.bias"])
        torch.testing.assert_close(tagger.scores(waveform), expected.sigmoid())


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_not_fetched_for_the_user(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "fetch", lambda *_: pytest.fail("downloaded without consent"))
    source = BACKBONES[name].sources[0]
    with pytest.raises(WeightsError) as caught:
        backbones.create(name, "auto", cache=tmp_path)
    for part in ("LicenseRef-NTT-evaluation", "accept", str(source.terms), source.url, source.filename, str(tmp_path)):
        assert part in str(caught.value)


def test_positions_tell_row_and_column() -> None:
    positions = sinusoids(5, 38, 48)
    for row, column in ((0, 0), (4, 0), (2, 37)):
        rates = [1e4 ** -(k / 12) for k in range(12)]
        expected = [wave(place * rate) for place in (row, column) for wave in (math.sin, math.cos) for rate in rates]
        torch.testing.assert_close(positions[0, :, row, column], torch.tensor(expected), rtol=0, atol=1e-5)
    flat = positions.flatten(2)[0].T
    assert float(torch.cdist(flat, flat).add(torch.eye(len(flat)) * 9).min()) > 0.1


@pytest.mark.parametrize(
    ("samples", "width", "frames"), [(640, 4, 1), (160000, 4, 250), (2560, 16, 1), (97119, 16, 37), (160000, 16, 62)]
)
def test_a_frame_is_as_wide_as_its_patch(samples: int, width: int, frames: int) -> None:
    with torch.no_grad():
        backbone = M2D(608, width, depth=1, dim=8, heads=1)
        assert backbone(torch.zeros(1, samples)).frames.shape == (1, frames, 40)
    assert backbone.hop_s == pytest.approx(0.01 * width)


def test_a_frame_holds_its_own_bands_from_low_to_high() -> None:
    """Without the transformer: a change at 3 kHz is in one fifth of one frame."""
    torch.manual_seed(0)
    network = M2D(96, **SMALL).network
    network.transformer.blocks = torch.nn.ModuleList()
    spectrogram = torch.randn(1, 80, 96)
    changed = spectrogram.clone()
    changed[:, 3 * 16 + 4, 40] += 1
    with torch.no_grad():
        moved = (network(spectrogram)[0] - network(changed)[0])[0].unflatten(1, (5, 48)).abs().amax(2) > 0
    assert moved.nonzero().tolist() == [[2, 3]]


def test_sizes_that_cannot_be_are_refused() -> None:
    for wrong, named in (
        ({"length": 100}, "length=100"),
        ({"width": 1}, "width=1"),
        ({"dim": 42, "heads": 1}, "dim=42"),
    ):
        with pytest.raises(ParameterError, match=named):
            M2D(**wrong)
