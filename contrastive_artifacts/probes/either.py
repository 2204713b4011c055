"""The probe beside a saved encoder: of one label, or of label sets."""

from __future__ import annotations

from pathlib import Path

from .bundle import Probe
from .sets import KIND, SetProbe
from .storage import read_state

AnyProbe = Probe | SetProbe


def load_any_probe(directory: str | Path, fingerprint: str | None = None) -> AnyProbe:
    """Loads what :meth:`.Probe.save` or :meth:`.SetProbe.save` wrote.

    Raises:
        FingerprintError: it is of another encoder than ``fingerprint``.
        StorageError: a file is missing, damaged or of another version.
    """
    arrays, record, fingerprint = read_state(directory, fingerprint)
    kind = SetProbe if record.get("kind") == KIND else Probe
    return kind.of_state(directory, arrays, record, fingerprint)


def ordered(classes: tuple[str, ...], states: tuple[str, ...]) -> tuple[str, ...]:
    """The classes of a probe in the order of the encoder's states; classes that the encoder does not know last."""
    return (*(name for name in states if name in classes), *sorted(set(classes) - set(states)))
