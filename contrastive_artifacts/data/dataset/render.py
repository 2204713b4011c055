"""Renders a plan into a folder, on any number of processes; the bytes do not depend on the number. Resumable."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ... import artifacts
from ...artifacts import ARTIFACTS, CLEAN
from ...artifacts.render import VERSION
from ...core.console import printable, track
from ...core.errors import ArtifactsError, CorpusError, StorageError, UnwritableError, one_of_many
from ...core.journal import Journal
from ..corpora import Corpus
from . import manifest, pairs, pool
from .formats import Job, Layout, Row, Sink
from .plan import DatasetSettings, PlannedClip, make_plan
from .resume import open_journal, outcomes


@dataclass(frozen=True)
class Rendered:
    """A finished dataset.

    Args:
        rows: Rows of its manifest.
        rejected: Clip id and problem of every clip that could not be rendered.
        left_out: Artifact -> number of views left out because the artifact does not fit the clip (too few channels).
        fresh: Number of files that this call rendered.
    """

    rows: list[Row]
    rejected: list[tuple[str, str]]
    left_out: dict[str, int]
    fresh: int


def render_dataset(
    corpus: Corpus,
    settings: DatasetSettings,
    layout: Layout,
    folder: str | Path,
    sides: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Rendered:
    """Renders a corpus into pairs of FLAC files and a manifest, or continues where an earlier call stopped.

    Files are complete or absent. Finished clips (shards, for tar) are entered into a journal in the folder and not
    rendered again unless their files are gone. A complete dataset is not changed. Clips that cannot be read become rows
    of ``rejected.csv``.

    Args:
        corpus: The clean clips.
        settings: What is rendered of each clip.
        layout: An instance of one of :data:`.formats.LAYOUTS`.
        folder: A new or empty folder, or one that holds a dataset of the same plan.
        sides: Clip id -> side of a split.
        workers: Number of processes; the result does not depend on it.

    Raises:
        StorageError: the folder holds something else, is in use by another process, or cannot be written.
        CorpusError: nothing could be rendered.
    """
    folder = Path(folder)
    jobs = layout.jobs(make_plan(corpus.clips, settings, sides))
    about = {
        "layout": type(layout).__name__.lower(),
        **(dataclasses.asdict(layout) if dataclasses.is_dataclass(layout) else {}),
        "corpus": corpus.name,
        "clips": len(corpus.clips),
        "corpus_fingerprint": corpus.fingerprint,
        "split": _side_counts(sides or {}),
        **dataclasses.asdict(settings),
        "render_version": VERSION,
    }
    with open_journal(folder, about) as journal:
        try:
            return _fill(corpus, settings, layout, folder, jobs, journal, workers)
        except (OSError, StorageError) as error:
            raise UnwritableError(
                f"{folder}: rendering has stopped: {str(error).rstrip('.')}. Run again to continue."
            ) from error


def _fill(
    corpus: Corpus,
    settings: DatasetSettings,
    layout: Layout,
    folder: Path,
    jobs: list[Job],
    journal: Journal,
    workers: int,
) -> Rendered:
    """Renders the jobs that the journal lacks, or whose files are gone, and writes the manifest."""
    done = {name: outcome for name, outcome in outcomes(journal).items() if _complete(outcome, folder, layout)}
    remaining = [job for job in jobs if job.name not in done]
    crashed: list[tuple[str, str]] = []
    fresh = 0
    if remaining:
        (folder / manifest.CSV).unlink(missing_ok=True)
        work = partial(_render_job, corpus=corpus, settings=settings, layout=layout, folder=folder)
        with closing(pool.results(work, remaining, workers)) as results:
            for job, outcome in track(results, "render", len(remaining)):
                if isinstance(outcome, pool.Crashed):  # not added to the journal: the next call tries again
                    crashed += [(clip.clip.id, outcome.problem) for clip in job.clips]
                    continue
                journal.add({"job": job.name, "outcome": outcome})
                done[job.name] = outcome
                fresh += len(outcome["rows"])
    ordered = [done[job.name] for job in jobs if job.name in done]
    rows = [row for outcome in ordered for row in outcome["rows"]]
    rejected = [(clip, problem) for outcome in ordered for clip, problem in outcome["rejected"]] + crashed
    left_out = sum((Counter(outcome["left_out"]) for outcome in ordered), Counter[str]())
    if not (folder / manifest.CSV).exists():
        manifest.write_rejected(folder, rejected)
        if not rows:
            raise CorpusError(_nothing(rejected, left_out))
        layout.finish(folder, rows)
        manifest.write(folder, rows)
    return Rendered(rows, rejected, dict(left_out), fresh)


def _render_job(job: Job, corpus: Corpus, settings: DatasetSettings, layout: Layout, folder: Path) -> dict[str, Any]:
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


def _side_counts(sides: Mapping[str, str]) -> dict[str, Any]:
    """Number of clips on each side, and a digest of the assignment."""
    digest = hashlib.blake2b(repr(sorted(sides.items())).encode(), digest_size=8).hexdigest()
    return {**dict(sorted(Counter(sides.values()).items())), "digest": digest} if sides else {}


def _complete(outcome: dict[str, Any], folder: Path, layout: Layout) -> bool:
    """Whether all files of a job are still there."""
    containers = {layout.container(row[key]) for row in outcome["rows"] for key in ("file", "clean_file")}
    return all((folder / name).is_file() for name in containers)


def _nothing(rejected: list[tuple[str, str]], left_out: Mapping[str, int]) -> str:
    reasons = []
    if left_out:
        needs = ", ".join(
            f"{name} needs {f'{least} channels' if (least := ARTIFACTS[name].least_channels) > 1 else 'recorded rooms'}"
            for name in left_out
        )
        reasons.append(f"{sum(left_out.values())} views were left out because they do not fit their clip ({needs})")
    if rejected:
        reasons.append(f"{len(rejected)} clips could not be read, the first, {rejected[0][0]}: {rejected[0][1]}")
    return f"There is nothing to render: {'; '.join(reasons)}."
