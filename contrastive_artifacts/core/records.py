"""The border at which values from a file become objects: whatever error they cause there names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ArtifactsError, FingerprintError, ParameterError, StorageError, UnknownNameError

_LONGEST = 500  # characters of the original message


@contextmanager
def described_by(path: str | Path, what: str, remedy: str) -> Iterator[None]:
    """Inside the block, objects are built from the JSON file ``path``, which anybody may have edited or damaged.

    Args:
        path: The file.
        what: What it describes, such as "an encoder".
        remedy: What to do, such as "train it again".

    Raises:
        StorageError: a value is missing, of another type or out of range, whatever exception that caused.
        ArtifactsError: of the same class, with the file before the message: weights that are missing, for example.
    """
    try:
        yield
    except (StorageError, FingerprintError):
        raise
    except Exception as error:  # no list of exceptions: torch and NumPy raise any of them for an unfit size
        message = str(error)[:_LONGEST].rstrip(".")
        if isinstance(error, ArtifactsError) and not isinstance(error, ParameterError | UnknownNameError):
            raise type(error)(f"{path}: {message}.") from error
        kind = "" if isinstance(error, ArtifactsError) else f"{type(error).__name__}: "
        raise StorageError(f"{path} does not describe {what} ({kind}{message}); {remedy}.") from error
