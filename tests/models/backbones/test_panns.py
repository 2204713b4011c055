"""PANNs against numbers of the original code (golden/panns.json), and their front-end, layout and converter."""

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
from contrastive_artifacts.models.backbones import BACKBONES
from contrastive_artifacts.models.backbones.panns import CHECKPOINTS, PANN
from contrastive_artifacts.models.backbones.panns_convert import fold, rename
from contrastive_artifacts.models.backbones.spec import load_strict

FOLDER = Path(__file__).parent / "golden"
GOLDEN = np.load(FOLDER / "panns.npz")
KEYS = json.loads((FOLDER / "panns_keys.json").read_text())
FRONT_END = ("spectrogram_extractor.", "logmel_extractor.")
# Kernels are that much larger than seeded, so that the input reaches the embedding through all the layers.
GAINS = {"cnn14": 1.3, "cnn14_16k": 1.3, "panns_mobilenetv1": 1.25, "panns_mobilenetv2": 1.3}
SHRINK = 16  # of the golden Cnn14
NAMES = [checkpoint.name for checkpoint in CHECKPOINTS]
Signals = Callable[[int], dict[str, Tensor]]
every = pytest.mark.parametrize("name", NAMES)


def _published(name: str) -> dict[str, Tensor]:
    """Seeded weights under the published keys, without the front-end's matrices."""
    shapes = {k: list(shape) for k, shape in KEYS[name].items() if not k.startswith(FRONT_END)}
    if name.startswith("cnn14"):
        for key, shape in shapes.items():
            if not key.startswith("bn0"):
                shapes[key] = [n // SHRINK if n >= 64 and n != 527 else n for n in shape]
    return {k: v * GAINS[name] if v.ndim == 4 else v for k, v in seeded_state(shapes).items()}


def _backbone(name: str, norm: str = "folded") -> PANN:
    size = {"channels": 64 // SHRINK} if name.startswith("cnn14") else {}
    backbone = BACKBONES[name].build(norm=norm, **size)
    assert isinstance(backbone, PANN)
    renamed, _ = rename(_published(name))
    load_strict(backbone, fold(renamed) if norm == "folded" else renamed, "seeded")
    return backbone.eval()


def _waveforms(signals: Signals, rate: int) -> dict[str, Tensor]:
    sounds = signals(rate)
    # A pure tone leaves bands empty, whose decibels are rounding noise.
    return {**sounds, "chirp": sounds["chirp"] + 0.1 * sounds["noise"]}


@every
def test_network_is_the_published_one(name: str, signals: Signals) -> None:
    backbone, outputs, expected = _backbone(name), [], []
    _, head = rename(_published(name))
    for signal, waveform in _waveforms(signals, backbone.sample_rate).items():
        with torch.no_grad():
            summary = backbone(waveform).summary
        assert summary is not None
        outputs.append(
            torch.cat([summary, torch.nn.functional.linear(summary, head["weight"], head["bias"]).sigmoid()], 1)
        )
        golden = np.concatenate([GOLDEN[f"{name}_{signal}_{part}"] for part in ("embedding", "scores")])
        expected.append(torch.from_numpy(golden)[None])
    assert torch.cat(expected).std(0).mean() > 1e-2  # the signals must differ, or the comparison would show nothing
    torch.testing.assert_close(torch.cat(outputs), torch.cat(expected), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["cnn14", "cnn14_16k"])
def test_spectrogram_is_the_published_one(name: str, signals: Signals) -> None:
    frontend = _backbone(name).frontend
    for signal, waveform in _waveforms(signals, BACKBONES[name].build(norm="folded", channels=1).sample_rate).items():
        spectrogram = frontend(waveform)[0, :, ::4].numpy()
        np.testing.assert_allclose(spectrogram, GOLDEN[f"{name}_{signal}_spectrogram"], atol=1e-3)  # dB


@every
def test_every_published_tensor_has_its_place(name: str) -> None:
    state = {key: torch.empty(shape, device="meta") for key, shape in KEYS[name].items()}
    renamed, head = rename(state)
    checkpoint = BACKBONES[name]
    assert checkpoint.head is not None
    with torch.device("meta"):
        architectures = {"folded": checkpoint.build(norm="folded"), "batch": checkpoint.build(norm="batch")}
        classifier = checkpoint.head()
    pairs = (architectures["folded"], fold(renamed)), (architectures["batch"], renamed), (classifier, head)
    for architecture, tensors in pairs:
        assert {k: v.shape for k, v in architecture.state_dict().items()} == {k: v.shape for k, v in tensors.items()}
    unused = len(state) - len(renamed) - len(head)
    assert unused == sum(key.startswith(FRONT_END) for key in state) == 3


@every
def test_folding_equals_batch_norm_in_evaluation(name: str, signals: Signals) -> None:
    waveform = signals(_backbone(name).sample_rate)["clicks"]
    with torch.no_grad():
        folded, batch = (_backbone(name, norm)(waveform) for norm in ("folded", "batch"))
    torch.testing.assert_close(folded.frames, batch.frames, rtol=1e-4, atol=1e-4)


def test_files_are_read_from_under_model_and_strictly(tmp_path: Path, signals: Signals) -> None:
    name, path = "panns_mobilenetv1", tmp_path / "random.pth"
    state = _published(name)
    torch.save({"model": state, "iteration": 5}, path)
    waveform = signals(32000)["noise"]
    tagger = backbones.create_tagger(name, path)
    with torch.no_grad():
        scores = tagger.scores(waveform)[0, 0].numpy()
        assert torch.equal(tagger.backbone(waveform).frames, _backbone(name)(waveform).frames)
    np.testing.assert_allclose(scores, GOLDEN[f"{name}_noise_scores"], atol=1e-4)
    for changed, problem in (
        ({k: v for k, v in state.items() if k != "features.3.5.running_var"}, r"blocks\.3\.1\.norm"),
        ({**state, "features.14.0.weight": torch.zeros(1)}, r"blocks\.14|features\.14"),
        ({**state, "bn0.weight": torch.zeros(32)}, r"bn0\.weight"),
        ({k: v for k, v in state.items() if k != "bn0.bias"}, r"bn0\.bias"),
        ({"module": {}}, "no state dict"),
    ):
        torch.save({"model": changed}, path)
        with pytest.raises(WeightsError, match=problem):
            backbones.create(name, path)


def test_a_frame_hears_its_own_time() -> None:
    """Gradients of one frame centre where the contract says the frame lies."""
    backbone = _backbone("cnn14")
    waveform = (0.05 * torch.randn(1, 6 * 32000, generator=torch.Generator().manual_seed(3))).requires_grad_()
    backbone(waveform).frames[0, 9].square().sum().backward()
    assert waveform.grad is not None
    energy = waveform.grad[0].square()
    centre = float((energy * torch.arange(len(energy))).sum() / energy.sum()) / 32000
    assert centre == pytest.approx(backbone.offset_s + 9 * backbone.hop_s + backbone.window_s / 2, abs=0.1)


def test_front_end_is_in_decibels_with_equal_area_filters() -> None:
    """Ten times the amplitude is 20 dB; white noise is as loud in every band; silence is the floor."""
    frontend = BACKBONES["cnn14"].build(norm="folded", channels=1).frontend
    noise = 0.01 * torch.randn(1, 320000, generator=torch.Generator().manual_seed(4))
    quiet, loud = frontend(noise), frontend(10 * noise)
    torch.testing.assert_close(loud, quiet + 20, rtol=0, atol=1e-3)
    power = (10 ** (quiet / 10)).mean(2)[0]
    assert float(power.max() / power.min()) < 1.25
    assert torch.equal(frontend(torch.zeros(1, 32000)), torch.full((1, 64, 101), -100.0))
