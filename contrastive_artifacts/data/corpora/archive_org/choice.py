"""Which files of an item are its recordings: of each recording one file, the original one where it can be read.

An item has files that somebody uploaded (source "original") and files that archive.org made of these ("derivative",
which name their original). Originals of one name and several suffixes (``tape.wav``, ``tape.mp3``) are one recording.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .... import audio
from ....core.errors import CorpusError
from ....core.suggestions import question

LOSSLESS = frozenset(
    (".wav", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".au", ".wv", ".tta", ".ape", ".tak", ".shn")
)
_MD5_DIGITS = 32
_SHOWN = 5


@dataclass(frozen=True)
class ItemFile:
    """A file of an item, as its metadata describe it.

    Attributes:
        name: Its path in the item.
        source: "original", "derivative" or "metadata".
        original: Name of the file that a derivative was made of; "" for an original.
        format: As archive.org calls it ("24bit Flac", "VBR MP3").
        size: Bytes; None if it is not stated.
        md5: In hex; None if it is not stated.
        private: Whether archive.org keeps it from the public.
    """

    name: str
    source: str = ""
    original: str = ""
    format: str = ""
    size: int | None = None
    md5: str | None = None
    private: bool = False

    @classmethod
    def of(cls, entry: Any) -> ItemFile | None:
        """The file that an entry of ``files`` describes; None if it has no name. Anybody can write such metadata."""
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str) or not entry["name"]:
            return None
        texts = {key: entry[key] for key in ("source", "original", "format") if isinstance(entry.get(key), str)}
        size, md5 = str(entry.get("size")), str(entry.get("md5")).lower()
        return cls(
            entry["name"],
            size=int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None,
            md5=md5 if len(md5) == _MD5_DIGITS and not set(md5) - set("0123456789abcdef") else None,
            private=str(entry.get("private")).lower() == "true",
            **texts,
        )

    @property
    def suffix(self) -> str:
        return posixpath.splitext(self.name)[1].lower()


@dataclass(frozen=True)
class Choice:
    """A file that is taken, and why this one."""

    file: ItemFile
    reason: str


def choose(item: str, files: Sequence[ItemFile]) -> list[Choice]:
    """The recordings of an item, sorted by name.

    Of each recording the best file is taken: an original one before derivatives, lossless before lossy, then the
    largest. Suffixes tell what is audio or video (:data:`.audio.EXTENSIONS`); private files are never taken.

    Args:
        item: Its identifier, for the message.
        files: Of the item.

    Raises:
        CorpusError: there is no audio or video file that the public may download.
    """
    by_name = {file.name: file for file in files}
    groups: dict[str, list[ItemFile]] = defaultdict(list)
    for file in files:
        groups[posixpath.splitext(_uploaded(file, by_name))[0]].append(file)
    chosen = [_best(group) for group in groups.values() if any(_is_public_media(file) for file in group)]
    if not chosen:
        private = sum(file.private and file.suffix in audio.EXTENSIONS for file in files)
        what = f"only {private} private ones" if private else f"none among its {len(files)} files"
        raise CorpusError(f"ia:{item} has no audio or video file that can be downloaded: {what}.")
    return sorted(chosen, key=lambda choice: choice.file.name)


def named(item: str, files: Sequence[ItemFile], name: str) -> Choice:
    """The file of a name.

    Raises:
        CorpusError: there is none, or it is private.
    """
    file = next((file for file in files if file.name == name), None)
    if file is None:
        media = [file.name for file in files if file.suffix in audio.EXTENSIONS]
        listed = ", ".join(media[:_SHOWN]) + (", ..." if len(media) > _SHOWN else "")
        hint = question(name, media) or (f"It has {listed}." if media else "It has no audio or video file.")
        raise CorpusError(f"ia:{item} has no file {name!r}. {hint}")
    if file.private:
        raise CorpusError(f"ia:{item}/{name} is private: archive.org keeps it from the public. Name another file.")
    return Choice(file, f"named ({file.source or 'source not stated'})")


def _best(group: Iterable[ItemFile]) -> Choice:
    """The choice among the files that hold one recording."""
    group = list(group)
    ranked = sorted(filter(_is_public_media, group), key=_rank)
    best, others = ranked[0], len(ranked) - 1
    if best.source == "original":
        reason = "original"
    else:
        originals = [file for file in group if file.source == "original"]
        state = "is private" if any(file.private for file in originals) else "is no audio or video file that is read"
        name = best.original or (originals[0].name if originals else "")
        reason = f"derivative: its original {name} {state}" if name else "derivative: no original is listed"
    return Choice(best, reason + (f"; other files of this recording: {others}" if others else ""))


def _rank(file: ItemFile) -> tuple[bool, bool, int, str]:
    return file.source != "original", file.suffix not in LOSSLESS, -(file.size or 0), file.name


def _is_public_media(file: ItemFile) -> bool:
    return file.suffix in audio.EXTENSIONS and file.source != "metadata" and not file.private


def _uploaded(file: ItemFile, by_name: Mapping[str, ItemFile]) -> str:
    """Name of the file that was uploaded and that this one, or what it was made of, was made of."""
    seen = {file.name}
    while file.source != "original" and file.original and file.original not in seen:
        seen.add(file.original)
        following = by_name.get(file.original)
        if following is None:
            return file.original
        file = following
    return file.name
