"""Recorded responses: listing, ids, checks, alignment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.artifacts.dsp import responses
from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import AudioError, ParameterError

RATE = 16000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(responses.VARIABLE, str(tmp_path))
    return tmp_path


def write(path: Path, rate: int = RATE, lead: int = 333, channels: int = 1) -> None:
    tail = 0.05 * np.random.default_rng(2).standard_normal((channels, rate // 2))
    tail[:, 0] = -0.7
    audio.write(path, np.concatenate([np.zeros((channels, lead)), tail], axis=1), rate)


def test_ids_are_hashes_of_the_files(folder: Path) -> None:
    write(folder / "b.wav")
    write(folder / "deeper" / "a.FLAC".lower(), lead=20)
    (folder / "notes.txt").write_text("no response")
    listed = responses.listing()
    assert listed == {files.sha256(path)[:16]: path for path in listed.values()}
    assert {path.name for path in listed.values()} == {"a.flac", "b.wav"}
    assert list(listed) == sorted(listed)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_the_direct_sound_comes_first(folder: Path, rate: int) -> None:
    write(folder / "a.wav", channels=2)
    (identity,) = responses.listing()
    response = responses.load(identity, rate)
    assert response.shape[0] == 2
    assert response.shape[1] == pytest.approx(rate / 2, abs=3)
    assert np.abs(response).max() == 1.0
    assert np.argmax(np.abs(response[0])) == 0


def test_a_changed_file_has_another_id(folder: Path) -> None:
    write(folder / "a.wav")
    first = set(responses.listing())
    write(folder / "a.wav", lead=50)
    assert not first & set(responses.listing())


def test_errors_of_missing_folders_and_responses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clip: np.ndarray
) -> None:
    params = artifacts.render("room_recorded", clip, 44100).params
    monkeypatch.setenv(responses.VARIABLE, str(tmp_path))
    with pytest.raises(ParameterError, match="put impulse responses there"):
        artifacts.render("room_recorded", clip, 44100)
    write(tmp_path / "other.wav")
    with pytest.raises(ParameterError, match=params["parameters"]["response"]):
        artifacts.replay(clip, 44100, params)
    monkeypatch.setenv(responses.VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(ParameterError, match="no folder"):
        responses.listing()
    monkeypatch.delenv(responses.VARIABLE)
    with pytest.raises(ParameterError, match=f"set {responses.VARIABLE}"):
        artifacts.render("room_recorded", clip, 44100)


def test_files_that_are_no_responses_are_errors(folder: Path) -> None:
    audio.write(folder / "long.wav", np.ones((1, 31 * 1000)), 1000)
    audio.write(folder / "silent.wav", np.zeros((1, RATE)), RATE)
    audio.write(folder / "click.wav", np.eye(1, RATE), RATE)
    (folder / "broken.wav").write_bytes(b"RIFF")
    wrong = {"long": "30 s", "silent": "silent", "click": "silent after its direct sound", "broken": "broken"}
    for identity, path in responses.listing().items():
        with pytest.raises(AudioError, match=wrong[path.stem]):
            responses.load(identity, RATE)
