"""A contact sheet of artifacts as one HTML file: a row per artifact, a column per severity, each cell plays.

The file opens from disk in any current browser and loads nothing else; pictures and audio are stored in it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...artifacts import CLEAN, Artifact, RenderedView
from ...audio.preview import encode_preview
from ...core import files
from ...core.errors import ParameterError
from ...core.html import build_page
from ..shared.texts import parameter_rows
from ..shared.thumbnail import BANDS, FRAMES, thumbnail

_POINTS = 400  # of the waveform detail
_DETAIL_S = 0.02
_LEVEL = 0.1  # active RMS of the clean clip as it is played: about -20 dBFS


@dataclass(frozen=True)
class SheetRow:
    """One artifact in one clip at several severities.

    Attributes:
        artifact: The artifact's record.
        clean: float32 ``[C, T]``, the clean clip.
        views: Views rendered from that clip, in the order of the columns.
    """

    artifact: Artifact
    clean: np.ndarray
    views: Sequence[RenderedView]


def write_sheet(path: str | Path, rows: Sequence[SheetRow], title: str, facts: Mapping[str, Any]) -> None:
    """Writes the page atomically.

    All cells of a row are played with one gain, so that differences in level stay audible. A spectrogram is computed
    from the mean of the channels, or from their difference if the artifact is a fault between channels.

    Args:
        path: The ``.html`` file to write.
        rows: At least one; all with equally many views.
        title: Heading of the page.
        facts: Name -> value, shown under the heading in this order.

    Raises:
        ParameterError: no rows, or rows with different numbers of views.
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
    files.write_text(path, build_page(f"{__package__}", "sheet", title, {"data": page}))


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
    detail = [_points(_one_channel(wave, False)[start : start + 2 * reach] * gain) for wave in (clean, view.waveform)]
    return {
        "severity": view.params["severity"],
        "params": parameter_rows(view.params),
        "segments": len(view.segments),
        "touched": touched(view.segments, view.waveform.shape[-1]),
        "at_s": start / view.sample_rate,
        "picture": base64.b64encode(thumbnail(_one_channel(view.waveform, apart) * gain, view.sample_rate)).decode(),
        "detail": detail,
        "mime": mime,
        "sound": base64.b64encode(sound).decode(),
    }


def touched(segments: np.ndarray, samples: int) -> str:
    """Which of FRAMES equal parts of the clip overlap a segment, as a text of "1" and "0"; "" if all parts do.

    Args:
        segments: int64 ``[S, 2]``, samples ``[start, stop)``.
        samples: Length of the clip.
    """
    edges = np.zeros(FRAMES + 1, dtype=int)
    np.add.at(edges, segments[:, 0] * FRAMES // samples, 1)
    np.add.at(edges, (segments[:, 1] - 1) * FRAMES // samples + 1, -1)
    marks = np.cumsum(edges[:-1]) > 0
    return "" if marks.all() else "".join("1" if mark else "0" for mark in marks)


def _one_channel(waveform: np.ndarray, apart: bool) -> np.ndarray:
    return np.asarray(waveform[0] - waveform[1] if apart else waveform.mean(axis=0))


def _strongest_change(clean: np.ndarray, damaged: np.ndarray, sample_rate: int) -> int:
    """The middle of the 2 ms in which two waveforms ``[C, T]`` differ most, in samples."""
    size = max(1, sample_rate // 500)
    change = np.square(damaged - clean).sum(axis=0)
    return int(np.argmax(np.convolve(change, np.ones(size), mode="same")))


def _points(samples: np.ndarray) -> list[int]:
    """About _POINTS samples as integers, 100000 for full scale."""
    step = max(1, len(samples) // _POINTS)
    return [int(v) for v in np.round(1e5 * np.clip(samples[::step], -8, 8))]
