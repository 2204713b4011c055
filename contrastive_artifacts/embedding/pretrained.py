"""An encoder in use: embeds, classifies, estimates severity; what :func:`contrastive_artifacts.load` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..artifacts import CLEAN
from ..audio import Stream
from ..core.errors import AudioError, ParameterError, StorageError
from ..core.vectors import unit_rows
from ..probes import AnyProbe, SetProbe, load_any_probe, ordered, verdict_columns
from ..probes.storage import PROBE_RECORD
from .embedder import Embedder, Embedding, Input
from .figures import FigureEmbedder
from .opening import encoder_folder, open_embedder
from .sharing import push, write_shared


@dataclass(frozen=True)
class Classification:
    """The verdict on one input.

    Args:
        label: The most probable of the labels, ``"clean"`` among them. Of an encoder of label sets: the most severe of
            the artifacts that are present, or ``"clean"``.
        probabilities: Label -> calibrated probability; they sum to 1. Of an encoder of label sets: the chance of each
            artifact by itself that it is there, and for ``"clean"`` that none is.
        severity: Artifact -> severity in [0, 1] that it has if it is present; None where it is unknown: nobody defined
            a scale for a label that users added.
        present: The artifacts that are there: the label, or none; of an encoder of label sets all that are above their
            thresholds, in the order of the labels.
    """

    label: str
    probabilities: dict[str, float]
    severity: dict[str, float | None]
    present: tuple[str, ...] = ()


class PretrainedEncoder:
    """An encoder with its probe; its network runs on the CPU, or where :data:`.core.device.VARIABLE` says.

    Attributes:
        labels: What the probe tells: ``"clean"`` first, then the artifacts that the encoder was trained on, then
            labels that users added, by name. Without a probe, the states that the encoder was trained on.
        probe: Classifies vectors and estimates severities; None where the run has not been probed.
        window_s, hop_s: Length and hop of the windows that inputs are cut into, in seconds.
        shortest_s: Least length of an input of :meth:`classify` in seconds: a sixth of a window, 0.5 s for "release".
        sample_rate: Rate of the encoder in Hz; inputs of any rate are resampled to it.
        dim: Width D of a vector.
        fingerprint: Stored with whatever this encoder computes.
    """

    def __init__(self, embedder: Embedder[Any], probe: AnyProbe | None) -> None:
        self._embedder, self.probe = embedder, probe
        self.fingerprint, self.dim = embedder.fingerprint, embedder.dim
        self.window_s, self.hop_s, self.context_s = embedder.window_s, embedder.hop_s, embedder.context_s
        self.shortest_s = embedder.window_s / 6
        self.sample_rate = embedder.sample_rate
        self.labels = embedder.states if probe is None else ordered(probe.classes, embedder.states)

    def embed(self, source: Input, channel: int | None = None, stream: Stream = None) -> Embedding:
        """Embeds a file, or ``(waveform [T] or [C, T], sample_rate)`` of numpy or torch; its mix, or one channel.

        ``stream`` chooses an audio stream of a file by its index or language, as in :func:`audio.read`.

        Raises:
            AudioError: it cannot be read, is empty, or holds NaN.
        """
        return self._embedder.embed(source, channel, stream)

    def embed_batch(self, sources: Sequence[Input]) -> list[Embedding]:
        """The same for many inputs at once."""
        return self._embedder.embed_batch(sources)

    def embed_windows(
        self, waveforms: Sequence[np.ndarray], sample_rate: int, contexts: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """Vectors float32 [N, D] of N mono float32 windows [T], each embedded as one window.

        ``contexts``: the sound around each window, mono float32 ``[T']``, up to ``context_s`` long: it shows artifacts
        that are slower than a window. By default the windows themselves; what embeds recordings takes it from them.
        """
        return self._embedder.embed_windows(waveforms, sample_rate, contexts)

    @property
    def of_sets(self) -> bool:
        """Whether several artifacts can be present at once: each has a probability of its own."""
        return isinstance(self.probe, SetProbe)

    def classify(self, source: Input, alarms_per_hour: float | None = None) -> Classification:
        """Classifies one input as a whole; for a long recording see ``scan``.

        An encoder of label sets takes the largest probability over the windows of the input.

        Inputs shorter than ``shortest_s`` are refused: less than a sixth of a window sounds clipped or interrupted to
        an encoder, whatever it is. (:meth:`embed` takes any length.)

        Args:
            source: The input.
            alarms_per_hour: Of an encoder of label sets: takes the thresholds of a scan with as many false segments per
                hour of clean sound; by default that of single windows, which about one clean window in eight exceeds.

        Raises:
            StorageError: this run has not been probed.
            AudioError: as :meth:`embed`, or the input is too short.
            ParameterError: ``alarms_per_hour`` for an encoder without such thresholds.
        """
        probe = self._need_probe()
        embedding = self.embed(source)
        seconds = int(embedding.samples[-1, 1] - embedding.samples[0, 0]) / embedding.sample_rate
        if seconds < self.shortest_s:
            name = source if isinstance(source, str | Path) else "The waveform"
            raise AudioError(
                f"{name} is too short to be classified: {seconds:.3g} s; give {self.shortest_s:.3g} s or more."
            )
        if isinstance(probe, SetProbe):
            return _of_windows(*self.classify_vectors(embedding.frames), probe, alarms_per_hour)
        if alarms_per_hour is not None:
            raise ParameterError("alarms_per_hour is for encoders of label sets; this one gives one label.")
        label, probabilities, severity = probe.classify(embedding.clip, self.fingerprint)
        present = () if label == CLEAN else (label,)
        return Classification(label, {name: probabilities[name] for name in self.labels}, severity, present)

    def classify_windows(
        self, waveforms: Sequence[np.ndarray], sample_rate: int, contexts: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """N mono float32 windows [T] -> probabilities and severities float32 [N, K], columns as ``labels``.

        ``contexts`` are those of :meth:`embed_windows`. A severity is 0 for clean and NaN where it is unknown, for
        labels that users added.
        """
        self._need_probe()
        return self.classify_vectors(self.embed_windows(waveforms, sample_rate, contexts))

    @property
    def cell_s(self) -> float:
        """Seconds from one cell of :meth:`classify_cells` to the next; 0 for an encoder of one label."""
        return self._embedder.cell_s if isinstance(self._embedder, FigureEmbedder) else 0.0

    def classify_cells(
        self, waveforms: Sequence[np.ndarray], sample_rate: int, contexts: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """:meth:`classify_windows` of N >= 1 windows, and each artifact's probability in each cell, [N, cells, K - 1].

        Labels that users added come last and have no cells.

        Raises:
            ParameterError: the encoder is not one of label sets.
        """
        if not isinstance(self._embedder, FigureEmbedder):
            raise ParameterError("Only an encoder of label sets classifies cells; this one gives one label.")
        vectors, cells = self._embedder.vectors_and_cells(self._embedder.prepare_all(waveforms, sample_rate, contexts))
        return *self.classify_vectors(vectors), cells

    def classify_vectors(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of windows that are embedded already, [N, D]."""
        probe = self._need_probe()
        probabilities, severities = probe.classify_batch(unit_rows(vectors), self.fingerprint)
        order = [probe.classes.index(name) for name in self.labels]
        return probabilities[:, order].astype(np.float32), severities[:, order]

    def verdict_columns(self, vectors: np.ndarray) -> dict[str, pa.Array]:
        """The verdicts on windows that are embedded already, [N, D], as columns of a table of embeddings."""
        return verdict_columns(self._need_probe(), self.labels, *self.classify_vectors(vectors))

    def save_pretrained(self, folder: str | Path, licence: str | None = None) -> None:
        """Writes a folder to share: ``model.safetensors``, ``config.json``, the probe and a model card, ``README.md``.

        ``contrastive_artifacts.load(folder)`` opens it, with the same fingerprint.

        Args:
            folder: Created if it does not exist; an earlier copy in it is replaced.
            licence: Of this encoder, as the hub names it ("apache-2.0"), for the card.

        Raises:
            StorageError: another process is writing the folder, it holds something else, or it cannot be written.
        """
        write_shared(self._embedder, self.probe, folder, licence)

    def push_to_hub(
        self, repository: str, *, revision: str = "main", private: bool = False, licence: str | None = None
    ) -> str:
        """Uploads what :meth:`save_pretrained` writes to the Hugging Face hub, with the token of ``hf auth login``.

        Args:
            repository: ``USER/REPO``; created if it does not exist.
            revision: Branch; created if it does not exist.
            private: Of a repository that is created: only its owners see it.
            licence: As in :meth:`save_pretrained`.

        Returns:
            What :func:`contrastive_artifacts.load` takes: ``hf://USER/REPO@COMMIT``.

        Raises:
            ParameterError: ``repository`` is not ``USER/REPO``.
            StorageError: the hub refused it or could not be reached.
        """
        return push(self._embedder, self.probe, repository, revision, private, licence)

    @property
    def has_probe(self) -> bool:
        return self.probe is not None

    def _need_probe(self) -> AnyProbe:
        if self.probe is None:
            raise StorageError("This encoder has no probe yet; run scripts/probe.py on its run directory first.")
        return self.probe


def _of_windows(
    probabilities: np.ndarray, severities: np.ndarray, probe: SetProbe, alarms_per_hour: float | None
) -> Classification:
    """The verdict on an input of windows [N, K]: each artifact where it is most probable."""
    best = probabilities.argmax(0)
    chances, severity = probabilities.max(0), severities[best, np.arange(len(best))]
    chances[0] = probabilities[:, 0].min()
    present: np.ndarray = np.any(probe.present(probabilities, alarms_per_hour), axis=0)
    label = int(probe.most_severe(present, severity))
    return Classification(
        probe.classes[label],
        dict(zip(probe.classes, chances.tolist(), strict=True)),
        {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(probe.classes, severity, strict=True)
            if name != CLEAN
        },
        tuple(name for name, there in zip(probe.classes, present, strict=True) if there),
    )


def load(name: str | Path) -> PretrainedEncoder:
    """Loads an encoder with its probe and, where it has one, its context module.

    Args:
        name: ``"release"`` or ``"release/NAME"`` (a name of :func:`.opening.released`; they ship with the package), a
            run directory, a folder with ``encoder.json`` or of :meth:`PretrainedEncoder.save_pretrained`, or
            ``"hf://USER/REPO@REVISION"`` on the Hugging Face hub (REVISION is a branch, tag or commit; "main" without).

    Raises:
        StorageError: there is no encoder, or one of another format.
        WeightsError: its tensors are damaged or do not match in full, or it could not be downloaded.
        FingerprintError: the probe beside it belongs to another encoder.
    """
    directory = encoder_folder(name)
    embedder = open_embedder(directory)
    probe = load_any_probe(directory, embedder.fingerprint) if (directory / PROBE_RECORD).exists() else None
    return PretrainedEncoder(embedder, probe)
