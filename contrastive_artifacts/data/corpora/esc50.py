"""ESC-50: 2000 field recordings of 5 s in 50 classes and five official folds.

Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015, https://github.com/karolpiczak/ESC-50.
The whole set is CC BY-NC; its subset ESC-10 (ten classes, 400 clips) is CC BY.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from ... import audio
from ...core import download
from ...core.errors import CorpusError, DownloadError, ParameterError
from .base import Clip, Corpus

_COMMIT = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
URL = f"https://github.com/karolpiczak/ESC-50/archive/{_COMMIT}.zip"
SIZE = 645_832_161
SHA256 = "661183a6f53ef04f12c9bd618fed0ddc1713280d6c94a5a5431e844ba6f6a21f"
SUBSETS = ("esc50", "esc10")

# Classes by target number, which is also the last number in a file name.
CATEGORIES = (
    *("dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow"),
    *("rain", "sea_waves", "crackling_fire", "crickets", "chirping_birds"),
    *("water_drops", "wind", "pouring_water", "toilet_flush", "thunderstorm"),
    *("crying_baby", "sneezing", "clapping", "breathing", "coughing"),
    *("footsteps", "laughing", "brushing_teeth", "snoring", "drinking_sipping"),
    *("door_wood_knock", "mouse_click", "keyboard_typing", "door_wood_creaks", "can_opening"),
    *("washing_machine", "vacuum_cleaner", "clock_alarm", "clock_tick", "glass_breaking"),
    *("helicopter", "chainsaw", "siren", "car_horn", "engine", "train", "church_bells", "airplane", "fireworks"),
    "hand_saw",
)
ESC10 = frozenset({0, 1, 10, 11, 12, 20, 21, 38, 40, 41})
_NAME = re.compile(r"(?P<fold>[1-5])-(?P<source>\d+)-(?P<take>[A-Z])-(?P<target>\d{1,2})")


def esc50(
    path: str | Path | None = None,
    cache: str | Path | None = None,
    subset: str = "esc50",
    folds: Collection[int] | None = None,
) -> Corpus:
    """ESC-50 or ESC-10, from a local copy or from the official archive.

    Args:
        path: A local copy: the archive (.zip), its unpacked folder (``meta/esc50.csv`` and ``audio/``), or any folder
            of files with their official names (``1-100032-A-0.wav``, any suffix). ``None`` downloads the archive
            (646 MB) and checks its size and sha256.
        cache: Folder for archives and their unpacked files; default is :func:`.download.cache_folder`.
        subset: "esc50" or "esc10".
        folds: Official folds to use, of 1 to 5; default is all of them.

    Returns:
        A corpus of clips with official folds; the id is the stem of the file, the source ``freesound:<number>``.

    Raises:
        CorpusError: no clips, missing files, or an archive that is damaged or cannot be downloaded; the message names
            its address and the path for a copy.
        ParameterError: no such subset.
    """
    if subset not in SUBSETS:
        raise ParameterError(f"subset={subset!r} is none of {', '.join(SUBSETS)}.")
    cache_dir = Path(cache) if cache is not None else download.cache_folder() / "esc50"
    root = Path(path) if path is not None else _downloaded(cache_dir)
    if root.is_file():
        root = _unpacked(root, cache_dir)
    if not root.is_dir():
        raise CorpusError(
            f"{root} does not exist; give the ESC-50 folder or its .zip, or leave path out to download it."
        )
    table = next(iter([*root.glob("meta/esc50.csv"), *root.glob("*/meta/esc50.csv")]), None)
    clips = list(_from_table(table) if table is not None else _from_names(root))
    if not clips:
        raise CorpusError(f"{root} holds neither meta/esc50.csv nor audio files named like 1-100032-A-0.wav.")
    keep = frozenset(range(1, 6) if folds is None else folds)
    targets = {name for number, name in enumerate(CATEGORIES) if subset == "esc50" or number in ESC10}
    chosen = [clip for clip in clips if clip.fold in keep and clip.category in targets]
    if not chosen:
        raise CorpusError(f"{root} has no clip of {subset} in the folds {sorted(keep)}.")
    return Corpus(subset, chosen)


def _downloaded(cache: Path) -> Path:
    try:
        return download.fetch(URL, cache / f"ESC-50-{_COMMIT[:8]}.zip", SIZE, SHA256, "ESC-50 archive")
    except DownloadError as error:
        raise CorpusError(f"{error} The path of a local copy can be given with path=.") from error


def _unpacked(archive: Path, cache: Path) -> Path:
    """Unpacks the table and the audio of the archive, once, and returns the folder; complete or absent."""
    target = cache / f"{archive.stem}-{archive.stat().st_size}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{archive.stem}-", dir=cache))
    try:
        with zipfile.ZipFile(archive) as bundle:
            for member in bundle.infolist():
                name = PurePosixPath(member.filename)
                if not member.is_dir() and name.parent.name in ("audio", "meta"):
                    out = temporary / name.parent.name / name.name  # two parts only: no entry can leave the folder
                    out.parent.mkdir(exist_ok=True)
                    with bundle.open(member) as source, open(out, "wb") as sink:
                        shutil.copyfileobj(source, sink)
        os.replace(temporary, target)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        if not target.is_dir():  # otherwise another process has unpacked it
            raise CorpusError(f"{archive} cannot be unpacked ({error}); download {URL} again.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _from_table(table: Path) -> Iterator[Clip]:
    audio_folder = table.parent.parent / "audio"
    present = {p.stem: p for p in sorted(audio_folder.glob("*")) if p.suffix.lower() in audio.EXTENSIONS}
    missing = []
    with open(table, newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        lacking = {"filename", "fold", "category", "src_file"} - set(reader.fieldnames or [])
        if lacking:
            raise CorpusError(f"{table} lacks the columns {', '.join(sorted(lacking))}; it is not the official table.")
        for row in reader:
            stem = Path(row["filename"]).stem
            if stem not in present:
                missing.append(row["filename"])
                continue
            source = f"freesound:{row['src_file']}"
            yield Clip(stem, source, row["category"], int(row["fold"]), present[stem])
    if missing:
        raise CorpusError(
            f"{audio_folder} lacks {len(missing)} files of {table.name}, the first is {missing[0]}; unpack the archive "
            "again, or give path= the folder of audio files alone."
        )


def _from_names(root: Path) -> Iterator[Clip]:
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in audio.EXTENSIONS):
        match = _NAME.fullmatch(path.stem)
        if match and int(match["target"]) < len(CATEGORIES):
            category = CATEGORIES[int(match["target"])]
            yield Clip(path.stem, f"freesound:{match['source']}", category, int(match["fold"]), path)
