"""Downloads one file: resumed after a broken connection, checked by size and digest, complete or absent.

Not a library: pooch and torch.hub do not resume, and huggingface_hub downloads from its own hub only.
"""

from __future__ import annotations

import http.client
import os
import shutil
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from . import files, web
from .console import printable
from .errors import DownloadError, UnwritableError

CACHE_VARIABLE = "CONTRASTIVE_ARTIFACTS_CACHE"
_CHUNK = 1 << 18


def fetch(
    url: str | Sequence[str],
    target: str | Path,
    size: int | None,
    sha256: str | None,
    what: str,
    *,
    md5: str | None = None,
) -> Path:
    """Makes sure that ``target`` holds the file at ``url`` and returns its path.

    A file that is already at ``target`` is only checked. Otherwise the addresses are tried in order. A partial download
    is stored as ``<target>.part`` and resumed, also by a later process, if the server still offers the same version of
    the file. ``target`` itself is created only after all checks.

    Args:
        url: One http(s) address, or several that serve the same bytes, the preferred one first.
        target: Path of the file; its folder is created.
        size: Expected size in bytes, or ``None`` if the publisher states none.
        sha256: Expected digest in hex, or ``None`` if it is not known.
        what: Name of the file in the progress bar and in messages ("ESC-50 archive").
        md5: Expected MD5 in hex, where the publisher states that one.

    Raises:
        DownloadError: no address could be reached, or the file is not the expected one. The message names the address,
            and the path for a copy that was downloaded by hand.
        UnwritableError: the file cannot be written, or the disk has less space than it needs.
    """
    target, expected = Path(target), _Expected(size, sha256, md5)
    if target.is_file():
        _check(target, expected, what, f"Delete {target} and try again.")
        return target
    addresses = [url] if isinstance(url, str) else list(url)
    with files.writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        return _from_any(addresses, target, expected, what)


def partial_path(target: Path) -> Path:
    """Where a download that is not complete lies."""
    return target.with_name(target.name + ".part")


def check_space(folder: str | Path, size: int) -> None:
    """Makes sure that so many bytes fit into a folder, which exists.

    Raises:
        UnwritableError: they do not; the message has both sizes.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UnwritableError(
            f"{folder} has {free / 1e9:.3f} GB free, and the download needs {size / 1e9:.3f} GB; free space, or name a "
            f"folder on another disk in {CACHE_VARIABLE}."
        )


def cache_folder() -> Path:
    """Folder for downloads: ``$CONTRASTIVE_ARTIFACTS_CACHE``, or else one in the user's cache folder."""
    folder = os.environ.get(CACHE_VARIABLE)
    if folder:
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contrastive-artifacts"


@dataclass(frozen=True)
class _Expected:
    """What a file must have; None where it is not known."""

    size: int | None
    sha256: str | None
    md5: str | None


def _from_any(addresses: Sequence[str], target: Path, expected: _Expected, what: str) -> Path:
    part = partial_path(target)
    failures = []
    for address in addresses:
        try:
            web.tried_again(partial(_receive, address, part, expected.size, what))
        except DownloadError as error:
            failures.append(str(error))
            continue
        except web.BROKEN as error:
            failures.append(f"{address}: {error or type(error).__name__}")
            continue
        try:
            _check(part, expected, what, f"{address} does not hold the expected file.")
        except DownloadError as error:
            _discard(part)
            failures.append(str(error))
            continue
        _publish(part, target)
        return target
    raise DownloadError(
        f"Could not get the {what}: {'; '.join(failures)}. If this machine has no network, download "
        f"{addresses[0]} elsewhere and put the file at {target}."
    )


def _receive(address: str, part: Path, size: int | None, what: str) -> None:
    """Appends to ``part`` up to the end of the remote file; raises if the connection breaks before."""
    version = part.with_name(part.name + ".etag")  # version of the remote file that ``part`` belongs to
    have = part.stat().st_size if part.exists() and version.exists() else 0
    if size is not None and have == size:
        return
    headers = {"Range": f"bytes={have}-", "If-Range": version.read_text(encoding="utf-8")} if have else {}
    with _opened(address, headers, part) as response:
        if response.headers.get_content_type() == "text/html":
            raise DownloadError(f"{address} is a web page, not the {what}: open it in a browser and save the file.")
        if response.status != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server sends the whole file: it does not support ranges, or its file has changed
        length = web.content_length(response)
        total = size if length is None else have + length
        if size is not None and total != size:
            raise DownloadError(f"{address} offers {total} bytes for the {what}, {size} were expected.")
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            version.write_text(validator, encoding="utf-8")
        else:
            version.unlink(missing_ok=True)  # without a validator two versions could be mixed: do not resume
        if total is not None:
            check_space(part.parent, total - have)
        with open(part, "ab" if have else "wb") as file, _bar() as bar:
            task = bar.add_task(printable(what), total=total, completed=have)
            while chunk := response.read(_CHUNK):
                with files.writing(part):  # a full disk is no broken connection
                    file.write(chunk)
                have += len(chunk)
                bar.update(task, completed=have)
                if total is not None and have > total:
                    raise DownloadError(f"{address} sends more than {total} bytes for the {what}.")
    if total is not None and have < total:
        raise ConnectionError(f"the connection closed after {have} of {total} bytes")


def _opened(address: str, headers: dict[str, str], part: Path) -> http.client.HTTPResponse:
    try:
        return web.opened(address, headers)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        error.close()
        _discard(part)  # it is longer than the server's file: start again
        raise ConnectionError(f"the partial file {part} did not fit to {address}; it was removed") from error


def _check(path: Path, expected: _Expected, what: str, advice: str) -> None:
    actual = path.stat().st_size
    if expected.size is not None and actual != expected.size:
        raise DownloadError(f"The {what} at {path} has {actual} bytes, {expected.size} were expected. {advice}")
    for name, digest_of, digest in (("sha256", files.sha256, expected.sha256), ("md5", files.md5, expected.md5)):
        if digest is not None and (actual_digest := digest_of(path)) != digest.lower():
            raise DownloadError(f"The {what} at {path} has {name} {actual_digest}, {digest} was expected. {advice}")


def _publish(part: Path, target: Path) -> None:
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    os.replace(part, target)
    _discard(part)


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".etag").unlink(missing_ok=True)


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    text = TextColumn("{task.description}", markup=False)
    return Progress(text, *columns, console=console, transient=True, disable=not console.is_terminal)
