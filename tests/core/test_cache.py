"""The byte-bounded cache: its limits, the order in which values are dropped, and copies in other processes."""

from __future__ import annotations

import copy
from collections import OrderedDict

import numpy as np

from contrastive_artifacts.core.cache import ByteCache


def test_bytes_and_count_are_bounded():
    cache: ByteCache[bytes] = ByteCache(100, most=3)
    for n in range(50):
        cache.put(n % 7, bytes(40), 40)
        assert cache.bytes <= 100
    assert cache.put("big", bytes(500), 500) == cache.get("big"), "the newest value is stored even if it is larger"
    assert len(cache) == 1
    for n in range(5):
        cache.put(n, b"", 0)
    assert (len(cache), cache.get(0), cache.get(4), cache.bytes) == (3, None, b"", 0)


def test_the_same_values_stay_as_in_a_plain_ordered_dictionary():
    rng = np.random.default_rng(0)
    cache: ByteCache[int] = ByteCache(100)
    reference: OrderedDict[int, int] = OrderedDict()
    for key, size in zip(rng.integers(12, size=2000), rng.integers(60, size=2000), strict=True):
        if key in reference:
            reference.move_to_end(key)
        else:
            reference[key] = size
            while sum(reference.values()) > 100 and len(reference) > 1:
                reference.popitem(last=False)
        if cache.get(key) is None:
            cache.put(key, int(size), int(size))
        assert (len(cache), cache.bytes) == (len(reference), sum(reference.values()))


def test_a_limit_of_zero_stores_the_last_value_only():
    cache: ByteCache[str] = ByteCache(0)
    cache.put("a", "x", 1)
    cache.put("b", "y", 1)
    assert (cache.get("a"), cache.get("b")) == (None, "y")


def test_a_copy_for_another_process_starts_empty_with_the_same_limits():
    cache: ByteCache[str] = ByteCache(10, most=2)
    cache.put("a", "x", 1)
    other = copy.deepcopy(cache)
    assert (len(other), other.limit, other.most) == (0, 10, 2)
