"""A small generic registry: registering a name twice is an error, and the error of an unknown name lists close ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from .errors import ParameterError, UnknownNameError
from .suggestions import question

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind, in the order in which they were registered.

    Args:
        kind: What the items are ("artifact", "backbone"), for messages.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def register(self, name: str, item: T) -> T:
        """Adds ``item`` and returns it.

        Raises:
            ParameterError: the name is registered already.
        """
        if name in self._items:
            raise ParameterError(f"{self.kind} {name!r} is registered twice; choose another name.")
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> T:
        if name not in self._items:
            hint = question(str(name), self._items) or f"Known: {', '.join(self._items)}."
            raise UnknownNameError(f"There is no {self.kind} {name!r}. {hint}")
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def names(self) -> tuple[str, ...]:
        return tuple(self._items)
