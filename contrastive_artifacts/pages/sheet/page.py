"""A contact sheet of artifacts: one HTML file with a row per artifact and a column per severity, to look at and hear.

It opens from disk in any current browser and loads nothing from anywhere; pictures and audio lie inside.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

from ... import audio
from ...artifacts import CLEAN, Artifact, RenderedView
from ...core import files
from ...core.errors import ParameterError
from ...core.html import build_page
from ..map.page import parameter_rows
from ..shared.preview import encode_preview

BANDS, FRAMES = 72, 144  # of a spectrogram: what a cell of the sheet can show
_LOWEST_HZ, _RANGE_DB = 40.0, 75.0
_POINTS = 400  # of the waveform detail
_DETAIL_S = 0.02
_LEVEL = 0.1  # about -20 dBFS for the clean clip


@dataclass(frozen=True)
class SheetRow:
    """One artifact in one clip at several severities.

    Attributes:
        artifact: the record.
        clean: float32 ``[C, T]``, the clip as it was.
        views: of that clip, in the order of the columns.
    """

    artifact: Artifact
    clean: np.ndarray
    views: Sequence[RenderedView]


def write_sheet(path: str | Path, rows: Sequence[SheetRow], title: str, facts: Mapping[str, Any]) -> None:
    """Writes the page; whole or not at all.

    Every row is played with one gain, so that what differs in level is heard to. A spectrogram is of the mean of the
    channels, or of their difference where the artifact is a fault between channels.

    Args:
        path: the ``.html`` file to write.
        rows: at least one; all with equally many views.
        title: heading of the page.
        facts: what to know about the clip; shown under the heading in this order.

    Raises:
        ParameterError: no rows, or rows of unequal length.
    """
    if len({len(row.views) for row in rows}) != 1 or not rows[0].views:
        raise ParameterError("A contact sheet needs rows, each with equally many views of 1 or more.")
    page = {
        "title": title,
        "facts": [[key, str(value)] for key, value in facts.items()],
        "severities": [view.params["severity"] for view in rows[0].views],
        "bands": BANDS,
        "rows": [_row(row) for row in rows],
    }
    files.write_text(
        path, build_page(f"{__package__}", "sheet", title, {"data": page}, scripts=["../shared/listen.js"])
    )


def _row(row: SheetRow) -> dict[str, Any]:
    rate, apart = row.views[0].sample_rate, row.artifact.least_channels > 1
    gain = np.float32(_LEVEL / max(audio.active_rms(row.clean, rate), 1e-5))
    clean = RenderedView(row.clean, rate, {"artifact": CLEAN, "severity": 0.0}, np.zeros((0, 2), dtype=np.int64))
    worst = row.views[-1].waveform
    middle = _strongest_change(row.clean, worst, rate)
    return {
        "name": row.artifact.name,
        "family": row.artifact.family,
        "scale": row.artifact.scale,
        "synonyms": list(row.artifact.synonyms),
        "cells": [_cell(view, row.clean, middle, gain, apart) for view in (clean, *row.views)],
    }


def _cell(view: RenderedView, clean: np.ndarray, middle: int, gain: np.float32, apart: bool) -> dict[str, Any]:
    sound, mime = encode_preview(view.waveform * gain, view.sample_rate, seconds=10.0)
    reach = int(_DETAIL_S / 2 * view.sample_rate)
    start = max(0, min(middle - reach, clean.shape[-1] - 2 * reach))
    detail = [_points(_one(wave, False)[start : start + 2 * reach] * gain) for wave in (clean, view.waveform)]
    return {
        "severity": view.params["severity"],
        "params": parameter_rows(view.params),
        "spans": len(view.segments),
        "touched": touched(view.segments, view.waveform.shape[-1]),
        "at_s": start / view.sample_rate,
        "picture": base64.b64encode(spectrogram(_one(view.waveform, apart) * gain, view.sample_rate)).decode(),
        "detail": detail,
        "mime": mime,
        "sound": base64.b64encode(sound).decode(),
    }


def spectrogram(samples: np.ndarray, sample_rate: int) -> bytes:
    """``[T]`` -> BANDS x FRAMES bytes, lowest band first: -_RANGE_DB .. 0 dB re full scale, log frequency."""
    size = 1 << max(6, round(np.log2(0.04 * sample_rate)))
    padded = np.pad(samples, (size // 2, size // 2 + max(0, size - len(samples))))
    hop = max(1, (len(padded) - size) // FRAMES)
    window = signal.windows.hann(size)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:FRAMES]
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=1))) / np.sum(window) ** 2 * 4
    edges = np.geomspace(_LOWEST_HZ, sample_rate / 2, BANDS + 1) * size / sample_rate
    low = np.minimum(np.floor(edges[:-1]).astype(int), power.shape[1] - 1)
    high = np.maximum(np.ceil(edges[1:]).astype(int), low + 1)
    bands = np.stack([power[:, a:b].max(axis=1) for a, b in zip(low, high, strict=True)])
    level = 10 * np.log10(np.maximum(bands, 1e-12))
    shown = np.clip((level + _RANGE_DB) / _RANGE_DB, 0, 1)
    full = np.zeros((BANDS, FRAMES), dtype=np.uint8)
    full[:, : shown.shape[1]] = np.round(255 * shown)
    return full.tobytes()


def touched(segments: np.ndarray, samples: int) -> str:
    """Which of FRAMES equal parts of the clip the segments reach into, as ones and zeros; "" for all of it."""
    edges = np.zeros(FRAMES + 1, dtype=int)
    np.add.at(edges, segments[:, 0] * FRAMES // samples, 1)
    np.add.at(edges, (segments[:, 1] - 1) * FRAMES // samples + 1, -1)
    marks = np.cumsum(edges[:-1]) > 0
    return "" if marks.all() else "".join("1" if mark else "0" for mark in marks)


def _one(waveform: np.ndarray, apart: bool) -> np.ndarray:
    return np.asarray(waveform[0] - waveform[1] if apart else waveform.mean(axis=0))


def _strongest_change(clean: np.ndarray, damaged: np.ndarray, sample_rate: int) -> int:
    """The sample around which the two differ most over 2 ms."""
    size = max(1, sample_rate // 500)
    change = np.square(damaged - clean).sum(axis=0)
    return int(np.argmax(np.convolve(change, np.ones(size), mode="same")))


def _points(samples: np.ndarray) -> list[int]:
    """At most _POINTS values in 1e-5 of full scale."""
    step = max(1, len(samples) // _POINTS)
    return [int(v) for v in np.round(1e5 * np.clip(samples[::step], -8, 8))]
