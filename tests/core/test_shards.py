"""Shards: together they are everything, each item once, in parts of about the same length; others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.core import shards
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.core.shards import Shard

LENGTHS = st.lists(st.floats(0, 1e5), max_size=40)


@given(lengths=LENGTHS, count=st.integers(1, 9))
def test_each_item_is_in_one_shard_and_in_order(lengths: list[float], count: int) -> None:
    items = list(enumerate(lengths))
    parts = [Shard(number, count).part(items, lambda item: item[1]) for number in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == items
    assert all(part == sorted(part) for part in parts)


@given(lengths=LENGTHS, count=st.integers(1, 9))
def test_no_shard_is_much_longer_than_the_mean_and_the_longest_item(lengths: list[float], count: int) -> None:
    costs = [length + 1 for length in lengths]
    loads = [0.0] * count
    for cost, number in zip(costs, Shard(1, count).numbers(lengths, float), strict=True):
        loads[number - 1] += cost
    assert max(loads) <= sum(costs) / count + max(costs, default=0) + 1e-6


@pytest.mark.parametrize("text", ["", "3", "3/", "/16", "0/16", "17/16", "-1/4", "1/0", "a/b", "3/16 ", "1/2/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="shard="):
        shards.parse(text)
    assert shards.parse("3/16") == Shard(3, 16)
    assert shards.parse(None) is None


def test_shards_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    about = {"encoder": "x", "channels": "mix"}

    def begun(shard: Shard, **more: str) -> None:
        with Journal(tmp_path / shard.journal) as journal:
            shards.begin(journal, about | more, shard)

    with pytest.raises(StorageError, match="holds no shards"):
        shards.joined(tmp_path, about)
    begun(Shard(1, 2))
    begun(Shard(1, 2))
    for shard in (Shard(1, 2), Shard(2, 2)):
        with pytest.raises(StorageError, match=r"shard-1-of-2.* encoder 'x' and not 'y'"):
            begun(shard, encoder="y")
    with pytest.raises(StorageError, match=r"shard-1-of-2.* shards 2 and not 3"):
        begun(Shard(2, 3))
    assert not (tmp_path / Shard(2, 3).journal).exists(), "what is refused is no shard"
    begun(Shard(2, 2))
    with pytest.raises(StorageError, match="channels 'mix' and not 'each'"):
        shards.joined(tmp_path, about | {"channels": "each"})
    assert shards.joined(tmp_path, about) == ([], Shard(2, 2))


def test_two_writers_of_a_shard(tmp_path: Path) -> None:
    with Journal(tmp_path / Shard(1, 2).journal), pytest.raises(StorageError, match=r"shard-1-of-2.* is in use"):
        Journal(tmp_path / Shard(1, 2).journal)
