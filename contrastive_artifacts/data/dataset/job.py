"""Renders the clips of one job: files, rows of the manifest, and what could not be rendered."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from ... import artifacts
from ...artifacts import CLEAN
from ...core.console import printable
from ...core.errors import ArtifactsError, one_of_many
from ..corpora import Corpus
from . import manifest, pairs
from .formats import Job, Layout, Row, Sink
from .plan import DatasetSettings, PlannedClip


def render_job(job: Job, corpus: Corpus, settings: DatasetSettings, layout: Layout, folder: Path) -> dict[str, Any]:
    """Renders the clips of a job; returns its outcome, plain JSON: rows, rejected clips, number of views left out."""
    rows: list[Row] = []
    rejected: list[tuple[str, str]] = []
    left_out = Counter[str]()
    with layout.open(folder, job) as sink:
        for planned in job.clips:
            try:
                with one_of_many(planned.clip.id):
                    waveform, rate, start = pairs.load(corpus, planned, settings.clip_s)
                views = pairs.fitting(planned.views, len(waveform))
                left_out.update(Counter(v.artifact for v in planned.views) - Counter(v.artifact for v in views))
                if not views:
                    continue  # a clean clip alone is no pair
                group = pairs.render_group(waveform, rate, views)
                clean = pairs.encode(group.clean, rate, group.shift)
            except OSError:
                raise  # the disk, not the clip
            except Exception as error:  # whatever error a clip causes in a decoder or an artifact, the others continue
                kind = "" if isinstance(error, ArtifactsError) else f"{type(error).__name__}: "
                rejected.append((printable(planned.clip.id), f"{kind}{error}"))
                continue
            rows += _write(job, planned, group, clean, start, corpus.name, layout, sink)
    return {"rows": rows, "rejected": rejected, "left_out": dict(left_out)}


def _write(
    job: Job,
    planned: PlannedClip,
    group: pairs.Group,
    clean: bytes,
    start: int,
    corpus: str,
    layout: Layout,
    sink: Sink,
) -> list[Row]:
    """Writes the files of a group to the sink, each with its row; returns the rows of the manifest."""
    clip, (channels, samples) = planned.clip, group.clean.shape

    def row(name: str, params: dict[str, Any], segments: list[list[int]]) -> Row:
        values = {
            "id": name,
            "file": layout.file(job, planned, name, params["artifact"]),
            "clean_file": layout.clean_file(job, planned, name),
            "clip": clip.id,
            "source": clip.source,
            "category": clip.category,
            "fold": clip.fold,
            "split": planned.split,
            "corpus": corpus,
            "artifact": params["artifact"],
            "severity": params["severity"],
            "seed": params["seed"],
            "params": artifacts.to_json(params),
            "segments": json.dumps(segments),
            "sample_rate": group.sample_rate,
            "channels": channels,
            "start": start,
            "samples": samples,
            "gain_db": group.gain_db,
        }
        return {column: values[column] for column in manifest.SCHEMA.names}

    untouched = artifacts.render(CLEAN, group.clean[:, :1], group.sample_rate).params
    rows = [row(f"{planned.key}-{CLEAN}", untouched, [])]
    sink.clean(rows[0], clean)
    for view, rendered, waveform in pairs.waveforms(group):
        rows.append(row(f"{planned.key}-{view.artifact}-{view.number}", rendered.params, rendered.segments.tolist()))
        sink.view(rows[-1], pairs.encode(waveform, group.sample_rate, group.shift))
    return rows if layout.lists_clean else rows[1:]
