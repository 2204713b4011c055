"""Views: same crop in every state, one finishing path, the same batch whatever asks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.corpora import Clip, Corpus
from contrastive_artifacts.errors import CorpusError, ParameterError, UnknownNameError
from contrastive_artifacts.views import (
    ClipCache,
    TrainingBatches,
    ViewSettings,
    crop,
    evaluation_views,
    finish,
    render_views,
    stack,
    stretch,
)

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


def test_a_view_is_replayed_from_its_row(small_corpus):
    clip = small_corpus.clips[0]
    loaded = ClipCache(small_corpus).load(clip)
    for view in render_views(clip, loaded, SETTINGS, 5, "x"):
        clean = stretch(loaded[0], view.start, 8000)
        again = artifacts.render(STATES[view.state], clean, 16000, view.severity, view.params["seed"])
        assert np.array_equal(again.waveform, artifacts.replay(clean, 16000, view.params))


def test_level_is_no_cue():
    """Levels of clean and of loudly damaged views come from one distribution."""
    corpus = Memory({f"n{i}": noise(i) for i in range(40)})
    views = list(evaluation_views(corpus, corpus.clips, ViewSettings(("clean", "hum"), 0.5, 16000, (1, 1)), 0))
    levels = {s: [20 * np.log10(audio.rms(v.waveform[None])) for v in views if v.state == s] for s in (0, 1)}
    assert abs(np.mean(levels[0]) - np.mean(levels[1])) < 3 * np.std(levels[0]) / np.sqrt(20)
    assert np.std(levels[0]) > 4


def test_finishing_keeps_a_tone_where_it_is(tone):
    finished = finish(tone, 44100, 16000, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(finished * np.hanning(len(finished))))
    assert abs(np.argmax(spectrum) * 16000 / len(finished) - 1000) < 2
    assert len(finished) == 16000


def test_silence_and_short_clips_survive():
    corpus = Memory({"silence": np.zeros((1, 16000), np.float32), "short": noise(0, 0.01), "one": noise(1)[:, :1]})
    views = list(evaluation_views(corpus, corpus.clips, SETTINGS, 0))
    assert len(views) == 21
    assert all(np.isfinite(v.waveform).all() and v.waveform.shape == (8000,) for v in views)
    assert not views[0].waveform.any()  # clean silence stays silent


def test_stretch_is_continuous_and_crop_avoids_silence():
    ramp = np.arange(10, dtype=np.float32)[None]
    assert stretch(ramp, 0, 14).tolist() == [[*range(10), 8, 7, 6, 5]]
    assert stretch(ramp, 3, 4).tolist() == [[3, 4, 5, 6]]
    half = np.concatenate([np.zeros((1, 8000), np.float32), noise(0, 0.5)], axis=1)
    starts = [crop(half, 2000, np.random.default_rng(i)) for i in range(50)]
    assert np.mean([s > 6000 for s in starts]) > 0.85
    assert crop(half, 99999, np.random.default_rng(0)) == 0


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
    from contrastive_artifacts import corpora

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
    assert list(cache._items) == ["2", "3"]


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
