"""Views: same crop in every state, one finishing path, the same batch whatever asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.core.errors import CorpusError, ParameterError, UnknownNameError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.views import (
    ClipCache,
    TrainingBatches,
    ViewSettings,
    cut_window,
    evaluation_views,
    stack,
    tilt_and_level,
    window_start,
)
from contrastive_artifacts.embedding.table import make_table, read_table, view_row, write_table

STATES = ("clean", "hiss", "hum", "clicks", "clipping", "dropout", "wow_flutter")
SETTINGS = ViewSettings(STATES, 0.5, 16000)


class Memory(Corpus):
    """Clips held in memory; what is None cannot be read."""

    def __init__(self, waveforms: dict[str, np.ndarray | None], rate: int = 16000) -> None:
        super().__init__("memory", [Clip(name, name) for name in waveforms])
        self.waveforms, self.rate = waveforms, rate

    def load(self, clip: Clip) -> tuple[np.ndarray, int]:
        if self.waveforms[clip.id] is None:
            raise CorpusError(f"{clip.id} cannot be read")
        return self.waveforms[clip.id], self.rate


def noise(seed: int, seconds: float = 1.0, rate: int = 16000) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (1, int(seconds * rate))).astype(np.float32)


def test_a_batch_holds_every_source_in_every_state(small_corpus):
    batch = TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 3, 2, seed=0)[0]
    assert batch.waveforms.shape == (21, 8000)
    assert batch.states.tolist() == list(range(7)) * 3
    assert batch.sources.tolist() == [0] * 7 + [1] * 7 + [2] * 7
    assert (batch.severities[batch.states == 0] == 0).all()
    assert np.isfinite(batch.waveforms).all()
    assert np.abs(batch.waveforms).max() <= 1


def test_a_batch_depends_on_seed_and_step_alone(small_corpus):
    first = TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 3, 9, seed=0)
    second = TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 3, 9, seed=0)
    first[0], first[1]  # what was asked for before does not matter
    for ours, theirs in zip(first[7], second[7], strict=True):
        assert np.array_equal(ours, theirs)
    other = TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 3, 9, seed=1)[7]
    assert not np.array_equal(first[7].waveforms, other.waveforms)
    assert not np.array_equal(first[7].waveforms, first[8].waveforms)


def test_an_epoch_shows_every_clip_once(small_corpus):
    batches = TrainingBatches(small_corpus, small_corpus.clips, SETTINGS, 4, 6, seed=0)
    seen = [
        clip.id
        for step in range(6)
        for clip, _ in list(zip(batches._clips_from(step * 4), range(4), strict=False))
        for clip in [clip[0]]
    ]
    assert sorted(seen[:12]) == sorted(c.id for c in small_corpus.clips) == sorted(seen[12:])
    assert seen[:12] != seen[12:]


def test_a_view_is_replayed_from_its_row(small_corpus, tmp_path: Path, monkeypatch):
    """The corpus and the row of the table on disk are enough for the samples that the artifact gave."""
    name = "contrastive_artifacts.data.views.rendering.tilt_and_level"  # tilt and level are in no row
    monkeypatch.setattr(name, lambda waveform, rate, rng: waveform[0])
    settings = ViewSettings(STATES, 0.5, 16000, spliced=0.5, native=True)
    rendered = list(evaluation_views(small_corpus, small_corpus.clips, settings, 5))
    rows = [view_row(view, STATES, small_corpus.name, "test", 0.5) for view in rendered]
    write_table(tmp_path / "views.parquet", make_table(rows, np.zeros((len(rows), 2), np.float32), "f", "s"))
    clips = {clip.id: clip for clip in small_corpus.clips}
    for row, view in zip(read_table(tmp_path / "views.parquet").to_pylist(), rendered, strict=True):
        waveform, rate = small_corpus.load(clips[row["clip"]])
        assert rate == row["sample_rate"]
        clean = cut_window(audio.mono(waveform)[None], row["start"], row["stop"] - row["start"])
        assert np.array_equal(artifacts.replay(clean, rate, json.loads(row["params"]))[0], view.native_waveform)


def test_level_is_no_cue():
    """Levels of clean and of loudly damaged views come from one distribution."""
    corpus = Memory({f"n{i}": noise(i) for i in range(40)})
    views = list(evaluation_views(corpus, corpus.clips, ViewSettings(("clean", "hum"), 0.5, 16000, (1, 1)), 0))
    levels = {s: [20 * np.log10(audio.rms(v.waveform[None])) for v in views if v.state == s] for s in (0, 1)}
    assert abs(np.mean(levels[0]) - np.mean(levels[1])) < 3 * np.std(levels[0]) / np.sqrt(20)
    assert np.std(levels[0]) > 4


def test_finishing_keeps_a_tone_where_it_is(tone):
    finished = tilt_and_level(tone, 44100, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(finished * np.hanning(len(finished))))
    assert abs(np.argmax(spectrum) * 44100 / len(finished) - 1000) < 2
    assert finished.shape == tone.shape[1:]


def test_silence_and_short_clips_survive():
    corpus = Memory({"silence": np.zeros((1, 16000), np.float32), "short": noise(0, 0.01), "one": noise(1)[:, :1]})
    views = list(evaluation_views(corpus, corpus.clips, SETTINGS, 0))
    assert len(views) == 21
    assert all(np.isfinite(v.waveform).all() and v.waveform.shape == (8000,) for v in views)
    assert not views[0].waveform.any()  # clean silence stays silent


def test_windows_are_extended_continuously_and_avoid_silence():
    ramp = np.arange(10, dtype=np.float32)[None]
    assert cut_window(ramp, 0, 14).tolist() == [[*range(10), 8, 7, 6, 5]]
    assert cut_window(ramp, 3, 4).tolist() == [[3, 4, 5, 6]]
    half = np.concatenate([np.zeros((1, 8000), np.float32), noise(0, 0.5)], axis=1)
    starts = [window_start(half, 2000, np.random.default_rng(i)) for i in range(50)]
    assert np.mean([s > 6000 for s in starts]) > 0.85
    assert window_start(half, 99999, np.random.default_rng(0)) == 0


def test_bad_clips_are_named_and_skipped():
    corpus = Memory({"a": noise(0), "bad": None, "b": noise(1)})
    batches = TrainingBatches(corpus, corpus.clips, SETTINGS, 2, 3, seed=0)
    assert all(len(set(batches[i].sources)) == 2 for i in range(3))
    assert list(batches.cache.bad) == ["bad"]
    broken = Memory({"x": None, "y": None})
    nothing = TrainingBatches(broken, broken.clips, SETTINGS, 2, 1, seed=0)
    with pytest.raises(CorpusError, match="cannot be read"):
        nothing[0]


def test_a_file_that_is_no_audio_is_skipped(tmp_path: Path):
    from contrastive_artifacts.data import corpora

    for i in range(3):
        audio.write(tmp_path / f"{i}.wav", noise(i), 16000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF not audio")
    corpus = corpora.create("folder", path=tmp_path)
    assert len(list(evaluation_views(corpus, corpus.clips, SETTINGS, 0))) == 3 * 7


def test_the_cache_drops_the_oldest():
    corpus = Memory({str(i): noise(i) for i in range(4)})
    cache = ClipCache(corpus, limit=2 * 64000)
    for clip in corpus.clips:
        cache.load(clip)
    assert [cache._decoded.get(clip.id) is not None for clip in corpus.clips] == [False, False, True, True]


@pytest.mark.parametrize(
    ("change", "error"),
    [({"states": ("hiss",)}, ParameterError), ({"states": ("clean", "hizz")}, UnknownNameError),
     ({"duration_s": 0}, ParameterError), ({"severity": (0.5, 0.2)}, ParameterError),
     ({"states": ("clean", "hiss", "hiss")}, ParameterError)],
)  # fmt: skip
def test_settings_are_checked(change, error):
    with pytest.raises(error):
        ViewSettings(**{"states": STATES, "duration_s": 1.0, "sample_rate": 16000, **change})


def test_stack_numbers_sources():
    corpus = Memory({"a": noise(0), "b": noise(1)})
    views = list(evaluation_views(corpus, corpus.clips, ViewSettings(("clean", "hiss"), 0.5, 16000), 0))
    assert stack(views).sources.tolist() == [0, 0, 1, 1]


def test_spliced_views_differ_inside_their_span_only():
    """Before the finishing path the view is the clean crop but for [onset, offset)."""
    corpus = Memory({f"n{i}": noise(i, rate=8000) for i in range(6)}, rate=8000)
    settings = ViewSettings(("clean", "hiss", "clipping"), 1.0, 16000, (0.8, 1.0), spliced=1.0, span=(0.2, 0.4))
    for view in evaluation_views(corpus, corpus.clips, settings, 0):
        onset, offset = view.span
        if not view.state:
            assert onset == offset == 0
            continue
        clean = cut_window(corpus.waveforms[view.clip.id], view.start, 8000)
        changed = np.flatnonzero(artifacts.replay(clean, 8000, view.params) != clean)
        start, stop = view.params["span"]
        assert 0.2 <= (stop - start) / 8000 <= 0.4
        assert 2 * start <= onset <= 2 * changed[0]  # samples at the encoder's rate, twice the native one
        assert 2 * changed[-1] < offset <= 2 * stop


def test_the_share_of_spliced_views_and_the_batch_that_carries_spans(small_corpus):
    settings = ViewSettings(("clean", "hum"), 0.5, 16000, spliced=0.5)
    views = list(evaluation_views(small_corpus, small_corpus.clips, settings, 0, draws=8))
    spliced = [view.params.get("span") is not None for view in views if view.state]
    assert 0.35 < np.mean(spliced) < 0.65
    whole = [view.span for view in views if view.state and "span" not in view.params]
    assert set(whole) == {(0, 8000)}
    assert stack(views).spans.tolist() == [list(view.span) for view in views]


def test_splicing_leaves_other_views_as_they_were(small_corpus):
    plain, half = (
        list(evaluation_views(small_corpus, small_corpus.clips[:4], ViewSettings(STATES, 0.5, 16000, spliced=s), 0))
        for s in (0.0, 0.5)
    )
    same = [np.array_equal(a.waveform, b.waveform) for a, b in zip(plain, half, strict=True)]
    assert same == ["span" not in view.params for view in half]


@pytest.mark.parametrize("wrong", [{"spliced": 1.5}, {"span": (0.0, 0.5)}, {"span": (0.6, 0.5)}, {"span": (0.5, 1.1)}])
def test_splices_are_checked(wrong):
    with pytest.raises(ParameterError, match="spliced"):
        ViewSettings(STATES, 1.0, 16000, **wrong)
