"""One file from the network to the disk: resumed after a break, checked by size and sha256, whole or absent."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from . import files
from .errors import DownloadError

TIMEOUT_S = 30.0
CACHE_VARIABLE = "CONTRASTIVE_ARTIFACTS_CACHE"
ATTEMPTS = 4  # per address; each goes on where the last one broke off
PAUSE_S = 1.0  # before the second attempt, doubled for each further one
_CHUNK = 1 << 18
_BROKEN = (OSError, http.client.HTTPException)  # urllib.error.URLError is an OSError


def fetch(url: str | Sequence[str], target: str | Path, size: int | None, sha256: str | None, what: str) -> Path:
    """Makes sure that ``target`` holds the file at ``url`` and returns its path.

    A file already at ``target`` is checked and kept. Otherwise the addresses are tried in order. What a broken transfer
    left stands beside the target as ``<target>.part`` and is gone on with, also by a later process, when the server
    still offers the same version of the file. ``target`` itself appears only after both checks.

    Args:
        url: One http(s) address, or several that hold the same bytes, best first.
        target: Where the file goes; its folder is made.
        size: Expected bytes, or ``None`` where the publisher states none.
        sha256: Expected digest in hex, or ``None`` where it is not known (only the size is checked then).
        what: What the file is, for the progress bar and for messages ("ESC-50 archive").

    Raises:
        DownloadError: no address could be reached, or what came is not the expected file. The message names the
            address and the place where a copy fetched by hand goes.
    """
    target = Path(target)
    if target.is_file():
        _check(target, size, sha256, what, f"Delete {target} and try again.")
        return target
    addresses = [url] if isinstance(url, str) else list(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    failures = []
    for address in addresses:
        try:
            _transfer(address, part, size, what)
            _check(part, size, sha256, what, f"{address} does not hold the expected file.")
        except DownloadError as error:
            _discard(part)
            failures.append(str(error))
        except _BROKEN as error:
            failures.append(f"{address}: {error or type(error).__name__}")
        else:
            _publish(part, target)
            return target
    raise DownloadError(
        f"Could not get the {what}: {'; '.join(failures)}. If this machine has no network, download "
        f"{addresses[0]} elsewhere and put the file at {target}."
    )


def cache_folder() -> Path:
    """Where downloads are kept: ``$CONTRASTIVE_ARTIFACTS_CACHE``, else the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contrastive-artifacts"


def _transfer(address: str, part: Path, size: int | None, what: str) -> None:
    for attempt in range(ATTEMPTS):
        try:
            return _receive(address, part, size, what)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # what is here is longer than what the server has: begin again
                _discard(part)
            elif error.code < 500 and error.code != 429:
                raise  # 404 and the like do not pass with time
            broken: Exception = error
        except urllib.error.URLError as error:  # no route, no such host: nothing was transferred
            raise OSError(str(error.reason)) from error
        except _BROKEN as error:
            broken = error
        if attempt < ATTEMPTS - 1:
            time.sleep(PAUSE_S * 2**attempt)
    raise broken


def _receive(address: str, part: Path, size: int | None, what: str) -> None:
    """Appends to ``part`` until the server's end of file; raises when the connection breaks before it."""
    version = part.with_name(part.name + ".etag")  # which version of the remote file the bytes so far belong to
    have = part.stat().st_size if part.exists() and version.exists() else 0
    if size is not None and have == size:
        return
    request = urllib.request.Request(address, headers={"User-Agent": "contrastive-artifacts"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version.read_text(encoding="utf-8"))
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        if response.headers.get_content_type() == "text/html":
            raise DownloadError(f"{address} is a web page, not the {what}: open it in a browser and save the file.")
        if response.status != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server sends all of it: it knows no ranges, or its file has changed
        length = response.headers.get("Content-Length")
        total = size if length is None else have + int(length)
        if size is not None and total != size:
            raise DownloadError(f"{address} offers {total} bytes for the {what}, {size} were expected.")
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            version.write_text(validator, encoding="utf-8")
        else:
            version.unlink(missing_ok=True)  # without a validator two versions could be joined: do not resume
        with open(part, "ab" if have else "wb") as file, _bar() as bar:
            task = bar.add_task(what, total=total, completed=have)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                bar.update(task, completed=have)
    if total is not None and have < total:
        raise ConnectionError(f"the connection closed after {have} of {total} bytes")


def _check(path: Path, size: int | None, sha256: str | None, what: str, advice: str) -> None:
    found = path.stat().st_size
    if size is not None and found != size:
        raise DownloadError(f"The {what} at {path} has {found} bytes, {size} were expected. {advice}")
    if sha256 is not None:
        digest = files.sha256(path)
        if digest != sha256.lower():
            raise DownloadError(f"The {what} at {path} has sha256 {digest}, {sha256} was expected. {advice}")


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
    text = TextColumn("{task.description}")
    return Progress(text, *columns, console=console, transient=True, disable=not console.is_terminal)
