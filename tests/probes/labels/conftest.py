"""Rows as a probed run and as an archive have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Row = dict[str, Any]


def view(n: int, artifact: str = "hiss") -> Row:
    """Row ``n`` of the index of a run: a rendered view."""
    params = json.dumps({"artifact": artifact, "seed": n}, sort_keys=True)
    row: Row = {"id": n, "artifact": artifact, "severity": 0.5, "source": f"s{n}", "corpus": "esc", "clip": f"{n}.wav"}
    return row | {"category": "", "split": "train", "params": params, "start": 0, "stop": 48000, "sample_rate": 16000}


def window(n: int, heard: str = "hum", channel: int | None = None) -> Row:
    """Row ``n`` of the index of an archive: a window of a recording, a second later than the one before."""
    row: Row = {"id": 2**62 + n, "artifact": "", "severity": 0.0, "source": "film", "corpus": "films", "params": "{}"}
    row |= {"clip": "a/film.wav", "category": "", "split": "", "start": 48000 * n, "stop": 48000 * (n + 3)}
    return row | {"sample_rate": 48000, "channel": channel, "file": "/films/a/film.wav", "heard": heard}


@pytest.fixture(scope="session")
def a_view() -> Callable[..., Row]:
    return view


@pytest.fixture(scope="session")
def a_window() -> Callable[..., Row]:
    return window
