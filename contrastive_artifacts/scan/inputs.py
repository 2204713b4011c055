"""What is named on a command line -> the recordings to scan: files, folders, patterns and lists of paths."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob, has_magic
from pathlib import Path

from .. import audio
from ..core.errors import ParameterError
from ..data.corpora.listing import Listing, listing, no_audio


@dataclass(frozen=True)
class Inputs:
    """The recordings that some words name.

    Attributes:
        files: In the order of the words, each real file once. A file that is named itself need not exist.
        root: Absolute path of the innermost folder that holds the given folders and all files.
        left_out: What folders and patterns hold beside media files, in words; "" if nothing.
    """

    files: tuple[Path, ...]
    root: Path
    left_out: str = ""

    def relative(self, path: Path) -> str:
        """The path of one of the files below ``root``."""
        return os.path.relpath(os.path.abspath(path), self.root)


def is_one_file(words: Sequence[str]) -> bool:
    """Whether the words name one file, which need not exist, and no folder, pattern or list."""
    return len(words) == 1 and not os.path.isdir(words[0]) and not _is_list(words[0]) and not _is_pattern(words[0])


def gather(words: Sequence[str]) -> Inputs:
    """The recordings that words name.

    Args:
        words: Files, folders (with their sub-folders, see :func:`.listing.listing`), patterns (``"films/**/*.mov"``)
            whose media files and folders are taken, and ``@list``: a text file with the path of a file or folder on
            each line, relative to the current folder. What exists under a name is that, whatever characters it has.

    Raises:
        ParameterError: a list that cannot be read, or a pattern that matches nothing.
        CorpusError: there are no recordings in all of this.
    """
    others: Counter[str] = Counter()
    files: dict[str, Path] = {}  # real path -> path
    folders: list[Path] = []
    for path in _paths(words, others):
        listed = listing(path) if path.is_dir() else None
        if listed:
            others += listed.others
            folders.append(path)
        for file in listed.files if listed else (path,):
            files.setdefault(os.path.realpath(file), file)
    left_out = Listing(tuple(files.values()), others).left_out()
    if not files:
        raise no_audio(", ".join(words), left_out)
    parents = [*folders, *(file.parent for file in files.values())]
    root = os.path.commonpath([os.path.abspath(parent) for parent in parents])
    return Inputs(tuple(files.values()), Path(root), left_out)


def _paths(words: Sequence[str], others: Counter[str]) -> Iterator[Path]:
    for word in words:
        if _is_list(word):
            yield from _lines(word)
        elif _is_pattern(word):
            yield from _matches(word, others)
        else:
            yield Path(word)


def _is_list(word: str) -> bool:
    return word.startswith("@") and not os.path.lexists(word)


def _is_pattern(word: str) -> bool:
    return has_magic(word) and not os.path.lexists(word)


def _lines(word: str) -> Iterator[Path]:
    try:
        lines = Path(word[1:]).read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        raise ParameterError(f"{word}: the list cannot be read ({error.strerror}); give a file of paths.") from None
    return (Path(os.fsdecode(line)) for line in lines if line.strip())


def _matches(pattern: str, others: Counter[str]) -> Iterator[Path]:
    paths = list(_below(pattern)) if "**" in Path(pattern).parts else [Path(match) for match in sorted(glob(pattern))]
    if not paths:
        raise ParameterError(f"{pattern}: no file matches; check the pattern, or name a folder.")
    for path in paths:
        suffix = path.suffix.lower()
        if path.is_dir() or suffix in audio.EXTENSIONS:
            yield path
        else:
            others[f"{suffix or 'without suffix'} (no media)"] += 1


def _below(pattern: str) -> Iterator[Path]:
    """Media files that match a pattern with ``**``, by a listing: ``glob`` would follow links without end."""
    parts = Path(pattern).parts
    at = parts.index("**")
    for folder in sorted(glob(os.path.join(*parts[:at]))) if at else ["."]:
        for file in listing(Path(folder)).files:
            if _fits(file.relative_to(folder).parts, parts[at:]):
                yield file


def _fits(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(_fits(names[count:], patterns[1:]) for count in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _fits(names[1:], patterns[1:])
