"""Whatever a reader raises becomes an AudioError that names the file."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media_files import FORMATS, RATE, encode, tone

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError


def wave(data: bytes, channels: int = 1, bits: int = 16, rate: int = RATE) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * block % 2**32, block % 2**16, bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt \x10\0\0\0"
        + fmt
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )


def everything(path: Path) -> tuple[np.ndarray, int]:
    audio.probe(path)
    list(audio.blocks(path, 1000))
    audio.glimpse(path, 10, 20)
    return audio.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (wave(bytes(200_000), channels=65_535), "can be decoded"),
        (wave(bytes(2000), channels=9), "9 channels"),
        (wave(bytes(2000), rate=0), "Invalid data"),
        (wave(bytes(2000), rate=2**31 - 1), "sample rate of 2147483647 Hz"),
        (wave(bytes(2000), rate=10), "sample rate of 10 Hz"),
        (b"fLaC\0\0\0\x22" + b"\xff" * 34 + b"\x84\xff\xff\xff" + bytes(100), "a.wav"),
        (b"caff\0\1\0\0desc" + b"\xff" * 60, "a.wav"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0" + b"\x7f\xff\xff\xffmoov" + b"\xff" * 500, "a.wav"),
    ],
)
def test_contradictory_headers(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as raised:
        everything(path)
    assert str(path) in str(raised.value)


def test_a_stream_without_a_decoder(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", tone(), "flac", picture=True)
    path.write_bytes(path.read_bytes().replace(b"A_FLAC", b"A_XXXX"))
    with pytest.raises(AudioError, match=r"a\.mkv: there is no decoder"):
        everything(path)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".m4a", ".mkv"])
def test_a_name_that_is_not_utf_8(tmp_path: Path, suffix: str) -> None:
    plain = encode(tmp_path / f"a{suffix}", tone(), {".m4a": "aac", ".mkv": "flac"}.get(suffix))
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xe9" + suffix.encode()))
    try:
        plain.rename(path)
    except OSError:
        pytest.skip("this file system only takes names in UTF-8")
    waveform, _ = everything(path)
    path.rename(plain)
    np.testing.assert_array_equal(waveform, audio.read(plain)[0])


def test_64_bit_pcm(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(np.array([0, 2**62, -(2**63)] * 500, "<i8").tobytes(), bits=64))
    assert everything(path)[0][:, :3].tolist() == [[0.0, 0.5, -1.0]]


@pytest.mark.parametrize(
    ("value", "message"), [(3e38, r"beyond 1e\+12"), (-2e12, r"beyond 1e\+12"), (1e300, "infinite")]
)
def test_absurd_samples(tmp_path: Path, value: float, message: str) -> None:
    path = tmp_path / "a.wav"
    waveform = np.full((1000, 2), 0.5)
    waveform[700, 1] = value
    soundfile.write(path, waveform, RATE, subtype="DOUBLE")
    for read in (audio.read, lambda p: list(audio.blocks(p, 300))):
        with pytest.raises(AudioError, match=rf"a\.wav holds 1 .*{message}.*first at sample 700"):
            read(path)
    with pytest.raises(AudioError, match=message):
        audio.as_waveform(waveform.T, RATE)
    waveform[700, 1] = 1e11
    soundfile.write(path, waveform, RATE, subtype="DOUBLE")
    assert audio.read(path)[0].max() == np.float32(1e11)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("odd"), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")])
@pytest.mark.parametrize("function", [audio.read, everything, lambda path: list(audio.blocks(path, 10))])
def test_foreign_errors_of_a_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, function: Callable[[Path], object]
) -> None:
    path = encode(tmp_path / "a.m4a", tone(), "aac")

    def fail(*_: object, **__: object) -> None:
        raise error

    for target in ("av.open", "contrastive_artifacts.audio.frames.to_float"):
        with monkeypatch.context() as patch:
            patch.setattr(target, fail)
            with pytest.raises(AudioError, match=r"a\.m4a"):
                function(path)


@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files(tmp_path: Path, name: str) -> None:
    codec, picture, _ = FORMATS[name]
    data = encode(tmp_path / name, tone(0.5), codec, picture).read_bytes()
    rng = np.random.default_rng(len(data))
    for _ in range(12):
        mutated = bytearray(data)
        for position in rng.integers(0, min(len(data), 4000), 6):
            mutated[position] = rng.integers(256)
        path = tmp_path / f"bad{Path(name).suffix}"
        path.write_bytes(mutated)
        with suppress(AudioError):
            waveform, _ = everything(path)
            assert np.isfinite(waveform).all()
