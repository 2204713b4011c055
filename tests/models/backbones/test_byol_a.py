"""BYOL-A: the layers of the paper, written out once more; its front-end; and files that only the user may fetch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from seeded import seeded_state
from torch import Tensor
from torch.nn import functional as F

from contrastive_artifacts.core import download
from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES
from contrastive_artifacts.models.backbones.byol_a import BYOLA, MEAN, STD
from contrastive_artifacts.models.backbones.byol_a_convert import BATCH_NORM_EPS, rename
from contrastive_artifacts.models.backbones.layers import fold_batch_norm
from contrastive_artifacts.models.backbones.spec import load_strict

Signals = Callable[[int], dict[str, Tensor]]
STATISTICS = ("weight", "bias", "running_mean", "running_var")


def _file(channels: int = 64, hidden: int = 2048) -> dict[str, Tensor]:
    """Seeded weights in the order of the layers; which names the layers have must not matter."""
    shapes: dict[str, tuple[int, ...]] = {}
    for index, inputs in enumerate((1, channels)):
        shapes |= {f"conv{index}.weight": (channels, inputs, 3, 3), f"conv{index}.bias": (channels,)}
        shapes |= {f"bn{index}.{name}": (channels,) for name in STATISTICS}
        shapes |= {f"bn{index}.num_batches_tracked": ()}
    for index, inputs in enumerate((16 * channels, hidden)):
        shapes |= {f"fc{index}.weight": (hidden, inputs), f"fc{index}.bias": (hidden,)}
    return {k: 2 * v if v.ndim > 1 else v for k, v in seeded_state(shapes).items()}


def _paper(state: dict[str, Tensor], spectrogram: Tensor) -> Tensor:
    """Frames [B, N, D] by the paper's table of layers, norms not folded."""
    x = spectrogram[:, None]
    for index in range(2):
        x = F.conv2d(x, state[f"conv{index}.weight"], state[f"conv{index}.bias"], padding=1)
        gamma, beta, mean, variance = (state[f"bn{index}.{name}"] for name in STATISTICS)
        x = F.max_pool2d(F.batch_norm(x, mean, variance, gamma, beta).relu(), 2)
    local = torch.stack([torch.cat([x[:, :, band, n] for band in range(16)], 1) for n in range(x.shape[3])], 1)
    hidden = F.linear(local, state["fc0.weight"], state["fc0.bias"]).relu()
    return torch.cat([local, F.linear(hidden, state["fc1.weight"], state["fc1.bias"]).relu()], 2)


@pytest.mark.parametrize("norm", ["folded", "batch"])
def test_network_is_that_of_the_paper(norm: str, signals: Signals) -> None:
    state = _file(8, 48)
    backbone = BYOLA(norm, channels=8, hidden=48)  # type: ignore[arg-type]
    renamed = rename(state)
    steps = {f"blocks.{block}.0.norm.num_batches_tracked": torch.tensor(1) for block in (0, 1)}
    load_strict(backbone, fold_batch_norm(renamed, BATCH_NORM_EPS) if norm == "folded" else renamed | steps, "seeded")
    waveform = torch.cat(list(signals(16000).values()))
    with torch.no_grad():
        features = backbone.eval()(waveform)
        expected = _paper(state, features.spectrogram)
    assert expected.std(0).mean() > 1e-2
    torch.testing.assert_close(features.frames, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(features.summary, expected.mean(1) + expected.amax(1), rtol=1e-4, atol=1e-4)


def test_published_sizes() -> None:
    with torch.device("meta"):
        backbone = BYOLA("folded")
    assert (backbone.dim, backbone.hop_s) == (3072, 0.04)
    assert (
        sum(value.numel() for key, value in _file().items() if "running" not in key and "tracked" not in key)
        == (BACKBONES["byol_a"].published["parameters"])
    )


def test_a_file_of_the_user_is_read_strictly(tmp_path: Path, signals: Signals) -> None:
    path, state = tmp_path / "mine.pth", _file()
    torch.save(state, path)
    waveform = signals(16000)["clicks"]
    backbone = backbones.create("byol_a", path, mean=-7.0, std=4.0)
    assert backbone.record["licence"] == "LicenseRef-NTT-evaluation"
    assert backbone.record["options"] == {"norm": "folded", "mean": -7.0, "std": 4.0}
    with torch.no_grad():
        features = backbone(waveform)
        torch.testing.assert_close(features.frames, _paper(state, features.spectrogram), rtol=1e-3, atol=1e-3)
    for changed in (
        {k: v for k, v in state.items() if k != "bn1.running_var"},
        {**state, "projector.weight": torch.zeros(4, 4)},
        {**state, "fc1.weight": torch.zeros(2048, 1024)},
        dict(reversed(state.items())),
    ):
        torch.save(changed, path)
        with pytest.raises(WeightsError, match="do not fit"):
            backbones.create("byol_a", path)


def test_weights_are_not_fetched_for_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "fetch", lambda *_: pytest.fail("downloaded without consent"))
    source = BACKBONES["byol_a"].sources[0]
    with pytest.raises(WeightsError) as caught:
        backbones.create("byol_a", "auto", cache=tmp_path)
    for part in ("LicenseRef-NTT-evaluation", "accept", str(source.terms), source.url, source.filename, str(tmp_path)):
        assert part in str(caught.value)
    torch.save(_file(), tmp_path / source.filename)  # once the user has put it there
    assert backbones.create("byol_a", "auto", cache=tmp_path).record["weights"] == source.filename


def test_statistics_of_a_data_set_normalise_it(signals: Signals) -> None:
    waveform = torch.cat(list(signals(16000).values()))
    mean, std = BYOLA("folded", 0.0, 1.0, 2, 2).frontend.statistics(waveform)
    normalised = BYOLA("folded", mean, std, 2, 2).frontend(waveform)
    assert float(normalised.mean()) == pytest.approx(0, abs=1e-4)
    assert float(normalised.std()) == pytest.approx(1, abs=1e-4)
    raw = BYOLA("folded", 0.0, 1.0, 2, 2).frontend(waveform)
    torch.testing.assert_close(BYOLA("folded", channels=2, hidden=2).frontend(waveform), (raw - MEAN) / STD)
    torch.testing.assert_close(
        BYOLA("folded", 0.0, 1.0, 2, 2).frontend(10 * waveform)[0], raw[0] + 2 * 2.302585, rtol=0, atol=1e-3
    )
    with pytest.raises(ParameterError, match="std"):
        BYOLA("folded", 0.0, 0.0)
