"""An LRU cache that is bounded by the bytes of its values."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class ByteCache(Generic[T]):
    """Values by key; the least recently used ones are dropped first. Safe to use from several threads.

    ``cachetools.LRUCache`` refuses a value larger than its limit and has one limit only. This class stores the newest
    value in any case, so that a value that was just computed can always be read back, and can limit the count as well.

    Args:
        limit: Bytes of all values together; exceeded only by a single value that is larger.
        most: Number of values; None for any number.
    """

    def __init__(self, limit: int, most: int | None = None) -> None:
        self.limit, self.most = limit, most
        self._sized: LRUCache[Hashable, tuple[T, int]] = LRUCache(float("inf"), getsizeof=lambda sized: sized[1])
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sized)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process (a worker of a ``DataLoader``) starts empty."""
        return type(self), (self.limit, self.most)

    @property
    def bytes(self) -> int:
        """Bytes of all values together."""
        return int(self._sized.currsize)

    def get(self, key: Hashable) -> T | None:
        """The value of ``key``, which becomes the most recently used one; None if it is not in the cache."""
        with self._lock:
            sized = self._sized.get(key)
            return None if sized is None else sized[0]

    def put(self, key: Hashable, value: T, size: int) -> T:
        """Stores a value of ``size`` bytes and returns it."""
        with self._lock:
            self._sized[key] = (value, size)
            while len(self._sized) > 1 and (
                self._sized.currsize > self.limit or (self.most is not None and len(self._sized) > self.most)
            ):
                self._sized.popitem()
        return value
