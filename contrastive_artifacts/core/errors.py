"""Errors of this package: each message says what was wrong, with the file or the value, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ArtifactsError(Exception):
    """Base of every error this package raises on purpose."""


class ParameterError(ArtifactsError, ValueError):
    """A value given by the caller lies outside its stated range or has the wrong kind."""


class UnknownNameError(ArtifactsError, LookupError):
    """A name that is not in a registry; the message lists the close matches."""


class AudioError(ArtifactsError, ValueError):
    """Audio that cannot be read, or samples that cannot be used (NaN, empty, wrong shape)."""


class CorpusError(ArtifactsError):
    """A corpus that is missing, empty, or inconsistent with its description."""


class SplitError(CorpusError):
    """A split that would put one source on both sides, or leave a side empty."""


class DownloadError(ArtifactsError):
    """A file that could not be downloaded, or that arrived with another size or hash than expected."""


class WeightsError(ArtifactsError):
    """A checkpoint that is missing, truncated, altered, or whose keys do not match in full."""


class FingerprintError(ArtifactsError):
    """Vectors of one encoder were about to be mixed with those of another."""


class StorageError(ArtifactsError):
    """A file of this package (index, table, run) that is missing, damaged or of another version."""


class UnwritableError(StorageError):
    """A file or folder cannot be written: the disk is full or read-only, a name is too long, and so on."""


class TargetError(UnwritableError, ParameterError):
    """The same of a file or folder that a setting names; before the work or in its course."""


class TrainingError(ArtifactsError):
    """Training cannot start or continue; what was saved so far remains."""


@contextmanager
def one_of_many(name: str) -> Iterator[None]:
    """In a batch, the work on one file: whatever error it causes becomes one of this package, and the others go on.

    Raises:
        ArtifactsError: the block raised something, or the name of the file is not UTF-8.
    """
    try:
        name.encode()
        yield
    except ArtifactsError:
        raise
    except UnicodeEncodeError:
        raise ArtifactsError("The name of the file is not UTF-8; rename it.") from None
    except Exception as error:
        raise ArtifactsError(f"{type(error).__name__}: {error}") from error
