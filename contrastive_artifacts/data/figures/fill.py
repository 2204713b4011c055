"""Fills a cache of figures with all cores; a fill that was ended at any moment is continued by the next one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ...core import files
from ...core.errors import ArtifactsError, StorageError
from ...core.journal import Journal
from ...core.pool import Crashed, results
from ...models import backbones
from ...models.backbones import Backbone
from ..corpora import Clip, Corpus
from .arrays import block_arrays
from .cache import HEADER, JOURNAL, FigureCache, finished, key_of, make_header
from .recipe import Recipe
from .views import block_views

SYNC_BLOCKS = 16  # blocks that are written before the files are synced and the journal says so


def fill(
    folder: str | Path,
    corpus: Corpus,
    clips: Sequence[Clip],
    recipe: Recipe,
    blocks: int,
    workers: int | None = None,
    backbone: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] = lambda views: None,
) -> FigureCache:
    """Renders crops until ``blocks`` of them are in the cache, and opens it.

    Every crop gives ``recipe.rows`` views. The cache lies in a sub-folder named after its key: another recipe, corpus
    or version of the figures fills another cache, more blocks extend the same one. Values do not depend on the number
    of workers or on interruptions.

    Args:
        folder: Where caches are stored.
        corpus: Where the clips are loaded from.
        clips: Clips to cut crops from, one side of a split; the second clip that is mixed in is one of them, too.
        recipe: What is rendered.
        blocks: Number of crops.
        workers: Processes; default: as many as there are cores.
        backbone: Arguments of :func:`.backbones.create`: the frozen network that gives the column ``backbone``.
        progress: Called with the number of views of each finished block.

    Raises:
        WeightsError: the weights of the backbone are missing or do not match.
        StorageError: another process fills this cache, the disk is full, or nothing could be rendered.
    """
    section = None if backbone is None else json.dumps(dict(backbone))
    header = make_header(corpus, clips, recipe, _backbone(section))
    path = Path(folder) / key_of(header)
    with Journal(path / JOURNAL) as journal:
        if not (path / HEADER).exists():
            files.write_json(path / HEADER, header)
        done, _ = finished(journal.entries)
        remaining = [block for block in range(blocks) if block not in done]
        job = partial(_block, corpus, tuple(clips), recipe, section)
        with _Writer(path, header["columns"], journal) as writer:
            for block, outcome in results(job, remaining, workers or os.cpu_count() or 1):
                writer.add(block, outcome.problem if isinstance(outcome, Crashed) else outcome)
                progress(recipe.rows)
    return FigureCache.open(path)


def _backbone(section: str | None) -> Backbone | None:
    return None if section is None else backbones.create(**json.loads(section)).eval()


@lru_cache(maxsize=1)
def _frozen(section: str | None) -> Backbone | None:
    backbone = _backbone(section)
    return None if backbone is None else backbones.freeze(backbone)


def _block(
    corpus: Corpus, clips: Sequence[Clip], recipe: Recipe, backbone: str | None, block: int
) -> dict[str, np.ndarray] | str:
    """The values of a block, or why its clip cannot be rendered."""
    try:
        return block_arrays(block_views(corpus, clips, recipe, block), recipe, _frozen(backbone))
    except ArtifactsError as error:
        return str(error)


class _Writer:
    """Writes blocks into the files of the columns; the journal names a block only after its values are on the disk."""

    def __init__(self, folder: Path, layout: Mapping[str, object], journal: Journal) -> None:
        self.journal = journal
        self.blocks: list[int] = []
        self.problems: dict[str, str] = {}
        paths = {name: folder / f"{name}.bin" for name in layout}
        self.files = {
            name: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666) for name, path in paths.items()
        }
        files.fsync(folder)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.sync()
        finally:
            for descriptor in self.files.values():
                os.close(descriptor)

    def add(self, block: int, outcome: dict[str, np.ndarray] | str) -> None:
        if isinstance(outcome, str):
            self.problems[str(block)] = outcome
        else:
            for name, values in outcome.items():
                _write(self.files[name], values.tobytes(), block * values.nbytes)
        self.blocks.append(block)
        if len(self.blocks) >= SYNC_BLOCKS:
            self.sync()

    def sync(self) -> None:
        if self.blocks:
            for descriptor in self.files.values():
                os.fsync(descriptor)
            self.journal.add({"blocks": sorted(self.blocks), "problems": self.problems})
            self.blocks, self.problems = [], {}


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        try:
            count = os.pwrite(descriptor, view, offset)
        except OSError as error:
            raise StorageError(
                f"The cache of figures cannot be written ({error}); free space and fill again."
            ) from error
        view, offset = view[count:], offset + count
