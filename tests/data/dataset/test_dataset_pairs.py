"""The two files of a pair belong together sample by sample, whatever the level, the format and the artifact."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.artifacts import ARTIFACTS
from contrastive_artifacts.core.errors import AudioError, ParameterError
from contrastive_artifacts.data import dataset
from contrastive_artifacts.data.corpora import Clip
from contrastive_artifacts.data.dataset import DatasetSettings, pairs

RATE = 16000


def noise(peak: float, channels: int = 2, samples: int = RATE) -> np.ndarray:
    x = np.random.default_rng(1).normal(0, 1, (channels, samples))
    return (x * peak / np.abs(x).max()).astype(np.float32)


def render(folder: Path, waveform: np.ndarray, subtype: str, **given: object) -> list[dict]:
    audio.write(folder / "clip.wav", waveform, RATE, subtype)
    settings = DatasetSettings(**{"artifacts": ("hum", "clicks", "dropout"), "severities": (0.1, 1.0), **given})
    corpus = dataset.corpus_at(folder / "clip.wav")
    return dataset.render_dataset(corpus, settings, dataset.LAYOUTS["paired"](), folder / "out").rows


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("peak", [0.05, 0.98, 7.0])
def test_a_pair_replays_from_its_files(tmp_path: Path, subtype: str, peak: float) -> None:
    for row in render(tmp_path, noise(min(peak, 0.98) if subtype != "FLOAT" else peak), subtype):
        original, _ = audio.read(tmp_path / "clip.wav")
        clean, rate = audio.read(tmp_path / "out" / row["clean_file"])
        damaged, _ = audio.read(tmp_path / "out" / row["file"])
        gain = np.float32(10 ** (row["gain_db"] / 20))
        assert np.log2(gain) == round(np.log2(gain)) <= 0
        again = artifacts.replay(clean / gain, rate, json.loads(row["params"]))
        assert np.abs(damaged - gain * again).max() <= pairs.STEP / 2
        assert np.abs(clean / gain - original).max() <= (0 if subtype == "PCM_16" else pairs.STEP / 2 / gain)
        assert clean.shape == damaged.shape == (row["channels"], row["samples"])
        if row["artifact"] == "dropout":
            inside = np.zeros(row["samples"], bool)
            for start, stop in json.loads(row["segments"]):
                inside[start:stop] = True
            assert np.array_equal(damaged[:, ~inside], clean[:, ~inside])
            assert 0 < inside.sum() < row["samples"]


def test_the_gain_is_common_and_no_more_than_needed(tmp_path: Path) -> None:
    rows = render(tmp_path, noise(0.9), "PCM_16")
    (gain_db,) = {row["gain_db"] for row in rows}
    assert gain_db < 0
    loudest = max(np.abs(audio.read(tmp_path / "out" / row["file"])[0]).max() for row in rows)
    assert 0.5 < loudest <= 1.0
    assert {row["gain_db"] for row in render(tmp_path / "quiet", noise(0.05), "PCM_16")} == {0.0}


def test_sixteen_bits_survive_the_gain_unchanged(tmp_path: Path) -> None:
    rows = render(tmp_path, noise(0.9), "PCM_16")
    clean, _ = audio.read(tmp_path / "out" / rows[0]["file"])
    source, _ = audio.read(tmp_path / "clip.wav")
    assert np.array_equal(clean / np.float32(10 ** (rows[0]["gain_db"] / 20)), source)


def test_every_step_of_24_bits_is_kept() -> None:
    steps = np.array([-(2**23), -(2**23) + 1, -257, -1, 0, 1, 255, 2**22 + 1, 2**23 - 1])
    waveform = (steps * pairs.STEP).astype(np.float32)[None]
    assert pairs.render_group(waveform, 8000, []).shift == 0
    stored, rate = soundfile.read(io.BytesIO(pairs.encode(waveform, 8000, 0)), dtype="int32")
    assert rate == 8000
    assert np.array_equal(stored >> 8, steps)
    assert pairs.render_group(np.ones((1, 4), np.float32), 8000, []).shift == 1  # +1.0 itself is one step too far


@pytest.mark.parametrize("samples", [1, 2, 100])
def test_the_shortest_clips(tmp_path: Path, samples: int) -> None:
    rows = render(tmp_path, noise(0.3, 1, samples), "PCM_16", span=(0.2, 0.6))
    assert {row["samples"] for row in rows} == {samples}
    assert len(rows) == 7


def test_views_too_large_to_hold_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = render(tmp_path / "a", noise(0.9), "FLOAT")
    monkeypatch.setattr(pairs, "HELD_BYTES", 3 * 2 * RATE * 4)
    assert render(tmp_path / "b", noise(0.9), "FLOAT") == held
    for row in held:
        assert (tmp_path / "a/out" / row["file"]).read_bytes() == (tmp_path / "b/out" / row["file"]).read_bytes()


def test_a_span_confines_the_damage(tmp_path: Path) -> None:
    rows = render(tmp_path, noise(0.1), "PCM_16", span=(0.25, 0.5))
    for row in rows[1:]:
        start, stop = json.loads(row["params"])["span"]
        assert 0.25 * RATE - 1 <= stop - start <= 0.5 * RATE + 1
        clean, _ = audio.read(tmp_path / "out" / row["clean_file"])
        changed = np.flatnonzero((audio.read(tmp_path / "out" / row["file"])[0] != clean).any(axis=0))
        assert len(changed)
        assert start <= changed[0] <= changed[-1] < stop
        for a, b in json.loads(row["segments"]):
            assert start <= a < b <= stop
    assert (
        len({tuple(json.loads(row["params"])["span"]) for row in rows[1:]}) == 3
    )  # one an artifact: a ladder shares it


@pytest.mark.parametrize("suffix", ["wav", "ogg"])
def test_crops_are_slices_of_their_clip(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / f"long.{suffix}", noise(0.3, 2, 5 * RATE).T, RATE)
    corpus = dataset.corpus_at(tmp_path / f"long.{suffix}")
    settings = DatasetSettings(("hum",), clip_s=0.75, crops=3)
    rows = dataset.render_dataset(corpus, settings, dataset.LAYOUTS["paired"](), tmp_path / "out").rows
    whole, _ = audio.read(tmp_path / f"long.{suffix}")
    cleans = [row for row in rows if row["artifact"] == "clean"]
    assert len({row["start"] for row in cleans}) == 3
    for row in cleans:
        part, _ = audio.read(tmp_path / "out" / row["file"])
        expected = whole[:, row["start"] : row["start"] + round(0.75 * RATE)]
        assert np.abs(part / 10 ** (row["gain_db"] / 20) - expected).max() <= 2 * pairs.STEP
    with pytest.raises(Exception, match=r"lasts 5\.000 s, less than clip_s=6"):
        dataset.render_dataset(
            corpus, DatasetSettings(("hum",), clip_s=6.0), dataset.LAYOUTS["paired"](), tmp_path / "no"
        )


def test_made_clips_are_cropped_as_files_are(small_corpus) -> None:
    plan = dataset.make_plan(small_corpus.clips[:1], DatasetSettings(("hum",), clip_s=0.25))
    part, rate, start = pairs.load(small_corpus, plan[0], 0.25)
    whole, _ = small_corpus.load(small_corpus.clips[0])
    assert np.array_equal(part, whole[:, start : start + rate // 4])


def test_what_needs_two_channels_is_left_out_of_one() -> None:
    plan = dataset.make_plan([Clip(id="a.wav", source="a.wav")], DatasetSettings(("hum", "polarity")))
    assert ARTIFACTS["polarity"].least_channels == 2
    assert [view.artifact for view in pairs.fitting(plan[0].views, 1)] == ["hum"]
    assert len(pairs.fitting(plan[0].views, 2)) == 2


def test_a_rate_that_flac_lacks_is_named() -> None:
    with pytest.raises(AudioError, match="FLAC cannot hold 700001 Hz"):
        pairs.encode(noise(0.1, 1, 100), 700001, 0)


def test_compounds_replay_and_stay_in_their_span(tmp_path: Path) -> None:
    drawn = {"severities": None, "compounds": artifacts.PRESETS["tape"], "views_per_clip": 30, "span": (0.4, 0.5)}
    rows = [row for row in render(tmp_path, noise(0.3), "PCM_16", **drawn) if row["artifact"] != "clean"]
    assert len(rows) == 30
    compounds = [json.loads(row["params"])["parameters"]["chain"] for row in rows if row["artifact"] == "compound"]
    assert {len(chain) for chain in compounds} == {2, 3}
    for row in rows:
        clean, rate = audio.read(tmp_path / "out" / row["clean_file"])
        damaged, _ = audio.read(tmp_path / "out" / row["file"])
        gain = np.float32(10 ** (row["gain_db"] / 20))
        again = artifacts.replay(clean / gain, rate, json.loads(row["params"]))
        assert np.abs(damaged - gain * again).max() <= pairs.STEP / 2
        segments = np.array(json.loads(row["segments"]))
        assert 0.3 * RATE < np.ptp(segments) <= 0.5 * RATE or row["artifact"] in ("splice", "tape_dropout", "gain_step")
        assert not np.array_equal(damaged, clean)
        changed = np.flatnonzero((damaged != clean).any(axis=0))
        assert segments.min() <= changed.min() < changed.max() < segments.max()


def test_compounds_need_a_number_of_views_and_drawn_severities() -> None:
    tape = artifacts.PRESETS["tape"]
    for wrong in ({}, {"severities": (0.5,)}, {"severities": (0.5,), "views_per_clip": 3}):
        with pytest.raises(ParameterError, match="give views_per_clip, and severities=uniform"):
            DatasetSettings(("hum",), compounds=tape, **wrong)
    assert DatasetSettings(("hum",), compounds=tape, views_per_clip=3).severities is None
