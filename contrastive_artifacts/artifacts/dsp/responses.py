"""Recorded room responses: a folder of the user, given by the environment variable :data:`VARIABLE`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...core import files
from ...core.errors import AudioError, ParameterError
from .decay import DIRECT_S

VARIABLE = "CONTRASTIVE_ARTIFACTS_RESPONSES"
SUFFIXES = (".wav", ".flac")
LONGEST_S = 30.0
_ONSET = 0.1  # re the peak: the sound arrives where the response first exceeds -20 dB (ISO 3382)


@dataclass(frozen=True)
class ResponseId:
    """The parameter that identifies a response: the first 16 hexadecimal digits of the SHA-256 of its file."""

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{16}", value):
            raise ParameterError(
                f"{where} is {value!r}; give the first 16 hexadecimal digits of the SHA-256 of a response's file."
            )


def listing() -> dict[str, Path]:
    """Id -> file of every response in the folder and its subfolders, sorted by id.

    Files are hashed once per process, and again when their size or time changes.

    Raises:
        ParameterError: the variable is not set, is not a folder, or the folder holds no response.
    """
    value = os.environ.get(VARIABLE, "")
    if not value:
        raise ParameterError(
            f"There are no recorded responses: set {VARIABLE} to a folder of impulse responses of rooms "
            f"({' or '.join(SUFFIXES)}), one per file."
        )
    folder = Path(value)
    if not folder.is_dir():
        raise ParameterError(f"{VARIABLE} is {value!r}, which is no folder; name one with impulse responses.")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not paths:
        raise ParameterError(f"{VARIABLE}: no {' or '.join(SUFFIXES)} in {folder}; put impulse responses there.")
    return dict(sorted({_identity(str(path), *_stamp(path)): path for path in reversed(paths)}.items()))


def load(identity: str, sample_rate: int) -> np.ndarray:
    """A response at ``sample_rate``: float32 ``[C, L]``, read-only, with the direct sound at sample 0 and a peak of 1.

    The direct sound is the largest sample of all channels within 2.5 ms of the first arrival.

    Raises:
        ParameterError: no file in the folder has this id.
        AudioError: the file cannot be read, is longer than 30 s, silent, or ends with the direct sound.
    """
    paths = listing()
    if identity not in paths:
        raise ParameterError(
            f"No response in {os.environ[VARIABLE]} has the id {identity} (of {len(paths)} files); set {VARIABLE} "
            "to the folder that these parameters were drawn with."
        )
    path = paths[identity]
    return _load(str(path), *_stamp(path), sample_rate)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=100_000)
def _identity(path: str, size: int, time: int) -> str:
    return files.sha256(path)[:16]


@lru_cache(maxsize=16)
def _load(path: str, size: int, time: int, sample_rate: int) -> np.ndarray:
    response, rate = audio.read(path)
    if response.shape[1] > LONGEST_S * rate:
        raise AudioError(
            f"{path} is {response.shape[1] / rate:.1f} s long; an impulse response of up to {LONGEST_S:g} s is needed."
        )
    response = audio.resample(response, rate, sample_rate)
    level = np.abs(response).max(axis=0)
    if not level.max() > 0:
        raise AudioError(f"{path} is silent; record or export the response again.")
    arrival, direct = int(np.argmax(level >= _ONSET * level.max())), int(np.ceil(DIRECT_S * sample_rate))
    start = arrival + int(np.argmax(level[arrival : arrival + direct]))
    response = response[:, start:] / level.max()
    if not np.abs(response[:, direct:]).max(initial=0.0) > 0:
        raise AudioError(f"{path} is silent after its direct sound; it is not the response of a room.")
    response.flags.writeable = False  # it is cached
    return response
