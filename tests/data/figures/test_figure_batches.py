"""Batches of cached views: whole crops, every view once an epoch, the values of the right rows."""

from __future__ import annotations

import numpy as np
import pytest
from figure_views import small, tones

from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.figures import CachedViews, fill


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caches")
    first, second = tones("a", "bb"), tones("a", "dddd")
    return [fill(folder, corpus, corpus.clips, small(), 3, workers=1) for corpus in (first, second)]


def test_an_epoch_has_every_view_in_whole_crops(caches):
    views = CachedViews(caches, cell=2)
    assert len(views) == 24
    batches = list(views.epoch(8, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(24))
    for batch in batches:
        assert len(batch) == 8
        assert (np.diff(batch.reshape(-1, 4), axis=1) == 1).all(), "the four views of a crop follow each other"
    again = list(views.epoch(8, np.random.default_rng(1)))
    assert not all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


def test_columns_are_those_of_the_rows(caches):
    views = CachedViews(caches, cell=2)
    index = np.array([20, 3, 13])
    batch = views.batch(index)
    for place, view in enumerate(index.tolist()):
        cache, row = caches[view // 12], view % 12
        np.testing.assert_array_equal(batch.figures.slow[place], cache.arrays["slow"][row])
        np.testing.assert_array_equal(batch.figures.frames[place], cache.arrays["frames"][row].astype(np.float32))
        np.testing.assert_array_equal(batch.faults[place], cache.arrays["labels"][row])
        np.testing.assert_array_equal(batch.active[place].any(0), cache.active(np.array([row]))[0].any(0))
    assert batch.figures.backbone.shape == (3, 0)


def test_faults_that_a_clip_may_hold_are_unknown_where_they_were_not_rendered(caches, monkeypatch):
    monkeypatch.setattr(taxonomy, "MAY_BRING", {})
    views = CachedViews(caches, cell=2, unknown=[[["hum"], []], [[], ["hum", "clipping"]]])
    everything = views.batch(np.arange(24))
    hum, clipping = views.names.index("hum"), views.names.index("clipping")
    for view in range(24):
        cache, row = caches[view // 12], view % 12
        clip = cache.header["clips"][cache.arrays["clips"][row]]
        expected = {"a": {hum} if view < 12 else set(), "bb": set(), "dddd": {hum, clipping}}[clip]
        rendered = set(np.flatnonzero(everything.faults[view]).tolist())
        assert set(np.flatnonzero(everything.unknown[view]).tolist()) == expected - rendered
    assert not CachedViews(caches, cell=2).batch(np.arange(24)).unknown.any()


def test_equal_names_in_two_caches_are_two_sources(caches):
    views = CachedViews(caches, cell=2)
    assert len(set(views.sources[:12]) & set(views.sources[12:])) == 0


def test_unlike_caches_are_refused(tmp_path, caches):
    corpus = tones("a")
    other = fill(tmp_path, corpus, corpus.clips, small(names=("hum", "clicks")), 1, workers=1)
    with pytest.raises(ParameterError, match="one recipe"):
        CachedViews([caches[0], other], cell=2)
    with pytest.raises(ParameterError, match="no cache"):
        CachedViews([], cell=2)


def test_what_a_fault_may_bring_along_is_unknown_beside_it(caches, monkeypatch):
    there = CachedViews(caches, cell=2).batch(np.arange(24)).faults.bool()
    often, other = there.sum(0).argsort(descending=True)[:2].tolist()
    assert (there[:, often] & ~there[:, other]).any()
    names = caches[0].names
    monkeypatch.setattr(taxonomy, "MAY_BRING", {names[often]: (names[other],), names[other]: ("no such fault",)})
    unknown = CachedViews(caches, cell=2).batch(np.arange(24)).unknown
    np.testing.assert_array_equal(unknown[:, other], there[:, often] & ~there[:, other])
    assert int(unknown.sum()) == int(unknown[:, other].sum())
