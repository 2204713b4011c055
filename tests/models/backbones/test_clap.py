"""CLAP against the transformers library: its feature extractor and its model, with the same random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from seeded import seeded_state
from torch import Tensor

from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES, clap, huggingface
from contrastive_artifacts.models.backbones.clap import CLAP, repeat_pad
from contrastive_artifacts.models.backbones.clap_convert import rename
from contrastive_artifacts.models.backbones.spec import load_strict
from contrastive_artifacts.models.frontends.clap_mel import N_FFT, ClapMel

KEYS = json.loads((Path(__file__).parent / "golden" / "clap_keys.json").read_text())  # of ClapModel, transformers 5.23
AUDIO = "audio_model."
WIDTH, DEPTHS, HEADS = 8, (1, 1, 2, 1), (2, 2, 4, 4)
RATE = 48000
Signals = Callable[[int], dict[str, Tensor]]


def _published(seed: int = 0) -> dict[str, Tensor]:
    """A small model's tensors under the published keys, with a text side of one number a key."""
    library = huggingface.transformers()
    config = library.ClapAudioConfig(
        patch_embeds_hidden_size=WIDTH, depths=list(DEPTHS), num_attention_heads=list(HEADS), hidden_size=8 * WIDTH
    )
    network = library.ClapAudioModel(config)
    state = {f"{AUDIO}{seed}.{k}": tuple(v.shape) for k, v in network.state_dict().items() if v.is_floating_point()}
    constants = {AUDIO + k: v for k, v in network.state_dict().items() if not v.is_floating_point()}
    tensors = {k.replace(f"{AUDIO}{seed}.", AUDIO, 1): v for k, v in seeded_state(state).items()}
    text = {key: torch.zeros(1) for key in KEYS["unfused"] if not key.startswith(AUDIO)}
    return {**tensors, **constants, **text}


def _backbone(seed: int = 0) -> CLAP:
    backbone = CLAP(WIDTH, DEPTHS, HEADS)
    load_strict(backbone, rename(_published(seed)), "seeded")
    return backbone.eval()


@pytest.mark.parametrize(("mel", "truncation"), [("slaney", "rand_trunc"), ("htk", "fusion")])
def test_front_end_is_the_published_one(mel: str, truncation: str, signals: Signals) -> None:
    library = huggingface.transformers()
    extractor = library.ClapFeatureExtractor(frequency_min=50, frequency_max=14000)
    for name, waveform in signals(RATE).items():
        for samples in (RATE, 31111):
            published = extractor(waveform[0, :samples].numpy(), truncation=truncation, sampling_rate=RATE)
            expected = torch.as_tensor(np.asarray(published["input_features"]))[0, 0].T
            frontend, padded = ClapMel(mel), repeat_pad(waveform[:, :samples])
            spectrogram = frontend(padded)[0]
            # Published in double precision; the difference to single precision shows far below a pure tone.
            tolerance = 1e-3 if name == "chirp" else 1e-4
            loud = expected > (-30 if name == "chirp" else -101)
            torch.testing.assert_close(spectrogram[loud], expected[loud].float(), rtol=0, atol=tolerance)
            torch.testing.assert_close(spectrogram, expected.float(), rtol=0, atol=3.0)
            frontend.window = torch.hann_window(N_FFT, dtype=torch.float64)
            filters = extractor.mel_filters_slaney if mel == "slaney" else extractor.mel_filters
            frontend.filters = torch.as_tensor(filters)
            torch.testing.assert_close(frontend(padded.double())[0], expected.double(), rtol=0, atol=1e-5)


def test_network_is_the_published_one(signals: Signals) -> None:
    library = huggingface.transformers()
    state = _published()
    config = library.ClapAudioConfig(
        patch_embeds_hidden_size=WIDTH, depths=list(DEPTHS), num_attention_heads=list(HEADS), hidden_size=8 * WIDTH
    )
    model = library.ClapAudioModel(config).eval()
    model.load_state_dict({k.removeprefix(AUDIO): v for k, v in state.items() if k.startswith(AUDIO)})
    extractor = library.ClapFeatureExtractor(frequency_min=50, frequency_max=14000)
    waveform = torch.cat(list(signals(RATE).values()))
    features = extractor(list(waveform.numpy()), truncation="rand_trunc", sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        expected = model(features["input_features"].float())
        output = _backbone()(waveform)
    assert expected.pooler_output.std(0).mean() > 0.01  # the signals must differ, or the comparison would show nothing
    torch.testing.assert_close(output.summary, expected.pooler_output, rtol=0, atol=1e-4)
    map_over_time = expected.last_hidden_state.mean(2).transpose(1, 2)
    torch.testing.assert_close(output.frames, map_over_time[:, :4], rtol=0, atol=1e-4)  # 1 s is 3.2 frames


@pytest.mark.parametrize("name", ["clap", "clap_fused"])
def test_every_published_key_is_used_or_known(name: str) -> None:
    shapes = {**KEYS["unfused"], **(KEYS["fused"] if name == "clap_fused" else {})}
    with torch.device("meta"):
        backbone = BACKBONES[name].build(**BACKBONES[name].options)
        renamed = rename({key: torch.empty(shape) for key, shape in shapes.items()})
    assert {k: v.shape for k, v in renamed.items()} == {k: v.shape for k, v in backbone.state_dict().items()}


def test_files_load_strictly_and_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: Signals) -> None:
    small = replace(BACKBONES["clap"], build=partial(CLAP, WIDTH, DEPTHS, HEADS))
    monkeypatch.setitem(BACKBONES._items, "clap", small)
    waveform = signals(RATE)["noise"]
    frames = []
    for seed in (0, 1):
        save_file(_published(seed), tmp_path / f"{seed}.safetensors")
        backbone = backbones.create("clap", tmp_path / f"{seed}.safetensors")
        again = backbones.build(json.loads(json.dumps(backbone.record)))
        load_strict(again, backbone.state_dict(), "state")
        with torch.no_grad():
            frames.append(backbone(waveform).frames)
            assert torch.equal(again(waveform).frames, frames[-1])
    assert not torch.allclose(frames[0], frames[1], atol=0.1)
    save_file(_published() | {AUDIO + "audio_encoder.more": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(WeightsError, match=r"unexpected: network\.more"):
        backbones.create("clap", tmp_path / "more.safetensors")


def test_long_input_goes_window_by_window_and_short_input_is_repeated() -> None:
    backbone = _backbone()
    waveform = 0.1 * torch.randn(1, int(12.5 * RATE), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, first, rest = (backbone(part) for part in (waveform, waveform[:, : 10 * RATE], waveform[:, 10 * RATE :]))
        twice = backbone(rest.frames.new_tensor(waveform[:, 10 * RATE :].repeat(1, 4).numpy()))
    torch.testing.assert_close(whole.frames, torch.cat([first.frames, rest.frames], 1))
    assert whole.frames.shape[1] == 40
    assert whole.spectrogram.shape[2] == first.spectrogram.shape[2] + rest.spectrogram.shape[2] == 1251
    assert None not in (whole.summary, first.summary, rest.summary, twice.summary)
    torch.testing.assert_close(whole.summary, 0.8 * first.summary + 0.2 * rest.summary)
    torch.testing.assert_close(rest.summary, twice.summary)  # 2.5 s four times is the input of the network
    torch.testing.assert_close(rest.frames, twice.frames[:, :8])


def test_frames_hear_their_own_time() -> None:
    backbone = _backbone()
    waveform = (0.1 * torch.randn(1, 10 * RATE, generator=torch.Generator().manual_seed(0))).requires_grad_()
    frame = 11
    backbone(waveform).frames[0, frame].square().sum().backward()
    assert waveform.grad is not None
    energy = waveform.grad[0].square().unflatten(0, (32, -1)).sum(1)
    assert int(energy.argmax()) == pytest.approx(frame, abs=1)


def test_statistics_of_the_norm_rest_unless_from_scratch() -> None:
    for norm, changes in (("frozen", False), ("batch", True)):
        backbone = CLAP(WIDTH, DEPTHS, HEADS, norm=norm).train()
        backbone.layer_groups()[0].train()  # also by parts
        before = backbone.network.batch_norm.running_mean.clone()
        backbone(0.1 * torch.randn(2, RATE))
        assert torch.equal(before, backbone.network.batch_norm.running_mean) is not changes
    for wrong in ({"norm": "layer"}, {"mel": "bark"}):
        with pytest.raises(ParameterError, match=next(iter(wrong.values()))):
            CLAP(WIDTH, DEPTHS, HEADS, **wrong)


def test_sizes() -> None:
    with torch.device("meta"):
        sizes = {name: sum(p.numel() for p in BACKBONES[name].build().parameters()) for name in ("clap", "clap_music")}
    assert sizes == {"clap": 27534488, "clap_music": 67824408}
    assert clap.CLAP(WIDTH, DEPTHS, HEADS).hop_s == 10 / 32
