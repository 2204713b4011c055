"""Probes on disk: arrays as safetensors, the rest as JSON, with the fingerprint of their encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..core.errors import FingerprintError, ParameterError, StorageError, UnknownNameError
from ..core.files import atomic_path, read_json, sha256, write_json
from ..core.lock import locked
from ..core.registry import Registry

VERSION = 1
PROBE_ARRAYS, PROBE_RECORD = "probe.safetensors", "probe.json"


class Storable(Protocol):
    """A probe that can be converted to arrays and JSON and back."""

    kind: Any

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]: ...


PROBES: Registry[Any] = Registry("kind of probe")


def write_state(directory: str | Path, arrays: dict[str, np.ndarray], record: dict[str, Any], fingerprint: str) -> None:
    """Writes the two files, the JSON last; it holds the SHA-256 of the arrays.

    Raises:
        StorageError: another process is writing the folder, or it cannot be written.
    """
    if not isinstance(fingerprint, str) or not fingerprint:
        raise ParameterError(f"fingerprint is {fingerprint!r}; give the fingerprint of the encoder, a text.")
    directory = Path(directory)
    with locked(directory, "saving a probe"):
        with atomic_path(directory / PROBE_ARRAYS) as path:
            save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
        identity = {"version": VERSION, "fingerprint": fingerprint, "sha256": sha256(directory / PROBE_ARRAYS)}
        write_json(directory / PROBE_RECORD, identity | {"probe": record})


def read_state(
    directory: str | Path, fingerprint: str | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any], str]:
    """Reads arrays (finite floats), record and fingerprint.

    Raises:
        FingerprintError: the probe is of another encoder than ``fingerprint``.
        StorageError: a file is missing, damaged or of another version.
    """
    directory = Path(directory)
    path = directory / PROBE_ARRAYS
    stored = read_json(directory / PROBE_RECORD)
    if not isinstance(stored, dict) or stored.get("version") != VERSION:
        raise StorageError(f"{directory / PROBE_RECORD} is not of version {VERSION}; train the probe again.")
    stored_fingerprint, record = stored.get("fingerprint"), stored.get("probe")
    if not isinstance(stored_fingerprint, str) or not isinstance(record, dict):
        raise StorageError(f"{directory / PROBE_RECORD} lacks its fingerprint or its probe; train the probe again.")
    check_fingerprint(stored_fingerprint, fingerprint, directory)
    if not path.is_file():
        raise StorageError(f"{path} does not exist; train the probe again.")
    if sha256(path) != stored.get("sha256"):
        raise StorageError(f"{path} does not have the SHA-256 in {PROBE_RECORD}: damaged or replaced; train it again.")
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise StorageError(f"{path} cannot be read as safetensors ({error}); train the probe again.") from None
    bad = [name for name, array in arrays.items() if array.dtype.kind != "f" or not np.isfinite(array).all()]
    if bad:
        raise StorageError(f"{path}: {', '.join(bad)} hold values that are not finite numbers; train the probe again.")
    return arrays, record, stored_fingerprint


def check_fingerprint(fingerprint: str, expected: str | None, where: str | Path = "the probe") -> None:
    """Raises FingerprintError when ``expected`` is given and differs."""
    if expected is not None and expected != fingerprint:
        raise FingerprintError(
            f"{where} was trained on encoder {fingerprint!r}, not {expected!r}; use it with that encoder or train "
            "one for this."
        )


def save_probe(probe: Storable, directory: str | Path, fingerprint: str) -> None:
    """Saves one LinearProbe, MLPProbe or SeverityProbe."""
    arrays, record = probe.state()
    write_state(directory, arrays, record | {"kind": probe.kind}, fingerprint)


def load_probe(directory: str | Path, fingerprint: str | None = None) -> Any:
    """Loads what :func:`save_probe` wrote; raises as :func:`read_state`."""
    arrays, record, _ = read_state(directory, fingerprint)
    try:
        return PROBES[record["kind"]].from_state(arrays, record)
    except (KeyError, TypeError, ValueError, UnknownNameError) as error:
        raise StorageError(f"{directory} does not describe a probe ({error}); train it again.") from None
