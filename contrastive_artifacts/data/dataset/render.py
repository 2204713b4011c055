"""Renders a plan into a folder, on any number of processes; the bytes do not depend on the number. Resumable."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...artifacts import ARTIFACTS
from ...artifacts.render import VERSION
from ...core import pool, shards
from ...core.console import printable, track
from ...core.errors import CorpusError, StorageError, UnwritableError
from ...core.ray_pool import Cluster
from ..corpora import Corpus, lengths
from . import manifest, resume
from .formats import Job, Layout, Row
from .job import render_job
from .plan import DatasetSettings, make_plan

Outcome = dict[str, Any]  # of a job, see render_job; and whether it ended its process


@dataclass(frozen=True)
class Rendered:
    """A finished dataset, or a finished shard of one.

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
    shard: shards.Shard | None = None,
    cluster: Cluster | None = None,
) -> Rendered:
    """Renders a corpus into pairs of FLAC files and a manifest, or continues where an earlier call stopped.

    Files are complete or absent. Finished clips (tar files, for webdataset) are entered into a journal in the folder
    and not rendered again unless their files are gone. A complete dataset is not changed. Clips that cannot be read
    become rows of ``rejected.csv``.

    Args:
        corpus: The clean clips.
        settings: What is rendered of each clip.
        layout: An instance of one of :data:`.formats.LAYOUTS`.
        folder: A new or empty folder, or one that holds a dataset of the same plan.
        sides: Clip id -> side of a split.
        workers: Number of processes; the result does not depend on it.
        shard: Renders the clips of this shard only, into the same folder as the others, and writes no manifest;
            :func:`joined_shards` does when all have ended.
        cluster: Its workers render in place of processes of this machine; they must see the same files and folder.

    Raises:
        StorageError: the folder holds something else or shards of other settings, is in use by another process (which
            renders the same shard), or cannot be written.
        CorpusError: nothing could be rendered.
    """
    folder = Path(folder)
    jobs, plan = _planned(corpus, settings, layout, sides or {})
    with resume.open_journal(folder, plan, shard) as journal, _continuable(folder):
        if shard is not None:
            jobs = shard.part(jobs, partial(_work_s, settings))
        stored = resume.outcomes(journal.entries)
        done = {job.name: stored[job.name] for job in jobs if _is_done(stored.get(job.name), folder, layout)}
        remaining = [job for job in jobs if job.name not in done]
        if remaining and shard is None:
            (folder / manifest.CSV).unlink(missing_ok=True)
        work = partial(render_job, corpus=corpus, settings=settings, layout=layout, folder=folder)
        with closing(_outcomes(work, remaining, workers, cluster)) as outcomes:
            for job, outcome in track(outcomes, "render", len(remaining)):
                journal.add({"job": job.name, "outcome": outcome})
                done[job.name] = outcome
        fresh = sum(len(done[job.name]["rows"]) for job in remaining)
        rendered = _rendered([done[job.name] for job in jobs], fresh)
        if shard is None:
            _finish(folder, layout, rendered)
        return rendered


def joined_shards(
    corpus: Corpus,
    settings: DatasetSettings,
    layout: Layout,
    folder: str | Path,
    sides: Mapping[str, str] | None = None,
) -> Rendered:
    """The result of :func:`render_dataset` where all shards of it have ended; the arguments are the same.

    Later calls without a shard go on from there.

    Raises:
        StorageError: clips are missing (the message says which shards to run), or shards are of other settings.
        CorpusError: nothing could be rendered.
    """
    folder = Path(folder)
    jobs, plan = _planned(corpus, settings, layout, sides or {})
    entries, shard = shards.joined(folder / resume.FOLDER, resume.as_stored(plan))
    stored = resume.outcomes(entries)
    lost = {job.name for job in jobs if not _is_there(stored.get(job.name), folder, layout)}
    if lost:
        raise shards.missing(
            layout.jobs_are, jobs, lambda job: job.name in lost, lambda job: job.name, partial(_work_s, settings), shard
        )
    with resume.open_journal(folder, plan) as journal, _continuable(folder):
        before = resume.outcomes(journal.entries)
        for job in jobs:
            if before.get(job.name) != stored[job.name]:
                (folder / manifest.CSV).unlink(missing_ok=True)
                journal.add({"job": job.name, "outcome": stored[job.name]})
        rendered = _rendered([stored[job.name] for job in jobs], 0)
        _finish(folder, layout, rendered)
        return rendered


def _planned(
    corpus: Corpus, settings: DatasetSettings, layout: Layout, sides: Mapping[str, str]
) -> tuple[list[Job], dict[str, Any]]:
    """The jobs, and what the files depend on."""
    plan = {
        "layout": type(layout).__name__.lower(),
        **(dataclasses.asdict(layout) if dataclasses.is_dataclass(layout) else {}),
        "corpus": corpus.name,
        "clips": len(corpus.clips),
        "corpus_fingerprint": corpus.fingerprint,
        "split": _side_counts(sides),
        **dataclasses.asdict(settings),
        "render_version": VERSION,
    }
    return layout.jobs(make_plan(corpus.clips, settings, sides)), plan


@contextmanager
def _continuable(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, StorageError) as error:
        raise UnwritableError(
            f"{folder}: rendering has stopped: {str(error).rstrip('.')}. Run again to continue."
        ) from error


def _work_s(settings: DatasetSettings, job: Job) -> float:
    """Seconds of sound that a job renders."""
    return sum(
        (lengths.clip_s(planned.clip) if settings.clip_s is None else settings.clip_s) * (1 + len(planned.views))
        for planned in job.clips
    )


def _outcomes(
    work: Callable[[Job], Outcome], jobs: Sequence[Job], workers: int, cluster: Cluster | None
) -> Generator[tuple[Job, Outcome], None, None]:
    """Each job with its outcome; the clips of one that ended its process are rejected."""
    results = pool.results(work, jobs, workers) if cluster is None else cluster.results(work, deque(jobs))
    with closing(results):
        for job, outcome in results:
            if isinstance(outcome, pool.Crashed):
                rejected = [(printable(planned.clip.id), outcome.problem) for planned in job.clips]
                outcome = {"rows": [], "rejected": rejected, "left_out": {}, "crashed": True}
            yield job, outcome


def _is_there(outcome: Outcome | None, folder: Path, layout: Layout) -> bool:
    """Whether a job has an outcome and all of its files are there."""
    if outcome is None:
        return False
    containers = {layout.container(row[key]) for row in outcome["rows"] for key in ("file", "clean_file")}
    return all((folder / name).is_file() for name in containers)


def _is_done(outcome: Outcome | None, folder: Path, layout: Layout) -> bool:
    """Whether a job need not be tried again: one that ended its process may have had too little memory."""
    return _is_there(outcome, folder, layout) and not (outcome or {}).get("crashed", False)


def _rendered(outcomes: Sequence[Outcome], fresh: int) -> Rendered:
    rows = [row for outcome in outcomes for row in outcome["rows"]]
    rejected = [(clip, problem) for outcome in outcomes for clip, problem in outcome["rejected"]]
    return Rendered(rows, rejected, dict(sum((Counter(o["left_out"]) for o in outcomes), Counter[str]())), fresh)


def _finish(folder: Path, layout: Layout, rendered: Rendered) -> None:
    """Writes what describes the dataset, unless it is there.

    Raises:
        CorpusError: the dataset is empty.
    """
    if (folder / manifest.CSV).exists():
        return
    manifest.write_rejected(folder, rendered.rejected)
    if not rendered.rows:
        raise CorpusError(_nothing(rendered.rejected, rendered.left_out))
    layout.finish(folder, rendered.rows)
    manifest.write(folder, rendered.rows)


def _side_counts(sides: Mapping[str, str]) -> dict[str, Any]:
    """Number of clips on each side, and a digest of the assignment."""
    digest = hashlib.blake2b(repr(sorted(sides.items())).encode(), digest_size=8).hexdigest()
    return {**dict(sorted(Counter(sides.values()).items())), "digest": digest} if sides else {}


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
