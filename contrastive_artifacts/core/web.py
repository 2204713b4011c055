"""Requests to web servers: they name this package, and are tried again after passing troubles as the server asks.

Not a library: urllib3's Retry has no limit to the wait that a server asks for in Retry-After.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import Any, TypeVar

from .errors import DownloadError

TIMEOUT_S = 30.0
ATTEMPTS = 4  # per address
PAUSE_S = 1.0  # before the second attempt, doubled for each further one
LONGEST_WAIT_S = 120.0  # that a server may ask for; beyond it the request fails
BROKEN = (OSError, http.client.HTTPException)  # urllib.error.URLError is an OSError
_LARGEST_JSON = 1 << 26  # bytes

T = TypeVar("T")


def opened(url: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
    """The response to a GET request, with its body still to be read.

    Raises:
        OSError, http.client.HTTPException: see :data:`BROKEN`; an error status is an ``urllib.error.HTTPError``.
    """
    request = urllib.request.Request(url, headers={"User-Agent": _agent(), **(headers or {})})
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return response


def tried_again(request: Callable[[], T]) -> T:
    """What ``request`` returns, which is called up to :data:`ATTEMPTS` times.

    It is called again where the connection broke and after the statuses 429 and 5xx. The pause between two calls is
    what the server asks for (Retry-After), or else one second, doubled each time.

    Raises:
        OSError, http.client.HTTPException: the last error; at once if no server could be reached, if its status is
            another one (404), or if it asks for more than :data:`LONGEST_WAIT_S`.
    """
    for attempt in range(ATTEMPTS):
        pause_s = PAUSE_S * 2**attempt
        try:
            return request()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code != 429:
                raise
            pause_s = max(pause_s, _retry_after_s(error.headers.get("Retry-After")))
            if pause_s > LONGEST_WAIT_S:
                raise OSError(f"{error}; the server asks to wait {pause_s:.0f} s, try again after that") from error
            broken: Exception = error
        except urllib.error.URLError as error:  # no route, no such host: nothing was transferred
            raise OSError(str(error.reason)) from error
        except BROKEN as error:
            broken = error
        if attempt < ATTEMPTS - 1:
            time.sleep(pause_s)
    raise broken


def get_json(url: str) -> Any:
    """The JSON that an address answers with, of 64 MiB at most.

    Raises:
        DownloadError: it cannot be reached, or the answer is no JSON (the page of a server that is overloaded).
    """
    try:
        data = tried_again(lambda: _body(url))
    except BROKEN as error:
        raise DownloadError(f"{url} cannot be reached: {error or type(error).__name__}.") from error
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DownloadError(f"{url} does not answer with JSON ({error}); try again later.") from error


def content_length(response: http.client.HTTPResponse) -> int | None:
    """Bytes that the body of a response has; None if the server does not say."""
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _body(url: str) -> bytes:
    with opened(url) as response:
        data = response.read(_LARGEST_JSON + 1)
        if len(data) > _LARGEST_JSON:
            raise DownloadError(f"{url} answers with more than {_LARGEST_JSON} bytes; this is not the expected answer.")
        if len(data) < (content_length(response) or 0):
            raise ConnectionError(f"the connection closed after {len(data)} bytes")
    return data


def _retry_after_s(value: str | None) -> float:
    """Seconds that a Retry-After header asks for: it has a number of seconds or a date. 0 if it has neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):  # TypeError: a date without a time zone
        return 0.0


def _agent() -> str:
    try:
        return f"contrastive-artifacts/{metadata.version('contrastive-artifacts')}"
    except metadata.PackageNotFoundError:
        return "contrastive-artifacts"
