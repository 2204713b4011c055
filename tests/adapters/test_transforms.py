"""Artifacts as transforms and as a layer: probability, range of severities, replay, and what their libraries do."""

from __future__ import annotations

import json
import pickle
import random

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts.adapters.layer import ArtifactLayer
from contrastive_artifacts.adapters.transform import ArtifactTransform
from contrastive_artifacts.core.errors import AudioError, ParameterError, UnknownNameError

RATE = 16000


@pytest.fixture
def clip() -> np.ndarray:
    return (0.1 * np.random.default_rng(3).standard_normal(RATE)).astype(np.float32)


def test_a_transform_replays_from_its_parameters(clip: np.ndarray) -> None:
    transform = ArtifactTransform(p=1.0)
    for _ in range(8):
        before = clip.copy()
        out = transform(clip, sample_rate=RATE)
        parameters = json.loads(json.dumps(transform.serialize_parameters()))
        assert parameters["should_apply"] is True
        np.testing.assert_array_equal(ca.replay(clip, RATE, parameters["params"]), out)
        np.testing.assert_array_equal(clip, before)
        assert out.shape == clip.shape
        assert not np.array_equal(out, clip)


def test_probability_and_severities_are_as_asked(clip: np.ndarray) -> None:
    random.seed(1)
    transform = ArtifactTransform(["hum", "clipping"], p=0.25, severity=(0.4, 0.6))
    drawn = []
    for _ in range(400):
        transform.randomize_parameters(clip, RATE)
        drawn.append(transform.parameters)
    applied = [row["params"] for row in drawn if row["should_apply"]]
    assert 60 < len(applied) < 140  # 100 +- 4.6 standard deviations
    assert {row["artifact"] for row in applied} == {"hum", "clipping"}
    severities = [row["severity"] for row in applied]
    assert 0.4 <= min(severities) < 0.45
    assert 0.55 < max(severities) <= 0.6
    assert len({row["seed"] for row in applied}) == len(applied)
    assert ArtifactTransform("hum", p=0.0)(clip, RATE) is clip


def test_random_seed_repeats_and_frozen_parameters_stay(clip: np.ndarray) -> None:
    transform = pickle.loads(pickle.dumps(ArtifactTransform(p=1.0)))
    random.seed(5)
    first = transform(clip, RATE)
    random.seed(5)
    np.testing.assert_array_equal(transform(clip, RATE), first)
    transform.freeze_parameters()
    np.testing.assert_array_equal(transform(clip, RATE), first)
    other = transform(clip[::-1].copy(), RATE)
    np.testing.assert_array_equal(other, ca.replay(clip[::-1].copy(), RATE, transform.parameters["params"]))
    transform.unfreeze_parameters()
    assert any(not np.array_equal(transform(clip, RATE), first) for _ in range(3))


def test_artifacts_that_need_more_channels_are_left_out(clip: np.ndarray) -> None:
    transform = ArtifactTransform(["polarity", "hum"], p=1.0)
    for _ in range(6):
        transform(clip, RATE)
        assert transform.parameters["params"]["artifact"] == "hum"
    stereo = np.stack([clip, clip[::-1]])
    names = set()
    for _ in range(24):
        assert transform(stereo, RATE).shape == stereo.shape
        names.add(transform.parameters["params"]["artifact"])
    assert names == {"polarity", "hum"}
    with pytest.raises(AudioError, match="more channels than 1"):
        ArtifactTransform("polarity", p=1.0)(clip, RATE)


def test_wrong_settings_are_refused() -> None:
    for settings in ({"p": 1.5}, {"severity": (0.6, 0.4)}, {"severity": 2.0}, {"names": ()}):
        with pytest.raises(ParameterError):
            ArtifactTransform(**settings)
    with pytest.raises(UnknownNameError, match="hum"):
        ArtifactTransform("humm")


def test_in_a_compose_of_audiomentations(clip: np.ndarray) -> None:
    library = pytest.importorskip("audiomentations", reason="audiomentations is not installed")
    compose = library.Compose([ArtifactTransform("hum", p=1.0), library.Gain(p=1.0)])
    out = compose(clip, sample_rate=RATE)
    assert out.shape == clip.shape
    compose.freeze_parameters()
    np.testing.assert_array_equal(compose(clip, sample_rate=RATE), compose(clip, sample_rate=RATE))


def test_a_layer_renders_each_example_by_itself(clip: np.ndarray) -> None:
    layer = torch.nn.Sequential(ArtifactLayer(RATE, p=0.5))
    batch = torch.from_numpy(np.stack([clip] * 16))[:, None]
    torch.manual_seed(2)
    out = layer(batch)
    assert out.shape == batch.shape
    params = layer[0].params
    assert len(params) == 16
    assert 0 < sum(row is None for row in params) < 16
    for before, after, row in zip(batch, out, params, strict=True):
        expected = before if row is None else ca.replay(before, RATE, row)
        torch.testing.assert_close(after, expected, rtol=0, atol=0)
    torch.manual_seed(2)
    torch.testing.assert_close(layer(batch), out, rtol=0, atol=0)
    assert pickle.loads(pickle.dumps(layer))(batch).shape == batch.shape


def test_a_layer_does_nothing_in_evaluation_and_keeps_shape_and_type(clip: np.ndarray) -> None:
    layer = ArtifactLayer(RATE, "hum", p=1.0)
    wave = torch.from_numpy(clip)
    assert layer(wave).shape == wave.shape
    assert layer(wave[None].double()).dtype == torch.float64
    assert layer.eval()(wave) is wave
    assert not list(layer.parameters())
    assert "hum" in repr(layer)
