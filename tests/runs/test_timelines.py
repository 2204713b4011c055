"""Rendered recordings differ from the clean ones where their events say, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.runs.timelines import RATE, RenderedTimeline, TimelineRecipe, rendered_timeline


class Noises(Corpus):
    def __init__(self, seed: int) -> None:
        super().__init__("noises", tuple(Clip(str(n), str(n), unknown=("hum",) if n == 0 else ()) for n in range(4)))
        self.seed = seed

    def load(self, clip: Clip) -> tuple[np.ndarray, int]:
        rng = np.random.default_rng((self.seed, int(clip.id)))
        return rng.normal(0, 0.05, (1, 4 * 22050)).astype(np.float32), 22050


RECIPE = TimelineRecipe(("dropout", "clicks", "hum"), 60.0, 6.0, seed=3)
CORPUS = Noises(0)


@pytest.fixture(scope="module")
def timeline() -> RenderedTimeline:
    return rendered_timeline([(CORPUS, CORPUS.clips)], RECIPE, 0)


def test_a_recording_has_its_length_and_events(timeline: RenderedTimeline) -> None:
    assert timeline.clean.shape == timeline.damaged.shape == (1, 60 * RATE)
    assert len(timeline.events) == len(timeline.severities) >= 4
    assert list(timeline.events) == sorted(timeline.events)
    assert {event.label for event in timeline.events} <= set(RECIPE.names)
    assert all(2 <= event.start_s < event.stop_s <= 58 for event in timeline.events)


def test_the_difference_lies_inside_the_events(timeline: RenderedTimeline) -> None:
    changed = np.abs(timeline.damaged - timeline.clean)[0] > 1e-6
    inside = np.zeros(changed.size, bool)
    for event in timeline.events:
        start, stop = round(event.start_s * RATE), round(event.stop_s * RATE)
        assert changed[start:stop].any(), event
        inside[max(0, start - 2) : stop + 2] = True
    assert not changed[~inside].any()


def test_replay_is_exact_and_numbers_differ(timeline: RenderedTimeline) -> None:
    again = rendered_timeline([(CORPUS, CORPUS.clips)], RECIPE, 0)
    np.testing.assert_array_equal(again.damaged, timeline.damaged)
    assert again.events == timeline.events
    assert not np.array_equal(rendered_timeline([(CORPUS, CORPUS.clips)], RECIPE, 1).clean, timeline.clean)


def test_what_clips_may_hold_is_stated(timeline: RenderedTimeline) -> None:
    assert timeline.unknown
    assert {event.label for event in timeline.unknown} == {"hum"}
    assert all(event.stop_s - event.start_s == pytest.approx(4, abs=0.06) for event in timeline.unknown)


def test_the_second_layer_lies_12_db_below() -> None:
    second = Noises(1)
    both = rendered_timeline([(CORPUS, CORPUS.clips), (second, second.clips)], RECIPE, 0)
    front = rendered_timeline([(CORPUS, CORPUS.clips)], RECIPE, 0)
    scale = np.vdot(both.clean, front.clean) / np.vdot(front.clean, front.clean)
    behind = both.clean - scale * front.clean
    ratio = 20 * np.log10(np.std(behind) / np.std(scale * front.clean))
    assert ratio == pytest.approx(-12, abs=0.5)


@pytest.mark.parametrize("change", [{"seconds": 10.0}, {"gap_s": 1.0}, {"span_s": (3.0, 2.0)}])
def test_bad_recipes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=r"span_s=.*give 30 s or more"):
        TimelineRecipe(("hum",), **change)  # type: ignore[arg-type]
