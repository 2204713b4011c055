"""AST against the transformers library: its model and its feature extractor on the same file, at a small size."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from seeded import seeded_state
from torch import Tensor

from contrastive_artifacts.core import torchaudio as _torchaudio
from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones.spec import load_strict
from contrastive_artifacts.models.backbones.spectrogram_transformer import AST
from contrastive_artifacts.models.backbones.spectrogram_transformer_convert import convert, rename

KEYS = json.loads((Path(__file__).parent / "golden" / "ast_keys.json").read_text())
SMALL = {"depth": 2, "dim": 48, "heads": 4}
FRAMES = 98  # of one second
ROWS = {10: 12, 16: 8}
Signals = Callable[[int], dict[str, Tensor]]


def _published(folder: Path, stride: int) -> Path:
    """A folder as on Hugging Face, with seeded weights of two blocks under the published keys."""
    sizes = {768: 48, 3072: 192, 527: 5, 1214: 2 + ROWS[stride] * ((FRAMES - 16) // stride + 1)}
    shapes = {k: [sizes.get(n, n) for n in shape] for k, shape in KEYS.items()}
    remaining = {k: v for k, v in shapes.items() if ".layer." not in k or int(k.split(".")[3]) < 2}
    config = {
        "model_type": "audio-spectrogram-transformer", "hidden_size": 48, "num_hidden_layers": 2, "max_length": FRAMES,
        "num_attention_heads": 4, "intermediate_size": 192, "frequency_stride": stride, "time_stride": stride,
        "id2label": {str(i): str(i) for i in range(5)},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    save_file(seeded_state(remaining), folder / "model.safetensors", metadata={"format": "pt"})
    return folder / "model.safetensors"


def _transformers() -> Any:
    _torchaudio.load()  # before transformers imports it
    return pytest.importorskip("transformers")


@pytest.mark.parametrize("stride", [10, 16])
def test_vectors_are_those_of_the_published_extractor_and_model(stride: int, tmp_path: Path, signals: Signals) -> None:
    library = _transformers()
    path = _published(tmp_path, stride)
    waveform = torch.cat(list(signals(16000).values()))
    theirs = library.ASTForAudioClassification.from_pretrained(tmp_path).eval()
    extractor = library.ASTFeatureExtractor(max_length=FRAMES)
    values = extractor([w.numpy() for w in waveform], sampling_rate=16000, return_tensors="pt").input_values

    content = convert(path, rows=ROWS[stride])
    ours = AST(length=FRAMES, stride=stride, **SMALL).eval()
    load_strict(ours, content.backbone, str(path))
    head = torch.nn.Sequential(torch.nn.LayerNorm(48, eps=1e-12), torch.nn.Linear(48, 5))
    load_strict(head, content.head, "head")
    with torch.no_grad():
        expected = theirs.audio_spectrogram_transformer(values)
        output = ours(waveform)
        assert output.summary is not None
        patches = expected.last_hidden_state[:, 2:].unflatten(1, (ROWS[stride], -1)).mean(1)
        assert expected.pooler_output.std(0).min() > 1e-3  # or the comparison would show nothing
        torch.testing.assert_close(output.spectrogram.transpose(1, 2), values, rtol=0, atol=1e-4)
        torch.testing.assert_close(output.frames, patches, rtol=0, atol=1e-4)
        torch.testing.assert_close(output.summary, expected.pooler_output, rtol=0, atol=1e-4)
        torch.testing.assert_close(head(output.summary), theirs(values).logits, rtol=0, atol=1e-4)


def test_short_input_is_the_published_network_with_fewer_positions(tmp_path: Path, signals: Signals) -> None:
    library = _transformers()
    path = _published(tmp_path, 10)
    ours = AST(length=FRAMES, **SMALL).eval()
    load_strict(ours, convert(path, rows=12).backbone, str(path))
    waveform = signals(16000)["chirp"][:, :8400]  # 51 frames, 4 columns of patches
    theirs = library.ASTForAudioClassification.from_pretrained(tmp_path).audio_spectrogram_transformer.eval()
    embeddings = theirs.embeddings
    positions = embeddings.position_embeddings[:, 2:].unflatten(1, (12, 9))[:, :, :4].flatten(1, 2)
    cut = torch.cat([embeddings.position_embeddings[:, :2], positions], dim=1)
    embeddings.position_embeddings = torch.nn.Parameter(cut)
    with torch.no_grad():
        output = ours(waveform)
        expected = theirs(output.spectrogram.transpose(1, 2))
    assert output.frames.shape[1] == 4
    torch.testing.assert_close(output.summary, expected.pooler_output, rtol=0, atol=1e-4)


def test_every_published_key_is_used() -> None:
    state = {k: torch.empty(shape, device="meta") for k, shape in KEYS.items()}
    backbone, head = rename(state, rows=12)
    with torch.device("meta"):
        architecture = backbones.BACKBONES["ast"].build().state_dict()
        own_head = backbones.BACKBONES["ast"].head().state_dict()
    assert {k: v.shape for k, v in backbone.items()} == {k: v.shape for k, v in architecture.items()}
    assert {k: v.shape for k, v in head.items()} == {k: v.shape for k, v in own_head.items()}


def test_created_from_the_published_file(tmp_path: Path, signals: Signals) -> None:
    path = _published(tmp_path, 10)
    backbone = backbones.create("ast", path, length=FRAMES, **SMALL)
    assert backbone.record["weights"] == "model.safetensors"
    again = backbones.build(json.loads(json.dumps(backbone.record)))
    load_strict(again, backbone.state_dict(), "again")
    with torch.no_grad():
        frames = backbone(signals(16000)["noise"]).frames
        assert torch.equal(frames, again(signals(16000)["noise"]).frames)
    with pytest.raises(WeightsError, match=r"network\.positions\.0"):
        backbones.create("ast_16_16_442", path, length=FRAMES, **SMALL)


@pytest.mark.parametrize("key", ["encoder.layer.1.attention.attention.key.bias", "embeddings.distillation_token"])
def test_missing_and_unknown_keys_are_named(key: str, tmp_path: Path) -> None:
    path = _published(tmp_path, 10)
    state = load_file(path)
    del state["audio_spectrogram_transformer." + key]
    state["audio_spectrogram_transformer.encoder.layer.1.extra.weight"] = torch.zeros(1)
    save_file(state, path)
    with pytest.raises(WeightsError, match=r"missing: .*unexpected: .*extra\.weight") as caught:
        backbones.create("ast", path, length=FRAMES, **SMALL)
    assert ("blocks.1.attention.qkv.bias" if "bias" in key else "network.tokens") in str(caught.value)


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = _published(tmp_path, 10)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        backbones.create("ast", path)
