"""A cache of figures on disk: a header, a journal of finished blocks, and one raw file per column."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core import files
from ...core.errors import StorageError
from ...core.journal import read_entries
from ...models.backbones import Backbone
from ...models.fingerprint import fingerprint_of
from ..corpora import Clip, Corpus
from .arrays import VERSIONS, Columns, columns
from .recipe import Recipe

HEADER, JOURNAL = "header.json", "journal.jsonl"


def make_header(
    corpus: Corpus, clips: Sequence[Clip], recipe: Recipe, backbone: Backbone | None = None
) -> dict[str, Any]:
    """What the values of a cache depend on, and what is needed to read it: plain JSON."""
    header = {
        "recipe": asdict(recipe),
        "versions": dict(VERSIONS),
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint},
        "clips": [clip.id for clip in clips],
        "sources": [clip.source for clip in clips],
        "categories": [clip.category for clip in clips],
        "columns": columns(recipe, 0 if backbone is None else 3 * backbone.dim),
    }
    if backbone is not None:
        header["backbone"] = fingerprint_of(backbone, backbone.record)
    plain: dict[str, Any] = json.loads(json.dumps(header))
    return plain


def key_of(header: Mapping[str, Any]) -> str:
    """16 hex digits over a header: caches with equal keys hold equal values."""
    return hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class FigureCache:
    """The finished rows of a cache, memory-mapped: nothing is read before it is used.

    Attributes:
        folder: Where it is stored.
        header: See :func:`make_header`.
        arrays: Column -> ``[R, ...]``, read-only; see :func:`.arrays.columns`. Only the rows ``rows`` hold values.
        rows: Finished rows, int64, ascending: views of one crop follow each other, the clean one first.
        problems: Block that could not be rendered -> the reason.
    """

    folder: Path
    header: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    rows: np.ndarray
    problems: Mapping[int, str]

    @classmethod
    def open(cls, folder: str | Path) -> FigureCache:
        """Opens a cache, complete or not, also while it is being filled.

        Raises:
            StorageError: there is no cache in the folder, it is damaged, or no block is finished.
        """
        folder = Path(folder)
        header = files.read_json(folder / HEADER)
        blocks, problems = finished(read_entries(folder / JOURNAL))
        good = np.array(sorted(blocks - set(problems)), np.int64)
        if not len(good):
            raise StorageError(f"{folder} holds no finished block; fill it first.")
        size = 1 + int(header["recipe"]["damaged"])
        rows = (good[:, None] * size + np.arange(size)).reshape(-1)
        layout: Columns = {name: (dtype, tuple(shape)) for name, (dtype, shape) in header["columns"].items()}
        arrays = {name: _mapped(folder / f"{name}.bin", *layout[name], int(rows[-1]) + 1) for name in layout}
        return cls(folder, header, arrays, rows, problems)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The faults, in the order of the columns of ``labels``."""
        return tuple(self.header["recipe"]["names"])

    @property
    def crops(self) -> np.ndarray:
        """Number of the crop of each finished row, int64 ``[len(self)]``: equal for the views of one crop."""
        return self.rows // (1 + int(self.header["recipe"]["damaged"]))

    @property
    def sources(self) -> np.ndarray:
        """Source of each finished row, strings ``[len(self)]``; a split must not divide one."""
        return np.array(self.header["sources"])[self.arrays["clips"][self.rows]]

    def active(self, rows: np.ndarray) -> np.ndarray:
        """Whether each fault is there in each frame: bool ``[len(rows), N, K]``."""
        return np.unpackbits(self.arrays["active"][rows], axis=-1, count=len(self.names)).astype(bool)


def finished(entries: Sequence[Mapping[str, Any]]) -> tuple[set[int], dict[int, str]]:
    """All blocks in a journal, and the reasons of those that could not be rendered."""
    blocks = {block for entry in entries for block in entry["blocks"]}
    return blocks, {int(block): text for entry in entries for block, text in entry["problems"].items()}


def _mapped(path: Path, dtype: str, shape: tuple[int, ...], rows: int) -> np.ndarray:
    needed = rows * int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if not path.is_file() or path.stat().st_size < needed:
        raise StorageError(f"{path} is missing or shorter than its journal says; delete the folder and fill it again.")
    return np.memmap(path, dtype=dtype, mode="r", shape=(rows, *shape))
