"""The sounds of a page: each from its place, shared where they overlap, no more than there is room for."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.scan.sounds import Sound, Span, sounds_of

RATE = 16000


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute whose second n is a tone of 200 + 20 n Hz on the left; the right is silent."""
    time = np.arange(RATE) / RATE
    left = np.concatenate([0.3 * np.sin(2 * np.pi * (200 + 20 * n) * time) for n in range(60)])
    path = tmp_path_factory.mktemp("sounds") / "a.flac"
    audio.write(path, np.stack([left, 0 * left]).astype(np.float32), RATE)
    return path


def decoded(sound: Sound) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound.text)), dtype="float32")
    assert rate == RATE
    return samples


def sounds(path: Path, *findings: Span, **more: int) -> tuple[list[Sound], list[int]]:
    return sounds_of(path, 0, RATE, 60 * RATE, findings, **more)


def seconds(start: float, stop: float, channel: int | None = None) -> Span:
    return Span(round(start * RATE), round(stop * RATE), channel)


def test_a_sound_is_the_finding_with_a_second_around_it(recording: Path) -> None:
    (sound,), places = sounds(recording, seconds(30, 31))
    assert (sound.span, places, sound.mime) == (seconds(29, 32), [0], "audio/mpeg")
    samples = decoded(sound)
    assert samples.size == pytest.approx(3 * RATE, abs=0.1 * RATE)
    middle = samples[samples.size // 2 - RATE // 4 : samples.size // 2 + RATE // 4]
    assert np.abs(np.fft.rfft(middle)).argmax() * 2 == pytest.approx(200 + 20 * 30, abs=4)


def test_long_findings_are_cut_and_the_ends_of_the_recording_kept(recording: Path) -> None:
    page_sounds, places = sounds(recording, seconds(0.5, 60), seconds(59.5, 60))
    assert [sound.span for sound in page_sounds] == [seconds(0, 9.5), seconds(58.5, 60)]
    assert places == [0, 1]


def test_findings_share_a_sound_that_holds_them(recording: Path) -> None:
    page_sounds, places = sounds(
        recording, seconds(10, 15), seconds(12, 13), seconds(12, 13, channel=0), seconds(14.5, 15.5)
    )
    assert places == [0, 0, 1, 2]
    assert len(page_sounds) == 3


def test_channels_are_heard_by_themselves(recording: Path) -> None:
    page_sounds, places = sounds(
        recording, seconds(5, 6, channel=0), seconds(5, 6, channel=1), seconds(5, 6, channel=7)
    )
    assert places == [0, 1, -1]
    assert np.abs(decoded(page_sounds[0])).max() > 0.25
    assert np.abs(decoded(page_sounds[1])).max() < 0.01


def test_no_more_sounds_than_there_is_room_for(recording: Path) -> None:
    findings = [seconds(4 * n, 4 * n + 1) for n in range(12)]
    every, places = sounds(recording, *findings)
    assert places == list(range(12))
    limit = sum(len(sound.text) for sound in every[:5]) + 10
    page_sounds, places = sounds(recording, *findings, seconds(0.5, 0.6), limit=limit)
    assert [sound.text for sound in page_sounds] == [sound.text for sound in every[:5]]
    assert places == [0, 1, 2, 3, 4, *[-1] * 7, 0], "the first ones, and what they hold"


def test_without_the_recording_there_is_no_sound(tmp_path: Path) -> None:
    assert sounds(tmp_path / "gone.wav", seconds(0, 1)) == ([], [-1])
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    assert sounds(tmp_path / "bad.wav", seconds(0, 1)) == ([], [-1])
