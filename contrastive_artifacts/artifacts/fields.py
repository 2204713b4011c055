"""Allowed values of artifact parameters: a field checks one JSON value, and its error says what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.errors import ParameterError


class Field(Protocol):
    """Checks one value of a JSON object; ``where`` names it in the message."""

    def check(self, value: Any, where: str) -> None: ...


@dataclass(frozen=True)
class Number:
    """A finite number in [low, high]; ``unit`` is for messages only."""

    low: float
    high: float
    unit: str = ""

    def check(self, value: Any, where: str) -> None:
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        # Values at the ends of the range are drawn, too: they must not be refused for a rounding error.
        slack = 1e-9 * max(abs(self.low), abs(self.high))
        if not good or not self.low - slack <= value <= self.high + slack:
            unit = f" {self.unit}" if self.unit else ""
            raise ParameterError(f"{where} is {value!r}; give a number from {self.low:g} to {self.high:g}{unit}.")


@dataclass(frozen=True)
class Whole:
    """An integer in [low, high]."""

    low: int
    high: int

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ParameterError(f"{where} is {value!r}; give an integer from {self.low} to {self.high}.")


@dataclass(frozen=True)
class Choice:
    """One of a few strings or numbers."""

    options: tuple[str | int, ...]

    def check(self, value: Any, where: str) -> None:
        if isinstance(value, bool) or value not in self.options:
            raise ParameterError(f"{where} is {value!r}; give one of {', '.join(map(repr, self.options))}.")


@dataclass(frozen=True)
class Rows:
    """A list of 1 to ``most`` lists, each with one value per column."""

    columns: Mapping[str, Number]
    most: int

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, list) or not 1 <= len(value) <= self.most:
            raise ParameterError(f"{where} is {value!r}; give a list of 1 to {self.most} rows.")
        for index, row in enumerate(value):
            if not isinstance(row, list) or len(row) != len(self.columns):
                raise ParameterError(f"{where}[{index}] is {row!r}; give [{', '.join(self.columns)}].")
            for (name, column), item in zip(self.columns.items(), row, strict=True):
                column.check(item, f"{where}[{index}] {name}")


SEED = Whole(0, 2**31 - 1)


def check_fields(params: Any, fields: Mapping[str, Field], where: str) -> None:
    """Checks a JSON object: it has every field, no other one, and each value is in its range.

    Raises:
        ParameterError: a parameter is missing, unknown or out of range.
    """
    if not isinstance(params, Mapping):
        raise ParameterError(f"The parameters of {where} are {params!r}; give an object with {', '.join(fields)}.")
    missing, unknown = [k for k in fields if k not in params], [k for k in params if k not in fields]
    if missing or unknown:
        raise ParameterError(
            f"The parameters of {where} lack {missing or 'nothing'} and hold unknown {unknown or 'nothing'}; "
            f"give exactly {', '.join(fields)}."
        )
    for name, field in fields.items():
        field.check(params[name], f"{where}: {name}")
