"""Stretches of an unfinished scan in a folder, so that a scan that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..core import files
from ..core.journal import tool_version
from .stretches import Stretch

_FORMAT = 1
_NUMBERS = ("run", "first", "stop")


class SavedStretches:
    """The stretches of one scan, a file each, written as a whole or not at all.

    Args:
        folder: Holds a folder for each scan; created with the first stretch.
        about: All that their values depend on: the state of the file, the encoder, the channels. A scan that differs in
            any of them finds nothing.
    """

    def __init__(self, folder: str | Path, *about: object) -> None:
        parts = repr((_FORMAT, tool_version(), *map(str, about)))
        self._parent = Path(folder)
        self._folder = self._parent / hashlib.blake2b(parts.encode(errors="replace"), digest_size=12).hexdigest()

    def load(self, first: int) -> Stretch | None:
        """The stretch that begins with a window; None if it is not there or damaged."""
        try:
            arrays = load(self._path(first).read_bytes())
            run, number, stop = (int(arrays.pop(name)[0]) for name in _NUMBERS)
            return Stretch(run, number, stop, **arrays)
        except (OSError, SafetensorError, KeyError, TypeError, IndexError):
            return None

    def save(self, stretch: Stretch) -> None:
        """Adds a stretch.

        Raises:
            StorageError: it cannot be written.
        """
        values = {field.name: np.atleast_1d(getattr(stretch, field.name)) for field in fields(stretch)}
        with files.atomic_path(self._path(stretch.first)) as temporary:
            temporary.write_bytes(save({name: np.ascontiguousarray(value) for name, value in values.items()}))

    def clear(self) -> None:
        """Removes the stretches, once the results are written, and those of earlier states of the file."""
        remove(self._parent)

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:09d}.safetensors"


def remove(folder: Path) -> None:
    """Removes a folder of stretches, and the one around it if that is empty then."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()
