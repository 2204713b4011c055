"""Corrected label tracks of recordings that an index holds, stored as labels of its windows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..artifacts import ARTIFACTS, CLEAN
from ..core import files
from ..core.console import printable
from ..core.errors import ParameterError
from ..core.journal import Journal
from ..probes.label_sets import names_of
from ..probes.labels import MOST_ROWS, RELABEL, Labels
from ..scan.corrections import read_timeline, read_track, window_labels
from .index import Index

_SUFFIX = ".artifacts.txt"
_SHOWN = 5


@dataclass(frozen=True)
class Imported:
    """What a label track gave.

    Attributes:
        recording: The clip of the index.
        windows, of: Number of windows that are labelled now, of all windows of the recording.
        names: Name -> number of windows whose label holds it.
        new: Names in the track that no artifact has.
        timeline: JSON of the scan that was corrected; None where there is none.
    """

    recording: str
    windows: int
    of: int
    names: Mapping[str, int]
    new: tuple[str, ...]
    timeline: Path | None


def import_track(
    track: Path,
    index: Index,
    journal: Journal,
    recording: str | Path | None = None,
    timeline: str | Path | None = None,
) -> Imported:
    """Stores the labels of a corrected track; those that the same file gave before are undone first.

    The user of these labels is the absolute path of the file; their note has its SHA-256 and when it was changed.

    Args:
        track: Exported by Audacity.
        index: With windows of the recording (``scripts/embed.py``).
        journal: Of labels.
        recording: File of the recording; by default the one of which ``FILM.artifacts.txt`` has the name.
        timeline: JSON of the scan that was corrected; by default ``FILM.artifacts.json`` beside the track, if it is
            there.

    Raises:
        ParameterError: a line of the track is no label, or the index has no such recording, or several.
        StorageError: a file cannot be read, or the labels cannot be stored.
    """
    beside = track.with_name(track.name.removesuffix(".txt") + ".json")
    document = Path(timeline) if timeline else beside if beside.is_file() else None
    before = read_timeline(document) if document else []
    after = read_track(track, {span.name for span in before})
    clip, rows = _windows(index, track, recording)
    windows = index.metadata.take(pa.array(rows, pa.int64())).to_pylist()
    labelled = window_labels(windows, before, after)
    modified = datetime.fromtimestamp(track.stat().st_mtime, UTC).isoformat(timespec="seconds")
    labels = Labels(journal, printable(str(track.resolve())), index.fingerprint)
    while labels.undo():
        pass
    facts = [{**windows[n], "id": int(index.ids[rows[n]])} for n in labelled]
    texts, note = list(labelled.values()), f"label track, SHA-256 {files.sha256(track)}, of {modified}"
    for at in range(0, len(facts), MOST_ROWS):
        labels.add(facts[at : at + MOST_ROWS], RELABEL, texts[at : at + MOST_ROWS], note)
    names = Counter(name for text in texts for name in names_of(text))
    new = sorted({span.name for span in after} - {*ARTIFACTS, CLEAN} - {span.name for span in before})
    return Imported(clip, len(facts), len(rows), dict(names), tuple(new), document)


def _windows(index: Index, track: Path, recording: str | Path | None) -> tuple[str, list[int]]:
    """The clip of a track, and the rows of its windows."""
    columns = [name for name in ("clip", "file", "stream") if name in index.metadata.column_names]
    if "file" not in columns:
        raise ParameterError(f"{index.location} holds no windows of recordings; give an index that embed made.")
    clips = index.metadata.select(columns).group_by(columns).aggregate([]).to_pylist()
    if recording is not None:
        real = os.path.realpath(recording)
        clips = [clip for clip in clips if os.path.realpath(clip["file"] or os.devnull) == real]
    if recording is None or len(clips) > 1:  # several streams
        stem = track.name.removesuffix(_SUFFIX)
        clips = [clip for clip in clips if stem in _stems(clip["file"], clip.get("stream"))]
    if len(clips) != 1:
        names = [str(clip["file"]) for clip in clips[:_SHOWN]]
        problem = f"several recordings in the index ({', '.join(names)})" if names else "no recording in the index"
        raise ParameterError(f"{track} fits {problem}; give recording=FILE, as embed has read it.")
    clip = clips[0]
    mask = pc.equal(index.metadata.column("clip"), clip["clip"])
    mask = pc.and_(mask, pc.equal(index.metadata.column("file"), clip["file"]))
    return str(clip["clip"]), pc.indices_nonzero(mask).to_pylist()


def _stems(file: str, stream: int | None) -> Sequence[str]:
    """The names under which ``scan`` may write the results of a recording."""
    name = Path(file).name
    stems = [name, Path(name).stem]
    return [*stems, *(f"{stem}.stream{stream}" for stem in stems)] if stream is not None else stems
