"""Sample index / rate is the time at which a player plays the sample: late starts and lost packets are silence."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_files import encode

from contrastive_artifacts import audio
from contrastive_artifacts.audio.clock import Clock

RATE = 48_000
SECONDS = 6
KINDS = {  # file -> audio codec
    "a.ts": "mp2",
    "aac.ts": "aac",
    "a.mkv": "flac",
    "opus.mkv": "libopus",
    "aac.mkv": "aac",
    "a.mpg": "mp2",
    "a.mp4": "aac",
    "a.mov": "pcm_s16le",
    "a.flv": "aac",
}
PICTURES = {".ts": "mpeg2video", ".mpg": "mpeg2video", ".flv": "flv"}  # container -> video codec


def film(
    path: Path,
    codec: str,
    *,
    late_s: float = 0.0,
    lost: tuple[float, float] = (0, 0),
    jitter: int = 0,
    options: dict[str, str] | None = None,
) -> np.ndarray:
    """Writes a film whose audio starts late or lacks the packets of a time range; returns its noise [T]."""
    noise = np.random.default_rng(3).standard_normal(SECONDS * RATE + 32).astype(np.float32)
    waveform = 0.1 * np.lib.stride_tricks.sliding_window_view(noise, 33).sum(axis=1)[: SECONDS * RATE] / 6
    frame = av.AudioFrame.from_ndarray(np.stack([waveform, waveform]), "fltp", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(PICTURES.get(path.suffix, "mpeg4"), rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        packets: list[av.Packet] = []
        for index in range(25 * (SECONDS + int(late_s))):
            image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index % 255, np.uint8), format="rgb24")
            image.pts = index
            packets += video.encode(image)
        packets += video.encode(None)
        shaped = av.AudioResampler(
            stream.codec_context.format.name, "stereo", RATE, frame_size=stream.frame_size or 1024
        )
        for number, part in enumerate([*shaped.resample(frame), *shaped.resample(None)]):
            part.pts += round(late_s * RATE) + (jitter if number % 2 else 0)
            packets += stream.encode(part)
        packets += stream.encode(None)
        timed = [
            (float((p.dts if p.dts is not None else 0) * p.time_base), n, p) for n, p in enumerate(packets) if p.size
        ]
        for time, _, packet in sorted(timed, key=lambda entry: entry[:2]):
            if packet.stream.type == "video" or not lost[0] <= time - late_s < lost[1]:
                container.mux(packet)
    return waveform


def lag(reference: np.ndarray, waveform: np.ndarray, start: int, length: int = 24_000) -> int:
    """Where the samples ``[start, start + length)`` of ``waveform`` lie later than in ``reference``."""
    size = 1 << 20
    part = waveform[start : start + length]
    match = np.fft.irfft(np.fft.rfft(reference, size) * np.conj(np.fft.rfft(part, size)))
    place = int(np.argmax(match))
    assert match.max() > 0.9 * float(part @ part), "the passage is there"
    return start - place


def check_glimpses(path: Path, whole: np.ndarray) -> None:
    for start in range(0, whole.shape[1] - RATE, RATE // 2 + 77):
        part = audio.read(path, start, start + RATE // 2)[0]
        np.testing.assert_array_equal(part, whole[:, start : start + RATE // 2])
        seen = audio.glimpse(path, start, start + RATE // 2)[0]
        assert seen.shape == part.shape
        if part.any():
            size = 1 << 16
            match = np.fft.irfft(np.conj(np.fft.rfft(seen[0], size)) * np.fft.rfft(part[0], size))
            assert abs((int(np.argmax(match)) + size // 2) % size - size // 2) <= RATE // 500
    joined = np.concatenate([block for _, block in audio.blocks(path, 7001)], axis=1)
    np.testing.assert_array_equal(joined, whole)


@pytest.mark.parametrize("name", KINDS)
def test_audio_that_starts_late_begins_with_silence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = film(path, KINDS[name], late_s=2.0)
    file = audio.MediaFile(path)
    whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
    (gap,) = file.gaps
    assert gap[0] == 0
    assert gap[1] == pytest.approx(2 * RATE, abs=0.05 * RATE)
    assert not whole[:, : gap[1]].any()
    assert whole[:, gap[1] : gap[1] + 4000].any()
    assert lag(noise, whole[0], 4 * RATE) == pytest.approx(2 * RATE, abs=0.05 * RATE)
    assert file.info.samples == pytest.approx(whole.shape[1], abs=0.2 * RATE)
    check_glimpses(path, whole)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("a.mp4", "a.mov")])
def test_lost_packets_are_silence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = film(path, KINDS[name], lost=(2.0, 3.5))
    file = audio.MediaFile(path)
    whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
    (gap,) = file.gaps
    assert gap[0] == pytest.approx(2 * RATE, abs=0.06 * RATE)
    assert gap[1] == pytest.approx(3.5 * RATE, abs=0.06 * RATE)
    assert not whole[:, gap[0] : gap[1]].any()
    assert lag(noise, whole[0], RATE) == pytest.approx(lag(noise, whole[0], 4 * RATE), abs=0.002 * RATE)
    assert whole.shape[1] == pytest.approx(SECONDS * RATE, abs=0.1 * RATE)
    check_glimpses(path, whole)


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "mp2"), ("a.ts", "ac3"), ("a.ts", "aac"), ("a.mkv", "libopus")])
def test_bytes_cut_out_of_a_film_leave_the_rest_in_its_place(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    noise = film(path, codec)
    data = path.read_bytes()
    start, stop = (int(len(data) * share) // 188 * 188 for share in (0.4, 0.6))
    path.write_bytes(data[:start] + data[stop:])
    file = audio.MediaFile(path)
    whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
    assert sum(stop - start for start, stop in file.gaps) > 0.5 * RATE
    assert lag(noise, whole[0], RATE) == pytest.approx(lag(noise, whole[0], 5 * RATE), abs=0.001 * RATE)
    check_glimpses(path, whole)


@pytest.mark.parametrize("length", [1000, 9000, 200_000, 10**6])
def test_runs_of_data_lie_between_the_gaps(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.mkv"
    film(path, "flac", late_s=1.0, lost=(2.0, 3.5))
    whole = audio.read(path)[0]
    file = audio.MediaFile(path)
    runs = [list(run) for run in file.runs(length)]
    first, second = file.gaps
    edges = []
    for run in runs:
        start, stop = run[0][0], run[-1][0] + run[-1][1].shape[1]
        edges.append((start, stop))
        np.testing.assert_array_equal(np.concatenate([block for _, block in run], axis=1), whole[:, start:stop])
    assert edges == [(first[1], second[0]), (second[1], whole.shape[1])]
    healthy = audio.MediaFile(encode(tmp_path / "a.wav", whole, None))
    (blocks,) = [list(run) for run in healthy.runs(length)]
    for (position, block), (expected_position, expected) in zip(blocks, healthy.blocks(length), strict=True):
        assert position == expected_position
        np.testing.assert_array_equal(block, expected)


def test_a_short_gap_does_not_end_a_run(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    film(path, "pcm_s16le", lost=(2.0, 2.08))
    file = audio.MediaFile(path)
    (run,) = [list(blocks) for blocks in file.runs(9000)]
    assert len(file.gaps) == 1
    assert sum(block.shape[1] for _, block in run) == pytest.approx(SECONDS * RATE, abs=RATE // 1000)


def test_memory_does_not_grow_with_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for start in (0, 1800 * RATE):
            part = av.AudioFrame.from_ndarray(np.ones((1, RATE), np.int16), "s16", "mono")
            part.sample_rate, part.pts = RATE, start
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    tracemalloc.start()
    total = sum(block.shape[1] for _, block in audio.blocks(path, RATE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 1801 * RATE
    assert peak < 10_000_000


@pytest.mark.parametrize("name", KINDS)
def test_a_healthy_film_has_no_gaps(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    film(path, KINDS[name])
    file = audio.MediaFile(path)
    whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
    assert file.gaps == ()
    with av.open(str(path)) as container:
        assert whole.shape[1] == sum(frame.samples for frame in container.decode(audio=0))
    check_glimpses(path, whole)


@pytest.mark.parametrize("name", ["a.mkv", "aac.ts", "a.mp4"])
def test_jitter_of_time_stamps_changes_nothing(tmp_path: Path, name: str) -> None:
    film(tmp_path / name, KINDS[name])
    plain = audio.read(tmp_path / name)[0]
    (tmp_path / "jitter").mkdir()
    film(tmp_path / "jitter" / name, KINDS[name], jitter=900)
    file = audio.MediaFile(tmp_path / "jitter" / name)
    whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
    assert file.gaps == ()
    np.testing.assert_array_equal(whole, plain)


@pytest.mark.parametrize("offset_s", [0, 3, 50_000, 95_438])
def test_restarts_and_wraparound_of_the_clock_are_no_gaps(tmp_path: Path, offset_s: int) -> None:
    """Two transport streams one after the other; the last offset lets the 33 bits of the clock overflow."""
    film(tmp_path / "a.ts", "mp2")
    (tmp_path / "b").mkdir()
    film(tmp_path / "b" / "a.ts", "mp2", options={"output_ts_offset": str(offset_s)})
    first, second = (audio.read(path)[0] for path in (tmp_path / "a.ts", tmp_path / "b" / "a.ts"))
    np.testing.assert_array_equal(second, first)
    for name, parts in (("up.ts", ("a.ts", "b/a.ts")), ("down.ts", ("b/a.ts", "a.ts"))):
        path = tmp_path / name
        path.write_bytes(b"".join((tmp_path / part).read_bytes() for part in parts))
        file = audio.MediaFile(path)
        whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
        assert sum(stop - start for start, stop in file.gaps) <= 0.1 * RATE
        assert whole.shape[1] == pytest.approx(2 * first.shape[1], abs=0.1 * RATE)


def test_time_stamps_in_samples() -> None:
    for origin, tick in ((Fraction(1001, 30_000), Fraction(1, 90_000)), (Fraction(-1, 7), Fraction(1, 14_112_000))):
        clock = Clock(44_100, origin, tick, duration_s=None, restarts=False)
        for pts in (0, -5000, 123_457, 2**33, 10**13 + 1):
            assert abs(clock.time(pts) - (pts * tick - origin) * 44_100) <= Fraction(1, 2)
    assert clock.time(None) is None


def test_gap_in_the_clock() -> None:
    clock = Clock(1000, Fraction(0), Fraction(1, 1000), duration_s=100.0, restarts=False)
    assert clock.start_at(0) == 0
    assert clock.silence(0, 0, 20) == 0
    assert clock.silence(20, 25, 20) == 0, "jitter"
    assert clock.silence(40, 40, 20) == 0
    assert clock.silence(60, 105, 20) == 0, "less than 50 ms"
    assert clock.silence(80, 170, 20) == 90, "adds up to more"
    assert clock.silence(190, 190, 20) == 0
    clock.skip(100)
    assert clock.silence(310, 310, 20) == 0, "an undecodable packet was counted"
    assert clock.silence(330, 5, 20) == 0, "a restart"
    assert clock.silence(350, 25, 20) == 0
    assert clock.silence(370, 245, 20) == 200
    assert clock.silence(590, 10**9, 20) == 0, "beyond the end of the file"
    assert clock.silence(610, None, 20) == 0
    drifting = Clock(1000, Fraction(0), Fraction(1, 1000), duration_s=None, restarts=True)
    assert [drifting.silence(20 * n, 25 * n, 20) for n in range(100)] == [0] * 100
    assert drifting.silence(2000, 2500 + 11_000, 20) == 0, "another recording"
    assert drifting.silence(2020, 2520 + 11_000 + 9000, 20) == 9000
