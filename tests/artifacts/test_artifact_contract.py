"""The contract of artifacts, for all of the registry."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from artifact_table import ROWS
from numpy.testing import assert_array_equal

import contrastive_artifacts
from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.artifacts.base import FAMILIES
from contrastive_artifacts.core import seeding
from contrastive_artifacts.core.errors import AudioError, ParameterError, UnknownNameError
from contrastive_artifacts.core.registry import Registry

RATE = 44100
NAMES = artifacts.names()
MONO = [name for name in NAMES if artifacts.artifact(name).least_channels == 1]
DIFFUSE = {"hiss", "reverb", "room_small", "room_big", "room_mixed"}  # independent between channels
every = pytest.mark.parametrize("name", NAMES)


def fit(name: str, wave: np.ndarray) -> np.ndarray:
    """``[C, T]`` or ``[T]``, with a different second channel where the artifact needs one."""
    if artifacts.artifact(name).least_channels == 1:
        return wave
    wave = np.atleast_2d(wave)
    return np.concatenate([wave, 0.5 * wave + 0.3 * np.roll(wave, 7, axis=1)])


def test_default_set_is_registered() -> None:
    assert set(artifacts.DEFAULT) <= set(NAMES)


def test_every_artifact_has_a_row_in_the_table() -> None:
    assert set(ROWS) == set(NAMES), "an artifact is one file, one line of catalog.py and one row of artifact_table.py"


@every
def test_its_name_in_another_vocabulary_is_known(name: str) -> None:
    assert taxonomy.find(ROWS[name].term) == name


@every
def test_the_record_is_complete(name: str) -> None:
    record = artifacts.artifact(name)
    assert record.name == name
    assert record.family in FAMILIES
    assert (type(record).__doc__ or "").strip()
    assert record.synonyms
    assert record.scale


@every
@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_output_is_finite_and_the_input_is_not_changed(name: str, severity: float, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    before = clip.copy()
    view = artifacts.render(name, clip, RATE, severity, seed=3)
    assert view.waveform.shape == clip.shape
    assert view.waveform.dtype == np.float32
    assert np.isfinite(view.waveform).all()
    assert not np.shares_memory(view.waveform, clip)
    assert not np.array_equal(view.waveform, clip)
    assert_array_equal(clip, before)


@every
def test_replay_from_json_is_exact(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    for seed in range(6):
        view = artifacts.render(name, clip, RATE, seed / 5, seed)
        params = json.loads(artifacts.to_json(view.params))
        assert params == view.params
        assert_array_equal(artifacts.replay(clip, RATE, params), view.waveform)
        assert_array_equal(artifacts.replay_view(clip, RATE, params).segments, view.segments)


@every
def test_segments_are_sorted_and_inside(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    for seed in range(5):
        segments = artifacts.render(name, clip, RATE, seed / 4, seed).segments
        assert segments.dtype == np.int64
        assert segments.shape == (len(segments), 2)
        assert len(segments) > 0
        assert segments.min() >= 0
        assert segments.max() <= clip.shape[1]
        assert (segments[:, 0] < segments[:, 1]).all()
        assert (segments[1:, 0] >= segments[:-1, 1]).all()


@every
def test_nothing_changes_outside_the_segments(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    for seed in range(5):
        view = artifacts.render(name, clip, RATE, 0.7, seed)
        outside = np.ones(clip.shape[1], dtype=bool)
        for start, stop in view.segments:
            outside[start:stop] = False
        if not artifacts.artifact(name).displaces:
            assert_array_equal(view.waveform[:, outside], clip[:, outside])


@every
def test_the_measure_grows_with_severity(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    for seed in range(4):
        views = [artifacts.render(name, clip, RATE, s, seed) for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
        measured = [ROWS[name].measure(clip, view.waveform, RATE) for view in views]
        assert (np.diff(measured) > 0).all(), (measured, views[0].params)


@every
def test_only_the_span_changes(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    start, stop = RATE // 2, 2 * RATE
    view = artifacts.render(name, clip, RATE, 1.0, seed=2, span=(start, stop))
    assert_array_equal(view.waveform[:, :start], clip[:, :start])
    assert_array_equal(view.waveform[:, stop:], clip[:, stop:])
    assert not np.array_equal(view.waveform, clip)
    assert len(view.segments) > 0
    assert start <= view.segments.min() < view.segments.max() <= stop
    params = json.loads(artifacts.to_json(view.params))
    assert_array_equal(artifacts.replay(clip, RATE, params), view.waveform)
    inner = artifacts.artifact(name).apply(clip[:, start:stop], RATE, params["parameters"])
    edge = RATE // 100
    assert_array_equal(view.waveform[:, start + edge : stop - edge], inner[:, edge:-edge])


def test_the_edges_of_a_span_do_not_click() -> None:
    """A whistle of one second added to a tone: less than -60 dB of its energy at an edge is more than 1 kHz off the
    whistle. Without a fade it is -26 dB, with a fade of .5 ms -32 dB."""
    tone = (0.1 * np.sin(2 * np.pi * 500 * np.arange(3 * RATE) / RATE)).astype(np.float32)
    views = [artifacts.render("whistle", tone, RATE, 1.0, seed, span=(RATE, 2 * RATE)) for seed in range(20)]
    steady = [view for view in views if not view.params["parameters"]["wander"]]
    assert len(steady) > 5
    grid = np.fft.rfftfreq(4096, 1 / RATE)
    for view in steady:
        off = np.abs(grid - view.params["parameters"]["hertz"]) > 1000
        for edge in (RATE, 2 * RATE):
            added = (view.waveform - tone)[edge - 2048 : edge + 2048]
            power = np.square(np.abs(np.fft.rfft(added * np.hanning(4096))))
            assert 10 * np.log10(power[off].sum() / power.sum()) < -60


@pytest.mark.parametrize("span", [(5, 5), (-1, 10), (0, 10**9), (3,)])
def test_a_span_is_checked(span: tuple[int, int], clip: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="span"):
        artifacts.render("hum", clip, RATE, span=span)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(MONO)))
def test_too_few_channels_are_an_error(name: str, clip: np.ndarray) -> None:
    with pytest.raises(AudioError, match="2 or more"):
        artifacts.render(name, clip, RATE)


@every
@pytest.mark.parametrize("rate", [8000, 192000])
@pytest.mark.parametrize("signal", ["silence", "constant", "full scale", "one sample", "10 ms", "tiny"])
def test_degenerate_input_is_rendered_and_replayed(name: str, rate: int, signal: str) -> None:
    rng = np.random.default_rng(1)
    wave = {
        "silence": np.zeros(rate // 2),
        "constant": np.full(rate // 2, 0.5),
        "full scale": np.sign(rng.standard_normal(rate // 2)),
        "one sample": np.ones(1),
        "10 ms": 0.1 * rng.standard_normal(rate // 100),
        "tiny": 1e-12 * rng.standard_normal(rate // 2),
    }[signal].astype(np.float32)
    wave = fit(name, wave)
    for seed, severity in enumerate((0.0, 1.0)):
        view = artifacts.render(name, wave, rate, severity, seed)
        assert view.waveform.shape == wave.shape
        assert np.isfinite(view.waveform).all()
        assert np.abs(view.waveform).max() < 100
        assert_array_equal(artifacts.replay(wave, rate, view.params), view.waveform)


@pytest.mark.parametrize("name", ["hiss", "hum", "clicks"])
def test_additive_artifacts_of_silence_are_quiet(name: str) -> None:
    view = artifacts.render(name, np.zeros(RATE, dtype=np.float32), RATE, 1.0)
    assert 0 < np.sqrt(np.mean(view.waveform**2)) < 1e-3 * 1.1


@every
@pytest.mark.parametrize("channels", [2, 8])
def test_channels_are_equal_unless_diffuse(name: str, channels: int, clip: np.ndarray) -> None:
    between = name not in MONO
    wide = np.stack([np.roll(clip[0, :RATE], 7 * c if between else 0) for c in range(channels)])
    out = artifacts.render(name, wide, RATE, 0.6, 4).waveform
    assert out.shape == wide.shape
    assert not np.array_equal(out, wide)
    if not between:
        assert np.allclose(out[0], out[1]) is (name not in DIFFUSE)


@pytest.mark.parametrize("name", MONO)
def test_one_dimension_is_one_channel(name: str, clip: np.ndarray) -> None:
    flat = artifacts.render(name, clip[0], RATE, 0.4, 9).waveform
    assert_array_equal(flat, artifacts.render(name, clip, RATE, 0.4, 9).waveform[0])


@every
def test_torch_in_torch_out(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    out = artifacts.render(name, torch.from_numpy(clip.copy()), RATE, 0.4, 9).waveform
    assert isinstance(out, torch.Tensor)
    assert_array_equal(out.numpy(), artifacts.render(name, clip, RATE, 0.4, 9).waveform)


def test_integer_samples_are_scaled_to_full_scale(clip: np.ndarray) -> None:
    pcm = np.round(clip[0] * 32767).astype(np.int16)
    out = artifacts.render("dropout", pcm, RATE, 1.0).waveform
    assert out.dtype == np.float32
    assert 0 < np.abs(out).max() <= 1


SCRIPT = """
import hashlib, numpy as np
from contrastive_artifacts import artifacts
x = (0.1 * np.random.default_rng(2).standard_normal((2, 22050))).astype(np.float32)
for name in artifacts.names():
    print(name, hashlib.sha256(artifacts.render(name, x, 44100, 0.5, 11).waveform.tobytes()).hexdigest())
"""


def test_another_process_renders_equal_samples() -> None:
    folder = Path(next(iter(contrastive_artifacts.__path__))).parent
    other = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "77"},
    ).stdout.split()
    x = (0.1 * np.random.default_rng(2).standard_normal((2, 22050))).astype(np.float32)
    here = {n: hashlib.sha256(artifacts.render(n, x, RATE, 0.5, 11).waveform.tobytes()).hexdigest() for n in NAMES}
    assert dict(zip(other[::2], other[1::2], strict=True)) == here


@every
def test_draws_do_not_depend_on_severity(name: str) -> None:
    """Draws are equal at every severity: only one or two parameters differ."""
    record = artifacts.artifact(name)
    for seed in range(20):
        low, high = (record.sample(s, seeding.generator(seed)) for s in (0.0, 1.0))
        assert 1 <= sum(low[k] != high[k] for k in low) <= 2


@every
def test_parameters_are_checked(name: str, clip: np.ndarray) -> None:
    clip = fit(name, clip)
    good = artifacts.render(name, clip, RATE, 0.5).params
    for key in good["parameters"]:
        for bad in (None, "x", 1e9, -1e9, float("nan"), True):
            broken = {**good, "parameters": {**good["parameters"], key: bad}}
            with pytest.raises(ParameterError, match=key):
                artifacts.replay(clip, RATE, broken)
        with pytest.raises(ParameterError, match=key):
            artifacts.replay(
                clip, RATE, {**good, "parameters": {k: v for k, v in good["parameters"].items() if k != key}}
            )
    with pytest.raises(ParameterError, match="loud"):
        artifacts.replay(clip, RATE, {**good, "parameters": {**good["parameters"], "loud": 1}})


def test_params_are_checked(clip: np.ndarray) -> None:
    good = artifacts.render("hum", clip, RATE).params
    cases = (
        {**good, "version": 1},
        {**good, "severity": 1.5},
        {**good, "more": 1},
        {},
        [],
        "{}",
        {**good, "parameters": 3},
    )
    for bad in cases:
        with pytest.raises(ParameterError):
            artifacts.replay(clip, RATE, bad)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="Did you mean hum"):
        artifacts.replay(clip, RATE, {**good, "artifact": "humm"})


def test_wrong_arguments_of_render_are_errors(clip: np.ndarray) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean dropout"):
        artifacts.render("dropuot", clip, RATE)
    for severity in (-0.1, 1.1, float("nan"), "loud", None, True):
        with pytest.raises(ParameterError, match="severity"):
            artifacts.render("hum", clip, RATE, severity)  # type: ignore[arg-type]
    for seed in (1.5, "a", None):
        with pytest.raises(ParameterError, match="seed"):
            artifacts.render("hum", clip, RATE, 0.5, seed)  # type: ignore[arg-type]
    with pytest.raises(AudioError):
        artifacts.render("hum", np.array([0.0, np.nan]), RATE)
    with pytest.raises(AudioError):
        artifacts.render("hum", np.zeros(0), RATE)


def test_clean_is_a_copy(clip: np.ndarray) -> None:
    view = artifacts.render("clean", clip, RATE, 0.8, 5)
    assert_array_equal(view.waveform, clip)
    assert not np.shares_memory(view.waveform, clip)
    assert view.params["severity"] == 0
    assert view.segments.shape == artifacts.replay_view(clip, RATE, view.params).segments.shape == (0, 2)
    assert_array_equal(artifacts.replay(clip, RATE, view.params), clip)


def test_compound_replays(clip: np.ndarray) -> None:
    view = artifacts.compose([("hum", 0.3), ("dropout", 0.9), ("clicks", 0.5)], clip, RATE, seed=4)
    params = json.loads(artifacts.to_json(view.params))
    again = artifacts.replay_view(clip, RATE, params)
    assert_array_equal(again.waveform, view.waveform)
    assert_array_equal(again.segments, view.segments)
    assert_array_equal(artifacts.replay(clip, RATE, params), view.waveform)
    assert params["severity"] == 0.9
    assert_array_equal(view.segments, [[0, clip.shape[1]]])
    with pytest.raises(ParameterError, match="empty"):
        artifacts.compose([], clip, RATE)


def test_a_new_artifact_is_one_class_and_one_entry() -> None:
    from contrastive_artifacts.artifacts.base import Artifact, whole

    class Flip(Artifact):
        name, family, synonyms, scale, fields = "flip", "stereo", ("polarity",), "none", {}

        def sample(self, severity: float, rng: np.random.Generator) -> dict:
            return {}

        def _render(self, waveform: np.ndarray, sample_rate: int, params: dict) -> tuple[np.ndarray, np.ndarray]:
            return -waveform, whole(waveform)

    registry: Registry[Artifact] = Registry("artifact")
    flip = registry.register("flip", Flip())
    assert_array_equal(flip.apply(np.ones((1, 4), dtype=np.float32), 8000, {}), -np.ones((1, 4)))
    assert_array_equal(flip.segments(np.ones((1, 4), dtype=np.float32), 8000, {}), [[0, 4]])
