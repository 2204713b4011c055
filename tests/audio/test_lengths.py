"""Headers that state a wrong length, or none: everything that decodes is read, and a warning gives both lengths."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.audio.headers import ogg_links

RATE = 44_100
NOISE = 0.1 * np.random.default_rng(0).standard_normal((2, 2 * RATE)).astype(np.float32)


def read_with_warnings(path: Path, caplog: pytest.LogCaptureFixture) -> tuple[np.ndarray, list[str]]:
    """The samples; checks that blocks, parts and glimpses agree with them."""
    with caplog.at_level(logging.WARNING, "contrastive_artifacts"):
        caplog.clear()
        waveform, _ = audio.read(path)
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        np.testing.assert_array_equal(np.concatenate([b for _, b in audio.blocks(path, 9000)], axis=1), waveform)
        length = waveform.shape[1]
        for start, stop in ((0, 100), (length // 2 - 50, length // 2 + 5000), (length - 3000, length)):
            np.testing.assert_array_equal(audio.read(path, start, stop)[0], waveform[:, start:stop])
        assert audio.glimpse(path, length - 3000, length)[0].shape == (len(waveform), 3000)
    return waveform, messages


def written(path: Path, waveform: np.ndarray = NOISE, rate: int = RATE, **how: str) -> bytes:
    with soundfile.SoundFile(path, "w", rate, len(waveform), **how) as file:
        for start in range(0, waveform.shape[1], 10_000):  # libsndfile overflows its stack with long Ogg blocks
            file.write(waveform[:, start : start + 10_000].T)
    return path.read_bytes()


def mp3_without_header(path: Path, waveform: np.ndarray, bit_rate: int) -> bytes:
    frame = av.AudioFrame.from_ndarray(waveform, "fltp", "stereo")
    frame.sample_rate = RATE
    with av.open(str(path), "w", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = bit_rate
        for part in av.AudioResampler("fltp", "stereo", RATE, frame_size=1152).resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_mp3_whose_length_is_guessed_too_short(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = mp3_without_header(tmp_path / "a.mp3", NOISE, 320_000)
    second = mp3_without_header(tmp_path / "b.mp3", NOISE, 32_000)
    path = tmp_path / "vbr.mp3"
    path.write_bytes(first + second * 4)
    waveform, messages = read_with_warnings(path, caplog)
    assert waveform.shape[1] == pytest.approx(5 * 2 * RATE, abs=5 * 3 * 1152)
    assert len(messages) == 1
    assert f"the file holds {waveform.shape[1]} samples" in messages[0]
    assert str(path) in messages[0]
    stated = audio.probe(path).samples
    assert f"{stated} samples" in messages[0]


def test_joined_mp3s_are_read_to_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = written(tmp_path / "a.mp3")
    waveform, messages = read_with_warnings(tmp_path / "a.mp3", caplog)
    assert (waveform.shape[1], messages) == (2 * RATE, [])
    (tmp_path / "joined.mp3").write_bytes(data + data)
    joined, messages = read_with_warnings(tmp_path / "joined.mp3", caplog)
    np.testing.assert_array_equal(joined[:, : 2 * RATE], waveform)
    assert joined.shape[1] == pytest.approx(4 * RATE, abs=4 * 1152)
    assert f"says {2 * RATE} samples" in messages[0]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_chained_ogg_is_read_link_by_link(tmp_path: Path, subtype: str, caplog: pytest.LogCaptureFixture) -> None:
    rate = 48_000
    long, short = np.tile(NOISE, 2)[:, : 3 * rate], NOISE[:, :rate]
    data = [written(tmp_path / "l.ogg", part, rate, format="OGG", subtype=subtype) for part in (long, short, short[:1])]
    for name, links in (("down.ogg", (0, 1)), ("up.ogg", (1, 0)), ("mono.ogg", (0, 1, 2))):
        path = tmp_path / name
        path.write_bytes(b"".join(data[i] for i in links))
        parts = []
        for i in links:
            (tmp_path / "link.ogg").write_bytes(data[i])
            parts.append(audio.read(tmp_path / "link.ogg")[0])
        waveform, messages = read_with_warnings(path, caplog)
        same = sum(part.shape[1] for part in parts if len(part) == 2)
        np.testing.assert_array_equal(waveform[:, :same], np.concatenate([p for p in parts if len(p) == 2], axis=1))
        assert waveform.shape == (2, sum(part.shape[1] for part in parts))
        assert audio.probe(path).samples == waveform.shape[1]
        assert len(messages) == 1
        assert len(ogg_links(path)) == len(links)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_joined_to_itself_is_read_twice(
    tmp_path: Path, subtype: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.ogg"
    data = written(path, rate=48_000, format="OGG", subtype=subtype)
    once, messages = read_with_warnings(path, caplog)
    assert messages == []
    path.write_bytes(data + data)
    twice, messages = read_with_warnings(path, caplog)
    np.testing.assert_array_equal(twice, np.concatenate([once, once], axis=1))
    assert len(messages) == 1


@pytest.mark.parametrize("stated", [0, 1, 50_000, 100_000])
def test_flac_with_a_wrong_length(tmp_path: Path, stated: int, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.flac"
    data = bytearray(written(path))
    whole, messages = read_with_warnings(path, caplog)
    assert (whole.shape[1], messages) == (2 * RATE, [])
    data[18:26] = (int.from_bytes(data[18:26], "big") >> 36 << 36 | stated).to_bytes(8, "big")
    path.write_bytes(data)
    waveform, messages = read_with_warnings(path, caplog)
    np.testing.assert_array_equal(waveform, whole)
    assert len(messages) == 1
    assert f"holds {2 * RATE} samples" in messages[0]
    assert (f"says {stated} samples" if stated else "says no length") in messages[0]


def riff(data: bytes, size: int, riff_size: int | None = None, tail: bytes = b"") -> bytes:
    edited = bytearray(data + tail)
    at = data.index(b"data")
    edited[at + 4 : at + 8] = struct.pack("<I", size)
    edited[4:8] = struct.pack("<I", len(edited) - 8 if riff_size is None else riff_size)
    return bytes(edited)


def rf64(data: bytes, size: int) -> bytes:
    edited = bytearray(data)
    edited[20:44] = struct.pack("<QQQ", 0, size, 0)
    return bytes(edited)


def aiff(data: bytes, size: int) -> bytes:
    edited = bytearray(data)
    at = data.index(b"SSND")
    edited[at + 4 : at + 8] = struct.pack(">I", size)
    return bytes(edited)


LIST = b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"


@pytest.mark.parametrize(
    ("name", "edit", "stated"),
    [
        ("a.wav", lambda data: riff(data, 0), "no length"),
        ("a.wav", lambda data: riff(data, 0, 0), "no length"),
        ("a.wav", lambda data: riff(data, 0xFFFFFFFF, 0xFFFFFFFF), "no length"),
        ("a.wav", lambda data: riff(data, 1000), "250 samples"),
        ("a.wav", lambda data: riff(data, 400_000_000), "100000000 samples"),
        ("rf64.wav", lambda data: rf64(data, 0), "no length"),
        ("rf64.wav", lambda data: rf64(data, 1000), "250 samples"),
        ("a.aiff", lambda data: aiff(data, 0), "no length"),
        ("a.aiff", lambda data: aiff(data, 1008), "250 samples"),
        ("a.aiff", lambda data: aiff(data, 400_000_008), "100000000 samples"),
    ],
)
def test_pcm_with_a_wrong_size(
    tmp_path: Path, name: str, edit: Callable[[bytes], bytes], stated: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    data = written(path, **({"format": "RF64"} if name == "rf64.wav" else {}), subtype="PCM_16")
    whole, messages = read_with_warnings(path, caplog)
    assert (whole.shape[1], messages) == (2 * RATE, [])
    path.write_bytes(edit(data))
    waveform, messages = read_with_warnings(path, caplog)
    np.testing.assert_array_equal(waveform, whole)
    assert audio.probe(path).samples == 2 * RATE
    assert len(messages) == 1
    assert f"says {stated}" in messages[0]


def test_chunks_behind_the_data_are_no_audio(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.wav"
    data = written(path, subtype="PCM_16")
    size = 4 * 2 * RATE
    for tail in (LIST * 400, LIST * 400 + b"\0" * 7, b"ID3\3" + bytes(9000), b"x" * 100, bytes(30_000)):
        path.write_bytes(riff(data, size, tail=tail))
        waveform, messages = read_with_warnings(path, caplog)
        assert (waveform.shape[1], messages) == (2 * RATE, [])
    empty = data[: data.index(b"data")] + b"data" + bytes(4) + LIST
    path.write_bytes(empty)
    with pytest.raises(audio.media.AudioError, match="0 samples"):
        audio.read(path)


def test_wave_above_4_gib_is_read_by_its_file_size(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    data = written(path, NOISE[:1], subtype="PCM_16")
    start, length = data.index(b"data") + 8, 2_300_000_000  # samples
    for size in (0xFFFFFFFF, 2 * length % 2**32, 0):
        with path.open("wb") as file:  # sparse: takes no room on the disk
            file.write(riff(data, size, 0xFFFFFFFF)[:start])
            file.truncate(start + 2 * length)
            file.seek(start + 2 * (length - 100))
            file.write(np.full(100, 2**14, "<i2").tobytes())
        assert audio.probe(path).samples == length
        assert audio.read(path, length - 101)[0].tolist() == [[0.0] + [0.5] * 100]


@pytest.mark.parametrize("container", ["W64", "CAF", "AU"])
def test_healthy_relatives_give_no_warning(tmp_path: Path, container: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / f"a.{container.lower()}"
    written(path, format=container, subtype="PCM_24")
    waveform, messages = read_with_warnings(path, caplog)
    assert (waveform.shape[1], messages) == (2 * RATE, [])


def test_truncated_mp4_that_states_its_length_gives_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.m4a"
    frame = av.AudioFrame.from_ndarray(np.tile(NOISE, 3), "fltp", "stereo")
    frame.sample_rate = RATE
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        for part in av.AudioResampler("fltp", "stereo", RATE, frame_size=1024).resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    _, messages = read_with_warnings(path, caplog)
    assert messages == []
    path.write_bytes(path.read_bytes()[:30_000])
    waveform, messages = read_with_warnings(path, caplog)
    assert waveform.shape[1] < 5 * RATE
    assert len(messages) == 1
    assert f"holds {waveform.shape[1]} samples" in messages[0]
