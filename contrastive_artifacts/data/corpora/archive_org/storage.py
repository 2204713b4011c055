"""The recordings of items on this machine, downloaded where they are not there yet.

``<cache>/archive_org/<item>/`` has the files under their names in the item, and ``.item.json``: the files that the item
has, which are taken and why, and which were checked. While all of them are there, archive.org is not asked again; a
changed item is seen after its folder was deleted.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ....core import download, files
from ....core.console import printable
from ....core.errors import CorpusError, DownloadError, ParameterError
from ....core.journal import tool_version
from ....core.lock import locked
from ..listing import listing
from . import service
from .choice import Choice, ItemFile, choose, named

PREFIX = "ia:"
_RECORD = ".item.json"
_LONGEST_PART = 180  # bytes of a part of a name, which gets suffixes here and in the results of a scan
_LONGEST_NAME = 1000  # bytes
_TAIL = 80  # characters that stay of a name that cannot be the name of a file here


@dataclass(frozen=True)
class Recording:
    """A recording of an item.

    Attributes:
        path: Its file on this machine.
        item: Identifier of the item.
        name: Of its file in the item.
        reason: Why this file was taken.
    """

    path: Path
    item: str
    name: str
    reason: str

    @property
    def title(self) -> str:
        """``ia:IDENTIFIER/path/file.mp3``, which names this file."""
        return printable(f"{PREFIX}{self.item}/{self.name}")


@dataclass(frozen=True)
class _Record:
    """What is known of an item: its files, and :func:`.files.state` of those here that were checked, by name."""

    files: Sequence[ItemFile]
    checked: dict[str, str] = field(default_factory=dict)


def folder(item: str = "") -> Path:
    """Where the files of an item are, or all items."""
    return download.cache_folder() / "archive_org" / item


def recordings(name: str) -> list[Recording]:
    """The recordings that ``ia:IDENTIFIER`` or ``ia:IDENTIFIER/path/file.mp3`` names, on this machine.

    What is not there is downloaded, one file after the other, each checked by size and MD5. Files that somebody has put
    there are used: checked against the metadata of the item, if archive.org can be reached or was before.

    Raises:
        ParameterError: no such name is possible.
        CorpusError: there is no such item or file, archive.org does not offer it for download, or nothing of it can be
            read.
        DownloadError: archive.org cannot be reached, or a file is not the expected one; the message says what to
            download elsewhere and where to put it.
        StorageError: another process is downloading this item, or its folder cannot be written.
    """
    item, _, part = name.removeprefix(PREFIX).partition("/")
    if not service.is_identifier(item):
        raise ParameterError(
            f"{name}: {item!r} is no identifier of archive.org; take the last part of the address "
            "https://archive.org/details/IDENTIFIER."
        )
    home = folder(item)
    record = _read(home)
    if record is not None and _is_complete(home, record, choices := _choices(item, part, record)):
        return _recordings(home, item, choices)
    with locked(home, f"downloading {PREFIX}{item}"):
        try:
            record = _Record(service.item_files(item), record.checked if record else {})
        except DownloadError as error:
            if record is None:
                return _put_there(home, item, part, error)
        choices = _choices(item, part, record)
        _write(home, item, record)
        _download(home, item, record, choices)
    return _recordings(home, item, choices)


def local_path(home: Path, name: str) -> Path:
    """Where a file of an item is in its folder: always below it, whatever the name.

    A name with parts that are empty, begin with a dot, have control characters or are too long becomes the name of one
    file directly in the folder: letters and digits of its end, and a digest of it all.
    """
    try:
        parts = [part.encode() for part in name.split("/")]
    except UnicodeEncodeError:  # half a character
        parts = [b""]
    odd = any(not part or part.startswith(b".") or len(part) > _LONGEST_PART for part in parts)
    if not odd and printable(name) == name and not set(name) & set("\n\t\\") and sum(map(len, parts)) < _LONGEST_NAME:
        return home.joinpath(*name.split("/"))
    suffix = PurePosixPath(name).suffix
    suffix = suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ""
    tail = re.sub(r"[^A-Za-z0-9]+", "_", name.removesuffix(suffix))[-_TAIL:].strip("_")
    digest = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=6).hexdigest()
    return home / f"{tail}-{digest}{suffix}".lstrip("-")


def _choices(item: str, part: str, record: _Record) -> list[Choice]:
    return [named(item, record.files, part)] if part else choose(item, record.files)


def _recordings(home: Path, item: str, choices: Sequence[Choice]) -> list[Recording]:
    return [Recording(local_path(home, c.file.name), item, c.file.name, c.reason) for c in choices]


def _is_complete(home: Path, record: _Record, choices: Sequence[Choice]) -> bool:
    names = [choice.file.name for choice in choices]
    return all(record.checked.get(name) == files.state(local_path(home, name)) for name in names)


def _download(home: Path, item: str, record: _Record, choices: Sequence[Choice]) -> None:
    remaining = [choice.file for choice in choices if not _is_complete(home, record, [choice])]
    sizes = {file.name: file.size or 0 for file in remaining if not local_path(home, file.name).is_file()}
    begun = sum(
        path.stat().st_size for name in sizes if (path := download.partial_path(local_path(home, name))).is_file()
    )
    download.check_space(home, sum(sizes.values()) - begun)
    for number, file in enumerate(remaining, start=1):
        path = local_path(home, file.name)
        if not path.is_file():
            service.pause()
        count = f" ({number} of {len(remaining)})" if len(remaining) > 1 else ""
        what = printable(f"{PREFIX}{item}/{file.name}{count}")
        download.fetch(service.file_url(item, file.name), path, file.size, None, what, md5=file.md5)
        record.checked[file.name] = files.state(path)
        _write(home, item, record)


def _put_there(home: Path, item: str, part: str, error: DownloadError) -> list[Recording]:
    """What somebody has put into the folder of an item of which nothing is known."""
    reason = "put there by hand, not checked"
    where = local_path(home, part) if part else home
    if part and where.is_file():
        return [Recording(where, item, part, reason)]
    if not part and home.is_dir() and (paths := listing(home).files):
        return [Recording(path, item, path.relative_to(home).as_posix(), reason) for path in paths]
    what = "the file" if part else "its audio or video files"
    raise DownloadError(
        f"{error} If this machine has no network, download {what} of {service.file_url(item, part)} elsewhere and put "
        f"{'it at' if part else 'them into'} {where}."
    ) from error


def _read(home: Path) -> _Record | None:
    """What is recorded of an item; None where nothing is, or nothing that can be used."""
    path = home / _RECORD
    if not path.is_file():
        return None
    content = files.read_json(path)
    try:
        entries, checked = [ItemFile.of(entry) for entry in content["files"]], dict(content["checked"])
    except (TypeError, KeyError, ValueError):
        raise CorpusError(f"{path} is no record of an item; delete it.") from None
    return _Record([entry for entry in entries if entry is not None], {k: str(v) for k, v in checked.items()})


def _write(home: Path, item: str, record: _Record) -> None:
    files.write_json(home / _RECORD, _content(item, record))


def _content(item: str, record: _Record) -> Mapping[str, object]:
    try:
        chosen = {choice.file.name: choice.reason for choice in choose(item, record.files)}
    except CorpusError as error:
        chosen = {"": str(error)}
    return {
        "item": item,
        "address": service.metadata_url(item),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "tool": tool_version(),
        "chosen": chosen,
        "checked": record.checked,
        "paths": {name: os.fspath(local_path(folder(item), name)) for name in record.checked},
        "files": [asdict(file) for file in record.files],
    }
