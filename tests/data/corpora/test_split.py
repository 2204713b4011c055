"""No source on two sides, shares near what was asked, the same split whatever the order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import ParameterError, SplitError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Clip


def clips_of(sizes: list[int], categories: int = 1, folds: int = 5) -> list[Clip]:
    return [
        Clip(f"{source}-{take}", f"s{source}", f"c{source % categories}", source % folds + 1)
        for source, size in enumerate(sizes)
        for take in range(size)
    ]


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=60),
    categories=st.integers(1, 5),
    seed=st.integers(0, 5),
    shuffle=st.randoms(use_true_random=False),
)
def test_a_source_is_never_on_two_sides(sizes: list[int], categories: int, seed: int, shuffle: object) -> None:
    clips = clips_of(sizes, categories)
    sides = corpora.split(clips, seed=seed)
    assert list(sides) == ["train", "validation", "test"]
    assert all(sides.values())
    assert Counter(clip.id for side in sides.values() for clip in side) == Counter(clip.id for clip in clips)
    where = [{clip.source for clip in side} for side in sides.values()]
    assert sum(map(len, where)) == len(set.union(*where))
    mixed = list(clips)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    again = corpora.split(mixed, seed=seed)
    assert all({c.id for c in again[side]} == {c.id for c in sides[side]} for side in sides)


def test_shares_are_met_over_all_and_within_each_category() -> None:
    clips = clips_of([1, 2, 3, 1, 1, 4] * 40, categories=4)
    for side, members in corpora.split(clips).items():
        share = {"train": 0.7, "validation": 0.15, "test": 0.15}[side]
        assert len(members) == pytest.approx(share * len(clips), abs=3)
        in_side, overall = Counter(c.category for c in members), Counter(c.category for c in clips)
        assert all(in_side[name] == pytest.approx(share * overall[name], abs=4) for name in overall)


def test_single_clips_of_many_categories_are_shared_out_too() -> None:
    clips = clips_of([1] * 100, categories=100)
    assert [len(side) for side in corpora.split(clips).values()] == pytest.approx([70, 15, 15], abs=1)


def test_another_seed_gives_another_split() -> None:
    clips = clips_of([1] * 50)
    assert corpora.split(clips, seed=0) == corpora.split(clips, seed=0)
    assert corpora.split(clips, seed=0) != corpora.split(clips, seed=1)
    two = corpora.split(clips, {"a": 0.5, "b": 0.5})
    assert [len(two["a"]), len(two["b"])] == [25, 25]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(SplitError, match="2 sources cannot fill 3 sides"):
        corpora.split(clips_of([5, 5]))
    with pytest.raises(SplitError, match="0 sources"):
        corpora.split([])
    with pytest.raises(SplitError, match="'x' has no source"):
        corpora.split([*clips_of([1, 1, 1]), Clip("x", "")])
    for fractions in ({"train": 0.7, "test": 0.2}, {"train": 1.2, "test": -0.2}, {}):
        with pytest.raises(ParameterError, match="sum to 1"):
            corpora.split(clips_of([1] * 9), fractions)


def test_split_by_official_folds() -> None:
    clips = clips_of([2] * 20)
    sides = corpora.split_folds(clips, test=5, validation=4)
    assert {side: {c.fold for c in members} for side, members in sides.items()} == {
        "train": {1, 2, 3},
        "validation": {4},
        "test": {5},
    }


def test_folds_that_leak_or_are_missing_are_refused() -> None:
    clips = clips_of([2] * 20)
    with pytest.raises(SplitError, match=r"'s0' is in the folds \[1, 2\]"):
        corpora.split_folds([*clips, Clip("x", "s0", fold=2)], 5, 4)
    with pytest.raises(SplitError, match="'x' has no fold"):
        corpora.split_folds([*clips, Clip("x", "other")], 5, 4)
    with pytest.raises(SplitError, match=r"No clip is left for test with test=9"):
        corpora.split_folds(clips, 9, 4)
    with pytest.raises(ParameterError, match="at once"):
        corpora.split_folds(clips, 4, 4)
