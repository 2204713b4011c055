"""Files that are complete or absent: written under a temporary name, fsynced, renamed."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import itertools
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from .errors import ArtifactsError, StorageError, TargetError, UnwritableError

_REASONS = {  # of a failed write, each with its remedy
    errno.ENOSPC: "the disk is full; free space, or choose another disk",
    errno.EDQUOT: "the disk quota is used up; free space, or choose another disk",
    errno.EFBIG: "the file would be larger than the system allows; choose another disk, or raise the limit",
    errno.EROFS: "the disk is read-only; choose another disk",
    errno.EACCES: "permission denied; choose another folder, or change its permissions",
    errno.EPERM: "permission denied; choose another folder, or change its permissions",
    errno.EISDIR: "a folder has this name; choose another name",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another path",
    errno.EEXIST: "a part of the path is a file, not a folder; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EIO: "the disk reports an error; choose another disk",
    errno.ENOENT: "its folder was removed; run again",
    errno.ENOLCK: "the disk has no file locks; choose a local disk",
    errno.ENOTSUP: "the disk has no file locks; choose a local disk",
}
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # only a write fails in this way
_LONGEST_STEM = 80  # bytes of the target's stem in the name of a temporary file, which may have 255 in all
_TRIED = 4096  # bytes that are written to try a disk
_ABANDONED_S = 24 * 3600.0
_TEMPORARY = re.compile(r"\..*\.(?:([0-9a-f]{8})-)?(\d+)(?:-\d+)?\.tmp(?:\.[^.]*)?", re.DOTALL)
_HOST = hashlib.blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_numbers = itertools.count()


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of ``path`` (same suffix) and renames it to ``path`` after the block.

    The folder is created if it does not exist. If the block raises, ``path`` is as before and the temporary file is
    removed. Its name is unique per process and thread; where a process dies in the block, it is left behind for
    :func:`remove_abandoned`.

    Raises:
        StorageError: it cannot be written; see :func:`writing`.
    """
    with atomic_paths([path]) as (temporary,):
        yield temporary


@contextmanager
def atomic_paths(paths: Sequence[str | Path]) -> Iterator[list[Path]]:
    """:func:`atomic_path` for several files of one folder: they are renamed when all of them are on the disk."""
    targets = [Path(path) for path in paths]
    with writing(targets[0]), ExitStack() as stack:
        temporaries = []
        for path in targets:
            with writing(path):
                temporaries.append(_prepared(path))
                stack.callback(_remove, temporaries[-1])
        yield temporaries
        for temporary in temporaries:
            temporary.chmod(0o666 & ~_umask())  # some writers create private files (safetensors does)
            fsync(temporary)
        for temporary, path in zip(temporaries, targets, strict=True):
            os.replace(temporary, path)
        fsync(targets[0].parent)


def check_file(setting: str, path: str | Path) -> None:
    """Tries whether ``path`` can be written, before the work whose result goes there; nothing stays behind.

    Temporary files that processes have left behind in writing it are removed.

    Raises:
        TargetError: it cannot; the message names ``setting``, the setting that holds the path.
    """
    path = Path(path)
    with of_setting(setting), writing(path), _new_folders(path.parent):
        _try(_prepared(path))
        remove_abandoned(path.parent, path)


def check_folder(setting: str, path: str | Path) -> None:
    """:func:`check_file` for a folder that files are written to."""
    path = Path(path)
    with of_setting(setting), writing(path), _new_folders(path):
        path.mkdir(parents=True, exist_ok=True)
        _try(_temporary_beside(path / "tried"))
        remove_abandoned(path)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Inside the block, an error of the system in writing ``path`` becomes one that says what to do.

    Raises:
        UnwritableError: the disk is full or read-only, a name is too long, a folder is where a file should be, ...
    """
    try:
        yield
    except ArtifactsError:
        raise
    except Exception as error:
        _raise_reason(Path(path), error)


@contextmanager
def of_setting(name: str) -> Iterator[None]:
    """Names the setting that holds a path in an error of writing to it in the block.

    Raises:
        TargetError: instead of UnwritableError.
    """
    try:
        yield
    except TargetError:
        raise
    except UnwritableError as error:
        raise TargetError(f"{name}={error}") from error


def remove_abandoned(folder: str | Path, target: Path | None = None) -> None:
    """Removes temporary files of :func:`atomic_path` in ``folder`` (not in its subfolders) whose process has died.

    With ``target``, only those of this file that processes of this host have left. Those of another host, whose
    processes cannot be looked up, are removed when they are a day old.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match is None or (target and not entry.name.startswith(_beginning(target))):
                continue
            with suppress(OSError):
                known = match[1] in (None, _HOST)
                old = time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_S
                if old or (known and not _is_alive(int(match[2]))):
                    os.unlink(entry.path)


def write_text(path: str | Path, text: str) -> None:
    """Writes a text file in UTF-8, complete or not at all; bytes of file names that are not UTF-8 are escaped."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: str | Path, rows: Iterable[Iterable[Any]]) -> None:
    """Writes rows of cells, see :func:`csv_text`; the header is the first row."""
    write_text(path, csv_text(rows))


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV. Texts that a spreadsheet would take for formulas ("=1+1", "@name") get a "'" before them.

    >>> csv_text([["=1+1", "-3.5", -3.5]])
    "'=1+1,-3.5,-3.5\\n"
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace").decode()  # bytes of file names that are not UTF-8


def inert(cell: Any) -> Any:
    """A cell as :func:`csv_text` writes it; :func:`from_inert` undoes it."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) and not _is_number(cell) else cell


def from_inert(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that was read from a CSV of this package, with its texts as they were before :func:`inert`.

    >>> from_inert({"clip": "'=1+1.wav", "label": "hum"})
    {'clip': '=1+1.wav', 'label': 'hum'}
    """
    return {
        name: cell[1:] if isinstance(cell, str) and cell.startswith("'") and _FORMULA.match(cell) else cell
        for name, cell in row.items()
    }


def write_json(path: str | Path, value: Any) -> None:
    """Writes JSON with sorted keys.

    Raises:
        ValueError: a number is NaN or infinite, which JSON does not have.
    """
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Reads JSON.

    Raises:
        StorageError: the file is missing or is not JSON (NaN, infinity and thousands of nested lists are not).
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{path} is not readable JSON ({error}); create it again.") from error


def commit(path: str | Path) -> str:
    """The git commit of the checkout that holds ``path``, followed by "+" if files were changed since.

    "unknown" if ``path`` is in no checkout or git is not installed.
    """
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        description = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(path).parent)
    except OSError:
        return "unknown"
    return description.stdout.strip() or "unknown"


def state(path: str | Path) -> str:
    """Size and time of modification, which tell a changed file without reading it; "missing" if there is none.

    Args:
        path: A file; one at an address as :func:`.location.location` gives it.
    """
    try:
        stat = (Path(path) if isinstance(path, str) else path).stat()
    except OSError:
        return "missing"
    return f"{stat.st_size}|{stat.st_mtime_ns}"


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5(path: str | Path) -> str:
    """MD5 of a file, in hex: a check of what a publisher lists, no protection."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def fsync(path: Path) -> None:
    """Waits until the content of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _prepared(path: Path) -> Path:
    """The name of a temporary file for ``path``, whose folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return _temporary_beside(path)


def _try(temporary: Path) -> None:
    try:
        temporary.write_bytes(bytes(_TRIED))
        fsync(temporary)
    except OSError as error:
        raise OSError(error.errno, error.strerror) from error  # of the target, whatever the name of the temporary file
    finally:
        _remove(temporary)


@contextmanager
def _new_folders(folder: Path) -> Iterator[None]:
    """Removes the folders on the way to ``folder`` that the block creates."""
    missing = [path for path in (folder, *folder.parents) if not os.path.exists(path)]
    try:
        yield
    finally:
        for path in missing:
            with suppress(OSError):
                path.rmdir()


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _temporary_beside(path: Path) -> Path:
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= 32 else ""
    with suppress(FileNotFoundError):
        os.lstat(path)  # a name that is too long fails here, and not after the work
    return path.with_name(f"{_beginning(path)}{os.getpid()}-{next(_numbers)}.tmp{suffix}")


def _beginning(path: Path) -> str:
    """How the names of the temporary files of ``path`` begin."""
    return f".{os.fsdecode(os.fsencode(path.stem)[:_LONGEST_STEM])}.{_HOST}-"


def _raise_reason(path: Path, error: Exception) -> NoReturn:
    number = error.errno if isinstance(error, OSError) else None
    if match := re.search(r"\(os error (\d+)\)", str(error)):  # errors of Rust libraries, such as safetensors
        number = int(match[1])
    elsewhere = isinstance(error, OSError) and not _is_beside(path, error.filename)
    if number not in _REASONS or (elsewhere and number not in _OF_THE_DISK):
        raise error
    raise UnwritableError(f"{path} cannot be written: {_REASONS[number]}.") from error


def _is_beside(path: Path, name: Any) -> bool:
    """Whether ``name``, that of an OSError, is a file in the folder of ``path``, a folder above it, or not given."""
    if not isinstance(name, (str, bytes, os.PathLike)):
        return True
    named = Path(os.fsdecode(name))
    return named.parent == path.parent or named in path.parents or named == path


def _is_alive(process: int) -> bool:
    """Whether a process runs. One that has ended without its parent having waited for it (a zombie) does not."""
    with suppress(OSError, IndexError):  # Linux only
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    if (value := float(text)) - value != 0.0:
        raise ValueError(f"{text} is out of range")
    return value
