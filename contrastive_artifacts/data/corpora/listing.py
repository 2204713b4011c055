"""The media files under a folder, and what else is there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ... import audio
from ...core.errors import CorpusError, ParameterError

HIDDEN = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information")  # beside names that begin with a dot


@dataclass(frozen=True)
class Listing:
    """The files under a folder.

    Args:
        files: Media files by their suffix, sorted; each real file once.
        others: What was not taken, in words -> how often: ".txt (no media)", "folder (permission)".
    """

    files: tuple[Path, ...]
    others: Counter[str]

    def left_out(self) -> str:
        """``11 of 14 files; not read: 2 .txt (no media), 1 folder (permission)``; "" if everything was taken."""
        if not self.others:
            return ""
        count = sum(number for what, number in self.others.items() if not what.startswith("folder"))
        parts = ", ".join(f"{number} {what}" for what, number in sorted(self.others.items()))
        return f"{len(self.files)} of {len(self.files) + count} files; not read: {parts}"


def is_folder(path: Path) -> bool:
    """Whether a path, or an address as :func:`audio.location` gives it, is a folder.

    Raises:
        ParameterError: an address whose file system does not answer, or refuses to.
    """
    with _answering(path):
        return path.is_dir()


def listing(root: Path) -> Listing:
    """Lists a folder with its sub-folders; that of an address (see :func:`is_folder`) one after the other.

    Hidden files and folders are left out without a word: names that begin with a dot (among them the ``._`` files of
    macOS) and :data:`HIDDEN`. Linked folders are followed, each real folder once, so that loops end; a file that is
    reached on several ways is taken once, on the way without links where there is one.

    Raises:
        ParameterError: an address that cannot be listed.
    """
    if audio.is_address(root):
        return _at_address(root)
    others: Counter[str] = Counter()
    files: dict[str, Path] = {}  # real path -> path
    for path in _files(root, others):
        suffix = path.suffix.lower()
        if suffix not in audio.EXTENSIONS:
            others[f"{suffix or 'without suffix'} (no media)"] += 1
        elif not path.is_file():
            others[f"{suffix} (no file)"] += 1  # a link that leads nowhere
        elif (real := os.path.realpath(path)) in files:
            others[f"{suffix} (link to another of the files)"] += 1
        else:
            files[real] = path
    return Listing(tuple(sorted(files.values())), others)


def _at_address(root: Path) -> Listing:
    others: Counter[str] = Counter()
    files: list[Path] = []
    with _answering(root):
        for folder, _, names in root.walk():  # type: ignore[attr-defined]  # of Path from Python 3.12 on
            if any(_is_hidden(name) for name in folder.relative_to(root).parts):
                continue
            for name in (name for name in names if not _is_hidden(name)):
                suffix = Path(name).suffix.lower()
                if suffix in audio.EXTENSIONS:
                    files.append(folder / name)
                else:
                    others[f"{suffix or 'without suffix'} (no media)"] += 1
    return Listing(tuple(sorted(files, key=str)), others)


@contextmanager
def _answering(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each file system has its own classes
        if not audio.is_address(path):
            raise
        raise ParameterError(
            f"{path} cannot be listed ({type(error).__name__}: {error}); check the address and the credentials."
        ) from error


def no_audio(where: str, left_out: str = "") -> CorpusError:
    """The error where a listing has no files; ``left_out`` is :meth:`Listing.left_out`."""
    others = f" ({left_out})" if left_out else ""
    suffixes = ", ".join(sorted(audio.EXTENSIONS))
    return CorpusError(f"There is no audio file under {where}{others}; suffixes read: {suffixes}.")


def _files(root: Path, others: Counter[str]) -> Iterator[Path]:
    """Every file under a folder that is not hidden, linked ones last."""
    visited: set[str] = set()
    queue, linked = [root], []
    while queue:
        links = []
        for parent, folders, names in os.walk(queue.pop(0), onerror=lambda error: others.update([_reason(error)])):
            real = os.path.realpath(parent)
            if real in visited:
                folders.clear()
                continue
            visited.add(real)
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            links += [Path(parent, name) for name in folders if os.path.islink(os.path.join(parent, name))]
            for path in (Path(parent, name) for name in sorted(names) if not _is_hidden(name)):
                if path.is_symlink():
                    linked.append(path)
                else:
                    yield path
        queue += links
    yield from linked


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in HIDDEN


def _reason(error: OSError) -> str:
    return "folder (permission)" if isinstance(error, PermissionError) else f"folder ({error.strerror})"
