"""An archive of a few recordings with windows of 3 s and random vectors, and the explorer that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import serving

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval.roots import record_roots

RATE = 16000
WINDOW_S = 3


def tone(hz: float, seconds: float, level: float = 0.3) -> np.ndarray:
    """A sine, float32 [T]."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def build(folder: Path, recordings: Mapping[str, np.ndarray], each: Sequence[str] = ()) -> dict[str, int]:
    """Writes recordings [C, T] and an index of their windows, those of ``each`` channel by channel.

    Returns:
        The first row of each recording.
    """
    rows: list[dict[str, Any]] = []
    first = {}
    for name, waveform in recordings.items():
        path = folder / "data" / name
        audio.write(path, waveform, RATE)
        first[name] = len(rows)
        for start in range(0, waveform.shape[1] - WINDOW_S * RATE + 1, WINDOW_S * RATE):
            for channel in range(len(waveform)) if name in each else (None,):
                rows.append({
                    "clip": name, "file": str(path), "corpus": "c", "source": name, "channel": channel, "start": start,
                    "stop": start + WINDOW_S * RATE, "sample_rate": RATE, "artifact": "", "params": "{}",
                })  # fmt: skip
    encoder = ca.load("release/mn04")
    vectors = np.random.default_rng(0).normal(size=(len(rows), encoder.dim)).astype(np.float32)
    index = Index.build(vectors, rows, folder / "index", encoder.fingerprint)
    record_roots(index.directory, {row["file"] for row in rows})
    with pytest.MonkeyPatch.context() as patched:  # UMAP takes half a minute to compile
        patched.setattr(layout, "umap_2d", lambda x, seed: x[:, :2])
        layout.layout_of(Index.open(folder / "index"))
    return first


@contextmanager
def explored(folder: Path) -> Iterator[str]:
    """The address of the explorer of an archive."""
    settings = (f"index={folder}/index", "encoder=release/mn04", "port=0", "who=ana")
    with serving("explore", *settings, folder=folder) as (_, address):
        yield address
