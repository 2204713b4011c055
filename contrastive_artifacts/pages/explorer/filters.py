"""The rows that the page shows, as it sent them: searches and exports follow its filters exactly."""

from __future__ import annotations

import itertools
from collections import OrderedDict

import numpy as np

from ...core.errors import ParameterError

_STORED = 8  # filters; the page sends one again that is no longer stored


class Filters:
    """The last filters of the page, by number.

    Args:
        count: Number of rows of the collection.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._numbers = itertools.count(1)
        self._stored: OrderedDict[int, np.ndarray] = OrderedDict()

    def add(self, bits: bytes) -> int:
        """Stores a filter and returns its number.

        Args:
            bits: A bit for each row, 1 where it is shown, the lowest bit of a byte first.

        Raises:
            ParameterError: another number of bytes than the rows need.
        """
        if len(bits) != -(-self.count // 8):
            raise ParameterError(f"A filter of {self.count} rows has {-(-self.count // 8)} bytes, not {len(bits)}.")
        shown = np.unpackbits(np.frombuffer(bits, np.uint8), count=self.count, bitorder="little")
        number = next(self._numbers)
        self._stored[number] = np.flatnonzero(shown)
        while len(self._stored) > _STORED:
            self._stored.popitem(last=False)
        return number

    def rows(self, number: int | None) -> np.ndarray | None:
        """The rows that a filter shows, ascending; None, for all, without a number.

        Raises:
            ParameterError: the filter is no longer stored.
        """
        if number is None:
            return None
        rows = self._stored.get(number)
        if rows is None:
            raise ParameterError("This filter is no longer stored; change it or load the page again.")
        return rows
