"""Models that come with code: it runs with consent only; the adapters of EAT and Dasheng, on tiny stand-ins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from contrastive_artifacts.core import torchaudio as _torchaudio
from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import huggingface, remote
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.frontends.dasheng_mel import DashengMel

RATE = 16000
Signals = Callable[[int], dict[str, Tensor]]

COMMON = """
from pathlib import Path

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

Path({trace!r}).write_text("ran")

class Config(PretrainedConfig):
    model_type = "stand-in"

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.qkv, self.norm = nn.Linear(dim, dim), nn.LayerNorm(dim)

    def forward(self, x):
        return x + self.qkv(self.norm(x + x.mean(1, keepdim=True)))
"""
# As the published modules: names of the parts, order of the tokens, what goes in and comes out.
EAT = (
    COMMON
    + """
class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        dim = config.embed_dim
        self.local_encoder = nn.Conv2d(1, dim, 16, 16)
        self.positions = nn.Parameter(torch.randn(1, 64 * 8, dim), requires_grad=False)
        self.extra_tokens = nn.Parameter(torch.randn(1, 1, dim))
        self.blocks = nn.ModuleList(Block(dim) for _ in range(2))
        self.fc_norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, 7)
        self.drop = nn.Dropout(config.drop_rate)

    def extract_features(self, x):
        assert x.shape[1] == 1 and x.shape[3] == 128, x.shape
        x = self.local_encoder(x).flatten(2).transpose(1, 2)
        x = x + self.positions[:, : x.shape[1]]
        x = self.drop(torch.cat([self.extra_tokens.expand(len(x), -1, -1), x], 1))
        for block in self.blocks:
            x = block(x)
        return x

class Model(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.model = Network(config)
"""
)
DASHENG = (
    COMMON
    + """
class Encoder(nn.Module):
    def __init__(self, embed_dim, target_length):
        super().__init__()
        self.embed_dim, self.target_length = embed_dim, target_length
        self.init_bn = nn.BatchNorm2d(64)
        self.patch_embed = nn.Conv2d(1, embed_dim, (64, 4), (64, 4))
        self.time_pos_embed = nn.Parameter(torch.randn(1, embed_dim, 1, target_length // 4))
        self.blocks = nn.Sequential(Block(embed_dim), Block(embed_dim))
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, x):
        assert x.shape[1:3] == (1, 64) and x.shape[3] <= self.target_length, x.shape
        x = self.patch_embed(self.init_bn(x.transpose(1, 2)).transpose(1, 2))
        x = (x + self.time_pos_embed[..., : x.shape[3]]).flatten(2).transpose(1, 2)
        return self.norm(self.blocks(x))

class Model(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.encoder = Encoder(**config.encoder_kwargs)
        self.outputlayer = nn.Linear(config.encoder_kwargs["embed_dim"], 3)
"""
)
CODE = {
    "eat": (EAT, {"embed_dim": 16, "drop_rate": 0.5}),
    "dasheng": (DASHENG, {"encoder_kwargs": {"embed_dim": 16, "target_length": 80}}),
}
both = pytest.mark.parametrize("name", CODE)


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of code go below the test's folder; nothing is allowed yet."""
    monkeypatch.setattr(huggingface.transformers(".dynamic_module_utils"), "HF_MODULES_CACHE", str(tmp_path / "copies"))
    monkeypatch.setattr(remote, "_classes", {})
    monkeypatch.delenv(remote.VARIABLE, raising=False)


def _repository(name: str, folder: Path) -> Path:
    folder.mkdir()
    code, config = CODE[name]
    code = code.replace("{trace!r}", repr(str(folder / "trace")))
    (folder / f"modeling_{name}.py").write_text(code)
    auto = {"AutoConfig": f"modeling_{name}.Config", "AutoModel": f"modeling_{name}.Model"}
    (folder / "config.json").write_text(json.dumps({"model_type": "stand-in", "auto_map": auto, **config}))
    scope: dict[str, type] = {}
    exec(compile(code, name, "exec"), scope)
    (folder / "trace").unlink()
    torch.manual_seed(0)
    state = scope["Model"](scope["Config"](**config)).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors")
    return folder


@both
def test_code_runs_only_when_allowed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _repository(name, tmp_path / "stub")
    for options in ({}, {"trust_remote_code": False}):
        with pytest.raises(WeightsError, match=rf"modeling_{name}\.py.*{folder}.*trust_remote_code=true"):
            backbones.create(name, folder, **options)
    assert not (folder / "trace").exists()
    backbone = backbones.create(name, folder, trust_remote_code=True)
    assert (folder / "trace").read_text() == "ran"
    assert "trust" not in json.dumps(backbone.record)


@both
def test_saved_encoders_do_not_bring_the_consent(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals: Signals
) -> None:
    folder = _repository(name, tmp_path / "stub")
    backbone = backbones.create(name, folder, trust_remote_code=True)
    Encoder(backbone, EncoderSettings(("clean", "hiss"), 1.0, 8, 4)).save(tmp_path / "encoder")
    monkeypatch.setattr(remote, "_classes", {})  # as in another process
    with pytest.raises(WeightsError, match=f"{remote.VARIABLE}={folder}"):
        Encoder.load(tmp_path / "encoder")
    monkeypatch.setenv(remote.VARIABLE, f"other/model@abc,{folder}")
    again = Encoder.load(tmp_path / "encoder").backbone
    with torch.no_grad():
        frames = [b(signals(RATE)["noise"]).frames for b in (backbone, again)]
    assert torch.equal(*frames)


@both
def test_adapters_keep_the_contract(name: str, tmp_path: Path, signals: Signals) -> None:
    backbone = backbones.create(name, _repository(name, tmp_path / "stub"), trust_remote_code=True)
    batch = torch.cat(list(signals(RATE).values()))
    with torch.no_grad():
        features = backbone(batch)
        assert features.frames.shape[1] == pytest.approx(1 / backbone.hop_s, abs=1)
        assert features.spectrogram.shape[1] == backbone.bands
        torch.testing.assert_close(backbone(batch[1:2]).frames, features.frames[1:2], rtol=0, atol=1e-5)
        long = batch.repeat(1, 12)
        assert backbone(long).frames.shape[1] == pytest.approx(12 / backbone.hop_s, abs=2)
        assert backbone(torch.zeros(1, 9)).frames.isfinite().all()
        torch.testing.assert_close(backbone.train()(batch).frames, features.frames, rtol=0, atol=0)
    output = backbone(batch)
    (output.frames.square().sum() + (0 if output.summary is None else output.summary.square().sum())).backward()
    assert [k for k, p in backbone.named_parameters() if p.grad is None or not p.grad.any()] == []
    staged = [id(p) for stage in backbone.layer_groups() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for p in backbone.parameters())
    assert not any("head" in key or "outputlayer" in key for key in backbone.state_dict())


def test_frames_of_eat_are_in_order_of_time(tmp_path: Path) -> None:
    backbone = backbones.create("eat", _repository("eat", tmp_path / "stub"), trust_remote_code=True).eval()
    quiet = torch.zeros(1, RATE)
    click = quiet.clone()
    click[0, 8000] = 1.0
    with torch.no_grad():
        change = (backbone(click).frames - backbone(quiet).frames).abs().sum(-1)[0]
    assert abs(int(change.argmax()) - int(0.5 / backbone.hop_s)) <= 1


@both
def test_hub_models_need_a_commit_and_consent_before_any_download(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be downloaded")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refused)
    monkeypatch.setattr("huggingface_hub.snapshot_download", refused)
    with pytest.raises(WeightsError, match=r"huggingface\.co/a/b/tree/main .*all your rights"):
        backbones.create(name, id="a/b")
    with pytest.raises(WeightsError, match="full commit"):
        backbones.create(name, id="a/b", trust_remote_code=True)
    with pytest.raises(WeightsError, match=r"backbone\.id"):
        backbones.create(name, "none")


def test_code_of_another_repository_and_broken_code_are_refused(tmp_path: Path) -> None:
    folder = _repository("eat", tmp_path / "stub")
    config = json.loads((folder / "config.json").read_text())
    (folder / "modeling_eat.py").write_text("import a_library_that_nobody_has\n")
    with pytest.raises(WeightsError, match="a_library_that_nobody_has"):
        backbones.create("eat", folder, trust_remote_code=True)
    config["auto_map"]["AutoModel"] = "other/repository--modeling_eat.Model"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="other/repository"):
        backbones.create("eat", folder, trust_remote_code=True)


def test_front_end_of_dasheng_is_torchaudios(signals: Signals) -> None:
    transforms = _torchaudio.load("torchaudio.transforms")
    mel = transforms.MelSpectrogram(RATE, 512, 512, 160, 0.0, 8000.0, n_mels=64)
    to_db = transforms.AmplitudeToDB(top_db=120)
    for waveform in signals(RATE).values():
        torch.testing.assert_close(DashengMel()(waveform), to_db(mel(waveform)), rtol=0, atol=1e-2)
