"""Parts of a file for players, which ask for ranges of bytes."""

from __future__ import annotations

import re
import sys

from fastapi import HTTPException, Request, Response

_PART = r"\s*(\d*)-(\d*)\s*"
_ONE = re.compile(_PART, re.ASCII)
_SEVERAL = re.compile(rf"{_PART}(,{_PART})+", re.ASCII)
_DIGITS = 19  # longer numbers lie beyond every file; int() refuses those of more than 4300 digits


def ranged(request: Request, data: bytes, mime: str) -> Response:
    """``data``, or the single range of it that the request names (RFC 9110, section 14): status 200, 206 or 416.

    Several ranges, or another unit than bytes, are answered with the whole.

    Raises:
        HTTPException: 400 if the header is no range.
    """
    headers = {"Accept-Ranges": "bytes"}
    unit, equals, text = request.headers.get("range", "").strip().partition("=")
    match = _ONE.fullmatch(text)
    if unit.lower() == "bytes" and (match is None or match.groups() == ("", "")) and not _SEVERAL.fullmatch(text):
        raise HTTPException(400, "The Range header is no range; send it as bytes=FIRST-LAST.")
    if unit.lower() != "bytes" or match is None:
        if unit and not equals:
            raise HTTPException(400, "The Range header is no range; send it as bytes=FIRST-LAST.")
        return Response(data, media_type=mime, headers=headers)
    first, last = match.groups()
    start = _number(first) if first else max(0, len(data) - _number(last))
    stop = min(len(data), _number(last) + 1) if first and last else len(data)
    if start >= stop:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, media_type=mime, headers=headers)


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) < _DIGITS else sys.maxsize
