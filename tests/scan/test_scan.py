"""Scanning: a known span is detected at its place, for any block size, length and channel."""

from __future__ import annotations

import dataclasses
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.audio import windows
from contrastive_artifacts.core.errors import AudioError, ParameterError
from contrastive_artifacts.scan.scan import scan

RATE = 8000


@dataclass
class Loudness:
    """Classifies as "loud" by the share of a window that is above a level, and never as "dark"."""

    window_s: float = 1.0
    hop_s: float = 0.5
    labels: tuple[str, ...] = ("clean", "loud", "dark")
    lengths: list[int] = field(default_factory=list)

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        self.lengths += [w.size for w in waveforms]
        assert all(w.dtype == np.float32 and w.ndim == 1 for w in waveforms)
        share = np.array([np.mean(np.abs(w) > 0.1) for w in waveforms])
        peak = np.array([np.abs(w).max() for w in waveforms])
        none = np.zeros_like(share)
        return np.stack([1 - share, share, none], 1), np.stack([none, peak, none], 1)


def write(path: Path, signal: np.ndarray, rate: int = RATE) -> Path:
    audio.write(path, signal.astype(np.float32), rate, subtype="FLOAT")
    return path


def signal(seconds: float, *spans: tuple[float, float], channels: int = 1, level: float = 0.5) -> np.ndarray:
    out = np.full((channels, round(seconds * RATE)), 0.01)
    for start, stop in spans:
        out[:, round(start * RATE) : round(stop * RATE)] = level
    return out


@pytest.mark.parametrize(("window_s", "hop_s"), [(1.0, 0.5), (0.96, 0.48), (1.0, 0.25), (0.5, 0.5)])
def test_spans_are_found_within_a_hop(tmp_path: Path, window_s: float, hop_s: float) -> None:
    spans = [(4.3, 9.1), (20.0, 23.7), (33.2, 40.0)]
    encoder = Loudness(window_s, hop_s)
    timeline = scan(write(tmp_path / "a.wav", signal(40, *spans)), encoder)
    assert [s.label for s in timeline.segments] == ["loud"] * 3
    assert (timeline.sample_rate, timeline.samples, timeline.labels) == (RATE, 40 * RATE, ("loud", "dark"))
    for segment, (start, stop) in zip(timeline.segments, spans, strict=True):
        assert segment.start / RATE == pytest.approx(start, abs=hop_s)
        assert segment.stop / RATE == pytest.approx(stop, abs=hop_s)
        assert segment.severity == pytest.approx(0.5, abs=1e-6)
        assert 0.6 < segment.confidence <= 1
        assert segment.channel is None
        assert isinstance(segment.start, int)
    assert timeline.segments[-1].stop == 40 * RATE, "the end of the recording ends the last segment"


def test_block_length_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.3, (1, 37 * RATE + 123)) * np.repeat(rng.random(38), RATE)[: 37 * RATE + 123]
    path = write(tmp_path / "a.wav", noise)
    expected = scan(path, Loudness(), enter=0.4, leave=0.3)
    assert expected.segments
    for block_s in (0.1, 1.7, 100.0):
        monkeypatch.setattr(sys.modules[scan.__module__], "_BLOCK_S", block_s)
        assert scan(path, Loudness(), enter=0.4, leave=0.3, batch=3) == expected


def test_channels_where_they_differ_from_the_mix(tmp_path: Path) -> None:
    """A fault of one channel that its mix dilutes is found in that channel; what the mix has is said once."""
    rng = np.random.default_rng(0)
    stereo = np.tile(rng.normal(0, 0.02, 40 * RATE), (2, 1))
    stereo[:, 5 * RATE : 9 * RATE] *= 20  # both
    stereo[1, 20 * RATE : 24 * RATE] = 0.15  # half of it in the mix: below the level
    path = write(tmp_path / "a.wav", stereo)
    encoder = Loudness()
    segments = scan(path, encoder, channels="auto").segments
    assert [(s.channel, round(s.start / RATE), round(s.stop / RATE)) for s in segments] == [(None, 5, 9), (1, 20, 24)]
    mix_only, both = len(starts_of(40)), len(encoder.lengths)
    assert mix_only < both < mix_only + 2 * 12, "of each channel only the windows that hold the difference"
    assert [s.channel for s in scan(path, Loudness()).segments] == [None]
    alike = write(tmp_path / "b.wav", np.tile(stereo[:1], (2, 1)) * [[1.0], [0.5]])
    encoder = Loudness()
    assert scan(alike, encoder, channels="auto").segments == scan(alike, Loudness()).segments
    assert len(encoder.lengths) == mix_only
    mono = write(tmp_path / "c.wav", stereo[1:])
    assert scan(mono, Loudness(), channels="auto").segments == scan(mono, Loudness()).segments


def starts_of(seconds: int) -> list[int]:
    return windows.starts(seconds * RATE, RATE, RATE // 2).tolist()


def test_each_channel_by_itself(tmp_path: Path) -> None:
    both = np.concatenate([signal(10, (2, 5)), signal(10, (7, 9))])
    path = write(tmp_path / "a.wav", both)
    segments = scan(path, Loudness(), channels="each").segments
    assert [(s.channel, round(s.start / RATE), round(s.stop / RATE)) for s in segments] == [(0, 2, 5), (1, 7, 9)]
    mix = scan(path, Loudness()).segments
    assert [s.channel for s in mix] == [None, None]
    assert mix[0].severity == pytest.approx((0.5 + 0.01) / 2, abs=1e-6)


def test_every_sample_lies_in_a_window_even_at_the_end(tmp_path: Path) -> None:
    encoder = Loudness()
    timeline = scan(write(tmp_path / "a.wav", signal(10.4, (9.6, 10.4))), encoder)
    assert [s.stop for s in timeline.segments] == [round(10.4 * RATE)]
    assert encoder.lengths == [RATE] * 20, "19 on the grid and one flush with the end, all of full length"


def test_shorter_than_a_window(tmp_path: Path) -> None:
    encoder = Loudness()
    timeline = scan(write(tmp_path / "a.wav", signal(0.3, (0, 0.3))), encoder)
    assert encoder.lengths == [round(0.3 * RATE)]
    assert [(s.start, s.stop) for s in timeline.segments] == [(0, round(0.3 * RATE))]


def scripted(tmp_path: Path, probabilities: list[float], window_s: float = 1.0, **options: float) -> list[tuple]:
    """Segments, in hops of .5 s, of windows with these probabilities."""
    answers = iter(probabilities)

    class Script(Loudness):
        def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
            p = np.array([next(answers) for _ in waveforms])
            return np.stack([1 - p, p, 0 * p], 1), np.stack([0 * p, p, 0 * p], 1)

    path = write(tmp_path / "s.wav", signal(window_s + 0.5 * (len(probabilities) - 1)))
    segments = scan(path, Script(window_s, 0.5), **options).segments
    return [
        (round(s.start / RATE * 2 - 0.5 * (window_s == 1), 2), s.stop / RATE * 2 - 0.5 * (window_s == 1))
        for s in segments
    ]


def test_hysteresis_joins_a_run_and_needs_one_window_above_enter(tmp_path: Path) -> None:
    low, wavering = 0.1, [0.5, 0.5, 0.7, 0.7, 0.5, 0.45, 0.7, 0.7]
    assert scripted(tmp_path, [low] * 5 + wavering + [low] * 5, window_s=0.5) == [(5, 13)]
    assert scripted(tmp_path, [low] * 5 + [0.55] * 8 + [low] * 5, window_s=0.5) == []


def test_median_fills_a_gap_and_drops_an_outlier(tmp_path: Path) -> None:
    assert scripted(tmp_path, [0.0] * 4 + [0.9] * 3 + [0.0] + [0.9] * 3 + [0.0] * 4 + [0.9] + [0.0] * 4) == [(4, 11)]
    # A single event lies in two overlapping windows: a run of two must remain.
    assert scripted(tmp_path, [0.0] * 6 + [0.9] * 2 + [0.0] * 6) == [(6, 8)]


def test_short_segments_are_dropped(tmp_path: Path) -> None:
    row = [0.0] * 4 + [0.9] * 2 + [0.0] * 4 + [0.9] * 6 + [0.0] * 4
    assert scripted(tmp_path, row, window_s=0.5) == [(4, 6), (10, 16)]
    assert scripted(tmp_path, row, window_s=0.5, minimum_s=1.5) == [(10, 16)]


def test_memory_does_not_grow_with_the_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = 2000

    def peak_memory(parts: int) -> int:
        """Peak bytes of a scan of so many parts of 20 minutes, each with an event."""
        total = parts * 1200 * rate

        def blocks(length: int) -> Iterator[tuple[int, np.ndarray]]:
            for at in range(0, total, length):
                block = np.full((1, min(length, total - at)), 0.01, np.float32)
                position = np.arange(at, at + block.shape[1]) / rate
                block[:, (position % 1200 > 600) & (position % 1200 < 610)] = 0.5
                yield at, block

        info = SimpleNamespace(
            sample_rate=rate, channels=1, samples=total, duration_s=total / rate, stream=0, streams=1
        )
        file = SimpleNamespace(info=info, runs=lambda length: iter([blocks(length)]), gaps=())
        monkeypatch.setattr(audio, "MediaFile", lambda path, stream: file)
        tracemalloc.start()
        timeline = scan("long.wav", Loudness(), progress=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert timeline.duration == parts * 1200
        assert [round(s.start / rate) for s in timeline.segments] == [600 + 1200 * part for part in range(parts)]
        return peak

    # Probabilities and severities may grow; the audio of one hop is 4000 bytes, so storing it would be noticed.
    growth = (peak_memory(5) - peak_memory(1)) / (4 * 1200 / 0.5)
    assert growth < 400, f"{growth:.0f} bytes per window"


def test_the_release_encoder_scans_if_none_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, (1, 3 * RATE)))
    timeline = ca.scan(path)
    release = ca.load("release")
    assert timeline.labels == release.labels[1:]
    assert timeline == ca.scan(path, release)


def test_a_severity_may_be_unknown_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", signal(10, (2, 5)))

    class Odd(Loudness):
        probability, severity = 0.0, np.nan

        def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
            probabilities, severities = super().classify_windows(waveforms, sample_rate)
            return probabilities + self.probability, severities + self.severity

    (segment,) = scan(path, Odd()).segments
    (known,) = scan(path, Loudness()).segments
    assert segment == dataclasses.replace(known, severity=None)
    for name, value in (("probability", np.nan), ("probability", np.inf), ("severity", np.inf)):
        encoder = Odd()
        setattr(encoder, name, value)
        with pytest.raises(ParameterError, match=r"must return values in \[0, 1\]"):
            scan(path, encoder)


def test_wrong_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", signal(2))
    for options, match in (
        ({"channels": "left"}, '"mix".*"each".*"auto"'),
        ({"enter": 0.3, "leave": 0.4}, "0 < leave <= enter"),
        ({"minimum_s": -1.0}, "minimum_s=-1"),
        ({"batch": 0}, "batch=0"),
    ):
        with pytest.raises(ParameterError, match=match):
            scan(path, Loudness(), **options)
    with pytest.raises(ParameterError, match='must be "clean"'):
        scan(path, Loudness(labels=("loud", "clean", "dark")))
    with pytest.raises(ParameterError, match=r"shape \(3, 3\)"):
        scan(path, Loudness(labels=("clean", "loud")))
    with pytest.raises(ParameterError, match="hop_s <= window_s"):
        scan(path, Loudness(window_s=0.2))
    monkeypatch.setattr(audio.MediaFile, "blocks", lambda *_: iter(()))
    with pytest.raises(AudioError, match=r"a\.wav holds no audio"):
        scan(path, Loudness())


def test_gaps_of_a_file_are_not_classified_and_not_spanned(tmp_path: Path) -> None:
    path, rate = tmp_path / "a.mkv", 48_000
    sound = np.full((1, 30 * rate), 0.5, np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=rate, layout="mono")
        for start in range(0, sound.shape[1], rate // 10):
            if not 8 * rate <= start < 20 * rate:
                part = av.AudioFrame.from_ndarray(sound[:, start : start + rate // 10], "flt", "mono")
                part.sample_rate, part.pts = rate, start
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    encoder = Loudness()
    timeline = scan(path, encoder)
    assert timeline.no_data == ((8 * rate, 20 * rate),)
    assert timeline.findings == (), "a gap is no digital silence"
    assert [(s.start, s.stop, s.confidence) for s in timeline.segments] == [
        (0, 8 * rate, 1.0),
        (20 * rate, 30 * rate, 1.0),
    ]
    assert timeline.samples == 30 * rate
    assert len(encoder.lengths) == 15 + 19


@pytest.mark.parametrize("right", [-1.0, -0.8])
def test_channels_out_of_phase_are_heard_and_reported(tmp_path: Path, right: float) -> None:
    loud = signal(20, (12, 20))
    stereo = np.concatenate([loud, np.where(np.arange(loud.shape[1]) < 4 * RATE, 1.0, right) * loud])
    stereo *= np.sign(np.sin(np.arange(loud.shape[1]) * 0.7))
    timeline = scan(write(tmp_path / "a.wav", stereo), Loudness())
    (segment,) = timeline.segments
    assert (segment.start / RATE, segment.stop / RATE) == (pytest.approx(12, abs=0.5), 20)
    ((start, stop),) = timeline.out_of_phase
    assert (start / RATE, stop / RATE) == (pytest.approx(4, abs=0.5), 20)
    in_phase = scan(write(tmp_path / "b.wav", np.abs(stereo) * np.sign(stereo[:1])), Loudness())
    assert in_phase.out_of_phase == ()
    assert in_phase.no_data == ()


def test_the_same_pass_measures_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    samples = rng.uniform(-0.4, 0.4, (2, 20 * RATE)) + 0.01
    samples[1] = -samples[0]
    samples[:, 5 * RATE : 6 * RATE] = 0
    samples[0, 12_345:12_350] = 0.9
    path = write(tmp_path / "a.wav", samples)
    decoded = []
    blocks = audio.MediaFile.blocks

    def counted(file: audio.MediaFile, *arguments: int) -> Iterator[tuple[int, np.ndarray]]:
        decoded.append(file)
        return blocks(file, *arguments)

    monkeypatch.setattr(audio.MediaFile, "blocks", counted)
    timeline = scan(path, Loudness())
    assert len(decoded) == 1, "no second decoding"
    assert timeline.measured is not None
    assert [(f.kind, f.start, f.stop, f.channel) for f in timeline.findings] == [
        ("digital clipping", 12_345, 12_350, 0),
        ("digital silence", 5 * RATE, 6 * RATE, None),
    ]
    assert timeline.measured.loudness_lufs == pytest.approx(audio.loudness(samples.astype(np.float32), RATE), abs=1e-9)
    assert [relation.kind for relation in timeline.measured.relations] == ["inverted"]
    for channels in ("mix", "each"):
        assert scan(path, Loudness(), channels=channels).measured == timeline.measured
