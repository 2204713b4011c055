"""A tone in, a tone out; every part of a file equals that part of the whole; broken files are named."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import CLICK, FORMATS, RATE, encode, tone

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError, ParameterError


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("media")
    return {name: encode(folder / name, tone(), codec, picture) for name, (codec, picture, _) in FORMATS.items()}


@pytest.mark.parametrize("name", FORMATS)
def test_tone_in_tone_out(media: dict[str, Path], name: str) -> None:
    waveform, rate = audio.read(media[name])
    info = audio.probe(media[name])
    assert (rate, info.sample_rate, info.channels) == (RATE, RATE, 2)
    assert waveform.dtype == np.float32
    assert waveform.flags.c_contiguous
    assert info.samples is not None
    assert abs(info.samples - waveform.shape[1]) <= 2400
    assert abs(waveform.shape[1] - 72_000) <= 2400  # codecs add a frame or two at the ends
    middle = waveform[:, 10_000:24_400].astype(np.float64) * np.hanning(14_400)
    spectrum = np.abs(np.fft.rfft(middle)) / 3600
    assert np.argmax(spectrum, axis=1) * RATE / 14_400 == pytest.approx([1000, 1000], abs=3)
    assert spectrum.max(axis=1) == pytest.approx([0.4, 0.2], rel=0.06)


@pytest.mark.parametrize("name", FORMATS)
def test_a_media_file_is_opened_once_and_can_be_read_again(
    media: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, rate = audio.read(media[name])
    opened: list[str] = []
    sound, container = soundfile.SoundFile, av.open
    monkeypatch.setattr(soundfile, "SoundFile", lambda *args: opened.append("sound") or sound(*args))
    monkeypatch.setattr(av, "open", lambda *args, **options: opened.append("av") or container(*args, **options))
    file = audio.MediaFile(media[name])
    assert (file.info, file.info.sample_rate) == (audio.probe(media[name]), rate)
    opened.clear()
    whole = np.concatenate([block for _, block in file.blocks(9000)], axis=1)
    assert opened == (["av"] if name in ("a.mp3", "a.flac") else []), "there, FFmpeg looks for more after the end"
    opened.clear()
    np.testing.assert_array_equal(whole, expected)
    part = np.concatenate([block for _, block in file.blocks(9000, 5000, 30_000)], axis=1)
    assert len(opened) == 1
    np.testing.assert_array_equal(part, expected[:, 5000:30_000])


@pytest.mark.parametrize("name", [name for name, (*_, lossless) in FORMATS.items() if lossless])
def test_click_is_found_at_its_sample(media: dict[str, Path], name: str) -> None:
    waveform, _ = audio.read(media[name])
    assert waveform.shape == (2, 72_000)
    assert np.abs(waveform - tone()).max() < 2**-14
    assert np.argmax(np.abs(waveform), axis=1).tolist() == [CLICK, CLICK]


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.m4a", "a.mp4", "opus.mkv"])
def test_encoder_delay_is_taken_off(media: dict[str, Path], name: str) -> None:
    """These formats state the delay of their encoder, so that the click stays where it was."""
    part, _ = audio.read(media[name], CLICK - 500, CLICK + 501)
    residue = np.abs(part[0] - tone(1.0)[0, CLICK - 500 - 24_000 : CLICK + 501 - 24_000])
    assert abs(int(np.argmax(residue)) - 500) <= 2


@pytest.mark.parametrize("name", FORMATS)
def test_part_equals_slice_and_blocks_equal_whole(media: dict[str, Path], name: str) -> None:
    whole, _ = audio.read(media[name])
    for start, stop in ((0, 1), (1, 777), (CLICK, CLICK + 5000), (50_001, 50_002), (60_000, None), (70_000, 10**9)):
        assert np.array_equal(audio.read(media[name], start, stop)[0], whole[:, start:stop])
    pairs = list(audio.blocks(media[name], 7001))
    assert [position for position, _ in pairs] == list(range(0, whole.shape[1], 7001))
    assert all(block.shape[1] == 7001 for _, block in pairs[:-1])
    assert np.array_equal(np.concatenate([block for _, block in pairs], axis=1), whole)
    part = list(audio.blocks(media[name], 100, start=999, stop=1250))
    assert [(position, block.shape[1]) for position, block in part] == [(999, 100), (1099, 100), (1199, 51)]
    assert np.array_equal(np.concatenate([block for _, block in part], axis=1), whole[:, 999:1250])


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.mkv", "a.avi", "a.mpg", "a.ts"])
def test_truncated_file_gives_its_sound_part(name: str, tmp_path: Path) -> None:
    codec, picture, _ = FORMATS[name]
    noise = 0.05 * np.random.default_rng(0).standard_normal((2, 6 * RATE)).astype(np.float32)  # fills many Ogg pages
    data = encode(tmp_path / name, tone(6) + noise, codec, picture).read_bytes()
    whole, _ = audio.read(tmp_path / name)
    cut = tmp_path / f"cut{Path(name).suffix}"
    cut.write_bytes(data[: len(data) * 2 // 3])
    waveform, _ = audio.read(cut)
    assert whole.shape[1] * 0.5 < waveform.shape[1] < whole.shape[1] * 0.75
    sound = waveform.shape[1] - 4800
    assert np.array_equal(waveform[:, :sound], whole[:, :sound])
    assert np.array_equal(audio.read(cut, 20_000, 125_000)[0], waveform[:, 20_000:125_000])
    assert np.array_equal(np.concatenate([b for _, b in audio.blocks(cut, 4096)], axis=1), waveform)


def test_damage_in_the_middle_keeps_the_time(media: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(media["a.mkv"].read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = np.random.default_rng(1).bytes(300)
    (tmp_path / "bad.mkv").write_bytes(data)
    whole, _ = audio.read(media["a.mkv"])
    waveform, _ = audio.read(tmp_path / "bad.mkv")
    assert waveform.shape == whole.shape
    wrong = np.flatnonzero((waveform != whole).any(axis=0))
    assert 0 < wrong.size < 15_000
    assert np.array_equal(waveform[:, wrong[-1] + 1 :], whole[:, wrong[-1] + 1 :])
    assert wrong[-1] < 60_000


def test_truncated_mp4_without_its_index_is_refused(media: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(media["a.mp4"].read_bytes()[:9000])
    with pytest.raises(AudioError, match=r"cut\.mp4 .*copy it again or convert"):
        audio.read(cut)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("note.txt", b"no sound here\n" * 50, "note.txt"),
        ("noise.mp3", np.random.default_rng(0).bytes(20_000), "noise.mp3"),
        ("stub.wav", b"RIFF\x00\x00\x00\x00WAVE", "stub.wav"),
        ("empty.flac", b"", "0 bytes"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "list.mp4"),
    ],
)
def test_what_is_not_audio_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for function in (audio.probe, audio.read, lambda p: list(audio.blocks(p, 10))):
        with pytest.raises(AudioError, match=message):
            function(path)


def test_folder_missing_file_and_silent_film_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="not a file"):
        audio.read(tmp_path)
    with pytest.raises(AudioError, match=r"gone\.wav does not exist"):
        audio.probe(tmp_path / "gone.wav")
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(video.encode(None))
    with pytest.raises(AudioError, match=r"silent\.mp4 has no audio stream"):
        audio.read(tmp_path / "silent.mp4")


def test_nan_is_counted_and_placed(tmp_path: Path) -> None:
    waveform = tone()
    waveform[1, 40_000:40_003] = np.nan
    waveform[0, 50_000] = np.inf
    soundfile.write(tmp_path / "nan.wav", waveform.T, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="4 NaN or infinite values, the first at sample 40000"):
        audio.read(tmp_path / "nan.wav")
    with pytest.raises(AudioError, match="first at sample 40000"):
        list(audio.blocks(tmp_path / "nan.wav", 1000))
    assert audio.read(tmp_path / "nan.wav", 0, 40_000)[0].shape == (2, 40_000)


def test_no_samples_and_ranges(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), RATE)
    with pytest.raises(AudioError, match="0 samples"):
        audio.read(tmp_path / "none.wav")
    audio.write(tmp_path / "one.wav", np.array([0.5], np.float32), RATE)
    assert audio.read(tmp_path / "one.wav")[0].tolist() == [[0.5]]
    with pytest.raises(AudioError, match="no samples from 5 on"):
        audio.read(tmp_path / "one.wav", 5)
    for start, stop in ((-1, None), (3, 3), (5, 2)):
        with pytest.raises(ParameterError, match="empty or negative"):
            audio.read(tmp_path / "one.wav", start, stop)
    with pytest.raises(ParameterError, match="too short"):
        list(audio.blocks(tmp_path / "one.wav", 0))


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 192_000])
@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_written_file_is_read_back(tmp_path: Path, rate: int, channels: int, suffix: str) -> None:
    waveform = np.random.default_rng(channels).uniform(-1, 1, (channels, 500)).astype(np.float32)
    audio.write(tmp_path / f"a{suffix}", waveform, rate)
    back, back_rate = audio.read(tmp_path / f"a{suffix}")
    assert back_rate == rate
    assert np.abs(back - waveform).max() <= (0 if suffix == ".wav" else 2**-23)
    first = (tmp_path / f"a{suffix}").read_bytes()
    audio.write(tmp_path / f"a{suffix}", waveform, rate)
    assert (tmp_path / f"a{suffix}").read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


def test_write_refuses_to_clip(tmp_path: Path) -> None:
    loud = 1.5 * tone()
    with pytest.raises(AudioError, match=r"peak is 1\.350.*lower the gain by 2\.61 dB"):
        audio.write(tmp_path / "a.flac", loud, RATE)
    assert not any(tmp_path.iterdir())
    audio.write(tmp_path / "a.wav", loud, RATE)
    assert np.array_equal(audio.read(tmp_path / "a.wav")[0], loud)
    with pytest.raises(AudioError, match=r"ends in \.wav or \.flac"):
        audio.write(tmp_path / "a.mp3", tone(), RATE)
    with pytest.raises(AudioError, match="no subtype 'FLOAT'"):
        audio.write(tmp_path / "a.flac", tone(), RATE, "FLOAT")


def test_wrong_suffix_is_read_by_content(media: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "film.wav").write_bytes(media["a.mp4"].read_bytes())
    assert np.array_equal(audio.read(tmp_path / "film.wav")[0], audio.read(media["a.mp4"])[0])


def test_stream_that_changes_its_layout_keeps_what_it_began_with(tmp_path: Path) -> None:
    """Two transport streams one after the other, stereo then mono, as where a broadcast goes to another programme."""
    stereo = encode(tmp_path / "s.ts", tone(), "mp2")
    mono = encode(tmp_path / "m.ts", tone(channels=1), "mp2")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(stereo.read_bytes() + mono.read_bytes())
    waveform, rate = audio.read(joined)
    assert (len(waveform), rate) == (2, RATE)
    assert waveform.shape[1] == pytest.approx(144_000, abs=5000)
    tail = waveform[:, 110_000:120_000]
    assert audio.rms(tail[:1]) > 0.1
    assert np.array_equal(tail[0], tail[1])


@pytest.mark.parametrize("name", ["long.wav", "long.mp4"])
def test_memory_of_blocks_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    seconds = 90
    path = encode(tmp_path / name, tone(seconds, 16_000, 1), None if name.endswith("wav") else "aac", rate=16_000)
    tracemalloc.start()
    total = sum(block.shape[1] for _, block in audio.blocks(path, 16_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total >= seconds * 16_000
    assert peak < 3_500_000  # the whole would take 5.8 MB as float32


@pytest.mark.parametrize(
    ("dtype", "value"), [(np.int16, 16_384), (np.int32, 2**30), (np.uint8, 192), (np.float64, 0.5), (np.float16, 0.5)]
)
def test_number_kinds_share_one_full_scale(dtype: type, value: float) -> None:
    waveform = audio.as_waveform(np.full(3, value, dtype), 8000)
    assert waveform.dtype == np.float32
    assert waveform.tolist() == [[0.5] * 3]


def test_torch_tensor_becomes_a_waveform() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.full((2, 5), 0.25, requires_grad=True)
    assert audio.as_waveform(tensor, RATE).shape == (2, 5)
    assert audio.as_waveform(tensor.to(torch.bfloat16), RATE)[0, 0] == 0.25
    assert audio.as_waveform(torch.full((4,), -32_768, dtype=torch.int16), RATE)[0, 0] == -1


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((48_000, 2)), RATE, "transposed"),
        (np.zeros((9, 100)), RATE, "9 channels"),
        (np.zeros((2, 0)), RATE, "no samples"),
        (np.zeros((1, 2, 3)), RATE, r"give \[T\] or \[C, T\]"),
        (np.zeros(5), 999, "999 Hz"),
        (np.zeros(5), 768_001, "768001 Hz"),
        (np.array([0, np.nan, np.nan]), RATE, "2 NaN or infinite values, the first at sample 1"),
        (np.array([0, 1e300]), RATE, "first at sample 1"),
        (np.zeros(5, np.int64), RATE, "int64, which has no agreed full scale"),
        (np.zeros(5, np.complex64), RATE, "complex64"),
    ],
)
def test_unusable_samples_are_refused(samples: np.ndarray, rate: int, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        audio.as_waveform(samples, rate)


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 3000),
    rate_in=st.sampled_from([8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000]),
    rate_out=st.sampled_from([8000, 16_000, 32_000, 44_100, 48_000]),
    channels=st.integers(1, 3),
)
def test_resampled_length_is_the_rounded_up_one(length: int, rate_in: int, rate_out: int, channels: int) -> None:
    out = audio.resample(np.ones((channels, length), np.float32), rate_in, rate_out)
    assert out.shape == (channels, -(-length * rate_out // rate_in))
    assert out.dtype == np.float32


@pytest.mark.parametrize(("rate_in", "rate_out"), [(44_100, 16_000), (16_000, 44_100), (48_000, 32_000)])
def test_resampling_keeps_a_tone_in_place_and_drops_what_does_not_fit(rate_in: int, rate_out: int) -> None:
    t = np.arange(rate_in) / rate_in
    out = audio.resample(np.sin(2 * np.pi * 1000 * t), rate_in, rate_out)
    expected = np.sin(2 * np.pi * 1000 * np.arange(rate_out) / rate_out)
    assert np.abs(out - expected)[1000:-1000].max() < 1e-4
    if rate_out < rate_in:
        high = audio.resample(np.sin(2 * np.pi * 0.47 * rate_in * t), rate_in, rate_out)
        assert audio.rms(high[1000:-1000]) < 1e-4


def test_resampling_refuses_nothing_and_strange_rates() -> None:
    with pytest.raises(AudioError, match="nothing to resample"):
        audio.resample(np.zeros((2, 0)), 8000, 16_000)
    with pytest.raises(ParameterError, match="0 Hz"):
        audio.resample(np.zeros(4), 0, 16_000)
    same = np.ones(4, np.float32)
    assert audio.resample(same, 8000, 8000) is not same


def test_peak_rms_and_mono() -> None:
    waveform = np.array([[0.5, -1.0], [0.5, 0.0]], np.float32)
    assert audio.peak(waveform) == 1
    assert audio.rms(waveform) == pytest.approx(np.sqrt(1.5 / 4))
    assert audio.mono(waveform).tolist() == [0.5, -0.5]


def test_audio_does_not_load_torch() -> None:
    code = "import sys, contrastive_artifacts.audio; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_cancelling_channels_are_not_mixed() -> None:
    rng = np.random.default_rng(0)
    a, b = (0.1 * rng.standard_normal((2, RATE))).astype(np.float32)
    for healthy in ([a, a], [a, b], [a, 0 * b], [a, 0.5 * a + b], [a], [a, 0.7 * b - 0.6 * a], [a, b, 0 * a, 0 * a]):
        waveform = np.stack(healthy)
        assert not audio.cancels(waveform)
        np.testing.assert_array_equal(audio.downmix(waveform), audio.mono(waveform))
    for inverted in ([a, -a], [a, -0.6 * a], [0.9 * a, -a + 0.2 * b], [a, -a, 0 * a], [a, -a, b, -b, 0 * a, 0 * a]):
        waveform = np.stack(inverted)
        assert audio.cancels(waveform)
        loudest = max(waveform, key=lambda channel: float(channel @ channel))
        np.testing.assert_array_equal(audio.downmix(waveform), loudest)
    assert not audio.cancels(np.stack([a + 0.3, -a + 0.3]) * 1e-4), "too quiet"
    assert audio.cancels(np.stack([a + 0.3, -a + 0.3])), "the offset does not count"
    assert not audio.cancels(np.zeros((2, 100), np.float32))
