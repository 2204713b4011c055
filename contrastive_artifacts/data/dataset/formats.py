"""Layouts: the paths of the files of a dataset, and the files that describe it.

A layout divides a plan into jobs and writes the encoded files of a job. After a crash a job is either done or not.
"""

from __future__ import annotations

import io
import json
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ...core import files
from ...core.errors import ParameterError
from ...core.registry import Registry
from .manifest import SCHEMA
from .plan import PlannedClip

Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Clips that one process renders one after the other; ``name`` is unique in the plan."""

    name: str
    clips: tuple[PlannedClip, ...]


class Sink(ABC):
    """Writes the files of a job: for each clip first the clean file, then those of its views."""

    @abstractmethod
    def clean(self, row: Row, flac: bytes) -> None: ...

    @abstractmethod
    def view(self, row: Row, flac: bytes) -> None: ...


class Layout(ABC):
    """A way to arrange the files of a dataset.

    Attributes:
        lists_clean: Whether the clean file of a clip has a row of its own in the manifest.
        jobs_are: What a job is, in words.
    """

    lists_clean: ClassVar[bool] = True
    jobs_are: ClassVar[str] = "clips"

    @abstractmethod
    def jobs(self, plan: Sequence[PlannedClip]) -> list[Job]: ...

    @abstractmethod
    def file(self, job: Job, clip: PlannedClip, name: str, artifact: str) -> str:
        """Path of the file of a view, relative to the folder of the dataset."""

    @abstractmethod
    def clean_file(self, job: Job, clip: PlannedClip, name: str) -> str:
        """Path of the clean file that belongs to the view of that name."""

    @abstractmethod
    @contextmanager
    def open(self, folder: Path, job: Job) -> Iterator[Sink]: ...

    def container(self, file: str) -> str:
        """The file on disk that contains the file of a row: the shard, for tar."""
        return file

    def finish(self, folder: Path, rows: Sequence[Row]) -> None:  # noqa: B027 - most layouts write nothing more
        """Writes the files that describe the whole dataset."""


class Paired(Layout):
    """``clean/KEY-clean.flac`` and ``ARTIFACT/KEY-ARTIFACT-N.flac``."""

    def jobs(self, plan: Sequence[PlannedClip]) -> list[Job]:
        return [Job(clip.key, (clip,)) for clip in plan]

    def file(self, job: Job, clip: PlannedClip, name: str, artifact: str) -> str:
        return f"{artifact}/{name}.flac"

    def clean_file(self, job: Job, clip: PlannedClip, name: str) -> str:
        return self.file(job, clip, f"{clip.key}-clean", "clean")

    @contextmanager
    def open(self, folder: Path, job: Job) -> Iterator[Sink]:
        yield _Tree(folder)


class AudioFolder(Paired):
    """The same in one folder per split (``train`` if there is none), each with the ``metadata.csv`` of Hugging Face's
    AudioFolder: ``load_dataset("audiofolder", data_dir=...)`` gives ``audio`` and, from ``clean_file_name``, ``clean``
    (versions that support one file per row give its name). The loader expects ``file_name`` as the first column.
    """

    def file(self, job: Job, clip: PlannedClip, name: str, artifact: str) -> str:
        return f"{clip.split or 'train'}/{artifact}/{name}.flac"

    def finish(self, folder: Path, rows: Sequence[Row]) -> None:
        # A column that is empty in all rows of one split would have another type there, which the loader refuses.
        full = [name for name in SCHEMA.names if all(row[name] not in ("", None) for row in rows)]
        columns = [name for name in full if name not in ("file", "clean_file")]
        by_side: dict[str, list[list[Any]]] = {}
        for row in rows:
            side, _, file = row["file"].partition("/")
            clean = row["clean_file"].partition("/")[2]
            by_side.setdefault(side, []).append([file, clean, *(row[name] for name in columns)])
        for side, cells in by_side.items():
            files.write_csv(folder / side / "metadata.csv", [["file_name", "clean_file_name", *columns], *cells])


@dataclass(frozen=True)
class WebDataset(Layout):
    """Tar shards ``SPLIT-000000.tar`` (``data-`` if there is no split). A sample is a damaged view with its clean clip:
    ``NAME.flac``, ``NAME.clean.flac``, ``NAME.json`` (the row of the manifest), in this order.

    Args:
        views_per_tar: Largest number of views in a shard, exceeded only by a clip that has more: a clip is never
            divided.
    """

    views_per_tar: int = 256
    lists_clean: ClassVar[bool] = False
    jobs_are: ClassVar[str] = "tar files"

    def __post_init__(self) -> None:
        if self.views_per_tar < 1:
            raise ParameterError(f"views_per_tar={self.views_per_tar}: a tar file holds one view or more.")

    def jobs(self, plan: Sequence[PlannedClip]) -> list[Job]:
        by_side: dict[str, list[list[PlannedClip]]] = {}
        for clip in plan:
            shards = by_side.setdefault(clip.split or "data", [[]])
            if shards[-1] and sum(len(c.views) for c in [*shards[-1], clip]) > self.views_per_tar:
                shards.append([])
            shards[-1].append(clip)
        return [
            Job(f"{side}-{number:06d}.tar", tuple(clips))
            for side, shards in by_side.items()
            for number, clips in enumerate(shards)
        ]

    def file(self, job: Job, clip: PlannedClip, name: str, artifact: str) -> str:
        return f"{job.name}/{name}.flac"

    def clean_file(self, job: Job, clip: PlannedClip, name: str) -> str:
        return f"{job.name}/{name}.clean.flac"

    @contextmanager
    def open(self, folder: Path, job: Job) -> Iterator[Sink]:
        with ExitStack() as stack:
            yield _Tar(folder / job.name, stack)

    def container(self, file: str) -> str:
        return file.partition("/")[0]


class _Tree(Sink):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def clean(self, row: Row, flac: bytes) -> None:
        self.view(row, flac)

    def view(self, row: Row, flac: bytes) -> None:
        with files.atomic_path(self.folder / row["file"]) as temporary:
            temporary.write_bytes(flac)


class _Tar(Sink):
    """Creates the shard with the first view: if none of its clips can be rendered, there is no shard."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path, self.stack = path, stack
        self._tar: tarfile.TarFile | None = None
        self._clean = b""

    def clean(self, row: Row, flac: bytes) -> None:
        self._clean = flac

    def view(self, row: Row, flac: bytes) -> None:
        if self._tar is None:
            temporary = self.stack.enter_context(files.atomic_path(self.path))
            self._tar = self.stack.enter_context(tarfile.open(temporary, "w"))  # noqa: SIM115
        about = json.dumps(row, sort_keys=True, allow_nan=False).encode()
        for suffix, data in ((".flac", flac), (".clean.flac", self._clean), (".json", about)):
            member = tarfile.TarInfo(row["id"] + suffix)  # owner 0, time 0: equal contents give equal bytes
            member.size, member.mode = len(data), 0o644
            self._tar.addfile(member, io.BytesIO(data))


LAYOUTS: Registry[type[Layout]] = Registry("layout")
for _name, _layout in (("paired", Paired), ("audiofolder", AudioFolder), ("webdataset", WebDataset)):
    LAYOUTS.register(_name, _layout)
