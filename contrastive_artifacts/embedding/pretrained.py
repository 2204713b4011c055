"""An encoder in use: embeds, classifies, says how bad; what :func:`contrastive_artifacts.load` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import StorageError
from ..probes import Probe
from .context import open_embedder
from .embedder import Embedder, Embedding, Input, normalise

RELEASE = Path(__file__).parents[1] / "release"


@dataclass(frozen=True)
class Classification:
    """What was heard.

    Args:
        label: The most probable of the labels, ``"clean"`` among them.
        probabilities: Label -> calibrated probability; they sum to 1.
        severity: Artifact -> severity in [0, 1] that it has if it is there.
    """

    label: str
    probabilities: dict[str, float]
    severity: dict[str, float]


class PretrainedEncoder:
    """An encoder with its probe, on the CPU.

    Attributes:
        labels: What the probe tells apart: ``"clean"`` first, then the artifacts that the encoder was trained on, then
            labels that people added, by name. Without a probe what the encoder was trained on.
        probe: What tells labels and severities; None where the run has not been probed.
        window_s, hop_s: Windows that inputs are cut into, in seconds.
        fingerprint: Stored with whatever this encoder makes.
    """

    def __init__(self, embedder: Embedder[Any], probe: Probe | None) -> None:
        self._embedder, self.probe = embedder, probe
        self.fingerprint = embedder.fingerprint
        self.window_s, self.hop_s = embedder.window_s, embedder.hop_s
        self.sample_rate = embedder.sample_rate
        states = embedder.states
        self.labels = states if probe is None else _ordered(probe.classes, states)

    def embed(self, source: Input, channel: int | None = None) -> Embedding:
        """Embeds a file, or ``(waveform [T] or [C, T], sample_rate)`` of numpy or torch; its mix, or one channel.

        Raises:
            AudioError: it cannot be read, is empty, or holds NaN.
        """
        return self._embedder.embed(source, channel)

    def embed_batch(self, sources: Sequence[Input]) -> list[Embedding]:
        """The same for many inputs at once."""
        return self._embedder.embed_batch(sources)

    def classify(self, source: Input) -> Classification:
        """What is wrong with one input, judged over the whole of it; for a long recording see ``scan``.

        Raises:
            StorageError: this run has not been probed.
            AudioError: as :meth:`embed`.
        """
        probe = self._need_probe()
        label, probabilities, severity = probe.classify(self.embed(source).clip, self.fingerprint)
        return Classification(label, {name: probabilities[name] for name in self.labels}, severity)

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        """N mono float32 windows [T] -> probabilities and severities float32 [N, K], columns as ``labels``."""
        self._need_probe()
        prepared = [self._embedder.prepare(w, sample_rate) for w in waveforms]
        return self.classify_vectors(self._embedder.vectors(prepared))

    def classify_vectors(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of windows that are embedded already, [N, D]."""
        probe = self._need_probe()
        probabilities, severities = probe.classify_batch(normalise(vectors), self.fingerprint)
        order = [probe.classes.index(name) for name in self.labels]
        zero = np.zeros(len(vectors), np.float32)
        return probabilities[:, order].astype(np.float32), np.stack(
            [severities.get(n, zero) for n in self.labels], axis=1
        )

    @property
    def has_probe(self) -> bool:
        return self.probe is not None

    def _need_probe(self) -> Probe:
        if self.probe is None:
            raise StorageError("This encoder has no probe yet; run scripts/probe.py on its run directory first.")
        return self.probe


def _ordered(classes: tuple[str, ...], states: tuple[str, ...]) -> tuple[str, ...]:
    """Classes of a probe in the order of the encoder's states, those that it does not have behind, by name."""
    return (*(name for name in states if name in classes), *sorted(set(classes) - set(states)))


def encoder_folder(name: str | Path) -> Path:
    """The folder with ``encoder.json`` that a name given to :func:`load` stands for.

    Raises:
        StorageError: there is none.
    """
    directory = Path(name)
    if name == "release":
        directory = RELEASE / (RELEASE / "default").read_text().strip()
    elif isinstance(name, str) and name.startswith("release/") and not directory.exists():
        directory = RELEASE / name.removeprefix("release/")
    if not (directory / "encoder.json").exists() and (directory / "encoder" / "encoder.json").exists():
        directory = directory / "encoder"
    if not (directory / "encoder.json").exists():
        raise StorageError(
            f"{directory} holds no encoder; give 'release', 'release/NAME' (NAME of {', '.join(released())}), a run "
            "directory, or a folder with encoder.json."
        )
    return directory


def released() -> list[str]:
    """Names of the encoders that ship with the package."""
    return sorted(path.parent.name for path in RELEASE.glob("*/encoder.json"))


def load(name: str | Path) -> PretrainedEncoder:
    """Loads an encoder: ``"release"`` or ``"release/NAME"`` (of :func:`released`; they ship with the package), a run
    directory, or a folder with ``encoder.json``.

    Raises:
        StorageError: there is no encoder, or one of another format.
        WeightsError: its tensors are damaged or do not match in full.
        FingerprintError: the probe beside it belongs to another encoder.
    """
    directory = encoder_folder(name)
    embedder = open_embedder(directory)
    probe = Probe.load(directory, embedder.fingerprint) if (directory / "probe.json").exists() else None
    return PretrainedEncoder(embedder, probe)
