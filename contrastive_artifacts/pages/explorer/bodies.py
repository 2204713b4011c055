"""Bodies of requests to the explorer's server."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from ...probes.labels import MOST_ROWS

_EXAMPLES = 1000  # rows that one search may be given
_NAMES = 200  # in a label


class ByRows(BaseModel):
    """Body of a search by rows."""

    like: list[int] = Field(min_length=1, max_length=_EXAMPLES)
    unlike: list[int] = Field([], max_length=_EXAMPLES)
    k: int = 12
    where: dict[str, list[Any]] | None = None
    others: bool = False
    filter: int | None = None  # see filters.py


class ByLabel(BaseModel):
    """Body of a search by label."""

    label: str = Field(min_length=1, max_length=200)
    k: int = 12
    filter: int | None = None


class BySpan(BaseModel):
    """Body of a search by a span of a row or of a query; seconds from its first sample."""

    row: int | None = None
    query: str | None = Field(None, max_length=64)
    start: float
    stop: float
    k: int = 12
    filter: int | None = None


class Changed(BaseModel):
    """Artifacts that are added to the labels of rows, and taken away."""

    add: list[str] = Field([], max_length=_NAMES)
    remove: list[str] = Field([], max_length=_NAMES)


class ByRowNumbers(BaseModel):
    """Body of a question about rows."""

    rows: list[int] = Field(min_length=1, max_length=MOST_ROWS)


class Labelled(BaseModel):
    """Body of an act of labelling."""

    rows: list[int] = Field(min_length=1, max_length=MOST_ROWS)
    action: str = Field(max_length=16)
    label: str = Field("", max_length=4000)
    change: Changed | None = None
    note: str = Field("", max_length=4000)


class Proposed(BaseModel):
    """Body of the agreement to a corrected probe."""

    proposal: int
