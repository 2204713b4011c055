"""A slice sought by time stamps: where the exact one is, after little work."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from media_files import FORMATS, RATE, encode, tone

from contrastive_artifacts import audio
from contrastive_artifacts.audio import frames
from contrastive_artifacts.core.errors import AudioError


@pytest.mark.parametrize("name", FORMATS)
def test_a_glimpse_lies_where_the_part_does(tmp_path: Path, name: str) -> None:
    codec, picture, lossless = FORMATS[name]
    noise = np.random.default_rng(3).standard_normal((1, 8 * RATE + 16)).astype(np.float32)
    smooth = 0.1 * np.lib.stride_tricks.sliding_window_view(noise, 17, axis=1).sum(axis=2) / 17
    path = encode(tmp_path / name, np.repeat(smooth, 2, axis=0).astype(np.float32), codec, picture)
    start = 6 * RATE + 123
    part, _ = audio.read(path, start, start + RATE)
    seen, rate = audio.glimpse(path, start, start + RATE)
    assert (rate, seen.shape) == (RATE, part.shape)
    if lossless:
        assert np.array_equal(seen, part)
    size = 1 << 17
    match = np.fft.irfft(np.conj(np.fft.rfft(seen[0], size)) * np.fft.rfft(part[0], size))
    lag = (int(np.argmax(match)) + size // 2) % size - size // 2
    assert abs(lag) <= RATE // 500, "2 ms: Matroska counts milliseconds"
    assert match.max() > 0.98 * float(np.linalg.norm(seen[0]) * np.linalg.norm(part[0]))


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "opus.mkv", "a.ts"])
def test_a_glimpse_decodes_little(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codec, picture, _ = FORMATS[name]
    path = encode(tmp_path / name, np.tile(tone(1.0), 10), codec, picture)
    counted: list[int] = []
    decoded = frames.to_float

    def counting(frame: av.AudioFrame) -> np.ndarray:
        counted.append(frame.samples)
        return decoded(frame)

    monkeypatch.setattr(frames, "to_float", counting)
    audio.glimpse(path, 8 * RATE, 8 * RATE + 1000)
    few = sum(counted)
    counted.clear()
    audio.read(path, 8 * RATE, 8 * RATE + 1000)
    assert few < 2.5 * RATE < 8 * RATE < sum(counted)
    beginning = audio.read(path, 100, 2000)[0]
    assert np.array_equal(audio.glimpse(path, 100, 2000)[0], beginning), "nothing to seek there"
    with pytest.raises(AudioError, match="no samples from"):
        audio.glimpse(path, 3600 * RATE, 3601 * RATE)
