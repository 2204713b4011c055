"""Labels as files for other programs: CSV, Parquet and JSON lines are written and read, a journal is read."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...core import files
from ...core.errors import ParameterError, StorageError
from ...core.journal import read_entries, standing
from .fold import fold
from .row import ADDRESS, NUMBERS, RowLabel, address_of, checked

FIELDS = ("id", "action", "label", "before", "who", "time", "note", "tool", "fingerprint")
COLUMNS = (*FIELDS[:4], *ADDRESS, *FIELDS[4:])
SUFFIXES = (".csv", ".parquet", ".jsonl")
_SCHEMA = pa.schema([(name, pa.int64() if name in ("id", *NUMBERS) else pa.string()) for name in COLUMNS])


def write_labels(path: str | Path, labels: Sequence[RowLabel]) -> int:
    """Writes labels as .csv, .parquet or .jsonl, one row per label, and returns their number.

    Raises:
        ParameterError: another suffix.
    """
    path = Path(path)
    rows = [{name: getattr(label, name) for name in FIELDS} | label.address for label in labels]
    if path.suffix == ".csv":
        files.write_csv(path, [COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])
    elif path.suffix == ".parquet":
        with files.atomic_path(path) as temporary:
            pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), temporary)
    elif path.suffix == ".jsonl":
        files.write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    else:
        raise ParameterError(f"{path}: labels are written as {', '.join(SUFFIXES)}; give one of these suffixes.")
    return len(rows)


def read_labels(path: str | Path) -> list[RowLabel]:
    """Reads the labels of a file that :func:`write_labels` wrote, or those in force of a journal.

    A journal may be in use by another process; it differs from an export in JSON lines by its fields.

    Raises:
        ParameterError: a suffix that labels are not written with.
        StorageError: the file is missing, damaged, or has other contents; the message names file and row.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ParameterError(f"{path}: labels are read from {', '.join(SUFFIXES)}; give such a file.")
    if path.suffix == ".jsonl":
        rows: list[dict[str, Any]] = read_entries(path)
        if rows and "rows" in rows[0]:
            return list(fold(standing(rows, "action", path), path).values())
    else:
        rows = _csv_rows(path) if path.suffix == ".csv" else _parquet_rows(path)
    return [_label(row, number, path) for number, row in enumerate(rows, start=1)]


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(reader.fieldnames or (), path)
            return [_numbers(files.from_inert(row), number, path) for number, row in enumerate(reader, start=1)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise StorageError(f"{path} cannot be read as CSV ({error}); export the labels again.") from None


def _numbers(row: dict[str, Any], number: int, path: Path) -> dict[str, Any]:
    try:
        return row | {name: int(row[name]) if row[name] else None for name in ("id", *NUMBERS)}
    except (TypeError, ValueError) as error:
        raise StorageError(f"{path}, row {number}: {error}; export the labels again.") from None


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} cannot be read as Parquet ({error}); export the labels again.") from None
    _check_columns(table.column_names, path)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _check_columns(names: Sequence[str], path: Path) -> None:
    if missing := [name for name in COLUMNS if name not in names]:
        raise StorageError(f"{path} holds no labels: it has no {', '.join(missing)}; give what the explorer exported.")


def _label(row: Mapping[str, Any], number: int, path: Path) -> RowLabel:
    try:
        _check_columns(tuple(row), path)
        return checked(RowLabel(**{name: row[name] for name in FIELDS}, address=address_of(row)))
    except ParameterError as error:
        raise StorageError(f"{path}, row {number}: {error}") from None
