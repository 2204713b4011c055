"""Values and parameters as texts for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

_QUOTED_FOLDERS = re.compile(r"""(?<=['"])/[^'"\n]*/(?=[^/'"\n]*['"])""")
_FOLDERS = re.compile(r"""(?<![^\s'"(\[=,])/(?:[^\s/'"]+/)+""")
_LISTED = 6  # values of a list that are written out


def parameter_rows(params: Mapping[str, Any]) -> list[list[str]]:
    """Parameters as (name, text) rows: nested names are joined by dots, numbers have four digits.

    Of the parameters of a rendered view, what a page shows elsewhere (artifact, severity, version) is left out.

    >>> parameter_rows({"artifact": "hum", "seed": 7, "parameters": {"base_hz": 50.0123, "db": [-3.0, -9.5]}})
    [['seed', '7'], ['base_hz', '50.01'], ['db', '-3, -9.5']]
    """
    rows: list[list[str]] = []
    for key, value in params.items():
        if key == "parameters" and isinstance(value, Mapping):
            rows += parameter_rows(value)
        elif isinstance(value, Mapping):
            rows += [[f"{key}.{name}", text] for name, text in parameter_rows(value)]
        elif key not in ("artifact", "severity", "version"):
            rows.append([str(key), text_of(value)])
    return rows


def text_of(value: Any) -> str:
    """A JSON or numpy value as a short text; of a list at most six values are written out.

    >>> text_of(0.123456), text_of(True), text_of(None)
    ('0.1235', 'yes', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return f"{float(value):.4g}"
    if isinstance(value, (list, tuple)):
        text = ", ".join(text_of(item) for item in value[:_LISTED])
        return text if len(value) <= _LISTED else f"{text} … ({len(value)} values)"
    if isinstance(value, Mapping):
        return json.dumps(dict(value), default=str)
    return str(value)


def without_folders(text: str) -> str:
    """A message without the folders of its absolute paths, which are of no use to a client and describe the machine.

    >>> without_folders("/home/ana/films/a.wav has no samples ([Errno 2] '/tmp/my films/b.wav'), 9/10")
    "a.wav has no samples ([Errno 2] 'b.wav'), 9/10"
    """
    return _FOLDERS.sub("", _QUOTED_FOLDERS.sub("", text))
