"""The plan is a pure function of clips and settings, and each view depends only on its own clip."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError, UnknownNameError
from contrastive_artifacts.data.corpora import Clip
from contrastive_artifacts.data.dataset import DatasetSettings, make_plan

CLIPS = [Clip(id=f"clip{i:03d}.wav", source=f"s{i}") for i in range(200)]
THREE = ("hum", "hiss", "dropout")


def settings(**given: Any) -> DatasetSettings:
    return DatasetSettings(**{"artifacts": THREE, **given})


def test_views_do_not_depend_on_order_or_company() -> None:
    whole = {clip.key: clip for clip in make_plan(CLIPS, settings())}
    assert {clip.key: clip for clip in make_plan(CLIPS[::-1], settings())} == whole
    assert make_plan(CLIPS[7:8], settings()) == (whole["clip007"],)
    seeds = [view.seed for clip in whole.values() for view in clip.views]
    assert len(set(seeds)) == len(seeds) == 600
    fewer = make_plan(CLIPS[:1], settings(artifacts=("dropout",)))[0].views
    assert fewer == tuple(view for view in whole["clip000"].views if view.artifact == "dropout")
    other = make_plan(CLIPS[:1], settings(seed=1))[0].views
    assert not {view.seed for view in other} & {view.seed for view in whole["clip000"].views}


def test_drawn_severities_are_uniform_over_their_range() -> None:
    drawn = [v.severity for clip in make_plan(CLIPS, settings(severity=(0.2, 0.8))) for v in clip.views]
    assert 0.2 <= min(drawn) < 0.22
    assert 0.78 < max(drawn) <= 0.8
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.03)
    assert np.std(drawn) == pytest.approx(0.6 / np.sqrt(12), rel=0.1)


def test_a_list_of_severities_is_a_ladder_with_equal_chance() -> None:
    ladder = make_plan(CLIPS[:1], settings(severities=(0.2, 0.8), span=(0.3, 0.6)))[0].views
    assert [(v.artifact, v.severity, v.number) for v in ladder] == [
        (name, severity, number) for name in THREE for number, severity in enumerate((0.2, 0.8))
    ]
    for low, high in zip(ladder[::2], ladder[1::2], strict=True):
        assert dataclasses.replace(high, severity=low.severity, number=low.number) == low
    longer = make_plan(CLIPS[:1], settings(severities=(0.2, 0.5, 0.8), span=(0.3, 0.6)))[0].views
    assert {v.seed for v in longer} == {v.seed for v in ladder}


def test_a_number_of_views_is_even_over_the_artifacts() -> None:
    plan = make_plan(CLIPS, settings(views_per_clip=4))
    for clip in plan:
        counts = Counter(view.artifact for view in clip.views)
        assert sum(counts.values()) == 4
        assert set(counts.values()) == {1, 2}
        assert len({view.seed for view in clip.views}) == 4
    twice = Counter(name for clip in plan for name, n in Counter(v.artifact for v in clip.views).items() if n == 2)
    assert min(twice[name] for name in THREE) > 40  # of 200 / 3: drawn for each clip, not always the first


def test_crops_lie_each_in_its_part_of_the_clip() -> None:
    plan = make_plan(CLIPS, settings(clip_s=1.0, crops=4))
    assert [clip.key for clip in plan[:4]] == ["clip000_c0", "clip000_c1", "clip000_c2", "clip000_c3"]
    places = np.array([clip.crop for clip in plan], dtype=float).reshape(-1, 4)
    for part in range(4):
        assert places[:, part].min() >= part / 4
        assert places[:, part].max() < (part + 1) / 4
        assert places[:, part].std() > 0.05
    assert len({view.seed for clip in plan for view in clip.views}) == 200 * 4 * 3


def test_names_of_files_are_plain_and_never_shared() -> None:
    ids = ["a/b.wav", "a__b.wav", "A/b.flac", "../x.y.wav", "été 1.wav", "l" * 300 + ".wav", ".wav", "1-100032-A-0"]
    keys = [clip.key for clip in make_plan([Clip(id=i, source=i) for i in ids], settings())]
    assert len({key.casefold() for key in keys}) == len(ids)
    assert keys[0].startswith("a__b_")
    assert keys[-1] == "1-100032-A-0"
    for key in keys:
        assert "." not in key
        assert "/" not in key
        assert 0 < len(key.encode()) <= 130


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"artifacts": ()}, ParameterError, "one name or more"),
        ({"artifacts": ("hum", "hum")}, ParameterError, "none twice"),
        ({"artifacts": ("huum",)}, UnknownNameError, "hum"),
        ({"severities": (0.5, 1.5)}, ParameterError, "1.5"),
        ({"severities": ()}, ParameterError, "nothing to render"),
        ({"severities": (0.5, 0.5)}, ParameterError, "twice"),
        ({"severity": (0.9, 0.1)}, ParameterError, "range within"),
        ({"span": (0.0, 0.5)}, ParameterError, "share of the clip"),
        ({"clip_s": -1.0}, ParameterError, "length in seconds"),
        ({"crops": 2}, ParameterError, "with clip_s"),
        ({"views_per_clip": 0}, ParameterError, "1 or more"),
    ],
)
def test_settings_out_of_range_are_named(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        settings(**given)
