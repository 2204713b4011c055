"""Views of a crop: labels are what was rendered, and every view can be rendered again."""

from __future__ import annotations

import numpy as np
import pytest
from figure_views import RATE, Tones, small, tones

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.core import seeding
from contrastive_artifacts.core.errors import ParameterError, UnknownNameError
from contrastive_artifacts.data.corpora.builtin import builtin
from contrastive_artifacts.data.figures import Recipe, block_views
from contrastive_artifacts.data.figures.arrays import block_arrays
from contrastive_artifacts.data.figures.views import _crop, clip_of
from contrastive_artifacts.data.views.rendering import tilt_and_level
from contrastive_artifacts.models.detail.figures import FRAME_S
from contrastive_artifacts.models.slow import slow_figures
from contrastive_artifacts.models.traces import trace_figures


@pytest.fixture
def corpus() -> Tones:
    return tones("a", "bb", "ccc")


def chain(params):
    return params["parameters"].get("chain", [params])


@pytest.mark.parametrize("varied", [False, True])
def test_views_replay_from_their_params_and_labels_are_what_changed_the_sound(varied):
    corpus = builtin(0, 3, 2.0, RATE)
    recipe = Recipe(window_s=1.6, damaged=8, delivered=0.0, upsampled=0.0, varied=varied, barely=0.3)
    for block in range(2):
        views = block_views(corpus, corpus.clips, recipe, block)
        crop, rate, start, window, _ = _crop(corpus, corpus.clips, clip_of(block, 3, recipe.seed), recipe, block)
        assert not views[0].severities
        assert not views[0].barely
        for place, view in enumerate(views):
            assert (view.start, view.offset, view.sample_rate) == (start + window.start, window.start, rate)
            again = artifacts.replay_view(crop, rate, view.params)
            if view.barely:
                assert not view.severities
                assert chain(view.params)[0]["severity"] == 0
                continue
            finish = seeding.generator(recipe.seed, "figures", block, place, "finish")
            np.testing.assert_array_equal(view.context, tilt_and_level(again.waveform, rate, finish))
            np.testing.assert_array_equal(view.waveform, view.context[window])
            rendered = {step["artifact"]: step["severity"] for step in chain(view.params)} if place else {}
            assert view.severities.items() <= rendered.items()
            assert all(len(view.segments[name]) for name in view.severities)
            inside = (again.segments[:, 0] < window.stop) & (again.segments[:, 1] > window.start)
            assert bool(view.severities) == inside.any()


def test_a_barely_view_changes_a_quarter_of_what_severity_0_does(corpus):
    recipe = small(names=("hiss", "hum"), barely=1.0)
    views = block_views(corpus, corpus.clips, recipe, 0)
    crop, rate, _, _, _ = _crop(corpus, corpus.clips, clip_of(0, 3, 0), recipe, 0)
    for place, view in enumerate(views[1:], start=1):
        change = artifacts.replay(crop, rate, view.params) - crop
        finish = seeding.generator(recipe.seed, "figures", 0, place, "finish")
        expected = tilt_and_level(crop + np.float32(10 ** (-12 / 20)) * change, rate, finish)
        np.testing.assert_allclose(view.context, expected, atol=1e-6)


def test_delivered_views_are_the_rendered_ones_after_delivery(corpus):
    """At a share of .5 some views are as rendered, and the others within what a delivery changes; labels are equal."""
    rendered, delivered = (block_views(corpus, corpus.clips, small(damaged=20, delivered=d), 0) for d in (0.0, 0.5))
    same = 0
    for before, after in zip(rendered, delivered, strict=True):
        assert (before.severities, before.params, before.start) == (after.severities, after.params, after.start)
        same += np.array_equal(before.context, after.context)
        scale = np.dot(after.context, before.context) / np.dot(before.context, before.context)
        assert np.square(after.context - scale * before.context).mean() < 0.1 * np.square(after.context).mean()
    assert 4 <= same <= 17


def test_the_frames_of_clicks_stand_where_the_clicks_are(corpus):
    """The largest second difference of a frame, relative to its median, is raised in the marked frames only."""
    recipe = small(names=("clicks",), counts=(1.0,), barely=0.0, spliced=0.0, severity=(0.5, 1.0), damaged=4)
    for block in range(3):
        views = block_views(corpus, corpus.clips, recipe, block)
        values = block_arrays(views, recipe)
        active = np.unpackbits(values["active"], axis=2, count=1)[..., 0].astype(bool)
        assert not active[0].any()
        for row in range(1, len(views)):
            start, stop = values["spans"][row, 0]
            hop = FRAME_S * RATE
            assert (np.flatnonzero(active[row])[[0, -1]] == [start // hop, (stop - 1) // hop]).all()
            raised = values["frames"][row, :, 6] > values["frames"][row, :, 6].min() + 1  # 20 dB
            beside = active[row] | np.roll(active[row], 1) | np.roll(active[row], -1)
            assert not (raised & ~beside).any()
            strongest = values["frames"][row, :, 6].argmax()
            assert active[row, strongest]


def test_a_fault_beside_a_view_is_in_its_context_and_not_among_its_labels(corpus):
    recipe = small(names=("splice",), counts=(1.0,), barely=0.0, spliced=0.0, severity=(1.0, 1.0), damaged=30)
    clean, *damaged = block_views(corpus, corpus.clips, recipe, 0)
    assert len(clean.waveform) == 1.6 * RATE
    assert len(clean.context) == 3 * RATE
    assert {bool(view.severities) for view in damaged} == {True, False}
    crop, rate, _, window, _ = _crop(corpus, corpus.clips, clip_of(0, 3, 0), recipe, 0)
    for view in damaged:
        (start, stop), *_ = artifacts.replay_view(crop, rate, view.params).segments
        assert bool(view.severities) == (start < window.stop and stop > window.start)
        assert view.segments.keys() == view.severities.keys()


def test_the_slow_figures_of_a_view_are_those_of_its_context(corpus):
    recipe = small()
    views = block_views(corpus, corpus.clips, recipe, 0)
    values = block_arrays(views, recipe)
    for row, view in enumerate(views):
        np.testing.assert_array_equal(values["slow"][row], slow_figures(view.context, RATE))
        np.testing.assert_array_equal(values["traces"][row], trace_figures(view.waveform, RATE))


def test_a_clip_shorter_than_a_context_gives_all_that_it_has(corpus):
    short = builtin(0, 2, 1.0, RATE)
    (view, *_) = block_views(short, short.clips, small(), 0)
    assert len(view.context) == len(view.waveform) == 1.6 * RATE
    (view, *_) = block_views(corpus, corpus.clips, small(context_s=2.0), 0)
    assert len(view.context) == 2 * RATE


def test_columns_hold_the_labels_of_the_views():
    corpus = builtin(0, 2, 2.0, RATE)
    recipe = small(damaged=10, counts=(0.2, 0.4, 0.4))
    views = block_views(corpus, corpus.clips, recipe, 0)
    values = block_arrays(views, recipe)
    for row, view in enumerate(views):
        names = {recipe.names[column] for column in np.flatnonzero(values["labels"][row])}
        assert names == set(view.severities)
        marked = np.unpackbits(values["active"][row], axis=1, count=len(recipe.names)).any(0)
        assert {recipe.names[column] for column in np.flatnonzero(marked)} == names
        for name in names:
            column = recipe.names.index(name)
            assert values["severities"][row, column] == np.float32(view.severities[name])
            start, stop = values["spans"][row, column]
            assert 0 <= start < stop <= len(view.waveform)
    families = [[artifacts.artifact(name).family for name in view.severities] for view in views]
    assert max(map(len, families)) > 1
    assert all(len(set(row)) == len(row) for row in families)


def test_a_pass_visits_every_clip_once():
    assert sorted(clip_of(block, 7, 0) for block in range(7, 14)) == list(range(7))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window_s": 1.0}, "window_s"),
        ({"context_s": 4.0}, "context_s"),
        ({"context_s": 61.0}, "context_s"),
        ({"damaged": 0}, "damaged"),
        ({"delivered": 1.1}, "delivered"),
        ({"counts": ()}, "counts"),
        ({"counts": (0.0,)}, "counts"),
        ({"barely": 2.0}, "barely"),
        ({"names": ("wow_flutter",)}, "below severity 0"),
        ({"severity": (0.5, 0.2)}, "severity"),
        ({"spliced": -1.0}, "spliced"),
    ],
)
def test_a_recipe_out_of_range_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        Recipe(**changes)


def test_an_unknown_fault_is_refused():
    with pytest.raises(UnknownNameError, match="hum"):
        Recipe(names=("humm",))


def test_by_default_all_faults_that_one_channel_shows_are_rendered():
    assert Recipe().names == taxonomy.detectable("all")
    assert {"hiss", "dropout"} <= set(Recipe().scalable)
    assert not {"skip", "wow_flutter", "stutter"} & set(Recipe().scalable)
