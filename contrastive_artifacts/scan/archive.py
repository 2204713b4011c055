"""Scans many recordings into a folder, several at a time; goes on after a kill, and leaves bad files out by name.

Each recording has its files of results (:mod:`.results`) below the folder, as it lies below the root of the
inputs. A journal lists what is scanned, so that the same call scans only what is new or changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from .. import audio
from ..core import files, pool, shards
from ..core.console import printable
from ..core.errors import ArtifactsError, ParameterError, one_of_many
from ..core.journal import Journal, tool_version
from ..core.ray_pool import Cluster
from ..data.corpora.archive_org import Recording as ItemRecording
from . import saved
from .child import MOST_BYTES
from .inputs import Inputs
from .lanes import SavedEncoder, WindowClassifier
from .options import ScanOptions
from .progress import archive_progress
from .recordings import Recording, failed, limit_s, recording_of, with_lengths
from .results import result_paths, write_results
from .summary import FileSummary, ordered, summary
from .units import classify_unit, shared

_FORMAT = 2
_JOURNAL = "journal.jsonl"
_UNFINISHED = "unfinished"  # folder of the stretches of recordings that were not finished


def scan_archive(
    inputs: Inputs,
    folder: Path,
    open_encoder: Callable[[], WindowClassifier],
    identity: Sequence[str],
    options: ScanOptions,
    workers: int = 1,
    shard: shards.Shard | None = None,
    cluster: Cluster | None = None,
) -> list[FileSummary]:
    """Scans recordings into a folder, or what an earlier call left or has changed since.

    A recording that cannot be read, whose decoder crashes, or that takes longer than five minutes and twice its length,
    becomes a row with the reason and is tried again by the next call.

    Args:
        inputs: The recordings.
        folder: Of the results; the journal is in it.
        open_encoder: Opens the encoder, once in each process; must be picklable.
        identity: Of the encoder and its probe; where it, or ``options``, differs from that of the earlier call, all
            recordings are scanned anew.
        options: What is scanned, and how.
        workers: Number of processes; the result does not depend on it.
        shard: Scans the recordings of this shard only, into the same folder as the others; :func:`joined_shards` is
            the result of all of them.
        cluster: Its workers scan, several of them one long recording; they must see the same files and folder.

    Returns:
        A row for each recording (for each stream that was scanned), see :func:`.summary.ordered`.

    Raises:
        StorageError: another process scans into the folder (the same shard of it), it cannot be written, or it holds
            shards of another encoder or other settings.
        ParameterError: two recordings would have the same results.
    """
    with Journal(folder / (_JOURNAL if shard is None else shard.journal)) as journal:
        if shard is None:
            inputs = _begun(journal, folder, inputs, identity, options)
        else:
            shards.begin(journal, _about(inputs, identity, options), shard)
        recordings = _recordings(inputs)
        if shard is not None:
            recordings = shard.part(with_lengths(recordings, options, workers), lambda recording: recording.work_s)
        before = _rows_of(journal.entries[1:])
        done = {r.key for r in recordings if r.key in before and _are_there(before[r.key], folder, options)}
        remaining = [recording for recording in recordings if recording.key not in done]
        rows = [row for key in done for row in before[key]]
        for stretches in list((folder / _UNFINISHED).glob("*")):
            if stretches.name in done:  # and a kill came before its stretches were removed
                saved.remove(stretches)
        for parent in {(folder / recording.results).parent for recording in remaining}:
            files.remove_abandoned(parent)
        if shard is None:
            remaining = with_lengths(remaining, options, workers)

        def finish(recording: Recording, new: list[FileSummary]) -> None:
            journal.add({"key": recording.key, "rows": [asdict(row) for row in new]})
            if all(row.scanned for row in new):
                saved.remove(_unfinished(folder, recording))
            rows.extend(new)

        for recording in remaining:
            if recording.problem:
                finish(recording, [failed(recording, recording.problem)])
        readable = [recording for recording in remaining if not recording.problem]
        work = partial(_scan_recording, open_encoder, options, folder)
        if cluster is None:
            outcomes = pool.results(work, readable, workers, limit_s, MOST_BYTES)
        else:
            classify = partial(classify_unit, partial(_opened, open_encoder), options, partial(_stretches, folder))
            outcomes = shared(cluster, work, classify, readable)
        total_s = sum(recording.duration_s or 0.0 for recording in readable)
        with closing(outcomes), archive_progress(len(readable), total_s) as advance:
            for recording, outcome in outcomes:
                new = [failed(recording, outcome.problem)] if isinstance(outcome, pool.Crashed) else outcome
                finish(recording, new)
                advance(recording.duration_s or 0.0)
    return _with_all(inputs, rows)


def joined_shards(
    inputs: Inputs, folder: Path, identity: Sequence[str], options: ScanOptions, workers: int = 1
) -> list[FileSummary]:
    """The result of :func:`scan_archive` where all shards of it have ended; the arguments are the same.

    Later calls without a shard go on from there.

    Raises:
        StorageError: a recording is missing (the message says which shards to run), or has changed since; or shards are
            of another encoder or other settings.
    """
    entries, shard = shards.joined(folder, _about(inputs, identity, options))
    scanned, recordings = _rows_of(entries), _recordings(inputs)
    complete = {
        key for key, rows in scanned.items() if _are_there([row for row in rows if row.scanned], folder, options)
    }
    if any(recording.key not in complete for recording in recordings):
        recordings = with_lengths(recordings, options, workers)
        raise shards.missing(
            "recordings", recordings, lambda r: r.key not in complete, lambda r: r.results, lambda r: r.work_s, shard
        )
    with Journal(folder / _JOURNAL) as journal:
        _begun(journal, folder, inputs, identity, options)
        for recording in recordings:
            journal.add({"key": recording.key, "rows": [asdict(row) for row in scanned[recording.key]]})
    return _with_all(inputs, [row for recording in recordings for row in scanned[recording.key]])


def _recordings(inputs: Inputs) -> list[Recording]:
    """The recordings of the inputs, without their lengths.

    Raises:
        ParameterError: two would have the same results, as a folder ``archive.org`` beside items of archive.org.
    """
    recordings = [recording_of(inputs, path) for path in inputs.files]
    paths: dict[str, Path] = {}
    for recording in recordings:
        other = paths.setdefault(recording.results, recording.path)
        if other != recording.path:
            raise ParameterError(f"{other} and {recording.path} would have the same results; scan them separately.")
    return recordings


def _rows_of(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[FileSummary]]:
    """Key of a recording -> its rows, of its last entry in a journal."""
    return {entry["key"]: [FileSummary(**row) for row in entry["rows"]] for entry in entries}


def _with_all(inputs: Inputs, rows: Sequence[FileSummary]) -> list[FileSummary]:
    """The rows in their order, with what archive.org says of them and those of its items that have no recording."""
    items = {printable(str(path)): item for path, item in inputs.items.items()}
    rows = [_with_origin(row, items.get(row.path)) for row in rows]
    return ordered([*rows, *(FileSummary(word, word, reason=reason) for word, reason in inputs.problems.items())])


def _with_origin(row: FileSummary, item: ItemRecording | None) -> FileSummary:
    """The row of a recording of archive.org with its name there and the reason of its choice."""
    if item is None:
        return row
    return replace(row, title=row.title.replace(row.path, item.title), origin=f"{item.title}: {item.reason}")


def _about(inputs: Inputs, identity: Sequence[str], options: ScanOptions) -> dict[str, Any]:
    """What the results depend on beside the recordings, and their root."""
    about = {"format": _FORMAT, "tool": tool_version(), "encoder": list(identity), **asdict(options)}
    about["formats"] = list(options.formats)  # as JSON reads it
    return about | {"root": printable(str(inputs.root))}


def _begun(journal: Journal, folder: Path, inputs: Inputs, identity: Sequence[str], options: ScanOptions) -> Inputs:
    """Clears the journal of another encoder or other settings; its root grows until all files lie below it."""
    before = journal.entries[0] if journal.entries else {}
    root = Path(str(before.get("root", "")))
    same = before == _about(inputs, identity, options) | {"root": str(root)}
    entries = journal.entries[1:] if same else []
    if entries and inputs.root.is_relative_to(root):
        return replace(inputs, root=root)
    if entries:
        inputs = replace(inputs, root=Path(os.path.commonpath([root, inputs.root])))
    if not same:
        saved.remove(folder / _UNFINISHED)
    journal.clear()
    journal.add(_about(inputs, identity, options))
    _move_results(journal, folder, inputs, entries, options)
    return inputs


def _move_results(
    journal: Journal, folder: Path, inputs: Inputs, entries: Sequence[Mapping[str, Any]], options: ScanOptions
) -> None:
    """Moves what was scanned below another root to where it belongs now. After a kill, the rest is scanned again."""
    scanned = {key: rows for key, rows in _rows_of(entries).items() if all(row.scanned for row in rows)}
    recordings = [recording for path in inputs.files if (recording := recording_of(inputs, path)).key in scanned]
    # The deepest first: results may go to where others, which lie deeper, come from.
    for recording in sorted(recordings, key=lambda recording: -len(Path(recording.results).parts)):
        rows = []
        for row in scanned[recording.key]:
            several = len(scanned[recording.key]) > 1
            results = f"{recording.results}.stream{row.stream}" if several else recording.results
            old, new = (result_paths(folder / stem, options.formats) for stem in (row.results, results))
            for name, path in old.items():
                if path.is_file() and path != new[name]:
                    new[name].parent.mkdir(parents=True, exist_ok=True)
                    os.replace(path, new[name])
            rows.append(replace(row, results=results))
        journal.add({"key": recording.key, "rows": [asdict(row) for row in rows]})


def _are_there(rows: Sequence[FileSummary], folder: Path, options: ScanOptions) -> bool:
    """Whether recordings were scanned and all files of their results are there."""
    return all(
        row.scanned and path.is_file()
        for row in rows
        for path in result_paths(folder / row.results, options.formats).values()
    )


def _scan_recording(
    open_encoder: Callable[[], WindowClassifier], options: ScanOptions, folder: Path, recording: Recording
) -> list[FileSummary]:
    """The row of each stream, whose results are written."""
    encoder = _opened(open_encoder)
    try:
        with one_of_many(str(recording.path)):
            infos = audio.chosen(recording.path, options.stream, options.streams)
    except ArtifactsError as error:
        return [failed(recording, str(error))]
    return list(_rows(encoder, options, folder, recording, infos))


def _rows(
    encoder: WindowClassifier,
    options: ScanOptions,
    folder: Path,
    recording: Recording,
    infos: Sequence[audio.AudioInfo],
) -> Iterator[FileSummary]:
    for info in infos:
        results = f"{recording.results}.stream{info.stream}" if len(infos) > 1 else recording.results
        try:
            with one_of_many(str(recording.path)):
                stretches = _stretches(folder, recording, info.stream, encoder)
                timeline = options.timeline(recording.path, encoder, info.stream, stretches)
        except ArtifactsError as error:
            yield failed(recording, str(error), info.stream if len(infos) > 1 else None)
        else:
            write_results(timeline, folder / results, options.formats)
            yield summary(timeline, info, printable(str(recording.path)), results)


def _stretches(folder: Path, recording: Recording, stream: int, encoder: WindowClassifier) -> saved.SavedStretches:
    fingerprint = encoder.fingerprint if isinstance(encoder, SavedEncoder) else ""
    return saved.SavedStretches(_unfinished(folder, recording), fingerprint, stream)


def _unfinished(folder: Path, recording: Recording) -> Path:
    return folder / _UNFINISHED / recording.key


@cache
def _opened(open_encoder: Callable[[], Any]) -> Any:
    """The encoder of a process, which receives the function once."""
    return open_encoder()
