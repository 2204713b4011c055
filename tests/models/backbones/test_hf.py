"""Audio encoders of the transformers library against that library, from tiny models saved by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import Backbone, huggingface
from contrastive_artifacts.models.backbones.spec import load_strict
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings

WAVEFORM: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
WHISPER = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_source_positions": 50,
    "vocab_size": 20,
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1),
}
AST = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128, "max_length": 98}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "wav2vec2": ("Wav2Vec2", WAVEFORM),
    "wav2vec2-stable": ("Wav2Vec2", {**WAVEFORM, "do_stable_layer_norm": True, "feat_extract_norm": "layer"}),
    "hubert": ("Hubert", WAVEFORM),
    "wavlm": ("WavLM", WAVEFORM),
    "unispeech": ("UniSpeech", WAVEFORM),
    "unispeech-sat": ("UniSpeechSat", WAVEFORM),
    "data2vec-audio": ("Data2VecAudio", {**WAVEFORM, "conv_pos_kernel_size": 5, "num_conv_pos_embeddings": 2}),
    "whisper": ("Whisper", WHISPER),
    "ast": ("AST", AST),
}
RAW = [name for name in MODELS if name not in ("whisper", "ast")]
RATE = 16000
Signals = Callable[[int], dict[str, Tensor]]
every = pytest.mark.parametrize("name", MODELS)


def _saved(name: str, folder: Path, seed: int = 0) -> Any:
    """The library's model, saved into ``folder``."""
    library = huggingface.transformers()
    kind, sizes = MODELS[name]
    torch.manual_seed(seed)
    model = getattr(library, f"{kind}Model")(getattr(library, f"{kind}Config")(**sizes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # some start at zero
            parameter += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    return model


def _batch(signals: Signals) -> Tensor:
    return torch.cat(list(signals(RATE).values()))


def _frames(backbone: Backbone, waveform: Tensor) -> Tensor:
    with torch.no_grad():
        return backbone(waveform).frames


@pytest.mark.parametrize("name", RAW)
def test_frames_on_waveforms_are_the_librarys(name: str, tmp_path: Path, signals: Signals) -> None:
    model = _saved(name, tmp_path)
    extractor = huggingface.transformers().Wav2Vec2FeatureExtractor(do_normalize=name != "hubert")
    extractor.save_pretrained(tmp_path)
    inputs = extractor(list(_batch(signals).numpy()), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        expected = model(inputs["input_values"]).last_hidden_state
    assert expected.std(0).mean() > 0.01  # the signals must differ, or the comparison would show nothing
    torch.testing.assert_close(_frames(backbones.create("hf", tmp_path), _batch(signals)), expected, rtol=0, atol=1e-5)


def test_whisper_is_the_librarys_and_takes_any_length(tmp_path: Path, signals: Signals) -> None:
    model = _saved("whisper", tmp_path)
    extractor = huggingface.transformers().WhisperFeatureExtractor(chunk_length=1)
    batch = _batch(signals)
    inputs = extractor(list(batch.numpy()), sampling_rate=RATE, return_tensors="pt")["input_features"]
    backbone = backbones.create("hf", tmp_path)
    torch.testing.assert_close(backbone.frontend(batch), inputs, rtol=0, atol=1e-4)
    with torch.no_grad():
        expected = model.encoder(inputs).last_hidden_state
    torch.testing.assert_close(_frames(backbone, batch), expected, rtol=0, atol=1e-4)
    assert _frames(backbone, batch[:, : RATE // 2]).shape[1] == 25
    assert _frames(backbone, torch.cat([batch, batch[:, :8000]], 1)).shape[1] == 75  # two windows


def test_ast_is_the_librarys(tmp_path: Path, signals: Signals) -> None:
    model = _saved("ast", tmp_path)
    extractor = huggingface.transformers().ASTFeatureExtractor(max_length=98, mean=-4.0, std=3.0)
    extractor.save_pretrained(tmp_path)
    inputs = extractor(list(_batch(signals).numpy()), sampling_rate=RATE, return_tensors="pt")["input_values"]
    backbone = backbones.create("hf", tmp_path)
    with torch.no_grad():
        expected = model(inputs)
        output = backbone(_batch(signals))
    assert output.summary is not None
    torch.testing.assert_close(output.summary, expected.pooler_output, rtol=0, atol=1e-4)
    over_frequency = expected.last_hidden_state[:, 2:].unflatten(1, (12, 9)).mean(1)
    torch.testing.assert_close(output.frames, over_frequency, rtol=0, atol=1e-4)


@every
def test_rows_modes_gradients_and_stages(name: str, tmp_path: Path, signals: Signals) -> None:
    _saved(name, tmp_path)
    backbone, batch = backbones.create("hf", tmp_path), _batch(signals)
    frames = _frames(backbone, batch)
    torch.testing.assert_close(frames[1:2], _frames(backbone, batch[1:2]), rtol=0, atol=1e-5)
    torch.testing.assert_close(frames, _frames(backbone.train(), batch), rtol=0, atol=0)  # nothing is masked or dropped
    assert _frames(backbone, torch.zeros(1, 5)).isfinite().all()
    backbone(batch).frames.square().sum().backward()
    assert [k for k, p in backbone.named_parameters() if p.grad is None or not p.grad.any()] == []
    staged = [id(p) for stage in backbone.layer_groups() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for p in backbone.parameters())


@every
def test_saved_encoder_needs_neither_hub_nor_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: Signals
) -> None:
    _saved(name, tmp_path / "model")
    backbone = backbones.create("hf", id=str(tmp_path / "model"))
    Encoder(backbone, EncoderSettings(("clean", "hiss"), 1.0, 8, 4)).save(tmp_path / "encoder")
    (tmp_path / "model").rename(tmp_path / "gone")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    frames = _frames(backbone, _batch(signals))
    assert torch.equal(_frames(Encoder.load(tmp_path / "encoder").backbone, _batch(signals)), frames)
    assert torch.equal(_frames(backbones.create("hf", tmp_path / "encoder"), _batch(signals)), frames)


def test_two_checkpoints_differ_and_none_takes_the_sizes_only(tmp_path: Path, signals: Signals) -> None:
    for seed in (0, 1):
        _saved("wav2vec2", tmp_path / str(seed), seed)
    created = [
        backbones.create("hf", tmp_path / "0"),
        backbones.create("hf", tmp_path / "1"),
        backbones.create("hf", "none", id=str(tmp_path / "0")),
    ]
    first, second, scratch = (_frames(backbone, _batch(signals)) for backbone in created)
    assert first.shape == scratch.shape
    assert (first - second).abs().mean() > 0.1
    assert (first - scratch).abs().mean() > 0.1
    assert created[2].record["weights"] == "none"


@pytest.mark.parametrize("layout", ["bin", "shards", "legacy", "with heads"])
def test_all_layouts_of_files_are_read(layout: str, tmp_path: Path, signals: Signals) -> None:
    _saved("wavlm", tmp_path)
    frames = _frames(backbones.create("hf", tmp_path), _batch(signals))
    path = tmp_path / "model.safetensors"
    state = load_file(path)
    path.unlink()
    norm = "encoder.pos_conv_embed.conv."
    if layout == "bin":
        torch.save(state, tmp_path / "pytorch_model.bin")
    elif layout == "shards":
        halves = {"a.safetensors": sorted(state)[::2], "b.safetensors": sorted(state)[1::2]}
        for file, keys in halves.items():
            save_file({k: state[k] for k in keys}, tmp_path / file)
        index = {"weight_map": {k: file for file, keys in halves.items() for k in keys}}
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    elif layout == "legacy":
        modern = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
        renamed = {k: modern.get(k.removeprefix(norm), k.removeprefix(norm)) for k in state if k.startswith(norm)}
        save_file({norm + renamed[k] if k in renamed else k: v for k, v in state.items()}, path)
    else:
        save_file({f"wavlm.{k}": v for k, v in state.items()} | {"lm_head.weight": torch.zeros(2)}, path)
    assert torch.equal(_frames(backbones.create("hf", tmp_path), _batch(signals)), frames)


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    _saved("hubert", tmp_path)
    path, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    state, plain = load_file(path), json.loads(config.read_text())
    key = "encoder.layers.1.final_layer_norm.bias"
    save_file({k: v for k, v in state.items() if k != key}, path)
    with pytest.raises(WeightsError, match=r"missing: network\.encoder\.layers\.1\.final_layer_norm\.bias"):
        backbones.create("hf", tmp_path)
    path.write_bytes(b"not tensors")
    with pytest.raises(WeightsError, match="safetensors"):
        backbones.create("hf", tmp_path)
    path.unlink()
    with pytest.raises(WeightsError, match="holds no weights"):
        backbones.create("hf", tmp_path)
    config.write_text(json.dumps({**plain, "hidden_size": "wide"}))
    with pytest.raises(WeightsError, match="hidden_size"):
        backbones.create("hf", "none", id=str(tmp_path))
    config.write_text("[1]")
    with pytest.raises(WeightsError, match=r"config\.json"):
        backbones.create("hf", tmp_path)
    for weights in (tmp_path / "nowhere", "auto"):
        with pytest.raises(WeightsError, match=r"config\.json|backbone\.id"):
            backbones.create("hf", weights)


def test_code_of_a_repository_is_never_run(tmp_path: Path) -> None:
    _saved("wav2vec2", tmp_path)
    trace = tmp_path / "trace"
    (tmp_path / "modeling_evil.py").write_text(f"open({str(trace)!r}, 'w').write('ran')\n")
    config = json.loads((tmp_path / "config.json").read_text())
    remote = {**config, "auto_map": {"AutoModel": "modeling_evil.Model", "AutoConfig": "modeling_evil.Config"}}
    # Kernels for attention can be named as a repository on the hub, too, whose code would be run.
    (tmp_path / "config.json").write_text(json.dumps(remote | {"attn_implementation": "evil/kernel"}))
    assert "auto_map" not in backbones.create("hf", tmp_path).record["options"]["config"]
    (tmp_path / "config.json").write_text(json.dumps({**remote, "model_type": "evil"}))
    with pytest.raises(WeightsError, match="never runs"):
        backbones.create("hf", tmp_path)
    assert not trace.exists()


def test_offline_error_names_address_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        WeightsError, match=r"huggingface\.co/facebook/wav2vec2-base/resolve/abc/config\.json"
    ) as caught:
        backbones.create("hf", cache=tmp_path, id="facebook/wav2vec2-base", revision="abc")
    assert str(tmp_path) in str(caught.value)


def test_other_rates_and_unusual_asts_are_refused() -> None:
    for record in (
        {"config": {"model_type": "wav2vec2", **WAVEFORM}, "preprocessor": {"sampling_rate": 8000}},
        {"config": {"model_type": "audio-spectrogram-transformer", **AST, "intermediate_size": 40}},
    ):
        with pytest.raises(WeightsError, match="known here"):
            backbones.build({"backbone": "hf", "options": record})
    small = backbones.build({"backbone": "hf", "options": {"config": {"model_type": "wav2vec2", **WAVEFORM}}})
    with pytest.raises(ParameterError, match="floating-point"):
        small(torch.zeros(1, RATE, dtype=torch.int16))


def test_load_strict_compares_the_whole_model(tmp_path: Path) -> None:
    _saved("whisper", tmp_path)
    backbone = backbones.create("hf", tmp_path)
    assert not any("decoder" in key for key in backbone.state_dict())
    assert "network.embed_positions.weight" not in dict(backbone.named_parameters())  # published as constants
    with pytest.raises(WeightsError, match="embed_positions"):
        load_strict(backbone, {k: v for k, v in backbone.state_dict().items() if "embed" not in k}, "cut")
