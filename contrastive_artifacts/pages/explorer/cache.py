"""What was used last, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteCache(Generic[T]):
    """Values by key, the least recently used dropped first; for several threads.

    Args:
        limit: Bytes of all values together; the newest one is kept even where it alone is larger.
        most: Number of values.
    """

    def __init__(self, limit: int, most: int = 4096) -> None:
        self.limit, self.most = limit, most
        self.bytes = 0
        self._items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Hashable) -> T | None:
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key][0]

    def put(self, key: Hashable, value: T, size: int) -> T:
        """Keeps a value of ``size`` bytes; returns it."""
        with self._lock:
            self.bytes += size - self._items.pop(key, (None, 0))[1]
            self._items[key] = (value, size)
            while len(self._items) > 1 and (self.bytes > self.limit or len(self._items) > self.most):
                self.bytes -= self._items.popitem(last=False)[1][1]
        return value
