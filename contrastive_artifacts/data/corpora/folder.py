"""A folder of audio files, with or without a CSV that describes them."""

from __future__ import annotations

import csv as csv_module
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ... import audio
from ...artifacts import ARTIFACTS
from ...core.errors import CorpusError
from .base import Clip, Corpus
from .listing import is_folder, listing, no_audio

DELIMITERS = ",;\t"

# Column names that are recognised without a mapping; the first one present is used.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "filename", "path"),
    "source": ("source", "source_id"),
    "category": ("category", "label"),
    "fold": ("fold",),
    "unknown": (),
}


def folder(
    path: str | Path,
    csv: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    file: str | None = None,
    where: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Corpus:
    """The audio files under a folder, or those that a CSV lists.

    Args:
        path: The folder, or its address (``s3://bucket/films``); files in its sub-folders are included. See
            :func:`.listing.listing` for what is left out; a warning says how much.
        csv: A table with a header row, of the files in a local folder; its cells are separated by commas, semicolons or
            tabs. Without it each file is its own source: give one if several files were cut from
            the same recording, or a split will divide that recording.
        columns: Name of the column of ``file``, ``source``, ``category`` or ``fold`` if it is not one of
            :data:`COLUMNS`, and of ``unknown``: names of artifacts that the clip may hold already, separated by spaces.
            If the table has no source column, each file is its own source.
        file: Template of a file's path relative to ``path``, filled with the row: ``"{set}/{file}"``. Default is the
            value of the file column.
        where: Rows to keep: column -> value, or a list of values.
        name: Name of the corpus; default is the folder's.

    Returns:
        A corpus whose clip ids are paths relative to ``path``.

    Raises:
        ParameterError: an address that cannot be listed.
        CorpusError: no such folder, no audio in it, or a CSV that does not match it or names files outside of it; the
            message names the first of them.
    """
    root = audio.location(path)
    if not is_folder(root):
        raise CorpusError(f"{root} is not a folder; give the folder that holds the audio files.")
    label = name or root.resolve().name
    if csv is None:
        if columns or file or where:
            raise CorpusError("columns, file and where describe a CSV; name it with csv=, or leave them out.")
        return _listed(label, root)
    if audio.is_address(root):
        raise CorpusError(f"A table describes files of a local folder, and {root} is an address; leave csv= out.")
    table = Path(csv) if Path(csv).is_file() else root / csv
    rows, header = _rows(table)
    return Corpus(
        label, _described(root, table, _selected(rows, header, where or {}, table), header, columns or {}, file)
    )


def _listed(label: str, root: Path) -> Corpus:
    listed = listing(root)
    left_out = listed.left_out()
    if not listed.files:
        raise no_audio(str(root), left_out)
    if left_out:
        logging.getLogger(__name__).warning("%s: %s", root, left_out)
    names = [(path.relative_to(root).as_posix(), path) for path in listed.files]
    return Corpus(label, [Clip(id=name, source=name, path=path) for name, path in names], left_out)


def _rows(table: Path) -> tuple[list[dict[str, str]], list[str]]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as stream:
            delimiter = _delimiter(stream.readline())
            stream.seek(0)
            reader = csv_module.DictReader(stream, restkey="", restval="", delimiter=delimiter)
            return list(reader), list(reader.fieldnames or [])
    except FileNotFoundError:
        raise CorpusError(f"The table {table} does not exist; check csv=.") from None
    except (OSError, UnicodeDecodeError, csv_module.Error) as error:
        raise CorpusError(f"The table {table} cannot be read as UTF-8 CSV: {error}.") from error


def _delimiter(header: str) -> str:
    """The character that divides the header into most columns: "," or else ";" or a tab, as spreadsheets write."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv_module.reader([header], delimiter=delimiter), [])))


def _selected(
    rows: Iterable[dict[str, str]], header: list[str], where: Mapping[str, Any], table: Path
) -> list[tuple[int, dict[str, str]]]:
    """Rows that match ``where``, with their number in the file (the header is row 1)."""
    allowed = {}
    for column, value in where.items():
        _require(column, header, table)
        values = [value] if isinstance(value, (str, int, float)) else list(value)
        allowed[column] = {_comparable(v) for v in values}
    selected = [
        (number, row)
        for number, row in enumerate(rows, start=2)
        if all(_comparable(row[column]) in values for column, values in allowed.items())
    ]
    if not selected:
        raise CorpusError(f"No row of {table} matches where={dict(where)}.")
    return selected


def _described(
    root: Path,
    table: Path,
    rows: list[tuple[int, dict[str, str]]],
    header: list[str],
    columns: Mapping[str, str],
    template: str | None,
) -> list[Clip]:
    used = _columns(columns, header, table)
    if template is None and "file" not in used:
        raise CorpusError(
            f"{table} has no file column (it has {', '.join(header)}); name it: columns={{file: NAME}}, on the command "
            "line corpus.columns={file: NAME}."
        )
    clips: list[Clip] = []
    missing: list[str] = []
    outside: list[str] = []
    for number, row in rows:
        try:
            name = template.format(**row) if template else row[used["file"]]
        except (KeyError, IndexError, ValueError) as error:
            raise CorpusError(f"file={template!r} cannot be filled from {table} ({error}).") from None
        path = root / name
        if not _is_inside(name, root):
            outside.append(f"{name} (row {number})")
            continue
        if not path.is_file():
            missing.append(f"{name} (row {number})")
            continue
        source = row[used["source"]] if "source" in used else name
        category = row[used["category"]] if "category" in used else ""
        fold = _fold(row[used["fold"]], number, table) if "fold" in used else None
        unknown = _artifacts(row[used["unknown"]], number, table) if "unknown" in used else ()
        clips.append(
            Clip(id=Path(name).as_posix(), source=source, category=category, fold=fold, path=path, unknown=unknown)
        )
    if outside:
        raise CorpusError(
            f"{table} names {len(outside)} files outside of {root}: {_first(outside)}. If you trust the table, give a "
            "folder that holds all files: path=FOLDER; names are relative to it, or absolute."
        )
    if missing:
        raise CorpusError(
            f"{table} names {len(missing)} files that are not under {root}: {_first(missing)}. Correct path=, or give "
            "a template such as file='{set}/{file}'."
        )
    return clips


def _is_inside(name: str, root: Path) -> bool:
    """Whether a table may name a file: its path, as written, lies in the folder. Links in the folder may lead out."""
    if ".." in Path(name).parts:  # behind a linked folder, ".." leads elsewhere than the path says
        return (root / name).resolve().is_relative_to(root.resolve())
    written = Path(os.path.abspath(root / name))
    return written.is_relative_to(os.path.abspath(root)) or written.is_relative_to(root.resolve())


def _first(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _columns(given: Mapping[str, str], header: list[str], table: Path) -> dict[str, str]:
    unknown = [key for key in given if key not in COLUMNS]
    if unknown:
        raise CorpusError(f"columns={dict(given)}: {unknown[0]!r} is none of {', '.join(COLUMNS)}.")
    for column in given.values():
        _require(column, header, table)
    used = {key: next((c for c in names if c in header), "") for key, names in COLUMNS.items()}
    return {key: column for key, column in {**used, **given}.items() if column}


def _require(column: str, header: list[str], table: Path) -> None:
    if column not in header:
        raise CorpusError(f"{table} has no column {column!r}; it has {', '.join(header)}.")


def _fold(text: str, number: int, table: Path) -> int | None:
    if not text.strip():
        return None
    try:
        value = float(text)  # programs write 1 as 1.0 if the column had empty cells
        if value == int(value):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise CorpusError(f"{table}, row {number}: the fold {text!r} is not a whole number.")


def _artifacts(text: str, number: int, table: Path) -> tuple[str, ...]:
    names = tuple(sorted(set(text.split())))
    for name in names:
        if name not in ARTIFACTS:
            raise CorpusError(f"{table}, row {number}: {name!r} is no artifact; choose of {', '.join(ARTIFACTS)}.")
    return names


def _comparable(value: Any) -> str | float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
