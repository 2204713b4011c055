"""What is named on a command line -> the recordings to scan: files, folders, patterns, lists, items of archive.org."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import glob, has_magic
from pathlib import Path

from .. import audio
from ..core.console import printable
from ..core.errors import ArtifactsError, CorpusError, ParameterError, one_of_many
from ..data.corpora.archive_org import PREFIX, Recording, recordings
from ..data.corpora.archive_org import folder as folder_of_items
from ..data.corpora.listing import Listing, is_folder, listing, no_audio


@dataclass(frozen=True)
class Inputs:
    """The recordings that some words name.

    Attributes:
        files: In the order of the words, each real file once. A file that is named itself need not exist.
        root: Absolute path of the innermost folder that holds the given folders and all files.
        left_out: What folders and patterns hold beside media files, in words; "" if nothing.
        items: Those of the files that are recordings of archive.org.
        problems: Items of archive.org that have no recording here, as they were named -> why.
    """

    files: tuple[Path, ...]
    root: Path
    left_out: str = ""
    items: Mapping[Path, Recording] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def relative(self, path: Path) -> str:
        """The path of one of the files below ``root``; of a recording of archive.org ``archive.org/ITEM/FILE``."""
        if path in self.items:
            return os.path.join("archive.org", os.path.relpath(path, folder_of_items()))
        if audio.is_address(path):
            return audio.relative_name(path)
        return os.path.relpath(os.path.abspath(path), self.root)


def is_one_file(words: Sequence[str]) -> bool:
    """Whether the words name one file, which need not exist, and no folder, pattern, list or item of archive.org."""
    word = words[0]
    return len(words) == 1 and not (
        os.path.isdir(word) or _is_list(word) or _is_item(word) or _is_pattern(word) or audio.is_address(word)
    )


def gather(words: Sequence[str]) -> Inputs:
    """The recordings that words name; those of archive.org are downloaded, one after the other.

    Args:
        words: Files, folders (with their sub-folders, see :func:`.listing.listing`), patterns (``"films/**/*.mov"``)
            whose media files and folders are taken, addresses of files and folders elsewhere (``s3://bucket/films``),
            items of archive.org (``ia:IDENTIFIER``, see :func:`.storage.recordings`), and ``@list``: a text file with a
            file, folder, address or item on each line, relative to the current folder. What exists under a name is
            that, whatever characters it has.

    Raises:
        ParameterError: a list that cannot be read, or a pattern that matches nothing.
        CorpusError: there are no recordings in all of this.
    """
    others: Counter[str] = Counter()
    files: dict[str, Path] = {}  # real path -> path
    parents: list[Path] = []
    items: dict[Path, Recording] = {}
    problems: dict[str, str] = {}
    for word in _expanded(words):
        if _is_item(word):
            try:
                with one_of_many(word):
                    of_item = {recording.path: recording for recording in recordings(word)}
            except ArtifactsError as error:
                problems[printable(word)] = str(error)
                continue
            items |= of_item
            listed = list(of_item)
        else:
            listed = _listed(word, others, parents)
        for file in listed:
            files.setdefault(str(file) if audio.is_address(file) else os.path.realpath(file), file)
    left_out = Listing(tuple(files.values()), others).left_out()
    if not files and problems:
        raise CorpusError(f"There is nothing to scan: {'; '.join(problems.values())}")
    if not files:
        raise no_audio(", ".join(words), left_out)
    parents += [file.parent for file in files.values() if file not in items and not audio.is_address(file)]
    root = os.path.commonpath([os.path.abspath(parent) for parent in parents or [folder_of_items()]])
    return Inputs(tuple(files.values()), Path(root), left_out, items, problems)


def _expanded(words: Sequence[str]) -> Iterator[str]:
    """The words, with those that lists hold in place of the lists."""
    for word in words:
        if _is_list(word):
            yield from _lines(word)
        else:
            yield word


def _listed(word: str, others: Counter[str], parents: list[Path]) -> list[Path]:
    """The files that a word names; adds its folders to ``parents``, and what else they hold to ``others``."""
    files: list[Path] = []
    is_pattern = _is_pattern(word) and not audio.is_address(word)
    for path in _matches(word, others) if is_pattern else (audio.location(word),):
        if is_folder(path):
            listed = listing(path)
            others += listed.others
            if not audio.is_address(path):
                parents.append(path)
            files += listed.files
        else:
            files.append(path)
    return files


def _is_item(word: str) -> bool:
    return word.startswith(PREFIX) and not os.path.lexists(word)


def _is_list(word: str) -> bool:
    return word.startswith("@") and not os.path.lexists(word)


def _is_pattern(word: str) -> bool:
    return has_magic(word) and not os.path.lexists(word)


def _lines(word: str) -> Iterator[str]:
    try:
        lines = Path(word[1:]).read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        raise ParameterError(f"{word}: the list cannot be read ({error.strerror}); give a file of paths.") from None
    return (os.fsdecode(line) for line in lines if line.strip())


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
