"""YAMNet: converters and architecture against a forward pass written from Keras's names, and Google's interpreter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones.yamnet import YAMNet
from contrastive_artifacts.models.backbones.yamnet_convert import rename_h5

GOLDEN = np.load(Path(__file__).parent / "golden" / "yamnet_tflite.npz")  # from ai-edge-litert 2.3, int8
TFLITE = "lite-model_yamnet_classification_tflite_1.tflite"
STRIDED = (1, 3, 5, 7, 13)  # published layers with stride 2
Signals = Callable[[int], dict[str, Tensor]]


def _same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's "same" padding, from its definition."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def _reference(arrays: dict[str, np.ndarray], patches: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings [P, 1024] and logits [P, 521] by walking Keras's names, batch norms not folded."""

    def unit(layer: str, kernel_name: str, x: Tensor, stride: int) -> Tensor:
        kernel = arrays[f"{layer}/{layer}/{kernel_name}:0"]
        depthwise = kernel_name == "depthwise_kernel"
        weight = torch.from_numpy(kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1))
        x = F.conv2d(_same(x, kernel.shape[0], stride), weight, None, stride, groups=x.shape[1] if depthwise else 1)
        parts = (f"{layer}/bn/{layer}/bn/{p}:0" for p in ("moving_mean", "moving_variance", "beta"))
        mean, variance, beta = (torch.from_numpy(arrays[p]) for p in parts)
        return F.batch_norm(x, mean, variance, None, beta, eps=1e-4).relu()

    x = unit("layer1/conv", "kernel", patches.unsqueeze(1), 2)
    for layer in range(2, 15):
        x = unit(f"layer{layer}/depthwise_conv", "depthwise_kernel", x, 2 if layer in STRIDED else 1)
        x = unit(f"layer{layer}/pointwise_conv", "kernel", x, 1)
    embeddings = x.mean((2, 3))
    kernel, bias = (torch.from_numpy(arrays[f"logits/logits/{part}:0"]) for part in ("kernel", "bias"))
    return embeddings, embeddings @ kernel + bias


def test_h5_in_the_published_layout_gives_the_published_network(
    yamnet_arrays: dict[str, np.ndarray], yamnet_h5: Path, signals: Signals
) -> None:
    tagger = backbones.create_tagger("yamnet", yamnet_h5)
    assert tagger.backbone.record["options"]["activation"] == "relu"
    waveform = torch.cat(list(signals(16000).values()))
    with torch.no_grad():
        patches = tagger.backbone.frontend(waveform).flatten(0, 1)
        embeddings, logits = _reference(yamnet_arrays, patches)
        torch.testing.assert_close(tagger.backbone(waveform).frames.flatten(0, 1), embeddings, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(tagger.scores(waveform).flatten(0, 1), logits.sigmoid(), rtol=1e-3, atol=1e-4)
    assert embeddings.std(0).mean() > 0.01


def test_folding_equals_batch_norm_in_evaluation(
    yamnet_arrays: dict[str, np.ndarray], yamnet_h5: Path, signals: Signals
) -> None:
    state = rename_h5(yamnet_arrays)
    batch = YAMNet("batch").eval()
    tracked = {k: v for k, v in batch.state_dict().items() if k.endswith("num_batches_tracked")}
    batch.load_state_dict({k: v for k, v in state.items() if k.startswith("blocks.")} | tracked)
    folded = backbones.create("yamnet", yamnet_h5)
    with torch.no_grad():
        waveform = signals(16000)["noise"]
        torch.testing.assert_close(batch(waveform).frames, folded(waveform).frames, rtol=1e-3, atol=1e-4)


def test_every_h5_key_must_match(yamnet_arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    key = "layer7/pointwise_conv/bn/layer7/pointwise_conv/bn/moving_mean:0"
    changes = {"missing": {}, "unexpected": {key: yamnet_arrays[key], "layer15/conv/layer15/conv/kernel:0": np.ones(3)}}
    for change, extra in changes.items():
        path = tmp_path / f"{change}.h5"
        with h5py.File(path, "w") as file:
            for name, array in ({k: v for k, v in yamnet_arrays.items() if k != key} | extra).items():
                file[name] = array
        with pytest.raises(WeightsError, match="layer15" if change == "unexpected" else r"blocks\.6\.1"):
            backbones.create("yamnet", path)


def test_damaged_files_are_refused(yamnet_h5: Path, tmp_path: Path) -> None:
    pytest.importorskip("tflite")
    noise = b"1234TFL3" + bytes(range(256))
    contents = {"half.h5": yamnet_h5.read_bytes()[:3000], "noise.tflite": noise, "empty.tflite": b""}
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=name):
            backbones.create("yamnet", path)


@pytest.mark.parametrize("name", ["noise", "chirp", "clicks"])
def test_front_end_golden(name: str, signals: Signals) -> None:
    spectrogram = YAMNet("folded").frontend.spectrogram(signals(16000)[name][:, :15600])[0, ::4].numpy()
    np.testing.assert_allclose(spectrogram, GOLDEN[f"{name}_spectrogram"], atol=1e-2)  # that DFT is float32 as well
    assert np.abs(spectrogram - GOLDEN[f"{name}_spectrogram"]).mean() < 1e-3


@pytest.mark.parametrize("name", ["noise", "chirp", "clicks"])
def test_published_weights_golden(dev_weights: Path, name: str, signals: Signals) -> None:
    tagger = backbones.create_tagger("yamnet", dev_weights / "yamnet" / TFLITE)
    waveform = signals(16000)[name][:, :15600]
    with torch.no_grad():
        embedding = tagger.backbone(waveform).frames[0, 0].numpy()
        scores = tagger.scores(waveform)[0, 0].numpy()
    assert np.corrcoef(embedding, GOLDEN[f"{name}_embedding"])[0, 1] > 0.998  # the reference rounds to int8 throughout
    assert np.corrcoef(scores, GOLDEN[f"{name}_scores"])[0, 1] > 0.98
    assert scores.argmax() == GOLDEN[f"{name}_scores"].argmax()


def test_published_weights_agree_with_the_interpreter(dev_weights: Path) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(str(dev_weights / "yamnet" / TFLITE), num_threads=1)
    interpreter.allocate_tensors()
    tagger = backbones.create_tagger("yamnet", dev_weights / "yamnet" / TFLITE)
    rng = np.random.default_rng(3)
    time = np.arange(15600) / 16000
    for hz in rng.uniform(80, 6000, 8):
        harmonics = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 6)) * np.exp(-3 * time)
        waveform = (0.2 * harmonics + rng.normal(0, 0.01, 15600)).astype(np.float32)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], waveform)
        interpreter.invoke()
        expected = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        with torch.no_grad():
            scores = tagger.scores(torch.from_numpy(waveform)[None])[0, 0].numpy()
        assert np.corrcoef(scores, expected)[0, 1] > 0.97
        assert scores[expected.argmax()] > 0.7 * scores.max()
