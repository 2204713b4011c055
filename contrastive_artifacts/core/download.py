"""Downloads one file: resumed after a broken connection, checked by size and sha256, complete or absent.

Not a library: pooch and torch.hub do not resume, and huggingface_hub downloads from its own hub only.
"""

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
ATTEMPTS = 4  # per address; each continues where the last one stopped
PAUSE_S = 1.0  # before the second attempt, doubled for each further one
_CHUNK = 1 << 18
_BROKEN = (OSError, http.client.HTTPException)  # urllib.error.URLError is an OSError


def fetch(url: str | Sequence[str], target: str | Path, size: int | None, sha256: str | None, what: str) -> Path:
    """Makes sure that ``target`` holds the file at ``url`` and returns its path.

    A file that is already at ``target`` is only checked. Otherwise the addresses are tried in order. A partial download
    is stored as ``<target>.part`` and resumed, also by a later process, if the server still offers the same version of
    the file. ``target`` itself is created only after both checks.

    Args:
        url: One http(s) address, or several that serve the same bytes, the preferred one first.
        target: Path of the file; its folder is created.
        size: Expected size in bytes, or ``None`` if the publisher states none.
        sha256: Expected digest in hex, or ``None`` if it is not known.
        what: Name of the file in the progress bar and in messages ("ESC-50 archive").

    Raises:
        DownloadError: no address could be reached, or the file is not the expected one. The message names the address,
            and the path for a copy that was downloaded by hand.
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
    """Folder for downloads: ``$CONTRASTIVE_ARTIFACTS_CACHE``, or else one in the user's cache folder."""
    folder = os.environ.get(CACHE_VARIABLE)
    if folder:
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contrastive-artifacts"


def _transfer(address: str, part: Path, size: int | None, what: str) -> None:
    for attempt in range(ATTEMPTS):
        try:
            return _receive(address, part, size, what)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # the partial file is longer than the server's: start again
                _discard(part)
            elif error.code < 500 and error.code != 429:
                raise  # 404 and the like are permanent
            broken: Exception = error
        except urllib.error.URLError as error:  # no route, no such host: nothing was transferred
            raise OSError(str(error.reason)) from error
        except _BROKEN as error:
            broken = error
        if attempt < ATTEMPTS - 1:
            time.sleep(PAUSE_S * 2**attempt)
    raise broken


def _receive(address: str, part: Path, size: int | None, what: str) -> None:
    """Appends to ``part`` up to the end of the remote file; raises if the connection breaks before."""
    version = part.with_name(part.name + ".etag")  # version of the remote file that ``part`` belongs to
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
            have = 0  # the server sends the whole file: it does not support ranges, or its file has changed
        length = response.headers.get("Content-Length")
        total = size if length is None else have + int(length)
        if size is not None and total != size:
            raise DownloadError(f"{address} offers {total} bytes for the {what}, {size} were expected.")
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            version.write_text(validator, encoding="utf-8")
        else:
            version.unlink(missing_ok=True)  # without a validator two versions could be mixed: do not resume
        with open(part, "ab" if have else "wb") as file, _bar() as bar:
            task = bar.add_task(what, total=total, completed=have)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                bar.update(task, completed=have)
    if total is not None and have < total:
        raise ConnectionError(f"the connection closed after {have} of {total} bytes")


def _check(path: Path, size: int | None, sha256: str | None, what: str, advice: str) -> None:
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise DownloadError(f"The {what} at {path} has {actual} bytes, {size} were expected. {advice}")
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
